"""What do all checks share? The devices with their configurations, and names for peers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from wgtui.engine.checks.partition import Routing, Span
from wgtui.engine.checks.ways import Ways
from wgtui.engine.drift import drift
from wgtui.model.drift import DeviceDrift
from wgtui.model.finding_facts import Elsewhere, Who
from wgtui.model.network import LinkIndex, RouteType, TableId
from wgtui.model.prefix import Family, Prefix, family_of
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, DeviceConfig, Endpoint, Peer, PeerConfig


def who(peer: Peer | PeerConfig) -> Who:
    """How a finding names a peer."""
    return Who(peer.public_key, peer.label)


class Underlay(NamedTuple):
    """A peer with an endpoint, and where its encrypted packets go."""

    device: Device
    number: int
    peer: Peer
    endpoint: Endpoint
    value: int
    """The way, see ``partition``; meaningless unless ``plain``."""
    routing: Routing
    plain: bool
    """Routed here, and by rules that do not look at ports."""


class Ground(NamedTuple):
    """An AllowedIPs entry and what of it the system sends elsewhere."""

    peer: Peer
    entry: Prefix
    away: tuple[Span, ...]
    whole: bool
    """Nothing of it goes into the device."""


@dataclass
class World:
    """One snapshot under check, and the one before it, where there is one."""

    snapshot: Snapshot
    before: Snapshot | None = None
    first: Mapping[LinkIndex, Device] | None = None
    """The devices as they were when each was first seen."""
    settled: Mapping[LinkIndex, Mapping[Prefix, str]] = field(default_factory=dict)
    """By device, the prefixes that have had their owner for a while, and its public key."""
    underlays: Sequence[Underlay] | None = None
    """Worked out once, by ``endpoints``."""
    away: dict[tuple[LinkIndex, Routing], tuple[Ground, ...]] = field(default_factory=dict)
    """Worked out once for a device and a kind of packet, by ``ground``."""
    elsewhere: dict[tuple[Routing, Prefix, tuple[Span, ...]], Elsewhere] = field(
        default_factory=dict
    )
    """The same, for an entry and what of it is away."""

    @cached_property
    def ways(self) -> Ways:
        """Where the system routes what; made once for all checks."""
        return Ways(self.snapshot)

    @cached_property
    def meant(self) -> dict[str, DeviceConfig]:
        """The configuration of every device that has one."""
        return {found.name: found.config for found in self.drifts if found.config is not None}

    @cached_property
    def drifts(self) -> tuple[DeviceDrift, ...]:
        """Every device beside the configuration that it follows."""
        return drift(self.snapshot)

    def configured(self) -> Iterator[tuple[Device, DeviceConfig]]:
        """Devices with what they were meant to be."""
        for device in self.snapshot.devices.values():
            config = self.meant.get(device.name)
            if config is not None:
                yield device, config

    def old(self, device: Device) -> Device | None:
        """The same device in the snapshot before."""
        return None if self.before is None else same_device(self.before.devices, device)

    def at_first(self, device: Device) -> Device | None:
        """The same device when it was first seen."""
        return None if self.first is None else same_device(self.first, device)

    def long_since(self, device: Device, key: str, prefix: Prefix) -> bool:
        """Has this peer of the device had the prefix for a while?"""
        return self.settled.get(device.link, {}).get(prefix) == key

    def meant_peer(self, device: Device, key: str) -> PeerConfig | None:
        """What the configuration says of a peer."""
        return self._meant_peers.get((device.name, key))

    @cached_property
    def _meant_peers(self) -> dict[tuple[str, str], PeerConfig]:
        return {
            (config.name, peer.public_key): peer
            for config in self.snapshot.meant
            for peer in config.peers
        }

    def up(self, device: Device) -> bool:
        """Is its link up? Routes vanish with a link that is taken down."""
        link = self.snapshot.links.get(device.link)
        return link is not None and link.up is not False

    @cached_property
    def underlay_of(self) -> dict[tuple[LinkIndex, str], Underlay]:
        """By device and public key; to be asked when ``underlays`` are worked out."""
        return {(under.device.link, under.peer.public_key): under for under in self.underlays or ()}

    @cached_property
    def endpoints(self) -> set[tuple[Family, int]]:
        """The addresses of all endpoints."""
        return {
            (family_of(peer.endpoint.address), int(peer.endpoint.address))
            for device in self.snapshot.devices.values()
            for peer in device.peers
            if peer.endpoint is not None
        }

    def rows_into(self, table: RouteTable) -> dict[LinkIndex, list[int]]:
        """The table's unicast routes that lead into WireGuard devices, by device."""
        return self._rows_into[table.family, table.table]

    @cached_property
    def _rows_into(self) -> dict[tuple[Family, TableId], dict[LinkIndex, list[int]]]:
        found: dict[tuple[Family, TableId], dict[LinkIndex, list[int]]] = {}
        for key, table in self.snapshot.routes.items():
            into = {
                number: leg.link
                for number, info in enumerate(table.infos)
                if info.type is RouteType.UNICAST
                for leg in info.next_hops
                if leg.link in self.snapshot.devices
            }
            rows = found.setdefault(key, {})
            if into:
                for row, number in enumerate(table.tree.values):
                    link = into.get(number)
                    if link is not None:
                        rows.setdefault(link, []).append(row)
        return found


def same_device(devices: Mapping[LinkIndex, Device], device: Device) -> Device | None:
    """This one among others; not one that was made anew and got its number."""
    found = devices.get(device.link)
    return found if found is not None and found.name == device.name else None
