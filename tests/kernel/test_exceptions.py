"""What the kernel keeps for single destinations: smaller MTUs, learned from real ICMP errors."""

from collections.abc import Iterator

import pytest
from netaddr import IPAddress

from tests.kernel.hosts import Host, Network
from tests.kernel.test_truth import seen, told
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.trace import Outcome

FAR4, FAR6 = "203.0.113.9", "2001:db8:9::9"


@pytest.fixture
def host() -> Iterator[Host]:
    """A host that has learned that the way to far is narrow.

    host ── 192.0.2.0/24 ── router ── mtu 1300 ── far 203.0.113.9, 2001:db8:9::9
    """
    with Network() as network:
        near, router, far = (network.host(name) for name in ("near", "router", "far"))
        network.cable(near, "eth0", router, "near")
        network.cable(router, "far", far, "eth0")
        near.ip(
            "address add 192.0.2.2/24 dev eth0",
            "address add 2001:db8:1::2/64 dev eth0 nodad",
            "link set eth0 up",
        )
        router.ip(
            "address add 192.0.2.1/24 dev near",
            "address add 2001:db8:1::1/64 dev near nodad",
            "link set near up",
            "address add 203.0.113.1/24 dev far",
            "address add 2001:db8:9::1/64 dev far nodad",
            "link set far mtu 1300 up",
        )
        far.ip(
            f"address add {FAR4}/24 dev eth0",
            f"address add {FAR6}/64 dev eth0 nodad",
            "link set eth0 up",
            "route add default via 203.0.113.1",
        )
        near.ip("route add default via 192.0.2.1")
        near.ip("route add default via 2001:db8:1::1", family="-6")
        far.ip("route add default via 2001:db8:9::1", family="-6")
        router.sysctl("net.ipv4.ip_forward", 1)
        router.sysctl("net.ipv6.conf.all.forwarding", 1)
        assert near.ping(FAR4)
        assert near.ping(FAR6)
        for address in (FAR4, FAR6):
            words = ["ping", "-n", "-q", "-c", "2", "-W", "1", "-M", "do", "-s", "1400", address]
            near.run("sh", "-c", " ".join(words) + " || true")
        yield near


def test_a_learned_mtu_is_seen_and_changes_no_route(host: Host) -> None:
    """The exception is no entry of a table; it stands beside the winning route (S-B14, S-B67)."""
    snapshot = seen(host)
    kept = {str(one.destination): one.mtu for one in snapshot.exceptions}
    assert kept == {FAR4: 1300, FAR6: 1300}
    for address in (FAR4, FAR6):
        trace = told(host, address)
        assert trace.outcome is Outcome.SENT
        assert trace.route is not None
        assert trace.route.cached is not None
        assert trace.route.cached.mtu == 1300
        assert trace.route.route is not None
        assert trace.route.route.destination.length == 0
        other = lookup(snapshot, Flow.parse(str(IPAddress(address) + 1)))
        assert other.route is not None
        assert other.route.cached is None


def test_an_ipv6_exception_escapes_the_suppressor(host: Host) -> None:
    """With wg-quick's rules a destination with an exception leaves by main's default (S-A63)."""
    for family in ("-4", "-6"):
        host.run("ip", family, "rule", "add", "pref", "101", "lookup", "51820")
        host.run(
            *("ip", family, "rule", "add", "pref", "100", "lookup", "main"),
            *("suppress_prefixlength", "0"),
        )
        host.run("ip", family, "route", "add", "prohibit", "default", "table", "51820")
    assert told(host, FAR4).outcome is Outcome.PROHIBITED
    assert told(host, FAR6).outcome is Outcome.SENT
    assert told(host, "2001:db8:9::a").outcome is Outcome.PROHIBITED
