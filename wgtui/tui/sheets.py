"""Which full-width view stands in the place of the panes? None, or one of the sheets.

To add one: its ``Sheet`` here, its rows in ``view.SHEET_ROWS``, and a key in ``keys.EVERYWHERE``
with the action ``sheet('NAME')``, which opens and closes it. The question and its answer stay on
the screen. The rows are made when a sheet is looked at, not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from wgtui.tui import keys
from wgtui.tui.messages import RowsFolded
from wgtui.tui.row_list import RowList
from wgtui.tui.rows import Lit, RowModel

if TYPE_CHECKING:
    from wgtui.model.trace import Trace
    from wgtui.tui.map_rows import MapRows
    from wgtui.tui.view import View


class SheetList(RowList):
    """The rows of a sheet; it has the room of the panes, also before it was laid out."""

    @property
    def space(self) -> Size:
        """Its own size, or what it will be."""
        if self.size.height:
            return self.size
        return self.app.query_one("#panes").size

    def model_of(self, view: View) -> RowModel:
        """What it shows of these facts."""
        return view.sheet(self.id or "")


class NewestFirst(SheetList):
    """Whoever is at its top stays there when something new comes in."""

    def _find(self, text: str) -> int:
        return super()._find(text) if self.cursor else 0


class MapList(SheetList):
    """The map of a range, and where to look next."""

    BINDINGS = keys.MAP

    within = ""
    """The prefix that is looked at; empty: where a look begins."""
    _family: Literal[4, 6] = 4
    _map: MapRows | None = None

    def model_of(self, view: View) -> RowModel:
        """The map of the range that is looked at."""
        self._map = view.map(self.within, self._family)
        return self._map

    def action_zoom_in(self) -> None:
        """Into the prefix of the row under the cursor; of a letter, to its first row."""
        text = self.model.question(self.cursor)
        if text is not None and self.cursor:
            self._look(text)
        elif self._map is not None:
            self.move_to(self._map.first_of(self.cursor))

    def action_zoom_out(self) -> None:
        """To a range sixteen times as large."""
        if self._map is not None:
            self._look(self._map.around())

    def action_other_family(self) -> None:
        """IPv4 or IPv6, from the beginning."""
        self._family = 6 if self._family == 4 else 4
        self._look("")

    def _look(self, within: str) -> None:
        self.within = within
        self.cursor = self.top = 0
        self.post_message(RowsFolded(self))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of view."""

    name: str
    """The id of its list, and what ``action_sheet`` calls it."""
    key: str
    """As its heading shows it."""
    title: str
    widget: type[SheetList] = SheetList
    """One with bindings of its own, where a sheet has commands that no other list has."""


SHEETS: Final = (
    Sheet("findings", "!", "Findings"),
    Sheet("journal", "J", "Journal", NewestFirst),
    Sheet("drift", "D", "Drift"),
    Sheet("map", "m", "Map", MapList),
)


class Sheets(Vertical):
    """All of them, one at most on the screen."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="sheets")
        self.lists: Final = {
            one.name: one.widget(one.key, one.title, ascii_only=ascii_only, name=one.name)
            for one in SHEETS
        }
        self.shown: SheetList | None = None
        """The list of the sheet that is open."""
        self._view: View | None = None
        self._trace: Trace | None = None

    def compose(self) -> ComposeResult:
        """All, always: only ``display`` changes."""
        yield from self.lists.values()

    def on_mount(self) -> None:
        """None is open."""
        self._arrange()

    def _arrange(self) -> None:
        self.display = self.shown is not None
        for pane in self.lists.values():
            pane.display = pane is self.shown

    def open(self, name: str) -> RowList:
        """Show this one, in the place of whatever is shown."""
        self.shown = self.lists[name]
        self._arrange()
        self._draw()
        return self.shown

    def close(self) -> None:
        """The panes again."""
        self.shown = None
        self._arrange()

    # -------------------------------------------------------------------------------------- facts

    def take(self, view: View) -> None:
        """Other facts, or more is known of them."""
        self._view = view
        self._draw()

    def light(self, trace: Trace | None, *, reveal: bool = False) -> None:
        """Mark what concerns this packet."""
        self._trace = trace
        self._draw(reveal)

    def filter(self, pane: RowList, text: str) -> None:
        """Only rows with the text, or that cover the address; "" shows all."""
        pane.note = text
        self._draw()
        if pane.lit.show is not None or text:
            pane.move_to(pane.lit.show or 0)

    def on_rows_folded(self, _: RowsFolded) -> None:
        """The same rows, some of them hidden."""
        self._draw()

    def _draw(self, reveal: bool = False) -> None:
        pane, view = self.shown, self._view
        if pane is None or view is None:
            return
        model = view.filtered(pane.model_of(view), pane.note)
        lit = model.lit(self._trace) if self._trace is not None else Lit()
        pane.set_model(model, lit, reveal=reveal)
