"""Has anything changed between two snapshots but time, counters and handshakes?

A host looked at every few seconds nearly always answers no, and then nearly all checks say what
they said before.
"""

from __future__ import annotations

from dataclasses import replace

from wgtui.model.network import Link
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, Peer


def same_ground(before: Snapshot, after: Snapshot) -> bool:
    """Are they equal but for ``taken_at``, the links' counters, and what each peer has sent,
    received and when it was met?"""
    rest = replace(after, taken_at=before.taken_at, links=before.links, devices=before.devices)
    return (
        rest == before
        and before.links.keys() == after.links.keys()
        and before.devices.keys() == after.devices.keys()
        and all(_same_link(link, after.links[index]) for index, link in before.links.items())
        and all(_same_device(device, after.devices[at]) for at, device in before.devices.items())
    )


def _same_link(before: Link, after: Link) -> bool:
    return before is after or before == replace(after, counters=before.counters)


def _same_device(before: Device, after: Device) -> bool:
    return before is after or (
        before == replace(after, peers=before.peers)
        and len(before.peers) == len(after.peers)
        and all(map(_same_peer, before.peers, after.peers))
    )


def _same_peer(before: Peer, after: Peer) -> bool:
    return before is after or before == replace(
        after,
        last_handshake=before.last_handshake,
        received=before.received,
        sent=before.sent,
    )
