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
from typing import Final, TypeAlias

from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex, NextHop, RouteInfo
from wgtui.model.prefix_index import NONE
from wgtui.model.routes import RouteTable

_BLOCK: Final = 256


Rows: TypeAlias = tuple[int, int]
"""A row before and the row after that took its place; ``NONE``: it is in the other reading only."""


class Sameness:
    """One number for all infos that mean the same, whichever reading they are from."""

    def __init__(self, links: Mapping[LinkIndex, LinkIndex]) -> None:
        """``links``: the index after, of links that had another one before. The tables that are
        compared must outlive this."""
        self._links = links
        self._numbers: dict[RouteInfo, int] = {}
        self.ranks: list[tuple[int, int]] = []
        """By number: metric and tos. Of one prefix and rank there is one route as a rule, and one
        that comes takes the place of one that goes."""
        self._of_infos: dict[tuple[int, bool], list[int]] = {}
        """By identity: the tables of one reading share their infos."""

    def columns(self, table: RouteTable | None, before: bool) -> _Columns:
        """The table with numbers that can be compared with the other reading's."""
        if table is None:
            return _Columns((), array("B"), array("I"))
        numbers = self._of_infos.get((id(table.infos), before))
        if numbers is None:
            numbers = [self._number(info, before) for info in table.infos]
            self._of_infos[id(table.infos), before] = numbers
        tree = table.tree
        values = tree.values
        if numbers != list(range(len(numbers))):
            values = array("I", map(numbers.__getitem__, tree.values))
        return _Columns(tree.networks, tree.lengths, values)

    def _number(self, info: RouteInfo, before: bool) -> int:
        plain = self._plain(info, before)
        number = self._numbers.get(plain)
        if number is None:
            number = self._numbers[plain] = len(self.ranks)
            self.ranks.append((info.metric, info.tos))
        return number

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

    def run(self, row: int) -> int:
        """The first row behind those of the same prefix."""
        networks, lengths = self.networks, self.lengths
        network, length, end = networks[row], lengths[row], row + 1
        while end < len(lengths) and networks[end] == network and lengths[end] == length:
            end += 1
        return end


def differences(
    before: RouteTable | None, after: RouteTable | None, same: Sameness
) -> Iterator[Rows]:
    """What came, what went, and what leads another way, in the order of the prefixes."""
    if before is after:
        return
    old, new = same.columns(before, True), same.columns(after, False)
    networks_old, lengths_old, values_old = old.networks, old.lengths, old.values
    networks_new, lengths_new, values_new = new.networks, new.lengths, new.values
    end_old, end_new, ranks = len(lengths_old), len(lengths_new), same.ranks
    at_old = at_new = 0
    while at_old < end_old and at_new < end_new:
        if _equal_blocks(old, at_old, new, at_new):
            at_old, at_new = at_old + _BLOCK, at_new + _BLOCK
            continue
        stop = min(at_old + _BLOCK, end_old)
        while at_old < stop and at_new < end_new:
            # No calls here: this is what a table costs in which everything has moved.
            network_old, network_new = networks_old[at_old], networks_new[at_new]
            if network_old == network_new:
                length_old, length_new = lengths_old[at_old], lengths_new[at_new]
                if length_old == length_new:
                    if values_old[at_old] == values_new[at_new]:
                        at_old, at_new = at_old + 1, at_new + 1
                        continue
                    stop_old, stop_new = at_old + 1, at_new + 1
                    if (
                        (stop_old == end_old or networks_old[stop_old] != network_old)
                        and (stop_new == end_new or networks_new[stop_new] != network_new)
                        and ranks[values_old[at_old]] == ranks[values_new[at_new]]
                    ):
                        yield at_old, at_new
                    else:
                        stop_old, stop_new = old.run(at_old), new.run(at_new)
                        rows_old, rows_new = range(at_old, stop_old), range(at_new, stop_new)
                        yield from _run(old, rows_old, new, rows_new, same)
                    at_old, at_new = stop_old, stop_new
                    continue
                first_is_old = length_old < length_new
            else:
                first_is_old = network_old < network_new
            if first_is_old:
                yield at_old, NONE
                at_old += 1
            else:
                yield NONE, at_new
                at_new += 1
    for row in range(at_old, end_old):
        yield row, NONE
    for row in range(at_new, end_new):
        yield NONE, row


def _equal_blocks(old: _Columns, at_old: int, new: _Columns, at_new: int) -> bool:
    end_old, end_new = at_old + _BLOCK, at_new + _BLOCK
    return (
        end_old <= len(old.lengths)
        and end_new <= len(new.lengths)
        and old.values[at_old:end_old] == new.values[at_new:end_new]
        and old.networks[at_old:end_old] == new.networks[at_new:end_new]
        and old.lengths[at_old:end_old] == new.lengths[at_new:end_new]
    )


def _run(
    old: _Columns, rows_old: range, new: _Columns, rows_new: range, same: Sameness
) -> Iterator[Rows]:
    """Rows of one prefix in both."""
    ranks = same.ranks
    gone, come = list(rows_old), []
    for row in rows_new:
        equal = next((one for one in gone if old.values[one] == new.values[row]), None)
        if equal is None:
            come.append(row)
        else:
            gone.remove(equal)
    for row in gone:
        rank = ranks[old.values[row]]
        partner = next((one for one in come if ranks[new.values[one]] == rank), NONE)
        if partner != NONE:
            come.remove(partner)
        yield row, partner
    for row in come:
        yield NONE, row
