"""What does the map of a range show? Rows of equal blocks, lettered by where they go; a legend.

    10.0.0.0/8   a letter is 32,768 addresses
    10.0.0.0/12    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA   A encrypted fra1
    10.16.0.0/12   AAAA*AAAAAAAAAAAAAAAAAAAAAAAAAAA   * mixed
    A  encrypted: fra1 on wg0 (16,316,670 addresses)
    *  mixed, l looks into a row; only there: local: delivered on this host (1 address)

Colours repeat what the letters say. A row is a prefix: Enter asks about it, ``l`` looks into it.
Beside the blocks the legend is told in short, where that fits; below it in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import Final, NamedTuple

from rich.cells import cell_len

from wgtui.engine.answer import Way
from wgtui.engine.territory_map import MIXED, Owner, TerritoryMap, territory_map
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Trace
from wgtui.report.answer_words import addresses_count, way_short, way_text
from wgtui.report.line import Tone
from wgtui.tui.row_layout import Cells, clip, paragraph
from wgtui.tui.rows import Lit, Span

ROWS: Final = 16
BLOCKS: Final = 32
"""In each row: with the longest IPv6 prefix before them they fit into 80 columns."""
LETTERS: Final = ascii_uppercase + ascii_lowercase
_ODD: Final = 0.15
"""The part of all AllowedIPs, at either end, that a first look may leave out."""
_MANY: Final = "#"
"""All others, where there are more ways than letters."""
_INKS: Final = ("head", "good", "warn", "strong", "label")
"""One after the other; what does not arrive is always ``bad``."""


def first_range(snapshot: Snapshot, family: Family) -> Prefix:
    """Where a look at the map begins: what encloses most AllowedIPs, the defaults not counted."""
    own = [
        prefix
        for device in snapshot.devices.values()
        for peer in device.peers
        for prefix in peer.allowed_ips
        if prefix.family == family and prefix.length > 1
    ]
    if not own:
        return Prefix(family, 0, 0)
    own.sort()
    odd = int(len(own) * _ODD)
    first = min(prefix.network for prefix in own[odd : len(own) - odd])
    last = max(prefix.last for prefix in own[odd : len(own) - odd])
    return Prefix.of(family, first, BITS[family] - (first ^ last).bit_length())


class Told(NamedTuple):
    """What a letter says."""

    letter: Span
    short: str
    """In few words; empty: it has no letter of its own."""
    text: str


def _told_alike(way: Way, name: str) -> str:
    """What the legend would say twice is one region."""
    return way_text(way, name or None)


def _in_full(owner: Owner) -> str:
    return f"{way_text(owner.way, owner.name or None)} ({addresses_count(owner.count)})"


class MapRows:
    """A head, rows of blocks, and the legend."""

    title = "Map"

    def __init__(self, snapshot: Snapshot, within: Prefix) -> None:
        self.within: Final = within
        self._map: Final[TerritoryMap] = territory_map(
            snapshot, within, ROWS * BLOCKS, same=_told_alike
        )
        blocks = self._map.blocks
        shown = set(blocks)
        lettered = (number for number in range(len(self._map.owners)) if number in shown)
        self._number: Final = {owner: number for number, owner in enumerate(lettered)}
        """The owners that a block belongs to, and which letter in the row they have."""
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
        outcome, number = self._map.owners[block].way.outcome, self._number[block]
        letter = LETTERS[number] if number < len(LETTERS) else _MANY
        if not outcome.good:
            return Span(letter, "unknown" if outcome is Outcome.UNKNOWN else "bad")
        return Span(letter, _INKS[number % len(_INKS)])

    def _told(self) -> Iterator[Told]:
        owners = self._map.owners
        for number, place in self._number.items():
            if place < len(LETTERS):
                way, name = owners[number].way, owners[number].name or None
                yield Told(self._letter(number), way_short(way, name), _in_full(owners[number]))
        if len(self._number) > len(LETTERS):
            others = f"{len(self._number) - len(LETTERS)} other ways"
            yield Told(Span(_MANY), others, others)
        if MIXED in self._map.blocks:
            mixed = Span("*", "dim")
            yield Told(mixed, "mixed", "mixed: more than one of them; l looks into a row")
            for number, owner in enumerate(owners):
                if number not in self._number:
                    yield Told(mixed, "", f"only in mixed ones: {_in_full(owner)}")
        if not self._map.whole:
            missing = "not looked at: too many prefixes; l looks into a row"
            yield Told(Span("?", "unknown"), "not looked at", missing)

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
            told = self._legend[row - 1 - self._lines]
            return told.letter, Span("  "), *paragraph(told.text, width, 3, "")[1:]
        start = (row - 1) * self._per_row
        letters = (self._letter(block) for block in self._map.blocks[start : start + self._per_row])
        cells = (Span(f"{prefix!s:<{self._width}}  ", "label"), *letters)
        room = width - self._width - 2 - self._per_row - 5
        if row > len(self._legend) or not 0 < cell_len(self._legend[row - 1].short) <= room:
            return cells
        return (
            *cells,
            Span("   "),
            self._legend[row - 1].letter,
            Span(f" {self._legend[row - 1].short}"),
        )

    def question(self, row: int) -> str | None:
        """The prefix of the row; of the head, the whole range."""
        prefix = self.within if row == 0 else self.prefix(row)
        return None if prefix is None else str(prefix)

    def first_of(self, row: int) -> int:
        """Where to look at what a row of the legend is about: the first row of blocks with it."""
        at = row - 1 - self._lines
        letter = self._legend[at].letter if 0 <= at < len(self._legend) else None
        for number, block in enumerate(self._map.blocks):
            if self._letter(block) == letter:
                return 1 + number // self._per_row
        return 1

    def around(self) -> str:
        """The range of which this one is a row."""
        within = self.within
        length = max(0, within.length - (ROWS.bit_length() - 1))
        return str(Prefix.of(within.family, within.network, length))

    def copy_text(self, row: int) -> str:
        """The prefix, or the line of the legend."""
        return self.question(row) or self._legend[row - 1 - self._lines].text

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
