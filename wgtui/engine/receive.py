"""What happens to a packet that arrives on a link, up to the decision where it goes?

IPv4: route.c:ip_route_input_rcu, ip_route_input_slow, __mkroute_input (S-B40). IPv6: a plain lookup
and hardly any checks (S-B70). For WireGuard links the inner source is looked up in the AllowedIPs
first (S-E31).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wgtui.engine import cryptokey
from wgtui.engine.next_hop import is_multicast4, is_multicast6
from wgtui.engine.output import BROADCAST, Way, from_found, needs_strict
from wgtui.engine.query import Query
from wgtui.engine.reverse_path import either, forwarded_with, validate
from wgtui.engine.rules import Found, walk
from wgtui.model.network import Link, LinkIndex, RouteType
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import (
    ArrivalStep,
    BackOutcome,
    Outcome,
    Ownership,
    Reason,
    ReversePath,
    RpResult,
    RpWhy,
)
from wgtui.model.wireguard import Peer

_LOOPBACK4: Final = Prefix.parse("127.0.0.0/8")
_LINK_LOCAL6: Final = Prefix.parse("fe80::/10")
_LEAST_MTU6: Final = 1280
"""IPv6 leaves a link with less (addrconf.c:addrconf_notify)."""
_ALL_HOSTS: Final = 0xE0000001


class Arrival(NamedTuple):
    """How it was let in, and where it goes then; ``way`` is None when it was not let in."""

    step: ArrivalStep
    outcome: Outcome | None
    """It ends here; None: it goes the ``way``."""
    reason: Reason | None
    way: Way | None


def receive(snapshot: Snapshot, query: Query, sender: Peer | None) -> Arrival:
    """The packet ``query`` arrives on ``query.iif`` (after decryption, on a WireGuard link)."""
    link = snapshot.links[query.iif]
    owner: Ownership | None = None
    if cryptokey.hidden(snapshot, link):
        return _ends(link, BackOutcome.UNKNOWN, Outcome.UNKNOWN, Reason.WIREGUARD_UNREADABLE)
    device = cryptokey.device_of(snapshot, link)
    if device is not None:
        owner = cryptokey.owner_step(device, query.family, query.source).owner
        if owner is None or (sender is not None and owner.peer != sender):
            reason = Reason.OTHER_PEER_OWNS_SOURCE if owner else Reason.NOBODY_OWNS_SOURCE
            step = ArrivalStep(link.index, BackOutcome.NOT_ALLOWED, reason, owner, sender)
            return Arrival(step, Outcome.NOT_ALLOWED, reason, None)
    if query.family == 6:
        return _receive6(snapshot, query, link, owner, sender)
    return _receive4(snapshot, query, link, owner, sender)


def _ends(link: Link, back: BackOutcome, outcome: Outcome, reason: Reason) -> Arrival:
    return Arrival(ArrivalStep(link.index, back, reason), outcome, reason, None)


def _receive4(
    snapshot: Snapshot, query: Query, link: Link, owner: Ownership | None, sender: Peer | None
) -> Arrival:
    def arrived(
        outcome: Outcome | None,
        reason: Reason | None,
        way: Way | None,
        path: ReversePath | None = None,
    ) -> Arrival:
        back = BackOutcome.ACCEPTED
        if outcome is Outcome.RPF_DROPPED:
            back = BackOutcome.RPF_DROPPED
        elif outcome is Outcome.UNKNOWN and (way is None or path is not None):
            back = BackOutcome.UNKNOWN
        elif outcome is Outcome.MARTIAN:
            back = BackOutcome.RPF_DROPPED if path is not None else BackOutcome.NOT_ALLOWED
        step = ArrivalStep(link.index, back, reason, owner, sender, path)
        return Arrival(step, outcome, reason, way)

    query = query._replace(input=True)
    martian = _martian4(snapshot, query, link)
    if martian in (Reason.SYSCTL_UNREADABLE, Reason.MULTICAST_ROUTING):
        return arrived(Outcome.UNKNOWN, martian, None)
    if martian is not None:
        return arrived(Outcome.MARTIAN, martian, None)
    if query.destination in (BROADCAST, _ALL_HOSTS) or query.source == query.destination == 0:
        found, way, kind = Found(()), Way(), RouteType.BROADCAST
    else:
        found = walk(snapshot, query)
        way = from_found(snapshot, query, found)
        if way.error is not None or found.route is None:
            unknown = way.error is Outcome.UNKNOWN
            if not unknown and snapshot.conf(4, link.name, "forwarding") == 0:
                # A host that is no router says the same to all it has no way for (S-B40).
                return arrived(Outcome.NOT_FORWARDED, Reason.FORWARDING_OFF, way)
            return arrived(None, way.reason, way)
        kind = found.route.info.type
    here = kind in (RouteType.LOCAL, RouteType.BROADCAST)
    if not here:
        forwarding = snapshot.conf(4, link.name, "forwarding")
        if forwarding is None:
            return arrived(Outcome.UNKNOWN, Reason.SYSCTL_UNREADABLE, way)
        if not forwarding:
            return arrived(Outcome.NOT_FORWARDED, Reason.FORWARDING_OFF, way)
        if kind is not RouteType.UNICAST:
            return arrived(Outcome.MARTIAN, Reason.DESTINATION_INVALID, None)
    done = Outcome.LOCAL if kind is RouteType.BROADCAST else None
    if done and query.source == 0:
        return arrived(done, None, way)
    packet = query._replace(destination=0) if done else query
    paths = [validate(snapshot, packet, out) for out in _outs(way, here)]
    path = paths[0] if here else forwarded_with(snapshot, paths[0], found)
    if any(other.result is not path.result for other in paths):
        return arrived(Outcome.UNKNOWN, Reason.LEGS_DIFFER, way, path)
    if path.result is RpResult.UNKNOWN:
        return arrived(Outcome.UNKNOWN, path.reason, way, path)
    if path.result is RpResult.PASS:
        return arrived(done, None, way, path)
    if path.why is RpWhy.OWN_SOURCE:
        return arrived(Outcome.MARTIAN, Reason.SOURCE_IS_OWN, None, path)
    if path.why is RpWhy.NOT_UNICAST:
        return arrived(Outcome.MARTIAN, Reason.SOURCE_INVALID, None, path)
    return arrived(Outcome.RPF_DROPPED, None, None, path)


def _outs(way: Way, here: bool) -> list[LinkIndex | None]:
    """The links it may be forwarded to, which source validation looks at; None: delivered here."""
    if here or way.route is None:
        return [None]
    legs = [leg.link for leg in way.route.next_hops]
    return [way.route.link, *(link for link in legs if link != way.route.link)]


def _martian4(snapshot: Snapshot, query: Query, link: Link) -> Reason | None:
    """What the addresses alone say (S-B40); None: nothing against them."""
    source, destination = query.source, query.destination
    if is_multicast4(source) or source == BROADCAST:
        return Reason.SOURCE_INVALID
    if is_multicast4(destination):
        if destination != _ALL_HOSTS:
            return Reason.MULTICAST_ROUTING
        if not link.up:
            return Reason.NO_MULTICAST_LISTENER
    elif destination == BROADCAST or source == destination == 0:
        return None
    elif source == 0:
        return Reason.SOURCE_INVALID
    elif destination == 0:
        return Reason.DESTINATION_INVALID
    if _LOOPBACK4.covers(destination) or _LOOPBACK4.covers(source):
        # lo is no exception: what is sent over lo brings its route along, and is not looked up.
        allowed = either(snapshot, link, "route_localnet")
        if allowed is None:
            return Reason.SYSCTL_UNREADABLE
        return None if allowed else Reason.LOOPBACK_ADDRESS
    return None


def _receive6(
    snapshot: Snapshot, query: Query, link: Link, owner: Ownership | None, sender: Peer | None
) -> Arrival:
    accepted = ArrivalStep(link.index, BackOutcome.ACCEPTED, None, owner, sender)
    loopback = not link.loopback and 1 in (query.source, query.destination)
    # ip6_input.c:ip6_rcv_core asks before anything is routed; "all" only sets it for every link.
    off = 0 < link.mtu < _LEAST_MTU6 or bool(snapshot.conf(6, link.name, "disable_ipv6"))
    if is_multicast6(query.source) or loopback or off:
        reason = Reason.LOOPBACK_ADDRESS if loopback else Reason.SOURCE_INVALID
        reason = Reason.IPV6_OFF if off else reason
        step = ArrivalStep(link.index, BackOutcome.NOT_ALLOWED, reason, owner, sender)
        return Arrival(step, Outcome.MARTIAN, reason, None)
    query = query._replace(input=True, strict=needs_strict(query.destination))
    way = from_found(snapshot, query, walk(snapshot, query))
    if way.error is not None or way.local:
        return Arrival(accepted, None, way.reason, way)
    if is_multicast6(query.destination):
        return Arrival(accepted, Outcome.UNKNOWN, Reason.MULTICAST_ROUTING, way)
    forwarding = snapshot.conf(6, "all", "forwarding")
    if forwarding is None and not snapshot.conf(6, link.name, "force_forwarding"):
        return Arrival(accepted, Outcome.UNKNOWN, Reason.SYSCTL_UNREADABLE, way)
    if not forwarding and not snapshot.conf(6, link.name, "force_forwarding"):
        return Arrival(accepted, Outcome.NOT_FORWARDED, Reason.FORWARDING_OFF, way)
    if query.source == 0 or _LINK_LOCAL6.covers(query.source):
        # ip6_output.c:ip6_forward sends such sources nowhere else.
        step = ArrivalStep(
            link.index, BackOutcome.NOT_ALLOWED, Reason.SOURCE_INVALID, owner, sender
        )
        return Arrival(step, Outcome.MARTIAN, Reason.SOURCE_INVALID, None)
    return Arrival(accepted, None, None, way)
