"""How does wgtui stay quiet on a slow line? It sends only changed cells, and never a stale frame.

Textual repaints regions: 3,500 bytes for a typed character, 11,000 for a focus change; and on a
slow line it queues every frame, so that a held key leaves the screen minutes behind.

    Textual ── write() ──▶ wanted picture ──┐                        the app's thread, never waits
                                            ├─ difference ──▶ tty    one thread, may wait
                           shown picture  ──┘       ▲
              CSI 6n, "where is the cursor?", comes back when all before it has been drawn

* The app's thread only changes the wanted picture. While the line is busy, frames merge in it.
* The line is busy while more than ``WINDOW`` bytes are unanswered: kernels and ssh would queue
  megabytes. A terminal that has never answered, or no longer does, is not waited for.
* The first frames wait for ``release()``: Textual paints several times until all is in its place.
* Whoever else wrote on the terminal (Ctrl-Z, a resize, ``wall``) makes the shown picture unknown:
  ``invalidate()``, and everything is sent again.
* At the end no more cells are sent, answers on the way are waited for (a shell would read them as
  typed), and the modes are restored as long as the line takes anything at all.

Way out: ``WGTUI_DRIVER=plain``. Taken by itself for a Textual that this was not tested with, and for
good as soon as Textual writes something that is not understood: the wanted picture is sent once
more, then everything passes through unchanged.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

import textual
from textual import events
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from wgtui.tui.screen_difference import difference, redraw
from wgtui.tui.screen_picture import Picture, Unrecognised

TESTED_WITH: Final = frozenset({"8.2.8"})
"""Versions of Textual. A new one: add it, and run tests/tui/test_lean_driver.py with it."""
ASK: Final = "\x1b[6n"
WINDOW: Final = 2048
"""Bytes that may be unanswered before further frames merge."""
TRIES: Final = 8
"""Questions to a terminal that has never answered one."""
LOST: Final = 3.0
"""Seconds without an answer, on top of what ``SLOWEST`` bytes a second take."""
SLOWEST: Final = 120.0
FIRST_FRAMES: Final = 0.5
"""Seconds that the first frames wait for ``release()``."""
RESIZED: Final = 0.05
"""Seconds in which Textual lays out anew."""
FAREWELL: Final = 0.3
"""Seconds that the end waits for the first answer of a terminal that has never answered."""
STUCK: Final = 2.0
"""Seconds in which the line takes not one byte."""
PIECE: Final = 512
FRAME: Final = 200
"""Bytes that are worth a bracket of synchronised output (18 bytes)."""


def choose(normal: type[Driver], environ: Mapping[str, str]) -> type[Driver]:
    """The driver to use where Textual would take that one."""
    is_wanted = environ.get("WGTUI_DRIVER", "lean") != "plain"
    # Another driver than the usual one is somebody's wish (TEXTUAL_DRIVER, textual-serve).
    return LeanDriver if normal is LinuxDriver and is_wanted and is_tested() else normal


def is_tested() -> bool:
    """Is this a Textual that we know? (``textual.__version__`` costs 20 ms, a look 0.01 ms.)"""
    beside = Path(textual.__file__).parents[1]
    if any((beside / f"textual-{version}.dist-info").is_dir() for version in TESTED_WITH):
        return True
    return textual.__version__ in TESTED_WITH


class Line:
    """How much is on its way to the terminal? Its answers tell."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody has answered yet."""
        self.has_answered = False
        self._clock = clock
        self._unanswered: deque[int] = deque()
        self._last_news = 0.0

    def ask(self, size: int) -> str:
        """So many bytes are sent now: what to add to them."""
        if not self.has_answered and len(self._unanswered) >= TRIES:
            return ""
        if not self._unanswered:
            self._last_news = self._clock()
        self._unanswered.append(size + len(ASK))
        return ASK

    def answer(self) -> None:
        """The terminal has drawn up to the oldest question."""
        self.has_answered = True
        self._last_news = self._clock()
        if self._unanswered:
            self._unanswered.popleft()

    def busy(self) -> float:
        """Seconds to wait for an answer before more is sent."""
        return self.patience() if sum(self._unanswered) > WINDOW else 0.0

    def patience(self) -> float:
        """Seconds in which an answer is still to be expected; 0: none is."""
        if not self.has_answered or not self._unanswered:
            return 0.0
        limit = LOST + self._unanswered[0] / SLOWEST
        left = self._last_news + limit - self._clock()
        if left <= 0:
            self.has_answered = False
            self._unanswered.clear()
        return max(left, 0.0)

    @property
    def is_silent(self) -> bool:
        """Is nothing to be expected from the terminal?"""
        return not self._unanswered


class LeanDriver(LinuxDriver):
    """Textual's driver for Linux, with less to say."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.is_plain = False
        """Has it given up, and passes everything through?"""
        self._changed = threading.Condition()  # for everything below
        self._wanted = Picture(0, 0)
        self._shown: Picture | None = None
        self._controls: list[str] = []
        self._line = Line()
        self._thread: threading.Thread | None = None
        self._cells_from = time.monotonic() + FIRST_FRAMES
        self._is_open = self._is_stale = self._is_writing = self._is_ending = self._is_gone = False
        self._written = 0
        self._frames_are_bracketed = False

    # ----------------------------------------------------------------------------- the app's side

    def release(self) -> None:
        """The first screen is complete."""
        with self._changed:
            self._cells_from = 0.0
            self._changed.notify_all()

    def invalidate(self) -> None:
        """Nobody knows what the terminal shows: send everything again."""
        with self._changed:
            self._shown, self._is_stale = None, True
            self._changed.notify_all()

    def write(self, data: str) -> None:
        """Textual's output."""
        with self._changed:
            if not self.is_plain and not self._take(data):
                self._give_up(data)
                return
        if self.is_plain:
            super().write(data)

    def _take(self, data: str) -> bool:
        if self._is_gone:
            return True
        size = self._app.size
        if size != self._wanted.size:
            self._wanted.resize(*size)
            self._shown = None
        try:
            controls = self._wanted.feed(data)
        except Unrecognised:
            return False
        if controls:
            self._controls.append(controls)
        self._frames_are_bracketed |= data == "\x1b[?2026h"
        self._is_stale = True
        self._changed.notify_all()
        return True

    def _give_up(self, data: str) -> None:
        """Pass everything through from now on, on a screen that is right."""
        self._changed.wait_for(lambda: not self._is_writing)
        self.is_plain = True
        x, y = self._wanted.cursor or (0, 0)
        before = "".join(self._controls)
        self._controls.clear()
        if self._is_open:
            pen = self._wanted.pen
            before += redraw(self._wanted) + f"\x1b[{y + 1};{x + 1}H"
            before += f"\x1b]8;{pen.link or ';'}\x1b\\\x1b[{pen.sgr}m"
        super().write(before + data)

    def start_application_mode(self) -> None:
        """At the start and after every suspension."""
        self._is_ending = self._is_gone = False
        self._line = Line()
        self._thread = threading.Thread(target=self._run, name="lean-output", daemon=True)
        self._thread.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's, as below
        self._watch_resizes()
        with self._changed:
            self._is_open = True  # the modes are on their way: cells may follow
        self.invalidate()

    def _watch_resizes(self) -> None:
        """What a terminal does to its cells then is its own affair, even at the same size."""
        textual_does = signal.getsignal(signal.SIGWINCH)

        def on_resize(number: int, frame: FrameType | None) -> None:
            with self._changed:
                self._cells_from = max(self._cells_from, time.monotonic() + RESIZED)
            self.invalidate()
            if callable(textual_does):
                textual_does(number, frame)

        signal.signal(signal.SIGWINCH, on_resize)

    def disable_input(self) -> None:
        """The end begins. An answer that comes later would be read by the shell."""
        with self._changed:
            self._is_open = False
            patience = self._line.patience() if self._line.has_answered else FAREWELL
            self._changed.wait_for(lambda: self._is_gone or self._line.is_silent, patience)
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Restore the terminal, as long as the line takes anything."""
        with self._changed:
            self._is_open = False
        super().stop_application_mode()
        self._drain()

    def close(self) -> None:
        """No more output."""
        self._drain()
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        super().close()

    def _drain(self) -> None:
        """Wait until all is written; give up when nothing moves."""
        with self._changed:
            written = -1
            while written != self._written and not self._is_drained():
                written = self._written
                self._changed.wait_for(self._is_drained, STUCK)

    def _is_drained(self) -> bool:
        return self._is_gone or not (self._controls or self._is_writing)

    # ------------------------------------------------------------------------ the terminal's side

    def process_message(self, message: Message) -> None:
        """In the thread that reads: answers are ours."""
        if isinstance(message, events.CursorPosition):
            with self._changed:
                self._line.answer()
                self._changed.notify_all()
        else:
            super().process_message(message)

    def _run(self) -> None:
        """The thread that writes."""
        descriptor = self._file.fileno()
        try:
            while data := self._next():
                while data:
                    data = self._send(descriptor, data)
        except OSError:  # the terminal is gone, and SIGHUP or the reading thread will say so
            self._is_gone = True
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
