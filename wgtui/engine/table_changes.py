"""Which routes differ between two readings of one table? A million rows, compared as columns.

Both readings are sorted by prefix. Blocks of rows are compared whole, as slices of arrays; only
where a block differs are its rows looked at one by one. So a table in which nothing moved costs
some milliseconds, and one that is all new about a second.

What two readings call the same route may differ in numbers only: positions of infos, indexes of
links that were made anew, seconds that are left. ``Sameness`` gives both one number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex, NextHop, RouteInfo
from wgtui.model.prefix import Prefix
from wgtui.model.routes import RouteTable

_BLOCK: Final = 256


class Difference(NamedTuple):
    """One route of two readings; None: it is in the other one only."""

    destination: Prefix
    before: RouteInfo | None
    after: RouteInfo | None


class Sameness:
    """One number for all infos that mean the same, whichever reading they are from."""

    def __init__(self, links: Mapping[LinkIndex, LinkIndex]) -> None:
        """``links``: the index after, of links that had another one before. The tables that are
        compared must outlive this."""
        self._links = links
        self._numbers: dict[RouteInfo, int] = {}
        self._of_infos: dict[tuple[int, bool], list[int]] = {}
        """By identity: the tables of one reading share their infos."""

    def columns(self, table: RouteTable | None, before: bool) -> _Columns:
        """The table with numbers that can be compared with the other reading's."""
        if table is None:
            return _Columns((), array("B"), array("I"), ())
        numbers = self._of_infos.get((id(table.infos), before))
        if numbers is None:
            numbers = [self._number(info, before) for info in table.infos]
            self._of_infos[id(table.infos), before] = numbers
        tree = table.tree
        values = tree.values
        if numbers != list(range(len(numbers))):
            values = array("I", map(numbers.__getitem__, tree.values))
        return _Columns(tree.networks, tree.lengths, values, (table,))

    def _number(self, info: RouteInfo, before: bool) -> int:
        return self._numbers.setdefault(self._plain(info, before), len(self._numbers))

    def _plain(self, info: RouteInfo, before: bool) -> RouteInfo:
        if info.expires:  # counts down by itself; 0 is expired, which is a change
            info = replace(info, expires=None)
        if before and any(hop.link in self._links for hop in info.next_hops):
            info = replace(info, next_hops=tuple(map(self._moved, info.next_hops)))
        return info

    def _moved(self, hop: NextHop) -> NextHop:
        return hop if hop.link is None else replace(hop, link=self._links.get(hop.link, hop.link))


@dataclass(frozen=True, slots=True)
class _Columns:
    networks: Sequence[int]
    lengths: array[int]
    values: array[int]
    table: tuple[RouteTable, ...]

    def __len__(self) -> int:
        return len(self.lengths)

    def key(self, row: int) -> int:
        """Rows are sorted by it."""
        return self.networks[row] << 8 | self.lengths[row]

    def run(self, row: int) -> int:
        """The first row behind those of the same prefix."""
        key, end = self.key(row), row + 1
        while end < len(self.lengths) and self.key(end) == key:
            end += 1
        return end

    def destination(self, row: int) -> Prefix:
        return self.table[0].tree.prefix(row)

    def info(self, row: int) -> RouteInfo:
        return self.table[0].info(row)


def differences(
    before: RouteTable | None, after: RouteTable | None, same: Sameness
) -> Iterator[Difference]:
    """What came, what went, and what leads another way, in the order of the prefixes."""
    if before is after:
        return
    old, new = same.columns(before, True), same.columns(after, False)
    at_old = at_new = 0
    while at_old < len(old) and at_new < len(new):
        if _equal_blocks(old, at_old, new, at_new):
            at_old, at_new = at_old + _BLOCK, at_new + _BLOCK
            continue
        stop = at_old + _BLOCK
        while at_old < stop and at_old < len(old) and at_new < len(new):
            key_old, key_new = old.key(at_old), new.key(at_new)
            end_old = old.run(at_old) if key_old <= key_new else at_old
            end_new = new.run(at_new) if key_new <= key_old else at_new
            yield from _run(old, range(at_old, end_old), new, range(at_new, end_new))
            at_old, at_new = end_old, end_new
    yield from _run(old, range(at_old, len(old)), new, range(0))
    yield from _run(old, range(0), new, range(at_new, len(new)))


def _equal_blocks(old: _Columns, at_old: int, new: _Columns, at_new: int) -> bool:
    end_old, end_new = at_old + _BLOCK, at_new + _BLOCK
    return (
        end_old <= len(old)
        and end_new <= len(new)
        and old.values[at_old:end_old] == new.values[at_new:end_new]
        and old.networks[at_old:end_old] == new.networks[at_new:end_new]
        and old.lengths[at_old:end_old] == new.lengths[at_new:end_new]
    )


def _run(old: _Columns, rows_old: range, new: _Columns, rows_new: range) -> Iterator[Difference]:
    """Rows of one prefix in both; or rows of any prefixes in one of them only."""
    if len(rows_old) == len(rows_new) == 1 and old.values[rows_old[0]] == new.values[rows_new[0]]:
        return
    gone = list(rows_old)
    come: list[int] = []
    if rows_old and rows_new:
        left = [old.values[row] for row in gone]
        for row in rows_new:
            if new.values[row] in left:
                position = left.index(new.values[row])
                del left[position], gone[position]
            else:
                come.append(row)
    else:
        come = list(rows_new)
    for row in gone:
        info = old.info(row)
        partner = _of_the_same_rank(new, come, info) if rows_new else None
        if partner is not None:
            come.remove(partner)
        after = None if partner is None else new.info(partner)
        yield Difference(old.destination(row), info, after)
    for row in come:
        yield Difference(new.destination(row), None, new.info(row))


def _of_the_same_rank(new: _Columns, rows: list[int], info: RouteInfo) -> int | None:
    """The row that took its place: of the same metric and tos."""
    rank = (info.metric, info.tos)
    for row in rows:
        found = new.info(row)
        if (found.metric, found.tos) == rank:
            return row
    return None
