"""What need Textual not do for a widget that draws its own lines? Most of it.

It works out border, padding, tint and opacity for each line, and asks all ancestors for colours.
That costs as much as drawing a row, and a key that finishes an address draws twenty of them.
"""

from __future__ import annotations

from typing import Any, Final

from rich.style import Style
from textual.geometry import Region, Size, Spacing
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

_NOTHING: Final = Spacing()
_LEFT: Final = Spacing(left=1)


class Drawn(Widget):
    """Its ``render_line`` gives whole lines, in ``base`` and what is laid over it."""

    _base: Style | None = None
    _edge: Strip | None = None
    """The border at its left, as Textual draws it; the only one there is, if there is one."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self._kept: dict[int, Strip] = {}
        """Lines that say what they should: Textual asks for all of them whenever it paints."""
        self._kept_size = Size(0, 0)

    @property
    def base(self) -> Style:
        """``rich_style``: nothing but a theme changes it in this program (app.tcss)."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def on_mount(self) -> None:
        """Another theme, other colours."""
        self.app.theme_changed_signal.subscribe(self, self._forget_colours)

    def _forget_colours(self, _: Theme) -> None:
        self._base = self._edge = None
        self.refresh()

    def _set_dirty(self, *regions: Region) -> None:
        # Whatever makes Textual draw lines anew comes through here.
        super()._set_dirty(*regions)
        if not regions:
            self._kept.clear()
        for region in regions:
            for y in region.line_range:
                self._kept.pop(y, None)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they are, unless more is to be drawn around or over them."""
        gutter, size = self.styles.gutter, self.outer_size
        if gutter not in (_NOTHING, _LEFT) or self.app.get_line_filters():
            return super().render_lines(crop)
        if size != self._kept_size:
            self._kept.clear()
            self._kept_size = size
        strips = [self._kept.get(y) or self._line(y, gutter) for y in crop.line_range]
        if crop.column_span != (0, size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _line(self, y: int, gutter: Spacing) -> Strip:
        strip = self.render_line(y)
        if gutter == _LEFT:
            if self._edge is None:
                [self._edge] = super().render_lines(Region(0, 0, 1, 1))
            strip = Strip.join((self._edge, strip))
        self._kept[y] = strip
        return strip
