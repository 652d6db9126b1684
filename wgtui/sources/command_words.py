"""How is a typed command cut into words? A cursor that knows where each word stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from netaddr import IPAddress

from wgtui.errors import QueryError
from wgtui.model.network import Mark, TableId
from wgtui.model.prefix import Family, Prefix, parse_address
from wgtui.sources.names import PROTOCOLS, TABLES, protocol_name, to_number

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
        for one in found:
            if one[0][0] in "'\"" and one[1] is None and one[2] is None:
                problem = f"the quote {one[0][0]} is not closed"
                raise QueryError(problem, text, one.start(), unfinished=True)

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

    def behind(self, word: str) -> str:
        """The word that follows ``word`` further on, without taking it; empty: there is none."""
        rest = self._words[self._at :]
        return next((two for one, two in pairwise(rest) if one == word), "")

    def one_of(self, what: str, known: Sequence[str]) -> str:
        """The next word written out: iproute2 takes the first that begins like it
        (utils.c:matches)."""
        word = self.take(what)
        found = next((one for one in known if one.startswith(word)), None) if word else None
        if found is None:
            shows = any(one.startswith(word) for one in ("show", "list", "get")) and word
            told = (
                f"{word!r} changes nothing; what does: " if shows else f"{word!r} is not one of: "
            )
            raise self.wrong(told + ", ".join(known))
        return found

    def take(self, what: str) -> str:
        """The next word, which should be ``what``."""
        if not self:
            raise self.wrong(f"{what} is missing", here=True)
        self._at += 1
        return self._words[self._at - 1]

    def unknown(self, word: str, where: str) -> QueryError:
        """A word that this version does not understand."""
        return self.wrong(f"{word!r} is not understood after {where}")

    def number(self, what: str, limit: int = 0xFFFFFFFF, least: int = 0) -> int:
        """Decimal or 0x."""
        word = self.take(what)
        value = to_number(word)
        if value is None or not least <= value <= limit:
            between = f"from {least} to" if least else "up to"
            raise self.wrong(f"{word!r} is not {what}: a number {between} {limit}")
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

    def protocol(self) -> str:
        """Who installs it: by number, or by a name that every host has."""
        word = self.take("a protocol")
        name = protocol_name(word)
        if name not in PROTOCOLS.values() and to_number(word) is None:
            raise self.wrong(f"{word!r}: only the host knows such a protocol's number: give it")
        return name

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
