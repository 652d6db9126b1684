"""How is everything drawn where a terminal has no box characters (``--ascii``)?"""

from __future__ import annotations

from typing import Final

from wgtui.report.line import ASCII_GLYPHS, GLYPHS, Tone

_DRAWN: Final = "─│├└⋯·…–—→▸▾❯×≠"
_INSTEAD: Final = "-||`~|~--:>v:x="
"""One cell for one cell, and none of them a mark's (``ASCII_GLYPHS``) where a mark may stand."""

_MARKS: Final = (Tone.GOOD, Tone.BAD, Tone.WON, Tone.LOST)
"""Those whose glyph may stand in a row's own text."""

_ASCII: Final = str.maketrans(
    dict(zip(_DRAWN, _INSTEAD, strict=True)) | {GLYPHS[tone]: ASCII_GLYPHS[tone] for tone in _MARKS}
)


def to_ascii(text: str) -> str:
    """The same text in ASCII; names from outside keep what they have."""
    return text if text.isascii() else text.translate(_ASCII)
