"""The answer as text for a terminal or a mail: the same lines as on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wgtui.report.line import ASCII_GLYPHS, GLYPHS, Line

LABEL_WIDTH: Final = 8
WIDEST_LABEL: Final = 24
INDENT: Final = "  "

_ASCII: Final = str.maketrans({"…": "...", "—": "--", "·": "|", "≠": "!=", "→": "->"})
"""Our own typography; names from outside keep theirs."""


def render(lines: Iterable[Line], ascii_only: bool = False) -> str:
    """One line of text per Line, each beginning with its glyph; ends with a line end.

    The first stands alone; what follows is a table: glyph, label, text.
    """
    glyphs = ASCII_GLYPHS if ascii_only else GLYPHS
    lines = list(lines)
    longest = max((len(line.label) for line in lines), default=0)
    width = max(LABEL_WIDTH, min(longest + 1, WIDEST_LABEL)) if longest else 0
    rows = (_row(line, glyphs[line.tone], number == 0, width) for number, line in enumerate(lines))
    text = "".join(f"{row}\n" for row in rows)
    return text.translate(_ASCII) if ascii_only else text


def _row(line: Line, glyph: str, first: bool, width: int) -> str:
    label = "" if first and not line.label else f"{line.label:<{width}}"
    return f"{glyph} {INDENT * line.indent}{label}{line.text}".rstrip()
