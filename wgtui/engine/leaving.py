"""What becomes of a packet at the link that routing chose: in clear, encrypted, or not at all?

On a WireGuard link the destination's owner is found, and the encrypted packet to the owner's
endpoint is a packet made on this host, routed again from the top with the device's mark (section 0
step 6, S-E10 … S-E18). Meeting the same peer of the same device again is a loop; other tunnels are
legal (S-E17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from wgtui.engine import cryptokey
from wgtui.engine.influences import considered
from wgtui.engine.once import once, remember
from wgtui.engine.output import Way, send
from wgtui.engine.query import NO_LINK, UDP, Query, new_query
from wgtui.engine.sticky import other_ways
from wgtui.model.flow import Flow
from wgtui.model.network import LinkIndex, NextHop
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import (
    Outcome,
    OuterStep,
    Ownership,
    OwnerStep,
    Reason,
    Step,
    Trace,
)
from wgtui.model.wireguard import Device, Endpoint

Tunnels: TypeAlias = frozenset[tuple[LinkIndex, str]]
"""The (device, peer key) pairs that a packet has already left through."""

DEEPEST: Final = 20
"""Every tunnel adds 60 or 80 bytes: no packet of 1500 survives more of them."""


class End(NamedTuple):
    """How it ends at a link."""

    outcome: Outcome
    reason: Reason | None = None
    owner: OwnerStep | None = None
    outer: OuterStep | None = None


def leave(snapshot: Snapshot, way: Way, query: Query, tunnels: Tunnels) -> End:
    """The end of a packet that routing sends ``way``."""
    if way.error is not None:
        return End(way.error, way.reason)
    route = way.route
    if route is None:
        return End(Outcome.LOCAL)
    if way.local:
        return End(Outcome.LOCAL)
    if len(route.next_hops) == 1:
        return _at_leg(snapshot, route.next_hops[0], query, tunnels)
    ends = [_at_leg(snapshot, leg, query, tunnels) for leg in _distinct(route.next_hops)]
    if not ends:
        return End(Outcome.UNKNOWN, Reason.UNKNOWN_NEXTHOP)
    if any(end.outcome is not ends[0].outcome for end in ends):
        return ends[0]._replace(outcome=Outcome.UNKNOWN, reason=Reason.LEGS_DIFFER)
    return ends[0]


def _distinct(legs: tuple[NextHop, ...]) -> Sequence[NextHop]:
    return list({leg.link: leg for leg in reversed(legs)}.values())[::-1]


def _at_leg(snapshot: Snapshot, leg: NextHop, query: Query, tunnels: Tunnels) -> End:
    link = snapshot.links.get(leg.link) if leg.link is not None else None
    if leg.encap is not None:
        return End(Outcome.UNKNOWN, Reason.ENCAP)
    if link is None:
        return End(Outcome.UNKNOWN, Reason.LINKS_UNREADABLE)
    device = cryptokey.device_of(snapshot, link)
    if link.up is False:
        return End(Outcome.LINK_DOWN, Reason.LINK_ADMIN_DOWN)
    if not link.seen and device is None:
        return End(Outcome.UNKNOWN, Reason.LINKS_UNREADABLE)
    if link.carrier is False or leg.linkdown:
        return End(Outcome.LINK_DOWN, Reason.NO_CARRIER)
    if cryptokey.hidden(snapshot, link):
        return End(Outcome.UNKNOWN, Reason.WIREGUARD_UNREADABLE)
    if device is None:
        return End(Outcome.SENT)
    return _encrypt(snapshot, device, query, tunnels)


def _encrypt(snapshot: Snapshot, device: Device, query: Query, tunnels: Tunnels) -> End:
    step = cryptokey.owner_step(device, query.family, query.destination)
    if step.owner is None:
        return End(Outcome.NO_PEER, None, step)
    endpoint = step.owner.peer.endpoint
    if endpoint is None:
        return End(Outcome.NO_ENDPOINT, None, step)
    if device.public_key is None:
        return End(Outcome.OUTER_FAILED, Reason.NO_PRIVATE_KEY, step)
    outer = outer_trace(snapshot, step.owner, endpoint, tunnels)
    end = OuterStep(endpoint, outer)
    if outer.outcome.good:
        return End(Outcome.ENCRYPTED, None, step, end)
    if outer.outcome in (Outcome.LOOP, Outcome.UNKNOWN):
        return End(outer.outcome, outer.reason, step, end)
    return End(Outcome.OUTER_FAILED, outer.reason, step, end)


def outer_trace(
    snapshot: Snapshot, owner: Ownership, endpoint: Endpoint, tunnels: Tunnels = frozenset()
) -> Trace:
    """The encrypted packet from a device to its peer's endpoint, where the device was born."""
    if tunnels:
        return _outer(snapshot, owner, endpoint, tunnels)
    known, key = _known(snapshot), (owner.device.link, owner.peer_position)
    found = known.get(key)
    if found is not None and found.device is owner.device and found.endpoint is endpoint:
        return found.trace
    trace = _outer(snapshot, owner, endpoint, tunnels)
    return remember(known, key, _Outer(owner.device, endpoint, trace)).trace


class _Outer(NamedTuple):
    """The way of all encrypted packets to a peer, and of what device and endpoint that was said."""

    device: Device
    endpoint: Endpoint
    trace: Trace


@once
def _known(_: Snapshot) -> dict[tuple[LinkIndex, int], _Outer]:
    """By device and position of the peer. What is inside a packet does not change its way."""
    return {}


def _outer(snapshot: Snapshot, owner: Ownership, endpoint: Endpoint, tunnels: Tunnels) -> Trace:
    device = owner.device
    there = snapshot.birthplace(device)
    if there is None:
        flow = outer_flow(snapshot, device, endpoint)
        return Trace(flow, Outcome.UNKNOWN, reason=Reason.FOREIGN_NAMESPACE)
    here = (device.link, owner.peer.public_key)
    tunnels_there = tunnels | {here}
    if there is not snapshot:
        # Links have other numbers there, and from there no packet comes back (S-E20).
        snapshot, tunnels, tunnels_there = there, frozenset(), frozenset()
    flow = outer_flow(snapshot, device, endpoint)
    if here in tunnels:
        return Trace(flow, Outcome.LOOP)
    if len(tunnels) >= DEEPEST:
        return Trace(flow, Outcome.UNKNOWN, reason=Reason.TOO_DEEP)
    oif = NO_LINK
    if flow.oif is not None:
        link = snapshot.links_by_name.get(flow.oif)
        if link is None:
            reason = Reason.LINKS_UNREADABLE if snapshot.gap(Subject.LINKS) else None
            outcome = Outcome.UNKNOWN if reason else Outcome.NO_ROUTE
            return Trace(flow, outcome, reason=reason)
        oif = link.index
    query = new_query(
        Query,
        family=flow.family,
        destination=int(flow.destination),
        oif=oif,
        mark=flow.mark,
        protocol=UDP,
        sport=device.listen_port,
        dport=endpoint.port,
    )
    trace = trace_sent(snapshot, flow, query, tunnels_there)
    if owner.peer.last_handshake is None:
        return trace  # it was never heard
    sticky = tuple(other_ways(snapshot, query, trace))
    return replace(trace, influences=(*trace.influences, *sticky)) if sticky else trace


def outer_flow(snapshot: Snapshot, device: Device, endpoint: Endpoint) -> Flow:
    """The encrypted packet as a person would ask about it: uid 0, tos 0, no source yet (S-E14)."""
    zone = endpoint.zone
    if zone is not None and zone.isdigit():
        zone = snapshot.link_name(LinkIndex(int(zone)))
    return Flow(
        destination=endpoint.address,
        oif=zone or None,
        mark=device.fwmark,
        uid=0,
        protocol=UDP,
        sport=device.listen_port,
        dport=endpoint.port,
    )


def trace_sent(snapshot: Snapshot, flow: Flow, query: Query, tunnels: Tunnels) -> Trace:
    """The trace of a packet made on this host, without a reverse check."""
    way = send(snapshot, query)
    trace = build(flow, way, leave(snapshot, way, query, tunnels))
    # Answers come back from the endpoint by the link that leads to it, as far as anybody can tell.
    link = way.route.link if way.route is not None else None
    found = considered(snapshot, trace, () if link is None else (link,))
    if not any(found):
        return trace
    return Trace(flow, trace.outcome, trace.steps, trace.reason, (), *found)


def build(flow: Flow, way: Way, end: End) -> Trace:
    """Put the steps together, in kernel order."""
    steps: tuple[Step, ...] = way.steps
    for step in (way.route, end.owner, end.outer):
        if step is not None:
            steps = (*steps, step)
    return Trace(flow, end.outcome, steps, end.reason)
