"""What is one line of an answer: a tone, a glyph, words."""

from __future__ import annotations

from enum import Enum
from typing import Final

from wgtui.model.fact import dataclass


class Tone(Enum):
    """What a line means. Told by a glyph and a word, never by colour alone."""

    GOOD = "good"
    """The verdict: it arrives."""
    BAD = "bad"
    """The verdict: it does not."""
    UNKNOWN = "unknown"
    """Nobody can know, and why."""
    WON = "won"
    """This rule, route or peer was chosen."""
    LOST = "lost"
    """It covers the address too, and lost."""
    REFUSED = "refused"
    """It was asked and did not match."""
    ALSO = "also"
    """It is on the way too: of the encrypted packet, or of a packet that comes in."""
    NOTE = "note"
    """Worth knowing."""
    PLAIN = "plain"


GLYPHS: Final[dict[Tone, str]] = {
    Tone.GOOD: "✔",
    Tone.BAD: "✘",
    Tone.UNKNOWN: "?",
    Tone.WON: "▶",
    Tone.LOST: "╌",
    Tone.REFUSED: "·",
    Tone.ALSO: "▷",
    Tone.NOTE: "!",
    Tone.PLAIN: " ",
}
"""One cell each; the same glyphs mark the rows in the panes."""

ASCII_GLYPHS: Final[dict[Tone, str]] = {
    Tone.GOOD: "+",
    Tone.BAD: "x",
    Tone.UNKNOWN: "?",
    Tone.WON: "*",
    Tone.LOST: "-",
    Tone.REFUSED: ".",
    Tone.ALSO: "o",
    Tone.NOTE: "!",
    Tone.PLAIN: " ",
}
"""For terminals that cannot show the others (``--ascii``); none of them is drawn for anything else.
"""


WORD_CELLS: Final = 11
"""No word behind a mark is longer: a pane keeps so much room free, and rows say the same with a
mark and without."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; the text is already printable and holds no markup."""

    text: str
    tone: Tone = Tone.PLAIN
    indent: int = 0
    """Tunnel in tunnel: one level deeper per outer packet."""
    label: str = ""
    """What the line is about, for a column at the left: ``rule``, ``route``, ``peer``, ``outer``,
    ``back`` …"""
