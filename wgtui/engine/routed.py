"""Of the addresses that one AllowedIPs entry decides, which does routing send to its device?

Asked of a packet made here, without source or mark. Between two neighbouring boundaries of routes,
of rules' destinations and of more specific entries every address has the same answer, so one
lookup each is enough. Addresses that other entries of the device decide, this host's own, and those
that are no unicast addresses do not count.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from wgtui.engine.query import UDP, Query
from wgtui.engine.regions import Regions, cut, edges_in, listed
from wgtui.engine.rules import Found, walk
from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex, RouteType
from wgtui.model.prefix import Family, Prefix
from wgtui.model.prefix_index import NONE, PrefixIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome
from wgtui.model.wireguard import Device

MOST: Final = 4096
"""Pieces of one entry that are looked up; a fifth of a second."""

_HOSTS_OWN: Final = (RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.MULTICAST)

_NO_UNICAST: Final = tuple(
    Prefix.parse(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8")
)
"""Nobody is meant to route these to a peer; 224/3 is multicast and what is reserved."""


class Extent(Enum):
    """How much of it; the value is a stable code."""

    ALL = "all"
    SOME = "some"
    DEFAULT = "default"
    """Of an entry of length 0 or 1: all but what more specific routes lead elsewhere, as a full
    tunnel beside a local network wants it."""
    NOTHING = "nothing"
    SHADOWED = "shadowed"
    """The entry decides no address at all: others are more specific everywhere."""
    UNKNOWN = "unknown"
    """It cannot be seen, or there are too many routes inside."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A piece that is not sent to the device."""

    first: int
    last: int
    link: LinkIndex | None
    """The link it is sent to; None: it is sent nowhere."""
    outcome: Outcome | None = None
    """Why it is sent nowhere; None: it is sent."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What routing does with the addresses of one entry."""

    extent: Extent
    elsewhere: tuple[Elsewhere, ...] = ()
    """The first few pieces that go elsewhere, neighbours of one fate joined."""


SHOWN: Final = 8
"""Pieces that are told."""


def routed(snapshot: Snapshot, device: Device, prefix: Prefix) -> Routed:
    """What routing does with those addresses of ``prefix`` that this entry of the device
    decides."""
    entry = device.owners.tree(prefix.family)
    row = entry.find(prefix)
    here = mixed = unknown = False
    default = False
    pieces: list[Elsewhere] = []
    regions = _regions(snapshot, entry, prefix)
    for _, (first, last) in regions.sweep():
        if _others(entry, row, prefix.length, entry.match(first)):
            continue
        fate = _fate(snapshot, device, prefix.family, first)
        if fate is None:
            continue
        if fate.outcome is Outcome.UNKNOWN:
            unknown = True
            break
        if fate.link == device.link and fate.outcome is None:
            here = True
            mixed = mixed or fate.mixed
            default = default or fate.length <= 1
        elif pieces and (pieces[-1].last + 1, pieces[-1].link, pieces[-1].outcome) == (
            first,
            fate.link,
            fate.outcome,
        ):
            pieces[-1] = Elsewhere(pieces[-1].first, last, fate.link, fate.outcome)
        else:
            pieces.append(Elsewhere(first, last, fate.link, fate.outcome))
        if here and len(pieces) > SHOWN:
            break
    told = tuple(pieces[:SHOWN])
    if unknown or not (regions.whole or (here and pieces)):
        return Routed(Extent.UNKNOWN, told)
    if not here:
        return Routed(Extent.NOTHING if pieces else Extent.SHADOWED, told)
    if not pieces and not mixed:
        return Routed(Extent.ALL)
    return Routed(Extent.DEFAULT if prefix.length <= 1 and default else Extent.SOME, told)


def _others(entry: PrefixIndex, row: int, length: int, match: int) -> bool:
    """Does a more specific entry decide it? ``row`` is ``NONE`` for a prefix nobody has."""
    return match not in (row, NONE) and (row != NONE or entry.lengths[match] > length)


@dataclass(frozen=True, slots=True)
class _Fate:
    """Where one address goes."""

    link: LinkIndex | None
    outcome: Outcome | None = None
    mixed: bool = False
    """Several next hops can win, and they leave by several links."""
    length: int = 0
    """Of the route that won."""


def _fate(snapshot: Snapshot, device: Device, family: Family, address: int) -> _Fate | None:
    """None: it is no address that anybody would send to a peer."""
    if any(special.family == family and special.covers(address) for special in _NO_UNICAST):
        return None
    protocol = UDP if family == 4 else 0
    found: Found = walk(snapshot, Query(family, address, uid=snapshot.uid, protocol=protocol))
    if found.error is not None or found.route is None:
        return _Fate(None, found.error or Outcome.NO_ROUTE)
    if found.route.info.type in _HOSTS_OWN:
        return None
    links = [leg.link for leg in found.legs]
    if not links:
        return _Fate(None, Outcome.UNKNOWN)
    link = device.link if device.link in links else links[0]
    return _Fate(link, None, len(set(links)) > 1, found.route.destination.length)


def _regions(snapshot: Snapshot, entries: PrefixIndex, prefix: Prefix) -> Regions:
    """The prefix, cut wherever the answer may change."""
    trees = [
        table.tree for (family, _), table in snapshot.routes.items() if family == prefix.family
    ]
    asked = (rule.selector.destination for rule in snapshot.rules.get(prefix.family, ()))
    single = (*(one for one in asked if one is not None), *_NO_UNICAST)
    edges = [*(edges_in(tree, prefix) for tree in (*trees, entries)), listed(single, prefix)]
    return cut(prefix, edges, MOST)
