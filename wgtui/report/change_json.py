"""What is the JSON of a difference (``wgtui diff --json``)?

    {"schema": "wgtui.diff/1",
     "before": {"source": …, "host": …, "taken_at": …}, "after": {…},
     "changes": [{"kind", "device", "peer", "prefix", "table", "before", "after", "count", "text"}]}

Keys that do not apply are null. ``before`` and ``after`` of an ``entry`` are public keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from wgtui.model.change import (
    AddressChange,
    Change,
    EndpointChange,
    EntryChange,
    Flood,
    LinkChange,
    NextHopChange,
    PeerChange,
    PlaceChange,
    RouteChange,
    RouteWay,
    RuleChange,
    SessionChange,
    SettingChange,
    SightChange,
    SubjectChange,
    SysctlChange,
)
from wgtui.model.network import LinkAddress
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.report.change_words import change_text, sysctl_name
from wgtui.report.words import link_address_text, rule_text, way_text

JSON: TypeAlias = Mapping[str, object]


def diff_json(before: Snapshot, after: Snapshot, found: Sequence[Change]) -> JSON:
    """The whole document."""
    return {
        "schema": "wgtui.diff/1",
        "before": _look(before),
        "after": _look(after),
        "changes": [_change(change) for change in found],
    }


def _look(snapshot: Snapshot) -> JSON:
    return {"source": snapshot.source, "host": snapshot.host, "taken_at": snapshot.taken_at}


def _change(change: Change) -> JSON:
    nothing: dict[str, object] = dict.fromkeys(
        ("device", "peer", "prefix", "table", "setting", "before", "after")
    )
    said = {"kind": _kind(change), **nothing, **_said(change), "text": change_text(change)}
    return {key: str(value) if isinstance(value, Prefix) else value for key, value in said.items()}


def _kind(change: Change) -> str:
    return str(change.key[0]) if isinstance(change.key, tuple) else ""


def _said(change: Change) -> JSON:
    match change:
        case PlaceChange(place, inner):
            return {**_said(inner), "kind": _kind(inner), "namespace": place}
        case EntryChange(device, prefix, before, after):
            return {
                "device": device,
                "prefix": prefix,
                "before": before and before.public_key,
                "after": after and after.public_key,
            }
        case PeerChange(device, peer, added, entries):
            return {
                "device": device,
                "peer": peer.public_key,
                "prefixes": [str(entry) for entry in entries],
                **_presence(not added, added),
            }
        case EndpointChange(device, peer, before, after):
            return {
                "device": device,
                "peer": peer.public_key,
                "before": None if before is None else str(before),
                "after": None if after is None else str(after),
            }
        case SessionChange(device, peer, fresh):
            return {"device": device, "peer": peer.public_key, **_presence(not fresh, fresh)}
        case SettingChange(link, setting, before, after, who):
            key = who.public_key if who is not None else None
            values = {"before": before, "after": after}
            return {"device": link, "peer": key, "setting": setting, **values}
        case LinkChange(link, added):
            return {"device": link, **_presence(not added, added)}
        case AddressChange(link, before, after):
            return {"device": link, "before": _address(before), "after": _address(after)}
        case RouteChange(table, destination, before, after):
            return {
                "table": table,
                "prefix": destination,
                "before": _way(destination, before),
                "after": _way(destination, after),
            }
        case RuleChange(rule, added):
            text = rule_text(rule)
            return {"before": None if added else text, "after": text if added else None}
        case NextHopChange(number, before, after):
            return {"setting": str(number), **_presence(before, after)}
        case SysctlChange(path, before, after):
            return {"setting": sysctl_name(path), "before": before, "after": after}
        case SubjectChange(subject, name):
            return {"kind": subject.value, "setting": name or None}
        case SightChange(subject, link, seen):
            named = {"device": link or None, "setting": subject.value}
            return {**named, **_presence(not seen, seen)}
        case Flood():
            return {
                "device": change.where or None,
                "setting": change.what,
                "added": change.added,
                "removed": change.removed,
                "changed": change.changed,
            }


def _presence(before: bool, after: bool) -> JSON:
    return {"before": before, "after": after}


def _address(entry: LinkAddress | None) -> str | None:
    return None if entry is None else link_address_text(entry)


def _way(destination: Prefix, way: RouteWay | None) -> str | None:
    return None if way is None else way_text(destination, way.info, way.links)
