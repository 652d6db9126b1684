"""How do prefixes get into the order of a tree, a million at once, and stay in it under changes?

A column holds one thing of every row. Rows are sorted by (network, length), the order in which a
routing tree is drawn: parents before children. For each row, ``above`` says how long the nearest
prefix is that encloses it; its network follows from the row's own, so one byte is a link to the
parent. That makes changes cheap: rows may move without any link going wrong, and a prefix that
comes or goes changes only bytes of rows inside it, which is one ``translate``.

Nothing is edited in place once it is finished: ``edited`` copies memory, and nothing else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import compress, count, islice
from operator import ge
from typing import Final, NamedTuple, TypeAlias

from wgtui.model.prefix import BITS, Family

NOTHING: Final = 255
"""In ``above``: no prefix encloses the row."""

Networks: TypeAlias = "array[int] | list[int]"
"""Of IPv4 an ``array('I')``; no array has room for IPv6's."""
Edits: TypeAlias = Mapping[tuple[int, int], Sequence[int]]
"""Network and length → the values of the rows it shall have, in their order; none: it goes."""


class Columns(NamedTuple):
    """Sorted rows: ten bytes each (IPv4)."""

    networks: Networks
    lengths: array[int]
    values: array[int]
    """Small numbers that mean something to the owner."""
    above: bytes


class GrowingColumns:
    """Takes rows as they come, and sorts them only if they do not come sorted.

    The kernel tells IPv4 routes by ascending network, of equal networks the longest prefix first
    (fib_trie.c:fn_trie_dump_leaf): then all the work is done while they come, a little at a time.
    """

    def __init__(self, family: Family) -> None:
        self._bits: Final = BITS[family]
        self._networks: Networks = array("I") if family == 4 else []
        self._lengths = array("B")
        self._values = array("I")
        self._ascending = True
        self._above = bytearray()
        """Of the rows that are in their place; all others come after them."""
        self._before = (-1, -1)
        """The last row in its place: its network and its last address."""
        self._stack = [(1 << self._bits, NOTHING)]
        """What encloses it: last address and length, the nearest at the end."""

    def __len__(self) -> int:
        return len(self._lengths)

    def extend(
        self, networks: Sequence[int], lengths: Sequence[int], values: Sequence[int]
    ) -> None:
        """More rows; equal prefixes keep the order they come in."""
        self._networks.extend(networks)
        self._lengths.extend(lengths)
        self._values.extend(values)
        if self._ascending:
            # There may be more rows of the last network to come.
            start, end = len(self._above), len(self._lengths) - 1
            while end > start and self._networks[end - 1] == self._networks[end]:
                end -= 1
            self._settle(end)

    def append(self, network: int, length: int, value: int) -> None:
        """One more row."""
        self._networks.append(network)
        self._lengths.append(length)
        self._values.append(value)

    def finish(self) -> Columns:
        """All rows in order. Nothing may be added afterwards."""
        end = len(self._lengths)
        if self._ascending:
            self._settle(end)
        if not self._ascending:
            self._sort()
            self._settle(end)
        return Columns(self._networks, self._lengths, self._values, bytes(self._above))

    def _settle(self, end: int) -> None:
        """Bring the rows before ``end`` into their order, if only equal networks need it."""
        start = len(self._above)
        part = self._networks[start : end + 1]
        groups: list[list[int]] = []
        """The first and the last row of a network that has several."""
        for row in compress(count(start), map(ge, part, islice(part, 1, None))):
            if self._networks[row] > self._networks[row + 1]:
                self._ascending = False
                return
            if groups and groups[-1][1] == row:
                groups[-1][1] = row + 1
            else:
                groups.append([row, row + 1])
        for first, last in groups:
            rows = sorted(range(first, last + 1), key=self._lengths.__getitem__)
            self._lengths[first : last + 1] = array("B", [self._lengths[row] for row in rows])
            self._values[first : last + 1] = array("I", [self._values[row] for row in rows])
        self._enclose(start, end)

    def _sort(self) -> None:
        """All rows by network, and begin anew with what encloses them."""
        order = sorted(range(len(self._networks)), key=self._networks.__getitem__)
        networks = map(self._networks.__getitem__, order)
        self._networks = array("I", networks) if self._bits == 32 else list(networks)
        self._lengths = array("B", map(self._lengths.__getitem__, order))
        self._values = array("I", map(self._values.__getitem__, order))
        self._above.clear()
        self._before = (-1, -1)
        del self._stack[1:]

    def _enclose(self, start: int, end: int) -> None:
        """What encloses these rows, which are in their order? One pass with a stack."""
        host = [(1 << bits) - 1 for bits in range(self._bits, -1, -1)]
        stack, append = self._stack, self._above.append
        top_last, top = stack[-1]
        before, before_last = self._before
        before_length = self._lengths[start - 1] if start else 0
        rows = zip(self._networks[start:end], self._lengths[start:end], strict=True)
        for network, length in rows:
            if network > before_last:
                while network > top_last:
                    stack.pop()
                    top_last, top = stack[-1]
            elif network != before or length != before_length:
                top_last, top = before_last, before_length
                stack.append((top_last, top))
            append(top)
            before, before_length, before_last = network, length, network | host[length]
        self._before = before, before_last


def edited(family: Family, old: Columns, edits: Edits) -> Columns:
    """The columns after some prefixes have got other rows, as if all had been sorted anew."""
    bits = BITS[family]
    above = bytearray(old.above)
    moves: list[tuple[int, int, int, int, Sequence[int]]] = []
    """From row, to row, network, length, new values."""
    values = array("I", old.values)
    born = []
    # Whole numbers are sorted ten times faster than pairs, and nobody gets a turn meanwhile.
    for key in sorted([network << 8 | length for network, length in edits]):
        network, length = key >> 8, key & 0xFF
        wanted = edits[network, length]
        first, end = rows_of(old, network, length)
        if end - first == len(wanted):
            values[first:end] = array("I", wanted)
            continue
        moves.append((first, end, network, length, wanted))
        if first == end:
            born.append((network, length))
        elif not wanted:
            _close_up(old.networks, above, first, end, network | _host(bits, length), length)
    if not moves:
        return old._replace(values=values)
    spliced = _splice(old, values, above, moves)
    above = bytearray(spliced.above)
    for network, length in born:
        first, end = rows_of(spliced, network, length)
        _open_up(spliced, above, bits, first, end)
    return spliced._replace(above=bytes(above))


def rows_of(columns: Columns, network: int, length: int) -> tuple[int, int]:
    """The rows of a prefix; where they belong, if there are none."""
    networks, lengths = columns.networks, columns.lengths
    first, size = bisect_left(networks, network), len(lengths)
    while first < size and networks[first] == network and lengths[first] < length:
        first += 1
    end = first
    while end < size and networks[end] == network and lengths[end] == length:
        end += 1
    return first, end


def _host(bits: int, length: int) -> int:
    return (1 << bits - length) - 1


def _close_up(
    networks: Networks, above: bytearray, first: int, end: int, last: int, length: int
) -> None:
    """A prefix goes: what it enclosed directly is now enclosed by what encloses it."""
    inside_end = bisect_right(networks, last, end)
    if inside_end > end:
        table = bytes.maketrans(bytes([length]), bytes([above[first]]))
        above[end:inside_end] = above[end:inside_end].translate(table)


def _splice(
    old: Columns,
    values: array[int],
    above: bytearray,
    moves: Sequence[tuple[int, int, int, int, Sequence[int]]],
) -> Columns:
    """Old and new rows in one; of a new prefix it is not yet known what encloses it."""
    networks: Networks = array("I") if isinstance(old.networks, array) else []
    lengths, merged, links = array("B"), array("I"), bytearray()
    done = 0
    for first, end, network, length, wanted in (*moves, (len(values), len(values), 0, 0, ())):
        networks += old.networks[done:first]  # type: ignore[operator]  # both of one kind
        lengths += old.lengths[done:first]
        merged += values[done:first]
        links += above[done:first]
        if wanted:
            networks.extend([network] * len(wanted))
            lengths.extend([length] * len(wanted))
            merged.extend(wanted)
            links += bytes([above[first] if first < end else NOTHING]) * len(wanted)
        done = end
    return Columns(networks, lengths, merged, bytes(links))


def _open_up(columns: Columns, above: bytearray, bits: int, first: int, end: int) -> None:
    """A prefix has come: find what encloses it, and tell what it encloses directly.

    All prefixes before it must be known already, those inside it need not.
    """
    networks, lengths = columns.networks, columns.lengths
    network, length = networks[first], lengths[first]
    row, link = first - 1, NOTHING
    if row >= 0:
        link = lengths[row]
        while link != NOTHING and (network ^ networks[row]) >> bits - link:
            link = above[row]
            if link != NOTHING:
                wanted = networks[row] >> bits - link << bits - link
                row = rows_of(columns, wanted, link)[0]
    above[first:end] = bytes([link]) * (end - first)
    inside_end = bisect_right(networks, network | _host(bits, length), end)
    if inside_end > end:
        less = bytes([*range(length), NOTHING])
        table = bytes.maketrans(less, bytes([length]) * len(less))
        above[end:inside_end] = above[end:inside_end].translate(table)
