"""Would what the peers may send be let in, answered the same way, and forwarded?

rp_filter: S-D1 … S-D6 on the device, S-D11 at the underlay. Forwarding is the input link's (IPv4,
S-B40) or the whole host's (IPv6, S-B70).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netaddr import IPAddress

from wgtui.engine.checks.endpoints import underlays
from wgtui.engine.checks.ground import (
    DEFAULT_LIKE,
    NOBODYS,
    away,
    default_away,
    default_entry,
    elsewhere,
    leads,
)
from wgtui.engine.checks.partition import Routing
from wgtui.engine.checks.world import Ground, Underlay, World, who
from wgtui.engine.leaving import outer_trace
from wgtui.engine.reverse import underlay_filter
from wgtui.engine.reverse_path import LOOSE, STRICT, effective_mode
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Asymmetric, Filtered, ForwardingOff
from wgtui.model.network import Link, LinkIndex
from wgtui.model.prefix import BITS, FAMILIES, Family, Prefix
from wgtui.model.prefix_index import NONE
from wgtui.model.trace import Ownership, RpResult
from wgtui.model.wireguard import Device

_TUNNELS: Final = frozenset(
    {"tun", "ipip", "sit", "gre", "vti", "vti6", "ip6tnl", "xfrm", "ppp", "wireguard", "dummy"}
)
"""Links that lead to another end, or nowhere, and not into a network of hosts."""

_PAIR: Final = 31
"""Prefixes from this length on hold nobody else, or one other end."""


def replies(world: World) -> Iterator[Finding]:
    """Whether the way back to what a peer may send leads into its device: where it does not, the
    filter drops such packets, or the replies go elsewhere."""
    for device in world.snapshot.devices.values():
        link = world.snapshot.links.get(device.link)
        if link is None or not world.up(device):
            continue
        for family in FAMILIES:
            source = _own_address(link, family)
            plain = world.ways.plain(family, link=device.link)
            from_here = 0 if source is None else int(source)
            routing = world.ways.plain(family, from_here, device.link)
            same = routing is plain
            told = {
                (ground.peer.public_key, ground.entry)
                for ground in (() if same else away(world, device, plain))
            }
            for ground in _all_away(world, device, routing):
                known = same or (ground.peer.public_key, ground.entry) in told
                yield from _reply(world, device, link, routing, ground, source, known)


def _own_address(link: Link, family: Family) -> IPAddress | None:
    return next(
        (
            own.address
            for own in link.addresses
            if own.address.version == family and not (family == 6 and own.address.is_link_local())
        ),
        None,
    )


def _all_away(world: World, device: Device, routing: Routing) -> Iterator[Ground]:
    yield from away(world, device, routing)
    owner = default_entry(world, device, routing.family)
    address = None if owner is None else default_away(device, routing)
    if owner is None or address is None:
        return
    if not _for_others(world, device, routing.family, address):
        yield Ground(*owner, ((address, address, routing.at(address)),), True)


def _for_others(world: World, device: Device, family: Family, address: int) -> bool:
    """Does a table that other packets are led to, those of clients for one, lead it there?"""
    others = world.ways.others(family)
    return any(leads(device, other, address, address) for other in others)


def _reply(
    world: World,
    device: Device,
    link: Link,
    routing: Routing,
    ground: Ground,
    source: IPAddress | None,
    known: bool,
) -> Iterator[Finding]:
    """``known``: that packets made here go elsewhere is said already."""
    the_rest = ground.entry.length <= DEFAULT_LIKE
    facts = elsewhere(world, routing, ground)
    filtered = _filtered(world, link) if routing.family == 4 else None
    minor = facts.exception or the_rest
    if filtered is not None:
        told = Filtered(link.index, filtered, facts, addressless=filtered == LOOSE)
        severity = Severity.INFO if minor else Severity.WARNING
        code = Code.RP_FILTER
        yield Finding(code, severity, told, device.name, who(ground.peer), ground.entry)
    elif not facts.exception:
        severity = Severity.INFO if known or the_rest else Severity.WARNING
        replying = Asymmetric(facts, source)
        code = Code.ASYMMETRIC
        yield Finding(code, severity, replying, device.name, who(ground.peer), ground.entry)


def _filtered(world: World, link: Link) -> int | None:
    """The mode in which the link drops what does not go back by it; None: it does not."""
    mode = effective_mode(world.snapshot, link)
    if mode == STRICT:
        return STRICT
    addressless = not any(own.address.version == 4 for own in link.addresses)
    return LOOSE if mode == LOOSE and addressless else None


def underlay_filtered(world: World) -> Iterator[Finding]:
    """Encrypted packets of peers that are dropped where they arrive."""
    for under in underlays(world):
        facts = filtered_below(world, under)
        if facts is not None:
            yield Finding(Code.RP_FILTER, Severity.ERROR, facts, under.device.name, who(under.peer))


def filtered_below(world: World, under: Underlay) -> Filtered | None:
    """The filter that drops encrypted packets of a peer where they arrive; None: there is none."""
    if under.endpoint.address.version == 6 or _surely_passes(world, under):
        return None
    prefix = Prefix(4, int(under.endpoint.address), BITS[4])
    owner = Ownership(under.device, under.peer, under.number, prefix)
    trace = outer_trace(world.snapshot, owner, under.endpoint)
    path = underlay_filter(world.snapshot, owner, trace)
    if path is None or path.result is not RpResult.DROP or path.mode not in (STRICT, LOOSE):
        return None
    back = None if path.back is None else path.back.link
    return Filtered(path.link, path.mode, None, under.endpoint, back)


def _surely_passes(world: World, under: Underlay) -> bool:
    """No filter there, or the unmarked way back is the way out."""
    if not under.plain:
        return False
    links = under.routing.links(under.value)
    plain = world.ways.plain(4)
    sources = {rule.selector.source for rule in world.snapshot.rules.get(4, ())}
    back = plain.links(plain.at(int(under.endpoint.address)))
    if links and links == back and sources <= {None}:
        return True
    modes = [
        effective_mode(world.snapshot, world.snapshot.links[link])
        for link in links
        if link in world.snapshot.links
    ]
    return all(mode == 0 for mode in modes)


def forwarding_off(world: World) -> Iterator[Finding]:
    """Devices that stand for networks, on a host that does not forward."""
    for device in world.snapshot.devices.values():
        link = world.snapshot.links.get(device.link)
        if link is None or not device.peers or not world.up(device):
            continue
        yield from _forwarding4(world, device, link)
        networks = _networks(device, link, 6)
        off = world.snapshot.conf(6, "all", "forwarding") == 0
        if networks and off and not world.snapshot.conf(6, link.name, "force_forwarding"):
            severity = _between(world, device)
            if severity is not None:
                yield _off(device, severity, ForwardingOff(6, True, networks))


def _forwarding4(world: World, device: Device, link: Link) -> Iterator[Finding]:
    snapshot = world.snapshot
    if snapshot.conf(4, link.name, "forwarding") != 0:
        return
    others = [
        snapshot.conf(4, other.name, "forwarding")
        for other in snapshot.links.values()
        if other.index != link.index and not other.loopback
    ]
    router = any(others)
    networks = _networks(device, link, 4)
    facts = ForwardingOff(4, not router, networks)
    if router:
        yield _off(device, Severity.WARNING, facts)
    elif networks:
        severity = _between(world, device)
        if severity is not None:
            yield _off(device, severity, facts)
    elif _is_a_hub(world, device, link):
        yield _off(device, Severity.INFO, facts)


def _off(device: Device, severity: Severity, facts: ForwardingOff) -> Finding:
    return Finding(Code.FORWARDING_OFF, severity, facts, device.name)


def _networks(device: Device, link: Link, family: Family) -> tuple[Prefix, ...]:
    """What peers own beyond single hosts, "the rest" and the device's own network."""
    tree = device.owners.tree(family)
    own = [address.prefix for address in link.addresses if address.prefix.family == family]
    found: list[Prefix] = []
    for row, length in enumerate(tree.lengths):
        if DEFAULT_LIKE < length < BITS[family]:
            prefix = tree.prefix(row)
            nobodys = any(one.contains(prefix) for one in NOBODYS)
            if not nobodys and not any(one.contains(prefix) or prefix.contains(one) for one in own):
                found.append(prefix)
                if len(found) == 4:
                    break
    return tuple(found)


def _gateway(world: World, *, tunnels: bool = False) -> bool:
    """Links in several networks beside the tunnels: an uplink and somebody's LAN.

    Behind a link with a default route in some table nobody waits to be forwarded. A tunnel of
    another VPN may be one more uplink; with ``tunnels`` it counts.
    """
    addressed = [
        link
        for link in world.snapshot.links.values()
        if not link.loopback
        and link.up
        and (tunnels or link.kind not in _TUNNELS)
        and link.index not in world.snapshot.devices
        and any(own.prefix.family == 4 and own.prefix.length < _PAIR for own in link.addresses)
    ]
    uplinks = _uplinks(world)
    return len(addressed) > 1 and any(link.index not in uplinks for link in addressed)


def _uplinks(world: World) -> set[LinkIndex]:
    """Links that an IPv4 default route of any table leads to."""
    found: set[LinkIndex] = set()
    for (family, _), table in world.snapshot.routes.items():
        row = table.tree.find(Prefix(4, 0, 0)) if family == 4 else NONE
        for same in table.tree.same(row) if row != NONE else ():
            found.update(leg.link for leg in table.info(same).next_hops if leg.link is not None)
    return found


def _between(world: World, device: Device) -> Severity | None:
    """Does it stand between networks or between peers, and how surely? A host that calls others
    has peers with networks too: with one more network beside its uplink it may be somebody's
    gateway, or a server with a second card; without one it is a client, and None."""
    gateway = _gateway(world)
    if _calls(world, device):
        return Severity.INFO if gateway else None
    return Severity.WARNING if gateway or len(device.peers) > 1 else Severity.INFO


def _calls(world: World, device: Device) -> bool:
    """Does this side call its peers?"""
    config = world.meant.get(device.name)
    told = () if config is None else config.peers
    return any(peer.keepalive for peer in device.peers) or any(peer.endpoint for peer in told)


def _is_a_hub(world: World, device: Device, link: Link) -> bool:
    """It is called, calls nobody, and its peers are single hosts of its own network."""
    own = [one.prefix for one in link.addresses if one.prefix.family == 4]
    entries = [prefix for peer in device.peers for prefix in peer.allowed_ips if prefix[0] == 4]
    inside = all(any(one.contains(entry) and one != entry for one in own) for entry in entries)
    return bool(entries) and inside and not _calls(world, device) and _gateway(world, tunnels=True)
