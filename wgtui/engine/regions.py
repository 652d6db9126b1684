"""Into which pieces do nested prefixes cut an address range?

Prefixes never overlap halfway: of two, one encloses the other or they are strangers. So all
addresses with the same *innermost* prefix are covered by the same prefixes, and whatever asks only
"which of these cover it" has the same answer for all of them: a range with ten thousand prefixes in
it needs ten thousand and one answers, wherever the addresses lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby
from typing import NamedTuple, TypeAlias

from wgtui.model.address_set import Span
from wgtui.model.prefix import BITS, Prefix
from wgtui.model.prefix_index import PrefixIndex

Edge: TypeAlias = tuple[int, int]
"""Network and length of a prefix that matters."""


def edges_in(tree: PrefixIndex, within: Prefix) -> Iterator[Edge]:
    """The prefixes of an index that lie in the range, ascending."""
    networks, lengths = tree.networks, tree.lengths
    return ((networks[row], lengths[row]) for row in tree.inside(within))


def listed(prefixes: Iterable[Prefix], within: Prefix) -> list[Edge]:
    """Those of a few prefixes that lie in the range, ascending."""
    return sorted({(p.network, p.length) for p in prefixes if within.contains(p)})


class Regions(NamedTuple):
    """A range and the prefixes that cut it; row 0 is the range itself."""

    within: Prefix
    nodes: PrefixIndex
    until: int
    """The last address that is told about: the end of the range, unless there are too many
    prefixes in it."""

    @property
    def whole(self) -> bool:
        """Is all of the range told about?"""
        return self.until == self.within.last

    def sweep(self) -> Iterator[tuple[int, Span]]:
        """Every piece in ascending order, without gaps, with the row of its innermost prefix."""
        networks, lengths, bits = self.nodes.networks, self.nodes.lengths, BITS[self.within.family]
        open_rows = [(0, self.within.last)]
        at = self.within.network
        for row in range(1, len(lengths)):
            network = networks[row]
            while open_rows[-1][1] < network:
                closed, last = open_rows.pop()
                if at <= last:
                    yield closed, (at, last)
                    at = last + 1
            if at < network:
                yield open_rows[-1][0], (at, network - 1)
                at = network
            open_rows.append((row, network | (1 << (bits - lengths[row])) - 1))
        while open_rows:
            closed, last = open_rows.pop()
            last = min(last, self.until)
            if at <= last:
                yield closed, (at, last)
                at = last + 1


def cut(within: Prefix, edges: Iterable[Iterable[Edge]], limit: int) -> Regions:
    """Cut the range at all of these (each ascending), but at no more than ``limit`` of them.

    Beyond the first ``limit`` prefixes nothing is told: a prefix not looked at may begin there.
    """
    rows: list[Edge] = [(within.network, within.length)]
    until = within.last
    for edge, _ in groupby(merge(*edges)):
        if edge == rows[0]:
            continue
        if len(rows) > limit:
            # Everything before this edge is known: those that follow begin here or later.
            until = edge[0] - 1
            rows = [row for row in rows if row[0] <= until or row == rows[0]]
            break
        rows.append(edge)
    nodes = PrefixIndex(within.family, ((network, length, 0) for network, length in rows))
    return Regions(within, nodes, until)
