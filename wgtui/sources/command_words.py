"""How is a typed command cut into words? A cursor that knows where each word stands."""

from __future__ import annotations

import re
from typing import Final

from netaddr import IPAddress

from wgtui.errors import QueryError
from wgtui.model.network import Mark, TableId
from wgtui.model.prefix import Family, Prefix, parse_address
from wgtui.sources.names import TABLES, to_number

_WORD: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"|<\([^)]*\)|\S+")
"""Quotes as in a shell, without escapes; ``<(…)`` is one word."""


class CommandWords:
    """The words of one command, taken from left to right."""

    def __init__(self, text: str) -> None:
        self.text: Final = text
        found = list(_WORD.finditer(text))
        self._words: Final = [one[1] or one[2] or one[0].strip("'\"") for one in found]
        self._places: Final = [one.start() for one in found]
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    def wrong(self, problem: str, *, here: bool = False) -> QueryError:
        """Says it of the word just taken; ``here``: of the next one, or of the end."""
        at = self._at if here else self._at - 1
        place = self._places[at] if 0 <= at < len(self._places) else len(self.text)
        return QueryError(problem, self.text, place, unfinished=here and not self)

    def peek(self) -> str:
        """The next word, without taking it; empty at the end."""
        return self._words[self._at] if self else ""

    def next_is(self, *words: str) -> bool:
        """Takes the next word if it is one of these."""
        if self.peek() not in words or not self:
            return False
        self._at += 1
        return True

    def take(self, what: str) -> str:
        """The next word, which should be ``what``."""
        if not self:
            raise self.wrong(f"{what} is missing", here=True)
        self._at += 1
        return self._words[self._at - 1]

    def unknown(self, word: str, where: str) -> QueryError:
        """A word that this version does not understand."""
        return self.wrong(f"{word!r} is not understood after {where}")

    def number(self, what: str, limit: int = 0xFFFFFFFF) -> int:
        """Decimal or 0x."""
        word = self.take(what)
        value = to_number(word)
        if value is None or value > limit:
            raise self.wrong(f"{word!r} is not {what}: a number up to {limit}")
        return value

    def table(self) -> TableId:
        """By number, or one of the three names that every host has."""
        word = self.take("a table")
        number = to_number(word)
        if number is None and word in TABLES:
            return TABLES[word]
        if number is None:
            raise self.wrong(f"{word!r}: only the host knows the number of such a table: give it")
        return TableId(number)

    def mark(self, text: str, what: str) -> Mark:
        """A mark or mask."""
        value = to_number(text)
        if value is None or value > 0xFFFFFFFF:
            raise self.wrong(f"{text!r} is not {what}")
        return Mark(value)

    def address(self, what: str, family: Family | None = None) -> IPAddress:
        """An address, of the family where one is known."""
        word = self.take(what)
        try:
            address = parse_address(word)
        except ValueError:
            raise self.wrong(f"{word!r} is not {what}") from None
        if family is not None and address.version != family:
            raise self.wrong(f"{word!r} is not an IPv{family} address")
        return address

    def prefix(self, what: str, family: Family | None = None) -> Prefix:
        """A prefix; ``default`` and ``all`` need a family."""
        word = self.take(what)
        try:
            return Prefix.parse(word, family)
        except ValueError:
            raise self.wrong(f"{word!r} is not {what}") from None
