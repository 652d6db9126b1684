"""What next-hop objects and neighbours does a host have? RTM_NEWNEXTHOP, RTM_NEWNEIGH → model.

pyroute2 does not know next-hop objects; a router has thousands of neighbours.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import LinkIndex, Neighbour, NextHop, NextHopObject
from wgtui.sources.nlsocket import HEADER, Buffer
from wgtui.sources.route_message import (
    RTA_ENCAP_TYPE,
    RTA_GATEWAY,
    Values,
    address,
    next_hop,
    u32,
    values_of,
)

RTM_GETNEIGH, RTM_GETNEXTHOP = 30, 106
NEXTHOP_REQUEST: Final = bytes(8)
NEIGHBOUR_REQUEST: Final = bytes(12)

_NHMSG: Final = struct.Struct("=BBBxI")
"""nhmsg: family, scope, protocol, flags."""
_ID, _GROUP, _BLACKHOLE, _OIF, _GATEWAY, _ENCAP_TYPE = 1, 2, 4, 5, 6, 7
_UNDERSTOOD: Final = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17})
"""All but FDB. GROUP_TYPE and RES_GROUP: a resilient group picks among the same members. ENCAP:
its type is enough. MASTER, RES_BUCKET, OP_FLAGS, GROUP_STATS, HW_STATS…: no matter for which leg
is possible."""
_MEMBER: Final = struct.Struct("=IBBxx")
"""nexthop_grp: object, weight − 1, its high byte (since 6.12)."""

_NDMSG: Final = struct.Struct("=B3xiHBB")
"""ndmsg: family, link, state, flags, type."""
_NDA_DST: Final = 1
_STATES: Final = {
    0x00: "none",
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x40: "noarp",
    0x80: "permanent",
}


def parse_nexthops(messages: Iterable[Buffer]) -> dict[int, NextHopObject]:
    """All objects by number; groups get the legs of their members. Raises ``FormatError``."""
    found: dict[int, NextHopObject] = {}
    groups: list[tuple[NextHopObject, list[tuple[int, int]]]] = []
    for message in messages:
        try:
            flags = _NHMSG.unpack_from(message, HEADER.size)[3]
            values = values_of(message, HEADER.size + _NHMSG.size, len(message))
            entry = _object(values, flags)
            members = [
                (number, 1 + low + (high << 8))
                for number, low, high in _MEMBER.iter_unpack(values.get(_GROUP, b""))
            ]
        except struct.error as error:
            raise FormatError(
                "netlink", f"a next-hop message that is too short ({error})"
            ) from error
        found[entry.id] = entry
        if entry.group:
            groups.append((entry, members))
    # A member is never a group itself (nh_check_attr_group), and may come after the group.
    for group, members in groups:
        found[group.id] = _with_members(group, members, found)
    return found


def _object(values: Values, flags: int) -> NextHopObject:
    legs: tuple[NextHop, ...] = ()
    if _OIF in values or _GATEWAY in values:
        like_a_route = {
            route: values[own]
            for route, own in ((RTA_GATEWAY, _GATEWAY), (RTA_ENCAP_TYPE, _ENCAP_TYPE))
            if own in values
        }
        legs = (next_hop(like_a_route, flags, u32(values, _OIF)),)
    return NextHopObject(
        id=u32(values, _ID),
        next_hops=legs,
        blackhole=_BLACKHOLE in values,
        group=_GROUP in values,
        unknown=tuple(
            f"nexthop attribute {name}" for name in sorted(values) if name not in _UNDERSTOOD
        ),
    )


def _with_members(
    group: NextHopObject, members: list[tuple[int, int]], known: dict[int, NextHopObject]
) -> NextHopObject:
    legs: list[NextHop] = []
    unknown = list(group.unknown)
    blackhole = False
    for number, weight in members:
        member = known.get(number)
        if member is None:
            unknown.append(f"nexthop {number}")
            continue
        blackhole |= member.blackhole
        legs += [replace(leg, weight=weight) for leg in member.next_hops]
    return replace(group, next_hops=tuple(legs), blackhole=blackhole, unknown=tuple(unknown))


def parse_neighbours(messages: Iterable[Buffer]) -> tuple[Neighbour, ...]:
    """All neighbours that have an address. Raises ``FormatError``."""
    found = []
    for message in messages:
        try:
            _, link, state, _, _ = _NDMSG.unpack_from(message, HEADER.size)
        except struct.error as error:
            raise FormatError(
                "netlink", f"a neighbour message that is too short ({error})"
            ) from error
        values = values_of(message, HEADER.size + _NDMSG.size, len(message))
        if _NDA_DST in values and len(values[_NDA_DST]) in (4, 16):  # bridges have other neighbours
            found.append(
                Neighbour(
                    LinkIndex(link), address(values[_NDA_DST]), _STATES.get(state, hex(state))
                )
            )
    return tuple(found)
