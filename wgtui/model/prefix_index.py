"""Which of many prefixes covers an address most specifically, and which others cover it too?

One sorted array with parent links is at once the tree to draw and the index to look up.

Rows are sorted by (network, length): that is the order in which a routing tree is drawn, parents
before children. Two facts make the lookup one bisect and a short walk:

1. Let row *i* be the last one whose network is not above the address. If it covers the address,
   nothing longer does (it would have sorted later and still not be above the address).
2. If it does not, every prefix that does cover the address also covers row *i*: it is one of its
   ancestors, so following ``parents`` meets the covering prefixes, longest first.

The same prefix may stand there several times (metrics); its rows keep the order they were given in,
and ``parents`` names the *first* row of the enclosing prefix. IPv4 networks lie in an
``array('I')``: 13 bytes a row with everything. IPv6 networks are Python integers in a list.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wgtui.model.prefix import BITS, Family, Prefix

NONE: Final = -1
"""No such row."""


class PrefixIndex:
    """Rows of (prefix, value) of one family; a value is a small number that means something to
    the owner."""

    __slots__ = ("_bits", "family", "lengths", "networks", "parents", "values")

    def __init__(self, family: Family, entries: Iterable[tuple[int, int, int]] = ()) -> None:
        """``entries`` are (network, length, value) with host bits zero, in the order equals
        shall keep."""
        self.family: Final = family
        self._bits: Final = BITS[family]
        # A stable sort on (network, length) alone: equal prefixes keep the order they came in.
        rows = sorted(entries, key=_network_then_length)
        networks = [row[0] for row in rows]
        self.networks: Final[Sequence[int]] = array("I", networks) if family == 4 else networks
        self.lengths: Final = array("B", [row[1] for row in rows])
        self.values: Final = array("I", [row[2] for row in rows])
        self.parents: Final = _parents(self.networks, self.lengths, self._bits)

    def __len__(self) -> int:
        return len(self.lengths)

    def prefix(self, row: int) -> Prefix:
        """The prefix of a row."""
        return Prefix(self.family, self.networks[row], self.lengths[row])

    def match(self, address: int) -> int:
        """The first row of the longest prefix that covers the address, or ``NONE``."""
        networks, lengths, parents, bits = self.networks, self.lengths, self.parents, self._bits
        row = bisect_right(networks, address) - 1
        while row >= 0 and (address ^ networks[row]) >> (bits - lengths[row]):
            row = parents[row]
        return self.first_of(row) if row > 0 else row

    def covering(self, address: int) -> Iterator[int]:
        """The first rows of all prefixes that cover the address, longest first."""
        row = self.match(address)
        while row >= 0:
            yield row
            row = self.parents[row]

    def covering_rows(self, address: int) -> list[int]:
        """All rows that cover the address, longest prefix first; equals in their order."""
        networks, lengths, parents = self.networks, self.lengths, self.parents
        size = len(lengths)
        row, found = self.match(address), []
        while row >= 0:
            found.append(row)
            network, length, equal = networks[row], lengths[row], row + 1
            while equal < size and networks[equal] == network and lengths[equal] == length:
                found.append(equal)
                equal += 1
            row = parents[row]
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
        row = self.parents[row]
        while row >= 0:
            depth += 1
            row = self.parents[row]
        return depth


def _network_then_length(entry: tuple[int, int, int]) -> int:
    return entry[0] << 8 | entry[1]


def _parents(networks: Sequence[int], lengths: array[int], bits: int) -> array[int]:
    """For every row the first row of the nearest enclosing prefix, or ``NONE``: one pass with a
    stack."""
    parents = array("i", bytes(4 * len(lengths)))
    stack: list[int] = []
    previous_network, previous_length = -1, -1
    for row, length in enumerate(lengths):
        network = networks[row]
        if network == previous_network and length == previous_length:
            parents[row] = parents[row - 1]
            continue
        while stack and (network ^ networks[stack[-1]]) >> (bits - lengths[stack[-1]]):
            stack.pop()
        parents[row] = stack[-1] if stack else NONE
        stack.append(row)
        previous_network, previous_length = network, length
    return parents
