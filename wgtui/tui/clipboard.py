"""How does text get into the clipboard of the terminal at the far end of ssh and tmux? OSC 52."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

LIMIT: Final = 74_000
"""Bytes of base64 that terminals take at least (xterm's limit is the smallest in use)."""

_SCREEN_CHUNK: Final = 700
"""GNU screen cuts a passed-through string at 768 bytes."""


def osc52(text: str, environ: Mapping[str, str]) -> str:
    """The bytes that put the text into the clipboard; "" when it is too long for any terminal.

    tmux takes the plain sequence only with ``set-clipboard on`` and passes a wrapped one through
    only with ``allow-passthrough on``: it gets both. GNU screen gets it wrapped, in pieces.
    """
    data = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(data) > LIMIT:
        return ""
    plain = f"\x1b]52;c;{data}\x07"
    if environ.get("TMUX") or environ.get("TERM", "").startswith("tmux"):
        return f"{plain}\x1bPtmux;{plain.replace(chr(27), chr(27) * 2)}\x1b\\"
    if environ.get("STY"):
        pieces = (plain[at : at + _SCREEN_CHUNK] for at in range(0, len(plain), _SCREEN_CHUNK))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return plain
