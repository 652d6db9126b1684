"""Who holds the current Snapshot and the current question? Facts arrive, keys arrive, panes are told.

Everything flows one way: a ``Reader`` posts a Snapshot, the question line says its text, ``_answer``
looks it up and tells the lookup pane and the panes. No widget is made after the start.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.timer import Timer

from wgtui.errors import SourceError
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.text import render
from wgtui.report.welcome import state_line
from wgtui.sources import Source, open_source
from wgtui.tui.clipboard import osc52
from wgtui.tui.help import HelpScreen, help_lines
from wgtui.tui.key_bar import FilterLine, KeyBar, StateLine, TabBar
from wgtui.tui.lookup_pane import AnswerList, LookupPane, Question
from wgtui.tui.messages import (
    KernelAnswered,
    PaneShown,
    RowChosen,
    RowMoved,
    SnapshotArrived,
    SourceFailed,
)
from wgtui.tui.panes import Panes
from wgtui.tui.reader import Reader
from wgtui.tui.reply import Reply, explanation, reply_to, with_kernel
from wgtui.tui.row_list import RowList
from wgtui.tui.themes import MONO, next_theme

NOTE_SECONDS: Final = 4.0
"""How long a note ("copied …") stays in the state line."""


class WgtuiApp(App[str]):
    """The screen. Its result is the text that ``Q`` leaves behind."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = "#question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "escape", "question", key_display="Esc", id="app.question"),
        Binding("i", "focus_question", "to the question", show=False, id="app.ask"),
        Binding("1", "pane(0)", "Interfaces", show=False, id="app.links"),
        Binding("2", "pane(1)", "System routes", show=False, id="app.routes"),
        Binding("3", "pane(2)", "AllowedIPs", show=False, id="app.allowed"),
        Binding("4", "focus_question", "Lookup", show=False, id="app.lookup"),
        Binding("tab", "focus_next", "panes", key_display="Tab", id="app.next"),
        Binding("shift+tab", "focus_previous", "the pane before", show=False, id="app.previous"),
        Binding("slash", "filter", "filter", key_display="/", id="app.filter", tooltip="show only rows with a text, or rows that cover an address"),
        Binding("e", "explain", "explain", id="app.explain", tooltip="the verdict in plain sentences, with the commands that prove it; again: the answer"),
        Binding("v", "switch_tree", "view", id="app.tree", tooltip="AllowedIPs per peer, or each device's single tree (where overlap is visible)"),
        Binding("y", "copy", "copy", id="app.copy", tooltip="copy this row (OSC 52: also through ssh and tmux)"),
        Binding("Y", "copy_answer", "copy the whole answer", show=False, id="app.copy-answer"),
        Binding("space", "freeze", "freeze", key_display="Space", id="app.freeze", tooltip="stop the view; what changes meanwhile is kept until Space again"),
        Binding("r", "refresh", "refresh", show=False, id="app.refresh", tooltip="read everything again now"),
        Binding("t", "theme", "theme", show=False, id="app.theme", tooltip="dark, light, black and white"),
        Binding("question_mark", "help", "help", key_display="?", id="app.help"),
        Binding("q", "quit", "quit", id="app.quit"),
        Binding("Q", "quit_leaving", "quit and leave the answer on the screen", show=False, id="app.leave"),
        Binding("ctrl+c", "quit", "quit at any moment", show=False, priority=True, id="app.cancel"),
        Binding("ctrl+l", "redraw", "draw the screen again", show=False, id="app.redraw"),
        Binding("ctrl+z", "suspend_process", "to the shell; fg comes back", show=False, id="app.suspend"),
    ]  # fmt: skip

    def __init__(
        self,
        source_spec: str,
        question: str = "",
        *,
        ascii_only: bool = False,
        opener: Callable[[str], Source] = open_source,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.register_theme(MONO)
        self.theme = os.environ.get("TEXTUAL_THEME", "ansi-dark")
        self.snapshot: Snapshot | None = None
        self.reply = Reply(())
        self._spec = source_spec
        self._ascii = ascii_only
        self._text = question
        self._asked: str | None = None
        self._kernel: KernelAnswer | None = None
        self._explaining = False
        self._frozen = False
        self._waiting: Snapshot | None = None
        self._failure: SourceError | None = None
        self._note_timer: Timer | None = None
        self._filtering: RowList | None = None
        self._reader = Reader(source_spec, self.post_message, opener)
        self.state = StateLine(ascii_only=ascii_only)
        self.panes = Panes(ascii_only=ascii_only)
        self.tabs = TabBar(self.panes.lists, ascii_only=ascii_only)
        self.lookup = LookupPane(question, self._typed, ascii_only=ascii_only)
        self.filter_line = FilterLine(self._filter_typed)

    def compose(self) -> ComposeResult:
        """State, tabs, panes, question and answer, keys: everything there will ever be."""
        yield self.state
        yield self.tabs
        yield self.panes
        yield self.lookup
        yield self.filter_line
        yield KeyBar()

    def on_mount(self) -> None:
        """Signals that must leave a clean terminal."""
        self.filter_line.display = False
        # Textual 8.2.8 does not repaint after Ctrl-Z and fg.
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.exit, None, 128 + number)
        self._answer()

    def on_ready(self) -> None:
        """The first frame is on the screen: only now the slow imports and the facts."""
        self._reader.start()

    def on_unmount(self) -> None:
        """Nobody waits for the reader."""
        self._reader.stop()

    # -------------------------------------------------------------------------------------- facts

    def on_snapshot_arrived(self, message: SnapshotArrived) -> None:
        """Newer facts; a frozen view keeps them for later."""
        self._failure = None
        if self._frozen:
            self._waiting = message.snapshot
            self._say_state()
        else:
            self._take(message.snapshot)

    def on_source_failed(self, message: SourceFailed) -> None:
        """The last snapshot stays; without one the lookup pane says what is wrong."""
        self._failure = message.error
        self._answer()

    def on_kernel_answered(self, message: KernelAnswered) -> None:
        """Is it still the same question?"""
        if self.reply.trace is not None and message.flow == self.reply.trace.flow:
            self._kernel = message.answer
            self._show_reply(keep=True)

    def _take(self, snapshot: Snapshot) -> None:
        self.snapshot, self._waiting = snapshot, None
        self.panes.take(snapshot)
        self._answer()

    # ------------------------------------------------------------------------------------- answer

    def _typed(self, text: str) -> None:
        """Called inside the question's watcher: character, answer and marks are one frame."""
        self._text = text
        self._explaining = False
        self._answer()

    def _answer(self) -> None:
        """The one place where question and facts meet."""
        asked = self._text != self._asked
        before, self.reply = self.reply.trace, reply_to(self.snapshot, self._text)
        self._asked = self._text
        trace = self.reply.trace
        if before is None or trace is None or before.outcome is not trace.outcome or asked:
            self._kernel = None
        if (before is None) != (trace is None):
            self.refresh_bindings()
        if trace is not None:
            self._reader.ask_kernel(trace.flow)
        self._show_reply(keep=not asked)
        self.panes.light(trace, reveal=asked)
        self.tabs.refresh()
        self._say_state()

    def _show_reply(self, *, keep: bool) -> None:
        if self.snapshot is None:
            self.lookup.show(self._before_facts())
        elif self._explaining and self.reply.trace is not None:
            self.lookup.show(explanation(self.snapshot, self.reply.trace), keep=keep)
        else:
            lines = with_kernel(self.snapshot, self.reply, self._kernel)
            self.lookup.show(lines, self.reply.caret, keep=keep)

    def _before_facts(self) -> tuple[Line, ...]:
        if self._failure is None:
            return (Line(f"reading {printable(self._spec)} …"),)
        hint = printable(self._failure.hint)
        return (
            Line(printable(self._failure.what), Tone.BAD),
            *((Line(hint, Tone.NOTE),) if hint else ()),
        )

    # -------------------------------------------------------------------------------------- state

    def _say_state(self, note: str = "") -> None:
        warning = not note
        if not note and self._frozen:
            note = "FROZEN: newer facts wait for Space" if self._waiting else "FROZEN: Space resumes"
        elif not note and self._failure is not None:
            note = f"cannot read: {self._failure.what}"
        text = state_line(self.snapshot) if self.snapshot else f"wgtui  {self._spec}"
        self.state.show(text, note, warning=warning)

    def _note(self, text: str) -> None:
        """Say something for a moment."""
        if self._note_timer is not None:
            self._note_timer.stop()
        self._say_state(text)
        self._note_timer = self.set_timer(NOTE_SECONDS, self._say_state)

    # -------------------------------------------------------------------------- moving between panes

    def on_row_chosen(self, message: RowChosen) -> None:
        """Enter on a row asks about it; the keys stay in the pane."""
        self.lookup.question.value = message.question

    def on_row_moved(self, _: RowMoved) -> None:
        """The tab bar shows the position."""
        if self.panes.room == 1:
            self.tabs.refresh()

    def on_pane_shown(self, _: PaneShown) -> None:
        """The tab bar is for one pane at a time."""
        self.tabs.display = self.panes.room == 1
        self.tabs.refresh()

    def _go(self, by: int) -> None:
        """The next stop of the round: question, three panes, answer."""
        stops: list[Question | RowList] = [
            self.lookup.question,
            *self.panes.lists,
            self.lookup.answer,
        ]
        focused = self.focused
        here = next((at for at, stop in enumerate(stops) if stop is focused), 0)
        stop = stops[(here + by) % len(stops)]
        if isinstance(stop, RowList) and stop is not self.lookup.answer:
            self.panes.go_to(stop)
        else:
            stop.focus()

    def action_focus_next(self) -> None:
        self._go(1)

    def action_focus_previous(self) -> None:
        self._go(-1)

    def action_pane(self, at: int) -> None:
        self.panes.go_to(self.panes.lists[at])

    def action_focus_question(self) -> None:
        self.lookup.question.focus()

    def action_focus_answer(self) -> None:
        self.lookup.answer.focus()

    def action_scroll_answer(self, by: int) -> None:
        self.lookup.answer.scroll_rows(by)

    def action_page_answer(self, by: int) -> None:
        self.lookup.answer.action_page(by)

    def action_clear_question(self) -> None:
        self.lookup.question.value = ""

    def action_escape(self) -> None:
        """In a pane: drop its filter, or go back to the question."""
        focused = self.focused
        if isinstance(focused, RowList) and focused.note:
            self.panes.filter(focused, "")
        else:
            self.lookup.question.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which commands make sense now; the key bar shows only those."""
        if not self.is_mounted:
            return True
        question = self.lookup.question
        match action:
            case "clear_question" | "focus_answer":
                return bool(question.value)
            case "escape" | "switch_tree" | "copy":
                return self.focused is not question
            case "explain":
                return self.reply.trace is not None
            case _:
                return True

    # ------------------------------------------------------------------------------------- filter

    def action_filter(self) -> None:
        """The focused pane, or the one that is in view."""
        focused = self.focused
        shown = [pane for pane in self.panes.lists if pane.display]
        self._filtering = focused if focused in self.panes.lists else shown[0]  # type: ignore[assignment]
        self.filter_line.value = self._filtering.note
        self.filter_line.display = True
        self.query_one(KeyBar).display = False
        self.filter_line.focus()

    def _filter_typed(self, text: str) -> None:
        if self._filtering is not None:
            self.panes.filter(self._filtering, text)

    def action_end_filter(self, keep: bool) -> None:
        pane, self._filtering = self._filtering, None
        self.filter_line.display = False
        self.query_one(KeyBar).display = True
        if pane is not None:
            if not keep:
                self.panes.filter(pane, "")
            self.panes.go_to(pane)

    # ----------------------------------------------------------------------------------- commands

    def action_explain(self) -> None:
        self._explaining = not self._explaining
        self._show_reply(keep=False)

    def action_switch_tree(self) -> None:
        self.panes.switch_tree()
        self._note("AllowedIPs: one tree per device" if self.panes.device_tree else "AllowedIPs: per peer")

    def action_freeze(self) -> None:
        self._frozen = not self._frozen
        if not self._frozen and self._waiting is not None:
            self._take(self._waiting)
        self._say_state()

    def action_refresh(self) -> None:
        self._reader.read_again()
        self._note("reading again …")

    def action_theme(self) -> None:
        self.theme, name = next_theme(self.theme)
        self._note(f"theme: {name}")

    def action_copy(self) -> None:
        focused = self.focused
        pane = focused if isinstance(focused, RowList) else self.lookup.answer
        self._copy(pane.model.copy_text(pane.cursor) if pane.cursor < len(pane.model) else "")

    def action_copy_answer(self) -> None:
        self._copy(self._answer_text())

    def _copy(self, text: str) -> None:
        sequence = osc52(text, os.environ) if text else ""
        if sequence and self._driver is not None:
            self._driver.write(sequence)
            first, *more = text.splitlines()
            self._note(f"copied {printable(first)}" + (f" and {len(more)} more lines" if more else ""))
        else:
            self._note("too long to copy" if text else "nothing to copy here")

    def _answer_text(self) -> str:
        """Question and answer as the command line would print them."""
        text = render(self.lookup.answer.lines, self._ascii)
        return f"{self._text}\n{text}" if self.reply.trace is not None else text

    def action_quit_leaving(self) -> None:
        self.exit(self._answer_text())

    def action_redraw(self) -> None:
        self.screen.refresh(layout=True)

    def action_help(self) -> None:
        groups = (
            ("In the question", Question.BINDINGS),
            ("In a pane", RowList.BINDINGS),
            ("Everywhere but in a question being typed", self.BINDINGS),
        )
        self.push_screen(HelpScreen(help_lines(groups), ascii_only=self._ascii))
