"""What do ``ip link set X up|down``, ``ip address`` and ``sysctl -w`` do to routes and addresses?

fib_frontend.c:fib_add_ifaddr, fib_disable_ip; fib_semantics.c:fib_sync_down_dev;
addrconf.c:addrconf_ifdown (S-B6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from netaddr import IPAddress

from wgtui.engine.what_if.applied import Applied, Note, Objection, RefusedError, Touched
from wgtui.engine.what_if.next_hops import ignores_carrierless, type_of
from wgtui.engine.what_if.routes import with_nodes
from wgtui.model.command import AddressCommand, LinkCommand, SysctlCommand, Verb
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkAddress,
    NextHop,
    RouteInfo,
    RouteType,
    Scope,
    TableId,
)
from wgtui.model.prefix import BITS, Family, Prefix, family_of
from wgtui.model.routes import RouteTable, RouteTables
from wgtui.model.snapshot import Snapshot

_EVERYTHING: Final = Touched(everything=True)
_CARRIES_ITSELF: Final = ("wireguard", "dummy")


def apply_link(snapshot: Snapshot, command: LinkCommand) -> Applied:
    """The link up or down; raises ``RefusedError``."""
    link = snapshot.links_by_name.get(command.link)
    if link is None:
        raise RefusedError(Objection.NO_SUCH_LINK, command.link)
    if link.up is None:
        raise RefusedError(Objection.UNSEEN, command.link)
    if link.up == command.up:
        return Applied(snapshot, notes=(Note.NOTHING_CHANGES,))
    uses = {leg.link for item in snapshot.nexthops.values() for leg in item.next_hops}
    if link.index in uses:
        raise RefusedError(Objection.NEXTHOP_OBJECTS, command.link)
    return _up(snapshot, link) if command.up else _down(snapshot, link)


def _with_link(snapshot: Snapshot, link: Link) -> Snapshot:
    return replace(snapshot, links={**snapshot.links, link.index: link})


# -------------------------------------------------------------------------------------------- down


def _down(snapshot: Snapshot, link: Link) -> Applied:
    kept = tuple(entry for entry in link.addresses if entry.address.version == 4)
    routes: dict[tuple[Family, TableId], RouteTable] = {}
    for (family, table), old in snapshot.routes.items():
        found = _table_after_down(old, link)
        if len(found):
            routes[family, table] = found
    down = replace(link, up=False, carrier=None, state="down", addresses=kept)
    notes = (Note.OTHER_END,) if link.kind == "veth" else ()
    if _may_uncover(snapshot, link):
        notes = (*notes, Note.BETWEEN_LEGS)
    after = replace(_with_link(snapshot, down), routes=routes)
    return Applied(after, touched=_EVERYTHING, notes=notes)


def _may_uncover(snapshot: Snapshot, link: Link) -> bool:
    """Does an IPv6 route with several legs go with the link? See ``routes.may_uncover``."""
    return any(
        len(info.next_hops) > 1 and info.nexthop_id is None and _after_down(info, 6, link) is None
        for (family, _), table in snapshot.routes.items()
        if family == 6
        for info in table.infos
    )


def _table_after_down(old: RouteTable, link: Link) -> RouteTable:
    infos: dict[int, RouteInfo | None] = {}
    for number in set(old.tree.values):
        infos[number] = _after_down(old.infos[number], old.family, link)
    numbers = {number: place for place, number in enumerate(infos)}
    columns = zip(old.tree.networks, old.tree.lengths, old.tree.values, strict=True)
    entries = [
        (network, length, numbers[value])
        for network, length, value in columns
        if infos[value] is not None
    ]
    # Numbers of routes that are gone are used by nobody.
    new = tuple(info if info is not None else old.infos[number] for number, info in infos.items())
    return RouteTable(old.family, old.table, entries, new)


def _after_down(info: RouteInfo, family: Family, link: Link) -> RouteInfo | None:
    """None: the route goes with the link."""
    if all(leg.link != link.index for leg in info.next_hops):
        return info
    if family == 4 and info.scope == Scope.HOST:
        return info  # own addresses stay own
    if info.nexthop_blackhole:
        return info  # it hangs on lo, but does not go down with it (nexthop.c:nexthop_flush_dev)
    legs = tuple(
        replace(leg, dead=True, linkdown=True) if leg.link == link.index else leg
        for leg in info.next_hops
    )
    return None if all(leg.dead for leg in legs) else replace(info, next_hops=legs)


# ---------------------------------------------------------------------------------------------- up


def _up(snapshot: Snapshot, link: Link) -> Applied:
    up = replace(link, up=True, carrier=True, state="unknown")
    notes = [Note.STATIC_ROUTES_GONE]
    if link.kind not in _CARRIES_ITSELF and not link.loopback:
        notes.append(Note.CARRIER_ASSUMED)
    if link.kind != "wireguard":
        notes.append(Note.OWN_IPV6)
    after = _with_link(snapshot, up)
    routes = dict(snapshot.routes)
    for key, old in snapshot.routes.items():
        routes[key] = _revived(old, link)
    after = replace(after, routes=routes)
    for entry in up.addresses:
        if entry.address.version == 4:
            after = _with_routes(after, 4, list(_address_routes(snapshot, up, entry, True, 0)))
    return Applied(after, touched=_EVERYTHING, notes=tuple(notes))


def _revived(old: RouteTable, link: Link) -> RouteTable:
    """Legs of multipath routes that died with the link (fib_sync_up)."""
    infos = tuple(
        replace(
            info,
            next_hops=tuple(
                replace(leg, dead=False, linkdown=False) if leg.link == link.index else leg
                for leg in info.next_hops
            ),
        )
        for info in old.infos
    )
    return old.with_infos(infos)


# --------------------------------------------------------------------------------------- addresses


def apply_address(snapshot: Snapshot, command: AddressCommand) -> Applied:
    """An address comes or goes, with the routes it brings; raises ``RefusedError``."""
    link = snapshot.links_by_name.get(command.link)
    if link is None:
        raise RefusedError(Objection.NO_SUCH_LINK, command.link)
    family = family_of(command.address)
    if family == 6:
        raise RefusedError(Objection.IPV6_ADDRESSES)
    entry = LinkAddress(command.address, command.prefix, command.scope, command.peer)
    if command.verb is Verb.DELETE:
        return _address_gone(snapshot, link, command)
    mine = [other for other in link.addresses if other.address.version == 4]
    if any((other.address, other.prefix) == (entry.address, entry.prefix) for other in mine):
        raise RefusedError(Objection.FILE_EXISTS)
    if any(other.prefix == entry.prefix for other in mine):
        raise RefusedError(Objection.SECONDARY_ADDRESSES)
    after = _with_link(snapshot, replace(link, addresses=_in_order(link.addresses, entry)))
    brought = list(_address_routes(snapshot, link, entry, command.prefix_route, command.metric))
    return Applied(_with_routes(after, 4, brought), touched=_EVERYTHING)


def _in_order(addresses: tuple[LinkAddress, ...], entry: LinkAddress) -> tuple[LinkAddress, ...]:
    """Primaries by scope, wider first (devinet.c:__inet_insert_ifa)."""
    at = max(
        (
            number
            for number, other in enumerate(addresses, 1)
            if other.address.version == 4 and not other.secondary and entry.scope <= other.scope
        ),
        default=0,
    )
    return (*addresses[:at], entry, *addresses[at:])


def _address_gone(snapshot: Snapshot, link: Link, command: AddressCommand) -> Applied:
    mine = [other for other in link.addresses if other.address.version == 4]
    gone = next(
        (
            other
            for other in mine
            if (other.address, other.prefix, other.peer)
            == (command.address, command.prefix, command.peer)
        ),
        None,
    )
    if gone is None:
        raise RefusedError(Objection.NO_SUCH_ADDRESS, str(command.address))
    others = [other for other in mine if other is not gone]
    elsewhere = [
        other
        for one in snapshot.links.values()
        for other in one.addresses
        if other is not gone and other.address == gone.address
    ]
    if not others or elsewhere or any(other.prefix == gone.prefix for other in others):
        raise RefusedError(Objection.SECONDARY_ADDRESSES)
    kept = tuple(other for other in link.addresses if other is not gone)
    after = _with_link(snapshot, replace(link, addresses=kept))
    brought = {
        (family_table, prefix, info)
        for family_table, prefix, info in _address_routes(snapshot, link, gone, True, 0)
    }
    # Only of the link's own table go the routes with this source (fib_sync_down_addr, S-B6).
    vrf = snapshot.links.get(link.master) if link.master is not None else None
    own_table = vrf.vrf_table if vrf is not None and vrf.vrf_table is not None else MAIN_TABLE
    routes: dict[tuple[Family, TableId], RouteTable] = {}
    for (family, table), old in snapshot.routes.items():
        entries = []
        for route in old:
            info = route.info
            bare = replace(info, metric=0)
            if family == 4 and (
                (table, route.destination, bare) in brought
                or (table == own_table and info.preferred_source == gone.address)
            ):
                continue
            entries.append((route.destination[1], route.destination[2], old.tree.values[route.row]))
        if entries:
            routes[family, table] = RouteTable(family, table, entries, old.infos)
    return Applied(replace(after, routes=routes), touched=_EVERYTHING)


def _address_routes(
    snapshot: Snapshot, link: Link, entry: LinkAddress, prefix_route: bool, metric: int
) -> Iterator[tuple[TableId, Prefix, RouteInfo]]:
    """What fib_add_ifaddr adds for an IPv4 address."""
    no_carrier = link.carrier is False and bool(link.up)
    dead = no_carrier and ignores_carrierless(snapshot, link, 4)

    hop = NextHop(link.index, dead=dead, linkdown=no_carrier)

    def made(kind: RouteType, scope: int, metric: int = 0) -> RouteInfo:
        return RouteInfo(
            type=kind,
            scope=scope,
            protocol="kernel",
            metric=metric,
            preferred_source=entry.address,
            next_hops=(hop if scope != Scope.HOST else NextHop(link.index),),
        )

    own = Prefix(4, int(entry.address), BITS[4])
    yield LOCAL_TABLE, own, made(RouteType.LOCAL, Scope.HOST)
    if not link.up or entry.secondary or entry.prefix.network >> 24 == 0:
        return
    if entry.prefix != own and prefix_route:
        if link.loopback:
            yield LOCAL_TABLE, entry.prefix, made(RouteType.LOCAL, Scope.HOST, metric)
        else:
            yield MAIN_TABLE, entry.prefix, made(RouteType.UNICAST, Scope.LINK, metric)
    if entry.prefix.length < 31:
        last = Prefix(4, entry.prefix.last, BITS[4])
        yield LOCAL_TABLE, last, made(RouteType.BROADCAST, Scope.LINK)


def _with_routes(
    snapshot: Snapshot, family: Family, brought: list[tuple[TableId, Prefix, RouteInfo]]
) -> Snapshot:
    """With what the kernel appends (fib_magic): nothing that is there already comes twice."""
    for table, prefix, info in brought:
        old = snapshot.table(family, table)
        row = old.tree.find(prefix) if old is not None else -1
        node = [old.info(one) for one in old.tree.same(row)] if old is not None and row >= 0 else []
        source = info.preferred_source
        own = info.type is RouteType.LOCAL and source is not None and prefix[1] == int(source)
        if info in node or not (own or _may_be_source(snapshot, source)):
            continue
        at = sum((one.tos > 0 or one.metric <= info.metric) for one in node)
        nodes = {prefix[1:]: [*node[:at], info, *node[at:]]}
        routes: RouteTables = with_nodes(snapshot, family, table, nodes)
        snapshot = replace(snapshot, routes=routes)
    return snapshot


def _may_be_source(snapshot: Snapshot, source: IPAddress | None) -> bool:
    """Where another link's broadcast address stands before it, an address is none (silently)."""
    return source is None or type_of(snapshot, source) is RouteType.LOCAL


# ----------------------------------------------------------------------------------------- sysctl


def apply_sysctl(snapshot: Snapshot, command: SysctlCommand) -> Applied:
    """A kernel setting; raises ``RefusedError``."""
    path = command.path
    whole = {"net/ipv4/ip_forward": 4, "net/ipv4/conf/all/forwarding": 4}
    whole["net/ipv6/conf/all/forwarding"] = 6
    parts = path.split("/")
    if parts[:1] == ["net"] and parts[2:3] == ["conf"] and len(parts) > 4:
        name = "/".join(parts[3:-1])
        if name not in ("all", "default") and name not in snapshot.links_by_name:
            raise RefusedError(Objection.NO_SUCH_LINK, name)
    if path not in snapshot.sysctls and path not in whole:
        raise RefusedError(Objection.NO_SUCH_SETTING, path.replace("/", "."))
    settings = dict(snapshot.sysctls)
    notes: tuple[Note, ...] = ()
    known = "net/ipv4/conf/all/forwarding" if path == "net/ipv4/ip_forward" else path
    same = settings.get(known, settings.get(path)) == command.value
    if same:
        notes = (Note.NOTHING_CHANGES,)
    settings[path] = command.value
    if path in whole and not (same and whole[path] == 4):
        # It is written through to all links (S-B41).
        ending = "/forwarding"
        start = f"net/ipv{whole[path]}/conf/"
        for key in settings:
            if key.startswith(start) and key.endswith(ending):
                settings[key] = command.value
        if whole[path] == 4:
            for key in ("net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"):
                if key in settings:
                    settings[key] = command.value
        else:
            notes = (*notes, Note.OWN_IPV6)
    after = replace(snapshot, sysctls=settings)
    if path.endswith("/ignore_routes_with_linkdown"):
        after = _carriers_counted(after, 4 if path.startswith("net/ipv4/") else 6)
    return Applied(after, touched=_EVERYTHING, notes=notes)


def _carriers_counted(snapshot: Snapshot, family: Family) -> Snapshot:
    """Legs without a carrier are dead where they are to be ignored (S-B5)."""

    def counted(leg: NextHop) -> NextHop:
        link = snapshot.links.get(leg.link) if leg.link is not None else None
        if not leg.linkdown or link is None or not link.up:
            return leg
        return replace(leg, dead=ignores_carrierless(snapshot, link, family))

    routes = dict(snapshot.routes)
    for key, table in snapshot.routes.items():
        if key[0] == family:
            infos = [
                replace(info, next_hops=tuple(counted(leg) for leg in info.next_hops))
                for info in table.infos
            ]
            routes[key] = table.with_infos(tuple(infos))
    return replace(snapshot, routes=routes)
