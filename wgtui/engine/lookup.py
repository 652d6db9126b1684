"""What happens to this packet on this host? The whole walk, top to bottom, on one page.

    arriving (iif)?   cryptokey: does the sender own the source → martians → rules → rp_filter →
    forwarding made here?        source and oif checks → rules then              the winning route →
    next hop and source → the link it leaves by a WireGuard link  who owns the destination → its
    endpoint → the encrypted packet, from the top again at last           the reverse check: would a
    packet from there be let in

Pure: the same Snapshot and Flow give the same Trace, so it can run on every key press.
"""

from __future__ import annotations

from wgtui.engine import cryptokey
from wgtui.engine.connected import connected_trace
from wgtui.engine.influences import considered
from wgtui.engine.leaving import End, build, leave
from wgtui.engine.output import send
from wgtui.engine.query import NO_LINK, Query, query_of
from wgtui.engine.receive import receive
from wgtui.engine.reverse import entrances, links_back
from wgtui.errors import QueryError
from wgtui.model.flow import Flow
from wgtui.model.network import LOOPBACK, LinkIndex
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, Trace
from wgtui.model.wireguard import Peer


def lookup(snapshot: Snapshot, flow: Flow) -> Trace:
    """Follow the packet.

    Raises ``QueryError`` when the flow names a link or a peer that this host does not have.
    """
    trace, query = _followed(snapshot, flow)
    if query is None:
        return trace
    connected = connected_trace(snapshot, flow, query, trace) if flow.iif is None else None
    return _completed(snapshot, trace, query, connected)


def follow(snapshot: Snapshot, flow: Flow) -> Trace:
    """The way of the packet alone, without the reverse check and what else may change it.

    Raises ``QueryError`` like ``lookup``.
    """
    return _followed(snapshot, flow)[0]


def _followed(snapshot: Snapshot, flow: Flow) -> tuple[Trace, Query | None]:
    named = _links(snapshot, flow)
    if named is None:
        return Trace(flow, Outcome.UNKNOWN, reason=Reason.LINKS_UNREADABLE), None
    query = query_of(snapshot, flow, *named)
    if flow.iif is not None:
        return _arriving(snapshot, flow, query)
    way = send(snapshot, query)
    return build(flow, way, leave(snapshot, way, query, frozenset())), query


def _links(snapshot: Snapshot, flow: Flow) -> tuple[LinkIndex, LinkIndex] | None:
    """The indexes of iif and oif; None: they are named but the links could not be seen."""
    found = [LOOPBACK, NO_LINK]
    for place, keyword, name in ((0, "iif", flow.iif), (1, "oif", flow.oif)):
        if name is None:
            continue
        link = snapshot.links_by_name.get(name)
        if link is None:
            if snapshot.gap(Subject.LINKS):
                return None
            raise QueryError(f"{keyword} {name}: there is no such link here", name)
        found[place] = link.index
    return found[0], found[1]


def _arriving(snapshot: Snapshot, flow: Flow, query: Query) -> tuple[Trace, Query | None]:
    link = snapshot.links[query.iif]
    sender: Peer | None = None
    if flow.peer is not None:
        device = cryptokey.device_of(snapshot, link)
        if device is None and not cryptokey.hidden(snapshot, link):
            raise QueryError(f"peer {flow.peer}: {link.name} is not a WireGuard device", flow.peer)
        if device is not None:
            sender = cryptokey.find_peer(device, flow.peer)
    arrival = receive(snapshot, query, sender)
    if arrival.way is None:
        outcome = arrival.outcome or Outcome.UNKNOWN
        return Trace(flow, outcome, (arrival.step,), arrival.reason), None
    end = End(arrival.outcome, arrival.reason) if arrival.outcome else None
    end = end or leave(snapshot, arrival.way, query, frozenset())
    trace = build(flow, arrival.way, end)
    steps = (arrival.step, *trace.steps)
    return Trace(flow, trace.outcome, steps, trace.reason), query


def _completed(
    snapshot: Snapshot, trace: Trace, query: Query, connected: Trace | None = None
) -> Trace:
    """Add the reverse check and what else may change the answer."""
    back = () if trace.outcome is Outcome.LOCAL else tuple(entrances(snapshot, trace, query))
    found = considered(snapshot, trace, links_back(snapshot, trace, back))
    steps, reason = trace.steps, trace.reason
    return Trace(trace.flow, trace.outcome, steps, reason, back, *found, connected)
