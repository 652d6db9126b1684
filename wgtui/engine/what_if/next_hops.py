"""Which link and flags does the kernel give a next hop that is being added; does it take it at all?

IPv4: fib_semantics.c:fib_check_nh (S-B13): the gateway is looked up once, by the rules, and must be
on a link. IPv6: route.c:ip6_route_check_nh.
"""

from __future__ import annotations

from dataclasses import replace

from netaddr import IPAddress

from wgtui.engine.fib import ERROR_TYPES, match4
from wgtui.engine.fib6 import match6
from wgtui.engine.local_tree import local_tables
from wgtui.engine.query import Query
from wgtui.engine.reverse_path import either
from wgtui.engine.rules import walk
from wgtui.engine.what_if.applied import Objection, RefusedError
from wgtui.model.command import LegWords, RouteCommand
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkIndex,
    NextHop,
    Route,
    RouteType,
    Scope,
    TableId,
)
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot


def resolve(
    snapshot: Snapshot, command: RouteCommand, table: TableId, scope: int
) -> tuple[NextHop, ...]:
    """The next hops of a new route; raises ``RefusedError``."""
    if not command.legs:
        raise RefusedError(Objection.NEEDS_LINK)
    family = command.destination.family
    if family == 6 and command.multipath and any(leg.gateway is None for leg in command.legs):
        raise RefusedError(Objection.NEEDS_GATEWAY)
    legs = []
    for words in command.legs:
        link = None
        if words.link is not None:
            link = snapshot.links_by_name.get(words.link)
            if link is None:
                raise RefusedError(Objection.NO_SUCH_LINK, words.link)
        if family == 4:
            link = _link4(snapshot, words, link, table, scope)
        else:
            link = _link6(snapshot, words, link, table)
        legs.append(_leg(snapshot, words, link, command.multipath, family))
    return tuple(legs)


def _leg(
    snapshot: Snapshot, words: LegWords, link: Link, multipath: bool, family: Family
) -> NextHop:
    linkdown = link.carrier is False
    ignored = ignores_carrierless(snapshot, link, family)
    return NextHop(
        link=link.index,
        gateway=words.gateway,
        weight=words.weight if multipath else 1,
        dead=linkdown and ignored,
        linkdown=linkdown,
        onlink=words.onlink,
    )


def ignores_carrierless(snapshot: Snapshot, link: Link, family: Family) -> bool:
    """Are routes by a link without a carrier not used? IPv6 asks the link alone."""
    key = "ignore_routes_with_linkdown"
    if family == 4:
        return bool(either(snapshot, link, key))
    return bool(snapshot.conf(6, link.name, key))


def _link4(
    snapshot: Snapshot, words: LegWords, link: Link | None, table: TableId, scope: int
) -> Link:
    gateway = words.gateway
    if gateway is not None and gateway.version == 6:
        raise RefusedError(Objection.NOT_PREDICTED, "via inet6")
    if gateway is None or words.onlink:
        if link is None:
            raise RefusedError(Objection.NEEDS_LINK)
        if not link.up:
            raise RefusedError(Objection.LINK_DOWN, link.name)
        if gateway is not None and type_of(snapshot, gateway) is not RouteType.UNICAST:
            raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
        return link
    if scope >= Scope.LINK:
        raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    nearer = max(Scope.LINK, scope + 1)
    oif = link.index if link is not None else LinkIndex(0)
    query = Query(4, int(gateway), oif=oif, scope=nearer)
    found = _gateway_route(snapshot, query, table)
    if found is None or found[0].info.type not in (RouteType.UNICAST, RouteType.LOCAL):
        raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    way = snapshot.links.get(found[1]) if found[1] is not None else None
    if way is None:
        raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    if not way.up:
        raise RefusedError(Objection.LINK_DOWN, way.name)
    return way


def _gateway_route(
    snapshot: Snapshot, query: Query, table: TableId
) -> tuple[Route, LinkIndex | None] | None:
    """The route to a gateway: in the route's own table first, then by all rules; whatever carriers
    (FIB_LOOKUP_IGNORE_LINKSTATE)."""
    snapshot = _whatever_carriers(snapshot)
    own = snapshot.table(4, table) if table != MAIN_TABLE else None
    if own is not None:
        match = match4(table, [own], query)
        winner = match.step.winner
        if winner is not None and match.legs:
            return winner, match.legs[0].link
    found = walk(snapshot, query)
    if found.route is None or found.error is not None:
        return None
    return found.route, found.legs[0].link if found.legs else None


def _whatever_carriers(snapshot: Snapshot) -> Snapshot:
    """As if no route were dead for want of a carrier (S-B5)."""
    routes = dict(snapshot.routes)
    for key, table in snapshot.routes.items():
        legs = (leg for info in table.infos for leg in info.next_hops)
        if any(leg.dead for leg in legs):
            infos = tuple(
                replace(info, next_hops=tuple(_alive(snapshot, leg) for leg in info.next_hops))
                for info in table.infos
            )
            routes[key] = table.with_infos(infos)
    return replace(snapshot, routes=routes)


def _alive(snapshot: Snapshot, leg: NextHop) -> NextHop:
    link = snapshot.links.get(leg.link) if leg.link is not None else None
    return replace(leg, dead=False) if leg.dead and link is not None and link.up else leg


def type_of(snapshot: Snapshot, address: IPAddress) -> RouteType:
    """What the local table says of an IPv4 address (fib_frontend.c:__inet_dev_addr_type)."""
    found = match4(LOCAL_TABLE, local_tables(snapshot), Query(4, int(address)))
    winner = found.step.winner
    if winner is None or winner.info.type in ERROR_TYPES:
        return RouteType.UNICAST
    return winner.info.type


def _link6(snapshot: Snapshot, words: LegWords, link: Link | None, table: TableId) -> Link:
    gateway = words.gateway
    if gateway is not None:
        link = _towards6(snapshot, gateway, words, link, table)
    if link is None:
        raise RefusedError(Objection.NEEDS_LINK)
    if not link.up:
        raise RefusedError(Objection.LINK_DOWN, link.name)
    return link


def _towards6(
    snapshot: Snapshot, gateway: IPAddress, words: LegWords, link: Link | None, table: TableId
) -> Link | None:
    """route.c:ip6_validate_gw, which asks the tables whatever neighbours there are (no
    RT6_LOOKUP_F_REACHABLE)."""
    snapshot = replace(snapshot, neighbours=())
    if words.onlink and link is not None and not link.up:
        raise RefusedError(Objection.LINK_DOWN, link.name)
    refused = RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    value = int(gateway)
    link_local = value >> 118 == 0x3FA
    own = snapshot.links.values() if not link_local else [link] if link is not None else []
    if any(entry.address == gateway for one in own for entry in one.addresses):
        raise refused
    if value >> 120 == 0xFF or value in (0, 1):
        raise refused
    if not link_local and not words.onlink:
        link = _neighbour6(snapshot, value, link, table)
        if link is None:
            raise refused
    onlink = words.onlink and not link_local
    if onlink and link is not None and not _may_be_onlink(snapshot, value, link):
        raise refused
    if link is not None and link.loopback:
        raise refused
    return link


def _may_be_onlink(snapshot: Snapshot, gateway: int, link: Link) -> bool:
    """route.c:ip6_route_check_nh_onlink: no route of main leads to the gateway by another link."""
    snapshot = _whatever_carriers(snapshot)
    table = snapshot.table(6, MAIN_TABLE)
    match = match6(snapshot, MAIN_TABLE, table, Query(6, gateway, oif=link.index))
    won = match.step.winner
    if won is None or not match.legs or _rejects(snapshot, won, match.legs[0]):
        return True
    if won.destination.network == 0:
        return True
    return won.info.type is RouteType.UNICAST and match.legs[0].link == link.index


def _rejects(snapshot: Snapshot, route: Route, leg: NextHop) -> bool:
    """RTF_REJECT: a type that refuses, or a plain route by lo (route.c:fib6_is_reject), such as the
    prefix of an address there."""
    if route.info.type in ERROR_TYPES:
        return True
    link = snapshot.links.get(leg.link) if leg.link is not None else None
    plain = route.info.type not in (RouteType.LOCAL, RouteType.ANYCAST)
    return plain and link is not None and link.loopback and route.destination.network != 1


def _neighbour6(snapshot: Snapshot, gateway: int, link: Link | None, table: TableId) -> Link | None:
    """route.c:ip6_route_check_nh: the route to a gateway needs no other gateway, and leads to the
    link that was given. The route's own table is asked first, whatever carriers; the rules are not
    asked so."""
    oif = link.index if link is not None else LinkIndex(0)
    query = Query(6, gateway, oif=oif, strict=link is not None)
    alive = _whatever_carriers(snapshot)
    match = match6(alive, table, alive.table(6, table), query)
    for winner, legs in ((match.step.winner, match.legs), _by_rules(snapshot, query)):
        if winner is None or not legs or _rejects(snapshot, winner, legs[0]):
            continue
        way = snapshot.links.get(legs[0].link) if legs[0].link is not None else None
        if legs[0].gateway is None and way is not None and link in (None, way):
            return way
    return None


def _by_rules(snapshot: Snapshot, query: Query) -> tuple[Route | None, tuple[NextHop, ...]]:
    found = walk(snapshot, query)
    return (None, ()) if found.error is not None else (found.route, found.legs)


def check_source(snapshot: Snapshot, source: IPAddress) -> None:
    """``src`` must be an address of this host; raises ``RefusedError``."""
    if source.version == 4:
        local = type_of(snapshot, source) is RouteType.LOCAL
    else:
        local = snapshot.is_local(6, int(source))
    if not local:
        raise RefusedError(Objection.SOURCE_NOT_LOCAL, str(source))
