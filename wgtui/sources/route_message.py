"""What does one route message say? Shared by dumps, next-hop objects and answers to a question.

Everything here is about one message and may be slow: ``route_dump`` sees to it that it is rarely
asked. An attribute that is not understood, and that a lookup may depend on, is named in
``RouteInfo.unknown``.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.fact import dataclass
from wgtui.model.network import (
    LinkIndex,
    NextHop,
    NextHopObject,
    Preference,
    RouteInfo,
    RouteType,
    TableId,
)
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.sources.names import PROTOCOLS, ROUTE_TYPES
from wgtui.sources.nlsocket import HEADER, S32, U32, Buffer, attributes

RTM_NEWROUTE: Final = 24
AF_INET, AF_INET6 = 2, 10
BODY: Final = struct.Struct("=BBBBBBBBI")
"""rtmsg, see ``_Body``."""

RTA_DST, RTA_SRC, RTA_IIF, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC = 1, 2, 3, 4, 5, 6, 7
RTA_METRICS, RTA_MULTIPATH, RTA_CACHEINFO, RTA_TABLE, RTA_VIA, RTA_PREF = 8, 9, 12, 15, 18, 20
RTA_ENCAP_TYPE, RTA_NH_ID = 21, 30
RTA_HARMLESS: Final = frozenset({11, 13, 14, 16, 17, 22, 23, 24, 26})
"""FLOW (S-A25: no selector), SESSION and MP_ALGO (unused), MARK, MFC_STATS, ENCAP (its type is
enough), EXPIRES (multicast), PAD, TTL_PROPAGATE (MPLS)."""
RTAX_MTU: Final = 2
CLONED: Final = 0x200
"""RTM_F_CLONED: an exception or an answer, no entry of a table."""
DEAD, ONLINK, LINKDOWN = 0x01, 0x04, 0x10
"""RTNH_F_…, in rtm_flags and rtnh_flags alike."""
CLOCK: Final = 100
"""USER_HZ: how the kernel counts time towards user space, on every architecture wgtui meets."""

Values: TypeAlias = Mapping[int, Buffer]
"""The attributes of one message (or nest) by their numbers."""

_RTNH: Final = struct.Struct("=HBBi")
"""rtnexthop: length, flags, hops (weight − 1), link."""

_ENCAPS: Final = {
    1: "mpls",
    2: "ip",
    3: "ila",
    4: "ip6",
    5: "seg6",
    6: "bpf",
    7: "seg6local",
    8: "rpl",
    9: "ioam6",
    10: "xfrm",
}

_UNDERSTOOD: Final = RTA_HARMLESS | {
    RTA_DST,
    RTA_SRC,
    RTA_OIF,
    RTA_GATEWAY,
    RTA_PRIORITY,
    RTA_PREFSRC,
    RTA_METRICS,
    RTA_MULTIPATH,
    RTA_CACHEINFO,
    RTA_TABLE,
    RTA_VIA,
    RTA_PREF,
    RTA_ENCAP_TYPE,
    RTA_NH_ID,
}

_PREFERENCES: Final = {0: Preference.MEDIUM, 1: Preference.HIGH, 3: Preference.LOW}
"""ICMPV6_ROUTER_PREF_…; 2 is invalid."""


class _Body(NamedTuple):
    family: int
    dst_len: int
    src_len: int
    tos: int
    table: int
    protocol: int
    scope: int
    type: int
    flags: int


@dataclass(frozen=True, slots=True)
class RouteMessage:
    """One message, understood."""

    table: TableId
    destination: Prefix
    info: RouteInfo

    @property
    def link(self) -> LinkIndex | None:
        """The link of its first next hop."""
        return self.info.next_hops[0].link if self.info.next_hops else None


def protocol_name(number: int) -> str:
    """``static``, or the number as text."""
    return PROTOCOLS.get(number, str(number))


def encap_name(number: int) -> str | None:
    """``mpls`` …; None for none."""
    return _ENCAPS.get(number, f"encap {number}") if number else None


def address(value: Buffer) -> IPAddress:
    """An address of 4 or 16 bytes."""
    if len(value) not in (4, 16):
        raise FormatError("netlink", f"an address of {len(value)} bytes")
    return IPAddress(int.from_bytes(value, "big"), 4 if len(value) == 4 else 6)


def next_hop(values: Values, flags: int, link: int, weight: int = 1) -> NextHop:
    """A way out, from attributes numbered like a route's."""
    gateway = None
    if RTA_GATEWAY in values:
        gateway = address(values[RTA_GATEWAY])
    elif RTA_VIA in values:
        gateway = address(values[RTA_VIA][2:])  # rtvia: the family comes first
    encap = int.from_bytes(values.get(RTA_ENCAP_TYPE, b""), sys.byteorder)
    return NextHop(
        link=LinkIndex(link) if link else None,
        gateway=gateway,
        weight=weight,
        dead=bool(flags & DEAD),
        linkdown=bool(flags & LINKDOWN),
        onlink=bool(flags & ONLINK),
        encap=encap_name(encap),
    )


def values_of(data: Buffer, offset: int, end: int) -> Values:
    """All attributes; of equal ones the last, as in the kernel."""
    return {name: data[first:last] for name, first, last in attributes(data, offset, end)}


def u32(values: Values, name: int, default: int = 0) -> int:
    """A number among the attributes."""
    return int(U32.unpack_from(values[name])[0]) if name in values else default


def decode(
    data: Buffer, start: int, end: int, objects: Mapping[int, NextHopObject] | None = None
) -> RouteMessage:
    """Understand the RTM_NEWROUTE message at ``start``. Raises ``FormatError``.

    ``objects`` are the next-hop objects that its RTA_NH_ID may name.
    """
    try:
        body = _Body(*BODY.unpack_from(data, start + HEADER.size))
        values = values_of(data, start + HEADER.size + BODY.size, end)
        return _understand(body, values, objects or {})
    except (struct.error, IndexError) as error:
        raise FormatError("netlink", f"a route message that is too short ({error})") from error


def _understand(body: _Body, values: Values, objects: Mapping[int, NextHopObject]) -> RouteMessage:
    if body.family not in (AF_INET, AF_INET6):
        raise FormatError("netlink", f"a route of address family {body.family}")
    family: Family = 4 if body.family == AF_INET else 6
    unknown = [f"attribute {name}" for name in sorted(values) if name not in _UNDERSTOOD]
    nexthop_id = u32(values, RTA_NH_ID) or None
    used = objects.get(nexthop_id) if nexthop_id else None
    next_hops = _next_hops(body, values)
    if nexthop_id and not next_hops:
        # Without net.ipv4.nexthop_compat_mode a route names its object and nothing else.
        next_hops = used.next_hops if used else ()
        if used is None:
            unknown.append(f"nexthop {nexthop_id}")
    if used is not None:
        unknown += used.unknown
    protocol = protocol_name(body.protocol)
    info = RouteInfo(
        type=ROUTE_TYPES.get(body.type, RouteType.UNKNOWN),
        scope=body.scope,
        protocol=protocol,
        metric=u32(values, RTA_PRIORITY),
        tos=body.tos,
        source=_prefix(family, values, RTA_SRC, body.src_len) if body.src_len else None,
        preferred_source=address(values[RTA_PREFSRC]) if RTA_PREFSRC in values else None,
        next_hops=next_hops,
        nexthop_id=nexthop_id,
        nexthop_blackhole=used is not None and used.blackhole,
        mtu=_mtu(values),
        preference=_preference(values),
        expires=_expires(values),
        cached=bool(body.flags & CLONED),
        router_advertised=family == 6 and protocol == "ra",
        unknown=tuple(unknown),
    )
    table = TableId(u32(values, RTA_TABLE, body.table))
    return RouteMessage(table, _prefix(family, values, RTA_DST, body.dst_len), info)


def _prefix(family: Family, values: Values, name: int, length: int) -> Prefix:
    value = values.get(name, bytes(BITS[family] // 8) if length == 0 else b"")
    if length > BITS[family] or len(value) * 8 != BITS[family]:
        raise FormatError(
            "netlink", f"an IPv{family} prefix of {length} bits in {len(value)} bytes"
        )
    return Prefix.of(family, int.from_bytes(value, "big"), length)


def _next_hops(body: _Body, values: Values) -> tuple[NextHop, ...]:
    if RTA_MULTIPATH not in values:
        if RTA_OIF not in values and RTA_GATEWAY not in values and RTA_VIA not in values:
            return ()
        return (next_hop(values, body.flags, u32(values, RTA_OIF)),)
    data = values[RTA_MULTIPATH]
    legs: list[NextHop] = []
    offset = 0
    while offset + _RTNH.size <= len(data):
        length, flags, hops, link = _RTNH.unpack_from(data, offset)
        if not _RTNH.size <= length <= len(data) - offset:
            raise FormatError("netlink", f"a next hop of {length} bytes")
        legs.append(
            next_hop(values_of(data, offset + _RTNH.size, offset + length), flags, link, hops + 1)
        )
        offset += (length + 3) & ~3
    return tuple(legs)


def _mtu(values: Values) -> int | None:
    if RTA_METRICS not in values:
        return None
    metrics = values_of(values[RTA_METRICS], 0, len(values[RTA_METRICS]))
    return u32(metrics, RTAX_MTU) or None


def _preference(values: Values) -> Preference:
    return (
        _PREFERENCES.get(values[RTA_PREF][0], Preference.MEDIUM)
        if RTA_PREF in values
        else Preference.MEDIUM
    )


def _expires(values: Values) -> int | None:
    if RTA_CACHEINFO not in values:
        return None
    ticks = int(S32.unpack_from(values[RTA_CACHEINFO], 8)[0])
    # The kernel says 0 for "never"; a little time left is not none.
    return max(0, -(-ticks // CLOCK)) if ticks else None
