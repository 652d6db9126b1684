"""Several things may be said about one row: which one is shown?"""

from __future__ import annotations

from typing import Final

from wgtui.report.line import Tone
from wgtui.tui.rows import Lit

RANK: Final = (
    Tone.PLAIN,
    Tone.REFUSED,
    Tone.LOST,
    Tone.NOTE,
    Tone.ALSO,
    Tone.UNKNOWN,
    Tone.WON,
    Tone.GOOD,
    Tone.BAD,
)
"""The later ones win: a default that was suppressed first and chosen in the end has won."""


class Marks:
    """Collects the marks of a Trace, then becomes a ``Lit``."""

    def __init__(self) -> None:
        self._marks: dict[int, Tone] = {}
        self._words: dict[int, str] = {}
        self._show: int | None = None

    def put(self, row: int | None, tone: Tone, word: str = "") -> None:
        """Mark a row, unless something more telling is said about it; no row is no mark."""
        if row is None:
            return
        old = self._marks.get(row, Tone.PLAIN)
        if RANK.index(tone) < RANK.index(old):
            return
        self._marks[row] = tone
        if word:
            self._words[row] = word
        else:
            self._words.pop(row, None)

    def point(self, row: int | None) -> None:
        """Show this row; the last one pointed at is shown."""
        if row is not None:
            self._show = row

    def lit(self) -> Lit:
        """What was collected."""
        return Lit(self._marks, self._words, self._show)
