"""The real program in a real pty: what a terminal shows, and what it is left like."""

from __future__ import annotations

import re
import signal
import statistics
import sys
import termios
import time

import pytest

from tests.tui.terminals import Terminal

CLEAN_END = b"\x1b[?1049l"
"""Back to the normal screen."""


def _row(terminal: Terminal, text: str) -> int:
    return next(number for number, line in enumerate(terminal.lines) if text in line)


def _is_cooked(terminal: Terminal) -> bool:
    """The line echoes and edits again, as a shell expects."""
    flags = termios.tcgetattr(terminal.master)[3]
    return bool(flags & termios.ECHO and flags & termios.ICANON)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
def test_an_address_is_answered_and_its_rows_light_up(size: tuple[int, int]) -> None:
    """Typed on a keyboard: the verdict, and the winners by glyph, word and weight."""
    with Terminal.of_wgtui("--demo", size=size) as terminal:
        terminal.until_text("Type an address", "edge-1")
        terminal.send("10.30.5.9")
        terminal.until_text("✔ ENCRYPTED  10.30.5.9", "wins")
        row = _row(terminal, "wins")
        column = terminal.lines[row].index("10.30.")
        assert "▶" in terminal.lines[row]
        assert terminal.screen.buffer[row][column].bold
        terminal.send("\rq")
        assert terminal.ended() == 0


def test_no_color_sends_no_colour() -> None:
    """Glyphs and words are the same, and no sequence sets a colour."""
    with Terminal.of_wgtui("--demo", NO_COLOR="1") as terminal:
        terminal.until_text("Type an address")
        terminal.send("10.44.0.1")
        terminal.until_text("✘ NO-PEER")
        codes = {
            code
            for sequence in re.findall(rb"\x1b\[([0-9;]*)m", terminal.raw)
            for code in sequence.split(b";")
        }
        assert codes <= {b"", b"0", b"1", b"2", b"3", b"4", b"7", b"39", b"49"}
        assert {b"1", b"7"} <= codes


def test_a_serial_console_without_a_size_gets_80x24() -> None:
    """The tty says 0x0; the screen is complete and stays quiet."""
    with Terminal.of_wgtui("--demo", claimed_size=(0, 0)) as terminal:
        terminal.until_text("Type an address", "q quit")
        terminal.until_quiet()
        assert terminal.lines[0].startswith(" edge-1")
        assert "q quit" in terminal.lines[23]


def test_a_terminal_that_cannot_is_told_what_can() -> None:
    """TERM=dumb: one line, exit code 2, nothing drawn."""
    with Terminal.of_wgtui("--demo", TERM="dumb") as terminal:
        assert terminal.ended() == 2
        assert b"wgtui lookup" in terminal.raw
        assert b"\x1b[" not in terminal.raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_clean_terminal(number: signal.Signals) -> None:
    """Normal screen, visible cursor, cooked line; the exit code names the signal."""
    with Terminal.of_wgtui("--demo", "--mouse") as terminal:
        terminal.until_text("Type an address")
        terminal.kill(number)
        terminal.until(lambda: CLEAN_END in terminal.raw and _is_cooked(terminal))
        assert terminal.ended() == 128 + number
        assert b"\x1b[?25h" in terminal.raw
        assert terminal.raw.rindex(b"\x1b[?1000l") > terminal.raw.rindex(b"\x1b[?1000h")


def test_ctrl_c_leaves_cleanly_with_half_a_question() -> None:
    """At any moment, also in the question."""
    with Terminal.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address")
        terminal.send("10.0.\x03")
        terminal.until(lambda: CLEAN_END in terminal.raw)
        assert terminal.ended() == 0


def test_no_mouse_unless_asked() -> None:
    """The terminal's own selection works."""
    with Terminal.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address")
        assert b"\x1b[?1000h" not in terminal.raw
        assert b"\x1b[?1003h" not in terminal.raw


def test_a_lost_line_ends_the_program_even_under_nohup() -> None:
    """Started with SIGHUP ignored, it would otherwise live on at 100 % CPU."""
    with Terminal.of_wgtui("--demo", hangup_ignored=True) as terminal:
        terminal.until_text("Type an address")
        terminal.hang_up()
        terminal.until(lambda: terminal.status is not None)
        assert terminal.status == -signal.SIGHUP


def test_ctrl_z_and_fg_bring_the_whole_screen_back() -> None:
    """Textual 8.2.8 alone shows a blank one."""
    with Terminal("bash", "--norc", "--noprofile", "-i", PS1="$ ") as terminal:
        terminal.until_text("$")
        terminal.send(f"{sys.executable} -m wgtui --demo 10.44.0.1\n")
        terminal.until_text("✘ NO-PEER", "edge-1")
        terminal.send("\x1a")
        terminal.until_text("Stopped")
        terminal.screen.reset()
        terminal.send("fg\n")
        terminal.until_text("✘ NO-PEER", "edge-1", "Lookup ❯ 10.44.0.1", "q quit")
        terminal.send("\x03")
        terminal.until(lambda: terminal.raw.count(CLEAN_END) >= 2)


def test_capital_q_leaves_the_answer_on_the_normal_screen() -> None:
    """To be copied into a ticket, after the full screen is gone."""
    with Terminal.of_wgtui("--demo", "10.44.0.1") as terminal:
        terminal.until_text("✘ NO-PEER")
        terminal.send("Q")
        assert terminal.ended() == 0
        after = terminal.raw.rpartition(CLEAN_END)[2].decode()
        assert "10.44.0.1\r\n✘ NO-PEER" in after


def test_keys_in_one_packet_are_carried_out_in_their_order() -> None:
    """A slow line delivers `address, Tab, filter` at once."""
    with Terminal.of_wgtui("--demo") as terminal:
        terminal.until_text("Type an address")
        terminal.send("10.30.5.9\t/wg0\r")
        terminal.until_text("ENCRYPTED  10.30.5.9", "1 Interfaces /wg0")


@pytest.mark.parametrize(
    ("keys", "text"),
    [("\x1b10.44.0.1", "❯ 10.44.0.1"), ("\x1bJ", "J Journal"), ("\x1bfd30::1", "❯ fd30::1")],
)
def test_esc_and_the_next_key_in_one_packet_are_two_keys(keys: str, text: str) -> None:
    """As fast fingers and slow lines send them; a terminal's Alt is the same bytes."""
    with Terminal.of_wgtui("--demo", "8.8.8.8") as terminal:
        terminal.until_text("✔ ENCRYPTED  8.8.8.8")
        terminal.send("i")
        terminal.until_text("Esc clear")
        terminal.send(keys)
        terminal.until_text(text)


def test_nothing_is_sent_while_nothing_changes() -> None:
    """No clock, no blinking, no spinner."""
    with Terminal.of_wgtui("--demo", "10.30.5.9") as terminal:
        terminal.until_text("✔ ENCRYPTED")
        terminal.until_quiet()
        assert terminal.read(1.0) == b""


def test_keys_of_one_packet_are_carried_out_in_order() -> None:
    """Back to the question, the old one deleted and a new one typed, all at once."""
    with Terminal.of_wgtui("--demo", "10.30.5.9") as terminal:
        terminal.until_text("✔ ENCRYPTED  10.30.5.9")
        terminal.send("4" + "\x7f" * 9 + "10.44.0.1")
        terminal.until_text("✘ NO-PEER  10.44.0.1")


def test_a_question_from_the_command_line_shows_the_same_rows_every_time() -> None:
    """Whether the panes had their size before the answer or not, the winners are in view."""
    screens = set()
    for _ in range(3):
        with Terminal.of_wgtui("--demo", "10.30.5.9", size=(130, 40)) as terminal:
            terminal.until_text("✔ ENCRYPTED  10.30.5.9", "wins")
            terminal.until_quiet()
            screens.add(terminal.text)
    assert len(screens) == 1


def test_keys_are_answered_at_once() -> None:
    """A generous bound for a busy machine; the real figures are in the benchmarks."""
    with Terminal.of_wgtui("--demo", size=(160, 45)) as terminal:
        terminal.until_text("Type an address", "edge-1")
        terminal.until_quiet()
        took = []
        for number, char in enumerate("10.30.5.9", 1):
            sent = time.monotonic()
            terminal.send(char)
            terminal.until_text(f"Lookup ❯ {'10.30.5.9'[:number]}")
            took.append(time.monotonic() - sent)
        assert statistics.median(took) < 0.5


def test_the_colours_can_be_chosen() -> None:
    """Black and white: nothing sets a colour; an unknown name is told before the screen changes."""
    with Terminal.of_wgtui("--demo", "--theme", "mono", "10.44.0.1") as terminal:
        terminal.until_text("✘ NO-PEER")
        assert not re.search(rb"\x1b\[[0-9;]*3[1-7]m", terminal.raw)
    with Terminal.of_wgtui("--demo", "--theme", "pink") as terminal:
        assert terminal.ended() == 2
        assert b"dark, light, mono" in terminal.raw


BROKEN = """
import sys
from wgtui.tui.view import View
View.map = lambda *_: [][0]
from wgtui.cli import main
sys.exit(main(["--demo"]))
"""


def test_a_mistake_of_ours_ends_the_screen_with_one_line() -> None:
    """What and where, in one line on a clean terminal, not pages of code and variables."""
    with Terminal(sys.executable, "-c", BROKEN) as terminal:
        terminal.until_text("Type an address", "edge-1")
        terminal.send("\tm")
        assert terminal.ended() == 70
        assert b"wgtui: a mistake in wgtui itself: IndexError" in terminal.raw
        assert b"(<string>, line 4)" in terminal.raw
        assert b"Traceback" not in terminal.raw


def test_the_first_question_may_be_a_prefix() -> None:
    """As in the question line: where the addresses of a range go."""
    with Terminal.of_wgtui("--demo", "10.30.0.0/16") as terminal:
        terminal.until_text("65,536 addresses in 5 parts", "ams2 on wg1")


def test_what_stays_on_the_screen_is_broken_between_words() -> None:
    """Q leaves the answer behind as wide as the terminal; no address is cut."""
    with Terminal.of_wgtui("--demo", "10.30.5.9") as terminal:
        terminal.until_text("✔ ENCRYPTED  10.30.5.9")
        terminal.send("Q")
        assert terminal.ended() == 0
        left = terminal.raw.decode().rpartition("\x1b[?1049l")[2]
        assert "31100 (from\r\n          192.168.10.128/25)" in left
