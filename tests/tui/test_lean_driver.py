"""The same screens with our driver and with Textual's own, in real ptys; and what it costs."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import pyte
import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.drivers.linux_driver import LinuxDriver

from tests.tui.terminals import PATIENCE, ROOT, Terminal
from tests.tui.xterm import Xterm, cells
from wgtui.tui import drivers
from wgtui.tui.backlog import TRIES
from wgtui.tui.lean_driver import LeanDriver

PLAIN = {"WGTUI_DRIVER": "plain"}
ASKED = b"\x1b[6n"
QUESTIONS = re.compile(rb"\x1b\[6n|\x1b\[\?2026\$p")
SLOW = 10_000
"""Bytes a second."""

TAB, ENTER, DOWN, PAGE_DOWN, CTRL_L = "\t", "\r", "\x1b[B", "\x1b[6~", "\x0c"


class Answering(Terminal):
    """A terminal that says where its cursor is, and that it knows synchronised output."""

    def __init__(self, *command: str, delay: float = 0.0, **settings: Any) -> None:
        super().__init__(*command, **settings)
        self.screen = Xterm(self.screen.columns, self.screen.lines)
        self._stream = pyte.ByteStream(self.screen)
        self._seen = 0
        self._delay = delay
        self._answers: list[tuple[float, bytes]] = []

    @classmethod
    def of_wgtui(cls, *arguments: str, **settings: Any) -> Self:
        """``python -m wgtui …``."""
        return cls(sys.executable, "-m", "wgtui", *arguments, **settings)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def read(self, seconds: float = 0.05) -> bytes:
        """Read, and answer."""
        data = super().read(seconds)
        self._answer()
        return data

    def read_slowly(self, seconds: float) -> None:
        """Read for so long, at the speed of a slow line."""
        left, end = SLOW * seconds, time.monotonic() + seconds
        while left > 1 and (rest := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], rest)[0]:
                data = os.read(self.master, int(left))
                left -= len(data)
                self.raw += data
                self._answer()
        time.sleep(max(0.0, end - time.monotonic()))

    def _answer(self) -> None:
        for question in QUESTIONS.finditer(self.raw, self._seen):
            answer = b"\x1b[1;1R" if question[0] == ASKED else b"\x1b[?2026;2$y"
            self._answers.append((time.monotonic() + self._delay, answer))
            self._seen = question.end()
        while self._answers and self._answers[0][0] <= time.monotonic():
            os.write(self.master, self._answers.pop(0)[1])

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
        yield [lean, plain]


def _same(terminals: list[Answering], *facts: str) -> None:
    """Both show that, and then the same, cell for cell."""
    lean, plain = terminals
    for terminal in terminals:
        terminal.until_text(*facts)

    end = time.monotonic() + PATIENCE
    while lean.quiet(0.05) or plain.quiet(0.05) or cells(lean.screen) != cells(plain.screen):
        # A note in the state line may still end, in each at its own moment.
        assert time.monotonic() < end, _difference(lean, plain)
    assert (lean.screen.cursor.x, lean.screen.cursor.y) == (
        plain.screen.cursor.x,
        plain.screen.cursor.y,
    )


def _difference(lean: Answering, plain: Answering) -> str:
    """Where the two screens differ, cell by cell, below what they show."""
    pairs = zip(cells(lean.screen), cells(plain.screen), strict=True)
    wrong = [
        (y, x, one, other)
        for y, (ours, theirs) in enumerate(pairs)
        for x, (one, other) in enumerate(zip(ours, theirs, strict=True))
        if one != other
    ]
    return "\n".join([lean.text, "---", plain.text, *map(str, wrong[:40])])


def _walk(terminals: list[Answering], steps: Steps) -> None:
    for step, fact in steps:
        for terminal in terminals:
            if isinstance(step, str):
                terminal.send(step)
            else:
                terminal.resize(*step)
        _same(terminals, fact)


Steps = list[tuple[str | tuple[int, int], str]]

EVERYTHING: Steps = [
    ("10.30.5.9", "10.30.5.9 goes"),
    (TAB + PAGE_DOWN + DOWN, ""),
    ((100, 30), ""),
    (TAB + PAGE_DOWN, ""),
    ("?", "In the question"),
    ((60, 20), ""),
    ("q", "Lookup"),
    ("/wg0", "System routes: wg0"),
    (ENTER + "t", "theme: "),
    ((130, 40), ""),
    ("4" + "\x7f" * 9, "Type an address"),
    ("10.44.0.1", "NO-PEER"),
    (ENTER + "et", "theme: "),
    ((80, 24), ""),
]
"""Keys and sizes, and what is to be seen then."""


def test_a_session_looks_the_same_with_both_drivers() -> None:
    """Keys, addresses, filter, help, the three themes and resizes: each screen on the way."""
    with _both("--demo", size=(80, 24)) as terminals:
        _same(terminals, "Type an address", "q quit")
        _walk(terminals, EVERYTHING)


@pytest.mark.parametrize(
    "settings",
    [{"TEXTUAL_THEME": "textual-dark", "COLORTERM": "truecolor"}, {"NO_COLOR": "1"}],
    ids=["truecolor", "no colour"],
)
def test_all_colours_and_none_look_the_same(settings: dict[str, str]) -> None:
    """A theme in 24 bits, and bold, underline and reverse only."""
    with _both("--demo", size=(130, 40), **settings) as terminals:
        _same(terminals, "Type an address")
        _walk(
            terminals,
            [
                ("10.30.5.9", "10.30.5.9 goes"),
                (TAB + PAGE_DOWN, ""),
                ("?", "In the question"),
                ((80, 24), ""),
            ],
        )


@pytest.fixture
def wide_names(tmp_path: Path) -> Path:
    """A host whose peers have wide and combining characters in their names."""
    folder = tmp_path / "facts"
    shutil.copytree(ROOT / "tests/facts/phone-and-laptop", folder)
    config = folder / "conf/wg0.conf"
    text = (
        config.read_text()
        .replace("PHONE", "世界 📱 한국")
        .replace("LAPTOP", "cafe\u0301 世\u0301 ﬁn")
    )
    config.write_text(text)
    return folder


def test_wide_and_combining_names_look_the_same(wide_names: Path) -> None:
    """Also when they scroll over each other, are marked and cut off."""
    with _both("--source", str(wide_names), size=(80, 24)) as terminals:
        _same(terminals, "Type an address")
        _walk(
            terminals,
            [
                (TAB * 3, "世"),
                (DOWN + DOWN, ""),
                ("v", "one tree"),
                ("i192.168.43.2", "192.168.43.2 goes"),
                ((49, 24), ""),
                ((110, 30), ""),
            ],
        )


def test_tmux_shows_the_same(tmp_path: Path) -> None:
    """What tmux, a terminal of its own, has on its screen in the end."""
    if shutil.which("tmux") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("tmux is not installed")
    with (
        _in_tmux(tmp_path / "lean", "lean") as lean,
        _in_tmux(tmp_path / "plain", "plain") as plain,
    ):
        for tmux in (lean, plain):
            _until(partial(_shows, tmux, "edge-1"))
            subprocess.run([*tmux, "send-keys", "10.30.5.9"], check=True)
            _until(partial(_shows, tmux, "10.30.5.9 goes"))
            subprocess.run([*tmux, "resize-window", "-x100", "-y30"], check=True)
            _until(partial(_shows, tmux, "│"))
        _until(lambda: _drawn(_captured(lean)) == _drawn(_captured(plain)))


@contextmanager
def _in_tmux(socket: Path, driver: str) -> Iterator[list[str]]:
    tmux = ["tmux", "-f/dev/null", "-S", str(socket)]
    command = f"{sys.executable} -m wgtui --demo"
    env = {"WGTUI_DRIVER": driver, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    run = [*tmux, "new-session", "-d", "-x80", "-y24", command]
    subprocess.run(run, env=kept | env | {"TERM": "xterm-256color"}, check=True)
    try:
        yield tmux
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def _captured(tmux: list[str]) -> str:
    """The screen with its colours."""
    run = [*tmux, "capture-pane", "-e", "-p"]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout


def _drawn(captured: str) -> object:
    """As cells: tmux tells blanks that were written from blanks that were not."""
    screen = Xterm(100, 30)
    pyte.Stream(screen).feed(captured.rstrip("\n").replace("\n", "\x1b[m\r\n"))
    return cells(screen)


def _shows(tmux: list[str], text: str) -> bool:
    return text in _captured(tmux)


def _until(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.05)


# ---------------------------------------------------------------------------------------- resizes


def test_after_a_resize_everything_is_shown_again() -> None:
    """Even to the size that it had: Textual paints nothing then, but the terminal lost cells."""
    with Answering.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address", "edge-1", "? help")
        terminal.quiet()
        before = terminal.text
        terminal.wipe()
        terminal.kill(signal.SIGWINCH)
        terminal.until(lambda: terminal.text == before)


def test_ctrl_l_shows_everything_again() -> None:
    """After another program wrote on the terminal."""
    with Answering.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address", "edge-1", "? help")
        terminal.quiet()
        before = terminal.text
        terminal.wipe()
        terminal.send(CTRL_L)
        terminal.until(lambda: terminal.text == before)


# -------------------------------------------------------------------------------------- the bytes


def test_a_typed_character_costs_little() -> None:
    """The bytes for each, with the answer and the marks that change with it; idle: none."""
    with Answering.of_wgtui("--demo") as terminal:
        # The findings come a moment after the facts, and are not what a character costs.
        terminal.until_text("Type an address", "edge-1", "errors")
        terminal.quiet()
        sizes, typed = [], ""
        for char in "10.30.5.9":
            before, typed = len(terminal.raw), typed + char
            terminal.send(char)
            terminal.until_text(f"Lookup ❯ {typed}")
            terminal.quiet()
            sizes.append(len(terminal.raw) - before)
        assert statistics.median(sizes) <= 150
        assert sizes[1:-1] == [60] * 7  # no verdict yet; the last one brings the answer
        assert sum(sizes) <= 3500
        assert terminal.quiet(1.0) == b""


def test_a_held_key_over_a_slow_line_is_not_behind() -> None:
    """10 kB/s: when the key is let go, at most half a second is still to come."""
    with Answering.of_wgtui("--demo", "10.30.5.9", size=(160, 45)) as terminal:
        terminal.until_text("10.30.5.9 goes")
        terminal.send(TAB + TAB)
        terminal.quiet()
        for number in range(45):
            terminal.send("g" if number % 2 else "G")
            terminal.read_slowly(1 / 30)
        assert len(terminal.quiet()) <= SLOW * 0.5


# ------------------------------------------------------------------------------- other terminals


def test_a_terminal_that_never_answers_is_served() -> None:
    """It is asked a few times, not waited for, and then left alone."""
    with Terminal.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address")
        for char in "10.30.5.9 mark 77":
            terminal.send(char)
            terminal.read(0.1)
        terminal.until_text("Lookup ❯ 10.30.5.9 mark 77")
        assert terminal.raw.count(ASKED) <= TRIES


def test_late_answers_are_not_typed_into_the_shell() -> None:
    """A line with half a second there and back."""
    program = f"{sys.executable} -m wgtui --demo; read -rs -t 1 -n 1 && echo LEFT-OVER; echo END"
    with Answering("bash", "-c", program, delay=0.5) as terminal:
        terminal.until_text("Type an address")
        terminal.quiet(0.6)
        terminal.send("10.30.5.9")
        terminal.until_text("10.30.5.9 goes")
        terminal.send("\x03")
        terminal.until_text("END")
        assert ASKED in terminal.raw
        assert "LEFT-OVER" not in terminal.text


def test_a_terminal_that_takes_its_time_is_restored_at_the_end() -> None:
    """It reads nothing for a second while a busy screen is left."""
    with Answering.of_wgtui("--demo", "--mouse", "10.30.5.9", size=(160, 45)) as terminal:
        terminal.until_text("10.30.5.9 goes")
        terminal.send((TAB + "G") * 20 + "\x03")
        time.sleep(1.0)
        assert terminal.ended() == 0
        assert not _modes_left_on(terminal.raw)


def _modes_left_on(raw: bytes) -> set[bytes]:
    """Private modes that are not as before: all were off, but wrap (7) and cursor (25)."""
    last = dict(re.findall(rb"\x1b\[\?([0-9]+)([hl])", raw))
    return {n for n, kind in last.items() if (kind == b"h") is not (n in (b"7", b"25"))}


def test_the_end_restores_the_terminal() -> None:
    """Every mode, kitty's keys, the line discipline; nothing is drawn after that."""
    with Answering.of_wgtui("--demo", "--mouse", "10.44.0.1") as terminal:
        before = termios.tcgetattr(terminal.master)
        terminal.until_text("NO-PEER")
        terminal.send("\x03")
        assert terminal.ended() == 0
        assert not _modes_left_on(terminal.raw)
        assert terminal.raw.count(b"\x1b[>25u") == terminal.raw.count(b"\x1b[<u") == 1
        assert termios.tcgetattr(terminal.master) == before
        after = terminal.raw.rpartition(b"\x1b[?1049l")[2]
        assert re.sub(rb"\x1b\[\?[0-9]+[hl]", b"", after) == b""


# ------------------------------------------------------------------------------------ the ways out


ODD = """
import os, sys
from textual.app import App
from textual.widgets import Input
from wgtui.tui import drivers

class Odd(App):
    CSS = "Input { border: none }"
    def get_driver_class(self):
        return drivers.choose(super().get_driver_class(), os.environ)
    def compose(self):
        yield Input(placeholder="ready")
    def on_input_changed(self, event):
        if event.value == "ab":
            self._driver.write("\\x1b[5;5H\\x1b[1mbold \\x1b[4:3mcurly\\x1b[0m")
        if event.value == "abcd":
            how = "plain" if getattr(self._driver, "is_plain", True) else "lean"
            self._driver.write("\\x1b[9;1Hdone " + how)

Odd().run()
"""


def test_what_is_not_understood_ends_in_the_plain_driver() -> None:
    """From a screen that is right, and for good."""
    settings: dict[str, Any] = {"TEXTUAL_ANIMATIONS": "none"}
    with (
        Answering(sys.executable, "-c", ODD, **settings) as lean,
        Answering(sys.executable, "-c", ODD, **settings | PLAIN) as plain,
    ):
        _same([lean, plain], "ready")
        _walk([lean, plain], [("ab", "curly"), ("cd", "done plain"), ((90, 20), "abcd")])
        asked = lean.raw.count(ASKED)
        _walk([lean, plain], [("efg", "abcdefg")])
        assert lean.raw.count(ASKED) == asked
        lean.send("\x11")
        assert lean.ended() == 0
        assert not _modes_left_on(lean.raw)


def test_the_plain_driver_can_be_asked_for() -> None:
    """``WGTUI_DRIVER=plain``; another driver than Textual's usual one is kept."""
    assert drivers.choose(LinuxDriver, {}) is LeanDriver
    assert drivers.choose(LinuxDriver, {"WGTUI_DRIVER": "plain"}) is LinuxDriver
    assert drivers.choose(HeadlessDriver, {}) is HeadlessDriver


def test_an_untested_textual_gets_its_own_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it writes may have another meaning."""
    assert drivers.is_tested()
    monkeypatch.setattr(drivers, "TESTED_WITH", frozenset({"8.2.7"}))
    assert drivers.choose(LinuxDriver, {}) is LinuxDriver
