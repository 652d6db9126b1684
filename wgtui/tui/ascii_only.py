"""How is everything drawn where a terminal has no box characters (``--ascii``)?"""

from __future__ import annotations

from typing import Final

_DRAWN: Final = "─│├└⋯·…–—→▸▾❯×≠"
_INSTEAD: Final = "-||`~|~--:>v:x="
"""One cell for one cell, and none of them a mark's (``ASCII_GLYPHS``) where a mark may stand."""

_ASCII: Final = str.maketrans(dict(zip(_DRAWN, _INSTEAD, strict=True)))


def to_ascii(text: str) -> str:
    """The same text in ASCII; names from outside keep what they have."""
    return text if text.isascii() else text.translate(_ASCII)
