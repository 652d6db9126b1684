"""Which widgets are on the screen, and where do the keys go? The round of question, panes, answer.

question  ⇄  the three panes, or the sheet that is open in their place  ⇄  answer
"""

from __future__ import annotations

from abc import abstractmethod

from textual.app import App, ComposeResult
from textual.driver import Driver

from wgtui.report.line import Line
from wgtui.tui import keys
from wgtui.tui.key_bar import FilterLine, KeyBar, StateLine, TabBar
from wgtui.tui.lookup_pane import LookupPane, Question
from wgtui.tui.messages import PaneShown, RowChosen
from wgtui.tui.panes import Panes
from wgtui.tui.reply import IF
from wgtui.tui.row_list import RowList
from wgtui.tui.sheets import Sheets


class Moving(App[str]):
    """The screen without its facts. No widget is made after the start."""

    BINDINGS = keys.EVERYWHERE

    def __init__(self, *, ascii_only: bool, driver_class: type[Driver] | None) -> None:
        super().__init__(driver_class=driver_class)
        self.state = StateLine(ascii_only=ascii_only)
        self.panes = Panes(ascii_only=ascii_only)
        self.sheets = Sheets(ascii_only=ascii_only)
        self.tabs = TabBar(self.panes.lists, ascii_only=ascii_only)
        for pane in self.panes.lists:
            pane.on_moved = self.tabs.update
        self.lookup = LookupPane(self.typed, ascii_only=ascii_only)
        self.filter_line = FilterLine(self._filter_typed)
        self.key_bar = KeyBar()
        self.told: tuple[str, tuple[Line, ...]] = ("", ())
        """A question that a row asked, and what that row has to say with the answer."""
        self._filtering: RowList | None = None

    def compose(self) -> ComposeResult:
        """State, tabs, panes or sheet, question and answer, keys: everything there will ever be."""
        yield self.state
        yield self.tabs
        yield self.panes
        yield self.sheets
        yield self.lookup
        yield self.filter_line
        yield self.key_bar

    @abstractmethod
    def typed(self, text: str) -> None:
        """The question is another one."""

    # --------------------------------------------------------------------------------- the round

    @property
    def _lists(self) -> tuple[RowList, ...]:
        """What stands between question and answer."""
        return self.panes.lists if self.sheets.shown is None else (self.sheets.shown,)

    def _go(self, by: int) -> None:
        """The next stop of the round."""
        stops: list[Question | RowList] = [self.lookup.question, *self._lists, self.lookup.answer]
        focused = self.focused
        here = next((at for at, stop in enumerate(stops) if stop is focused), 0)
        stop = stops[(here + by) % len(stops)]
        if isinstance(stop, Question):
            self.action_focus_question()
        else:
            self._go_to(stop)

    def _go_to(self, pane: RowList) -> None:
        if pane in self.panes.lists:
            self.panes.go_to(pane)
        else:
            self.screen.set_focus(pane, scroll_visible=False)

    def action_focus_next(self) -> None:
        self._go(1)

    def action_focus_previous(self) -> None:
        self._go(-1)

    def action_pane(self, at: int) -> None:
        self._close_sheet()
        self.panes.go_to(self.panes.lists[at])

    def action_focus_question(self) -> None:
        """What was asked is selected, so that typing replaces it.

        Selected now: a Focus event would come after the keys of the same packet.
        """
        self.screen.set_focus(self.lookup.question, scroll_visible=False)
        self.lookup.question.select_all()

    def action_focus_answer(self) -> None:
        self.screen.set_focus(self.lookup.answer, scroll_visible=False)

    def action_scroll_answer(self, by: int) -> None:
        self.lookup.answer.scroll_rows(by)

    def action_page_answer(self, by: int) -> None:
        self.lookup.answer.action_page(by)

    def action_clear_question(self) -> None:
        self.lookup.question.value = ""

    def action_escape(self) -> None:
        """In a list: drop its filter; then close the sheet, or go back to the question."""
        focused = self.focused
        if isinstance(focused, RowList) and focused.note:
            self._filter(focused, "")
        elif focused is not None and focused is self.sheets.shown:
            self._close_sheet()
            self.action_focus_question()
        else:
            self.action_focus_question()

    def on_row_chosen(self, message: RowChosen) -> None:
        """Enter on a row asks about it; the keys stay in the pane."""
        if not message.question:
            self.state.note("this row asks nothing: Enter on an address or prefix does")
            return
        self.told = message.question, message.told
        if self.lookup.question.value == message.question:
            self.typed(message.question)
        self.lookup.question.value = message.question

    def on_pane_shown(self, _: PaneShown) -> None:
        """The tab bar is for one pane at a time."""
        self._show_tabs()

    def _show_tabs(self) -> None:
        self.tabs.display = self.panes.room == 1 and self.sheets.shown is None
        self.tabs.update()

    # ------------------------------------------------------------------------------------- sheets

    def action_sheet(self, name: str) -> None:
        """Open it, or close it when it is open."""
        if self.sheets.shown is self.sheets.lists[name]:
            self._close_sheet()
            self.action_focus_question()
            return
        self.panes.display = False
        self.screen.set_focus(self.sheets.open(name), scroll_visible=False)
        self._share_height()
        self._show_tabs()

    def _share_height(self) -> None:
        """A sheet is read: without a question it has nearly all of the screen."""
        opened = self.sheets.shown is not None
        self.lookup.set_class(opened, "-below-sheet")
        self.lookup.set_class(opened and not self.lookup.question.value, "-unasked")

    def action_what_if(self) -> None:
        """The question line takes a command."""
        self.action_focus_question()
        self.lookup.question.value = IF
        self.lookup.question.cursor_position = len(IF)

    def _close_sheet(self) -> None:
        if self.sheets.shown is not None:
            self.sheets.close()
            self.panes.display = True
            self._share_height()
            self._show_tabs()

    # ------------------------------------------------------------------------------------- filter

    def action_filter(self) -> None:
        """Of the focused list, or of the one that is in view."""
        focused = self.focused
        shown = next(pane for pane in self._lists if pane.display)
        pane = next((pane for pane in self._lists if pane is focused), shown)
        self._filtering = None
        self.filter_line.show(pane.model.title, pane.note)
        self._filtering = pane
        self.key_bar.display = False
        self.screen.set_focus(self.filter_line.input, scroll_visible=False)

    def _filter(self, pane: RowList, text: str) -> None:
        if pane in self.panes.lists:
            self.panes.filter(pane, text)
        else:
            self.sheets.filter(pane, text)

    def _filter_typed(self, text: str) -> None:
        if self._filtering is not None:
            self._filter(self._filtering, text)
            self.tabs.update()

    def action_end_filter(self, keep: bool) -> None:
        pane, self._filtering = self._filtering, None
        if pane is not None:
            if not keep:
                self._filter(pane, "")
            self._go_to(pane)
        self.filter_line.display = False
        self.key_bar.display = True
