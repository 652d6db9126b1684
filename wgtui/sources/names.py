"""What number does a name mean, in what iproute2 prints without ``-N``?

The tables under /etc/iproute2 of the host are not part of the facts, so a name that only they know
gets a *stand-in*: a number that no kernel has. The same name is always the same stand-in, so rules
and routes named alike still meet; ``may_be_the_same`` says where a name may hide behind a number.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from zlib import crc32

from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    NamedTable,
    RouteType,
    Scope,
    TableId,
)

TABLES: Final = {
    "unspec": TableId(0),
    "default": DEFAULT_TABLE,
    "main": MAIN_TABLE,
    "local": LOCAL_TABLE,
}

PROTOCOLS: Final = {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    17: "mrouted",
    18: "keepalived",
    42: "babel",
    84: "ovn",
    99: "openr",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}
"""rtnetlink.h RTPROT_*: who installed a route or rule."""

ROUTE_TYPES: Final = {
    1: RouteType.UNICAST,
    2: RouteType.LOCAL,
    3: RouteType.BROADCAST,
    4: RouteType.ANYCAST,
    5: RouteType.MULTICAST,
    6: RouteType.BLACKHOLE,
    7: RouteType.UNREACHABLE,
    8: RouteType.PROHIBIT,
    9: RouteType.THROW,
    10: RouteType.NAT,
    11: RouteType.XRESOLVE,
}
"""rtnetlink.h RTN_*; rule actions 6, 7 and 8 are numbered alike."""

SCOPES: Final = {
    "global": Scope.UNIVERSE,
    "universe": Scope.UNIVERSE,
    "site": Scope.SITE,
    "link": Scope.LINK,
    "host": Scope.HOST,
    "nowhere": Scope.NOWHERE,
}

TRANSPORTS: Final = {
    "ip": 0,
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmpv6": 58,
    "ospf": 89,
    "pim": 103,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": 132,
    "udplite": 136,
}
"""/etc/protocols, as far as anybody routes by it."""

DSFIELDS: Final = {
    "default": 0,
    "lowdelay": 0x10,
    "throughput": 0x08,
    "reliability": 0x04,
    "le": 0x04,
    "voice-admit": 0xB0,
    "ef": 0xB8,
    **{f"cs{group}": group << 5 for group in range(8)},
    **{f"af{x}{y}": (x << 5) + (y << 3) for x in range(1, 5) for y in range(1, 4)},
}
"""rt_dsfield: the whole byte, so a DSCP is this shifted right by two."""

_FIRST_STAND_IN: Final = 1 << 32


def to_number(text: str) -> int | None:
    """A decimal or 0x number; None: it is a name."""
    if not text.isascii() or len(text) > 40:
        return None
    if text.isdigit():
        return int(text)
    digits = text[2:]
    if text[:2].lower() == "0x" and digits and all(c in "0123456789abcdefABCDEF" for c in digits):
        return int(digits, 16)
    return None


def stand_in(name: str) -> int:
    """The number for a name that only the host's own /etc/iproute2 knows."""
    return _FIRST_STAND_IN + crc32(name.encode("utf-8", "surrogateescape"))


def table_id(text: str) -> TableId:
    """``254``, ``main``, or the stand-in of a name."""
    number = to_number(text)
    if number is not None:
        return TableId(number)
    known = TABLES.get(text)
    return known if known is not None else TableId(NamedTable.of(stand_in(text), text))


def group_number(text: str) -> int:
    """A link's group: ``default`` is 0."""
    number = to_number(text)
    return number if number is not None else 0 if text == "default" else stand_in(text)


def protocol_name(text: str) -> str:
    """``kernel`` for ``2`` as for ``kernel``; numbers nobody named stay numbers."""
    number = to_number(text)
    return PROTOCOLS.get(number, str(number)) if number is not None else text


def transport_number(text: str) -> int | None:
    """``6`` for ``tcp``, ``6`` and ``ipproto-6``; None for names not known here."""
    text = text.removeprefix("ipproto-")
    number = to_number(text)
    return number if number is not None else TRANSPORTS.get(text.lower())


def dsfield(text: str) -> int | None:
    """The byte of a tos or dsfield, by number or name; None for names not known here."""
    number = to_number(text)
    return number if number is not None else DSFIELDS.get(text.lower())


def scope_number(text: str) -> int | None:
    """253 for ``link``; None for names not known here."""
    number = to_number(text)
    return number if number is not None else SCOPES.get(text)


def route_type(text: str) -> RouteType:
    """By number or name; ``UNKNOWN`` is for the engine to say, not for us to hide."""
    number = to_number(text)
    if number is not None:
        return ROUTE_TYPES.get(number, RouteType.UNKNOWN)
    try:
        return RouteType(text)
    except ValueError:
        return RouteType.UNKNOWN


def may_be_the_same(number: int, present: Collection[int], well_known: Collection[int]) -> bool:
    """Could ``number``, missing among ``present``, be there all the same, spelled the other way?

    Rules printed with ``-N`` and routes printed without it name one table differently.
    """
    if number in present or number in well_known:
        return False
    by_name = number >= _FIRST_STAND_IN
    return any(
        (other >= _FIRST_STAND_IN) is not by_name for other in present if other not in well_known
    )
