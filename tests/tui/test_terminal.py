"""What is settled before Textual is imported, and how text gets into a clipboard."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest

from wgtui.tui import terminal
from wgtui.tui.clipboard import LIMIT, osc52


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_terminal_without_a_screen_is_refused_with_a_hint(term: str) -> None:
    """Who cannot have the full screen is told what works instead."""
    why = terminal.refusal({"TERM": term}, on_terminal=True)
    assert why is not None
    assert "wgtui lookup" in why


def test_a_pipe_is_refused_with_a_hint() -> None:
    """No terminal, no screen; the hint names the command that needs none."""
    why = terminal.refusal({"TERM": "xterm"}, on_terminal=False)
    assert why is not None
    assert "wgtui lookup" in why


def test_a_usual_terminal_is_accepted() -> None:
    """Nothing is refused without a reason."""
    assert terminal.refusal({"TERM": "screen-256color"}, on_terminal=True) is None


def test_the_theme_is_settled_before_textual_is_imported() -> None:
    """With NO_COLOR a theme that comes later is black on black."""
    environ = {"NO_COLOR": "1"}
    terminal.prepare_environment(environ)
    assert environ["TEXTUAL_THEME"] == "ansi-dark"
    assert environ["NO_COLOR"] == "1"


def test_an_empty_no_color_means_colour() -> None:
    """no-color.org: only when it is not an empty string."""
    environ = {"NO_COLOR": ""}
    terminal.prepare_environment(environ)
    assert "NO_COLOR" not in environ


def test_a_terminal_that_says_it_is_light_gets_the_light_theme() -> None:
    """COLORFGBG is what konsole and rxvt say."""
    environ = {"COLORFGBG": "0;15"}
    terminal.prepare_environment(environ)
    assert environ["TEXTUAL_THEME"] == "ansi-light"


def test_the_settings_of_the_user_win() -> None:
    """TEXTUAL_… of the environment stays what it is."""
    environ = {"TEXTUAL_THEME": "nord", "TEXTUAL_ANIMATIONS": "full"}
    terminal.prepare_environment(environ)
    assert (environ["TEXTUAL_THEME"], environ["TEXTUAL_ANIMATIONS"]) == ("nord", "full")


def test_the_console_gets_ascii() -> None:
    """Its font has no check mark."""
    assert terminal.needs_ascii({"TERM": "linux"})
    assert not terminal.needs_ascii({"TERM": "xterm-256color"})


def test_nothing_before_the_screen_imports_textual() -> None:
    """The environment is only read once: when Textual is imported."""
    code = "import sys, wgtui.tui.main; sys.exit('textual' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0


def _decoded(sequence: str) -> str:
    """What a terminal takes from the first OSC 52 in it."""
    data = sequence.partition("\x1b]52;c;")[2].partition("\x07")[0]
    return base64.b64decode(data).decode()


def test_a_terminal_gets_plain_osc_52() -> None:
    """ESC ] 52 ; c ; base64 BEL."""
    sequence = osc52("10.0.0.0/8 é", {"TERM": "xterm"})
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\x07")
    assert _decoded(sequence) == "10.0.0.0/8 é"


def test_tmux_gets_it_both_ways() -> None:
    """Plain for set-clipboard, wrapped for allow-passthrough."""
    sequence = osc52("fd00::/8", {"TMUX": "/tmp/tmux,1,0"})
    plain, _, wrapped = sequence.partition("\x1bPtmux;")
    assert _decoded(plain) == "fd00::/8"
    assert wrapped == plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def test_screen_gets_it_in_pieces_it_can_pass_on() -> None:
    """GNU screen forgets what is longer than 768 bytes."""
    text = "x" * 3000
    pieces = osc52(text, {"STY": "1.pts"}).split("\x1b\\")[:-1]
    assert all(piece.startswith("\x1bP") and len(piece) < 768 for piece in pieces)
    assert _decoded("".join(piece[2:] for piece in pieces)) == text


def test_what_no_terminal_takes_is_not_sent() -> None:
    """Half of an answer in the clipboard would be worse than none."""
    assert osc52("x" * LIMIT, {}) == ""


@pytest.mark.parametrize(
    ("environ", "asked", "theme"),
    [
        ({}, None, None),
        ({}, "light", "ansi-light"),
        ({"WGTUI_THEME": "mono"}, None, "ansi-mono"),
        ({"WGTUI_THEME": "mono"}, "dark", "ansi-dark"),
        ({"WGTUI_THEME": "pink"}, None, None),
    ],
)
def test_a_theme_can_be_chosen(environ: dict[str, str], asked: str | None, theme: str) -> None:
    """The option beats the variable; what nobody knows is no theme."""
    assert terminal.chosen_theme(environ, asked) == theme
