"""Which mistakes does a configuration hold, and where does the kernel differ from it?

S-E2: one prefix has one owner on a device, and whoever is set last has it, silently. S-E5: a peer
with the device's own key is ignored. S-G42, S-G44: how wg reads a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.engine.checks.world import World, who
from wgtui.model.drift import DeviceDrift, EntryState, Likeness, PeerDrift, Presence
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import (
    Drift,
    DriftKind,
    HostBits,
    Moved,
    OwnKey,
    OwnsNothing,
    SharedInConfig,
    Who,
    Written,
)
from wgtui.model.prefix import BITS, Prefix, address_text
from wgtui.model.prefix_index import NONE
from wgtui.model.wireguard import Device, DeviceConfig, Peer, PeerConfig

_NAMED: Final = 3
"""So many other peers a sentence names."""


def own_key_peer(world: World) -> Iterator[Finding]:
    """Peers that were given the device's own key."""
    for device, config in world.configured():
        for peer in config.peers:
            if device.public_key is not None and peer.public_key == device.public_key:
                facts = OwnKey(_written(config, peer), peer.allowed_ips)
                yield Finding(
                    Code.OWN_KEY_PEER, Severity.ERROR, facts, device.name, who(peer), _only(facts)
                )


def _only(facts: OwnKey) -> Prefix | None:
    return facts.prefixes[0] if len(facts.prefixes) == 1 else None


def same_prefix_in_config(world: World) -> Iterator[Finding]:
    """Prefixes that a configuration gives to two of its peers; the last has it."""
    for config in world.snapshot.meant:
        last = _last_meant(config)
        if len(last) == sum(len(peer.allowed_ips) for peer in config.peers):
            continue  # nothing is written twice
        for peer in config.peers:
            for prefix, spelled in _entries(peer):
                winner = last[prefix]
                if winner.public_key != peer.public_key:
                    facts = SharedInConfig(who(winner), _written(config, peer), spelled)
                    yield Finding(
                        Code.SAME_PREFIX_IN_CONFIG,
                        Severity.ERROR,
                        facts,
                        config.name,
                        who(peer),
                        prefix,
                    )


def host_bits(world: World) -> Iterator[Finding]:
    """Entries whose host bits mean nothing (S-E2)."""
    for config in world.snapshot.meant:
        for peer in config.peers:
            for prefix, spelled in _entries(peer):
                if prefix.length == BITS[prefix.family] or _is_first(spelled, prefix):
                    continue
                facts = HostBits(spelled, _written(config, peer), len(config.peers) > 1)
                yield Finding(
                    Code.HOST_BITS, Severity.WARNING, facts, config.name, who(peer), prefix
                )


def _is_first(spelled: str, prefix: Prefix) -> bool:
    """Is the address, as it was written, the prefix's first one?"""
    try:
        found = Prefix.parse(spelled.partition("/")[0], prefix.family)
    except ValueError:
        return True
    return found.network == prefix.network


def moved_prefix(world: World) -> Iterator[Finding]:
    """Prefixes meant for, or last seen on, one peer that belong to another now."""
    for device in world.snapshot.devices.values():
        config = world.meant.get(device.name)
        told: set[tuple[str, Prefix]] = set()
        if config is not None:
            last = _last_meant(config)
            for peer in config.peers:
                written = _written(config, peer)
                lost = _lost(device, peer.public_key, peer.allowed_ips)
                for owner, prefixes in _joined(lost):
                    told |= {(peer.public_key, prefix) for prefix in prefixes}
                    shared = any(last[prefix].public_key != peer.public_key for prefix in prefixes)
                    spelled = tuple(dict(_entries(peer))[prefix] for prefix in prefixes)
                    facts = Moved(prefixes, who(owner), written, shared, spelled)
                    yield _moved(device, who(peer), facts)
        yield from _moved_since(world, device, told)
        yield from _owns_nothing(world, device)


def _moved(device: Device, peer: Who, facts: Moved, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(Code.MOVED_PREFIX, severity, facts, device.name, peer, _name_of(facts.prefixes))


def _moved_since(world: World, device: Device, told: set[tuple[str, Prefix]]) -> Iterator[Finding]:
    old = world.at_first(device)
    if old is None or old.peers == device.peers:
        return
    for peer in old.peers:
        lost = [
            (owner, prefix)
            for owner, prefix in _lost(device, peer.public_key, peer.allowed_ips)
            if (peer.public_key, prefix) not in told
        ]
        for owner, prefixes in _joined(lost):
            settled = all(world.long_since(device, owner.public_key, prefix) for prefix in prefixes)
            severity = Severity.INFO if settled else Severity.ERROR
            yield _moved(device, who(peer), Moved(prefixes, who(owner)), severity)


def _lost(device: Device, key: str, prefixes: tuple[Prefix, ...]) -> list[tuple[Peer, Prefix]]:
    """Of these prefixes those that another peer than this one has now, and who."""
    number = device.peer_numbers.get(key)
    if number is not None and device.peers[number].allowed_ips == prefixes:
        return []
    found = []
    for prefix in dict.fromkeys(prefixes):
        tree = device.owners.tree(prefix.family)
        row = tree.find(prefix)
        if row != NONE:
            owner = device.peers[tree.values[row]]
            if owner.public_key != key:
                found.append((owner, prefix))
    return found


def _joined(lost: list[tuple[Peer, Prefix]]) -> Iterator[tuple[Peer, tuple[Prefix, ...]]]:
    """One by one, but the two halves of everything are one move."""
    for owner, prefix in lost:
        other = Prefix(prefix.family, prefix.network ^ 1 << _top(prefix), 1)
        if prefix.length == 1 and (owner, other) in lost:
            if not prefix.network:
                yield owner, (prefix, other)
        else:
            yield owner, (prefix,)


def _top(prefix: Prefix) -> int:
    return 31 if prefix.family == 4 else 127


def _name_of(prefixes: tuple[Prefix, ...]) -> Prefix:
    """The prefix that a move is called by: both halves of everything are everything."""
    first = prefixes[0]
    return first if len(prefixes) == 1 else Prefix(first.family, 0, 0)


def _owns_nothing(world: World, device: Device) -> Iterator[Finding]:
    """Peers without a prefix beside others that have some: an entry that two peers were given is
    the last one's, and the other is left like this."""
    others = tuple(who(peer) for peer in device.peers if peer.allowed_ips)
    if not others:
        return
    for peer in device.peers:
        if peer.allowed_ips or world.meant_peer(device, peer.public_key) is not None:
            continue  # what a configuration means for it is compared with what it has
        old = world.at_first(device)
        if old is not None and any(
            was.public_key == peer.public_key and was.allowed_ips for was in old.peers
        ):
            continue
        severity = Severity.ERROR if peer.last_handshake is not None else Severity.WARNING
        facts = OwnsNothing(others[:_NAMED])
        yield Finding(Code.MOVED_PREFIX, severity, facts, device.name, who(peer))


def config_drift(world: World) -> Iterator[Finding]:
    """Where kernel and configuration differ, beside prefixes that moved."""
    for found in world.drifts:
        device, config = found.device, found.config
        if device is None or config is None:
            continue
        yield from _device_drift(found, device, config)
        claimed = {prefix for peer in config.peers for prefix in peer.allowed_ips}
        for peer in found.peers:
            yield from _peer_drift(device, config, peer, claimed)


def _drift(device: Device, severity: Severity, facts: Drift, peer: Who | None = None) -> Finding:
    prefix = facts.prefixes[0] if len(facts.prefixes) == 1 else None
    return Finding(Code.CONFIG_DRIFT, severity, facts, device.name, peer, prefix)


def _device_drift(found: DeviceDrift, device: Device, config: DeviceConfig) -> Iterator[Finding]:
    if found.listen_port is Likeness.DIFFERENT:
        port, now = str(config.listen_port), str(device.listen_port)
        yield _drift(device, Severity.WARNING, Drift(DriftKind.PORT, config.file, port, now))
    if found.fwmark is Likeness.DIFFERENT:
        mark, now = hex(config.fwmark or 0), hex(device.fwmark)
        yield _drift(device, Severity.WARNING, Drift(DriftKind.MARK, config.file, mark, now))


def _peer_drift(
    device: Device, config: DeviceConfig, found: PeerDrift, claimed: set[Prefix]
) -> Iterator[Finding]:
    meant, peer, file = found.meant, found.peer, config.file
    if found.presence is Presence.MISSING and meant is not None:
        facts = Drift(DriftKind.PEER_MISSING, file, prefixes=meant.allowed_ips)
        yield _drift(device, Severity.WARNING, facts, who(meant))
    elif found.presence is Presence.EXTRA and peer is not None:
        facts = Drift(DriftKind.PEER_EXTRA, file, prefixes=peer.allowed_ips)
        yield _drift(device, Severity.WARNING, facts, who(peer))
    if meant is None or peer is None:
        return
    missing = tuple(e.prefix for e in found.entries if e.state is EntryState.MISSING)
    if missing:
        facts = Drift(DriftKind.ALLOWED_MISSING, file, prefixes=missing)
        yield _drift(device, Severity.WARNING, facts, who(peer))
    # What is meant for another peer has moved, which is told by itself.
    extra = tuple(
        e.prefix for e in found.entries if e.state is EntryState.EXTRA and e.prefix not in claimed
    )
    if extra:
        facts = Drift(DriftKind.ALLOWED_EXTRA, file, prefixes=extra)
        yield _drift(device, Severity.WARNING, facts, who(peer))
    if found.endpoint is Likeness.DIFFERENT and peer.endpoint is not None:
        # A peer that roams is where its last packet came from (S-E30): that is no mistake.
        facts = Drift(DriftKind.ENDPOINT, file, meant.endpoint or "", str(peer.endpoint))
        yield _drift(device, Severity.INFO, facts, who(peer))


def _last_meant(config: DeviceConfig) -> dict[Prefix, PeerConfig]:
    """Who has each prefix when the file has been read to its end."""
    return {prefix: peer for peer in config.peers for prefix in peer.allowed_ips}


def _entries(peer: PeerConfig) -> Iterator[tuple[Prefix, str]]:
    """Each prefix once, and how it is spelled."""
    spelled = peer.allowed_ips_written
    pairs = (
        zip(peer.allowed_ips, spelled, strict=True)
        if len(spelled) == len(peer.allowed_ips)
        else ((prefix, _spelling(prefix)) for prefix in peer.allowed_ips)
    )
    yield from dict(pairs).items()


def _spelling(prefix: Prefix) -> str:
    return f"{address_text(prefix.family, prefix.network)}/{prefix.length}"


def _written(config: DeviceConfig, peer: PeerConfig) -> Written:
    return Written(peer.file or config.file, peer.line)
