"""How does any frozen dataclass become JSON and come back? By its type hints, both ways, strictly.

A dataclass is an object without the fields that have their default; an enum is its value; an
address or prefix is its text; a mapping is an object when its keys are texts, otherwise pairs.
Reading believes nothing: every value must be what the hint says, and the error names its place
(``links[3].mtu``). A field that nobody knows is an error too: it may say what this version cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    Final,
    Literal,
    NewType,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from netaddr import IPAddress

from wgtui.model.prefix import Prefix, parse_address
from wgtui.sources.fields import JSON

T = TypeVar("T")


class ShapeError(ValueError):
    """A value is not what its place in the model demands; says which place and what is expected."""

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where or 'the whole'}: {expected} is expected")


# ---------------------------------------------------------------------------------------- writing


def encode(value: object) -> JSON:
    """The JSON of a value of the model."""
    match value:
        case Enum():
            return encode(value.value)
        case None | bool() | int() | float() | str():
            return value
        case Prefix() | IPAddress():
            return str(value)
        case tuple() | list():
            return [encode(entry) for entry in value]
        case frozenset():
            return [encode(entry) for entry in sorted(value)]
        case Mapping():
            return _encode_mapping(value)
    return encode_fields(value)


def _encode_mapping(value: Mapping[object, object]) -> JSON:
    texts = {key: encode(entry) for key, entry in value.items() if isinstance(key, str)}
    if len(texts) == len(value):
        return texts
    return [[encode(key), encode(entry)] for key, entry in value.items()]


def encode_fields(value: object, leave_out: frozenset[str] = frozenset()) -> dict[str, JSON]:
    """The JSON object of a dataclass; fields at their default are left out."""
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is no part of the model")
    return {
        field.name: encode(content)
        for field in fields(value)
        if field.name not in leave_out
        and (content := getattr(value, field.name)) != default_of(field)
    }


def default_of(field: Field[Any]) -> object:
    """What the field is when nobody says; ``MISSING`` when somebody must."""
    return field.default if field.default_factory is MISSING else field.default_factory()


# ---------------------------------------------------------------------------------------- reading


def decode(hint: object, value: JSON, where: str = "") -> object:
    """The value of the type ``hint`` that ``value`` stands for. Raises ``ShapeError``."""
    if isinstance(hint, NewType):
        return decode(hint.__supertype__, value, where)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _decode_optional(get_args(hint), value, where)
    if origin is Literal:
        return _decode_literal(get_args(hint), value, where)
    if origin is tuple:
        return _decode_tuple(get_args(hint), value, where)
    if origin is frozenset:
        return frozenset(_decode_list(get_args(hint)[0], value, where))
    if origin is not None and issubclass(origin, Mapping):
        return _decode_mapping(get_args(hint), value, where)
    return _decode_plain(cast("type[object]", hint), value, where)


def decode_fields(
    cls: type[T], value: JSON, where: str = "", given: Mapping[str, object] | None = None
) -> T:
    """A dataclass from its JSON object; the fields in ``given`` do not come from there.

    Raises ``ShapeError``.
    """
    if not isinstance(value, dict):
        raise ShapeError(where, "an object")
    found = dict(given or {})
    hints = _hints(cast("Hashable", cls))
    for name in value:
        if name not in hints or name in found:
            raise ShapeError(f"{where}.{name[:40]!a}".lstrip("."), "no such field")
    for field in fields(cls):  # type: ignore[arg-type]  # every caller has a dataclass
        if field.name in value:
            inner = f"{where}.{field.name}".lstrip(".")
            found[field.name] = decode(hints[field.name], value[field.name], inner)
        elif field.name not in found and default_of(field) is MISSING:
            raise ShapeError(f"{where}.{field.name}".lstrip("."), "a value")
    return cast("Callable[..., T]", cls)(**found)


@cache
def _hints(cls: Hashable) -> dict[str, object]:
    return get_type_hints(cls)


def _decode_literal(choices: tuple[object, ...], value: JSON, where: str) -> object:
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return choice
    raise ShapeError(where, f"one of {', '.join(map(str, choices))}")


def _decode_optional(hints: tuple[object, ...], value: JSON, where: str) -> object:
    if value is None and NoneType in hints:
        return None
    (hint,) = (one for one in hints if one is not NoneType)
    return decode(hint, value, where)


def _decode_list(hint: object, value: JSON, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ShapeError(where, "a list")
    return [decode(hint, entry, f"{where}[{number}]") for number, entry in enumerate(value)]


def _decode_tuple(hints: tuple[object, ...], value: JSON, where: str) -> tuple[object, ...]:
    if hints[-1] is Ellipsis:
        return tuple(_decode_list(hints[0], value, where))
    if not isinstance(value, list) or len(value) != len(hints):
        raise ShapeError(where, f"a list of {len(hints)}")
    return tuple(
        decode(hint, entry, f"{where}[{number}]")
        for number, (hint, entry) in enumerate(zip(hints, value, strict=True))
    )


def _decode_mapping(hints: tuple[object, ...], value: JSON, where: str) -> dict[object, object]:
    key_hint, hint = hints
    if key_hint is str:
        if not isinstance(value, dict):
            raise ShapeError(where, "an object")
        return {key: decode(hint, entry, f"{where}.{key[:40]!a}") for key, entry in value.items()}
    pairs = _decode_list(tuple[key_hint, hint], value, where)  # type: ignore[valid-type]
    return dict(cast("list[tuple[object, object]]", pairs))


def _decode_plain(cls: type[object], value: JSON, where: str) -> object:
    if cls is float:
        return _decode_float(value, where)
    if cls in _SIMPLE:
        if type(value) is not cls:  # a bool is not good enough for an int
            raise ShapeError(where, _SIMPLE[cls])
        return value
    if issubclass(cls, Enum):
        for member in cls:
            if type(value) is type(member.value) and value == member.value:
                return member
        raise ShapeError(where, f"one of {', '.join(str(member.value) for member in cls)}")
    if cls in _PARSERS:
        parse, expected = _PARSERS[cls]
        try:
            return parse(value if isinstance(value, str) else "")
        except ValueError:
            raise ShapeError(where, expected) from None
    return decode_fields(cls, value, where)


def _decode_float(value: JSON, where: str) -> float:
    # JSON has one kind of numbers: a moment may be written without a fraction.
    if type(value) not in (int, float):
        raise ShapeError(where, "a number")
    try:
        number = float(cast("float", value))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ShapeError(where, "a number within reason")
    return number


_SIMPLE: Final[dict[type[object], str]] = {
    int: "a whole number",
    str: "a text",
    bool: "true or false",
}

_PARSERS: Final[dict[type[object], tuple[Callable[[str], object], str]]] = {
    IPAddress: (parse_address, "an address"),
    Prefix: (Prefix.parse, "a prefix"),
}
