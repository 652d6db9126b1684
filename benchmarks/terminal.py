"""What does a full-screen program do on a terminal, and when? Bytes and the moments they came.

A pty that answers as an xterm does, measured from outside: from writing a key to the last byte
before it is quiet. It may also be a slow line.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

QUIET: Final = 0.1
"""Seconds without a byte: what was to be painted is painted. Less than ``reader.SETTLED``, after
which the running kernel is asked too."""
PATIENCE: Final = 120.0
_QUESTIONS: Final = re.compile(rb"\x1b\[6n|\x1b\[\?2026\$p|\x1b\[0?c")
_ANSWERS: Final = {
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
}
_TICK: Final = 0.01


class Painted(NamedTuple):
    """What a key brought."""

    seconds: float
    """From the key to the last byte; 0 when there was none."""
    size: int
    """Bytes."""


class Terminal:
    """A command on a pty of its own, ended when it is left."""

    def __init__(
        self, *command: str, size: tuple[int, int] = (80, 24), rate: int = 0, **environ: str
    ) -> None:
        """``rate``: bytes a second that the line takes; 0 is no limit."""
        self.raw = b""
        self.last = 0.0
        """When the last byte came."""
        self._rate, self._due = rate, time.monotonic()
        self._seen = 0
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env = kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | environ
        self.began = time.monotonic()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            window = struct.pack("HHHH", size[1], size[0], 0, 0)
            fcntl.ioctl(0, termios.TIOCSWINSZ, window)
            os.execvpe(command[0], command, env)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)

    # ------------------------------------------------------------------------------------- bytes

    def read(self, seconds: float) -> bool:
        """Take what comes first within that time; did anything?"""
        pause = self._due - time.monotonic() if self._rate else 0.0
        if pause > 0:
            time.sleep(min(pause, seconds))
            return False
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return False
        most = max(1, int(self._rate * _TICK)) if self._rate else 1 << 16
        try:
            data = os.read(self._master, most)
        except OSError:  # it has ended
            return False
        self.last = time.monotonic()
        if self._rate:
            self._due = max(self._due, self.last - _TICK) + len(data) / self._rate
        self.raw += data
        for question in _QUESTIONS.finditer(self.raw, self._seen):
            os.write(self._master, _ANSWERS[question[0]])
            self._seen = question.end()
        return True

    def until(self, fact: Callable[[], object], seconds: float = PATIENCE) -> float:
        """Read until it is so; seconds since the start."""
        end = time.monotonic() + seconds
        while not fact():
            if time.monotonic() > end:
                raise TimeoutError(self.raw[-400:])
            self.read(0.05)
        return self.last - self.began

    def until_bytes(self, text: str) -> float:
        """Read until this is written, in one piece."""
        return self.until(lambda: text.encode() in self.raw)

    def quiet(self, seconds: float = QUIET) -> None:
        """Read until nothing comes for that time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.read(left):
                end = time.monotonic() + seconds

    # -------------------------------------------------------------------------------------- keys

    def send(self, keys: str) -> None:
        """In one write."""
        os.write(self._master, keys.encode())

    def key(self, key: str) -> Painted:
        """One key, and all it paints."""
        before, sent = len(self.raw), time.monotonic()
        self.send(key)
        self.quiet()
        count = len(self.raw) - before
        return Painted(self.last - sent if count else 0.0, count)

    def keys(self, keys: Sequence[str]) -> list[Painted]:
        """One after the other."""
        return [self.key(key) for key in keys]

    def held(self, key: str, seconds: float, a_second: int = 30) -> float:
        """Hold a key; seconds from letting it go to the last byte."""
        began = time.monotonic()
        for number in range(1, int(seconds * a_second) + 1):
            self.send(key)
            while (left := began + number / a_second - time.monotonic()) > 0:
                self.read(left)
        released = time.monotonic()
        self.quiet(2.0 if self._rate else 0.5)
        return max(0.0, self.last - released)

    # ------------------------------------------------------------------------------- the process

    def resident(self) -> float:
        """MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def processor_time(self) -> float:
        """Seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
