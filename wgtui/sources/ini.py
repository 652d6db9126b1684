"""What do the lines of an ini-style file say: sections, assignments, comments? Nothing is judged.

Of systemd (systemd.syntax(7)): a line that ends in a backslash goes on in the next one, comment
lines between them are passed over. Of GLib's key files (NetworkManager): no such thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias


class Section(NamedTuple):
    """``[NAME]``."""

    name: str
    line: int


class Assignment(NamedTuple):
    """``KEY = VALUE``; white space around both is gone."""

    key: str
    value: str
    line: int


class Comment(NamedTuple):
    """A comment line, without its sign."""

    text: str


class Blank(NamedTuple):
    """An empty line."""


class Other(NamedTuple):
    """None of these; its text may be a secret and is not kept."""

    line: int


IniLine: TypeAlias = Section | Assignment | Comment | Blank | Other

_BLANK: Final = Blank()


def read_ini(text: str, signs: str = "#;", continued: bool = False) -> Iterator[IniLine]:
    """The lines in order. ``signs`` begin a comment, at the beginning of a line only."""
    pending: list[str] = []
    start = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line[:1] and line[0] in signs:
            if not pending:
                yield Comment(line.lstrip(signs).strip())
            continue
        if not pending:
            start = number
        if continued and line.endswith("\\"):
            pending.append(line[:-1])
            continue
        if pending:
            line = " ".join((*pending, line)).strip()
            pending = []
        yield _understood(line, start)
    if pending:
        yield _understood(" ".join(pending).strip(), start)


def _understood(line: str, number: int) -> IniLine:
    if not line:
        return _BLANK
    if line.startswith("["):
        return Section(line[1:-1], number) if line.endswith("]") else Other(number)
    key, equals, value = line.partition("=")
    return Assignment(key.rstrip(), value.lstrip(), number) if equals else Other(number)
