"""Whose is this address on a WireGuard device: may it leave, may it come in?

drivers/net/wireguard: device.c:wg_xmit, receive.c:wg_packet_consume_data_done, allowedips.c;
section E. On the way out the destination alone names the peer; on the way in the source must belong
to exactly the peer that sent it.
"""

from __future__ import annotations

from typing import Final

from wgtui.errors import QueryError
from wgtui.model.network import Link
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Ownership, OwnerStep
from wgtui.model.wireguard import Device, Peer

_new_owner: Final = Ownership.__new__
"""At half the price; see ``prefix.new_prefix``."""


def device_of(snapshot: Snapshot, link: Link) -> Device | None:
    """The WireGuard half of a link; None: it is not WireGuard, or see ``hidden``."""
    return snapshot.devices.get(link.index)


def hidden(snapshot: Snapshot, link: Link) -> bool:
    """Is (or may be) this link a WireGuard device whose peers could not be seen?"""
    if link.index in snapshot.devices or link.kind not in ("wireguard", "tun", "amneziawg"):
        return False
    return link.kind != "tun" or snapshot.gap(Subject.WIREGUARD, link.index) is not None


def owner_step(device: Device, family: Family, address: int) -> OwnerStep:
    """Who owns the address, and whose AllowedIPs cover it too (S-E1)."""
    owners = [
        _new_owner(Ownership, device, device.peers[number], number, prefix)
        for number, prefix in device.owners.covering(family, address)
    ]
    return OwnerStep(device, family, address, owners[0] if owners else None, tuple(owners[1:]))


def find_peer(device: Device, words: str) -> Peer:
    """The peer that a name, a key or the beginning of a key means; raises ``QueryError``."""
    number = device.peer_numbers.get(words)
    if number is not None:
        return device.peers[number]
    found = [peer for peer in device.peers if peer.label == words]
    found = found or [peer for peer in device.peers if peer.public_key.startswith(words)]
    if len(found) == 1:
        return found[0]
    problem = "fits several peers" if found else "is no peer"
    raise QueryError(f"{words!r} {problem} of {device.name}", words)
