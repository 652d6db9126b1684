"""Territory as stable JSON."""

from __future__ import annotations

from typing import Final

from wgtui.engine.answer import Answer, AnswerLeg, Way
from wgtui.engine.holdings import Holding, Holdings
from wgtui.engine.territory import Partition
from wgtui.model.address_set import AddressSet, span_prefixes
from wgtui.model.prefix import address_text
from wgtui.model.wireguard import Device
from wgtui.report.as_json import Json, flow_json, reason_code, table_json

TERRITORY_SCHEMA: Final = "wgtui.territory/1"


def partition_json(found: Partition) -> Json:
    """A range and its parts, ascending and without gaps."""
    family = found.within.family
    return {
        "schema": TERRITORY_SCHEMA,
        "range": str(found.within),
        "flow": flow_json(found.flow),
        "whole": found.whole,
        "until": address_text(family, found.until),
        "parts": [
            {
                "first": address_text(family, part.span[0]),
                "last": address_text(family, part.span[1]),
                "count": part.span[1] - part.span[0] + 1,
                "prefixes": [str(prefix) for prefix in span_prefixes(family, part.span)],
                "answer": answer_json(part.answer),
            }
            for part in found.parts
        ],
    }


def answer_json(answer: Answer) -> Json:
    """The words of ``lookup --json`` for what an answer has."""
    holder = answer.holder
    first = answer.legs[0] if answer.legs else AnswerLeg("")
    return {
        "outcome": answer.outcome.value,
        "reason": reason_code(answer.reason),
        "rule": answer.priority,
        "route": None
        if answer.destination is None
        else {
            "table": table_json(answer.table),
            "to": str(answer.destination),
            "type": answer.type.value if answer.type is not None else None,
            "dev": first.link or None,
            "via": first.gateway,
            "metric": answer.metric,
            "src": answer.preferred_source,
            "next_hops": _legs_json(answer.legs),
        },
        "owner": None
        if holder is None
        else {
            "device": holder.device,
            "peer": holder.public_key,
            "name": holder.name or None,
            "allowed_ip": str(holder.prefix),
        },
        "endpoint": answer.endpoint,
        "outer": answer_json(answer.outer) if answer.outer is not None else None,
    }


def device_json(device: Device, families: list[Holdings]) -> Json:
    """What each peer of a device really owns."""
    return {
        "device": device.name,
        "families": {
            str(found.family): {
                "peers": [_holding_json(one) for one in found.holdings],
                "ownerless": set_json(found.ownerless),
                "unowned": {"count": found.unowned.count},
                "whole": found.whole,
                "until": address_text(found.family, found.until),
            }
            for found in families
        },
    }


def devices_json(devices: list[Json]) -> Json:
    """Several of them."""
    return {"schema": TERRITORY_SCHEMA, "devices": devices}


def set_json(addresses: AddressSet) -> Json:
    """A set: the fewest prefixes, and how many addresses."""
    return {
        "count": addresses.count,
        "prefixes": [str(prefix) for prefix in addresses.prefixes()],
    }


def _holding_json(one: Holding) -> Json:
    return {
        "peer": one.peer.public_key,
        "name": one.peer.label or None,
        "owned": set_json(one.owned),
        "routed": set_json(one.routed),
        "shadowed": [str(prefix) for prefix in one.shadowed],
        "elsewhere": [
            {"to": _way_json(other.way), **set_json(other.addresses)} for other in one.elsewhere
        ],
    }


def _way_json(way: Way) -> Json:
    return {
        "outcome": way.outcome.value,
        "reason": reason_code(way.reason),
        "device": way.device,
        "peer": way.public_key,
        "next_hops": _legs_json(way.legs),
    }


def _legs_json(legs: tuple[AnswerLeg, ...]) -> list[Json]:
    return [
        {"dev": leg.link or None, "via": leg.gateway, "weight": leg.weight}
        for leg in legs
        if leg.link or leg.gateway
    ]
