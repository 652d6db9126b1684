"""What packet does a rule match? One flow that does, so that its change can be seen.

A packet made here without mark or source passes by most policy rules. To see what a rule changes, a
packet is made that it matches: with its mark, from an address it names (this host's own, or
arriving on the link that leads there) and so on.
"""

from __future__ import annotations

from netaddr import IPAddress

from wgtui.engine.lookup import follow
from wgtui.engine.territory import packet_to
from wgtui.model.flow import Flow
from wgtui.model.network import Link, Mark, Rule, Selector
from wgtui.model.prefix import BITS, Family, Prefix, family_of
from wgtui.model.snapshot import Snapshot


def is_plain(selector: Selector) -> bool:
    """Does a bare packet, made here, show what the rule does? ``to`` is for the ranges to say."""
    asked = Selector(destination=selector.destination, inverted=selector.inverted)
    return selector == asked or selector.inverted


def witness(snapshot: Snapshot, rule: Rule) -> Flow | None:
    """A flow to anywhere that the rule matches (as far as its destination allows); None: none could
    be made."""
    selector, family = rule.selector, rule.family
    if rule.unknown or selector.l3mdev or selector.tunnel_id is not None:
        return None
    flow = packet_to(family, 0)._replace(
        mark=Mark(selector.mark.value) if selector.mark is not None else Mark(0),
        tos=(selector.tos or 0) | ((selector.dscp.value << 2) if selector.dscp else 0),
        uid=selector.uids.first if selector.uids is not None else None,
        protocol=selector.protocol,
        sport=selector.source_port.first if selector.source_port is not None else None,
        dport=selector.destination_port.first if selector.destination_port is not None else None,
        flowlabel=selector.flowlabel.value if selector.flowlabel is not None else 0,
        oif=selector.oif,
    )
    if selector.oif is not None and selector.oif not in snapshot.links_by_name:
        return None
    if selector.iif not in (None, "lo"):
        return _arriving(snapshot, flow, family, selector)
    return flow if selector.source is None else _from(snapshot, flow, family, selector.source)


def _arriving(snapshot: Snapshot, flow: Flow, family: Family, selector: Selector) -> Flow | None:
    link = snapshot.links_by_name.get(selector.iif or "")
    if link is None:
        return None
    source = selector.source
    if source is None:
        source = next(
            (entry.prefix for entry in link.addresses if family_of(entry.address) == family), None
        )
        if source is None:
            source = _owned_on(snapshot, link, family)
    if source is None:
        return None
    return flow._replace(iif=link.name, source=_somebody(snapshot, source), oif=None)


def _owned_on(snapshot: Snapshot, link: Link, family: Family) -> Prefix | None:
    device = snapshot.devices.get(link.index)
    peers = device.peers if device is not None else ()
    allowed = (prefix for peer in peers for prefix in peer.allowed_ips)
    return next((prefix for prefix in allowed if prefix.family == family), None)


def _from(snapshot: Snapshot, flow: Flow, family: Family, source: Prefix) -> Flow | None:
    """From an address of this host, or from outside on the link that leads there."""
    for own_family, address in snapshot.own_addresses:
        if own_family == family and source.covers(address):
            return flow._replace(source=IPAddress(address, family))
    outside = _somebody(snapshot, source)
    step = follow(snapshot, packet_to(family, int(outside))).route
    link = snapshot.links.get(step.link) if step is not None and step.link is not None else None
    if link is None or link.loopback:
        return None
    return flow._replace(source=outside, iif=link.name, oif=None)


def _somebody(snapshot: Snapshot, prefix: Prefix) -> IPAddress:
    """An address in the prefix that is not this host's own, if there is one among the first."""
    first = prefix.network + (1 if prefix.length < BITS[prefix.family] - 1 else 0)
    for address in range(first, min(first + 8, prefix.last + 1)):
        if (prefix.family, address) not in snapshot.own_addresses:
            return IPAddress(address, prefix.family)
    return IPAddress(first, prefix.family)
