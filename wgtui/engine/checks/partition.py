"""Where does the system route every address of a range? The walk of ``engine.rules`` for whole
ranges at once.

For packets that differ only in their destination the rules that match are known beforehand, but for
those with a ``to``: they become *layers*, tables one below the other. A range is swept through the
layers like a sorted list, so that forty thousand prefixes cost one pass and not one walk each.
``engine.rules.walk`` is asked again for the few addresses that a finding names.

What a range can say is a number, a *way*: ``MISS`` (no route), or the code of a kind or of a set of
links, with the length of the prefix that decided. Own addresses count as decided by the local
table, also while IPv4's local and main are one tree (S-A4).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from wgtui.engine.query import Query
from wgtui.model.network import (
    LinkIndex,
)
from wgtui.model.prefix import BITS, Prefix
from wgtui.model.prefix_index import NONE, PrefixIndex
from wgtui.model.routes import RouteTable

MISS: Final = 0
LOCAL: Final = 1
"""Own addresses, broadcast and multicast: not sent to anybody else."""
REFUSED: Final = 2
UNKNOWN: Final = 3
MIXED: Final = 4
"""One of several links, and nobody knows which."""
FIRST_LINKS: Final = 5
PASSED_OVER: Final = -1
"""The route is as if it were not there: the next one, or a shorter prefix, is asked."""

Span: TypeAlias = tuple[int, int, int]
"""First address, last address, what it says."""


class Way(NamedTuple):
    """What is decided for an address."""

    code: int
    length: int
    """Of the prefix that decided; 0 for a rule's own action too."""


def way_of(value: int) -> Way:
    """A value of a span, taken apart."""
    return Way(value >> 8, value & 0xFF)


def sweep(
    tree: PrefixIndex, first: int, last: int, value_of: Callable[[int], int]
) -> Iterator[tuple[int, int]]:
    """Where the answer of longest-prefix match changes in a range: (address, value), from
    ``first`` on.

    ``value_of`` is asked with the first row of a prefix; ``PASSED_OVER`` makes it transparent.
    """
    networks, lengths, bits = tree.networks, tree.lengths, BITS[tree.family]
    open_: list[tuple[int, int]] = [(1 << bits, MISS)]
    for row in reversed(list(tree.covering(first))):
        value = value_of(row)
        if value != PASSED_OVER:
            end = networks[row] | (1 << (bits - lengths[row])) - 1
            open_.append((end, value))
    said = open_[-1][1]
    yield first, said
    row, end_row = bisect_right(networks, first), bisect_right(networks, last)
    while row < end_row:
        network, length = networks[row], lengths[row]
        while open_[-1][0] < network:
            place = open_.pop()[0] + 1
            if open_[-1][0] >= place and open_[-1][1] != said and place < network:
                said = open_[-1][1]
                yield place, said
        value = value_of(row)
        if value != PASSED_OVER:
            open_.append((network | (1 << (bits - length)) - 1, value))
        if open_[-1][1] != said:
            said = open_[-1][1]
            yield network, said
        row += 1
        while row < end_row and networks[row] == network and lengths[row] == length:
            row += 1
    while open_[-1][0] < last:
        place = open_.pop()[0] + 1
        if open_[-1][0] >= place and open_[-1][1] != said:
            said = open_[-1][1]
            yield place, said


def spans_of(changes: Iterable[tuple[int, int]], last: int) -> Iterator[Span]:
    """Changes as spans; of several at one address the last one holds."""
    start, said = -1, MISS
    for place, value in changes:
        if start >= 0 and place > start:
            yield start, place - 1, said
        start, said = place, value
    if start >= 0:
        yield start, last, said


class Layer:
    """One table, or one rule's own action, for the addresses inside or outside a prefix."""

    def __init__(
        self,
        region: Prefix | None,
        outside: bool,
        fixed: int = MISS,
        table: Codes | None = None,
        shortest: int = -1,
        hidden: frozenset[int] = frozenset(),
        above: int = -1,
    ) -> None:
        """``above``: of the table only longer prefixes."""
        self.region = region
        self.outside = outside
        self.fixed = fixed
        self.table = table
        self._shortest = shortest
        self._hidden = hidden
        self._above = above

    def _value(self, row: int) -> int:
        """Of the first row of a prefix."""
        if self.table is None:
            return self.fixed
        code = self.table.code(row)
        if code <= MISS:
            return code
        length = self.table.tree.lengths[row]
        if length <= self._above:
            return MISS
        if code != REFUSED and (length <= self._shortest or code in self._hidden):
            return MISS
        return code << 8 | length

    def at(self, address: int) -> int:
        """What it says of one address."""
        if self.region is not None and self.region.covers(address) is self.outside:
            return MISS
        if self.table is None:
            return self.fixed
        tree = self.table.tree
        row = tree.match(address)
        while row != NONE:
            value = self._value(row)
            if value != PASSED_OVER:
                return value
            row = tree.parent(row)
        return MISS

    def spans(self, first: int, last: int) -> Iterator[Span]:
        """What it says of a range."""
        for start, end, asked in self._parts(first, last):
            if not asked:
                yield start, end, MISS
            elif self.table is None:
                yield start, end, self.fixed
            else:
                yield from spans_of(sweep(self.table.tree, start, end, self._value), end)

    def _parts(self, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
        """The range, cut where the region begins and ends."""
        if self.region is None:
            yield first, last, True
            return
        low, high = max(first, self.region.network), min(last, self.region.last)
        if low > high:
            yield first, last, self.outside
            return
        if first < low:
            yield first, low - 1, self.outside
        yield low, high, not self.outside
        if high < last:
            yield high + 1, last, self.outside


class Codes:
    """A table whose routes are already understood: the code of every row."""

    def __init__(self, routes: RouteTable, codes: Sequence[int]) -> None:
        self.tree = routes.tree
        self._routes = routes
        self._codes = codes

    def code(self, row: int) -> int:
        """Of the prefix whose first row it is."""
        tree, codes = self.tree, self._codes
        lengths, networks = tree.lengths, tree.networks
        after = row + 1
        if (
            after == len(lengths)
            or networks[after] != networks[row]
            or lengths[after] != lengths[row]
        ):
            return codes[tree.values[row]]
        return self._first_usable(row)

    def _first_usable(self, row: int) -> int:
        rows = [one for one in self.tree.same(row) if self._codes[self.tree.values[one]] >= MISS]
        if not rows:
            return PASSED_OVER
        first, *others = rows
        code, info = self._codes[self.tree.values[first]], self._routes.info(first)
        rivals = self.tree.family == 6 or self.tree.lengths[row] == 0
        for other in others:
            if self._routes.info(other).metric != info.metric:
                break
            if rivals and self._codes[self.tree.values[other]] != code:
                return MIXED
        return code


class Routing:
    """The layers for one kind of packet, the first to say something decides."""

    def __init__(
        self, query: Query, layers: Sequence[Layer], sets: Sequence[frozenset[LinkIndex]]
    ) -> None:
        self.query = query
        """One of the packets it is for, whatever its destination."""
        self.family = query.family
        self._sets = sets
        self.layers = layers
        self.rows = sum(len(layer.table.tree) for layer in layers if layer.table is not None)
        """Of all its tables."""

    def at(self, address: int) -> int:
        """The way of one address."""
        for layer in self.layers:
            value = layer.at(address)
            if value != MISS:
                return value
        return MISS

    def spans(self, first: int, last: int) -> Iterator[Span]:
        """The ways of a range, without holes."""
        yield from self._below(0, first, last)

    def _below(self, depth: int, first: int, last: int) -> Iterator[Span]:
        if depth == len(self.layers):
            yield first, last, MISS
            return
        for start, end, value in self.layers[depth].spans(first, last):
            if value == MISS:
                yield from self._below(depth + 1, start, end)
            else:
                yield start, end, value

    def links(self, value: int) -> frozenset[LinkIndex]:
        """The links of a way; empty for all that is no way out."""
        return self._sets[value >> 8]
