"""The answer as text for a terminal or a mail: the same lines as on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wgtui.report.line import ASCII_GLYPHS, GLYPHS, Line

LABEL_WIDTH: Final = 8
WIDEST_LABEL: Final = 24
INDENT: Final = "  "
LEAST_ROOM: Final = 24

_ASCII: Final = str.maketrans({"…": "...", "—": "--", "·": "|", "≠": "!=", "→": "->"})
"""Our own typography; names from outside keep theirs."""


def render(lines: Iterable[Line], ascii_only: bool = False, columns: int | None = None) -> str:
    """One line of text per Line, each beginning with its glyph; ends with a line end.

    The first stands alone; what follows is a table: glyph, label, text. With ``columns`` a text
    that is wider goes on below itself, broken between words only.
    """
    glyphs = ASCII_GLYPHS if ascii_only else GLYPHS
    lines = list(lines)
    longest = max((len(line.label) for line in lines), default=0)
    width = max(LABEL_WIDTH, min(longest + 1, WIDEST_LABEL)) if longest else 0
    rows = (_row(line, glyphs[line.tone], number == 0, width) for number, line in enumerate(lines))
    shown = (row for one in rows for row in broken(*one, columns))
    text = "".join(f"{row.rstrip()}\n" for row in shown)
    return text.translate(_ASCII) if ascii_only else text


def _row(line: Line, glyph: str, first: bool, width: int) -> tuple[str, str]:
    label = "" if first and not line.label else f"{line.label:<{width}}"
    return f"{glyph} {INDENT * line.indent}{label}", line.text


def broken(start: str, text: str, columns: int | None) -> list[str]:
    """The text behind ``start`` in rows of at most so many columns; None: in one."""
    if columns is None or len(start) + len(text) <= columns:
        return [start + text]
    from textwrap import wrap  # only a terminal needs it

    return wrap(
        text,
        max(columns, len(start) + LEAST_ROOM),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
