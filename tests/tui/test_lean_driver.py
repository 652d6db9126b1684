"""The same screens with our driver and with Textual's own, in real ptys; and what it costs."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver

from tests.tui.terminals import ROOT, Terminal
from tests.tui.xterm import Xterm, cells
from wgtui.tui import drivers
from wgtui.tui.backlog import TRIES
from wgtui.tui.lean_driver import LeanDriver

PLAIN = {"WGTUI_DRIVER": "plain"}
ASKED = b"\x1b[6n"
ALL_ON = re.compile(rb"\x1b\[\?([0-9]+)h")

TAB, ENTER, ESCAPE, DOWN, PAGE_DOWN, HOME = "\t", "\r", "\x1b", "\x1b[B", "\x1b[6~", "\x1b[H"
CTRL_L = "\x0c"


class Answering(Terminal):
    """A terminal that says where its cursor is, and that it knows synchronised output."""

    def __init__(self, *command: str, delay: float = 0.0, **settings: object) -> None:
        super().__init__(*command, **settings)  # type: ignore[arg-type]
        self.screen = Xterm(self.screen.columns, self.screen.lines)
        self._stream = pyte.ByteStream(self.screen)
        self._seen = 0
        self._delay = delay
        self._answers: list[tuple[float, bytes]] = []

    def read(self, seconds: float = 0.05) -> bytes:
        data = super().read(seconds)
        questions = re.compile(rb"\x1b\[6n|\x1b\[\?2026\$p")
        for question in questions.finditer(self.raw, self._seen):
            answer = b"\x1b[1;1R" if question[0] == ASKED else b"\x1b[?2026;2$y"
            self._answers.append((time.monotonic() + self._delay, answer))
            self._seen = question.end()
        while self._answers and self._answers[0][0] <= time.monotonic():
            os.write(self.master, self._answers.pop(0)[1])
        return data

    def resize(self, columns: int, rows: int) -> None:
        """Its window gets another size."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wipe(self) -> None:
        """Another program cleared the screen."""
        self.screen.erase_in_display(2)

    def quiet(self, seconds: float = 0.15) -> bytes:
        """What comes until nothing comes for that time."""
        before = len(self.raw)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.read(left):
                end = time.monotonic() + seconds
        return self.raw[before:]


@contextmanager
def _both(*arguments: str, size: tuple[int, int], **settings: str) -> Iterator[list[Answering]]:
    """The program with our driver and with Textual's own."""
    with (
        Answering.of_wgtui(*arguments, size=size, **settings) as lean,
        Answering.of_wgtui(*arguments, size=size, **settings | PLAIN) as plain,
    ):
        assert isinstance(lean, Answering)
        assert isinstance(plain, Answering)
        yield [lean, plain]


def _same(terminals: list[Answering], *facts: str) -> None:
    """Both show that, and then the same, cell for cell."""
    lean, plain = terminals
    for terminal in terminals:
        terminal.until_text(*facts)

    def is_same() -> bool:
        plain.read(0.01)
        return cells(lean.screen) == cells(plain.screen)

    for _ in range(2):  # the second time after all that may still come
        lean.until(is_same, 10)
        lean.quiet(0.1)
        plain.quiet(0.05)
    assert cells(lean.screen) == cells(plain.screen)
    assert (lean.screen.cursor.x, lean.screen.cursor.y) == (
        plain.screen.cursor.x,
        plain.screen.cursor.y,
    )


STEPS: list[tuple[str | tuple[int, int], str]] = [
    ("10.30.5.9", "ENCRYPTED  10.30.5.9"),
    (TAB, ""),
    (PAGE_DOWN + DOWN + DOWN, ""),
    ((100, 30), ""),
    (TAB + PAGE_DOWN, ""),
    ("?", "In the question"),
    ((60, 20), ""),
    (ESCAPE, ""),
    ("/wg0", "wg0"),
    (ENTER + "t", "theme: "),
    (ESCAPE, ""),
    ((160, 45), ""),
    ("4" + "\x7f" * 9 + "10.44.0.1", "NO-PEER"),
    (ENTER + "e" + "t", "theme: "),
    ((80, 24), ""),
]
"""Keys and sizes, and what is to be seen then."""


@pytest.mark.parametrize(
    "settings",
    [
        {"TEXTUAL_THEME": "ansi-dark"},
        {"TEXTUAL_THEME": "ansi-light"},
        {"TEXTUAL_THEME": "textual-dark", "COLORTERM": "truecolor"},
        {"NO_COLOR": "1"},
    ],
    ids=["dark", "light", "truecolor", "no colour"],
)
def test_a_session_looks_the_same_with_both_drivers(settings: dict[str, str]) -> None:
    """Keys, addresses, filter, help, themes and resizes: every screen on the way is equal."""
    with _both("--demo", size=(80, 24), **settings) as terminals:
        _same(terminals, "Type an address", "q quit")
        for keys, fact in STEPS:
            for terminal in terminals:
                if isinstance(keys, str):
                    terminal.send(keys)
                else:
                    terminal.resize(*keys)
            _same(terminals, fact)


@pytest.fixture
def wide_names(tmp_path: Path) -> Path:
    """A host whose peers have wide and combining characters in their names."""
    folder = tmp_path / "facts"
    shutil.copytree(ROOT / "tests/facts/phone-and-laptop", folder)
    config = folder / "conf/wg0.conf"
    text = config.read_text().replace("PHONE", "世界 📱 한국").replace("LAPTOP", "cafe\u0301 世\u0301 ﬁn")
    config.write_text(text)
    return folder


def test_wide_and_combining_names_look_the_same(wide_names: Path) -> None:
    """Also when they scroll over each other, are marked and cut off."""
    with _both("--source", str(wide_names), size=(80, 24)) as terminals:
        _same(terminals, "Type an address")
        for keys, fact in [
            ("3", "世"),
            (DOWN, ""),
            (DOWN, ""),
            ("v", ""),
            ("4192.168.43.2", "ENCRYPTED"),
            ((49, 24), ""),
            ((110, 30), ""),
            (ENTER + DOWN * 5, ""),
        ]:
            for terminal in terminals:
                if isinstance(keys, str):
                    terminal.send(keys)
                else:
                    terminal.resize(*keys)
            _same(terminals, fact)


# -------------------------------------------------------------------------------------- the bytes


def test_a_typed_character_costs_little() -> None:
    """The bytes of each, with the answer that changes with it."""
    with Answering.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address", "edge-1")
        assert isinstance(terminal, Answering)
        start = len(terminal.raw + terminal.quiet())
        sizes = []
        for char in "10.30.5.9":
            terminal.send(char)
            sizes.append(len(terminal.quiet()))
        print(start, sizes)
        assert statistics.median(sizes) <= 150
        assert terminal.read(1.0) == b""
