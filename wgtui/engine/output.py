"""How does a packet made on this host find its way? Before, around and after the rules.

IPv4: route.c:ip_route_output_key_hash_rcu (S-B15 … S-B19). IPv6: ip6_route_output_flags (S-B63,
S-B69).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wgtui.engine.local_tree import homes
from wgtui.engine.next_hop import delivered_here, is_multicast4, is_multicast6, on_link, way_out
from wgtui.engine.query import NO_LINK, Query, vrf_of
from wgtui.engine.rules import Found, ask_table, walk
from wgtui.engine.source_address import select4
from wgtui.model.network import LOOPBACK, Scope
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, RouteStep, RuleStep

BROADCAST: Final = 0xFFFFFFFF
_LOCAL_MULTICAST: Final = Prefix.parse("224.0.0.0/24")
_LOOPBACK4: Final = Prefix.parse("127.0.0.0/8")
_LINK_LOCAL6: Final = Prefix.parse("fe80::/10")
_IGMP: Final = 2


class Way(NamedTuple):
    """Where routing sends a packet, before anybody looks at the link it leaves by."""

    steps: tuple[RuleStep, ...] = ()
    route: RouteStep | None = None
    error: Outcome | None = None
    """It ends here; None: it goes to ``route.link``."""
    reason: Reason | None = None

    @property
    def local(self) -> bool:
        """Delivered on this host."""
        won = self.route.route if self.route is not None else None
        return won is not None and delivered_here(won)


def refused(outcome: Outcome, reason: Reason | None = None) -> Way:
    """No way, and no rule was asked."""
    return Way((), None, outcome, reason)


def send(snapshot: Snapshot, query: Query) -> Way:
    """The way of a packet made here."""
    return _send4(snapshot, query) if query.family == 4 else _send6(snapshot, query)


def from_found(snapshot: Snapshot, query: Query, found: Found) -> Way:
    """The way that a finished walk gives."""
    route = way_out(snapshot, query, found) if found.route is not None else None
    return Way(found.steps, route, found.error, found.reason)


def _send4(snapshot: Snapshot, query: Query) -> Way:
    way = _before4(snapshot, query) or _routed4(snapshot, query)
    if way.error is None and way.route is not None and not _loopback_source_ok(snapshot, way):
        return Way(way.steps, way.route, Outcome.MARTIAN, Reason.LOOPBACK_ADDRESS)
    return way


def _routed4(snapshot: Snapshot, query: Query) -> Way:
    if query.oif != NO_LINK and not query.source and is_multicast4(query.destination):
        source = select4(snapshot, query.oif, 0, Scope.UNIVERSE)
        query = query._replace(source=int(source) if source is not None else 0)
    found = walk(snapshot, query)
    failed = found.error not in (None, Outcome.UNKNOWN)
    to_group = is_multicast4(query.destination)
    bound = query.oif != NO_LINK and query.oif not in snapshot.vrfs
    if failed and bound and (to_group or vrf_of(snapshot, query.oif) is None):
        # Bound to a link, an IPv4 packet leaves on-link whatever the tables say (S-B15, S-B16).
        return Way(found.steps, on_link(snapshot, query, (query.oif,), Scope.LINK))
    return from_found(snapshot, query, found)


def _before4(snapshot: Snapshot, query: Query) -> Way | None:
    """What is decided before any rule is asked; None: go on."""
    source, destination, oif = query.source, query.destination, query.oif
    to_all = is_multicast4(destination) or destination == BROADCAST
    if source:
        if is_multicast4(source) or source == BROADCAST:
            return refused(Outcome.MARTIAN, Reason.SOURCE_INVALID)
        links = homes(snapshot, source)
        if not links:
            if snapshot.gap(Subject.ADDRESSES):
                return refused(Outcome.UNKNOWN, Reason.ADDRESSES_UNREADABLE)
            return refused(Outcome.NO_ROUTE, Reason.SOURCE_NOT_LOCAL)
        if oif == NO_LINK and to_all:
            return Way((), on_link(snapshot, query, links, Scope.LINK))
    if oif != NO_LINK:
        link = snapshot.links[oif]
        if link.up is False:
            return refused(Outcome.LINK_DOWN, Reason.OIF_DOWN)
        local_group = _LOCAL_MULTICAST.covers(destination) or destination == BROADCAST
        if local_group or query.protocol == _IGMP:
            return Way((), on_link(snapshot, query, (oif,), Scope.LINK))
    # To 0.0.0.0 means to this very host; no rule is asked.
    return Way() if destination == 0 else None


def _loopback_source_ok(snapshot: Snapshot, way: Way) -> bool:
    """127/8 as a source only leaves by lo, or where route_localnet allows it (S-D8)."""
    route = way.route
    if route is None or route.source is None or not _LOOPBACK4.covers(int(route.source)):
        return True
    link = snapshot.links.get(route.link) if route.link is not None else None
    if link is None or link.loopback or route.link == LOOPBACK:
        return True
    return bool(
        snapshot.conf(4, "all", "route_localnet") or snapshot.conf(4, link.name, "route_localnet")
    )


def _send6(snapshot: Snapshot, query: Query) -> Way:
    if query.source and is_multicast6(query.source):
        return refused(Outcome.MARTIAN, Reason.SOURCE_INVALID)
    bound = query.oif != NO_LINK and query.source == 0
    strict = query.strict or bound or needs_strict(query.destination)
    query = query._replace(strict=strict)
    way = _link_scope_of_vrf(snapshot, query) or from_found(snapshot, query, walk(snapshot, query))
    down = query.oif != NO_LINK and snapshot.links[query.oif].up is False
    if down and way.error is Outcome.NO_ROUTE:
        return Way(way.steps, way.route, Outcome.LINK_DOWN, Reason.OIF_DOWN)
    return way


def _link_scope_of_vrf(snapshot: Snapshot, query: Query) -> Way | None:
    """Bound to a VRF's member, what goes to multicast or link-local addresses is looked up in the
    VRF's table and no rule is asked; bound to the VRF itself it has no way; None: neither.

    vrf.c:vrf_link_scope_lookup (S-B80).
    """
    vrf = vrf_of(snapshot, query.oif) if snapshot.vrfs and query.oif != NO_LINK else None
    if vrf is None or not _of_link_scope(query.destination):
        return None
    if query.oif == vrf.index:
        return refused(Outcome.NO_ROUTE)
    if vrf.vrf_table is None:
        return refused(Outcome.UNKNOWN, Reason.OTHER_VRF)
    return from_found(snapshot, query, ask_table(snapshot, vrf.vrf_table, query))


def _of_link_scope(destination: int) -> bool:
    return is_multicast6(destination) or _LINK_LOCAL6.covers(destination)


def needs_strict(destination: int) -> bool:
    """Multicast, link-local and loopback destinations only leave by the link that is asked for
    (S-B63)."""
    return _of_link_scope(destination) or destination == 1
