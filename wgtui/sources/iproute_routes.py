"""What routes and next-hop objects does ``ip -j route`` list? Text in, model out, order kept.

A host may have a hundred thousand routes that differ in their destination only, so what a row says
beside its destination is understood once per distinct text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from netaddr import IPAddress

from wgtui.model.network import (
    MAIN_TABLE,
    LinkIndex,
    NextHop,
    NextHopObject,
    Preference,
    RouteInfo,
    RouteType,
    Scope,
    TableId,
)
from wgtui.model.prefix import Family, Prefix, parse_address
from wgtui.model.routes import RouteTablesBuilder
from wgtui.sources.fields import JSON, Fields, JSONObject, parse_objects
from wgtui.sources.iproute import family_address
from wgtui.sources.links_builder import LinksBuilder
from wgtui.sources.names import dsfield, protocol_name, route_type, scope_number, table_id

_PREFERENCES: Final = {"low": Preference.LOW, "high": Preference.HIGH}

_AFTER_ENCAP: Final = frozenset(
    ("gateway", "via", "dev", "weight", "table", "protocol", "scope", "prefsrc", "metric", "flags")
)

_MAY_DECIDE: Final = frozenset(("iif", "mp_algo"))
"""Keys of a route that the lookup could depend on in a way that is not modelled."""


CachedException: TypeAlias = tuple[TableId, IPAddress, LinkIndex]
"""An IPv6 route that is no entry of its table (S-A63)."""


def parse_nexthops(
    text: str, links: LinksBuilder, file: str = "nexthop.json"
) -> dict[int, NextHopObject]:
    """The output of ``ip [-N] -j -d nexthop show``; groups get the legs of their members.

    Raises ``FormatError``.
    """
    singles: dict[int, NextHopObject] = {}
    groups: list[tuple[int, Fields]] = []
    order: list[int] = []
    for entry in parse_objects(text, file, _without_encap):
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


def add_routes(
    text: str,
    family: Family,
    builder: RouteTablesBuilder,
    links: LinksBuilder,
    nexthops: Mapping[int, NextHopObject],
    file: str | None = None,
) -> tuple[CachedException, ...]:
    """Put the output of ``ip [-N] -j -d -4 route show table all`` (or ``-6``) into the builder.

    What it returns are the cached exceptions among them. Raises ``FormatError``.
    """
    infos: dict[str, tuple[TableId, RouteInfo]] = {}
    exceptions: list[CachedException] = []
    for entry in parse_objects(text, file or f"route{family}.json", _without_encap):
        values = dict(entry.values)
        values.pop("dst", None)
        key = str(values)
        known = infos.get(key)
        if known is None:
            known = infos[key] = (_table(entry), _info(entry, family, links, nexthops))
        table, info = known
        destination = _destination(entry, family)
        if not info.cached:
            builder.add(table, destination, info)
        elif family == 6 and info.next_hops and info.next_hops[0].link is not None:
            address = IPAddress(destination.network, family)
            exceptions.append((table, address, info.next_hops[0].link))
    return tuple(exceptions)


def _without_encap(pairs: list[tuple[str, JSON]]) -> JSONObject:
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


def _table(entry: Fields) -> TableId:
    table = entry.text("table")
    return MAIN_TABLE if table is None else table_id(table)


def _destination(entry: Fields, family: Family) -> Prefix:
    text = entry.needed_text("dst")
    try:
        return Prefix.parse(text, family)
    except ValueError as error:
        raise entry.wrong("dst", str(error)) from None


def _info(
    entry: Fields, family: Family, links: LinksBuilder, nexthops: Mapping[int, NextHopObject]
) -> RouteInfo:
    unknown = [key for key in entry.values if key in _MAY_DECIDE]
    kind = entry.text("type")
    protocol = protocol_name(entry.text("protocol") or "boot")
    tos = _named(entry, "tos", dsfield(entry.text("tos") or "0"), unknown)
    scope = _named(entry, "scope", scope_number(entry.text("scope") or "global"), unknown)
    next_hops = _next_hops(entry, links, unknown)
    number = entry.number("nhid") or None
    used = nexthops.get(number) if number else None
    if number and not next_hops:
        # Without net.ipv4.nexthop_compat_mode a route names its object and nothing else (S-B12).
        next_hops = used.next_hops if used else ()
        if used is None and route_type(kind or "unicast") is RouteType.UNICAST:
            unknown.append("nhid")
    if used is not None:
        unknown += used.unknown
    return RouteInfo(
        type=RouteType.UNICAST if kind is None else route_type(kind),
        scope=Scope.UNIVERSE if scope is None else scope,
        protocol=protocol,
        metric=entry.number("metric") or 0,
        tos=tos or 0,
        source=_source(entry, family),
        preferred_source=family_address(entry, "prefsrc", family),
        next_hops=next_hops,
        nexthop_id=number,
        nexthop_blackhole=used is not None and used.blackhole,
        mtu=_mtu(entry),
        preference=_PREFERENCES.get(entry.text("pref") or "", Preference.MEDIUM),
        expires=_expires(entry),
        cached="cache" in entry,
        router_advertised=family == 6 and protocol == "ra",
        unknown=tuple(unknown),
    )


def _named(entry: Fields, key: str, number: int | None, unknown: list[str]) -> int | None:
    if number is None and key in entry:
        unknown.append(key)
    return number


def _source(entry: Fields, family: Family) -> Prefix | None:
    text = entry.text("from")
    if text is None:
        return None
    try:
        return Prefix.parse(text, family)
    except ValueError as error:
        raise entry.wrong("from", str(error)) from None


def _next_hops(entry: Fields, links: LinksBuilder, unknown: list[str]) -> tuple[NextHop, ...]:
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


def _mtu(entry: Fields) -> int | None:
    return next(
        (mtu for metrics in entry.objects("metrics") if (mtu := metrics.number("mtu"))), None
    )


def _expires(entry: Fields) -> int | None:
    """Seconds; an expired route has a negative number, and older versions write ``30sec``."""
    text = entry.text("expires")
    if text is None:
        return None
    digits = text.removesuffix("sec")
    if not digits.removeprefix("-").isdecimal():
        raise entry.wrong("expires", "is not a number of seconds")
    return 0 if digits.startswith("-") else int(digits)
