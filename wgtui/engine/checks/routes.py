"""Do the system's routes and the AllowedIPs fit together?

S-E6: AllowedIPs never make routes; an address can be allowed and not routed, or routed and
nobody's.
S-E10: the gateway of a route picks no peer. S-F2: a covering route is as good as an exact one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from wgtui.engine.checks.ground import (
    DEFAULT_LIKE,
    MOST_PARTS,
    NOBODYS,
    asked,
    away,
    default_away,
    default_entry,
    elsewhere,
    prefixes_of,
    routed_on_purpose,
)
from wgtui.engine.checks.partition import MISS, spans_of, sweep
from wgtui.engine.checks.world import Ground, World, who
from wgtui.engine.fib import ERROR_TYPES
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import (
    Duplicate,
    Elsewhere,
    Gateway,
    Ownerless,
    Who,
)
from wgtui.model.network import (
    LOCAL_TABLE,
    LinkIndex,
    Route,
    RouteInfo,
    RouteType,
    TableId,
)
from wgtui.model.prefix import FAMILIES, Family, Prefix, family_of
from wgtui.model.prefix_index import NONE
from wgtui.model.routes import RouteTable
from wgtui.model.wireguard import Device

_LOOKED_AT: Final = 2_000
"""Routes by one gateway that are compared with their owners; more of them are like these."""


def unrouted_prefix(world: World) -> Iterator[Finding]:
    """What a peer owns and the system sends elsewhere."""
    for device in world.snapshot.devices.values():
        if not world.up(device):
            continue
        for family in FAMILIES:
            routing = world.ways.plain(family, link=device.link)
            for ground in away(world, device, routing):
                facts = elsewhere(world, routing, ground)
                severity = Severity.INFO if facts.exception else Severity.WARNING
                yield _unrouted(device, who(ground.peer), ground.entry, severity, facts)
            yield from _default_unrouted(world, device, family)


def _unrouted(
    device: Device, peer: Who, prefix: Prefix, severity: Severity, facts: Elsewhere
) -> Finding:
    return Finding(Code.UNROUTED_PREFIX, severity, facts, device.name, peer, prefix)


def _default_unrouted(world: World, device: Device, family: Family) -> Iterator[Finding]:
    """A peer owns "the rest", and no route at all was made for the device: a full tunnel that is
    none. ``Table = off``, or any other route, says that it is meant so."""
    owner = default_entry(world, device, family)
    routing = world.ways.plain(family, link=device.link)
    address = None if owner is None else default_away(device, routing)
    if owner is None or address is None or routed_on_purpose(world, device, family):
        return
    config = world.meant.get(device.name)
    if config is not None and config.table.lower() == "off":
        return
    peer, prefix = owner
    severity = Severity.WARNING if config is not None else Severity.INFO
    ground = Ground(peer, prefix, ((address, address, routing.at(address)),), True)
    told = elsewhere(world, routing, ground)
    facts = Elsewhere((prefix,), True, told.away, told.link, told.route)
    yield _unrouted(device, who(peer), prefix, severity, facts)


def ownerless_route(world: World) -> Iterator[Finding]:
    """Routes into a device for addresses that no peer owns: ENOKEY (S-E10)."""
    for table in _asked_tables(world):
        for link, rows in world.rows_into(table).items():
            device = world.snapshot.devices[link]
            for row in rows:
                found = _ownerless(world, device, table, row)
                if found is not None:
                    yield found


def _asked_tables(world: World) -> Iterator[RouteTable]:
    """Tables that a rule leads to; all of them where the rules could not be seen."""
    for (family, number), table in world.snapshot.routes.items():
        rules = world.snapshot.rules.get(family)
        asked_for = rules is None or any(rule.table in (number, None) for rule in rules)
        if asked_for and number != LOCAL_TABLE:
            yield table


def _ownerless(world: World, device: Device, table: RouteTable, row: int) -> Finding | None:
    tree = table.tree
    prefix = tree.prefix(row)
    owners = device.owners.tree(table.family)
    covering = owners.match(prefix.network)
    while covering != NONE and owners.lengths[covering] > prefix.length:
        covering = owners.parent(covering)
    if covering != NONE or any(nobodys.contains(prefix) for nobodys in NOBODYS):
        return None
    if _own_network(world, device, prefix) or table.infos[tree.values[row]].tos:
        return None
    nobodys = list(_unowned(device, table, row))
    if not nobodys:
        return None
    # What longer routes of the same table take away is not this route's.
    whole = len(owners.inside(prefix)) == 0
    size = sum(last - first + 1 for first, last in nobodys)
    all_of_it = prefix.length <= DEFAULT_LIKE and 2 * size > prefix.size
    parts = islice((p for a, b in nobodys for p in prefixes_of(table.family, a, b)), MOST_PARTS)
    facts = Ownerless(table[row], tuple(parts), whole)
    severity = Severity.WARNING if whole or all_of_it else Severity.INFO
    return Finding(Code.OWNERLESS_ROUTE, severity, facts, device.name, None, prefix)


def _own_network(world: World, device: Device, prefix: Prefix) -> bool:
    """The route that comes with the device's own address."""
    link = world.snapshot.links.get(device.link)
    return link is not None and any(own.prefix == prefix for own in link.addresses)


def _unowned(device: Device, table: RouteTable, row: int) -> Iterator[tuple[int, int]]:
    """Ranges that this very route leads into the device, and nobody owns there."""
    prefix = table.tree.prefix(row)
    owners = device.owners.tree(table.family)
    for first, last, owner in spans_of(
        sweep(owners, prefix.network, prefix.last, lambda at: at + 1), prefix.last
    ):
        if owner != MISS:
            continue
        inner = sweep(table.tree, first, last, lambda at: at + 1)
        for start, end, at in spans_of(inner, last):
            if at == table.tree.first_of(row) + 1:
                yield start, end


def ignored_gateway(world: World) -> Iterator[Finding]:
    """Routes into a device by a gateway."""
    for table in _asked_tables(world):
        for link, rows in world.rows_into(table).items():
            device = world.snapshot.devices[link]
            groups: dict[int, list[int]] = {}
            for row in rows:
                groups.setdefault(table.tree.values[row], []).append(row)
            for number, same in groups.items():
                yield from _gateway(device, table, table.infos[number], same)


def _gateway(
    device: Device, table: RouteTable, info: RouteInfo, rows: list[int]
) -> Iterator[Finding]:
    gateway = next(
        (leg.gateway for leg in info.next_hops if leg.link == device.link and leg.gateway), None
    )
    if gateway is None:
        return
    found = device.owners.owner(family_of(gateway), int(gateway))
    wanted = None if found is None else found[0]
    owners = device.owners
    first, severity = rows[0], Severity.INFO
    for row in rows[:_LOOKED_AT]:
        owner = owners.owner(table.family, table.tree.networks[row])
        if owner is None or owner[0] != wanted:
            first, severity = row, Severity.WARNING
            break
    prefix = table.tree.prefix(first)
    owner = owners.owner(table.family, prefix.network)
    facts = Gateway(
        table[first],
        gateway,
        len(rows),
        None if wanted is None else who(device.peers[wanted]),
        None if owner is None else who(device.peers[owner[0]]),
    )
    peer = facts.owner
    yield Finding(Code.IGNORED_GATEWAY, severity, facts, device.name, peer, prefix)


def duplicate_route(world: World) -> Iterator[Finding]:
    """One prefix twice in a table, to different places."""
    for (family, number), table in world.snapshot.routes.items():
        if number == LOCAL_TABLE:
            continue
        for row in _repeated(table):
            prefix = table.tree.prefix(row)
            if not any(nobodys.contains(prefix) for nobodys in NOBODYS):
                yield from _duplicate(world, family, number, table, row)


def _repeated(table: RouteTable) -> Iterator[int]:
    """The first rows of prefixes that have several."""
    networks, lengths = table.tree.networks, table.tree.lengths
    before = -1
    for row in range(1, len(lengths)):
        if networks[row] == networks[row - 1] and lengths[row] == lengths[row - 1]:
            first = table.tree.first_of(row)
            if first != before:
                before = first
                yield first


def _duplicate(
    world: World, family: Family, number: TableId, table: RouteTable, row: int
) -> Iterator[Finding]:
    routes = [table[one] for one in table.tree.same(row)]
    winner = routes[0]
    found = asked(world, world.ways.query(family), winner.destination.network)
    if found.route is not None and found.route.table == number:
        winner = next((one for one in routes if one.row == found.route.row), winner)
    equals = [one for one in routes if one is not winner and _for_the_same(winner, one)]
    rivals = [one for one in equals if _goes_elsewhere(winner, one)] or equals
    devices = world.snapshot.devices
    involved = [
        link for one in (winner, *rivals) for link in sorted(_links(one)) if link in devices
    ]
    if not rivals:
        return
    loser = next((one for one in rivals if _links(one) & devices.keys()), rivals[0])
    harms = bool(involved) and _goes_elsewhere(winner, loser)
    if not (harms or _worth_telling(winner, loser)):
        return
    severity = Severity.WARNING if harms else Severity.INFO
    name = devices[involved[0]].name if involved else None
    facts = Duplicate(number, winner, loser)
    yield Finding(Code.DUPLICATE_ROUTE, severity, facts, name, None, winner.destination)


def _links(route: Route) -> set[LinkIndex]:
    return {leg.link for leg in route.info.next_hops if leg.link is not None}


def _for_the_same(winner: Route, other: Route) -> bool:
    """For the same packets: not the parts of one multipath route (S-B66), nor routes for another
    tos or source, nor what refuses packets once the winner is gone: a kill switch."""
    one, two = winner.info, other.info
    if (one.tos, one.source) != (two.tos, two.source) or RouteType.THROW in (one.type, two.type):
        return False
    if two.type in ERROR_TYPES and one.metric < two.metric:
        return False
    return (
        _goes_elsewhere(winner, other)
        or winner.destination.family == 4
        or (one.metric != two.metric)
    )


def _goes_elsewhere(winner: Route, other: Route) -> bool:
    """To another link, or to none; to the same by another gateway or metric is a second choice."""
    return _links(winner) != _links(other) or winner.info.type is not other.info.type


def _worth_telling(winner: Route, loser: Route) -> bool:
    """Without WireGuard: several uplinks, and several links in one network, are how hosts are."""
    by_hand = {winner.info.protocol, loser.info.protocol} - {"kernel", "ra", "dhcp"}
    return winner.destination.length > 0 and bool(by_hand)
