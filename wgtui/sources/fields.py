"""How is a JSON text taken apart without trusting it? By typed questions, or a FormatError."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from wgtui.errors import FormatError
from wgtui.sources.names import to_number

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""What ``json.loads`` can return."""

JSONObject: TypeAlias = "dict[str, JSON]"

U32: Final = 0xFFFFFFFF


def parse_json(
    text: str, file: str, pairs: Callable[[list[tuple[str, JSON]]], JSONObject] | None = None
) -> JSON:
    """The parsed text; ``pairs`` makes the objects where a key may stand twice.

    Raises ``FormatError``.
    """
    if not text.strip():
        raise FormatError(file, "empty: the command that made it has failed")
    try:
        value: JSON = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        problem = f"not JSON, or cut off ({what} at column {error.colno})"
        raise FormatError(file, problem, error.lineno) from None
    except (ValueError, RecursionError):
        raise FormatError(file, "not JSON that anybody means (endless number or nesting)") from None
    return value


def parse_objects(
    text: str, file: str, pairs: Callable[[list[tuple[str, JSON]]], JSONObject] | None = None
) -> Iterator[Fields]:
    """Each object of a list of objects, as ``ip -j`` prints them.

    Empty ones, which some versions print for what they filtered, are left out.
    """
    entries = parse_json(text, file, pairs)
    if not isinstance(entries, list):
        raise FormatError(file, "a list is expected: what ip -j prints")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise FormatError(file, f"entry {number} is not an object")
        if entry:
            yield Fields(entry, file, f"entry {number}")


class Fields:
    """One JSON object, asked by name and type: absent is None, wrong is a ``FormatError``."""

    __slots__ = ("_file", "_where", "values")

    def __init__(self, values: Mapping[str, JSON], file: str, where: str = "") -> None:
        self.values = values
        """The raw object."""
        self._file = file
        self._where = where

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def wrong(self, key: str, problem: str) -> FormatError:
        """The error to raise about one field."""
        return FormatError(self._file, f"{self._where}: {key} {problem}".lstrip(": "))

    def text(self, key: str) -> str | None:
        """A text; numbers are taken for the text they stand for."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise self.wrong(key, "is not a text")

    def needed_text(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def number(self, key: str, limit: int = U32) -> int | None:
        """A whole number from 0 to ``limit``, or the text of one (older iproute2)."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            value = to_number(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(key, "is not a whole number")
        if not 0 <= value <= limit:
            raise self.wrong(key, f"is not between 0 and {limit}")
        return value

    def flag(self, key: str) -> bool:
        """Is it set? iproute2 writes ``"not": null`` and ``"secondary": true``."""
        return key in self.values and self.values[key] is not False

    def texts(self, key: str) -> frozenset[str]:
        """A list of words, such as flags."""
        value = self.values.get(key)
        if value is None:
            return frozenset()
        if not isinstance(value, list):
            raise self.wrong(key, "is not a list")
        words = frozenset(word for word in value if isinstance(word, str))
        if len(words) < len({str(word) for word in value}):
            raise self.wrong(key, "is not a list of words")
        return words

    def object(self, key: str) -> Fields | None:
        """A nested object."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(key, "is not an object")
        return Fields(value, self._file, f"{self._where}, {key}")

    def objects(self, key: str) -> list[Fields]:
        """A list of nested objects; empty when absent."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "is not a list")
        found = []
        for entry in value:
            if not isinstance(entry, dict):
                raise self.wrong(key, "is not a list of objects")
            found.append(Fields(entry, self._file, f"{self._where}, {key}"))
        return found
