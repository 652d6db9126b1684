"""Can the encrypted packets leave, and do they fit?

The encrypted packet is a packet made here, with the device's mark (section 0 step 6, S-E14 …
S-E18).
What it can say of handshakes is in ``silence.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from netaddr import IPAddress

from wgtui.engine.checks.ground import asked, table_for
from wgtui.engine.checks.partition import MIXED, UNKNOWN, Routing, way_of
from wgtui.engine.checks.world import Underlay, World, who
from wgtui.engine.leaving import outer_trace
from wgtui.engine.query import UDP, Query
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import (
    Loop,
    ManyUplinks,
    Mtu,
    NoEndpoint,
    ViaTunnel,
)
from wgtui.model.network import LinkIndex, Route, RouteType, RuleAction
from wgtui.model.prefix import Family, Prefix, family_of
from wgtui.model.prefix_index import NONE
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Ownership, Trace
from wgtui.model.wireguard import Birth, Endpoint

OVERHEAD: Final[dict[Family, int]] = {4: 60, 6: 80}
"""Bytes that WireGuard, UDP and IP put around a packet."""


def underlays(world: World) -> Sequence[Underlay]:
    """Every peer that has an endpoint."""
    if world.underlays is None:
        world.underlays = list(_underlays(world))
    return world.underlays


def _underlays(world: World) -> Iterator[Underlay]:
    snapshot = world.snapshot
    ports = {
        family: any(rule.selector.source_port or rule.selector.destination_port for rule in rules)
        for family, rules in snapshot.rules.items()
    }
    for device in snapshot.devices.values():
        routings: dict[Family, Routing] = {}
        for number, peer in enumerate(device.peers):
            endpoint = peer.endpoint
            if endpoint is None:
                continue
            family = family_of(endpoint.address)
            if family not in routings:
                query = Query(family, 0, mark=device.fwmark, protocol=UDP, sport=device.listen_port)
                routings[family] = world.ways.routing(query)
            routing = routings[family]
            plain = device.birth is Birth.HERE and endpoint.zone is None
            value = routing.at(int(endpoint.address))
            yield Underlay(
                device, number, peer, endpoint, value, routing, plain and not ports.get(family)
            )


def endpoints_in_tunnels(world: World) -> Iterator[Finding]:
    """Encrypted packets that come back to their own peer, or leave through another one."""
    devices = world.snapshot.devices.keys()
    for under in underlays(world):
        clear = not under.routing.links(under.value) & devices
        if under.plain and clear and way_of(under.value).code not in (UNKNOWN, MIXED):
            continue
        trace = outer_of(world.snapshot, under)
        facts = loop(world, under)
        if facts is not None:
            yield _about(under, Code.ENDPOINT_LOOP, Severity.ERROR, facts)
        elif trace.ownership is not None and trace.ownership.owner is not None:
            owner = trace.ownership.owner
            family = family_of(under.endpoint.address)
            way_around = bypass(world.snapshot, under.endpoint)
            through = ViaTunnel(
                under.endpoint,
                owner.device.name,
                who(owner.peer),
                OVERHEAD[family],
                way_around,
                table_for(trace.rules),
            )
            yield _about(under, Code.ENDPOINT_VIA_TUNNEL, Severity.INFO, through)


def _comes_back(under: Underlay, trace: Trace) -> bool:
    """Does the encrypted packet come back to its own peer?"""
    return trace.outcome is Outcome.LOOP and _looped(trace) == (under.device.link, _key(under))


def loop(world: World, under: Underlay) -> Loop | None:
    """What is to be said of encrypted packets that come back to their own peer; None: they do
    not. Only what is routed into a device is followed."""
    clear = not under.routing.links(under.value) & world.snapshot.devices.keys()
    if under.plain and clear and way_of(under.value).code not in (UNKNOWN, MIXED):
        return None
    trace = outer_of(world.snapshot, under)
    if not _comes_back(under, trace):
        return None
    around = bypass(world.snapshot, under.endpoint)
    return Loop(under.endpoint, around, table_for(trace.rules), _mark(world, under))


def _about(
    under: Underlay, code: Code, severity: Severity, facts: Loop | ViaTunnel | ManyUplinks
) -> Finding:
    return Finding(code, severity, facts, under.device.name, who(under.peer))


def _key(under: Underlay) -> str:
    return under.peer.public_key


def outer_of(snapshot: Snapshot, under: Underlay) -> Trace:
    """The way of the encrypted packet to a peer."""
    family = family_of(under.endpoint.address)
    ownership = Ownership(under.device, under.peer, under.number, Prefix(family, 0, 0))
    return outer_trace(snapshot, ownership, under.endpoint)


def _looped(trace: Trace) -> tuple[LinkIndex, str] | None:
    """The peer that a loop comes back to: the last one that encrypted."""
    last = None
    packet: Trace | None = trace
    while packet is not None:
        if packet.ownership is not None and packet.ownership.owner is not None:
            last = packet.ownership.owner
        packet = packet.outer
    return None if last is None else (last.device.link, last.peer.public_key)


def bypass(snapshot: Snapshot, endpoint: Endpoint) -> Route | None:
    """The longest route of any table to the endpoint that leads into no tunnel; main's first."""
    family, address = family_of(endpoint.address), int(endpoint.address)
    found: list[Route] = []
    for (of, _), table in snapshot.routes.items():
        for row in table.tree.covering(address) if of == family else ():
            for same in table.tree.same(row):
                info = table.info(same)
                links = {leg.link for leg in info.next_hops if not leg.dead}
                clear = links and not links & snapshot.devices.keys()
                if info.type is RouteType.UNICAST and clear and info.source is None:
                    found.append(table[same])
    return max(
        found,
        key=lambda route: (route.destination.length, route.table == 254, -route.info.metric),
        default=None,
    )


def _mark(world: World, under: Underlay) -> int:
    """A mark that keeps packets out of a table that leads into the device (S-F3)."""
    family = family_of(under.endpoint.address)
    for rule in world.snapshot.rules.get(family, ()):
        selector, table = rule.selector, rule.table
        routes = world.snapshot.table(family, table) if table is not None else None
        if not selector.inverted or selector.mark is None or routes is None:
            continue
        leads = under.device.link in world.rows_into(routes)
        if rule.action is RuleAction.TABLE and leads and selector.mark.value:
            marked = Query(family, 0, mark=selector.mark.value, protocol=UDP)
            value = world.ways.routing(marked).at(int(under.endpoint.address))
            links = world.ways.routing(marked).links(value)
            if links and not links & world.snapshot.devices.keys():
                return selector.mark.value
    return 0


def several_uplinks(world: World) -> Iterator[Finding]:
    """Encrypted packets that may leave by one of several links, each with its own source; or whose
    peer, calling another address of this host, is answered from this one: the other end, and what
    stands between, may expect only one of them.

    An answer is sent from the address that was called, if that leads out where the call came in
    (S-E14): rules for each own address see to it.
    """
    uplinks: dict[Family, dict[LinkIndex, IPAddress | None]] = {}
    by_source: dict[tuple[LinkIndex, Family, int], Routing] = {}
    for under in underlays(world):
        links = under.routing.links(under.value)
        if not under.plain or not links or links & world.snapshot.devices.keys():
            continue
        family = family_of(under.endpoint.address)
        if family not in uplinks:
            uplinks[family] = _uplinks(world, family)
        known = uplinks[family]
        chosen = {link: known[link] for link in sorted(links) if link in known}
        config = world.meant_peer(under.device, under.peer.public_key)
        calls = under.peer.keepalive or (config is not None and config.endpoint)
        others = {} if calls or not chosen else dict(known)
        for link, source in known.items():
            if link in others and source is not None:
                key = under.device.link, family, int(source)
                if key not in by_source:
                    query = under.routing.query._replace(source=int(source))
                    by_source[key] = world.ways.routing(query)
                answer = by_source[key]
                if answer.links(answer.at(int(under.endpoint.address))) == {link}:
                    del others[link]
        ways = tuple((chosen | others).items())
        if len({source for _, source in ways}) > 1:
            facts = ManyUplinks(under.endpoint, ways, len(chosen))
            yield _about(under, Code.ASYMMETRIC, Severity.INFO, facts)


def _uplinks(world: World, family: Family) -> dict[LinkIndex, IPAddress | None]:
    """Links that a default route leads to, and the address they send from."""
    found: dict[LinkIndex, IPAddress | None] = {}
    for (of, _), table in world.snapshot.routes.items():
        row = table.tree.find(Prefix(family, 0, 0)) if of == family else NONE
        for same in table.tree.same(row) if row != NONE else ():
            for leg in table.info(same).next_hops:
                link = leg.link
                if link is not None and not leg.dead and link not in world.snapshot.devices:
                    found.setdefault(link, _source(world.snapshot, link, family))
    return found


def _source(snapshot: Snapshot, link: LinkIndex, family: Family) -> IPAddress | None:
    found = snapshot.links.get(link)
    addresses = () if found is None else found.addresses
    return next((own.address for own in addresses if own.prefix.family == family), None)


def no_endpoint(world: World) -> Iterator[Finding]:
    """Peers that must call first."""
    for device in world.snapshot.devices.values():
        for peer in device.peers:
            if peer.endpoint is not None:
                continue
            config = world.meant_peer(device, peer.public_key)
            meant = None if config is None else config.endpoint
            severity = Severity.WARNING if meant is not None else Severity.INFO
            yield Finding(Code.NO_ENDPOINT, severity, NoEndpoint(meant), device.name, who(peer))


def mtu(world: World) -> Iterator[Finding]:
    """Devices whose full packets, once encrypted, are too large for the way out. What goes round
    in circles has no way out, and no size helps it."""
    worst: dict[LinkIndex, tuple[int, Underlay, Mtu]] = {}
    tables = world.snapshot.routes.values()
    on_routes = any(info.mtu for table in tables for info in table.infos)
    for under in underlays(world):
        facts = _mtu(world, under, on_routes)
        if facts is not None and not (facts.tunnel and loop(world, under)):
            before = worst.get(under.device.link)
            if before is None or facts.fits < before[0]:
                worst[under.device.link] = facts.fits, under, facts
    for _, under, facts in worst.values():
        # In a tunnel it is cut in pieces there and goes on working; on a wire it may be dropped.
        severity = Severity.INFO if facts.tunnel else Severity.WARNING
        yield Finding(Code.MTU, severity, facts, under.device.name, who(under.peer))


def _mtu(world: World, under: Underlay, on_routes: bool) -> Mtu | None:
    """``on_routes``: some route says an MTU of its own (route.c: ip_dst_mtu)."""
    snapshot = world.snapshot
    device = snapshot.links.get(under.device.link)
    links = under.routing.links(under.value)
    if device is None or not under.plain or not device.mtu or not links:
        return None
    outer = [snapshot.links[link] for link in links if link in snapshot.links]
    least = min((link for link in outer if link.mtu), key=lambda link: link.mtu, default=None)
    if least is None:
        return None
    family, address = family_of(under.endpoint.address), under.endpoint.address
    route = asked(world, under.routing.query, int(address)).route if on_routes else None
    path = min(
        [least.mtu, (route.info.mtu if route is not None else 0) or least.mtu]
        + [kept.mtu for kept in snapshot.exceptions if kept.destination == address and kept.mtu]
    )
    fits = path - OVERHEAD[family]
    if device.mtu <= fits:
        return None
    tunnel = least.index in snapshot.devices
    return Mtu(device.mtu, fits, path, least.index, under.endpoint, tunnel)
