"""What moved on the WireGuard devices between two looks: peers, and whose each prefix is?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.model.change import (
    Change,
    EndpointChange,
    EntryChange,
    PeerChange,
    SessionChange,
    SettingChange,
)
from wgtui.model.finding_facts import Who
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.wireguard import FRESH, Device, Peer

_NO_LINK: Final = LinkIndex(0)
"""No link has it."""


def device_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """Device by device; one that came or went with its link brings and takes its peers."""
    if before.devices is after.devices:
        return
    old, new = (
        {device.name: device for device in snapshot.devices.values()}
        for snapshot in (before, after)
    )
    for name in dict.fromkeys((*new, *old)):
        was, now = old.get(name), new.get(name)
        if (was is None and _hidden(before, name)) or (now is None and _hidden(after, name)):
            continue
        empty = Device(_NO_LINK, name)
        yield from _device(was or empty, now or empty, (before.taken_at, after.taken_at))


def _hidden(snapshot: Snapshot, name: str) -> bool:
    """Could the peers of that device not be seen?"""
    link = snapshot.links_by_name.get(name)
    return snapshot.gap(Subject.WIREGUARD, link.index if link is not None else None) is not None


def _device(old: Device, new: Device, times: tuple[float, float]) -> Iterator[Change]:
    # Prefixes that only came or went with their peer, by its key.
    told: dict[str, list[Prefix]] = {}
    if _owned(old) != _owned(new):
        for change in _entries(old, new):
            alone = change.after if change.before is None else change.before
            both = change.before is not None and change.after is not None
            if both or alone is None or _stays(alone, old, new):
                yield change
            else:
                told.setdefault(alone.public_key, []).append(change.prefix)
    yield from _peers(old, new, told, times)
    if _NO_LINK in (old.link, new.link):
        return
    for setting, was, now in (
        ("listen-port", str(old.listen_port), str(new.listen_port)),
        ("fwmark", hex(old.fwmark), hex(new.fwmark)),
        ("public-key", old.public_key or "", new.public_key or ""),
    ):
        if was != now:
            yield SettingChange(new.name, setting, was, now)


def who(peer: Peer) -> Who:
    """The peer, to be called later."""
    return Who(peer.public_key, peer.label)


def _owned(device: Device) -> list[tuple[str, tuple[Prefix, ...]]]:
    """Whose is what: all that traffic does not change at every look."""
    return [(peer.public_key, peer.allowed_ips) for peer in device.peers]


def _stays(peer: Who, old: Device, new: Device) -> bool:
    return peer.public_key in old.peer_numbers and peer.public_key in new.peer_numbers


def _entries(old: Device, new: Device) -> Iterator[EntryChange]:
    """Every prefix whose owner is another one now."""
    owner = {prefix: peer for peer in old.peers for prefix in peer.allowed_ips}
    for peer in new.peers:
        for prefix in peer.allowed_ips:
            before = owner.pop(prefix, None)
            if before is None or before.public_key != peer.public_key:
                yield EntryChange(
                    new.name, prefix, None if before is None else who(before), who(peer)
                )
    for prefix, peer in owner.items():
        yield EntryChange(new.name, prefix, who(peer), None)


def _peers(
    old: Device, new: Device, told: dict[str, list[Prefix]], times: tuple[float, float]
) -> Iterator[Change]:
    for peer in old.peers:
        if peer.public_key not in new.peer_numbers:
            entries = tuple(told.get(peer.public_key, ()))
            yield PeerChange(new.name, who(peer), added=False, entries=entries)
    for peer in new.peers:
        number = old.peer_numbers.get(peer.public_key)
        if number is None:
            entries = tuple(told.get(peer.public_key, ()))
            yield PeerChange(new.name, who(peer), added=True, entries=entries)
        else:
            yield from _peer(new.name, old.peers[number], peer, times)


def _peer(device: str, old: Peer, new: Peer, times: tuple[float, float]) -> Iterator[Change]:
    if old.endpoint != new.endpoint:
        yield EndpointChange(device, who(new), old.endpoint, new.endpoint)
    was, now = _fresh(old, times[0]), _fresh(new, times[1])
    if was is not now:
        yield SessionChange(device, who(new), now)
    if old.keepalive != new.keepalive:
        yield SettingChange(device, "keepalive", str(old.keepalive), str(new.keepalive), who(new))
    if old.has_preshared_key is not new.has_preshared_key:
        had, has = ("1", "0") if old.has_preshared_key else ("0", "1")
        yield SettingChange(device, "preshared-key", had, has, who(new))


def _fresh(peer: Peer, taken_at: float) -> bool:
    """A session lives 180 s after its handshake (S-E40); what keeps it alive is no change."""
    return peer.last_handshake is not None and taken_at - peer.last_handshake <= FRESH
