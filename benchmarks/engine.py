"""How long does one full answer take, on a host with five routes and on one with a million?

A full answer is the whole Trace: rules, route and losers, owner, the encrypted packet's own walk,
and the reverse check at every entrance. The host is made up in this process: no kernel, no reading.

    eth0  the internet: a full table over 200 gateways     eth1  the LAN
    wg0   ten thousand peers with four AllowedIPs each, below 10.0.0.0/8 and fd00::/8
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from statistics import median
from typing import Final

from netaddr import IPAddress

from benchmarks.table import Row, at_least, at_most
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkAddress,
    LinkIndex,
    Mark,
    Masked,
    NextHop,
    RouteInfo,
    RouteType,
    Rule,
    Scope,
    Selector,
    TableId,
)
from wgtui.model.prefix import BITS, FAMILIES, Family, Prefix
from wgtui.model.prefix_columns import GrowingColumns
from wgtui.model.routes import RouteTable, RouteTables
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, Endpoint, Peer

ETH0, ETH1, WG0 = LinkIndex(2), LinkIndex(3), LinkIndex(4)
WG_TABLE: Final = TableId(51820)
WG_MARK: Final = Mark(0xCA6C)
GATEWAYS: Final = 200
_NEAR: Final[dict[Family, int]] = {4: 0xC0000200, 6: 0x20010DB8 << 96}
"""The networks of eth0, where the gateways are."""
_CONNECTED: Final[dict[Family, tuple[str, str, str, str]]] = {
    4: ("0.0.0.0/0", "192.0.2.0/24", "192.168.10.0/24", "10.0.0.0/8"),
    6: ("::/0", "2001:db8::/64", "fd00:10::/64", "fd00::/8"),
}
_OWN: Final[dict[Family, tuple[str, ...]]] = {
    4: ("192.0.2.10", "192.168.10.1", "10.255.0.1", "127.0.0.0/8"),
    6: ("2001:db8::10", "fd00:10::1", "fd00::1", "::1"),
}
_LENGTHS: Final = (24,) * 60 + (23, 22) * 10 + (21, 20, 19, 18, 17, 16) * 3 + (14, 12)
"""The lengths of a full table, as they are spread in the wild."""


def host(routes: int, peers: int = 10_000, *, full_tunnel: bool, links: int = 10_000) -> Snapshot:
    """A router with so many IPv4 routes, a fifth of that for IPv6.

    ``full_tunnel``: wg-quick's rules, and the first peer owns everything that no other does;
    otherwise (site to site) the rules are those of a new namespace, and 10.0.0.0/8 is routed to
    wg0.
    """
    dice = Random(routes)
    return Snapshot(
        taken_at=1_700_000_000.0,
        links=_links(links),
        rules={4: _rules(4, full_tunnel), 6: _rules(6, full_tunnel)},
        routes=_routes(dice, routes, full_tunnel),
        devices={WG0: _device(dice, peers, full_tunnel)},
        sysctls={
            f"net/ipv{family}/conf/{link}/{key}": value
            for link in ("all", "default", "lo", "eth0", "eth1", "wg0")
            for family, key, value in (
                (4, "rp_filter", 2), (4, "forwarding", 1), (4, "accept_local", 0),
                (4, "src_valid_mark", 1), (4, "route_localnet", 0), (4, "send_redirects", 1),
                (6, "forwarding", 1), (6, "use_tempaddr", 0),
            )
        },
        hooks=(),
        influences=(),
        local_in_main=not full_tunnel,
    )  # fmt: skip


def _links(count: int) -> dict[LinkIndex, Link]:
    def link(index: int, name: str, *addresses: str, kind: str | None = None) -> Link:
        entries = []
        for text in addresses:
            address = IPAddress(text.partition("/")[0])
            entries.append(LinkAddress(address, Prefix.parse(text)))
        loopback = name == "lo"
        found = tuple(entries)
        return Link(LinkIndex(index), name, kind, mtu=1500, loopback=loopback, addresses=found)

    first = (
        link(1, "lo", "127.0.0.1/8", "::1/128"),
        link(ETH0, "eth0", "192.0.2.10/24", "2001:db8::10/64"),
        link(ETH1, "eth1", "192.168.10.1/24", "fd00:10::1/64"),
        link(WG0, "wg0", "10.255.0.1/32", "fd00::1/128", kind="wireguard"),
    )
    rest = (link(index, f"vlan{index}", kind="vlan") for index in range(5, count + 1))
    return {found.index: found for found in (*first, *rest)}


def _rules(family: Family, full_tunnel: bool) -> tuple[Rule, ...]:
    mark = Selector(inverted=True, mark=Masked(WG_MARK, 0xFFFFFFFF))
    quick = (
        Rule(32764, family, table=MAIN_TABLE, suppress_prefix_length=0),
        Rule(32765, family, mark, table=WG_TABLE),
    )
    last = (Rule(32767, family, table=TableId(253)),) if family == 4 else ()
    return (
        Rule(0, family, table=LOCAL_TABLE),
        *(quick if full_tunnel else ()),
        Rule(32766, family, table=MAIN_TABLE),
        *last,
    )


def _routes(dice: Random, count: int, full_tunnel: bool) -> RouteTables:
    found: dict[tuple[Family, TableId], RouteTable] = {}
    for family in FAMILIES:
        wide = Scope.LINK if family == 4 else Scope.UNIVERSE
        infos = [
            RouteInfo(protocol="bird", metric=32, next_hops=(NextHop(ETH0, gateway),))
            for gateway in (IPAddress(_NEAR[family] + 20 + n, family) for n in range(GATEWAYS))
        ]
        infos += [
            RouteInfo(RouteType.LOCAL, Scope.HOST, "kernel", next_hops=(NextHop(ETH0),)),
            RouteInfo(scope=wide, protocol="kernel", next_hops=(NextHop(ETH0),)),
            RouteInfo(scope=wide, protocol="kernel", next_hops=(NextHop(ETH1),)),
            RouteInfo(scope=wide, next_hops=(NextHop(WG0),)),
        ]
        own, on_eth0, on_eth1, to_wg0 = range(GATEWAYS, GATEWAYS + 4)
        tables = {LOCAL_TABLE: GrowingColumns(family), MAIN_TABLE: GrowingColumns(family)}
        for text in _OWN[family]:
            _add(tables[LOCAL_TABLE], text, own)
        everything, near, lan, sites = _CONNECTED[family]
        for text, number in ((everything, 0), (near, on_eth0), (lan, on_eth1), (sites, to_wg0)):
            _add(tables[MAIN_TABLE], text, number)
        for network, length in _full_table(dice, family, count if family == 4 else count // 5):
            tables[MAIN_TABLE].append(network, length, dice.randrange(GATEWAYS))
        if full_tunnel:
            tables[WG_TABLE] = GrowingColumns(family)
            _add(tables[WG_TABLE], everything, to_wg0)
        for table, rows in tables.items():
            found[family, table] = RouteTable(family, table, infos=infos, columns=rows.finish())
    return found


def _add(rows: GrowingColumns, text: str, number: int) -> None:
    prefix = Prefix.parse(text)
    rows.append(prefix.network, prefix.length, number)


def _full_table(dice: Random, family: Family, count: int) -> set[tuple[int, int]]:
    """Networks and lengths, outside of what the host has for itself."""
    bits = BITS[family]
    found: set[tuple[int, int]] = set()
    while len(found) < count:
        length = dice.choice(_LENGTHS) + (0 if family == 4 else 24)
        top = dice.randrange(11, 192) if family == 4 else 0x20 | dice.randrange(16)
        value = top << bits - 8 | dice.getrandbits(bits - 8)
        found.add((value >> bits - length << bits - length, length))
    return found


def _device(dice: Random, peers: int, full_tunnel: bool) -> Device:
    everything = (Prefix(4, 0, 0), Prefix(6, 0, 0))
    found = []
    for number in range(peers):
        site = 0x0A000000 | number << 9
        entries = [
            Prefix(4, site, 24),
            Prefix(4, site | 0x100, 25),
            Prefix(4, site | 0x180, 26),
            Prefix(6, 0xFD << 120 | number << 64, 64),
        ]
        if number == 0 and full_tunnel:
            entries += everything
        endpoint = Endpoint(IPAddress(dice.randrange(11 << 24, 223 << 24), 4), 51820)
        found.append(Peer(f"{number:043d}=", "", endpoint, tuple(entries)))
    return Device(WG0, "wg0", "k" * 43 + "=", 51820, WG_MARK, tuple(found))


# ─── questions ───────────────────────────────────────────────────────────────────────────────────


def _to_peer(dice: Random) -> str:
    """Into the AllowedIPs of a peer: encrypted, two walks out and two back."""
    return str(IPAddress(0x0A000000 | dice.randrange(10_000) << 9 | dice.randrange(0x1C0), 4))


def _to_peer6(dice: Random) -> str:
    return str(IPAddress(0xFD << 120 | dice.randrange(10_000) << 64 | 7, 6))


def _to_internet(dice: Random) -> str:
    """By the full table: in clear, or by the peer that owns everything."""
    return str(IPAddress(dice.randrange(11 << 24, 192 << 24), 4))


def _forwarded(dice: Random) -> str:
    """From the LAN."""
    return f"{_to_internet(dice)} from 192.168.10.7 iif eth1"


_KINDS: Final[tuple[tuple[str, Callable[[Random], str], bool], ...]] = (
    ("to a peer, site to site", _to_peer, False),
    ("to a peer, IPv6, site to site", _to_peer6, False),
    ("to the internet, full tunnel", _to_internet, True),
    ("from the LAN, full tunnel", _forwarded, True),
    ("to the internet, in clear", _to_internet, False),
)
_QUESTIONS: Final = 2_000
_ROUNDS: Final = 5


def measured(snapshot: Snapshot, kind: Callable[[Random], str]) -> float:
    """Seconds of one answer: the median of 2,000 different ones, each the best of five rounds.

    Every round has a snapshot of its own, so that no answer was ever given before; the best of
    each, because whoever shares the machine interrupts some answers in every round.
    """
    dice = Random(7)
    flows = [Flow.parse(kind(dice)) for _ in range(_QUESTIONS)]
    best = [float("inf")] * _QUESTIONS
    for _ in range(_ROUNDS):
        fresh, times = replace(snapshot), []
        lookup(fresh, flows[0])  # what is worked out once is not what a key press waits for
        for flow in flows:
            begin = time.perf_counter()
            lookup(fresh, flow)
            times.append(time.perf_counter() - begin)
        best = list(map(min, best, times))
    return median(best)


def route_get() -> float:
    """Seconds of one ``ip route get`` as a process: the best of five medians."""
    ip = shutil.which("ip")
    if ip is None:
        raise SystemExit("iproute2 is missing")
    argv, best = [ip, "route", "get", "127.0.0.1"], float("inf")
    for _ in range(_ROUNDS):
        times = []
        for _ in range(50):
            begin = time.perf_counter()
            process = os.posix_spawn(ip, argv, os.environ, file_actions=_QUIET)
            os.waitpid(process, 0)
            times.append(time.perf_counter() - begin)
        best = min(best, median(times))
    return best


_QUIET: Final = ((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),)


def rows() -> Iterator[Row]:
    """Every kind of question on a small host and on a large one; then a process beside it."""
    slowest = 0.0
    for full_tunnel in (False, True):
        small, large = (host(count, full_tunnel=full_tunnel) for count in (1_000, 1_000_000))
        for what, kind, wanted in _KINDS:
            if wanted is full_tunnel:
                few, many = measured(small, kind), measured(large, kind)
                slowest = max(slowest, many)
                how = f"median of {_QUESTIONS:,} different flows, each best of {_ROUNDS} rounds"
                yield at_most(f"one full answer {what}", many * 1e6, 150, "µs", f"1M routes; {how}")
                times = f"{few * 1e6:.1f} µs with 1,000 routes"
                yield at_most("· against 1,000 routes", many / few, 2, "times", times)
    process = route_get()
    told = f"{process * 1e6:.0f} µs a process, which tells rule, losers, owner, reverse of nothing"
    yield at_least("`ip route get` as a process", process / slowest, 50, "times", told)
