"""What do route events do to the tables that were read? RTM_NEWROUTE, RTM_DELROUTE → RouteTables.

An event names one route; where it belongs among those of the same prefix follows from how the
kernel inserts (fib_trie.c:fib_table_insert, ip6_fib.c:fib6_add_rt2node; S-B1): IPv4 by TOS, then
metric, IPv6 by metric. Routes that agree in these are *rivals*: NLM_F_REPLACE puts a route in the
place of the first of them, NLM_F_APPEND behind the last, and a plain IPv4 one before the first.

Whatever cannot be told for certain is ``UnclearError``, and read again: a route that should be
there and is not, legs of IPv6 multipath routes that come and go one by one, source-specific routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from wgtui.errors import FormatError
from wgtui.model.network import NextHopObject, RouteInfo, TableId
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.prefix_columns import Columns, rows_of
from wgtui.model.routes import RouteTable, RouteTables
from wgtui.sources.nlsocket import HEADER
from wgtui.sources.route_kinds import RouteKinds
from wgtui.sources.route_message import RTM_NEWROUTE
from wgtui.sources.route_runs import ATTRIBUTES_AT

RTM_DELROUTE: Final = 25
_REPLACE, _APPEND = 0x100, 0x800
_SPARE: Final = 20_000
"""Infos that may have come and gone until everything is read again."""

_Table: TypeAlias = tuple[Family, TableId]
_Prefix: TypeAlias = tuple[int, int]


class UnclearError(Exception):
    """Only reading everything can tell what the tables are now."""


class RouteChanges:
    """Follows the tables of one complete reading."""

    def __init__(
        self, tables: RouteTables, objects: Mapping[int, NextHopObject] | None = None
    ) -> None:
        self.tables = tables
        """As they are after all events so far."""
        self._kinds = RouteKinds(objects)
        self._infos: dict[Family, _Infos] = {family: _Infos() for family in FAMILIES}
        for (family, _), table in tables.items():
            self._infos[family].begin(table.infos)
        self._values: list[int] = []
        """By kind: the place of its info."""

    def apply(self, events: Iterable[bytes], *, again: bool = False) -> RouteTables:
        """The tables after these events.

        ``again``: the tables may show some of them already, because they came while those were
        read. Raises ``UnclearError`` and ``FormatError``; the tables are then as they were.
        """
        batch = _Batch(self, again)
        for event in events:
            if len(event) < ATTRIBUTES_AT:
                raise FormatError("routes", f"an event of only {len(event)} bytes")
            batch.take(event)
        if any(infos.too_many for infos in self._infos.values()):
            raise UnclearError
        self.tables = batch.tables()
        return self.tables

    def understand(self, event: bytes) -> tuple[int, int, int]:
        """Network, length and kind."""
        return self._kinds.one(event, 0, len(event))

    def kind(self, number: int) -> tuple[Family, TableId, RouteInfo]:
        """Table and info of a kind."""
        return self._kinds.all[number]

    def value(self, number: int) -> int:
        """The place of a kind's info."""
        while number >= len(self._values):
            family, _, info = self._kinds.all[len(self._values)]
            self._values.append(self._infos[family].place(info))
        return self._values[number]

    def infos(self, family: Family) -> Sequence[RouteInfo]:
        """By place: those of all tables of the family. Only ever grows."""
        return self._infos[family].all


class _Infos:
    """The infos of a family's tables: those of one reading, and what has come since."""

    def __init__(self) -> None:
        self.all: list[RouteInfo] = []
        self._places: dict[RouteInfo, int] = {}
        self._most = _SPARE

    def begin(self, infos: Sequence[RouteInfo]) -> None:
        """Tables of one reading share these, or have the beginning of them."""
        if len(infos) > len(self.all):
            self.all = list(infos)
            self._places = {info: place for place, info in enumerate(infos)}
            self._most = 2 * len(infos) + _SPARE

    def place(self, info: RouteInfo) -> int:
        found = self._places.setdefault(info, len(self.all))
        if found == len(self.all):
            self.all.append(info)
        return found

    @property
    def too_many(self) -> bool:
        return len(self.all) > self._most


class _Batch:
    """Some events, and what becomes of the prefixes they name."""

    def __init__(self, changes: RouteChanges, again: bool) -> None:
        self._changes = changes
        self._again = again
        self._edits: dict[_Table, dict[_Prefix, list[int]]] = {}
        self._columns: dict[_Table, Columns] = {}
        self._replaced: set[tuple[_Table, _Prefix]] = set()

    def take(self, event: bytes) -> None:
        """The next event."""
        _, kind, flags, _, _ = HEADER.unpack_from(event)
        network, length, number = self._changes.understand(event)
        family, table_id, info = self._changes.kind(number)
        if info.cached or info.source is not None:
            raise UnclearError
        table, prefix = (family, table_id), (network, length)
        edits = self._edits.get(table)
        if edits is None:
            edits = self._edits[table] = {}
            known = self._changes.tables.get(table)
            if known is not None:
                self._columns[table] = known.tree.columns
        values = edits.get(prefix)
        if values is None:
            values = edits[prefix] = self._found(table, prefix)
        if kind != RTM_NEWROUTE:
            self._remove(values, info, (table, prefix))
            return
        value = self._changes.value(number)
        if not values:
            if flags & _REPLACE and not self._again:
                raise UnclearError
            values.append(value)
            return
        place = self._equal(family, values, info)
        if place is None:
            self._add(values, value, flags, (table, prefix))
        elif flags & _REPLACE and place:
            # It has been read in the place that it takes only now: away with what had that place.
            infos = self._changes.infos(family)
            rivals = [at for at, one in enumerate(values) if _rank(infos[one]) == _rank(info)]
            if len(rivals) > 2:
                raise UnclearError
            if place == rivals[-1] != rivals[0]:
                del values[rivals[0]]
                self._replaced.add((table, prefix))

    def _found(self, table: _Table, prefix: _Prefix) -> list[int]:
        columns = self._columns.get(table)
        if columns is None:
            return []
        first, end = rows_of(columns, *prefix)
        return list(columns.values[first:end])

    def _equal(self, family: Family, values: list[int], info: RouteInfo) -> int | None:
        """Where among these values is this very route? Remaining lifetimes count for nothing."""
        infos = self._changes.infos(family)
        for place, value in enumerate(values):
            known = infos[value]
            if known == info:
                return place
            if known.expires != info.expires and replace(known, expires=info.expires) == info:
                return place
        return None

    def _remove(self, values: list[int], info: RouteInfo, where: tuple[_Table, _Prefix]) -> None:
        family = where[0][0]
        place = self._equal(family, values, info)
        if where in self._replaced:
            # The replacement may have been seen already; then it has now replaced another one.
            raise UnclearError
        if place is not None:
            del values[place]
        elif not self._again or (family == 6 and self._legs(family, values, _rank(info))):
            raise UnclearError

    def _legs(self, family: Family, values: list[int], rank: tuple[int, int]) -> bool:
        """Is a rival a multipath route? One of its legs may be meant."""
        infos = [self._changes.infos(family)[value] for value in values]
        return any(_rank(info) == rank and len(info.next_hops) > 1 for info in infos)

    def _add(
        self, values: list[int], value: int, flags: int, where: tuple[_Table, _Prefix]
    ) -> None:
        """A route that is not there yet, to a prefix that has some."""
        family = where[0][0]
        known = self._changes.infos(family)
        infos = [known[one] for one in values]
        ranks = [_rank(info) for info in infos]
        info = known[value]
        rank = _rank(info)
        first = sum(one < rank for one in ranks)
        end = first + ranks.count(rank)
        if family == 6 and (
            any(rival.source is not None for rival in infos)
            or (first < end and len(info.next_hops) > 1 and not flags & _REPLACE)
            or (flags & _REPLACE and end - first > 1)
        ):
            raise UnclearError
        if flags & _REPLACE:
            if first == end and not self._again:
                raise UnclearError
            if self._again:
                if end - first > 1:
                    raise UnclearError
                self._replaced.add(where)
            values[first : min(first + 1, end)] = [value]
        elif family == 6 or flags & _APPEND:
            values.insert(end, value)
        else:
            values.insert(first, value)

    def tables(self) -> RouteTables:
        """The tables after all of it, those without a route left out (S-A8)."""
        found = dict(self._changes.tables)
        for key, edits in self._edits.items():
            old = found.get(key) or RouteTable(*key)
            tree = old.tree.edited(edits)
            infos = self._changes.infos(key[0])
            if len(infos) == len(old.infos):
                infos = old.infos
            if len(tree):
                found[key] = RouteTable(*key, infos=tuple(infos), columns=tree.columns)
            else:
                found.pop(key, None)
        return {key: found[key] for key in sorted(found)}


def _rank(info: RouteInfo) -> tuple[int, int]:
    """Where among the routes to a prefix: the highest TOS first, then the lowest metric (S-B1)."""
    return -info.tos, info.metric
