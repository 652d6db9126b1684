"""Whose is each block of a range? A range cut into equal blocks, and the owners of all of them.

The partition is exact; a block has an owner when all of its addresses go one way, and is mixed
otherwise. What the partition did not look at is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wgtui.engine.answer import Way
from wgtui.engine.territory import partition
from wgtui.model.prefix import BITS, Prefix
from wgtui.model.snapshot import Snapshot

MIXED: Final = -1
UNTOLD: Final = -2
MAP_LIMIT: Final = 4_000
"""Prefixes looked at for a map: a third of a second."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A way that addresses of the range go."""

    way: Way
    name: str
    """What the peer is called, if it is one; untrusted."""
    count: int
    """Addresses of the range."""


@dataclass(frozen=True, slots=True)
class TerritoryMap:
    """A range in equal blocks."""

    within: Prefix
    length: int
    """Of each block's prefix."""
    owners: tuple[Owner, ...]
    """Those with the most addresses first."""
    blocks: tuple[int, ...]
    """For each block the place of its owner in ``owners``, ``MIXED`` or ``UNTOLD``."""
    whole: bool


def territory_map(
    snapshot: Snapshot, within: Prefix, blocks: int, limit: int = MAP_LIMIT
) -> TerritoryMap:
    """The range in at most so many blocks, a power of two of them."""
    bits = BITS[within.family] - within.length
    deeper = min(bits, blocks.bit_length() - 1)
    size = 1 << (bits - deeper)
    found = partition(snapshot, within, limit=limit)
    counts: dict[Way, int] = {}
    names: dict[Way, str] = {}
    for part in found.parts:
        way = part.answer.way
        counts[way] = counts.get(way, 0) + part.span[1] - part.span[0] + 1
        names.setdefault(way, part.answer.holder.name if part.answer.holder is not None else "")
    ways = sorted(counts, key=lambda way: -counts[way])
    place = {way: number for number, way in enumerate(ways)}
    cells: list[int] = [UNTOLD] * (1 << deeper)
    for part in found.parts:
        own = place[part.answer.way]
        first = (part.span[0] - within.network) // size
        last = (part.span[1] - within.network) // size
        for block in range(first, last + 1):
            cells[block] = own if cells[block] in (UNTOLD, own) else MIXED
    if not found.whole:
        # The block in which the telling ends is only partly known.
        cut = (found.until - within.network) // size
        if (found.until + 1 - within.network) % size:
            cells[cut] = UNTOLD
    owners = tuple(Owner(way, names[way], counts[way]) for way in ways)
    return TerritoryMap(within, within.length + deeper, owners, tuple(cells), found.whole)
