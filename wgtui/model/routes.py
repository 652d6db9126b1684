"""What is in one routing table: prefixes in columns, a Route only while you look at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from netaddr import IPAddress

from wgtui.model.network import CachedRoute, Route, RouteInfo, TableId, new_route
from wgtui.model.prefix import Family, Prefix, new_prefix
from wgtui.model.prefix_columns import Columns, GrowingColumns
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
        columns: Columns | None = None,
    ) -> None:
        """``entries`` are (network, prefix length, position in ``infos``) in dump order; or
        ``columns`` of the same that are in order already."""
        self.table: Final = table
        self.tree: Final = PrefixIndex(family, entries, columns)
        self.infos: Final = infos

    @property
    def family(self) -> Family:
        """4 or 6."""
        return self.tree.family

    def __len__(self) -> int:
        return len(self.tree)

    def __getitem__(self, row: int) -> Route:
        tree = self.tree
        prefix = new_prefix(Prefix, tree.family, tree.networks[row], tree.lengths[row])
        return new_route(Route, self.table, row, prefix, self.infos[tree.values[row]])

    def __iter__(self) -> Iterator[Route]:
        return (self[row] for row in range(len(self)))

    def with_infos(self, infos: Sequence[RouteInfo]) -> RouteTable:
        """The same prefixes, with other infos in the same places."""
        return RouteTable(self.family, self.table, infos=infos, columns=self.tree.columns)

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
        self._rows: dict[tuple[Family, TableId], GrowingColumns] = {}

    def number(self, info: RouteInfo) -> int:
        """The number by which rows share this info."""
        return self._numbers.setdefault(info, len(self._numbers))

    def add(self, table: TableId, destination: Prefix, info: RouteInfo) -> None:
        """The next route of the dump."""
        rows = self._rows.get((destination.family, table))
        if rows is None:
            rows = self._rows[destination.family, table] = GrowingColumns(destination.family)
        rows.append(destination.network, destination.length, self.number(info))

    def build(self) -> RouteTables:
        """All tables, in the order of family and number."""
        infos = tuple(self._numbers)
        return {
            key: RouteTable(*key, infos=infos, columns=self._rows[key].finish())
            for key in sorted(self._rows)
        }
