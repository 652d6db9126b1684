"""Which layers does a kind of packet pass? Rules and routes of every table, understood once.

Which rules match is known beforehand for all packets that differ only in their destination, but for
rules with a ``to``, which hold for a region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from wgtui.engine.checks.partition import (
    FIRST_LINKS,
    LOCAL,
    MISS,
    PASSED_OVER,
    REFUSED,
    UNKNOWN,
    Codes,
    Layer,
    Routing,
)
from wgtui.engine.fib import ERROR_TYPES, usable4
from wgtui.engine.local_tree import default_rules, merged, only_deleted
from wgtui.engine.query import NO_LINK, UDP, Query, vrf_of
from wgtui.engine.selectors import judge
from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    LinkIndex,
    RouteInfo,
    RouteType,
    Rule,
    RuleAction,
    TableId,
)
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.snapshot import Snapshot, Subject

_HERE: Final = frozenset(
    {RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.MULTICAST}
)


class Ways:
    """All the routings of one snapshot; tables are understood once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._sets: list[frozenset[LinkIndex]] = [frozenset()] * FIRST_LINKS
        self._numbers: dict[frozenset[LinkIndex], int] = {}
        self._tables: dict[tuple[Family, TableId], Codes] = {}
        self._routings: dict[tuple[object, ...], Routing] = {}
        self._plain: dict[tuple[Family, int, LinkIndex], Routing] = {}

    def routing(self, query: Query) -> Routing:
        """For packets like this one, whatever their destination."""
        signature: list[object] = [query.family]
        layers = list(self._layers(query, signature))
        routing = Routing(query, layers, self._sets)
        return self._routings.setdefault(tuple(signature), routing)

    def plain(self, family: Family, source: int = 0, link: LinkIndex = NO_LINK) -> Routing:
        """For packets made here, as ``lookup`` asks: unbound, UDP for IPv4. For a ``link`` in a
        VRF: made in that VRF (S-A23)."""
        key = family, source, link
        found = self._plain.get(key)
        if found is None:
            found = self._plain[key] = self.routing(self.query(family, source, link))
        return found

    def query(self, family: Family, source: int = 0, link: LinkIndex = NO_LINK) -> Query:
        """The packet that ``plain`` is about."""
        vrf = vrf_of(self._snapshot, link)
        return Query(
            family,
            0,
            source=source,
            oif=NO_LINK if vrf is None else vrf.index,
            protocol=UDP if family == 4 else 0,
            uid=self._snapshot.uid,
        )

    def others(self, family: Family) -> list[Routing]:
        """One for every table that only other packets are led to: by a mark, a source, a link."""
        plain = {id(layer.table) for layer in self.plain(family).layers}
        found: dict[TableId, Routing] = {}
        for rule in self._snapshot.rules.get(family, ()):
            if rule.action is not RuleAction.TABLE or rule.table is None:
                continue
            table = self._codes(family, rule.table)
            if table is not None and id(table) not in plain:
                layer = Layer(None, False, table=table)
                found.setdefault(rule.table, Routing(Query(family, 0), [layer], self._sets))
        return list(found.values())

    # ------------------------------------------------------------------------------------- layers

    def _layers(self, query: Query, signature: list[object]) -> Iterator[Layer]:
        family, snapshot = query.family, self._snapshot
        rules = snapshot.rules.get(family)
        unread = snapshot.gap(Subject.ROUTES4 if family == 4 else Subject.ROUTES6) is not None
        if unread and not any(key[0] == family for key in snapshot.routes):
            yield Layer(None, False, UNKNOWN << 8)
            return
        if family == 4 and merged(snapshot):
            yield from self._longer_in_main()
            for table in (LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE):
                yield from self._table_layer(4, table, None, False, None)
            return
        if rules is None:
            yield Layer(None, False, UNKNOWN << 8)
            return
        if family == 6 and only_deleted(6, rules):
            rules = tuple(default_rules(6))
        yield from self._walk(query, rules, signature)

    def _longer_in_main(self) -> Iterator[Layer]:
        """While local and main are one tree the longest prefix of both wins, local's first among
        equals: where main has a longer one inside local's, like 127.0.0.53 (S-A4)."""
        local, main = self._codes(4, LOCAL_TABLE), self._codes(4, MAIN_TABLE)
        if local is None or main is None:
            return
        wide = [row for row, length in enumerate(local.tree.lengths) if length < BITS[4]]
        for prefix in sorted({local.tree.prefix(row) for row in wide}, key=lambda p: -p.length):
            inside = main.tree.inside(prefix)
            if any(main.tree.lengths[row] > prefix.length for row in inside):
                yield Layer(prefix, False, MISS, local, above=prefix.length)
                yield Layer(prefix, False, MISS, main, above=prefix.length)
                yield Layer(prefix, False, MISS, local)

    def _walk(
        self, query: Query, rules: Sequence[Rule], signature: list[object]
    ) -> Iterator[Layer]:
        position = 0
        while position < len(rules):
            rule = rules[position]
            asked = self._region(rule, query)
            position += 1
            if asked is None:
                continue
            region, outside, known = asked
            signature.append((position, region, outside, known))
            if not known or rule.action is RuleAction.UNKNOWN:
                yield Layer(region, outside, UNKNOWN << 8)
            elif rule.action is RuleAction.GOTO:
                target = next(
                    (at for at in range(position, len(rules)) if rules[at].priority == rule.goto),
                    None,
                )
                if target is not None and region is None:
                    position = target
                elif target is not None:
                    yield Layer(region, outside, UNKNOWN << 8)  # two walks from here on: too odd
            elif rule.action is RuleAction.TABLE:
                table = self._table(rule, query)
                if table is None:
                    yield Layer(region, outside, UNKNOWN << 8)
                else:
                    signature.append(table)
                    yield from self._table_layer(query.family, table, region, outside, rule)
            elif rule.action is not RuleAction.NOP:
                yield Layer(region, outside, REFUSED << 8)

    def _table(self, rule: Rule, query: Query) -> TableId | None:
        """The one it leads to; an l3mdev rule leads to the VRF's."""
        if not rule.selector.l3mdev:
            return rule.table
        vrf = vrf_of(self._snapshot, query.oif) or vrf_of(self._snapshot, query.iif)
        return None if vrf is None else vrf.vrf_table

    def _region(self, rule: Rule, query: Query) -> tuple[Prefix | None, bool, bool] | None:
        """For which destinations the rule matches (inside or outside a prefix, None is all), and
        whether that is known; None: for none."""
        selector = rule.selector
        others = replace(rule, selector=replace(selector, destination=None, inverted=False))
        matches = judge(self._snapshot, others, query).matches
        prefix, inverted = selector.destination, selector.inverted
        if matches is None:
            return (None if inverted else prefix), False, False
        if not inverted:
            return (prefix, False, True) if matches else None
        if not matches:
            return None, False, True
        return (prefix, True, True) if prefix is not None else None

    def _table_layer(
        self,
        family: Family,
        table: TableId,
        region: Prefix | None,
        outside: bool,
        rule: Rule | None,
    ) -> Iterator[Layer]:
        codes = self._codes(family, table)
        if codes is None:
            return
        shortest = -1 if rule is None else rule.suppress_prefix_length
        group = None if rule is None else rule.suppress_group
        hidden = frozenset(self._of_group(group)) if group is not None else frozenset[int]()
        yield Layer(region, outside, MISS, codes, -1 if shortest is None else shortest, hidden)

    def _of_group(self, group: int) -> Iterator[int]:
        for code, links in enumerate(self._sets):
            first = min(links, default=None)
            link = None if first is None else self._snapshot.links.get(first)
            if link is not None and link.group == group:
                yield code

    def _codes(self, family: Family, table: TableId) -> Codes | None:
        routes = self._snapshot.table(family, table)
        if routes is None:
            return None
        known = self._tables.get((family, table))
        if known is None:
            codes = [self._code(family, info) for info in routes.infos]
            known = self._tables[family, table] = Codes(routes, codes)
        return known

    def _code(self, family: Family, info: RouteInfo) -> int:
        if info.type is RouteType.THROW:
            return MISS
        if family == 4:
            refused, legs = usable4(info, Query(4, 0))
            if refused is not None:
                return PASSED_OVER
        else:
            legs = tuple(leg for leg in info.next_hops if not leg.dead)
            expired = info.expires == 0
            if info.source is not None or expired or (info.next_hops and not legs):
                return PASSED_OVER
        if info.type in _HERE:
            return LOCAL
        if info.type in ERROR_TYPES or info.nexthop_blackhole:
            return REFUSED
        links = frozenset(leg.link for leg in legs if leg.link is not None)
        if info.type is RouteType.UNKNOWN or info.unknown or not links:
            return UNKNOWN
        return self._number(links)

    def _number(self, links: frozenset[LinkIndex]) -> int:
        if links not in self._numbers:
            self._numbers[links] = len(self._sets)
            self._sets.append(links)
        return self._numbers[links]
