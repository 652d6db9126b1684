"""The shortest list of AllowedIPs, and what it would take from whom: text and JSON."""

from __future__ import annotations

from typing import Final

from wgtui.engine.taking import Taking
from wgtui.model.address_expression import AddressSets, prefixes_of
from wgtui.model.prefix import FAMILIES, Prefix
from wgtui.model.wireguard import Peer
from wgtui.report.answer_words import addresses_count, joined, prefixes_text, spans_text
from wgtui.report.as_json import Json
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.territory_json import set_json
from wgtui.report.words import count_text, peer_name

ALLOWED_IPS_SCHEMA: Final = "wgtui.allowed-ips/1"
MOST_ENTRIES: Final = 6
MOST_RANGES: Final = 8


def list_text(prefixes: list[Prefix]) -> str:
    """As a configuration file or ``wg set`` takes it."""
    return ", ".join(str(prefix) for prefix in prefixes)


def calculated_lines(sets: AddressSets, taken: Taking | None) -> list[Line]:
    """The list, counted; then what it means as territory, and for a peer what it takes."""
    prefixes = prefixes_of(sets)
    lines = [Line(list_text(prefixes) or "(nothing)")]
    for family in FAMILIES:
        if sets[family]:
            count = sum(prefix.family == family for prefix in prefixes)
            told = count_text(count, "prefix", "prefixes")
            told = f"IPv{family}: {addresses_count(sets[family].count)} in {told}"
            lines.append(Line(told, Tone.NOTE, label="is"))
            if len(sets[family].spans) < count:  # otherwise they say what the list says
                lines.append(Line(spans_text(sets[family], MOST_RANGES), label="ranges"))
    if taken is not None:
        lines += _taken_lines(taken)
    return lines


def _taken_lines(taken: Taking) -> list[Line]:
    name, device = peer_name(taken.peer), printable(taken.device.name)
    command = ",".join(str(prefix) for prefix in taken.prefixes) or "''"
    key = taken.peer.public_key
    lines = [Line(f"wg set {device} peer {key} allowed-ips {command}", label="command")]
    by_peer: dict[str, tuple[Peer, list[Prefix]]] = {}
    for prefix, peer in taken.entries:
        by_peer.setdefault(peer.public_key, (peer, []))[1].append(prefix)
    for peer, prefixes in by_peer.values():
        shown = joined(map(str, prefixes[:MOST_ENTRIES]), max(0, len(prefixes) - MOST_ENTRIES))
        text = f"{peer_name(peer)} loses its own entry to {name}: {shown}"
        lines.append(Line(text, Tone.BAD, label="moves"))
    for one in taken.moved:
        before = peer_name(one.before) if one.before is not None else "nobody"
        after = peer_name(one.after) if one.after is not None else "nobody"
        count = addresses_count(one.addresses.count)
        tone = Tone.PLAIN if one.before is None else Tone.NOTE
        text = f"{prefixes_text(one.addresses)} ({count}) on {device}: {before} → {after}"
        lines.append(Line(text, tone, label="owner"))
    if not taken.moved:
        lines.append(Line(f"nothing changes its owner on {device}", Tone.GOOD, label="owner"))
    return lines


def calculated_json(sets: AddressSets, taken: Taking | None) -> Json:
    """The same as an object."""
    return {
        "schema": ALLOWED_IPS_SCHEMA,
        "allowed_ips": [str(prefix) for prefix in prefixes_of(sets)],
        "families": {str(family): set_json(sets[family]) for family in FAMILIES},
        "peer": None if taken is None else _taken_json(taken),
    }


def _taken_json(taken: Taking) -> Json:
    return {
        "device": taken.device.name,
        "peer": taken.peer.public_key,
        "name": taken.peer.label or None,
        "moves": [
            {"prefix": str(prefix), "from": peer.public_key, "name": peer.label or None}
            for prefix, peer in taken.entries
        ],
        "owners": [
            {
                **set_json(one.addresses),
                "family": one.addresses.family,
                "before": one.before.public_key if one.before is not None else None,
                "after": one.after.public_key if one.after is not None else None,
            }
            for one in taken.moved
        ],
    }
