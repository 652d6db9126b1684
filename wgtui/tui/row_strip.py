"""How does a line of a list look? A Picture in the colours of a theme, as wide as the pane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from wgtui.report.line import ASCII_GLYPHS, GLYPHS
from wgtui.tui.ascii_only import to_ascii
from wgtui.tui.inks import Ink, style
from wgtui.tui.rows import Picture

MARGIN: Final = 2
"""Cells at the left of every row: the glyph of its mark and a blank."""


class Drawing:
    """With which inks, and with which glyphs."""

    def __init__(self, inks: Mapping[str, Ink], *, ascii_only: bool) -> None:
        self._inks = inks
        self._glyphs = ASCII_GLYPHS if ascii_only else GLYPHS
        self._text: Callable[[str], str] = to_ascii if ascii_only else str

    def strip(self, picture: Picture, width: int, base: Style, theme: Mapping[str, str]) -> Strip:
        """The line on top of a base style; ``theme``: the colours that inks are named after."""

        def inked(word: str) -> Style:
            return style(self._inks[word], theme)

        if picture.heading:
            base += inked("heading-focus" if picture.cursor else "heading")
        elif picture.tone is not None:
            base += inked(picture.tone.value)
        under_cursor = picture.cursor and not picture.heading
        if under_cursor:
            base += inked("cursor")
        segments = [Segment(self._margin(picture), base)]
        for text, word in picture.spans:
            plain = under_cursor or not word
            segments.append(Segment(self._text(text), base if plain else base + inked(word)))
        if picture.word:
            word = f"{self._text(picture.word)} "
            left = Strip(segments).adjust_cell_length(max(0, width - cell_len(word)), base)
            segments = [*left, Segment(word, base)]
        return Strip(segments).adjust_cell_length(width, base).simplify()

    def _margin(self, picture: Picture) -> str:
        if picture.heading:
            return " "
        if picture.tone is None or picture.continued:
            return " " * MARGIN
        return f"{self._glyphs[picture.tone]} "
