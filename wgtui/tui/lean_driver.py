"""How does wgtui stay quiet on a slow line? It sends only changed cells, and never a stale frame.

Textual repaints regions: 3,500 bytes for a typed character, 11,000 for a focus change. On a slow
line it queues them all; two seconds of a held key leave the screen a minute and a half behind.

    Textual ── write() ──▶ wanted picture ──┐                     the app's thread, it never waits
                                            ├── difference ──▶ tty      one thread, it may wait
                           shown picture  ──┘        ▲
                                  Backlog ───────────┘   frames merge while too much is on its way

* Over a line that proves slow a frame is sent a few lines at a time, and newer frames replace what
  of it has not been sent.
* The first frames wait for ``release()``: Textual paints several times until all is in its place.
* Whoever else writes on the terminal (Ctrl-Z and fg, a resize, ``wall``) makes the shown picture
  unknown: ``invalidate()``, and everything is sent again.
* At the end no more cells are sent, answers that are on their way are waited for, and the modes are
  restored as long as the line takes anything at all.

As soon as Textual writes something that ``Picture`` does not understand, the driver gives up for
good: the wanted picture is sent once more, then everything passes through unchanged. Ways out that
are taken before the start are in ``drivers``.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from wgtui.tui.backlog import Backlog
from wgtui.tui.screen_difference import CLEAR, difference, part
from wgtui.tui.screen_picture import Picture, Unrecognised

FIRST_FRAMES: Final = 0.5
"""Seconds that the first frames wait for ``release()``."""
RESIZED: Final = 0.05
"""Seconds in which Textual lays out anew; half a layout need not be seen."""
STUCK: Final = 2.0
"""Seconds in which the line does not take one piece."""
PIECE: Final = 1024
BRACKETS: Final = ("\x1b[?2026h", "\x1b[?2026l")
"""Synchronised output: what is between them is shown at once. Textual asks who knows it."""
LARGE: Final = 200
"""Bytes that are worth these 16 more, and 4 to learn how long they take."""


class LeanDriver(LinuxDriver):
    """Textual's driver for Linux, with less to say."""

    def __init__(self, app: App[Any], **settings: Any) -> None:
        """With Textual's own settings."""
        super().__init__(app, **settings)
        assert self._file is not None  # it is a terminal, or there would be no full screen
        self._descriptor, self._encoding = self._file.fileno(), self._file.encoding
        self.is_plain = False
        """Has it given up, and passes everything through?"""
        self._changed = threading.Condition()  # guards everything below
        self._wanted = Picture(0, 0)
        self._shown: Picture | None = None  # None: unknown
        self._controls: list[str] = []
        self._backlog = Backlog()
        self._due = 0  # the line with which the next frame begins
        self._draw_from = time.monotonic() + FIRST_FRAMES
        self._has_brackets = False
        self._is_open = False  # may cells be sent? Not before the modes, nor at the end
        self._is_stale = False  # was anything painted since the last difference?
        self._is_writing = False
        self._is_closing = False
        self._is_over = False  # does nobody write any more? Closed, or the terminal is gone
        self._pieces = 0
        self._thread: threading.Thread | None = None

    # ----------------------------------------------------------------------------- the app's side

    def release(self) -> None:
        """The first screen is complete."""
        with self._changed:
            self._draw_from = 0.0
            self._changed.notify_all()

    def invalidate(self) -> None:
        """Nobody knows what the terminal shows: send everything again."""
        with self._changed:
            self._shown, self._is_stale = None, True
            self._changed.notify_all()

    def write(self, data: str) -> None:
        """Textual's output."""
        if not self.is_plain:
            with self._changed:
                data = self._take(data)
        if self.is_plain:
            super().write(data)

    def _take(self, data: str) -> str:
        """Into the wanted picture; otherwise, what is to be passed through now."""
        if data in BRACKETS:
            self._has_brackets = True
            return ""
        if self._app.size != self._wanted.size:
            self._wanted.resize(*self._app.size)
            self._shown = None
        try:
            controls = self._wanted.feed(data)
        except Unrecognised:
            return self._give_up() + data
        if controls and not self._is_over:
            self._controls.append(controls)
        self._is_stale = True
        self._changed.notify_all()
        return ""

    def _give_up(self) -> str:
        """What makes the screen right before everything is passed through."""
        self._changed.wait_for(lambda: not self._is_writing)
        self.is_plain = True
        parts, self._controls = self._controls, []
        if self._is_open:
            wanted, (x, y) = self._wanted, self._wanted.cursor or (0, 0)
            parts += [CLEAR, difference(Picture(*wanted.size), wanted), f"\x1b[{y + 1};{x + 1}H"]
            parts += [f"\x1b]8;{wanted.pen.link or ';'}\x1b\\\x1b[{wanted.pen.sgr}m"]
        return "".join(parts)

    def start_application_mode(self) -> None:
        """At the start and after every suspension."""
        self._is_closing = self._is_over = False
        self._backlog = Backlog()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="lean-output", daemon=True)
            self._thread.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own
        self._watch_resizes()
        self._is_open = True  # the modes are on their way
        self.invalidate()

    def _watch_resizes(self) -> None:
        """What a terminal does to its cells then is its own affair; even when it ends as it was."""
        textual_does = signal.getsignal(signal.SIGWINCH)

        def on_resize(number: int, frame: FrameType | None) -> None:
            with self._changed:
                if self._shown is not None:
                    self._draw_from = max(self._draw_from, time.monotonic() + RESIZED)
                self.invalidate()
            if callable(textual_does):
                textual_does(number, frame)

        signal.signal(signal.SIGWINCH, on_resize)

    def disable_input(self) -> None:
        """The end begins: answers that come later would be typed into the shell."""
        with self._changed:
            self._is_open = False
            while not self._is_over and (patience := self._backlog.farewell()):
                if not self._changed.wait(patience):
                    break
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Restore the terminal, as long as the line takes anything."""
        self._is_open = False
        super().stop_application_mode()
        self._drain()

    def close(self) -> None:
        """No more output."""
        self._drain()
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(STUCK)
        super().close()

    def _drain(self) -> None:
        """Wait until all modes are sent; give up when nothing moves."""
        with self._changed:
            before = -1
            while before != self._pieces and not self._is_drained():
                before = self._pieces
                self._changed.wait_for(self._is_drained, STUCK)

    def _is_drained(self) -> bool:
        return self._is_over or not (self._controls or self._is_writing)

    # ------------------------------------------------------------------------ the terminal's side

    def process_message(self, message: Message) -> None:
        """In the thread that reads: answers about the cursor are ours."""
        if isinstance(message, events.CursorPosition):
            with self._changed:
                self._backlog.answered()
                self._changed.notify_all()
        else:
            super().process_message(message)

    def _run(self) -> None:
        """The thread that writes."""
        with suppress(OSError):  # no terminal any more; SIGHUP, or the reading thread, will say so
            while data := self._next():
                self._send(data)
        with self._changed:
            self._is_writing, self._is_over = False, True
            self._changed.notify_all()

    def _next(self) -> bytes:
        """What is to be sent, as soon as there is something; b"" at the end."""
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
            while not (data := self._collect()) and not self._is_closing:
                self._changed.wait(self._pause())
            self._is_writing = bool(data)
            return data

    def _collect(self) -> bytes:
        """Modes at once, cells as soon as they may."""
        modes, self._controls = "".join(self._controls), []
        cells = self._frame() if self._pause() == 0.0 else ""
        data, frame = (text.encode(self._encoding, "replace") for text in (modes, cells))
        if len(frame) > LARGE or (frame and self._backlog.most is not None):
            return data + self._backlog.around(frame)
        return data + frame + self._backlog.ask(len(data + frame)) if frame else data

    def _pause(self) -> float | None:
        """Seconds until cells may be sent; None: not before something happens."""
        if self.is_plain or not (self._is_open and self._is_stale):
            return None
        return max(self._draw_from - time.monotonic(), self._backlog.pause(), 0.0)

    def _frame(self) -> str:
        self._is_stale = False
        clear = ""
        if self._shown is None:
            self._shown, clear = Picture(*self._wanted.size), CLEAR
        found = part(self._shown, self._wanted, self._due, self._backlog.most)
        self._is_stale = found.due is not None
        self._due = found.due or 0
        cells = clear + found.text
        return cells.join(BRACKETS) if self._has_brackets and len(cells) > LARGE else cells

    def _send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data[:PIECE]) :]
                self._pieces += 1
            except BlockingIOError:  # another program shares the tty and made it so
                select.select([], [self._descriptor], [])
