"""By which link, gateway and source does the packet leave, once a route has won?

route.c:fib_select_path (S-B7 … S-B11), fib_semantics.c (S-B30), ip6_fib.c:fib6_select_path (S-B66).
Where several next hops can win, the step names all of them: which one the kernel takes depends on a
hash with a secret seed (S-B8).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from netaddr import IPAddress

from wgtui.engine.exceptions import kept_for
from wgtui.engine.fib import ERROR_TYPES, match4, usable4
from wgtui.engine.local_tree import local_tables
from wgtui.engine.once import once
from wgtui.engine.query import Query
from wgtui.engine.rules import Found
from wgtui.engine.source_address import address_object, select4, select6
from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    LOOPBACK,
    MAIN_TABLE,
    CachedRoute,
    LinkIndex,
    NextHop,
    Route,
    RouteInfo,
    RouteType,
    Scope,
    TableId,
)
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, RouteStep

_BROADCAST: Final = 0xFFFFFFFF
_FIRST_GROUP: Final = 0xE0000000
"""224.0.0.0, the first multicast address."""
_new_step: Final = RouteStep.__new__
"""At half the price; see ``prefix.new_prefix``."""
_SOURCE_PICKS_LEG: Final = (6, 16)
"""The first Linux whose multipath routes heed the source (S-B9)."""


def is_multicast4(address: int) -> bool:
    """224.0.0.0/4"""
    return address >> 28 == 0xE


def is_multicast6(address: int) -> bool:
    """ff00::/8"""
    return address >> 120 == 0xFF


def on_link(
    snapshot: Snapshot, query: Query, links: tuple[LinkIndex, ...], scope: int
) -> RouteStep:
    """Out by a link without asking any table (S-B15); several: it is one of them."""
    source = (
        address_object(snapshot, query.family, query.source)
        if query.source
        else select4(snapshot, links[0], 0, scope)
    )
    return RouteStep(None, links[0], None, source, tuple(NextHop(link) for link in links))


def delivered_here(route: Route) -> bool:
    """Does a packet made here stay here? IPv4 sends to an anycast route by its link, IPv6 does
    not."""
    anycast = route.info.type is RouteType.ANYCAST and route.destination.family == 6
    return anycast or route.info.type is RouteType.LOCAL


def way_out(snapshot: Snapshot, query: Query, found: Found) -> RouteStep:
    """The way that the winning route gives; for error types only its name."""
    route = found.route
    if route is None:
        raise ValueError("no route won")
    legs = found.legs
    refused = found.error is not None and found.error is not Outcome.UNKNOWN
    if refused or (found.error is not None and not legs):
        return RouteStep(route, None, None, None)  # IPv6 hangs reject routes on lo: no way out
    if route.info.type is not RouteType.UNICAST and delivered_here(route):
        return RouteStep(route, LOOPBACK, None, _local_source(snapshot, query, route, legs), legs)
    if query.family == 4:
        if len(legs) > 1:
            legs = _source_picks(snapshot, query, route, legs)
        legs, source = _as_added(snapshot, route, legs)
        if query.source:
            source = address_object(snapshot, 4, query.source)
        if query.destination >= _FIRST_GROUP and _goes_to_all(query, route):
            legs = tuple(replace(leg, gateway=None) for leg in legs)
    else:
        source = _given(snapshot, query, route)
        if source is None:
            source = select6(snapshot, legs[0].link if legs else None, query.destination)
    first = legs[0] if legs else NextHop(None)
    kept = _kept(snapshot, query, first) if snapshot.exceptions else None
    if kept is not None and kept.gateway is not None and first.gateway is not None:
        first = replace(first, gateway=kept.gateway)  # redirected (S-B14, S-B67)
        legs = (first, *legs[1:])
    return _new_step(RouteStep, route, first.link, first.gateway, source, legs, kept)


def _source_picks(
    snapshot: Snapshot, query: Query, route: Route, legs: tuple[NextHop, ...]
) -> tuple[NextHop, ...]:
    """Of several legs those whose own source is the packet's, where the kernel takes one of those
    (S-B9). IPv4.

    fib_semantics.c:fib_select_multipath, for packets made here. A leg's own source was chosen when
    the route was made; addresses that came later may be better now, which is not seen.
    """
    if len(route.info.next_hops) < 2 or query.input or not query.source:
        return legs
    if route.info.nexthop_id is not None or snapshot.kernel_version < _SOURCE_PICKS_LEG:
        return legs
    if snapshot.sysctls.get("net/ipv4/fib_multipath_use_neigh"):
        return legs  # a leg may be passed over for its neighbour's state (S-B10)
    own = tuple(
        leg for leg in legs if _leg_source(snapshot, route, leg) == IPAddress(query.source, 4)
    )
    return own or legs


def _kept(snapshot: Snapshot, query: Query, leg: NextHop) -> CachedRoute | None:
    """The exception that this next hop keeps for the destination."""
    for kept in kept_for(snapshot, query.family, query.destination):
        if kept.link == leg.link:
            return kept
    return None


class _AsAdded(NamedTuple):
    """What the kernel made of an IPv4 route's next hops when it was added."""

    legs: tuple[NextHop, ...]
    """Without the gateways that are this link's own address."""
    source: IPAddress | None
    """Of a packet that has none, by the first of them."""


def _as_added(snapshot: Snapshot, route: Route, legs: tuple[NextHop, ...]) -> _AsAdded:
    """Worked out once for each kind of route of a table, as long as all its legs are usable."""
    info = route.info
    if legs is not info.next_hops:
        return _added(snapshot, route, legs)
    known, key = _kinds(snapshot), (id(info), route.table)
    entry = known.get(key)
    if entry is None:
        # The info is kept beside the answer, so that its id is nobody else's.
        entry = known[key] = (info, _added(snapshot, route, legs))
    return entry[1]


@once
def _kinds(snapshot: Snapshot) -> dict[tuple[int, TableId], tuple[RouteInfo, _AsAdded]]:
    return {}


def _added(snapshot: Snapshot, route: Route, legs: tuple[NextHop, ...]) -> _AsAdded:
    used: list[NextHop] = []
    for leg in legs:
        by_gateway = _gateway_used(snapshot, route, leg)
        direct = replace(leg, gateway=None)
        used.append(leg if by_gateway else direct)
        if leg.gateway is not None and _may_have_been_else(snapshot, route, leg):
            used.append(direct if by_gateway else leg)
    first = legs[0] if legs else NextHop(None)
    source = route.info.preferred_source
    return _AsAdded(tuple(used), _leg_source(snapshot, route, first) if source is None else source)


def _goes_to_all(query: Query, route: Route) -> bool:
    """IPv4 broadcast and multicast packets drop the gateway (S-B18)."""
    if query.destination == _BROADCAST:
        return True
    return is_multicast4(query.destination) and route.destination.length < 4


def _gateway_used(snapshot: Snapshot, route: Route, leg: NextHop) -> bool:
    """A gateway that is this link's own address (scope host) is taken for on-link.

    fib_semantics.c:fib_check_nh_v4_gw looks it up when the route is added, in its own table first
    and then by the rules, here by the default ones; route.c:rt_set_nexthop then uses a gateway of
    scope link only.
    """
    if leg.gateway is None or leg.gateway.version == 6 or leg.onlink or leg.link is None:
        return True
    query = _towards_gateway(route, leg.link, int(leg.gateway))
    for tables in _gateway_tables(snapshot, route):
        found = match4(route.table, tables, query, told=False).step.winner
        if found is not None:
            return not _is_own(found)
    return True


def _may_have_been_else(snapshot: Snapshot, route: Route, leg: NextHop) -> bool:
    """Was the gateway perhaps looked up before a route came that covers it now?

    What was found then is not told by any dump. It only matters where somebody made addresses local
    by hand: own addresses and the way to their neighbours come and go together.
    """
    if leg.gateway is None or leg.gateway.version == 6 or leg.onlink or leg.link is None:
        return False
    if not _made_local(snapshot):
        return False
    gateway = int(leg.gateway)
    query = _towards_gateway(route, leg.link, gateway)
    leading = [
        other
        for tables in _gateway_tables(snapshot, route)
        for table in tables
        for other in (table[row] for row in table.tree.covering_rows(gateway))
        if usable4(other.info, query)[0] is None
    ]
    own = [other for other in leading if _is_own(other)]
    return len(own) < len(leading) and any(other.info.protocol != "kernel" for other in own)


def _is_own(found: Route) -> bool:
    """Does the way to a gateway end here?"""
    return found.info.scope == Scope.HOST and found.info.type not in ERROR_TYPES


@once
def _made_local(snapshot: Snapshot) -> bool:
    """Are there addresses that are local by hand?"""
    return any(
        info.type is RouteType.LOCAL and info.protocol != "kernel"
        for (family, _), table in snapshot.routes.items()
        if family == 4
        for info in table.infos
    )


def _towards_gateway(route: Route, link: LinkIndex, gateway: int) -> Query:
    """What leads to a gateway reaches less far than its route."""
    return Query(4, gateway, oif=link, scope=max(Scope.LINK, route.info.scope + 1))


def _gateway_tables(snapshot: Snapshot, route: Route) -> list[list[RouteTable]]:
    """Where the kernel looks for the way to a gateway, one after the other."""
    own, main, last = (snapshot.table(4, t) for t in (route.table, MAIN_TABLE, DEFAULT_TABLE))
    if route.table in (LOCAL_TABLE, MAIN_TABLE):
        own = None  # local comes first anyway, as one tree with main while they are that
    groups = ([own], local_tables(snapshot), [main], [last])
    return [[table for table in tables if table] for tables in groups]


def _given(snapshot: Snapshot, query: Query, route: Route) -> IPAddress | None:
    """The source that the packet has, or that the route names."""
    if query.source:
        return address_object(snapshot, query.family, query.source)
    return route.info.preferred_source


def _leg_source(snapshot: Snapshot, route: Route, leg: NextHop) -> IPAddress | None:
    """The source that an IPv4 next hop gives by itself (S-B30)."""
    towards = int(leg.gateway) if leg.gateway is not None and leg.gateway.version == 4 else 0
    if leg.gateway is not None and leg.gateway.version == 6:
        # The kernel compares the first four bytes of such a gateway: they lie in no subnet (S-B13).
        towards = int(leg.gateway) >> 96
    scope = route.info.scope
    if route.info.nexthop_id is not None:
        # Chosen when the object was made, by its own scope, which is that of the way to the gateway
        # (nexthop.c:nh_create_ipv4).
        beyond = leg.gateway is not None and _gateway_used(snapshot, route, leg)
        scope = Scope.LINK - 1 if beyond else Scope.LINK
    return select4(snapshot, leg.link, towards, scope)


def _local_source(
    snapshot: Snapshot, query: Query, route: Route, legs: tuple[NextHop, ...]
) -> IPAddress | None:
    given = _given(snapshot, query, route)
    if given is not None:
        return given
    if query.family == 4:
        return address_object(snapshot, 4, query.destination)
    return select6(snapshot, legs[0].link if legs else LOOPBACK, query.destination)
