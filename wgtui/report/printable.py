"""How does text from outside get on a screen? Only through here.

Interface names and aliases, comments in configurations and host names may hold escape sequences,
bidirectional overrides or line ends; a terminal would obey them.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal could act on or that cannot be seen."""


def printable(text: str) -> str:
    """The text with everything a terminal could act on made visible (``\\x1b``, ``\\u202e``)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _UNSAFE:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
