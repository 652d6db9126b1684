"""What does each device have of what its configuration meant? Kernel beside configuration.

The routes, the third corner of the triangle, are looked up only for what is shown
(``engine.routed``). Three things that look like drift and are none:

1. A prefix that one configuration gives to two peers belongs to one of them (S-E2): that is the
   configuration's own mistake.
2. A peer with the device's own key is ignored (S-E5).
3. What a configuration does not say may be anything: a port, a mark that wg-quick picks (S-F3),
   an endpoint that a peer called from. Host names are not resolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wgtui.engine import cryptokey
from wgtui.model.drift import (
    DeviceDrift,
    EntryDrift,
    EntryState,
    Likeness,
    PeerDrift,
    Presence,
)
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, DeviceConfig, Endpoint, Peer, PeerConfig, Program


def drift(snapshot: Snapshot) -> tuple[DeviceDrift, ...]:
    """Every device that is there or was meant to be, in the order of the links."""
    configs: dict[str, list[DeviceConfig]] = {}
    for config in snapshot.meant:
        configs.setdefault(config.name, []).append(config)
    found = [
        _device(snapshot, device, configs.pop(device.name, [])) for device in _in_order(snapshot)
    ]
    found += [_without_device(snapshot, name, meant) for name, meant in configs.items()]
    return tuple(found)


def _in_order(snapshot: Snapshot) -> Iterator[Device]:
    places = {index: place for place, index in enumerate(snapshot.links)}
    yield from sorted(
        snapshot.devices.values(), key=lambda device: places.get(device.link, len(places))
    )


def _without_device(snapshot: Snapshot, name: str, meant: list[DeviceConfig]) -> DeviceDrift:
    link = snapshot.links_by_name.get(name)
    return DeviceDrift(
        link=link.index if link is not None else None,
        name=name,
        hidden=link is not None and cryptokey.hidden(snapshot, link),
        config=meant[0],
        others=tuple(meant[1:]),
    )


def _device(snapshot: Snapshot, device: Device, meant: list[DeviceConfig]) -> DeviceDrift:
    """Beside the configuration it differs least from: another one for its name is not in use."""
    if not meant:
        return DeviceDrift(device.link, device.name, device)
    compared = sorted((_compare(device, config) for config in meant), key=_differences)
    nearest = compared[0]
    others = tuple(config for config in meant if config is not nearest.config)
    return DeviceDrift(
        link=device.link,
        name=device.name,
        device=device,
        config=nearest.config,
        others=others,
        listen_port=nearest.listen_port,
        fwmark=nearest.fwmark,
        peers=nearest.peers,
    )


def _differences(found: DeviceDrift) -> int:
    """How many peers and settings are otherwise than meant."""
    settings = (found.listen_port, found.fwmark)
    return sum(peer.drifted for peer in found.peers) + settings.count(Likeness.DIFFERENT)


def _compare(device: Device, config: DeviceConfig) -> DeviceDrift:
    owner = {
        prefix: number for number, peer in enumerate(device.peers) for prefix in peer.allowed_ips
    }
    claims: dict[Prefix, set[str]] = {}
    for peer in config.peers:
        for prefix in peer.allowed_ips:
            claims.setdefault(prefix, set()).add(peer.public_key)
    meant_keys = {peer.public_key for peer in config.peers}
    given = _Given(owner, claims)
    peers = [_meant_peer(device, peer, given) for peer in config.peers]
    peers += [
        PeerDrift(
            peer.public_key,
            Presence.EXTRA,
            peer=peer,
            position=number,
            entries=tuple(
                EntryDrift(prefix, EntryState.EXTRA, number) for prefix in peer.allowed_ips
            ),
        )
        for number, peer in enumerate(device.peers)
        if peer.public_key not in meant_keys
    ]
    return DeviceDrift(
        link=device.link,
        name=device.name,
        device=device,
        config=config,
        listen_port=_port(device, config),
        fwmark=_fwmark(device, config),
        peers=tuple(peers),
    )


# ------------------------------------------------------------------------------------------- peers


class _Given(NamedTuple):
    """Whose each prefix is, and whose it was meant to be."""

    owner: dict[Prefix, int]
    claims: dict[Prefix, set[str]]


def _meant_peer(device: Device, meant: PeerConfig, given: _Given) -> PeerDrift:
    position = device.peer_numbers.get(meant.public_key)
    peer = device.peers[position] if position is not None else None
    if peer is None:
        own = meant.public_key == device.public_key
        presence = Presence.OWN_KEY if own else Presence.MISSING
    else:
        presence = Presence.BOTH
    written = dict(zip(meant.allowed_ips, meant.allowed_ips_written, strict=False))
    entries = [
        _meant_entry(device, prefix, written.get(prefix, ""), position, given)
        for prefix in dict.fromkeys(meant.allowed_ips)
    ]
    intended = set(meant.allowed_ips)
    entries += [
        EntryDrift(prefix, EntryState.EXTRA, position)
        for prefix in (peer.allowed_ips if peer is not None else ())
        if prefix not in intended
    ]
    whole, port = _endpoint(meant.endpoint, peer)
    return PeerDrift(
        public_key=meant.public_key,
        presence=presence,
        meant=meant,
        peer=peer,
        position=position,
        entries=tuple(entries),
        endpoint=whole,
        endpoint_port=port,
        keepalive=Likeness.NOT_SAID if peer is None else _like(meant.keepalive, peer.keepalive),
    )


def _meant_entry(
    device: Device, prefix: Prefix, written: str, position: int | None, given: _Given
) -> EntryDrift:
    owner = given.owner.get(prefix)
    if owner is None:
        state = EntryState.MISSING
    elif owner == position:
        state = EntryState.SAME
    elif device.peers[owner].public_key in given.claims[prefix]:
        state = EntryState.GIVEN_AWAY
    else:
        state = EntryState.MOVED
    return EntryDrift(prefix, state, owner, written)


def _endpoint(written: str | None, peer: Peer | None) -> tuple[Likeness, Likeness]:
    """The whole endpoint, and its port alone."""
    if written is None or peer is None:
        return Likeness.NOT_SAID, Likeness.NOT_SAID
    meant, actual = Endpoint.parse(written), peer.endpoint
    if meant is not None:
        if actual is None:
            return Likeness.DIFFERENT, Likeness.DIFFERENT
        same = (meant.address, meant.port) == (actual.address, actual.port)
        return (Likeness.SAME if same else Likeness.DIFFERENT), _like(meant.port, actual.port)
    if actual is None:
        # A host name that could not be resolved when the device was set up leaves none.
        return Likeness.DIFFERENT, Likeness.DIFFERENT
    port = written.rpartition(":")[2]
    if not (port.isascii() and port.isdigit() and len(port) < 10):
        return Likeness.NOT_COMPARED, Likeness.NOT_COMPARED
    return Likeness.NOT_COMPARED, _like(int(port) & 0xFFFF, actual.port)


def _like(meant: int, actual: int) -> Likeness:
    return Likeness.SAME if meant == actual else Likeness.DIFFERENT


# ---------------------------------------------------------------------------------------- settings


def _port(device: Device, config: DeviceConfig) -> Likeness:
    # Port 0 lets the kernel pick one.
    if not config.listen_port:
        return Likeness.NOT_SAID
    return _like(config.listen_port, device.listen_port)


def _fwmark(device: Device, config: DeviceConfig) -> Likeness:
    if config.fwmark is None:
        return Likeness.NOT_SAID
    if not config.fwmark and _picks_its_mark(config):
        return Likeness.NOT_COMPARED
    return _like(config.fwmark, device.fwmark)


def _picks_its_mark(config: DeviceConfig) -> bool:
    """A full tunnel gets a mark from wg-quick (S-F3) or NetworkManager (S-F20) when it has none."""
    picks = config.program in (Program.WG_QUICK, Program.NETWORK_MANAGER)
    default = any(prefix.length == 0 for peer in config.peers for prefix in peer.allowed_ips)
    return picks and default and config.table == "auto"
