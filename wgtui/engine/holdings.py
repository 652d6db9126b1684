"""What does each peer of a device really own, and what of it does the system send there?

Two trees again: AllowedIPs say whose an address *would* be, rules and routes whether a packet to it
ever gets to the device. Owned is what is left of a peer's prefixes after every longer prefix of
another peer; routed is what of that the system routes into the device; ownerless is what it routes
there although nobody owns it (ENOKEY).
"""

from __future__ import annotations

from wgtui.engine.answer import Way
from wgtui.engine.regions import cut, edges_in
from wgtui.engine.territory import LIMIT, partition
from wgtui.model.address_set import AddressSet, Span
from wgtui.model.fact import dataclass
from wgtui.model.prefix import Family, Prefix
from wgtui.model.prefix_index import NONE
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, Peer


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Addresses that a peer owns and that the system sends another way."""

    way: Way
    peer: Peer | None
    """The peer they go to instead, when they go to one."""
    addresses: AddressSet


@dataclass(frozen=True, slots=True)
class Holding:
    """What one peer has of a family's addresses."""

    peer: Peer
    owned: AddressSet
    """After every longer prefix of another peer."""
    routed: AddressSet
    """What of it a packet made here gets to: the rest the system sends elsewhere."""
    elsewhere: tuple[Elsewhere, ...] = ()
    shadowed: tuple[Prefix, ...] = ()
    """Its entries of which nothing is left."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """The address space of a family as a device divides it."""

    device: Device
    family: Family
    holdings: tuple[Holding, ...]
    """Of every peer that has an entry of the family, in the device's order."""
    ownerless: AddressSet
    """Routed into the device, and owned by nobody: ENOKEY (S-E10)."""
    unowned: AddressSet
    """Covered by no AllowedIPs of the device."""
    until: int
    """Routes were looked at up to this address: the last one, unless there are too many."""
    whole: bool


def owned_by_row(device: Device, family: Family) -> dict[int, list[Span]]:
    """By row of the device's tree: the addresses whose longest prefix it is; ``NONE``: nobody's."""
    tree = device.owners.tree(family)
    everything = Prefix(family, 0, 0)
    regions = cut(everything, [edges_in(tree, everything)], len(tree) + 1)
    found: dict[int, list[Span]] = {}
    for _, span in regions.sweep():
        found.setdefault(tree.match(span[0]), []).append(span)
    return found


def holdings(snapshot: Snapshot, device: Device, family: Family, limit: int = LIMIT) -> Holdings:
    """Divide a family's whole address space."""
    tree = device.owners.tree(family)
    by_row = owned_by_row(device, family)
    spans: dict[int, list[Span]] = {}
    shadowed: dict[int, list[Prefix]] = {}
    for row in range(len(tree)):
        number = tree.values[row]
        spans.setdefault(number, []).extend(by_row.get(row, ()))
        if row not in by_row:
            shadowed.setdefault(number, []).append(tree.prefix(row))
    found = partition(snapshot, Prefix(family, 0, 0), limit=limit)
    routed: dict[str, list[Span]] = {}
    ownerless: list[Span] = []
    other_ways: dict[Way, list[Span]] = {}
    for part in found.parts:
        answer = part.answer
        if answer.device != device.name:
            other_ways.setdefault(answer.way, []).append(part.span)
        elif answer.holder is None:
            ownerless.append(part.span)
        else:
            routed.setdefault(answer.holder.public_key, []).append(part.span)
    ways = [(way, AddressSet.of(family, taken)) for way, taken in other_ways.items()]
    peers = {peer.public_key: peer for other in snapshot.devices.values() for peer in other.peers}
    entries = []
    for number in sorted(spans):
        peer = device.peers[number]
        owned = AddressSet.of(family, spans[number])
        mine = AddressSet.of(family, routed.get(peer.public_key, ())) & owned
        away = owned - mine
        elsewhere = tuple(
            Elsewhere(way, peers.get(way.public_key or ""), lost)
            for way, taken in (ways if away else ())
            if (lost := taken & away)
        )
        gone = tuple(shadowed.get(number, ()))
        entries.append(Holding(peer, owned, mine, elsewhere, gone))
    return Holdings(
        device=device,
        family=family,
        holdings=tuple(entries),
        ownerless=AddressSet.of(family, ownerless),
        unowned=AddressSet.of(family, by_row.get(NONE, ())),
        until=found.until,
        whole=found.whole,
    )
