"""Which of many prefixes covers an address most specifically, and which others cover it too?

One sorted array with a link to the parent in each row is at once the tree to draw and the index to
look up. Two facts make the lookup one bisect and a short walk:

1. Let row *i* be the last one whose network is not above the address. If it covers the address,
   nothing longer does (it would have sorted later and still not be above the address).
2. If it does not, every prefix that does cover the address also covers row *i*: it is one of its
   ancestors, so climbing meets the covering prefixes, longest first.

The same prefix may stand there several times (metrics); its rows keep the order they were given
in, and the parent of a row is the *first* row of the enclosing prefix. How the rows get into their
order, and what they cost, is told in ``prefix_columns``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

from wgtui.model.prefix import BITS, Family, Prefix, new_prefix
from wgtui.model.prefix_columns import (
    NOTHING,
    Columns,
    Edits,
    GrowingColumns,
    edited,
)

NONE: Final = -1
"""No such row."""
_NEAR: Final = 64
"""How many rows before it a parent is looked for first: most are near, and so in the cache."""


class PrefixIndex:
    """Rows of (prefix, value) of one family; a value is a small number that means something to
    the owner."""

    __slots__ = ("_above", "_bits", "family", "lengths", "networks", "values")

    def __init__(
        self,
        family: Family,
        entries: Iterable[tuple[int, int, int]] = (),
        columns: Columns | None = None,
    ) -> None:
        """``entries`` are (network, length, value) with host bits zero, in the order equals
        shall keep; or ``columns`` that are in order already."""
        if columns is None:
            growing, rows = GrowingColumns(family), list(entries)
            if rows:
                growing.extend(*zip(*rows, strict=True))
            columns = growing.finish()
        self.family: Final = family
        self._bits: Final = BITS[family]
        self.networks: Final = columns.networks
        self.lengths: Final = columns.lengths
        self.values: Final = columns.values
        self._above: Final = columns.above

    def edited(self, edits: Edits) -> PrefixIndex:
        """Another index in which these prefixes have these values, as if it had been made anew."""
        return PrefixIndex(self.family, columns=edited(self.family, self.columns, edits))

    @property
    def columns(self) -> Columns:
        """All of it; not to be changed."""
        return Columns(self.networks, self.lengths, self.values, self._above)

    def __len__(self) -> int:
        return len(self.lengths)

    def prefix(self, row: int) -> Prefix:
        """The prefix of a row."""
        return new_prefix(Prefix, self.family, self.networks[row], self.lengths[row])

    def parent(self, row: int) -> int:
        """The first row of the nearest enclosing prefix, or ``NONE``."""
        length = self._above[row]
        if length == 0 or length == NOTHING:
            return NONE if length else 0
        shift = self._bits - length
        networks = self.networks
        network = networks[row] >> shift << shift
        near = row - _NEAR
        start = near if near > 0 and networks[near] < network else 0
        found = bisect_left(networks, network, start, row)
        while self.lengths[found] != length:
            found += 1
        return found

    @property
    def parents(self) -> Parents:
        """The parent of every row."""
        return Parents(self)

    def match(self, address: int) -> int:
        """The first row of the longest prefix that covers the address, or ``NONE``."""
        networks, bits = self.networks, self._bits
        row = bisect_right(networks, address) - 1
        if row < 0:
            return NONE
        network = networks[row]
        if not (address ^ network) >> bits - self.lengths[row]:
            return self.first_of(row) if row and networks[row - 1] == network else row
        while True:
            length = self._above[row]
            if length == NOTHING:
                return NONE
            covered = not (address ^ networks[row]) >> bits - length
            row = self.parent(row)
            if covered:
                return row

    def covering(self, address: int) -> Iterator[int]:
        """The first rows of all prefixes that cover the address, longest first."""
        row = self.match(address)
        while row >= 0:
            yield row
            row = self.parent(row)

    def covering_rows(self, address: int) -> list[int]:
        """All rows that cover the address, longest prefix first; equals in their order."""
        networks, lengths, above = self.networks, self.lengths, self._above
        last = len(lengths) - 1
        row, found = self.match(address), []
        while row >= 0:
            found.append(row)
            if row < last and networks[row + 1] == networks[row]:
                found += self.same(row)[1:]
            row = self.parent(row) if above[row] != NOTHING else NONE
        return found

    def first_of(self, row: int) -> int:
        """The first row with the same prefix."""
        networks, lengths = self.networks, self.lengths
        network, length = networks[row], lengths[row]
        while row and networks[row - 1] == network and lengths[row - 1] == length:
            row -= 1
        return row

    def same(self, row: int) -> range:
        """All rows with the same prefix as this one, in their order."""
        networks, lengths = self.networks, self.lengths
        first = self.first_of(row)
        network, length = networks[first], lengths[first]
        end = first + 1
        while end < len(lengths) and networks[end] == network and lengths[end] == length:
            end += 1
        return range(first, end)

    def find(self, prefix: Prefix) -> int:
        """The first row of exactly this prefix, or ``NONE``."""
        networks, lengths = self.networks, self.lengths
        row = bisect_left(networks, prefix.network)
        while row < len(lengths) and networks[row] == prefix.network:
            if lengths[row] == prefix.length:
                return row
            row += 1
        return NONE

    def inside(self, prefix: Prefix) -> range:
        """All rows whose prefix lies in the given one (it need not be in the index itself)."""
        networks, lengths = self.networks, self.lengths
        start = bisect_left(networks, prefix.network)
        while (
            start < len(lengths)
            and networks[start] == prefix.network
            and lengths[start] < prefix.length
        ):
            start += 1
        return range(start, max(start, bisect_right(networks, prefix.last)))

    def subtree(self, row: int) -> range:
        """The row's prefix (all of its rows) and everything more specific below it."""
        return range(self.first_of(row), bisect_right(self.networks, self.prefix(row).last))

    def depth(self, row: int) -> int:
        """How many less specific prefixes of the index enclose it: how far a tree indents it."""
        depth = 0
        row = self.parent(row)
        while row >= 0:
            depth += 1
            row = self.parent(row)
        return depth


class Parents(Sequence[int]):
    """``PrefixIndex.parent`` of every row, found while somebody looks at it."""

    __slots__ = ("_index",)

    def __init__(self, index: PrefixIndex) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, row: int) -> int: ...
    @overload
    def __getitem__(self, row: slice) -> list[int]: ...
    def __getitem__(self, row: int | slice) -> int | list[int]:
        if isinstance(row, slice):
            return [self._index.parent(one) for one in range(*row.indices(len(self)))]
        return self._index.parent(row)
