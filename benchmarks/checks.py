"""How long does a look for known mistakes take? It must not be noticed beside the screen."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from time import process_time

from netaddr import IPAddress

from benchmarks.table import Row, at_most
from wgtui.engine.checks import check
from wgtui.model.finding import Finding
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkAddress,
    LinkIndex,
    NextHop,
    RouteInfo,
    RouteType,
    Scope,
)
from wgtui.model.prefix import Prefix
from wgtui.model.routes import RouteTablesBuilder
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, DeviceConfig, Endpoint, Peer, PeerConfig

PEERS = 10_000
ALLOWED = 4
ETH0, WG0 = LinkIndex(2), LinkIndex(3)


def rows() -> Iterator[Row]:
    """A hub that is in order, the same where every route is missing, and one beside a full
    table."""
    plain = hub()
    yield _row("10,000 peers x 4, in order", plain, 1.0, alarming=0)
    yield _row("… with their configuration", hub(meant=True), 1.0, alarming=0)
    unrouted = PEERS * (ALLOWED - 1)
    yield _row("… every route missing", hub(routed=False), 5.0, alarming=unrouted)
    yield _row("… and 1,000,000 routes by eth0", hub(others=1_000_000), 3.0, alarming=0)


def _row(what: str, snapshot: Snapshot, limit: float, *, alarming: int) -> Row:
    gc.collect()
    took: list[float] = []
    found: tuple[Finding, ...] = ()
    for _ in range(3):
        started = process_time()
        found = check(snapshot)
        took.append(process_time() - started)
        assert sum(finding.severity.alarming for finding in found) == alarming
    how = f"processor time, best of 3, {len(found):,} findings, {alarming:,} of them alarming"
    return at_most(what, min(took), limit, "s", how)


def hub(*, meant: bool = False, routed: bool = True, others: int = 0) -> Snapshot:
    """A host with ``PEERS`` peers: a host address each, and three networks behind it."""
    peers = tuple(_peer(number) for number in range(PEERS))
    builder = RouteTablesBuilder()
    wire = RouteInfo(RouteType.UNICAST, next_hops=(NextHop(ETH0, IPAddress("192.0.2.1")),))
    builder.add(MAIN_TABLE, Prefix(4, 0, 0), wire)
    own = Prefix.parse("10.0.0.0/16")
    tunnel = RouteInfo(RouteType.UNICAST, Scope.LINK, "kernel", next_hops=(NextHop(WG0),))
    builder.add(MAIN_TABLE, own, tunnel)
    local = RouteInfo(RouteType.LOCAL, Scope.HOST, "kernel", next_hops=(NextHop(WG0),))
    builder.add(LOCAL_TABLE, Prefix.parse("10.0.255.1/32"), local)
    into = RouteInfo(RouteType.UNICAST, Scope.LINK, "boot", next_hops=(NextHop(WG0),))
    for peer in peers if routed else ():
        for prefix in peer.allowed_ips[1:]:
            builder.add(MAIN_TABLE, prefix, into)
    for number in range(others):
        builder.add(MAIN_TABLE, Prefix(4, (20 << 24) + (number << 8), 24), wire)
    address = LinkAddress(IPAddress("10.0.255.1"), own)
    links = (
        Link(ETH0, "eth0", mtu=1500),
        Link(WG0, "wg0", kind="wireguard", mtu=1420, addresses=(address,)),
    )
    configs = (
        DeviceConfig(
            "wg0",
            "/etc/wireguard/wg0.conf",
            peers=tuple(
                PeerConfig(
                    peer.public_key,
                    allowed_ips=peer.allowed_ips,
                    allowed_ips_written=tuple(str(prefix) for prefix in peer.allowed_ips),
                )
                for peer in peers
            ),
        ),
    )
    return Snapshot(
        1_700_000_000.0,
        links={link.index: link for link in links},
        routes=builder.build(),
        rules={},
        devices={WG0: Device(WG0, "wg0", "K" * 43 + "=", 51820, peers=peers)},
        meant=configs if meant else (),
        local_in_main=True,
    )


def _peer(number: int) -> Peer:
    networks = (f"172.{16 + n}.{number >> 8}.{number & 255}" for n in range(0, 12, 4))
    allowed = [Prefix(4, (10 << 24) + number, 32)]
    allowed += [Prefix.parse(f"{network}/32") for network in networks]
    endpoint = Endpoint(IPAddress((198 << 24) + number), 51820)
    key = f"{number:05d}".ljust(43, "A") + "="
    return Peer(key, f"peer{number}", endpoint, tuple(allowed), 1_699_999_990.0, 10, 10)
