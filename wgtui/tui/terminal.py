"""Can this terminal show a full screen, and what must be settled before Textual is imported?

Textual reads its environment once, when it is imported, and believes whatever size a tty claims.
Every trap here was seen in a real pty.
"""

from __future__ import annotations

import fcntl
import signal
import struct
import sys
import termios
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Final

_HINT = "`wgtui lookup ADDRESS` answers in plain text"


def refusal(environ: Mapping[str, str], on_terminal: bool) -> str | None:
    """Why a full screen cannot be shown here, in one line; None when it can."""
    if not on_terminal:
        return f"stdin and stderr must be a terminal for the full screen; {_HINT}"
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"TERM={environ.get('TERM', '')} cannot show a full screen; {_HINT}"
    return None


def on_terminal() -> bool:
    """Textual reads the keys from stdin and draws on stderr."""
    streams = (sys.__stdin__, sys.__stderr__)
    return all(stream is not None and stream.isatty() for stream in streams)


def prepare_size() -> None:
    """A serial console says 0x0: two different fallbacks would fight for ever."""
    with suppress(OSError):
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(2, termios.TIOCGWINSZ, bytes(8)))
        if not rows or not columns:
            size = struct.pack("HHHH", rows or 24, columns or 80, 0, 0)
            for descriptor in (0, 1, 2):
                with suppress(OSError):
                    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)


def prepare_signals() -> None:
    """A lost line ends the program, even when it was started with SIGHUP ignored (nohup).

    An orderly exit would wait for a terminal that is gone, at 100 % CPU.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def prepare_environment(environ: MutableMapping[str, str]) -> None:
    """What Textual must find. A user's own TEXTUAL_… settings win."""
    if environ.get("NO_COLOR") == "":
        del environ["NO_COLOR"]  # no-color.org: "when present and not an empty string"
    # The terminal's own 16 colours. Set later, NO_COLOR would be black on black.
    environ.setdefault("TEXTUAL_THEME", "ansi-light" if _is_light(environ) else "ansi-dark")
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    environ.setdefault(
        "TEXTUAL_FILTERS", ""
    )  # "dim" would mix colours that only the terminal knows


THEMES: Final = {"dark": "ansi-dark", "light": "ansi-light", "mono": "ansi-mono"}
"""Textual's names for what ``--theme`` and ``WGTUI_THEME`` call them."""


def chosen_theme(environ: Mapping[str, str], asked: str | None) -> str | None:
    """The theme of ``--theme``, else of ``WGTUI_THEME``; None: nobody chose one."""
    return THEMES.get(asked or environ.get("WGTUI_THEME", ""))


def needs_ascii(environ: Mapping[str, str]) -> bool:
    """The console's font and real terminals have no ✔ and no ▶."""
    return environ.get("TERM", "").startswith(("linux", "vt", "ansi"))


def _is_light(environ: Mapping[str, str]) -> bool:
    """rxvt, konsole and others say ``COLORFGBG=0;15`` for dark on light."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
