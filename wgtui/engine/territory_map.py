"""Whose is each block of a range? A range cut into equal blocks, and the owners of all of them.

The partition is exact; a block has an owner when all of its addresses go one way, and is mixed
otherwise. What the partition did not look at is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
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
    """A way that addresses of the range go, or several that count as the same."""

    way: Way
    """The first one of them."""
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


def _itself(way: Way, name: str) -> Hashable:
    return way


def territory_map(
    snapshot: Snapshot,
    within: Prefix,
    blocks: int,
    limit: int = MAP_LIMIT,
    same: Callable[[Way, str], Hashable] = _itself,
) -> TerritoryMap:
    """The range in at most so many blocks, a power of two of them.

    Ways (and what their peer is called) for which ``same`` gives equals are one owner.
    """
    bits = BITS[within.family] - within.length
    deeper = min(bits, blocks.bit_length() - 1)
    size = 1 << (bits - deeper)
    found = partition(snapshot, within, limit=limit)
    counts: dict[Hashable, int] = {}
    ways: dict[Hashable, tuple[Way, str]] = {}
    keys: list[Hashable] = []
    for part in found.parts:
        answer = part.answer
        name = answer.holder.name if answer.holder is not None else ""
        key = same(answer.way, name)
        keys.append(key)
        ways.setdefault(key, (answer.way, name))
        counts[key] = counts.get(key, 0) + part.span[1] - part.span[0] + 1
    order = sorted(counts, key=lambda key: -counts[key])
    place = {key: number for number, key in enumerate(order)}
    cells: list[int] = [UNTOLD] * (1 << deeper)
    for part, key in zip(found.parts, keys, strict=True):
        own = place[key]
        first = (part.span[0] - within.network) // size
        last = (part.span[1] - within.network) // size
        for block in range(first, last + 1):
            cells[block] = own if cells[block] in (UNTOLD, own) else MIXED
    if not found.whole:
        # The block in which the telling ends is only partly known.
        cut = (found.until - within.network) // size
        if (found.until + 1 - within.network) % size:
            cells[cut] = UNTOLD
    owners = tuple(Owner(*ways[key], counts[key]) for key in order)
    return TerritoryMap(within, within.length + deeper, owners, tuple(cells), found.whole)
