"""What routes does ``ip -j route`` list? Text in, model out, order kept.

A host may have a hundred thousand routes that differ in their destination only, so what a row says
beside its destination is understood once per distinct text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import (
    MAIN_TABLE,
    CachedRoute,
    NextHopObject,
    Preference,
    RouteInfo,
    RouteType,
    Scope,
    TableId,
)
from wgtui.model.prefix import Family, Prefix
from wgtui.model.routes import RouteTables, RouteTablesBuilder, cached_route
from wgtui.sources.fields import Fields, parse_objects
from wgtui.sources.iproute import family_address
from wgtui.sources.iproute_nexthops import next_hops_of, without_encap
from wgtui.sources.links_builder import LinksBuilder
from wgtui.sources.names import dsfield, protocol_name, route_type, scope_number, table_id

_PREFERENCES: Final = {"low": Preference.LOW, "high": Preference.HIGH}

_MAY_DECIDE: Final = frozenset(("iif", "mp_algo"))
"""Keys of a route that the lookup could depend on in a way that is not modelled."""


class ParsedRoutes(NamedTuple):
    """One family's routes."""

    tables: RouteTables
    exceptions: tuple[CachedRoute, ...]
    """Cached ones, which are no entries of their table (S-A63, S-B14)."""


def parse_routes(
    text: str,
    family: Family,
    links: LinksBuilder,
    nexthops: Mapping[int, NextHopObject],
    file: str | None = None,
) -> ParsedRoutes:
    """The output of ``ip [-N] -j -d -4 route show table all`` (or ``-6``).

    Raises ``FormatError``.
    """
    builder = RouteTablesBuilder()
    exceptions: list[CachedRoute] = []
    infos: dict[str, tuple[TableId, RouteInfo]] = {}
    routes: list[tuple[TableId, Prefix, RouteInfo]] = []
    for entry in parse_objects(text, file or f"route{family}.json", without_encap):
        values = dict(entry.values)
        values.pop("dst", None)
        key = str(values)
        known = infos.get(key)
        if known is None:
            known = infos[key] = (_table(entry), _info(entry, family, links, nexthops))
        table, info = known
        destination = _destination(entry, family)
        if not info.cached:
            routes.append((table, destination, info))
            continue
        kept = cached_route(table, IPAddress(destination.network, family), info)
        exceptions += [kept] if kept is not None else []
    if family == 4 and not routes and not exceptions and "{" in text:
        # Every host has some; empty objects are what a version prints for what it filtered.
        raise FormatError(file or f"route{family}.json", "has no route, only empty objects")
    if family == 4:
        # As the kernel sorts them at one prefix (S-B1); a folder put together by hand may not.
        routes.sort(key=lambda route: (-route[2].tos, route[2].metric))
    for route in routes:
        builder.add(*route)
    return ParsedRoutes(builder.build(), tuple(exceptions))


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
    next_hops = next_hops_of(entry, links, unknown)
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
