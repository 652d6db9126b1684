"""Which source address does a packet without one get?

IPv4: net/ipv4/devinet.c:inet_select_addr (S-B30 … S-B32).
IPv6: net/ipv6/addrconf.c:ipv6_dev_get_saddr, the rules of RFC 6724 in the kernel's order (S-B68).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from netaddr import IPAddress

from wgtui.engine.once import once, remember
from wgtui.engine.query import vrf_of
from wgtui.model.network import AddressLabel, Link, LinkAddress, LinkIndex, Scope
from wgtui.model.prefix import Family, Prefix, family_of
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
    AddressLabel(Prefix.parse(text), label)
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
"""The table of ip-addrlabel(8) that every kernel starts with, most specific first."""
_NO_LABEL: Final = 0xFFFFFFFF

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


class _Candidate(NamedTuple):
    """An IPv6 address that may be a source, with what does not depend on the destination."""

    address: IPAddress
    value: int
    link: LinkIndex
    current: bool
    """Not deprecated."""
    label: int
    preferred: bool
    """Temporary or public, as its link wants it (RFC 6724 rule 7)."""
    orchid: bool
    length: int


class _Scope(NamedTuple):
    """The candidates of one scope, in the kernel's order, as the first rules sort them."""

    every: list[_Candidate]
    by_value: dict[int, list[_Candidate]]
    current: list[_Candidate]
    current_on: dict[LinkIndex, list[_Candidate]]


_Scopes: TypeAlias = dict[int, _Scope]


def select6(snapshot: Snapshot, index: LinkIndex | None, destination: int) -> IPAddress | None:
    """The source of a packet to ``destination`` that leaves by a link; None: there is none.

    RFC 6724 rules 1, 2, 3, 5, 6, 7, (ORCHID), 8, where the first four only name the candidates
    that the others compare.
    """
    wanted = scope6(destination)
    of_link, of_vrf = _candidates(snapshot)
    if wanted <= _SCOPE_LINK or _MULTICAST.covers(destination):
        scopes = of_link.get(index)
    else:
        master = vrf_of(snapshot, index) if index is not None else None
        only = _only_one(of_link, index, master) if master is not None else None
        if only is not None:
            return only
        scopes = of_vrf.get(None if master is None else master.index)
    if not scopes:
        return None
    nearest = scopes[max(scopes, key=lambda scope: -scope if scope >= wanted else scope - 128)]
    here = nearest.current_on.get(index) if index is not None else None
    heap = nearest.by_value.get(destination) or here or nearest.current or nearest.every
    if len(heap) == 1:
        return heap[0].address
    label = _label(snapshot, index, destination)
    orchid = _ORCHID.covers(destination)

    def rank(candidate: _Candidate) -> tuple[bool, bool, bool, bool, bool, int]:
        common = 128 - (candidate.value ^ destination).bit_length()
        return (
            candidate.current,
            index is None or candidate.link == index,
            candidate.label == label,
            candidate.preferred,
            candidate.orchid == orchid,
            min(common, candidate.length),
        )

    return max(heap, key=rank).address  # the first of equals, as in the kernel


def _only_one(
    of_link: dict[LinkIndex | None, _Scopes], index: LinkIndex | None, vrf: Link
) -> IPAddress | None:
    """The address of a VRF's member, where it and the VRF have just one: taken whatever its scope.

    addrconf.c:ipv6_get_saddr_master: with nothing to compare it with, its scope is not looked at.
    """
    found = [
        candidate
        for link in dict.fromkeys((index, vrf.index))
        for scope in of_link.get(link, {}).values()
        for candidate in scope.every
    ]
    return found[0].address if len(found) == 1 else None


@once
def _candidates(
    snapshot: Snapshot,
) -> tuple[dict[LinkIndex | None, _Scopes], dict[LinkIndex | None, _Scopes]]:
    """By link, and by VRF; None: the links that are in none."""
    of_link: dict[LinkIndex | None, _Scopes] = {}
    of_vrf: dict[LinkIndex | None, _Scopes] = {}
    # Of equals the VRF's own address comes before its members'.
    for link in sorted(snapshot.links.values(), key=lambda link: link.kind != "vrf"):
        found = [
            _candidate(snapshot, link, entry)
            for entry in link.addresses
            if entry.address.version == 6 and not entry.tentative
        ]
        master = vrf_of(snapshot, link.index) if found else None
        vrf = None if master is None else master.index
        for candidate in found:
            if not _MULTICAST.covers(candidate.value):
                for scopes in (of_link.setdefault(link.index, {}), of_vrf.setdefault(vrf, {})):
                    scope = scopes.setdefault(scope6(candidate.value), _Scope([], {}, [], {}))
                    scope.every.append(candidate)
                    scope.by_value.setdefault(candidate.value, []).append(candidate)
                    if candidate.current:
                        scope.current.append(candidate)
                        scope.current_on.setdefault(link.index, []).append(candidate)
    return of_link, of_vrf


def _candidate(snapshot: Snapshot, link: Link, entry: LinkAddress) -> _Candidate:
    value = int(entry.address)
    prefer_temporary = (snapshot.conf(6, link.name, "use_tempaddr") or 0) >= 2
    return _Candidate(
        entry.address,
        value,
        link.index,
        not entry.deprecated,
        _label(snapshot, link.index, value),
        (not entry.secondary) ^ prefer_temporary,
        _ORCHID.covers(value),
        entry.prefix.length,
    )


_Addresses: TypeAlias = dict[tuple[Family, int], IPAddress]


@once
def _addresses(snapshot: Snapshot) -> tuple[_Addresses, _Addresses]:
    """Those of the links, and others that were asked for lately."""
    own = {
        (family_of(entry.address), int(entry.address)): entry.address
        for link in snapshot.links.values()
        for entry in link.addresses
    }
    return own, {}


def address_object(snapshot: Snapshot, family: Family, value: int) -> IPAddress:
    """The address; that of a link is there already, and to make one costs as much as a lookup."""
    own, others = _addresses(snapshot)
    key = (family, value)
    found = own.get(key)
    if found is None:
        found = others.get(key)
    return remember(others, key, IPAddress(value, family)) if found is None else found


def _label(snapshot: Snapshot, index: LinkIndex | None, address: int) -> int:
    """Of an address on a link, or beyond it (addrlabel.c:__ipv6_addr_label)."""
    entries = _LABELS if snapshot.address_labels is None else snapshot.address_labels
    for entry in entries:
        if entry.prefix.covers(address) and entry.link in (None, index):
            return entry.label
    return _NO_LABEL
