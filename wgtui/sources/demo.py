"""What does wgtui show where there is nothing to see? The invented host ``edge-1``.

It needs no privilege, no network and no WireGuard, and stands still at one moment, so that tests,
screenshots and a first look are always the same.
"""

from __future__ import annotations

from functools import cached_property
from threading import Event
from typing import Final

from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.sources import Progress
from wgtui.sources.demo_host import EDGE1, HOOKS
from wgtui.sources.shorthand import read_host

TAKEN_AT: Final = 1795341600.0
"""2026-11-22T10:00:00Z."""

TOUR: Final[tuple[tuple[str, str, str], ...]] = (
    ("192.168.10.1", "local", "an address of edge-1 itself"),
    ("192.168.10.20", "sent", "the LAN is more specific than the full tunnel"),
    ("198.51.100.99", "encrypted", "wg-quick's rules send everything else through fra1"),
    (
        "198.51.100.99 mark 0xca6c",
        "sent",
        "the mark of the encrypted packets goes around the tunnel",
    ),
    ("2001:db8:ffff::1", "encrypted", "the same full tunnel for IPv6"),
    (
        "10.30.4.1",
        "encrypted",
        "ams2 has the /16; its endpoint rides inside wg0: a tunnel in a tunnel",
    ),
    ("10.30.5.1", "encrypted", "lon3's /24 is more specific than ams2's /16"),
    ("10.30.5.9", "encrypted", "and nas9's /32 lies inside that /24"),
    ("10.31.0.1", "encrypted", "meant for ams2, but the kernel moved the prefix to lon3"),
    ("fd30:0:0:5::1", "encrypted", "lon3's /64 inside ams2's /48"),
    ("10.35.0.1", "encrypted", "via bru5's address, but WireGuard looks at the destination: lon3"),
    ("10.90.1.1", "sent", "two next hops: the kernel picks by a hash"),
    ("172.30.7.9", "encrypted", "bru5 owns it, but no route leads to wg1: it goes to fra1 instead"),
    ("10.44.0.1", "no-peer", "a route leads into wg1, and no peer owns the address"),
    ("2001:db8:44::1", "no-peer", "the same for IPv6"),
    ("10.20.0.50", "no-endpoint", "laptop has never called, so nobody knows where it is"),
    ("10.36.1.1", "outer-failed", "par6's endpoint is behind an unreachable route"),
    ("198.51.100.195", "loop", "osl4's endpoint lies inside osl4's own AllowedIPs and route"),
    ("2001:db8:ffff::1 oif eth1", "no-route", "bound to a link that has no route there"),
    ("198.51.100.99 from 198.51.100.1", "no-route", "that source is not an address of this host"),
    ("10.66.0.1", "blackholed", "a blackhole route"),
    ("10.67.0.1", "unreachable", "an unreachable route"),
    ("10.68.0.1", "prohibited", "a prohibit route"),
    ("198.51.100.99 mark 0xdead", "prohibited", "a rule refuses this mark by itself"),
    ("fd67::1", "unreachable", "the same for IPv6"),
    ("192.168.30.7", "link-down", "eth2 has no carrier, but its route still wins"),
    ("198.51.100.77", "unknown", "a rule has a selector that this version does not know"),
    (
        "198.51.100.99 from 192.168.10.200 iif eth1",
        "sent",
        "this part of the LAN has a table of its own, around the tunnel",
    ),
    (
        "192.168.10.20 from 10.30.5.7 iif wg1 peer lon3",
        "sent",
        "decrypted from the peer that owns the source, and forwarded to the LAN",
    ),
    (
        "192.168.10.20 from 10.30.5.7 iif wg1 peer ams2",
        "not-allowed",
        "ams2 has the /16, but lon3 owns this address: dropped after decryption",
    ),
    (
        "192.168.10.20 from 172.30.7.9 iif wg1 peer bru5",
        "rpf-dropped",
        "bru5 owns the source, but strict rp_filter wants a route back through wg1",
    ),
    ("192.168.10.20 from 127.0.0.1 iif eth0", "martian", "127/8 does not travel"),
    (
        "192.168.10.20 from 198.51.100.99 iif wg0 peer fra1",
        "not-forwarded",
        "forwarding is off on wg0",
    ),
)
"""(flow, outcome, why): every outcome at least once."""


class DemoSource:
    """The same snapshot for ever."""

    spec: Final = "demo"
    live: Final = False

    def __init__(self) -> None:
        self._woken = Event()

    @cached_property
    def _snapshot(self) -> Snapshot:
        return read_host(
            EDGE1,
            taken_at=TAKEN_AT,
            host="edge-1",
            kernel="6.1.0-28-amd64",
            source="demo",
            local_in_main=False,
            hooks=HOOKS,
        )

    def read(self, progress: Progress | None = None) -> Snapshot:
        """The host edge-1."""
        return self._snapshot

    def refresh(self, previous: Snapshot, seconds: float) -> Snapshot:
        """Nothing ever moves here."""
        self._woken.wait(seconds)
        self._woken.clear()
        return previous

    def wake(self) -> None:
        """End the waiting."""
        self._woken.set()

    def ask(self, flow: Flow) -> KernelAnswer | None:
        """There is no kernel to ask."""
        return None

    def close(self) -> None:
        """Nothing is open."""
