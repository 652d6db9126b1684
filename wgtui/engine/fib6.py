"""Which route wins in one table, and who lost to it? IPv6.

net/ipv6/route.c:rt6_select, find_rr_leaf, rt6_score_route; ip6_fib.c:fib6_node_lookup,
fib6_backtrack; S-B61 … S-B67. The nodes of the tree are visited from the longest destination prefix
up; a node that owns source-specific routes has a second tree of source prefixes below it. At a node
the routes of the lowest metric compete by score; if none of them qualifies, all remaining metrics
compete together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from netaddr import IPAddress

from wgtui.engine.fib import Match, shorter
from wgtui.engine.once import once
from wgtui.engine.query import NO_LINK, Query
from wgtui.model.network import LOOPBACK, LinkIndex, NextHop, Route, TableId
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Loss, LostRoute, Refusal, TableStep

_ON_LO = (NextHop(LOOPBACK),)
"""Types without a next hop (blackhole …) hang on lo."""


class _Scored(NamedTuple):
    score: int
    route: Route
    leg: NextHop


def match6(
    snapshot: Snapshot,
    table: TableId,
    routes: RouteTable | None,
    query: Query,
    told: bool = True,
) -> Match:
    """Look the destination up in one table; without ``told``, nobody asks who lost."""
    if routes is None:
        return Match(TableStep(table, None))
    chooser = _Chooser(snapshot, query)
    covering = [routes[row] for row in routes.tree.covering_rows(query.destination)]
    nodes = list(_nodes(covering, query))
    best = chooser.choose(nodes)
    if best is None and chooser.reachable:
        # Nothing but unreachable gateways: then they are used after all (S-B65).
        chooser.reachable = False
        best = chooser.choose(nodes)
    winner = best.route if best else None
    lost = tuple(_lost(covering, query, winner, chooser)) if told else ()
    if best is None or winner is None:
        return Match(TableStep(table, None, lost))
    # Of a next-hop object any live leg, on whatever link: oif only made the route qualify.
    shared = winner.info.nexthop_id is not None
    legs = tuple(
        leg
        for leg in winner.info.next_hops
        if (not leg.dead if shared else chooser.score(winner, leg) >= 0)
    )
    # The hash picks among all of them, even with an output link that matches: ip6_pol_route passes
    # have_oif_match=false (S-B66); a strict lookup keeps to the link by the score.
    legs = (best.leg, *(leg for leg in legs if leg is not best.leg)) if legs else ()
    return Match(TableStep(table, winner, lost), legs, bool(winner.info.unknown))


def _nodes(covering: Sequence[Route], query: Query) -> Iterator[Sequence[Route]]:
    """The tree's nodes in the order the kernel tries them.

    The first lookup does not see the plain routes of a node (other than the root) that also owns
    source-specific ones, unless the source matches one of these; climbing up later does (S-B61).
    """
    started, first = False, 0
    while first < len(covering):
        length, end = covering[first].destination.length, first + 1
        while end < len(covering) and covering[end].destination.length == length:
            end += 1
        node, first = covering[first:end], end
        plain = [route for route in node if not _source_length(route)]
        if len(plain) == len(node):
            started = True
            yield node
            continue
        specific: dict[int, list[Route]] = {}
        for route in node:
            source = route.info.source
            if source is None or source.length == 0 or not query.source:
                continue
            if source.covers(query.source):
                specific.setdefault(source.length, []).append(route)
        if not started and not specific and length:
            continue
        started = True
        for source_length in sorted(specific, reverse=True):
            yield specific[source_length]
        if plain:
            yield plain


def _source_length(route: Route) -> int:
    """0: it is for all sources."""
    source = route.info.source
    return 0 if source is None else source.length


@once
def _on_the_way(snapshot: Snapshot) -> tuple[bool, frozenset[tuple[LinkIndex, IPAddress]]]:
    """Is it a router, and which gateways (link, address) are known to have failed?"""
    failed = frozenset(
        (neighbour.link, neighbour.address)
        for neighbour in snapshot.neighbours or ()
        if neighbour.state == "failed" and neighbour.address.version == 6
    )
    return bool(snapshot.conf(6, "all", "forwarding")), failed


class _Chooser:
    """Scores the routes of a node (S-B62)."""

    def __init__(self, snapshot: Snapshot, query: Query) -> None:
        self.wanted = query.iif if query.input else query.oif
        self.strict = query.strict
        forwarding, self.failed = _on_the_way(snapshot)
        self.reachable = not forwarding
        """A gateway known to have failed is passed over; only on hosts, not on routers (S-B65)."""

    def choose(self, nodes: Sequence[Sequence[Route]]) -> _Scored | None:
        for node in nodes:
            if len(node) == 1:
                best = self._best(node)
                if best is not None:
                    return best
                continue
            lowest = min(route.info.metric for route in node)
            best = self._best(route for route in node if route.info.metric == lowest)
            best = best or self._best(route for route in node if route.info.metric != lowest)
            if best is not None:
                return best
        return None

    def _best(self, routes: Iterable[Route]) -> _Scored | None:
        best: _Scored | None = None
        for route in routes:
            if route.info.nexthop_blackhole and not expired(route):
                return _Scored(0, route, _ON_LO[0])  # taken at once, whatever the others score
            for leg in route.info.next_hops or _ON_LO:
                score = self.score(route, leg)
                if score >= 0 and (best is None or score > best.score):
                    best = _Scored(score, route, leg)
        return best

    def score(self, route: Route, leg: NextHop) -> int:
        """-1: it does not qualify; otherwise the higher the better."""
        if leg.dead or expired(route):
            return -1
        on_wanted = self.wanted == NO_LINK or leg.link == self.wanted
        if not on_wanted and self.strict:
            return -1
        if self.reachable and leg.gateway is not None and (leg.link, leg.gateway) in self.failed:
            return -1
        return (2 if on_wanted else 0) | route.info.preference << 2


def expired(route: Route) -> bool:
    """Stays in the dump with ``expires 0`` but is not used (S-B67)."""
    return route.info.expires is not None and route.info.expires <= 0


def _lost(
    covering: Sequence[Route], query: Query, winner: Route | None, chooser: _Chooser
) -> Iterator[LostRoute]:
    for route in covering:
        if winner is None or route.row != winner.row:
            yield LostRoute(route, *_why(route, winner, query, chooser))


def _why(
    route: Route, winner: Route | None, query: Query, chooser: _Chooser
) -> tuple[Loss, Refusal | None]:
    info = route.info
    if winner is not None and route.destination.length < winner.destination.length:
        return Loss.SHORTER, shorter(winner.destination.length, route.destination.length)
    if expired(route):
        return Loss.EXPIRED, None
    if info.next_hops and all(leg.dead for leg in info.next_hops):
        return Loss.DEAD, None
    if info.source is not None and not (query.source and info.source.covers(query.source)):
        return Loss.SOURCE, Refusal(
            "from", str(info.source), "another source" if query.source else "none"
        )
    legs = info.next_hops or _ON_LO
    elsewhere = chooser.wanted != NO_LINK and all(leg.link != chooser.wanted for leg in legs)
    if chooser.strict and elsewhere:
        return Loss.OIF, None
    if all(leg.gateway is not None and (leg.link, leg.gateway) in chooser.failed for leg in legs):
        return Loss.NEIGHBOUR, None
    hidden = winner is None or route.destination.length > winner.destination.length
    if winner is None or hidden or (winner.info.source is not None) != (info.source is not None):
        return Loss.SOURCE, None
    if winner.info.metric != info.metric:
        return Loss.METRIC, Refusal("metric", str(winner.info.metric), str(info.metric))
    return Loss.SCORE, None
