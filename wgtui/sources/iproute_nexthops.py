"""Which ways out does a route or a next-hop object of ``ip -j`` name? Text in, model out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from netaddr import IPAddress

from wgtui.model.network import NextHop, NextHopObject
from wgtui.model.prefix import parse_address
from wgtui.sources.fields import JSON, Fields, JSONObject, parse_objects
from wgtui.sources.links_builder import LinksBuilder

_AFTER_ENCAP: Final = frozenset({"gateway", "via", "dev"})
"""One of these ends what an encapsulation says; an encapsulating next hop always has a link."""


def parse_nexthops(
    text: str, links: LinksBuilder, file: str = "nexthop.json"
) -> dict[int, NextHopObject]:
    """The output of ``ip [-N] -j -d nexthop show``; groups get the legs of their members.

    Raises ``FormatError``.
    """
    singles: dict[int, NextHopObject] = {}
    groups: list[tuple[int, Fields]] = []
    order: list[int] = []
    for entry in parse_objects(text, file, without_encap):
        number = entry.number("id")
        if number is None:
            raise entry.wrong("id", "is missing")
        order.append(number)
        if "group" in entry:
            groups.append((number, entry))
        else:
            blackhole = entry.flag("blackhole")
            unknown: list[str] = []
            legs = () if blackhole else (_leg(entry, links, unknown),)
            singles[number] = NextHopObject(
                number, legs, blackhole, unknown=(*unknown, *_fdb(entry))
            )
    found = singles | {number: _group(number, entry, singles) for number, entry in groups}
    return {number: found[number] for number in order}


def _fdb(entry: Fields) -> tuple[str, ...]:
    """An object for bridges (VXLAN), which no route can use."""
    return ("fdb",) if entry.flag("fdb") else ()


def _group(number: int, entry: Fields, singles: Mapping[int, NextHopObject]) -> NextHopObject:
    legs: list[NextHop] = []
    blackhole = False
    unknown = [*_fdb(entry)]
    for member in entry.objects("group"):
        one = singles.get(member.number("id") or 0)
        if one is None:
            unknown.append("group")
            continue
        weight = member.number("weight") or 1
        legs += [replace(leg, weight=weight) for leg in one.next_hops]
        blackhole = blackhole or one.blackhole
        unknown += one.unknown
    return NextHopObject(number, tuple(legs), blackhole, True, tuple(dict.fromkeys(unknown)))


def next_hops_of(entry: Fields, links: LinksBuilder, unknown: list[str]) -> tuple[NextHop, ...]:
    """The ways out that a row names; what of them cannot be understood goes to ``unknown``."""
    legs = entry.objects("nexthops")
    if legs:
        return tuple(_leg(leg, links, unknown) for leg in legs)
    if "dev" in entry or "gateway" in entry or "via" in entry:
        return (_leg(entry, links, unknown),)
    return ()


def _leg(entry: Fields, links: LinksBuilder, unknown: list[str]) -> NextHop:
    flags = entry.texts("flags")
    link = entry.text("dev")
    return NextHop(
        link=links.index(link) if link is not None else None,
        gateway=_gateway(entry, unknown),
        weight=entry.number("weight") or 1,
        dead="dead" in flags,
        linkdown="linkdown" in flags,
        onlink="onlink" in flags,
        encap=entry.text("encap"),
    )


def _gateway(entry: Fields, unknown: list[str]) -> IPAddress | None:
    via = entry.object("via")
    if via is not None and via.text("family") not in ("inet", "inet6"):
        unknown.append("via")
        return None
    holder, key = (via, "host") if via is not None else (entry, "gateway")
    text = holder.text(key)
    if text is None:
        return None
    try:
        return parse_address(text)
    except ValueError as error:
        raise holder.wrong(key, str(error)) from None


def without_encap(pairs: list[tuple[str, JSON]]) -> JSONObject:
    """A row; what its encapsulation says is left out, for iproute2 gives it no object of its own.

    ``{"dst": "20.9.0.0/24", "encap": "ip", "id": 5, "dst": "1.2.3.4", "tos": 0, "dev": "va"}`` is a
    route to 20.9.0.0/24.
    """
    row = dict(pairs)
    if "encap" not in row:
        return row
    row = {}
    inside = False
    for key, value in pairs:
        inside = inside and key not in _AFTER_ENCAP
        if not inside:
            row.setdefault(key, value)
        inside = inside or key == "encap"
    return row
