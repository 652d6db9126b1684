"""What would a deliberately stupid program answer? The judges of everything clever.

They look at every prefix, every route and every AllowedIP, one after another; they know no tree, no
index and no bisection, and use netaddr's text-book algebra instead of shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from netaddr import IPAddress, IPNetwork

from wgtui.model.network import Route, RouteType
from wgtui.model.prefix import Family, Prefix
from wgtui.model.routes import RouteTable
from wgtui.model.wireguard import Peer


@cache
def network_of(prefix: Prefix) -> IPNetwork:
    """The prefix as netaddr knows it, by way of its text."""
    return IPNetwork(str(prefix))


def covers(prefix: Prefix, address: int) -> bool:
    """Is the address inside?"""
    return IPAddress(address, prefix.family) in network_of(prefix)


def covering(prefixes: Sequence[Prefix], address: int) -> list[Prefix]:
    """All prefixes that cover the address, longest first, each once."""
    found = {prefix for prefix in prefixes if covers(prefix, address)}
    return sorted(found, key=lambda prefix: -prefix.length)


def inside(prefixes: Sequence[Prefix], outer: Prefix) -> list[Prefix]:
    """All prefixes, as often as they are there, that lie in another one, in tree order."""
    return sorted(prefix for prefix in prefixes if network_of(prefix) in network_of(outer))


def depth(prefixes: Sequence[Prefix], prefix: Prefix) -> int:
    """How many others enclose it."""
    others = {other for other in prefixes if other != prefix}
    return sum(network_of(prefix) in network_of(other) for other in others)


def owner(peers: Sequence[Peer], family: Family, address: int) -> tuple[int, Prefix] | None:
    """Whose is the address on a device: longest prefix, and of equal ones the last peer's."""
    best: tuple[int, Prefix] | None = None
    for number, peer in enumerate(peers):
        for prefix in peer.allowed_ips:
            if prefix.family != family or not covers(prefix, address):
                continue
            if best is None or prefix.length >= best[1].length:
                best = number, prefix
    return best


def route(table: RouteTable, address: int) -> Route | None:
    """Which unicast route wins an IPv4 table: longest prefix, best metric, first."""
    best: Route | None = None
    for one in table:
        if not covers(one.destination, address) or one.info.type is not RouteType.UNICAST:
            continue
        if best is None or _rank(one) > _rank(best):
            best = one
    return best


def _rank(one: Route) -> tuple[int, int]:
    return one.destination.length, -one.info.metric
