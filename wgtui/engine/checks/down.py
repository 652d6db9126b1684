"""Which WireGuard devices are down, while their peers own addresses?

The kernel takes the routes away with a link that is taken down (S-G5): what its peers own goes
elsewhere, or nowhere, and every other check has nothing to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from wgtui.engine.checks.ground import MOST_PARTS, NOBODYS, elsewhere
from wgtui.engine.checks.world import Ground, World, who
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Down
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import Device, Peer


def device_down(world: World) -> Iterator[Finding]:
    """One finding for each such device, whatever it stands for."""
    for device in world.snapshot.devices.values():
        link = world.snapshot.links.get(device.link)
        if link is None or world.up(device):
            continue
        owned = list(islice(_owned(device), MOST_PARTS))
        if not owned:
            continue
        grounds = [_ground(world, device, peer, prefix) for peer, prefix in owned]
        peer, prefix = owned[0]
        routing = world.ways.plain(prefix.family, link=device.link)
        config = world.meant.get(device.name)
        told = tuple(prefix for _, prefix in owned)
        count = sum(len(one.allowed_ips) for one in device.peers)
        file = None if config is None else config.file
        facts = Down(elsewhere(world, routing, grounds[0]), told, count, file)
        spare = all(_by_another(world, device, ground) for ground in grounds)
        meant = bool(link.addresses) or config is not None
        severity = Severity.WARNING if meant and not spare else Severity.INFO
        yield Finding(
            Code.UNROUTED_PREFIX,
            severity,
            facts,
            device.name,
            who(peer) if len(device.peers) == 1 else None,
            prefix if count == 1 else None,
        )


def _owned(device: Device) -> Iterator[tuple[Peer, Prefix]]:
    for peer in device.peers:
        for prefix in peer.allowed_ips:
            if not any(nobodys.contains(prefix) for nobodys in NOBODYS):
                yield peer, prefix


def _ground(world: World, device: Device, peer: Peer, prefix: Prefix) -> Ground:
    routing = world.ways.plain(prefix.family, link=device.link)
    return Ground(peer, prefix, tuple(routing.spans(prefix.network, prefix.last)), True)


def _by_another(world: World, device: Device, ground: Ground) -> bool:
    """Does another device carry it? Then this one is a spare."""
    routing = world.ways.plain(ground.entry.family, link=device.link)
    others = world.snapshot.devices.keys() - {device.link}
    return all(bool(routing.links(value) & others) for _, _, value in ground.away)
