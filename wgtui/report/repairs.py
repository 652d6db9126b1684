"""Which commands would repair it? Printed, never run.

What only people know stands in capitals, to be filled in: ``ADDRESS:PORT``. Several commands are to
be run in their order. What concerns a configuration file is in ``config_repairs.py``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from netaddr import IPAddress

from wgtui.model.address_set import AddressSet
from wgtui.model.finding import Finding
from wgtui.model.finding_facts import (
    Asymmetric,
    Away,
    Down,
    Drift,
    DriftKind,
    Duplicate,
    Elsewhere,
    Filtered,
    ForwardingOff,
    Gateway,
    HostBits,
    Loop,
    Moved,
    Mtu,
    NoEndpoint,
    NoHandshake,
    Overlap,
    Ownerless,
    OwnKey,
    OwnsNothing,
    Shadowed,
    SharedInConfig,
    StaleHandshake,
    Undelivered,
    Unseen,
    ViaTunnel,
    Who,
)
from wgtui.model.network import MAIN_TABLE, LinkIndex, Route, RouteType, TableId
from wgtui.model.prefix import BITS, Prefix
from wgtui.model.snapshot import ONLY_THE_PRIVILEGED, Snapshot, Subject
from wgtui.model.wireguard import Device, Endpoint, Peer
from wgtui.report.config_repairs import (
    follow,
    for_sed,
    respelled,
    routed_again,
    sed,
    up_again,
    without,
)
from wgtui.report.printable import printable
from wgtui.report.words import destination_text, via_text

_LONGEST_LIST: Final = 64
"""Entries that are written out; a longer list is changed with ``+`` (wg of 2025, S-E4)."""

_FEW: Final = 8
"""A prefix without its parts is written out if these suffice: one host of a /24, a /24 of a /16."""

_THE_REST: Final = 1
"""Prefixes up to this length are for all that nobody else has."""

_ENDPOINT: Final = "ADDRESS:PORT"


def repair(snapshot: Snapshot, finding: Finding) -> list[str]:
    """The commands, in their order; none where no command can help."""
    return list(_commands(snapshot, finding))


def _commands(snapshot: Snapshot, finding: Finding) -> Iterator[str]:
    device = _device(snapshot, finding)
    name = shlex.quote(printable(finding.device or ""))
    peer = finding.peer
    match finding.facts:
        case Moved() as moved if peer is not None:
            if moved.shared and moved.written is not None:
                for spelled in moved.spelled:
                    yield without(snapshot, finding.device, moved.written, spelled)
            else:
                yield _allowed(name, device, peer, moved.prefixes)
        case OwnsNothing() if peer is not None:
            yield f"wg set {name} peer {_key(peer)} allowed-ips ITS-OWN-ADDRESS/32"
        case SharedInConfig(_, written, spelled):
            yield without(snapshot, finding.device, written, spelled)
        case HostBits(spelled, written, host_meant) if finding.prefix is not None:
            address = spelled.partition("/")[0]
            bits = BITS[finding.prefix.family]
            right = f"{address}/{bits}" if host_meant else str(finding.prefix)
            yield respelled(snapshot, finding.device, written, spelled, right)
        case Shadowed() if peer is not None and finding.prefix is not None:
            yield _disallowed(name, device, peer, finding.prefix)
        case Overlap() if peer is not None and finding.prefix is not None:
            yield from _narrowed(name, device, peer, finding.prefix)
        case Down(prefixes=prefixes, file=file):
            if file is not None:
                yield from up_again(snapshot, finding.device or "", file)
            else:
                yield f"ip link set {name} up"
                yield from _routes_of(snapshot, device, prefixes, name)
        case Elsewhere() as elsewhere:
            yield from _route_into(snapshot, finding, elsewhere)
        case Filtered() as filtered:
            yield from _unfilter(snapshot, finding, filtered)
        case Asymmetric(elsewhere, source):
            yield from _replies(snapshot, finding, elsewhere, source)
        case Ownerless(route=route):
            if device is not None and len(device.peers) == 1:
                only = device.peers[0]
                yield _allowed(name, device, Who(only.public_key, only.label), (route.destination,))
            else:
                yield f"{_ip(route.destination)} route del {_route_words(snapshot, route)}"
        case Gateway(route, _, _, _, _):
            words = _route_words(snapshot, route, gateway=False)
            yield f"{_ip(route.destination)} route replace {words}"
        case NoEndpoint(meant) if peer is not None:
            where = shlex.quote(printable(meant)) if meant else _ENDPOINT
            yield f"wg set {name} peer {_key(peer)} endpoint {where}"
        case Loop(mark=mark) as loop:
            if mark:
                yield f"wg set {name} fwmark {mark:#x}"
            else:
                yield _around(snapshot, loop)
        case ViaTunnel() as via:
            yield _around(snapshot, via)
        case OwnKey(written, _) if peer is not None:
            yield sed(f"s@{for_sed(peer.public_key)}@THE-KEY-OF-THE-PEER@", written.file)
            yield from follow(snapshot, finding.device, written.file)
        case Drift(kind, file, meant, _, prefixes):
            if kind is DriftKind.ENDPOINT and peer is not None:
                yield f"wg set {name} peer {_key(peer)} endpoint {shlex.quote(printable(meant))}"
            elif kind is DriftKind.ROUTES:
                again = list(routed_again(snapshot, finding.device, file))
                yield from again or (f"{_ip(one)} route add {one} dev {name}" for one in prefixes)
            elif kind is DriftKind.PORT:
                yield f"wg set {name} listen-port {meant}"
            elif kind is DriftKind.MARK:
                yield f"wg set {name} fwmark {meant}"
            else:
                yield from follow(snapshot, finding.device, file)
        case (
            NoHandshake(cause=(Loop() | Filtered()) as cause)
            | StaleHandshake(cause=(Loop() | Filtered()) as cause)
        ):
            yield from _commands(snapshot, replace(finding, facts=cause))
        case (NoHandshake() | StaleHandshake()) as silent if (
            silent.outer is not None and silent.endpoint is not None
        ):
            if silent.outer.away is not Away.LOCAL:
                yield _to_endpoint(snapshot, silent.endpoint, silent.outer)
        case NoHandshake(meant=meant) | StaleHandshake(meant=meant) if peer is not None:
            where = shlex.quote(printable(meant)) if meant else _ENDPOINT
            yield f"wg set {name} peer {_key(peer)} endpoint {where}"
        case ForwardingOff(family, everywhere, _):
            if family == 6:
                yield "sysctl -w net/ipv6/conf/all/forwarding=1"
            elif everywhere:
                yield "sysctl -w net/ipv4/ip_forward=1"
            else:
                yield f"sysctl -w net/ipv4/conf/{name}/forwarding=1"
        case Mtu(_, fits, _, _, _, _):
            yield f"ip link set mtu {fits} dev {name}"
        case Duplicate(_, winner, loser):
            route = _superfluous(snapshot, winner, loser)
            yield f"{_ip(route.destination)} route del {_route_words(snapshot, route)}"
        case Unseen(gap):
            if gap.subject is Subject.WIREGUARD:
                yield "sudo wg show all"
            elif gap.subject in ONLY_THE_PRIVILEGED:
                yield "sudo wgtui check"
        case _:
            return


def _device(snapshot: Snapshot, finding: Finding) -> Device | None:
    found = (one for one in snapshot.devices.values() if one.name == finding.device)
    return next(found, None)


def _key(peer: Who) -> str:
    return shlex.quote(printable(peer.public_key))


# --------------------------------------------------------------------------------------- AllowedIPs


def _peer(device: Device | None, key: Who) -> Peer | None:
    number = None if device is None else device.peer_numbers.get(key.public_key)
    return None if device is None or number is None else device.peers[number]


def _allowed(name: str, device: Device | None, key: Who, more: tuple[Prefix, ...]) -> str:
    """``allowed-ips`` replaces the list, so the whole of it is named."""
    peer = _peer(device, key)
    has = () if peer is None else peer.allowed_ips
    wanted = list(dict.fromkeys((*has, *more)))
    if len(wanted) > _LONGEST_LIST:
        told = ",".join(f"+{prefix}" for prefix in more)
    else:
        told = ",".join(str(prefix) for prefix in wanted)
    return f"wg set {name} peer {_key(key)} allowed-ips {told}"


def _disallowed(name: str, device: Device | None, key: Who, less: Prefix) -> str:
    peer = _peer(device, key)
    left = [prefix for prefix in (() if peer is None else peer.allowed_ips) if prefix != less]
    if len(left) > _LONGEST_LIST:
        return f"wg set {name} peer {_key(key)} allowed-ips -{less}"
    told = ",".join(str(prefix) for prefix in left) or '""'
    return f"wg set {name} peer {_key(key)} allowed-ips {told}"


def _narrowed(name: str, device: Device | None, key: Who, wide: Prefix) -> Iterator[str]:
    """Say the same without an overlap: the peer keeps exactly what it owns by the wide prefix.

    Nothing where that would be a long list, or the prefix is for "the rest", which is how a
    default beside networks of others is meant.
    """
    peer = _peer(device, key)
    if device is None or peer is None or wide.length <= _THE_REST:
        return
    tree = device.owners.tree(wide.family)
    others = (
        tree.prefix(row)
        for row in tree.inside(wide)
        if device.peers[tree.values[row]].public_key != key.public_key
    )
    left = AddressSet.of_prefixes(wide.family, [wide]) - AddressSet.of_prefixes(wide.family, others)
    parts = tuple(islice(left.prefixes(), _FEW + 1))
    kept = [prefix for prefix in peer.allowed_ips if prefix != wide]
    wanted = list(dict.fromkeys((*kept, *parts)))
    if len(parts) <= _FEW and len(wanted) <= _LONGEST_LIST:
        told = ",".join(str(prefix) for prefix in wanted)
        yield f"wg set {name} peer {_key(key)} allowed-ips {told}"


# ------------------------------------------------------------------------------------------- routes


def _ip(prefix: Prefix) -> str:
    return "ip -6" if prefix.family == 6 else "ip"


def _in_table(table: TableId | None) -> str:
    return "" if table in (None, MAIN_TABLE) else f" table {table}"


def _link(snapshot: Snapshot, link: LinkIndex | None) -> str:
    return shlex.quote(printable(snapshot.link_name(link)) or "LINK")


def _route_words(snapshot: Snapshot, route: Route, gateway: bool = True) -> str:
    """What names a route for ``ip route del`` and ``replace``."""
    info = route.info
    words = [] if info.type is RouteType.UNICAST else [info.type.value]
    words.append(destination_text(route.destination))
    if len(info.next_hops) == 1 and info.type is RouteType.UNICAST:
        hop = info.next_hops[0]
        words += [via_text(hop, route.destination.family)] if gateway else []
        words.append(f"dev {_link(snapshot, hop.link)}")
    words += [f"metric {info.metric}"] if info.metric else []
    return " ".join(word for word in words if word) + _in_table(route.table)


def _route_into(snapshot: Snapshot, finding: Finding, elsewhere: Elsewhere) -> Iterator[str]:
    """Make the system send a peer's addresses into its device."""
    prefix, name = finding.prefix, shlex.quote(printable(finding.device or ""))
    route = elsewhere.route
    if prefix is None or elsewhere.away is Away.LOCAL or elsewhere.table is None:
        return
    if prefix.length <= 1:
        yield from _full_tunnel(snapshot, finding, prefix, name)
    elif elsewhere.exception and route is not None:
        yield f"{_ip(prefix)} route del {_route_words(snapshot, route)}"
    elif route is not None and route.destination == prefix and route.table == elsewhere.table:
        if route.info.protocol != "kernel":  # the network of another link cannot be given away
            kind = "" if route.info.type is RouteType.UNICAST else "unicast "
            metric = f" metric {route.info.metric}" if route.info.metric else ""
            table = _in_table(route.table)
            yield f"{_ip(prefix)} route replace {kind}{prefix} dev {name}{metric}{table}"
    else:
        for part in (prefix,) if elsewhere.whole else elsewhere.parts:
            yield f"{_ip(prefix)} route add {part} dev {name}{_in_table(elsewhere.table)}"


def _routes_of(
    snapshot: Snapshot, device: Device | None, prefixes: tuple[Prefix, ...], name: str
) -> Iterator[str]:
    """What does not come back with the device's own networks."""
    link = None if device is None else snapshot.links.get(device.link)
    own = [] if link is None else [address.prefix for address in link.addresses]
    for prefix in prefixes:
        if prefix.length > _THE_REST and not any(one.contains(prefix) for one in own):
            yield f"{_ip(prefix)} route add {prefix} dev {name}"


def _full_tunnel(snapshot: Snapshot, finding: Finding, prefix: Prefix, name: str) -> Iterator[str]:
    """What wg-quick does for a default (S-F3)."""
    device, ip = _device(snapshot, finding), _ip(prefix)
    table = 51820
    while any(number == table for _, number in snapshot.routes):
        table += 1
    mark = device.fwmark if device is not None and device.fwmark else table
    yield f"wg set {name} fwmark {mark:#x}"
    yield f"{ip} route add default dev {name} table {table}"
    yield f"{ip} rule add not fwmark {mark:#x} table {table}"
    yield f"{ip} rule add table main suppress_prefixlength 0"


def _replies(
    snapshot: Snapshot, finding: Finding, elsewhere: Elsewhere, source: IPAddress | None
) -> Iterator[str]:
    prefix, name = finding.prefix, shlex.quote(printable(finding.device or ""))
    if prefix is None or prefix.length > 1:
        yield from _route_into(snapshot, finding, elsewhere)
    elif source is not None:
        table = 51820
        while any(number == table for _, number in snapshot.routes):
            table += 1
        yield f"{_ip(prefix)} route add default dev {name} table {table}"
        yield f"{_ip(prefix)} rule add from {source} table {table}"


def _unfilter(snapshot: Snapshot, finding: Finding, filtered: Filtered) -> Iterator[str]:
    elsewhere, link = filtered.elsewhere, _link(snapshot, filtered.link)
    unroutable = elsewhere is not None and elsewhere.away is not Away.OTHER_LINK
    if elsewhere is not None and (unroutable or filtered.addressless):
        yield from _route_into(snapshot, finding, elsewhere)  # loose would drop it too (S-D5, S-D6)
    else:
        yield f"sysctl -w net/ipv4/conf/{link}/rp_filter=2"


def _around(snapshot: Snapshot, tunnelled: Loop | ViaTunnel) -> str:
    """A route of its own for the endpoint, by the best link that is no tunnel."""
    address, bypass = tunnelled.endpoint.address, tunnelled.bypass
    how = "via GATEWAY dev LINK"
    if bypass is not None and bypass.info.next_hops:
        hop = bypass.info.next_hops[0]
        how = f"{via_text(hop, bypass.destination.family)} dev {_link(snapshot, hop.link)}".strip()
    ip = "ip -6" if address.version == 6 else "ip"
    return f"{ip} route add {address} {how}{_in_table(tunnelled.table)}"


def _to_endpoint(snapshot: Snapshot, endpoint: Endpoint, outer: Undelivered) -> str:
    """A way for encrypted packets that have none."""
    address, bypass = endpoint.address, outer.bypass
    ip = "ip -6" if address.version == 6 else "ip"
    if outer.rule is not None and bypass is not None and outer.rule > 0:
        table = bypass.table
        return f"{ip} rule add to {address} lookup {table} priority {outer.rule - 1}"
    how = "via GATEWAY dev LINK"
    if bypass is not None and bypass.info.next_hops:
        hop = bypass.info.next_hops[0]
        how = f"{via_text(hop, bypass.destination.family)} dev {_link(snapshot, hop.link)}".strip()
    return f"{ip} route add {address} {how}"


def _superfluous(snapshot: Snapshot, winner: Route, loser: Route) -> Route:
    """Of a default the one into the tunnel: it would cut off the endpoints. Else what is no
    tunnel, or the one that never wins."""
    tunnels = [
        route
        for route in (winner, loser)
        if any(leg.link in snapshot.devices for leg in route.info.next_hops)
    ]
    if len(tunnels) != 1:
        return loser
    if winner.destination.length == 0:
        return tunnels[0]
    return winner if tunnels[0] is loser else loser
