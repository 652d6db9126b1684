"""How are the lines of the shorthand cut into words? A cursor that knows where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE, TableId
from wgtui.model.prefix import Family, Prefix, parse_address

TABLES: Final = {"local": LOCAL_TABLE, "main": MAIN_TABLE, "default": DEFAULT_TABLE}


class Words:
    """The words of one line, taken from left to right."""

    def __init__(self, line: str, section: str, number: int) -> None:
        self._words: Final = line.split()
        self._section: Final = section
        self.line: Final = number
        """Counted from 1."""
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    def wrong(self, problem: str) -> FormatError:
        """Says it of this line."""
        return FormatError(self._section, problem, self.line)

    def peek(self) -> str:
        """The next word, without taking it; empty at the end."""
        return self._words[self._at] if self else ""

    def next_is(self, word: str) -> bool:
        """Takes the next word if it is this one."""
        if self.peek() != word:
            return False
        self._at += 1
        return True

    def take(self, what: str) -> str:
        """The next word, which should be ``what``."""
        if not self:
            raise self.wrong(f"{what} is missing")
        self._at += 1
        return self._words[self._at - 1]

    def listed(self, what: str) -> list[str]:
        """``A,B`` or ``A, B``: words go on after a comma."""
        text = self.take(what)
        while text.endswith(","):
            text += self.take(what)
        return text.split(",")

    def number(self, what: str) -> int:
        """Decimal or 0x."""
        return self.to_number(self.take(what), what)

    def to_number(self, text: str, what: str) -> int:
        """The number a part of a word means."""
        try:
            return int(text, 0)
        except ValueError:
            raise self.wrong(f"{what}: {text!r} is not a number") from None

    def one_of(self, known: Mapping[str, int], what: str) -> int:
        """A name, or its number."""
        word = self.take(what)
        return known[word] if word in known else self.to_number(word, what)

    def table(self) -> TableId:
        """``main``, ``51820``."""
        return TableId(self.one_of(TABLES, "a table"))

    def address(self, text: str | None = None) -> IPAddress:
        """The next word, or a part of one."""
        try:
            return parse_address(self.take("an address") if text is None else text)
        except ValueError as error:
            raise self.wrong(str(error)) from None

    def prefix(self, family: Family | None = None) -> Prefix:
        """The next word: ``10.0.0.0/8``, ``default``, ``all``."""
        return self.to_prefix(self.take("a prefix"), family)

    def to_prefix(self, text: str, family: Family | None = None) -> Prefix:
        """The prefix a part of a word means."""
        try:
            return Prefix.parse(text, family)
        except ValueError as error:
            raise self.wrong(str(error)) from None


def lines(text: str, section: str) -> Iterator[Words]:
    """Every line with something on it; ``#`` begins a comment."""
    for number, line in enumerate(text.splitlines(), 1):
        words = Words(line.partition("#")[0], section, number)
        if words:
            yield words
