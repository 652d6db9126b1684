"""A terminal for tests: the real program in a real pty, drawn by pyte, waited for by facts."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyte

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 15.0
"""Seconds that a fact may take to come true on a busy machine."""


class Terminal:
    """A command on a pty of its own."""

    def __init__(
        self,
        *command: str,
        size: tuple[int, int] = (80, 24),
        claimed_size: tuple[int, int] | None = None,
        hangup_ignored: bool = False,
        **environ: str,
    ) -> None:
        """``claimed_size``: what the tty says at the start, when that is not its size."""
        self.raw = b""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        columns, rows = claimed_size or size
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env = kept | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)} | environ
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            if hangup_ignored:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.execvpe(command[0], list(command), env)
        self._status: int | None = None

    @classmethod
    def of_wgtui(cls, *arguments: str, **settings: object) -> Terminal:
        """``python -m wgtui …``."""
        return cls(sys.executable, "-m", "wgtui", *arguments, **settings)  # type: ignore[arg-type]

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.master >= 0:
            os.close(self.master)

    # ------------------------------------------------------------------------------------- input

    def send(self, keys: str) -> None:
        """All of it in one write."""
        os.write(self.master, keys.encode())

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the command."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """The line is gone."""
        os.close(self.master)
        self.master = -1

    # ------------------------------------------------------------------------------------ output

    def read(self, seconds: float = 0.05) -> bytes:
        """What comes within that time; drawn."""
        if self.master < 0:
            time.sleep(seconds)
            return b""
        try:
            if not select.select([self.master], [], [], seconds)[0]:
                return b""
            data = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            time.sleep(0.01)
            return b""
        self.raw += data
        self._stream.feed(data)
        return data

    def until(self, fact: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Read until it is so."""
        end = time.monotonic() + seconds
        while not fact():
            if time.monotonic() > end:
                raise AssertionError("never came true; the screen says:\n" + self.text)
            self.read()

    def until_text(self, *texts: str) -> None:
        """Read until all of that is on the screen."""
        self.until(lambda: all(text in self.text for text in texts))

    def until_quiet(self) -> None:
        """Read until nothing comes for a moment."""
        while self.read(0.3):
            pass

    @property
    def lines(self) -> list[str]:
        """The screen, line by line."""
        return list(self.screen.display)

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self.lines)

    @property
    def status(self) -> int | None:
        """The exit code (negative: the signal), or None while it runs."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def ended(self) -> int:
        """Read to the end; the exit code."""
        self.until(lambda: self.status is not None)
        while self.read():
            pass
        assert self.status is not None
        return self.status
