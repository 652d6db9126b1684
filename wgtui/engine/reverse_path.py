"""Does IPv4 source validation let a packet in on this link?

fib_frontend.c:fib_validate_source, __fib_validate_source; S-D1 … S-D6. The kernel looks up the way
back to the source, with the packet's own destination as source, and compares the link. IPv6 has no
such filter (S-D9).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wgtui.engine.local_tree import merged
from wgtui.engine.next_hop import way_out
from wgtui.engine.once import once
from wgtui.engine.query import NO_LINK, Query, new_query, vrf_of
from wgtui.engine.rules import Found, walk
from wgtui.model.network import LOOPBACK, Link, LinkIndex, RouteType
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, ReversePath, RpResult, RpWhy

_new_path: Final = ReversePath.__new__
"""At half the price; see ``prefix.new_prefix``."""
OFF: Final = 0
STRICT: Final = 1
LOOSE: Final = 2
_HINTS: Final = (5, 5)
"""The first Linux that gives a batch one route."""


def effective_mode(snapshot: Snapshot, link: Link) -> int | None:
    """max(all, link): 0 off, 1 strict, 2 loose (S-D1); None when either could not be seen."""
    values = (snapshot.conf(4, "all", "rp_filter"), snapshot.conf(4, link.name, "rp_filter"))
    if None in values:
        return LOOSE if LOOSE in values else None
    return max(value for value in values if value is not None)


def either(snapshot: Snapshot, link: Link, key: str) -> bool | None:
    """A switch that counts when ``all`` or the link has it on (S-D8); None when it could not be
    seen."""
    values = (snapshot.conf(4, "all", key), snapshot.conf(4, link.name, key))
    if any(values):
        return True
    return None if None in values else False


class _Filter(NamedTuple):
    """What the switches of a link say."""

    mode: int | None
    on: bool
    """Strict or loose, even if it is not known which."""
    accept_local: bool | None
    src_valid_mark: bool | None


def _filter(snapshot: Snapshot, link: Link) -> _Filter:
    found = _filters(snapshot)[link.index] = _Filter(
        effective_mode(snapshot, link),
        bool(either(snapshot, link, "rp_filter")),
        either(snapshot, link, "accept_local"),
        either(snapshot, link, "src_valid_mark"),
    )
    return found


@once
def _filters(_: Snapshot) -> dict[LinkIndex, _Filter]:
    """Of the links that were asked so far."""
    return {}


def validate(snapshot: Snapshot, packet: Query, out: LinkIndex | None = None) -> ReversePath:
    """Validate ``packet.source`` on ``packet.iif``; ``out`` is where it is forwarded to, None:
    delivered here."""
    link = snapshot.links[packet.iif]
    switches = _filters(snapshot).get(link.index) or _filter(snapshot, link)
    mode, _, accept_local, marks = switches
    if mode == OFF:
        fast = _fast(snapshot, packet, link, accept_local, out)
        if fast is not None:
            return fast
    use_mark = marks if packet.mark else False
    if use_mark is None:
        unseen = Reason.SYSCTL_UNREADABLE
        return ReversePath(link.index, mode, RpResult.UNKNOWN, RpWhy.UNKNOWN, reason=unseen)
    mark = packet.mark if use_mark else 0
    vrf = vrf_of(snapshot, link.index) if snapshot.vrfs else None
    back = new_query(
        Query,
        family=4,
        destination=packet.source,
        source=packet.destination,
        iif=out if out is not None else LOOPBACK,
        mark=mark,
        tos=packet.tos,
        protocol=packet.protocol,
        sport=packet.dport,
        dport=packet.sport,
        vrf=NO_LINK if vrf is None else vrf.index,
    )
    found = walk(snapshot, back, told=False)
    route = way_out(snapshot, back, found) if found.route is not None else None
    result, why = _judge(snapshot, link, switches, found)
    reason = None
    if result is RpResult.UNKNOWN:
        unseen = Reason.SYSCTL_UNREADABLE if mode is None else Reason.ADDRESSES_UNREADABLE
        reason = found.reason if found.error is Outcome.UNKNOWN else unseen
    return _new_path(ReversePath, link.index, mode, result, why, route, mark, reason)


def forwarded_with(snapshot: Snapshot, path: ReversePath, found: Found) -> ReversePath:
    """The validation of a packet that is forwarded as ``found`` says.

    ip_input.c:ip_extract_route_hint, route.c:ip_route_use_hint: in a batch, the second packet to an
    address is sent the way of the first, its source not validated, unless rules were ever changed
    or the route has several next hops. Only single packets are predicted.
    """
    if path.result is not RpResult.DROP or found.route is None or not merged(snapshot):
        return path
    single = len(found.route.info.next_hops) == 1
    too_old = (0, 0) < snapshot.kernel_version < _HINTS
    return path._replace(batched=single and not too_old)


def _fast(
    snapshot: Snapshot, packet: Query, link: Link, accept_local: bool | None, out: LinkIndex | None
) -> ReversePath | None:
    """Filter off: only this host's own addresses are refused as sources (S-D3). None: the full
    check."""
    if out == link.index and either(snapshot, link, "send_redirects") is not False:
        return None
    if accept_local:
        return ReversePath(link.index, OFF, RpResult.PASS, RpWhy.OFF)
    if not merged(snapshot) or _custom_local_routes(snapshot):
        return None
    if (4, packet.source) not in snapshot.own_addresses:
        return ReversePath(link.index, OFF, RpResult.PASS, RpWhy.OFF)
    if accept_local is None:
        reason = Reason.SYSCTL_UNREADABLE
        return ReversePath(link.index, OFF, RpResult.UNKNOWN, RpWhy.UNKNOWN, reason=reason)
    return ReversePath(link.index, OFF, RpResult.DROP, RpWhy.OWN_SOURCE)


@once
def _custom_local_routes(snapshot: Snapshot) -> bool:
    """Did anybody but the kernel add a local route (S-D3)?"""
    for table in snapshot.routes.values():
        custom = {
            number
            for number, info in enumerate(table.infos)
            if info.type is RouteType.LOCAL and info.protocol != "kernel"
        }
        if table.family == 4 and custom and not custom.isdisjoint(table.tree.values):
            return True
    return False


def _judge(
    snapshot: Snapshot, link: Link, switches: _Filter, found: Found
) -> tuple[RpResult, RpWhy]:
    mode, on, accept_local, _ = switches
    if found.error is Outcome.UNKNOWN:
        return (RpResult.PASS, RpWhy.OFF) if mode == OFF else (RpResult.UNKNOWN, RpWhy.UNKNOWN)
    if found.error is not None or found.route is None:
        return _last(mode, on, RpWhy.NO_ROUTE_BACK)
    info = found.route.info
    if info.type is not RouteType.UNICAST:
        if info.type is not RouteType.LOCAL:
            return RpResult.DROP, RpWhy.NOT_UNICAST
        if not accept_local:
            known = accept_local is not None
            return (RpResult.DROP if known else RpResult.UNKNOWN), RpWhy.OWN_SOURCE
    for leg in info.next_hops:
        if leg.link == link.index:
            return RpResult.PASS, RpWhy.OWN_LINK
        if snapshot.vrfs and leg.link is not None and vrf_of(snapshot, leg.link) is link:
            return RpResult.PASS, RpWhy.OWN_LINK  # by a member of this VRF
    if info.type is RouteType.LOCAL and link.loopback:
        return RpResult.PASS, RpWhy.OWN_LINK
    if mode == STRICT and snapshot.gap(Subject.ADDRESSES):
        return RpResult.DROP, RpWhy.STRICT_OTHER_LINK
    if mode != OFF and snapshot.gap(Subject.ADDRESSES):
        return RpResult.UNKNOWN, RpWhy.UNKNOWN  # with an address loose would do, without not (S-D6)
    if not any(entry.address.version == 4 for entry in link.addresses):
        return _last(mode, on, RpWhy.NO_ADDRESS)
    if mode == STRICT:
        return RpResult.DROP, RpWhy.STRICT_OTHER_LINK
    if mode is None:
        return RpResult.UNKNOWN, RpWhy.UNKNOWN
    return RpResult.PASS, RpWhy.OFF if mode == OFF else RpWhy.LOOSE


def _last(mode: int | None, on: bool, why: RpWhy) -> tuple[RpResult, RpWhy]:
    """Where the kernel gives up: only a filter that is off lets it pass (S-D5)."""
    if mode is None and not on:
        return RpResult.UNKNOWN, RpWhy.UNKNOWN
    return (RpResult.PASS, RpWhy.OFF) if mode == OFF else (RpResult.DROP, why)
