"""Would a packet *from* there be let in, and would the answer go back the same way?

One entry per entrance: the link that the way out uses, then every WireGuard device with an owner
for the address. On a WireGuard device the source must belong to the sending peer (S-E31); the
encrypted packet must pass the underlay link's filter first, the decrypted one the device's own
(section D).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from wgtui.engine import cryptokey
from wgtui.engine.influences import before_routing
from wgtui.engine.leaving import outer_trace
from wgtui.engine.next_hop import is_multicast4, is_multicast6
from wgtui.engine.once import once, remember
from wgtui.engine.output import BROADCAST
from wgtui.engine.query import UDP, Query, new_query
from wgtui.engine.reverse_path import either, forwarded_with, validate
from wgtui.engine.rules import walk
from wgtui.model.network import Link, LinkIndex, RouteType
from wgtui.model.snapshot import Hook, Snapshot, Subject
from wgtui.model.trace import (
    BackOutcome,
    Ownership,
    Reason,
    ReversePath,
    ReverseStep,
    RpResult,
    Trace,
)
from wgtui.model.wireguard import Device, Peer

_new_step: Final = ReverseStep.__new__
"""At half the price; see ``prefix.new_prefix``."""


def entrances(snapshot: Snapshot, trace: Trace, query: Query) -> Iterator[ReverseStep]:
    """The reverse check of an answered flow, at every entrance."""
    route = trace.route
    out = route.link if route is not None else None
    seen: set[LinkIndex] = set()
    if out is not None and out in snapshot.links:
        seen.add(out)
        yield _at(snapshot, snapshot.links[out], trace, query, out)
    for device in snapshot.devices.values():
        link = snapshot.links.get(device.link)
        if link is None or device.link in seen:
            continue
        if device.owners.owner(query.family, query.destination) is not None:
            yield _at(snapshot, link, trace, query, out)


def links_back(
    snapshot: Snapshot, trace: Trace, back: Iterable[ReverseStep]
) -> Iterator[LinkIndex]:
    """The links of this namespace that a packet of the reverse check comes in by.

    Where the answer to the trace's own encrypted packet does, that packet's trace knows.
    """
    ours = trace.ownership.owner if trace.ownership is not None else None
    for step in back:
        yield step.link
        outer = step.outer_reverse_path
        if outer is None or step.owner is None or step.owner == ours:
            continue
        if snapshot.birthplace(step.owner.device) is snapshot:
            yield outer.link


def _at(
    snapshot: Snapshot, link: Link, trace: Trace, query: Query, out: LinkIndex | None
) -> ReverseStep:
    """The packet from ``query.destination`` comes in on ``link``; the reply would leave by
    ``out``."""
    if cryptokey.hidden(snapshot, link) or (not link.seen and link.index not in snapshot.devices):
        reason = Reason.WIREGUARD_UNREADABLE if link.seen else Reason.LINKS_UNREADABLE
        return ReverseStep(link.index, BackOutcome.UNKNOWN, reason, reply_link=out)
    device = cryptokey.device_of(snapshot, link)
    owner: Ownership | None = None
    outer: ReversePath | None = None
    encrypted: Trace | None = None
    if device is not None:
        owner = _owner(device, trace, query)
        if owner is None:
            reason = Reason.NOBODY_OWNS_SOURCE
            return ReverseStep(link.index, BackOutcome.NOT_ALLOWED, reason, reply_link=out)
    if _never_a_source(query):
        reason = Reason.SOURCE_INVALID
        return ReverseStep(link.index, BackOutcome.NOT_ALLOWED, reason, owner, reply_link=out)
    if device is not None and owner is not None:
        encrypted = _encrypted_answer(snapshot, owner, trace)
        outer = underlay_filter(snapshot, owner, encrypted)
    packet = _coming_back(snapshot, link, trace, query)
    forwarded = trace.flow.iif is not None
    path = _validated(snapshot, packet, forwarded) if query.family == 4 else None
    outcome, why = _judge(link, path, outer, out)
    return _new_step(
        ReverseStep,
        link.index,
        outcome,
        why,
        owner,
        path,
        outer,
        out,
        before_routing(snapshot, query.family, link.index, packet.destination),
        outer_hooks(snapshot, owner, encrypted),
    )


def _never_a_source(query: Query) -> bool:
    """Is what it asks about an address that nobody may send from? (S-B40, S-B70)"""
    address = query.destination
    if query.family == 6:
        return is_multicast6(address)
    return is_multicast4(address) or address == BROADCAST


def _owner(device: Device, trace: Trace, query: Query) -> Ownership | None:
    """Who owns the address there; on the way out it was asked already."""
    known = trace.ownership
    if known is not None and known.device is device:
        return known.owner
    return cryptokey.owner_step(device, query.family, query.destination).owner


def _validated(snapshot: Snapshot, packet: Query, forwarded: bool) -> ReversePath:
    """The answer to a forwarded packet is forwarded too: then the kernel asks with the link it
    leaves by (S-D4)."""
    found = walk(snapshot, packet._replace(input=True), told=False) if forwarded else None
    if found is None or found.error is not None or found.route is None or not found.legs:
        return validate(snapshot, packet)
    if found.route.info.type is not RouteType.UNICAST:
        return validate(snapshot, packet)
    return forwarded_with(snapshot, validate(snapshot, packet, found.legs[0].link), found)


def outer_hooks(
    snapshot: Snapshot, owner: Ownership | None, outer: Trace | None
) -> tuple[Hook, ...]:
    """What the encrypted packet meets where the device was born, whatever its family."""
    there = snapshot.birthplace(owner.device) if owner is not None else None
    if there is None or not there.hooks or outer is None:
        return ()
    route = outer.route
    if route is None or route.link is None:
        return ()
    here = 0 if route.source is None else int(route.source)
    return before_routing(there, outer.flow.family, route.link, here)


def _coming_back(snapshot: Snapshot, link: Link, trace: Trace, query: Query) -> Query:
    """The packet from there to here: to the address the way out would be sent from.

    Decrypted packets have no mark (S-E32), and neither has what just came off a wire.
    """
    route = trace.route
    here = query.source
    if not here and route is not None and route.source is not None and route.link == link.index:
        here = int(route.source)
    if not here:
        ours = (entry for entry in link.addresses if entry.address.version == query.family)
        own = (int(entry.address) for entry in ours)
        here = next(own, 0)
    if not here and route is not None and route.source is not None:
        here = int(route.source)
    return new_query(
        Query,
        family=query.family,
        destination=here,
        source=query.destination,
        iif=link.index,
        tos=query.tos,
        protocol=query.protocol,
        sport=query.dport,
        dport=query.sport,
    )


def _judge(
    link: Link, path: ReversePath | None, outer: ReversePath | None, out: LinkIndex | None
) -> tuple[BackOutcome, Reason | None]:
    for found in (outer, path):
        if found is not None and found.result is RpResult.DROP:
            return BackOutcome.RPF_DROPPED, None
        if found is not None and found.result is RpResult.UNKNOWN:
            return BackOutcome.UNKNOWN, found.reason
    # Without any way out there is no other link by which the reply could leave.
    same = out is None or out == link.index
    return (BackOutcome.ACCEPTED if same else BackOutcome.ASYMMETRIC), None


def _encrypted_answer(snapshot: Snapshot, owner: Ownership, trace: Trace) -> Trace | None:
    """The encrypted packet to the owner, by whose way the one from it is expected; None: there is
    no endpoint, or its namespace cannot be seen."""
    endpoint, there = owner.peer.endpoint, snapshot.birthplace(owner.device)
    if endpoint is None or there is None or (endpoint.address.version == 6 and not there.hooks):
        return None  # nothing judges an IPv6 packet by its way back but a firewall
    ours = trace.ownership.owner if trace.ownership is not None else None
    if ours == owner and trace.outer is not None:
        return trace.outer
    return outer_trace(snapshot, owner, endpoint)


def underlay_filter(
    snapshot: Snapshot, owner: Ownership, outer: Trace | None
) -> ReversePath | None:
    """The encrypted packet from the peer's endpoint, at the link where ours leave to it.

    It is asked where the device was born: its links are those of ``snapshot.birthplace`` (S-E20).
    None: no endpoint, an IPv6 underlay, or one that cannot be seen from here.
    """
    known, key = _known(snapshot), (owner.device.link, owner.peer_position)
    found = known.get(key)
    if found is None or found.peer is not owner.peer or found.outer is not outer:
        path = _underlay_filter(snapshot, owner, outer)
        found = remember(known, key, _Filtered(owner.peer, outer, path))
    return found.path


class _Filtered(NamedTuple):
    """What the filter says of all encrypted packets from a peer, and of what way to it."""

    peer: Peer
    outer: Trace | None
    path: ReversePath | None


@once
def _known(_: Snapshot) -> dict[tuple[LinkIndex, int], _Filtered]:
    """By device and position of the peer."""
    return {}


def _underlay_filter(
    snapshot: Snapshot, owner: Ownership, outer: Trace | None
) -> ReversePath | None:
    endpoint, there = owner.peer.endpoint, snapshot.birthplace(owner.device)
    if outer is None or endpoint is None or there is None or endpoint.address.version == 6:
        return None
    route = outer.route
    if route is None or route.link is None or route.source is None or not outer.outcome.good:
        return None
    link = there.links.get(route.link)
    if link is None:
        return None
    packet = new_query(
        Query,
        family=4,
        destination=int(route.source),
        source=int(endpoint.address),
        iif=link.index,
        protocol=UDP,
        sport=endpoint.port,
        dport=owner.device.listen_port,
    )
    plain = validate(there, packet)
    if plain.result is not RpResult.DROP or not owner.device.fwmark:
        return plain
    # wg-quick restores the mark of such replies from the connection (S-F4); with src_valid_mark the
    # filter then sees it, and both are needed (S-D11).
    if either(there, link, "src_valid_mark") is False:
        return plain
    marked = validate(there, packet._replace(mark=owner.device.fwmark))
    if marked.result is RpResult.DROP:
        return plain
    if there.hooks is None or there.gap(Subject.FIREWALL):
        return _mark_unknown(plain)
    prerouting = [hook.does for hook in there.hooks if hook.hook == "prerouting" and hook.meets(4)]
    if any("restore-mark" in does for does in prerouting):
        return marked
    if any("mark" in does for does in prerouting):
        return _mark_unknown(plain)
    return plain


def _mark_unknown(plain: ReversePath) -> ReversePath:
    """Dropped without the mark, let in with it, and nobody knows which."""
    return plain._replace(result=RpResult.UNKNOWN, reason=Reason.MARK_MAY_CHANGE)
