"""The lines of the screen that are always there: state, tabs, keys. Each draws itself, none has children."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from wgtui.report.line import ASCII_GLYPHS, GLYPHS
from wgtui.report.printable import printable
from wgtui.tui.row_list import RowList, to_ascii


class StateLine(Widget):
    """What is seen, at the left; what happens to it, at the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"state--note", "state--warning"}

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="state")
        self._ascii = ascii_only
        self._text = self._note = ""
        self._warning = False

    def show(self, text: str | None = None, note: str = "", *, warning: bool = False) -> None:
        """Other words; ``text`` None keeps what is seen."""
        text = self._text if text is None else printable(text)
        shown = (text, printable(note), warning)
        if shown != (self._text, self._note, self._warning):
            self._text, self._note, self._warning = shown
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The note wins when there is no room for both."""
        base, width = self.rich_style, self.size.width
        note = f" {self._note} " if self._note else ""
        text = f" {self._text}"
        if self._ascii:
            note, text = to_ascii(note), to_ascii(text)
        style = self.get_component_rich_style("state--warning" if self._warning else "state--note")
        left = Strip([Segment(text, base)]).adjust_cell_length(max(0, width - cell_len(note)), base)
        return Strip([*left, Segment(note, style)]).adjust_cell_length(width, base)


class TabBar(Widget):
    """The panes as tabs, where only one of them has room: the key, the title, what is lit in it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab--shown"}

    def __init__(self, panes: tuple[RowList, ...], *, ascii_only: bool = False) -> None:
        super().__init__(id="tabs")
        self._panes = panes
        self._glyphs = ASCII_GLYPHS if ascii_only else GLYPHS

    def render_line(self, y: int) -> Strip:
        """One tab per pane, and where the cursor is in the one that is shown."""
        base, shown_style = self.rich_style, self.get_component_rich_style("tab--shown")
        segments, place = [], ""
        for pane in self._panes:
            tone = pane.lit.marks.get(pane.lit.show) if pane.lit.show is not None else None
            glyph = f" {self._glyphs[tone]}" if tone else ""
            note = f" /{pane.note}" if pane.note else ""
            text = f" {pane.number} {pane.model.title}{glyph}{note} "
            segments.append(Segment(text, shown_style if pane.display else base))
            if pane.display:
                place = f" {pane.position} "
        segments.append(Segment(" 4 Lookup ", base))
        width = self.size.width
        left = Strip(segments).adjust_cell_length(max(0, width - len(place)), base)
        return Strip([*left, Segment(place, base)]).adjust_cell_length(width, base)


class KeyBar(Widget):
    """The keys that do something now, made from the bindings in force."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key"}

    def __init__(self) -> None:
        super().__init__(id="keys")

    def on_mount(self) -> None:
        """Other keys in force: another line."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def _shown_keys(self) -> list[Binding]:
        """The shown ones, each once, help last: it must be there however narrow it gets."""
        shown: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show and active.enabled:
                shown.setdefault(active.binding.action, active.binding)
        return sorted(shown.values(), key=lambda binding: binding.id in ("app.help", "app.quit"))

    def render_line(self, y: int) -> Strip:
        """As many keys as fit; what does not fit is in the help."""
        base, key_style = self.rich_style, self.get_component_rich_style("keys--key")
        bindings, width = self._shown_keys(), self.size.width
        parts = [(self.app.get_key_display(one), f" {one.description}  ") for one in bindings]
        while len(parts) > 2 and sum(len(key) + len(word) for key, word in parts) + 1 > width:
            del parts[-3]
        segments = [Segment(" ", base)]
        for key, word in parts:
            segments += [Segment(key, key_style), Segment(word, base)]
        return Strip(segments).adjust_cell_length(width, base)


class FilterLine(Input):
    """The filter of a pane, in the place of the key bar while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.end_filter(True)", "keep it", id="filter.keep"),
        Binding("escape", "app.end_filter(False)", "show all rows", id="filter.clear"),
    ]

    def __init__(self, on_typed: Callable[[str], None]) -> None:
        super().__init__(id="filter", placeholder="text, or an address: the rows that cover it")
        self.cursor_blink = False
        self._on_typed = on_typed

    def watch_value(self, value: str) -> None:
        """Filter while typing."""
        if self.is_mounted:
            self._on_typed(value.strip())
