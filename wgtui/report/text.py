"""The answer as text for a terminal or a mail: the same lines as on the screen."""

from __future__ import annotations

from collections.abc import Iterable

from wgtui.report.line import ASCII_GLYPHS, GLYPHS, Line

LABEL_WIDTH = 7


def render(lines: Iterable[Line], ascii_only: bool = False) -> str:
    """One line of text per Line, each beginning with its glyph; ends with a line end."""
    glyphs = ASCII_GLYPHS if ascii_only else GLYPHS
    return "".join(f"{_row(line, glyphs[line.tone])}\n" for line in lines)


def _row(line: Line, glyph: str) -> str:
    indent = "    " * line.indent
    label = f"{line.label:<{LABEL_WIDTH}}" if line.label or line.indent or glyph in "╌·-." else ""
    return f"{glyph} {indent}{label}{line.text}".rstrip()
