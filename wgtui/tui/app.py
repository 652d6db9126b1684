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
from textual.driver import Driver
from textual.widgets import Input

from wgtui.errors import SourceError
from wgtui.report.printable import printable
from wgtui.report.text import render
from wgtui.sources import Source, open_source
from wgtui.tui import drivers
from wgtui.tui.clipboard import osc52
from wgtui.tui.escapes import know_no_alt, without_alt
from wgtui.tui.lean_driver import LeanDriver
from wgtui.tui.messages import (
    FindingsArrived,
    KernelAnswered,
    ReadingOn,
    SnapshotArrived,
    SourceFailed,
)
from wgtui.tui.moving import Moving
from wgtui.tui.reader import Reader
from wgtui.tui.reply import IF, Reply, before_facts
from wgtui.tui.row_layout import clip
from wgtui.tui.row_list import RowList
from wgtui.tui.themes import MONO, next_theme

if TYPE_CHECKING:
    from wgtui.engine.history import AnswerChange
    from wgtui.model.kernel import KernelAnswer
    from wgtui.model.snapshot import Snapshot
    from wgtui.tui.view import View


class WgtuiApp(Moving):
    """The screen. Its result is the text that ``Q`` leaves behind."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""

    def __init__(
        self,
        source_spec: str,
        question: str = "",
        *,
        ascii_only: bool = False,
        opener: Callable[[str], Source] = open_source,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(ascii_only=ascii_only, driver_class=driver_class)
        know_no_alt()
        self.register_theme(MONO)
        self.theme = os.environ.get("TEXTUAL_THEME", "ansi-dark")
        self.view: View | None = None
        self.reply = Reply(())
        self._spec = source_spec
        self._ascii = ascii_only
        self._text = question
        self._asked: str | None = None
        self._answered = ""
        """The last question; its answer stays while the next one is typed."""
        self._kernel: KernelAnswer | None = None
        self._changed: AnswerChange | None = None
        self._explaining = False
        self._frozen = False
        self._waiting: View | None = None
        self._failure: SourceError | None = None
        self._read = 0
        self._before: str | None = None
        """What the key before this one was."""
        self.mistake: Exception | None = None
        """Of ours, that ended the screen."""
        self._reader = Reader(source_spec, self.post_message, opener)

    def get_driver_class(self) -> type[Driver]:
        """The one that sends only changed cells, where it can be trusted."""
        return drivers.choose(super().get_driver_class(), os.environ)

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

    def _fatal_error(self) -> None:
        """A mistake of ours: the screen ends, and ``main`` says it in one line.

        Textual would print pages of code with the values of all variables.
        """
        if self._exception is not None:
            self.mistake = self._exception
        self._close_messages_no_wait()

    async def on_event(self, event: events.Event) -> None:
        """A key is carried out before the next one is looked at.

        Textual puts a key into the focused widget's queue, and a command is only found when it has
        bubbled up again: of ``Tab /`` in one packet of a slow line the ``/`` would still go to the
        question. Here both text and commands happen at once, in the order they were typed.
        """
        if isinstance(event, events.InputEvent):
            self._reader.turns.key()
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        for key in without_alt(event):
            if not await self._carry_out(key):
                await super().on_event(key)

    async def _carry_out(self, event: events.Key) -> bool:
        focused, character = self.focused, event.character
        before, self._before = self._before, character
        if (before, character) == ("w", "g") and self.lookup.question.value == IF:
            character = "wg"  # typed as a command, and its first letter was a key
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

    def on_reading_on(self, message: ReadingOn) -> None:
        """A full table takes a while: it can be seen that it comes."""
        if self.view is None:
            self._read = message.routes
            self._say_state()

    def on_source_failed(self, message: SourceFailed) -> None:
        """The last snapshot stays; without one the lookup pane says what is wrong."""
        self._failure = message.error
        self._answer()

    def on_kernel_answered(self, message: KernelAnswered) -> None:
        """Is it still the same question?"""
        if self.reply.trace is not None and message.flow == self.reply.trace.flow:
            self._kernel, self._changed = message.answer, message.changed
            self._show_reply(keep=True)

    def _take(self, view: View) -> None:
        self.view, self._waiting = view, None
        self.panes.take(view)
        self.sheets.take(view)
        self._answer()

    def on_findings_arrived(self, message: FindingsArrived) -> None:
        """What is wrong, a moment after the facts; until the next look it holds for newer ones."""
        view = message.view if message.view is self.view else self._waiting or self.view
        if view is None:
            return
        view.find(message.mistakes)
        if view is self.view:
            self.sheets.take(view)
            self._answer()

    @property
    def snapshot(self) -> Snapshot | None:
        """What is looked at; None before anything was read."""
        return None if self.view is None else self.view.snapshot

    # ------------------------------------------------------------------------------------- answer

    def typed(self, text: str) -> None:
        """Called inside the question's watcher: character, answer and marks are one frame."""
        self._text = text
        self._explaining = False
        self._share_height()
        self._answer()

    def _answer(self) -> None:
        """The one place where question and facts meet."""
        asked, was_empty = self._text != self._asked, not self._asked
        before = self.reply.trace
        if self.view is not None:
            self.reply = self.view.reply(self._text, self._answered)
        self._asked = self._text
        trace = self.reply.trace
        if trace is not None or not self._text.strip():
            self._answered = self._text
        if before is None or trace is None or before.outcome is not trace.outcome or asked:
            self._kernel = self._changed = None
        if (before is None) != (trace is None) or was_empty != (not self._text):
            self.refresh_bindings()
            self.key_bar.refresh()  # in the frame of the answer: what Textual tells comes after it
        if trace is not None:
            self._reader.ask_kernel(trace.flow)
        self._show_reply(keep=not asked)
        lit = trace or self.reply.kept
        self.panes.light(lit, reveal=asked and lit is trace)
        self.sheets.light(lit, reveal=asked and lit is trace)
        self.tabs.update()
        self._say_state()

    def _show_reply(self, *, keep: bool) -> None:
        if self.view is None:
            self.lookup.show(before_facts(self._spec, self._failure))
        elif self._explaining and self.reply.trace is not None:
            self.lookup.show(self.view.explanation(self.reply.trace), keep=keep)
        else:
            lines = self.view.with_kernel(self.reply, self._kernel, self._changed)
            if self.told[0] == self._text:
                lines = (*lines[:1], *self.told[1], *lines[1:])
            self.lookup.show(lines, self.reply.caret, keep=keep)

    # -------------------------------------------------------------------------------------- state

    def _say_state(self) -> None:
        text = self.view.state if self.view else f"wgtui · {self._spec}"
        status = ""
        if self._frozen:
            status = f"FROZEN: {'newer facts wait, ' if self._waiting else ''}Space goes on"
        elif self._failure is not None:
            status = f"cannot read: {self._failure.what}"
        elif self.view is None and self._read:
            status = f"reading: {self._read:,} routes"
        elif self.view is not None:
            status = self.view.doubt
        self.state.show(text, status)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which commands make sense now; the key bar shows only those."""
        question = self.lookup.question
        match action:
            case "clear_question" | "focus_answer":
                return bool(question.value)
            case "switch_tree":
                return self.focused is not question and self.sheets.shown is None
            case "escape" | "copy":
                return self.focused is not question
            case "explain":
                return self.reply.trace is not None
            case _:
                return True

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
            rest = f" and {len(more)} more lines" if more else ""
            room = max(16, self.size.width - len(f"  copied {rest}"))
            self.state.note(f"copied {clip(printable(first), room)}{rest}")
        else:
            self.state.note("too long to copy" if text else "nothing to copy here")

    def _answer_text(self, columns: int | None = None) -> str:
        """Question and answer as the command line would print them."""
        text = render(self.lookup.answer.lines, self._ascii, columns)
        return f"{self._text}\n{text}" if self.reply.trace is not None else text

    def action_quit_leaving(self) -> None:
        # An explanation has commands: whoever copies one wants it whole.
        self.exit(self._answer_text(None if self._explaining else self.size.width))

    def action_redraw(self) -> None:
        if isinstance(self._driver, LeanDriver):
            self._driver.invalidate()
        self.screen.refresh(layout=True)

    def action_help(self) -> None:
        from wgtui.tui.help import HelpScreen, help_lines

        self.push_screen(HelpScreen(help_lines(), ascii_only=self._ascii))
