"""What do ``wg set`` and its like do to a device? netlink.c:wg_set_device, set_peer (S-E2 … S-E5).

One prefix has one owner on a device: whoever is given it last has it, and the one who had it is
not told. Attributes apply in the order they were written.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import replace

from wgtui.engine.what_if.applied import Applied, Note, Objection, RefusedError, Touched
from wgtui.model.command import PeerChange, PeersMode, WireGuardCommand
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.wireguard import Device, Peer


def apply_wireguard(snapshot: Snapshot, command: WireGuardCommand) -> Applied:
    """The host after the device was set; raises ``RefusedError``."""
    device = _device(snapshot, command.device)
    found, notes = set_device(device, command)
    touched = _touched(device, found)
    if found == device:
        notes = (*notes, Note.NOTHING_CHANGES)
    after = replace(snapshot, devices={**snapshot.devices, device.link: found})
    return Applied(after, touched=touched, notes=tuple(dict.fromkeys(notes)))


def _device(snapshot: Snapshot, name: str) -> Device:
    link = snapshot.links_by_name.get(name)
    if link is None:
        raise RefusedError(Objection.NO_SUCH_LINK, name)
    device = snapshot.devices.get(link.index)
    if device is None:
        hidden = snapshot.gap(Subject.WIREGUARD, link.index) is not None
        raise RefusedError(Objection.UNSEEN if hidden else Objection.NOT_WIREGUARD, name)
    return device


def set_device(device: Device, command: WireGuardCommand) -> tuple[Device, tuple[Note, ...]]:
    """The device after the command, and what to know about it."""
    notes: list[Note] = []
    key = device.public_key
    if command.forget_key:
        key = None
        notes.append(Note.NO_PRIVATE_KEY)
    key = command.public_key or key
    if command.listen_port == 0 and command.mode is not PeersMode.KEEP:
        notes.append(Note.PORT_CHOSEN)
    peers = {peer.public_key: peer for peer in device.peers}
    before = dict(peers)
    changes = [(_key(device, change.peer), change) for change in command.peers]
    if command.mode is PeersMode.REPLACE:
        peers = {}
    elif command.mode is PeersMode.SYNC:
        named = {public for public, _ in changes}
        peers = {public: peer for public, peer in peers.items() if public in named}
    # A private key takes away the peer that has its public half (S-E5).
    if key is not None and key != device.public_key:
        peers.pop(key, None)
    for public, change in changes:
        if public == key and key is not None:
            notes.append(Note.OWN_KEY)
        else:
            notes += _set_peer(peers, public, change, before, command.mode)
    return (
        replace(
            device,
            public_key=key,
            listen_port=device.listen_port if command.listen_port is None else command.listen_port,
            fwmark=device.fwmark if command.fwmark is None else command.fwmark,
            peers=tuple(peers.values()),
        ),
        tuple(notes),
    )


def _key(device: Device, words: str) -> str:
    """A public key, or the key of the one peer that is called so here."""
    if words in device.peer_numbers:
        return words
    try:
        if len(b64decode(words, validate=True)) == 32:
            return words
    except (Base64Error, ValueError):
        pass
    named = [peer for peer in device.peers if peer.label == words]
    named = named or [peer for peer in device.peers if peer.public_key.startswith(words)]
    if len(named) != 1:
        raise RefusedError(Objection.NO_SUCH_PEER, words)
    return named[0].public_key


def _set_peer(
    peers: dict[str, Peer],
    public: str,
    change: PeerChange,
    before: dict[str, Peer],
    mode: PeersMode,
) -> list[Note]:
    if change.remove:
        peers.pop(public, None)
        return []
    notes = []
    peer = peers.get(public)
    if peer is None:
        known = before.get(public)
        peer = Peer(public, label=known.label if known is not None else "")
        if known is not None and known.endpoint is not None and change.endpoint is None:
            notes.append(Note.ENDPOINT_FORGOTTEN)
    if change.endpoint is not None:
        peer = replace(peer, endpoint=change.endpoint)
    elif change.endpoint_name:
        notes = [Note.NAME_NOT_RESOLVED]
        known = before.get(public)
        peer = replace(peer, endpoint=known.endpoint if known is not None else None)
    if change.keepalive is not None or mode is not PeersMode.KEEP:
        peer = replace(peer, keepalive=change.keepalive or 0)
    if change.preshared_key or mode is not PeersMode.KEEP:
        peer = replace(peer, has_preshared_key=change.preshared_key)
    allowed = [] if change.replace_allowed_ips else list(peer.allowed_ips)
    for keep, prefix in change.allowed_ips:
        if prefix in allowed:
            allowed.remove(prefix)  # set again it moves to the end of the list (S-E2)
        if keep:
            _take_away(peers, prefix, public)
            allowed.append(prefix)
    peers[public] = replace(peer, allowed_ips=tuple(allowed))
    return notes


def _take_away(peers: dict[str, Peer], prefix: Prefix, taker: str) -> None:
    for public, peer in peers.items():
        if public != taker and prefix in peer.allowed_ips:
            kept = tuple(other for other in peer.allowed_ips if other != prefix)
            peers[public] = replace(peer, allowed_ips=kept)


def _touched(before: Device, after: Device) -> Touched:
    """Prefixes that came, went or moved, and all of a peer whose endpoint did."""
    if (before.fwmark, before.listen_port, before.public_key) != (
        after.fwmark,
        after.listen_port,
        after.public_key,
    ):
        return Touched(everything=True)
    prefixes: dict[Prefix, None] = {}
    theirs = {peer.public_key: peer for peer in after.peers}
    mine = {peer.public_key: peer for peer in before.peers}
    for public in mine.keys() | theirs.keys():
        one, other = mine.get(public), theirs.get(public)
        had = set(one.allowed_ips) if one is not None else set()
        has = set(other.allowed_ips) if other is not None else set()
        moved = one is None or other is None or one.endpoint != other.endpoint
        prefixes.update(dict.fromkeys(had | has if moved else had ^ has))
    return Touched(tuple(prefixes))
