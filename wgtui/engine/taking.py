"""What would a peer take, and from whom, if its AllowedIPs became this list?

Two things happen at once: a prefix that another peer has moves silently (S-E2), and addresses of
longer prefixes change their owner although no entry of anybody does.
"""

from __future__ import annotations

from dataclasses import dataclass

from wgtui.engine.holdings import owned_by_row
from wgtui.engine.what_if.wireguard import set_device
from wgtui.errors import QueryError
from wgtui.model.address_set import AddressSet, Span
from wgtui.model.command import PeerChange, WireGuardCommand
from wgtui.model.prefix import FAMILIES, Family, Prefix
from wgtui.model.prefix_index import NONE
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, Peer


@dataclass(frozen=True, slots=True)
class Moved:
    """Addresses that change their owner on a device."""

    before: Peer | None
    """None: nobody's."""
    after: Peer | None
    addresses: AddressSet


@dataclass(frozen=True, slots=True)
class Taking:
    """What giving a peer a list does on its device."""

    device: Device
    peer: Peer
    prefixes: tuple[Prefix, ...]
    entries: tuple[tuple[Prefix, Peer], ...]
    """Entries of others that are in the list, and so move."""
    moved: tuple[Moved, ...]
    """The largest first."""


def find_holder(snapshot: Snapshot, words: str) -> tuple[Device, Peer]:
    """The one peer of this host that is called so, or whose key begins so; ``wg0:anna`` says on
    which device. Raises ``QueryError``."""
    name, colon, rest = words.partition(":")
    devices = [device for device in snapshot.devices.values() if not colon or device.name == name]
    wanted = rest if colon else words
    everybody = [(device, peer) for device in devices for peer in device.peers]
    found = [pair for pair in everybody if wanted in (pair[1].public_key, pair[1].label)]
    found = found or [pair for pair in everybody if pair[1].public_key.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise QueryError(f"{words!r} is no peer here", words)
    where = ", ".join(f"{device.name}:{peer.name}" for device, peer in found[:4])
    raise QueryError(f"{words!r} may be any of: {where}", words)


def taking(device: Device, peer: Peer, prefixes: tuple[Prefix, ...]) -> Taking:
    """What changes hands when the peer's AllowedIPs become these."""
    wanted = set(prefixes)
    change = PeerChange(
        peer.public_key,
        replace_allowed_ips=True,
        allowed_ips=tuple((True, prefix) for prefix in prefixes),
    )
    after, _ = set_device(device, WireGuardCommand(device.name, (change,)))
    entries = tuple(
        (prefix, other)
        for other in device.peers
        if other.public_key != peer.public_key
        for prefix in other.allowed_ips
        if prefix in wanted
    )
    moved = [one for family in FAMILIES for one in _moved(device, after, family)]
    moved.sort(key=lambda one: -one.addresses.count)
    return Taking(device, peer, prefixes, entries, tuple(moved))


def _moved(before: Device, after: Device, family: Family) -> list[Moved]:
    old, new = _owners(before, family), _owners(after, family)
    peers = {peer.public_key: peer for peer in before.peers}
    found = []
    for had, mine in old.items():
        for has, theirs in new.items():
            if had != has and (both := mine & theirs):
                found.append(Moved(peers.get(had), peers.get(has), both))
    return found


def _owners(device: Device, family: Family) -> dict[str, AddressSet]:
    """By public key the addresses it owns; nobody's under an empty one."""
    tree = device.owners.tree(family)
    spans: dict[str, list[Span]] = {}
    for row, own in owned_by_row(device, family).items():
        key = "" if row == NONE else device.peers[tree.values[row]].public_key
        spans.setdefault(key, []).extend(own)
    return {key: AddressSet.of(family, own) for key, own in spans.items()}
