"""What does the map of a range show? Rows of equal blocks, lettered by where they go; a legend.

    10.0.0.0/8: a letter is 10.0.0.0/18 …
    10.0.0.0/12    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    10.16.0.0/12   AAAA*AAAAAAAAAAAAAAAAAAAAAAAAAAA
    A  encrypted: fra1 on wg0 (16,316,670 addresses)

Colours repeat what the letters say. A row is a prefix: Enter asks about it, ``l`` looks into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from wgtui.engine.territory_map import MIXED, TerritoryMap, territory_map
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Trace
from wgtui.report.answer_words import addresses_count, way_text
from wgtui.report.line import Tone
from wgtui.tui.row_layout import Cells, clip
from wgtui.tui.rows import Lit, Span

ROWS: Final = 16
BLOCKS: Final = 32
"""In each row: with the longest IPv6 prefix before them they fit into 80 columns."""
LETTERS: Final = ascii_uppercase + ascii_lowercase
_BESIDE: Final = 16
"""Cells that are enough to hint at the legend beside the blocks; it stands below in full."""
_MANY: Final = "#"
"""All others, where there are more ways than letters."""
_INKS: Final = ("head", "good", "warn", "strong", "label")
"""One after the other; what does not arrive is always ``bad``."""


def first_range(snapshot: Snapshot, family: Family) -> Prefix:
    """Where a look at the map begins: what encloses all AllowedIPs but the defaults."""
    own = [
        prefix
        for device in snapshot.devices.values()
        for peer in device.peers
        for prefix in peer.allowed_ips
        if prefix.family == family and prefix.length > 1
    ]
    if not own:
        return Prefix(family, 0, 0)
    first = min(prefix.network for prefix in own)
    last = max(prefix.last for prefix in own)
    return Prefix.of(family, first, BITS[family] - (first ^ last).bit_length())


class MapRows:
    """A head, rows of blocks, and the legend."""

    title = "Map"

    def __init__(self, snapshot: Snapshot, within: Prefix) -> None:
        self.within: Final = within
        self._map: Final[TerritoryMap] = territory_map(snapshot, within, ROWS * BLOCKS)
        blocks = self._map.blocks
        self._per_row: Final = min(BLOCKS, len(blocks))
        self._lines: Final = len(blocks) // self._per_row
        self._legend: Final = list(self._told())
        self._width: Final = max(len(str(self.prefix(line + 1))) for line in range(self._lines))

    def prefix(self, row: int) -> Prefix | None:
        """The prefix of a row of blocks; None: it is the head or the legend."""
        if not 0 < row <= self._lines:
            return None
        length = self._map.length - (self._per_row.bit_length() - 1)
        size = 1 << BITS[self.within.family] - length
        return Prefix(self.within.family, self.within.network + (row - 1) * size, length)

    def _letter(self, block: int) -> Span:
        if block == MIXED:
            return Span("*", "dim")
        if block < 0:
            return Span("?", "unknown")
        outcome = self._map.owners[block].way.outcome
        letter = LETTERS[block] if block < len(LETTERS) else _MANY
        if not outcome.good:
            return Span(letter, "unknown" if outcome is Outcome.UNKNOWN else "bad")
        return Span(letter, _INKS[block % len(_INKS)])

    def _told(self) -> Iterator[tuple[Span, str]]:
        for number, owner in enumerate(self._map.owners[: len(LETTERS)]):
            told = way_text(owner.way, owner.name or None)
            yield self._letter(number), f"{told} ({addresses_count(owner.count)})"
        if len(self._map.owners) > len(LETTERS):
            yield Span(_MANY), f"{len(self._map.owners) - len(LETTERS)} other ways"
        if MIXED in self._map.blocks:
            yield Span("*", "dim"), "mixed: more than one of them; l looks into a row"
        if not self._map.whole:
            yield Span("?", "unknown"), "not looked at: too many prefixes; l looks into a row"

    # --------------------------------------------------------------------------------------- rows

    def __len__(self) -> int:
        return 1 + self._lines + len(self._legend)

    def spans(self, row: int, width: int) -> Cells:
        """The head, one row of blocks, or a line of the legend."""
        if row == 0:
            each = addresses_count(1 << BITS[self.within.family] - self._map.length)
            return (Span(clip(f"{self.within}   a letter is {each}", width), "strong"),)
        prefix = self.prefix(row)
        if prefix is None:
            letter, text = self._legend[row - 1 - self._lines]
            return letter, Span(clip(f"  {text}", width - 1))
        start = (row - 1) * self._per_row
        letters = (self._letter(block) for block in self._map.blocks[start : start + self._per_row])
        cells = (Span(f"{prefix!s:<{self._width}}  ", "label"), *letters)
        room = width - self._width - 2 - self._per_row - 5
        if row > len(self._legend) or room < _BESIDE:
            return cells
        letter, text = self._legend[row - 1]
        return (*cells, Span("   "), letter, Span(f" {clip(text, room)}"))

    def question(self, row: int) -> str | None:
        """The prefix of the row; of the head, the whole range."""
        prefix = self.within if row == 0 else self.prefix(row)
        return None if prefix is None else str(prefix)

    def around(self) -> str:
        """The range of which this one is a row."""
        within = self.within
        length = max(0, within.length - (ROWS.bit_length() - 1))
        return str(Prefix.of(within.family, within.network, length))

    def copy_text(self, row: int) -> str:
        """The prefix, or the line of the legend."""
        return self.question(row) or self._legend[row - 1 - self._lines][1]

    def lit(self, trace: Trace) -> Lit:
        """The row that the packet's destination is in."""
        to = trace.flow.destination
        if to.version != self.within.family or not self.within.covers(int(to)):
            return Lit()
        for row in range(1, self._lines + 1):
            prefix = self.prefix(row)
            if prefix is not None and prefix.covers(int(to)):
                return Lit({row: Tone.NOTE}, {}, row)
        return Lit()
