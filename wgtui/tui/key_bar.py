"""What is always on the screen? The state, the tabs, the keys: one line each, drawn by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Input, Static

from wgtui.report.line import ASCII_GLYPHS, GLYPHS
from wgtui.report.printable import printable
from wgtui.tui import keys
from wgtui.tui.ascii_only import to_ascii
from wgtui.tui.drawn import Drawn
from wgtui.tui.row_list import RowList

BETWEEN: Final = " · "
"""What the pieces of the state are joined by."""

NOTE_SECONDS: Final = 4.0
"""How long a note ("copied …") stays."""


class StateLine(Drawn):
    """What is seen, at the left; what is the matter with it or what just happened, at the right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"state--note", "state--status"}

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="state")
        self._ascii = ascii_only
        self._text = self._status = self._note = ""
        self._timer: Timer | None = None

    def show(self, text: str, status: str) -> None:
        """What is seen, and what stays the matter: frozen, unreadable."""
        shown = printable(text), printable(status)
        if shown != (self._text, self._status):
            self._text, self._status = shown
            self.refresh()

    def note(self, text: str) -> None:
        """Say something for a moment, in the place of the status."""
        if self._timer is not None:
            self._timer.stop()
        self._note = printable(text)
        self._timer = self.set_timer(NOTE_SECONDS, partial(self.note, "")) if text else None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """What is at the right wins when there is no room for both."""
        base, width = self.base, self.size.width
        right = f" {self._note or self._status} " if self._note or self._status else ""
        room = width - cell_len(right) - 1
        text, *parts = self._text.split(BETWEEN)
        for part in parts:  # whole pieces: a number cut short would be another number
            if cell_len(f"{text}{BETWEEN}{part}") > room:
                break
            text = f"{text}{BETWEEN}{part}"
        text = f" {text}"
        if self._ascii:
            right, text = to_ascii(right), to_ascii(text)
        style = self.get_component_rich_style("state--note" if self._note else "state--status")
        left = Strip([Segment(text, base)]).adjust_cell_length(
            max(0, width - cell_len(right)), base
        )
        return Strip([*left, Segment(right, style)]).adjust_cell_length(width, base)


class TabBar(Drawn):
    """The panes as tabs, where only one of them has room: the key, the title, what is lit in it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab--shown"}

    def __init__(self, panes: tuple[RowList, ...], *, ascii_only: bool = False) -> None:
        super().__init__(id="tabs")
        self._panes = panes
        self._drawn: tuple[tuple[str, bool], ...] = ()
        self._glyphs = ASCII_GLYPHS if ascii_only else GLYPHS

    def update(self) -> None:
        """Something that a tab says may have changed."""
        said = self._said()
        if self.display and said != self._drawn:
            self._drawn = said
            self.refresh()

    def _said(self) -> tuple[tuple[str, bool], ...]:
        """Every tab and whether it is shown; the last one is the place of the cursor."""
        tabs, place = [], ""
        for pane in self._panes:
            tone = pane.lit.marks.get(pane.lit.show) if pane.lit.show is not None else None
            glyph = f" {self._glyphs[tone]}" if tone else ""
            note = f" {pane.filter_text}" if pane.note else ""
            tabs.append(
                (f" {pane.number} {pane.model.title}{glyph}{printable(note)} ", pane.display)
            )
            if pane.display:
                place = f" {pane.position} "
        return (*tabs, (" 4 Lookup ", False), (place, False))

    def render_line(self, y: int) -> Strip:
        """One tab per pane, and where the cursor is in the one that is shown."""
        base, shown_style = self.base, self.get_component_rich_style("tab--shown")
        *tabs, (place, _) = self._said()
        width = self.size.width
        segments = [Segment(text, shown_style if shown else base) for text, shown in tabs]
        left = Strip(segments).adjust_cell_length(max(0, width - len(place)), base)
        return Strip([*left, Segment(place, base)]).adjust_cell_length(width, base).simplify()


class KeyBar(Drawn):
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
        base, key_style = self.base, self.get_component_rich_style("keys--key")
        bindings, width = self._shown_keys(), self.size.width
        parts = [(f"{self.app.get_key_display(one)} ", f"{one.description}  ") for one in bindings]
        # A blank at the left; the gap behind the last word needs no room.
        while len(parts) > 2 and sum(len(key) + len(word) for key, word in parts) - 1 > width:
            del parts[-3]
        segments = [Segment(" ", base)]
        for key, word in parts:
            segments += [Segment(key, key_style), Segment(word, base)]
        return Strip(segments).adjust_cell_length(width, base)


class FilterInput(Input):
    """What to filter by; every character filters."""

    BINDINGS = keys.FILTER

    def __init__(self, on_typed: Callable[[str], None]) -> None:
        # Selecting on focus comes with a later message than the first keys of a fast typist.
        super().__init__(
            placeholder="text, or an address: the rows that cover it", select_on_focus=False
        )
        self.cursor_blink = False
        self._on_typed = on_typed

    def watch_value(self, value: str) -> None:
        """Filter in the same frame."""
        if self.is_mounted:
            self._on_typed(value.strip())


class FilterLine(Horizontal):
    """The filter of a pane, in the place of the key bar while it is typed."""

    def __init__(self, on_typed: Callable[[str], None]) -> None:
        super().__init__(id="filter")
        self.input = FilterInput(on_typed)
        self._prompt = Static(Content(""), id="filter-prompt")

    def compose(self) -> ComposeResult:
        """Whose filter, and the filter."""
        yield self._prompt
        yield self.input

    def on_mount(self) -> None:
        """Not yet."""
        self.display = False

    def show(self, title: str, text: str) -> None:
        """Of this pane, beginning with what is in force: to be kept, or typed over."""
        self._prompt.update(Content(f" / {title}: "))
        self.input.value = text
        self.input.select_all()
        self.display = True
