"""Which link and flags does the kernel give a next hop that is being added; does it take it at all?

IPv4: fib_semantics.c:fib_check_nh (S-B13): the gateway is looked up once, by the rules, and must be
on a link. IPv6: route.c:ip6_route_check_nh.
"""

from __future__ import annotations

from netaddr import IPAddress

from wgtui.engine.fib import match4
from wgtui.engine.local_tree import local_tables
from wgtui.engine.query import Query
from wgtui.engine.reverse_path import either
from wgtui.engine.rules import walk
from wgtui.engine.what_if.applied import Objection, RefusedError
from wgtui.model.command import LegWords, RouteCommand
from wgtui.model.network import Link, LinkIndex, NextHop, Route, RouteType, Scope, TableId
from wgtui.model.prefix import family_of
from wgtui.model.snapshot import Snapshot


def resolve(
    snapshot: Snapshot, command: RouteCommand, table: TableId, scope: int
) -> tuple[NextHop, ...]:
    """The next hops of a new route; raises ``RefusedError``."""
    if not command.legs:
        raise RefusedError(Objection.NEEDS_LINK)
    family = command.destination.family
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


def _leg(snapshot: Snapshot, words: LegWords, link: Link, multipath: bool, family: int) -> NextHop:
    linkdown = link.carrier is False
    ignored = (
        either(snapshot, link, "ignore_routes_with_linkdown")
        if family == 4
        else snapshot.conf(6, link.name, "ignore_routes_with_linkdown")
    )
    return NextHop(
        link=link.index,
        gateway=words.gateway,
        weight=words.weight if multipath else 1,
        dead=linkdown and bool(ignored),
        linkdown=linkdown,
        onlink=words.onlink,
    )


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
        if gateway is not None and _type_of(snapshot, gateway) is not RouteType.UNICAST:
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
    """The route to a gateway: in the route's own table first, then by all rules."""
    own = snapshot.table(4, table)
    if own is not None:
        match = match4(table, [own], query)
        winner = match.step.winner
        if winner is not None and match.legs:
            return winner, match.legs[0].link
    found = walk(snapshot, query)
    if found.route is None or found.error is not None:
        return None
    return found.route, found.legs[0].link if found.legs else None


def _type_of(snapshot: Snapshot, address: IPAddress) -> RouteType:
    """inet_addr_type: what the local table says of an address."""
    found = match4(TableId(255), local_tables(snapshot), Query(4, int(address)))
    winner = found.step.winner
    return winner.info.type if winner is not None else RouteType.UNICAST


def _link6(snapshot: Snapshot, words: LegWords, link: Link | None, table: TableId) -> Link:
    gateway = words.gateway
    if link is not None and not link.up:
        raise RefusedError(Objection.LINK_DOWN, link.name)
    if gateway is None or words.onlink:
        if link is None:
            raise RefusedError(Objection.NEEDS_LINK)
        return link
    if snapshot.is_local(6, int(gateway)):
        raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    if int(gateway) >> 118 == 0x3FA:  # fe80::/10
        if link is None:
            raise RefusedError(Objection.NEEDS_LINK)
        return link
    oif = link.index if link is not None else LinkIndex(0)
    query = Query(6, int(gateway), oif=oif, strict=link is not None)
    found = walk(snapshot, query)
    if found.route is None or found.error is not None or not found.legs:
        raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    leg = found.legs[0]
    way = snapshot.links.get(leg.link) if leg.link is not None else None
    if leg.gateway is not None or way is None or (link is not None and way is not link):
        raise RefusedError(Objection.INVALID_GATEWAY, str(gateway))
    return way


def check_source(snapshot: Snapshot, source: IPAddress, table: TableId) -> None:
    """``src`` must be an address of this host; raises ``RefusedError``."""
    if not snapshot.is_local(family_of(source), int(source)):
        raise RefusedError(Objection.SOURCE_NOT_LOCAL, str(source))
