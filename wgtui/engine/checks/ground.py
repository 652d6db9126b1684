"""Which of a peer's addresses does the system send elsewhere than into its device?

A lookup, not a comparison of texts: any route that covers an AllowedIPs entry and leads into the
device will do (S-F2). The *ground* of an entry is what is left of it beside more specific ones.
Away are its addresses that are routed to another link, refused, or have no route. Not away:

- own addresses, broadcast, multicast and link-local ones, and those of endpoints;
- what other packets than those made here are led to the device by, with a table of their own;
- longer routes for networks that this host is attached to, and inside a default everything longer,
  which is how a tunnel for "the rest" is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from netaddr import IPAddress

from wgtui.engine.checks.partition import (
    LOCAL,
    MISS,
    MIXED,
    REFUSED,
    UNKNOWN,
    Routing,
    Span,
    spans_of,
    sweep,
    way_of,
)
from wgtui.engine.checks.world import Ground, World
from wgtui.engine.query import Query
from wgtui.engine.rules import Found, walk
from wgtui.model.finding_facts import Away, Elsewhere
from wgtui.model.network import LOCAL_TABLE, MAIN_TABLE, TableId
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.prefix_index import NONE
from wgtui.model.trace import RuleStep
from wgtui.model.wireguard import Device, Peer

DEFAULT_LIKE: Final = 1
"""Entries up to this length are for "the rest": 0.0.0.0/0, or its two halves."""

MOST_PARTS: Final = 16
"""So many prefixes of one finding are told."""

_SMALL: Final = 300_000
"""Routes that are swept as a whole; of more, only those near an entry."""

NOBODYS: Final = tuple(
    Prefix.parse(text) for text in ("224.0.0.0/4", "169.254.0.0/16", "ff00::/8", "fe80::/10")
)
"""Addresses that no table is asked for alone: groups, and what a link has for itself."""

_SAMPLES: Final[dict[Family, tuple[int, ...]]] = {
    4: tuple(int(IPAddress(a)) for a in ("1.0.0.1", "45.11.0.1", "100.0.0.1", "151.9.0.1")),
    6: tuple(int(IPAddress(a)) for a in ("2001:500::1", "2400::1", "2607:f8b0::1", "2a02::1")),
}
"""Addresses that, on most hosts, nothing but a default route is for."""


def away(world: World, device: Device, routing: Routing) -> tuple[Ground, ...]:
    """Every entry (but those for "the rest") of which something is away."""
    key = device.link, routing
    if key not in world.away:
        world.away[key] = tuple(_away(world, device, routing))
    return world.away[key]


def _away(world: World, device: Device, routing: Routing) -> Iterator[Ground]:
    tree = device.owners.tree(routing.family)
    blocks = _blocks(device, routing)
    ours: dict[int, list[Span]] = {}
    good: set[int] = set()
    for first, last in blocks:
        owners = spans_of(sweep(tree, first, last, lambda row: row + 1), last)
        for row, part in _meet(owners, routing.spans(first, last)):
            code = way_of(part[2]).code
            if code in (UNKNOWN, MIXED):
                continue
            links = routing.links(part[2])
            if device.link in links:
                good.add(row)
            else:
                ours.setdefault(row, []).append(part)
    others = world.ways.others(routing.family) if ours else []
    for row, parts in ours.items():
        entry = tree.prefix(row)
        left = tuple(_really(world, device, routing, others, entry, parts, row in good))
        if left and not any(nobodys.contains(entry) for nobodys in NOBODYS):
            yield Ground(device.peers[tree.values[row]], entry, left, row not in good)


def _blocks(device: Device, routing: Routing) -> list[tuple[int, int]]:
    """The ranges to sweep: all entries but those for "the rest", merged."""
    tree = device.owners.tree(routing.family)
    merged: list[tuple[int, int]] = []
    bits = BITS[routing.family]
    start = end = -2
    for network, length in zip(tree.networks, tree.lengths, strict=True):
        if length <= DEFAULT_LIKE:
            continue
        last = network + (1 << bits - length) - 1
        if network <= end + 1:
            end = max(end, last)
            continue
        if end >= 0:
            merged.append((start, end))
        start, end = network, last
    if end >= 0:
        merged.append((start, end))
    if merged and routing.rows <= _SMALL:
        return [(merged[0][0], merged[-1][1])]
    return merged


def _meet(owners: Iterator[Span], ways: Iterator[Span]) -> Iterator[tuple[int, Span]]:
    """Where owned spans and ways overlap: the owner's row, and the part."""
    way = next(ways, None)
    for first, last, owner in owners:
        while way is not None and way[1] < first:
            way = next(ways, None)
        while way is not None and way[0] <= last:
            if owner:
                yield owner - 1, (max(first, way[0]), min(last, way[1]), way[2])
            if way[1] > last:
                break
            way = next(ways, None)


def _really(
    world: World,
    device: Device,
    routing: Routing,
    others: list[Routing],
    entry: Prefix,
    parts: list[Span],
    good: bool,
) -> Iterator[Span]:
    """The parts that nothing excuses."""
    whole_local = not good and all(way_of(part[2]).code == LOCAL for part in parts)
    for first, last, value in parts:
        way = way_of(value)
        if way.code == LOCAL and not whole_local:
            continue
        if _endpoints(world, routing.family, first, last):
            continue
        longer = way.code not in (LOCAL, MISS) and way.length > entry.length
        if longer and _attached(world, routing, (first, last, value)):
            continue
        if any(leads(device, other, first, last) for other in others):
            continue
        yield first, last, value


def _endpoints(world: World, family: Family, first: int, last: int) -> bool:
    """Only addresses of endpoints: their own routes keep them out of the tunnel."""
    return last - first < 4 and all(
        (family, address) in world.endpoints for address in range(first, last + 1)
    )


def _attached(world: World, routing: Routing, part: Span) -> bool:
    """A network that this host is attached to?"""
    family = routing.family
    for index in routing.links(part[2]):
        link = world.snapshot.links.get(index)
        if link is not None and any(
            own.prefix.family == family
            and own.prefix.network <= part[0]
            and part[1] <= own.prefix.last
            for own in link.addresses
        ):
            return True
    return False


def leads(device: Device, other: Routing, first: int, last: int) -> bool:
    """Does another table lead all of the range into the device?"""
    return all(other.links(span[2]) == {device.link} for span in other.spans(first, last))


# ----------------------------------------------------------------------------- the default, and why


def default_away(device: Device, routing: Routing) -> int | None:
    """Where what only a default route is for goes, if not into the device; None: into it, or
    nobody knows. An address."""
    for address in _SAMPLES[routing.family]:
        value = routing.at(address)
        way = way_of(value)
        if way.code in (UNKNOWN, MIXED) or device.link in routing.links(value):
            return None
        if way.length <= DEFAULT_LIKE:
            return address
    return None


def default_entry(world: World, device: Device, family: Family) -> tuple[Peer, Prefix] | None:
    """Who owns "the rest" on a device, and by which entry; nobody where the device has no address
    of the family: it is not for it then."""
    link = world.snapshot.links.get(device.link)
    if link is None or not any(own.prefix.family == family for own in link.addresses):
        return None
    tree = device.owners.tree(family)
    row = tree.match(_SAMPLES[family][0])
    while row != NONE and tree.lengths[row] > DEFAULT_LIKE:
        row = tree.parent(row)
    return None if row == NONE else (device.peers[tree.values[row]], tree.prefix(row))


def routed_on_purpose(world: World, device: Device, family: Family) -> bool:
    """Does any route that is not just the device's own network lead into it?"""
    link = world.snapshot.links.get(device.link)
    own = {address.prefix for address in link.addresses} if link is not None else set()
    for (found, _), table in world.snapshot.routes.items():
        for row in world.rows_into(table).get(device.link, ()) if found == family else ():
            prefix = table.tree.prefix(row)
            if prefix not in own and not any(nobodys.contains(prefix) for nobodys in NOBODYS):
                return True
    return False


def elsewhere(world: World, routing: Routing, ground: Ground) -> Elsewhere:
    """What is to be said of a ground that is away."""
    key = routing, ground.entry, ground.away
    if key not in world.elsewhere:
        world.elsewhere[key] = _elsewhere(world, routing, ground)
    return world.elsewhere[key]


def _elsewhere(world: World, routing: Routing, ground: Ground) -> Elsewhere:
    first = ground.away[0]
    found = asked(world, routing.query, first[0])
    parts: list[Prefix] = []
    for start, end, _ in ground.away:
        parts += prefixes_of(routing.family, start, end)
        if len(parts) > MOST_PARTS:
            break
    longer = all(way_of(value).length > ground.entry.length for _, _, value in ground.away)
    return Elsewhere(
        tuple(parts[:MOST_PARTS]),
        ground.whole,
        kind_of(first[2]),
        min(routing.links(first[2]), default=None),
        found.route,
        longer and not ground.whole,
        table_for(found.steps),
    )


def table_for(steps: Iterable[RuleStep]) -> TableId | None:
    """The table where a new route for the address would be found: main, if it was asked before
    the walk ended, else the one that decided."""
    asked_tables = [
        step.found.table
        for step in steps
        if step.found is not None and step.found.table != LOCAL_TABLE
    ]
    if MAIN_TABLE in asked_tables:
        return MAIN_TABLE
    return next(iter(asked_tables), None)


def kind_of(value: int) -> Away:
    """What a way that does not lead into the device does with packets."""
    code = way_of(value).code
    if code == LOCAL:
        return Away.LOCAL
    if code == REFUSED:
        return Away.REFUSED
    return Away.NO_ROUTE if code == MISS else Away.OTHER_LINK


def asked(world: World, query: Query, address: int) -> Found:
    """The whole walk, for one address."""
    return walk(world.snapshot, query._replace(destination=address))


def prefixes_of(family: Family, first: int, last: int) -> Iterator[Prefix]:
    """A range as the fewest prefixes."""
    bits = BITS[family]
    while first <= last:
        size = (first & -first).bit_length() - 1 if first else bits
        size = min(size, (last - first + 1).bit_length() - 1)
        yield Prefix(family, first, bits - size)
        first += 1 << size
