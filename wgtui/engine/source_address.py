"""Which source address does a packet without one get?

IPv4: net/ipv4/devinet.c:inet_select_addr (S-B30 … S-B32).
IPv6: net/ipv6/addrconf.c:ipv6_dev_get_saddr, the rules of RFC 6724 in the kernel's order (S-B68).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netaddr import IPAddress

from wgtui.engine.query import vrf_of
from wgtui.model.network import Link, LinkAddress, LinkIndex, Scope
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot


def select4(
    snapshot: Snapshot, index: LinkIndex | None, towards: int, scope: int
) -> IPAddress | None:
    """The address of a link that a packet to (or via) ``towards`` is sent from; None: 0.0.0.0.

    ``towards`` is 0 for on-link; ``scope`` is the route's.
    """
    link = snapshot.links.get(index) if index is not None else None
    first: IPAddress | None = None
    # route_localnet: the link's own addresses of scope host may be used outside (S-D8).
    localnet = link is not None and any(
        snapshot.conf(4, name, "route_localnet") for name in ("all", link.name)
    )
    widest = Scope.LINK if localnet else Scope.HOST
    for entry in _ipv4(link):
        if entry.secondary or min(entry.scope, widest) > scope:
            continue
        if not towards or entry.prefix.covers(towards):
            return entry.address
        first = first or entry.address
    if first is not None:
        return first
    master = vrf_of(snapshot, index) if index is not None else None
    others = [master] if master else []
    others += [
        other for other in snapshot.links.values() if vrf_of(snapshot, other.index) is master
    ]
    for other in others:
        for entry in _ipv4(other):
            if not entry.secondary and entry.scope != Scope.LINK and entry.scope <= scope:
                return entry.address
    return None


def _ipv4(link: Link | None) -> Iterator[LinkAddress]:
    return (entry for entry in (link.addresses if link else ()) if entry.address.version == 4)


# -------------------------------------------------------------------------------------------- IPv6

_LABELS: Final = tuple(
    (Prefix.parse(text), label)
    for text, label in (
        ("::1/128", 0),
        ("::ffff:0:0/96", 4),
        ("::/96", 3),
        ("2001::/32", 6),
        ("2001:10::/28", 7),
        ("3ffe::/16", 12),
        ("2002::/16", 2),
        ("fec0::/10", 11),
        ("fc00::/7", 5),
        ("::/0", 1),
    )
)
"""The default table of ip-addrlabel(8), most specific first."""

_ORCHID: Final = Prefix.parse("2001:10::/28")
_LINK_LOCAL: Final = Prefix.parse("fe80::/10")
_SITE_LOCAL: Final = Prefix.parse("fec0::/10")
_MULTICAST: Final = Prefix.parse("ff00::/8")
_SCOPE_LINK, _SCOPE_SITE, _SCOPE_GLOBAL = 2, 5, 14


def scope6(address: int) -> int:
    """The scope of an address, as multicast addresses write it (RFC 4291 §2.7)."""
    if _MULTICAST.covers(address):
        return address >> 112 & 15
    if address == 0:
        return -1  # unspecified: below every scope
    if _LINK_LOCAL.covers(address) or address == 1:
        return _SCOPE_LINK
    return _SCOPE_SITE if _SITE_LOCAL.covers(address) else _SCOPE_GLOBAL


def select6(snapshot: Snapshot, index: LinkIndex | None, destination: int) -> IPAddress | None:
    """The source of a packet to ``destination`` that leaves by a link; None: there is none."""
    if _MULTICAST.covers(destination) or scope6(destination) <= _SCOPE_LINK:
        here = snapshot.links.get(index) if index is not None else None
        links = [here] if here else []
    else:
        master = vrf_of(snapshot, index) if index is not None else None
        links = [link for link in snapshot.links.values() if vrf_of(snapshot, link.index) is master]
    best: tuple[int, ...] | None = None
    chosen: IPAddress | None = None
    for link in links:
        for entry in link.addresses:
            if (
                entry.address.version != 6
                or entry.tentative
                or _MULTICAST.covers(int(entry.address))
            ):
                continue
            rank = _rank(snapshot, link, entry, index, destination)
            if best is None or rank > best:
                best, chosen = rank, entry.address
    return chosen


def _rank(
    snapshot: Snapshot, link: Link, entry: LinkAddress, index: LinkIndex | None, destination: int
) -> tuple[int, ...]:
    """Larger is better, compared from the left: RFC 6724 rules 1, 2, 3, 5, 6, 7, (ORCHID), 8."""
    address = int(entry.address)
    scope, wanted = scope6(address), scope6(destination)
    prefer_temporary = (snapshot.conf(6, link.name, "use_tempaddr") or 0) >= 2
    common = 128 - (address ^ destination).bit_length()
    return (
        address == destination,
        -scope if scope >= wanted else scope - 128,
        not entry.deprecated,
        index is None or link.index == index,
        _label(address) == _label(destination),
        (not entry.secondary) ^ prefer_temporary,
        _ORCHID.covers(address) == _ORCHID.covers(destination),
        min(common, entry.prefix.length),
    )


def _label(address: int) -> int:
    return next(label for prefix, label in _LABELS if prefix.covers(address))
