"""Is our ``dataclass`` the library's, in everything that anybody asks of a fact?"""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from wgtui.model import fact

Maker = Callable[..., Callable[[type], Any]]


def many(maker: Maker) -> Any:
    """A fact with a required field, defaults, a property and a text of its own."""

    @maker(frozen=True, slots=True)
    class Many:
        """Said."""

        name: str
        size: int = 0
        parts: tuple[int, ...] = ()

        @property
        def twice(self) -> int:
            return self.size * 2

        def __str__(self) -> str:
            return f"<{self.name}>"

    return Many


def one(maker: Maker) -> Any:
    """A fact with a single field."""

    @maker(frozen=True, slots=True)
    class One:
        """Said."""

        value: tuple[int, ...]

    return One


OURS, THEIRS = many(fact.dataclass), many(dataclasses.dataclass)
VALUES: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 3), {}),
    (("b", 3), {"parts": (1, 2)}),
    ((), {"name": "a"}),
]


@pytest.mark.parametrize(("words", "named"), VALUES)
def test_made_shown_and_compared_as_the_librarys(words: tuple, named: dict[str, Any]) -> None:
    """The same repr, str, properties, hash, equality and inequality."""
    ours, theirs = OURS(*words, **named), THEIRS(*words, **named)
    assert repr(ours).rpartition(".")[2] == repr(theirs).rpartition(".")[2]
    assert (str(ours), ours.twice, hash(ours)) == (str(theirs), theirs.twice, hash(theirs))
    for others, more in VALUES:
        assert (ours == OURS(*others, **more)) is (theirs == THEIRS(*others, **more))
    assert ours != theirs


@pytest.mark.parametrize("words", [(), ("a", 1, (), 4)])
def test_wrong_arguments_are_refused(words: tuple) -> None:
    """A missing or a superfluous argument is a TypeError; so is an unknown name."""
    with pytest.raises(TypeError):
        OURS(*words)
    with pytest.raises(TypeError):
        OURS("a", colour=1)


def test_a_fact_never_changes() -> None:
    """Neither its fields nor anything new, neither set nor deleted; and it has no dictionary."""
    found = OURS("a")
    for name in ("name", "size", "colour"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(found, name, 1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(found, name)
    assert not hasattr(found, "__dict__")
    assert OURS.__doc__ == "Said."


def test_the_librarys_functions_work_on_it() -> None:
    """``fields``, ``replace``, ``asdict``, ``is_dataclass``, type hints, ``match``."""
    found = OURS("a", 3)
    known = dataclasses.is_dataclass(OURS)
    assert known
    assert OURS.__match_args__ == THEIRS.__match_args__
    assert [(entry.name, entry.type, entry.default) for entry in dataclasses.fields(OURS)] == [
        (entry.name, entry.type, entry.default) for entry in dataclasses.fields(THEIRS)
    ]
    assert dataclasses.replace(found, size=4) == OURS("a", 4)
    assert dataclasses.asdict(found) == {"name": "a", "size": 3, "parts": ()}
    assert get_type_hints(OURS) == get_type_hints(THEIRS)


def test_a_single_field_is_compared_and_hashed_like_one_of_many() -> None:
    """Not as the bare value."""
    ours, theirs = one(fact.dataclass), one(dataclasses.dataclass)
    assert hash(ours((1,))) == hash(theirs((1,)))
    assert ours((1,)) == ours((1,)) != ours((2,))


def test_copies_and_pickles_are_equal() -> None:
    """A fact of a module goes through pickle and copy."""
    from wgtui.model.network import Masked

    found = Masked(1, 3)
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == copy.copy(found) == found


def test_what_it_cannot_do_is_left_to_the_library() -> None:
    """Factories, base classes and other options behave as always; so does ``__post_init__``."""

    @fact.dataclass(frozen=True, slots=True)
    class Listed:
        """With a factory."""

        entries: list[int] = dataclasses.field(default_factory=list)

    @fact.dataclass(frozen=True, slots=True)
    class Checked:
        """Checked when it is made."""

        size: int
        parts: tuple[int, ...] = ()

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("too small")

    @fact.dataclass(slots=True)
    class Loose:
        """May change."""

        size: int = 0

    assert Listed().entries is not Listed().entries
    with pytest.raises(ValueError, match="too small"):
        Checked(-1)
    assert Checked(3) == Checked(3, ())
    with pytest.raises(ValueError, match="too small"):
        dataclasses.replace(Checked(3), size=-1)
    loose = Loose()
    loose.size = 3
    assert loose == Loose(3)
