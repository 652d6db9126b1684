"""Who holds the current Snapshot and the current question? Facts and keys arrive, panes are told.

Everything flows one way: a ``Reader`` posts a Snapshot, the question line says its text,
``_answer`` looks it up and tells the lookup pane and the panes. No widget is made after the start.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.widgets import Input

from wgtui.errors import SourceError
from wgtui.report.printable import printable
from wgtui.report.text import render
from wgtui.sources import Source, open_source
from wgtui.tui import drivers, keys
from wgtui.tui.clipboard import osc52
from wgtui.tui.key_bar import FilterLine, KeyBar, StateLine, TabBar
from wgtui.tui.lean_driver import LeanDriver
from wgtui.tui.lookup_pane import LookupPane, Question
from wgtui.tui.messages import (
    KernelAnswered,
    PaneShown,
    RowChosen,
    SnapshotArrived,
    SourceFailed,
)
from wgtui.tui.panes import Panes
from wgtui.tui.reader import Reader
from wgtui.tui.reply import Reply, before_facts
from wgtui.tui.row_list import RowList
from wgtui.tui.themes import MONO, next_theme

if TYPE_CHECKING:
    from wgtui.model.kernel import KernelAnswer
    from wgtui.model.snapshot import Snapshot
    from wgtui.tui.view import View


class WgtuiApp(App[str]):
    """The screen. Its result is the text that ``Q`` leaves behind."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    BINDINGS = keys.EVERYWHERE

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
        self.view: View | None = None
        self.reply = Reply(())
        self._spec = source_spec
        self._ascii = ascii_only
        self._text = question
        self._asked: str | None = None
        self._kernel: KernelAnswer | None = None
        self._explaining = False
        self._frozen = False
        self._waiting: View | None = None
        self._failure: SourceError | None = None
        self._filtering: RowList | None = None
        self._reader = Reader(source_spec, self.post_message, opener)
        self.state = StateLine(ascii_only=ascii_only)
        self.panes = Panes(ascii_only=ascii_only)
        self.tabs = TabBar(self.panes.lists, ascii_only=ascii_only)
        for pane in self.panes.lists:
            pane.on_moved = self.tabs.update
        self.lookup = LookupPane(self._typed, ascii_only=ascii_only)
        self.filter_line = FilterLine(self._filter_typed)

    def get_driver_class(self) -> type[Driver]:
        """The one that sends only changed cells, where it can be trusted."""
        return drivers.choose(super().get_driver_class(), os.environ)

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
        # Textual 8.2.8 does not repaint after Ctrl-Z and fg.
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.exit, None, 128 + number)
        lookup = self.lookup
        lookup.question.value = self._text
        # With a first question on the command line the answer is looked at: q should quit.
        self.screen.set_focus(lookup.answer if self._text else lookup.question)
        self._answer()

    def on_ready(self) -> None:
        """The first frame is on the screen: only now the slow imports and the facts."""
        if isinstance(self._driver, LeanDriver):
            self._driver.release()
        self._reader.start()

    def on_unmount(self) -> None:
        """Nobody waits for the reader."""
        self._reader.stop()

    async def on_event(self, event: events.Event) -> None:
        """A key is carried out before the next one is looked at.

        Textual puts a key into the focused widget's queue, and a command is only found when it has
        bubbled up again: of ``Tab /`` in one packet of a slow line the ``/`` would still go to the
        question. Here both text and commands happen at once, in the order they were typed.
        """
        key = event if isinstance(event, events.Key) and not event.is_forwarded else None
        if key is None or not await self._carry_out(key):
            await super().on_event(event)

    async def _carry_out(self, event: events.Key) -> bool:
        focused, character = self.focused, event.character
        if isinstance(focused, Input) and focused.check_consume_key(event.key, character):
            focused.replace(character or "", *sorted(focused.selection))
            return True
        active = self.screen.active_bindings.get(event.key)
        if active is None or not active.enabled:
            if isinstance(focused, Input) and event.is_printable:
                focused.replace(character or "", *sorted(focused.selection))
                return True  # neither an address nor a command, but in its place
            return False
        return await self.run_action(active.binding.action, active.node)

    # -------------------------------------------------------------------------------------- facts

    def on_snapshot_arrived(self, message: SnapshotArrived) -> None:
        """Newer facts; a frozen view keeps them for later."""
        self._failure = None
        if self._frozen:
            self._waiting = message.view
            self._say_state()
        else:
            self._take(message.view)

    def on_source_failed(self, message: SourceFailed) -> None:
        """The last snapshot stays; without one the lookup pane says what is wrong."""
        self._failure = message.error
        self._answer()

    def on_kernel_answered(self, message: KernelAnswered) -> None:
        """Is it still the same question?"""
        if self.reply.trace is not None and message.flow == self.reply.trace.flow:
            self._kernel = message.answer
            self._show_reply(keep=True)

    def _take(self, view: View) -> None:
        self.view, self._waiting = view, None
        self.panes.take(view)
        self._answer()

    @property
    def snapshot(self) -> Snapshot | None:
        """What is looked at; None before anything was read."""
        return None if self.view is None else self.view.snapshot

    # ------------------------------------------------------------------------------------- answer

    def _typed(self, text: str) -> None:
        """Called inside the question's watcher: character, answer and marks are one frame."""
        self._text = text
        self._explaining = False
        self._answer()

    def _answer(self) -> None:
        """The one place where question and facts meet."""
        asked = self._text != self._asked
        before = self.reply.trace
        self.reply = Reply(()) if self.view is None else self.view.reply(self._text)
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
        self.tabs.update()
        self._say_state()

    def _show_reply(self, *, keep: bool) -> None:
        if self.view is None:
            self.lookup.show(before_facts(self._spec, self._failure))
        elif self._explaining and self.reply.trace is not None:
            self.lookup.show(self.view.explanation(self.reply.trace), keep=keep)
        else:
            lines = self.view.with_kernel(self.reply, self._kernel)
            self.lookup.show(lines, self.reply.caret, keep=keep)

    # -------------------------------------------------------------------------------------- state

    def _say_state(self) -> None:
        text = self.view.state if self.view else f"wgtui · {self._spec}"
        status = ""
        if self._frozen:
            status = f"FROZEN: {'newer facts wait, ' if self._waiting else ''}Space goes on"
        elif self._failure is not None:
            status = f"cannot read: {self._failure.what}"
        self.state.show(text, status)

    # ------------------------------------------------------------------------------------- moving

    def on_row_chosen(self, message: RowChosen) -> None:
        """Enter on a row asks about it; the keys stay in the pane."""
        self.lookup.question.value = message.question

    def on_pane_shown(self, _: PaneShown) -> None:
        """The tab bar is for one pane at a time."""
        self.tabs.display = self.panes.room == 1
        self.tabs.update()

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
        if isinstance(stop, Question):
            self.action_focus_question()
        elif stop is self.lookup.answer:
            self.action_focus_answer()
        else:
            self.panes.go_to(stop)

    def action_focus_next(self) -> None:
        self._go(1)

    def action_focus_previous(self) -> None:
        self._go(-1)

    def action_pane(self, at: int) -> None:
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
        """In a pane: drop its filter, or go back to the question."""
        focused = self.focused
        if isinstance(focused, RowList) and focused.note:
            self.panes.filter(focused, "")
        else:
            self.action_focus_question()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which commands make sense now; the key bar shows only those."""
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
        """Of the focused pane, or of the one that is in view."""
        focused = self.focused
        shown = next(pane for pane in self.panes.lists if pane.display)
        pane = next((pane for pane in self.panes.lists if pane is focused), shown)
        self._filtering = None
        self.filter_line.show(pane.model.title, pane.note)
        self._filtering = pane
        self.query_one(KeyBar).display = False
        self.screen.set_focus(self.filter_line.input, scroll_visible=False)

    def _filter_typed(self, text: str) -> None:
        if self._filtering is not None:
            self.panes.filter(self._filtering, text)
            self.tabs.update()

    def action_end_filter(self, keep: bool) -> None:
        pane, self._filtering = self._filtering, None
        if pane is not None:
            if not keep:
                self.panes.filter(pane, "")
            self.panes.go_to(pane)
        self.filter_line.display = False
        self.query_one(KeyBar).display = True

    # ----------------------------------------------------------------------------------- commands

    def action_explain(self) -> None:
        self._explaining = not self._explaining
        self._show_reply(keep=False)

    def action_switch_tree(self) -> None:
        self.panes.switch_tree()
        self.state.note(
            "AllowedIPs: one tree per device" if self.panes.device_tree else "AllowedIPs: per peer"
        )

    def action_freeze(self) -> None:
        self._frozen = not self._frozen
        if not self._frozen and self._waiting is not None:
            self._take(self._waiting)
        self._say_state()

    def action_refresh(self) -> None:
        self._reader.read_again()
        self.state.note("reading again …")

    def action_theme(self) -> None:
        self.theme, name = next_theme(self.theme)
        self.state.note(f"theme: {name}")

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
            self.state.note(
                f"copied {printable(first)}" + (f" and {len(more)} more lines" if more else "")
            )
        else:
            self.state.note("too long to copy" if text else "nothing to copy here")

    def _answer_text(self) -> str:
        """Question and answer as the command line would print them."""
        text = render(self.lookup.answer.lines, self._ascii)
        return f"{self._text}\n{text}" if self.reply.trace is not None else text

    def action_quit_leaving(self) -> None:
        self.exit(self._answer_text())

    def action_redraw(self) -> None:
        if isinstance(self._driver, LeanDriver):
            self._driver.invalidate()
        self.screen.refresh(layout=True)

    def action_help(self) -> None:
        from wgtui.tui.help import HelpScreen, help_lines

        self.push_screen(HelpScreen(help_lines(), ascii_only=self._ascii))
