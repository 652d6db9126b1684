"""Which panes are there, which of them have room, and what do they show?

width ≥ 120   Interfaces │ System routes │ AllowedIPs
width ≥ 100   two of them side by side; going to the hidden one slides the window
below         one, and the tab bar says which
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size

from wgtui.tui.messages import PaneShown, RowsFolded
from wgtui.tui.row_list import RowList
from wgtui.tui.rows import Lit, RowModel

if TYPE_CHECKING:
    from wgtui.model.trace import Trace
    from wgtui.tui.view import View

ALL_FIT: Final = 120
TWO_FIT: Final = 100

_PANES: Final = (("links", "Interfaces"), ("routes", "System routes"), ("allowed", "AllowedIPs"))


class Pane(RowList):
    """One of the lists; while it is hidden it has the room of those that are shown."""

    @property
    def space(self) -> Size:
        """Its own size once it has been laid out in the present size of all panes."""
        place = self.parent
        if not isinstance(place, Panes):
            return self.size
        return Size(
            self.size.width if self.display and self.size.width else place.size.width,
            place.size.height,
        )


class Panes(Horizontal):
    """The three lists side by side, as far as there is room."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="panes", classes="-ascii" if ascii_only else None)
        self.lists = tuple(
            Pane(str(number), title, ascii_only=ascii_only, name=name)
            for number, (name, title) in enumerate(_PANES, 1)
        )
        self.device_tree = False
        """AllowedIPs as the one tree of each device instead of one per peer."""
        self._view: View | None = None
        self._trace: Trace | None = None
        self._models: tuple[RowModel, ...] = ()
        self._room = 3
        self._first = 1
        """Of the panes that are shown."""
        self._used = 1
        """The last one that was gone to; at first the routes, the middle of things."""

    def compose(self) -> ComposeResult:
        """All three, always: only ``display`` changes."""
        self._arrange(self.app.size.width)  # before there are styles to work out
        yield from self.lists

    # -------------------------------------------------------------------------------------- facts

    def take(self, view: View) -> None:
        """Other facts; ``light`` comes right after and draws them."""
        if self._view is not None and view is not self._view:
            view.take_over(self._view)
        self._view = view
        self._models = view.panes(device_tree=self.device_tree)

    def light(self, trace: Trace | None, *, reveal: bool = False) -> None:
        """Mark where the trace passes; ``reveal``: it is another question, so go there."""
        self._trace = trace
        for pane, model in zip(self.lists, self._models, strict=False):
            self._show(pane, model, reveal)

    def _show(self, pane: RowList, model: RowModel, reveal: bool) -> None:
        if self._view is not None:
            model = self._view.filtered(model, pane.note)
        lit = model.lit(self._trace) if self._trace is not None else Lit()
        pane.set_model(model, lit, reveal=reveal)

    def on_rows_folded(self, message: RowsFolded) -> None:
        """The same rows, some of them hidden: mark them anew."""
        for pane, model in zip(self.lists, self._models, strict=False):
            if pane is message.sender:
                self._show(pane, model, reveal=False)

    def filter(self, pane: RowList, text: str) -> None:
        """Only the rows that have the text, or cover the address; "" shows all."""
        pane.note = text
        if self._models:
            self._show(pane, self._models[self.lists.index(pane)], reveal=False)
            if pane.lit.show is not None or text:
                pane.move_to(pane.lit.show or 0)

    def switch_tree(self) -> None:
        """AllowedIPs per peer, or each device's single tree."""
        self.device_tree = not self.device_tree
        if self._view is not None:
            self.take(self._view)
            self.light(self._trace, reveal=True)

    # --------------------------------------------------------------------------------------- room

    def on_resize(self, event: events.Resize) -> None:
        """As many as fit, and no layout when it is the same ones."""
        self._arrange(event.size.width)
        for pane in self.lists:
            pane.fit()

    def _arrange(self, width: int) -> None:
        self._room = 3 if width >= ALL_FIT else 2 if width >= TWO_FIT else 1
        first = min(max(self._first, self._used - self._room + 1), self._used)
        self._first = min(first, 3 - self._room)
        for at, pane in enumerate(self.lists):
            pane.display = self._first <= at < self._first + self._room
            pane.heading = self._room > 1
            pane.set_class(at > self._first, "-beside")
            pane.beyond = ""
        if self._room == 2:
            hidden = 2 if self._first == 0 else 0
            self.lists[1].beyond = f"  ({hidden + 1} {_PANES[hidden][1]})"
        self.post_message(PaneShown())

    @property
    def room(self) -> int:
        """How many are shown."""
        return self._room

    def go_to(self, pane: RowList) -> None:
        """Show this one, sliding the window no more than needed, and give it the keys."""
        self._used = self.lists.index(pane)
        self._arrange(self.size.width or self.app.size.width)
        self.screen.set_focus(pane, scroll_visible=False)
