"""What is in one routing table: prefixes in columns, a Route only while you look at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from netaddr import IPAddress

from wgtui.model.network import CachedRoute, Route, RouteInfo, TableId
from wgtui.model.prefix import Family, Prefix
from wgtui.model.prefix_index import PrefixIndex


class RouteTable:
    """The routes of one table and family, sorted as a tree; a row number names one.

    Rows of the same prefix keep the order of the kernel's dump, which is the order in which the
    kernel tries them (S-B1; IPv6: by metric).
    """

    __slots__ = ("infos", "table", "tree")

    def __init__(
        self,
        family: Family,
        table: TableId,
        entries: Iterable[tuple[int, int, int]] = (),
        infos: Sequence[RouteInfo] = (),
    ) -> None:
        """``entries`` are (network, prefix length, position in ``infos``) in dump order."""
        self.table = table
        self.tree = PrefixIndex(family, entries)
        self.infos = infos

    @property
    def family(self) -> Family:
        """4 or 6."""
        return self.tree.family

    def __len__(self) -> int:
        return len(self.tree)

    def __getitem__(self, row: int) -> Route:
        return Route(self.table, row, self.tree.prefix(row), self.infos[self.tree.values[row]])

    def __iter__(self) -> Iterator[Route]:
        return (self[row] for row in range(len(self)))

    def info(self, row: int) -> RouteInfo:
        """What the row says beside its destination."""
        return self.infos[self.tree.values[row]]


def cached_route(table: TableId, destination: IPAddress, info: RouteInfo) -> CachedRoute | None:
    """An exception from what a dump says of it; None when it names no link."""
    leg = info.next_hops[0] if info.next_hops else None
    if leg is None or leg.link is None:
        return None
    return CachedRoute(table, destination, leg.link, leg.gateway, info.mtu)


RouteTables: TypeAlias = Mapping[tuple[Family, TableId], RouteTable]
"""All tables of a host that have a route. A table without routes is, for a rule, a missing one
(S-A8)."""


class RouteTablesBuilder:
    """Collects routes in dump order, shares their infos, and gives the finished tables."""

    def __init__(self) -> None:
        self._numbers: dict[RouteInfo, int] = {}
        self._entries: dict[tuple[Family, TableId], list[tuple[int, int, int]]] = {}

    def number(self, info: RouteInfo) -> int:
        """The number by which rows share this info."""
        return self._numbers.setdefault(info, len(self._numbers))

    def rows(self, family: Family, table: TableId) -> list[tuple[int, int, int]]:
        """For a million at a time: append (network, length, number of the info) in dump order."""
        return self._entries.setdefault((family, table), [])

    def add(self, table: TableId, destination: Prefix, info: RouteInfo) -> None:
        """The next route of the dump."""
        entry = (destination.network, destination.length, self.number(info))
        self.rows(destination.family, table).append(entry)

    def build(self) -> RouteTables:
        """All tables, in the order of family and number."""
        infos = tuple(self._numbers)
        return {
            (family, table): RouteTable(family, table, entries, infos)
            for (family, table), entries in sorted(self._entries.items())
        }
