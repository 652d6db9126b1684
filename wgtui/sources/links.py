"""What links does a host have, and how is each configured? RTM_NEWLINK messages → Link.

A few structs, because this is read again every two seconds for the counters: pyroute2's ifinfmsg
takes 0.5 ms a link. The kernel also tells most sysctls of every link here (IFLA_AF_SPEC, S-G2),
which saves a dozen files per link.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from wgtui.errors import FormatError
from wgtui.model.network import Counters, Link, LinkIndex, TableId
from wgtui.sources.nlsocket import HEADER, Buffer, attributes, text
from wgtui.sources.route_message import AF_INET, AF_INET6, Values, u32, values_of

RTM_GETLINK: Final = 18
REQUEST: Final = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
"""An empty ifinfomsg: all links."""

_BODY: Final = struct.Struct("=BxHiII")
"""ifinfomsg: family, type, link, flags, changed."""
IFNAME, MTU, MASTER, OPERSTATE, LINKINFO, ALIAS, STATS64, AF_SPEC = 3, 4, 10, 16, 18, 20, 23, 26
GROUP, NETNSID, XDP = 27, 37, 43
_INFO_KIND, _INFO_DATA, _VRF_TABLE, _XDP_ATTACHED = 1, 2, 1, 2
_UP, _LOOPBACK, _POINT_TO_POINT, _NOARP, _MULTICAST, _LOWER_UP = 1, 8, 0x10, 0x80, 0x1000, 0x10000
_STATES: Final = (
    "unknown",
    "notpresent",
    "down",
    "lowerlayerdown",
    "testing",
    "dormant",
    "up",
)
"""RFC 2863, by number."""
_STATS: Final = struct.Struct("=14Q")
"""rtnl_link_stats64 as far as rx_frame_errors."""

_INET_CONF: Final = {
    "forwarding": 1,
    "send_redirects": 6,
    "rp_filter": 8,
    "accept_local": 23,
    "src_valid_mark": 24,
    "route_localnet": 26,
    "ignore_routes_with_linkdown": 29,
}
"""IPV4_DEVCONF_…, counted from 1."""
_INET6_CONF: Final = {
    "forwarding": 0,
    "use_tempaddr": 10,
    "disable_ipv6": 26,
    "ignore_routes_with_linkdown": 39,
}
"""DEVCONF_…, counted from 0."""


class LinkMessage(NamedTuple):
    """A link and its own sysctls (``net/ipv4/conf/NAME/…``)."""

    link: Link
    sysctls: dict[str, int]


def parse_link(message: Buffer) -> LinkMessage:
    """Understand one RTM_NEWLINK message (with its header). Raises ``FormatError``."""
    try:
        _, _, index, flags, _ = _BODY.unpack_from(message, HEADER.size)
        values = values_of(message, HEADER.size + _BODY.size, len(message))
        info = _nest(values, LINKINFO)
        kind = text(info[_INFO_KIND]) if _INFO_KIND in info else None
        state = values[OPERSTATE][0] if OPERSTATE in values else 0
        xdp = _nest(values, XDP)
        link = Link(
            index=LinkIndex(index),
            name=text(values[IFNAME]) if IFNAME in values else f"if{index}",
            kind=kind,
            up=bool(flags & _UP),
            carrier=bool(flags & _LOWER_UP),
            state=_STATES[state] if state < len(_STATES) else str(state),
            mtu=u32(values, MTU),
            master=LinkIndex(u32(values, MASTER)) if MASTER in values else None,
            group=u32(values, GROUP),
            loopback=bool(flags & _LOOPBACK),
            point_to_point=bool(flags & _POINT_TO_POINT),
            multicast=bool(flags & _MULTICAST),
            noarp=bool(flags & _NOARP),
            alias=text(values[ALIAS]) if ALIAS in values else "",
            vrf_table=_vrf_table(info) if kind == "vrf" else None,
            peer_namespace=u32(values, NETNSID) if NETNSID in values else None,
            xdp=bool(xdp.get(_XDP_ATTACHED, b"\0")[0]),
            counters=_counters(values),
        )
    except (struct.error, IndexError) as error:
        raise FormatError("netlink", f"a link message that is too short ({error})") from error
    return LinkMessage(link, _sysctls(link.name, values))


def _nest(values: Values, name: int) -> Values:
    return values_of(values[name], 0, len(values[name])) if name in values else {}


def _vrf_table(info: Values) -> TableId | None:
    data = _nest(info, _INFO_DATA)
    return TableId(u32(data, _VRF_TABLE)) if _VRF_TABLE in data else None


def _counters(values: Values) -> Counters | None:
    if STATS64 not in values:
        return None
    stats = _STATS.unpack_from(values[STATS64])
    return Counters(
        rx_packets=stats[0],
        tx_packets=stats[1],
        rx_bytes=stats[2],
        tx_bytes=stats[3],
        rx_errors=stats[4],
        tx_errors=stats[5],
        rx_dropped=stats[6],
        tx_dropped=stats[7],
        rx_frame_errors=stats[13],
    )


def _sysctls(name: str, values: Values) -> dict[str, int]:
    found: dict[str, int] = {}
    families = _nest(values, AF_SPEC)
    for number, family, conf_at, wanted, base in (
        (AF_INET, 4, 1, _INET_CONF, 1),
        (AF_INET6, 6, 2, _INET6_CONF, 0),
    ):
        for kind, first, last in attributes(
            families.get(number, b""), 0, len(families.get(number, b""))
        ):
            if kind != conf_at:
                continue
            numbers = struct.unpack(f"={(last - first) // 4}i", families[number][first:last])
            for key, at in wanted.items():
                if at - base < len(numbers):
                    found[f"net/ipv{family}/conf/{name}/{key}"] = numbers[at - base]
    return found
