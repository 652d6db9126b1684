"""What is the JSON of the drift triangle (``wgtui drift --json``)?

    {"schema": "wgtui.drift/1",
     "devices": [{"device", "file", "program", "drifted", "listen_port", "fwmark",
                  "peers": [{"peer", "name", "presence", "drifted", "endpoint", "endpoint_port",
                             "keepalive",
                             "entries": [{"prefix", "state", "owner", "routed",
                                          "elsewhere": [{"first", "last", "link", "outcome"}]}]}]}]}

Every peer and prefix is there, however many. The words are the values of ``model.drift`` and
``engine.routed``; what does not apply is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from wgtui.model.drift import DeviceDrift, PeerDrift
from wgtui.model.prefix import address_text
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device
from wgtui.report.drift_words import Row, rows_of

JSON: TypeAlias = Mapping[str, object]


def drift_json(snapshot: Snapshot, found: Sequence[DeviceDrift]) -> JSON:
    """The whole document."""
    return {
        "schema": "wgtui.drift/1",
        "devices": [_device(snapshot, device) for device in found],
    }


def _device(snapshot: Snapshot, found: DeviceDrift) -> JSON:
    config = found.config
    return {
        "device": found.name,
        "file": None if config is None else config.file,
        "program": None if config is None else config.program.value,
        "present": found.device is not None,
        "drifted": found.drifted,
        "listen_port": found.listen_port.value,
        "fwmark": found.fwmark.value,
        "peers": [_peer(snapshot, found.device, peer) for peer in found.peers],
    }


def _peer(snapshot: Snapshot, device: Device | None, peer: PeerDrift) -> JSON:
    label = peer.peer.label if peer.peer is not None else ""
    rows = rows_of(snapshot, device, peer.entries)
    return {
        "peer": peer.public_key,
        "name": label or (peer.meant.label if peer.meant is not None else "") or None,
        "presence": peer.presence.value,
        "drifted": peer.drifted,
        "endpoint": peer.endpoint.value,
        "endpoint_port": peer.endpoint_port.value,
        "keepalive": peer.keepalive.value,
        "entries": [_entry(snapshot, device, row) for row in rows],
    }


def _entry(snapshot: Snapshot, device: Device | None, row: Row) -> JSON:
    entry, found = row
    owner = entry.owner
    return {
        "prefix": str(entry.prefix),
        "written": entry.written or None,
        "state": entry.state.value,
        "owner": device.peers[owner].public_key if device and owner is not None else None,
        "routed": None if found is None else found.extent.value,
        "elsewhere": [
            {
                "first": address_text(entry.prefix.family, piece.first),
                "last": address_text(entry.prefix.family, piece.last),
                "link": None if piece.link is None else snapshot.link_name(piece.link),
                "outcome": None if piece.outcome is None else piece.outcome.value,
            }
            for piece in (() if found is None else found.elsewhere)
        ],
    }
