"""Are known mistakes found again and again, as long as they last?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import wraps

import pytest

from tests.engine.test_changes import host
from tests.findings.test_same_ground import moved_on
from wgtui.engine import checks
from wgtui.engine.checks.world import World
from wgtui.model.finding import Code, Finding
from wgtui.model.snapshot import Snapshot
from wgtui.tui import watch
from wgtui.tui.watch import Watch

KEYS = "AB"


def owned_by(owner: str, taken_at: float) -> Snapshot:
    """Peer A or B has 10.1.0.0/16; each has an address of its own too."""
    own = {key: f"10.9.9.{number}/32" for number, key in enumerate(KEYS, 1)}
    peers = "\n".join(
        f"peer {key} endpoint 192.0.2.7:1 allowed-ips {own[key]}"
        + (",10.1.0.0/16" if key == owner else "")
        for key in KEYS
    )
    routes = "10.1.0.0/16 dev wg0\n10.9.9.0/24 dev wg0\n192.0.2.0/24 dev eth0"
    return host(peers, routes=routes, taken_at=taken_at)


def moved(looker: Watch, snapshot: Snapshot) -> list[str]:
    """Who lost what, as one look finds it."""
    found = looker.look(snapshot)
    assert found is not None
    return [
        f"{one.peer.public_key[0]} {one.prefix}"
        for one in found
        if one.code is Code.MOVED_PREFIX and one.peer is not None
    ]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rest between two looks."""
    monkeypatch.setattr(watch, "REST", 0.0)


def test_a_prefix_that_moved_stays_found_until_it_is_back() -> None:
    """Newer counters or a newer moment do not make it vanish; going back does."""
    looker = Watch()
    assert moved(looker, owned_by("A", 1000)) == []
    assert moved(looker, owned_by("B", 1002)) == ["A 10.1.0.0/16"]
    assert moved(looker, owned_by("B", 1004)) == ["A 10.1.0.0/16"]
    assert moved(looker, owned_by("A", 1006)) == []
    assert moved(looker, owned_by("B", 1008)) == ["A 10.1.0.0/16"]


def test_a_move_that_nobody_minded_is_a_note_by_and_by() -> None:
    """After a while it is no error any more, whoever owns it; a new move is one again."""
    looker = Watch()
    ages: list[tuple[float, list[str]]] = []
    for owner, taken_at in (
        ("A", 1000.0),
        ("B", 1002.0),
        ("B", 1000 + watch.SETTLED),
        ("B", 1001 + 2 * watch.SETTLED),
        ("A", 1003 + 2 * watch.SETTLED),
        ("B", 1005 + 2 * watch.SETTLED),
        ("B", 1002 + 3 * watch.SETTLED),
    ):
        found = looker.look(owned_by(owner, taken_at)) or ()
        moves = [one.severity.value for one in found if one.code is Code.MOVED_PREFIX]
        ages.append((taken_at, moves))
    assert [moves for _, moves in ages] == [
        [],
        ["error"],
        ["error"],
        ["info"],
        [],
        ["error"],
        ["error"],
    ]


def test_a_device_that_comes_later_is_watched_from_then_on() -> None:
    """What a device owned when it was made is what has moved since; one made anew begins anew."""
    looker = Watch()
    without = dataclasses.replace(owned_by("A", 1000), devices={})
    assert moved(looker, without) == []
    assert moved(looker, owned_by("B", 1002)) == []
    assert moved(looker, owned_by("A", 1004)) == ["B 10.1.0.0/16"]
    assert moved(looker, without) == []
    assert moved(looker, owned_by("A", 1006)) == []


def test_where_only_counters_have_moved_on_only_what_they_tell_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A large host is looked through once, and not whenever a packet was counted."""
    asked: list[str] = []

    def told(one: Callable[[World], Iterator[Finding]]) -> Callable[[World], Iterator[Finding]]:
        @wraps(one)
        def asking(world: World) -> Iterator[Finding]:
            asked.append(one.__name__)
            return one(world)

        return asking

    wrapped = {one: told(one) for one in checks.CHECKS}
    monkeypatch.setattr(checks, "CHECKS", tuple(wrapped.values()))
    of_the_moment = frozenset(wrapped[one] for one in checks.OF_THE_MOMENT)
    monkeypatch.setattr(checks, "OF_THE_MOMENT", of_the_moment)
    looker = Watch()
    first = owned_by("A", 1000)
    looker.look(first)
    assert len(asked) == len(wrapped)
    asked.clear()
    looker.look(moved_on(first, 2000))
    assert sorted(asked) == sorted(one.__name__ for one in of_the_moment)
    asked.clear()
    looker.look(owned_by("B", 3000))
    assert len(asked) == len(wrapped)
