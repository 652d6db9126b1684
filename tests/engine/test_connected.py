"""What a connecting socket gets, where that differs from a single lookup."""

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome
from wgtui.sources.shorthand import HostLines, read_host


def host(rules4: str = "", rules6: str = "") -> Snapshot:
    """Two uplinks; ``rules`` may send one uplink's source through the other."""
    return read_host(
        HostLines(
            links="""
eth0 UP 192.0.2.10/24 2001:db8:1::10/64
eth1 UP 198.51.100.10/24 2001:db8:2::10/64
""",
            rules4=rules4,
            rules6=rules6,
            routes4="""
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10
198.51.100.0/24 dev eth1 proto kernel scope link src 198.51.100.10
default via 198.51.100.1 dev eth1 table 100
""",
            routes6="""
2001:db8:1::/64 dev eth0 proto kernel metric 256
2001:db8:2::/64 dev eth1 proto kernel metric 256
default via 2001:db8:2::1 dev eth1 table 100 metric 1024
""",
        )
    )


RULES4 = """
0: from all lookup local
100: from 192.0.2.10 lookup 100
32766: from all lookup main
"""


def test_a_connecting_socket_is_looked_up_again_with_its_source() -> None:
    """The first walk picks 192.0.2.10, and then the rule for that source applies (S-A40)."""
    snapshot = host(rules4=RULES4)
    trace = lookup(snapshot, Flow.parse("203.0.113.9"))
    assert trace.route is not None
    assert snapshot.link_name(trace.route.link) == "eth0"
    again = trace.connected
    assert again is not None
    assert again.route is not None
    assert again.outcome is Outcome.SENT
    assert snapshot.link_name(again.route.link) == "eth1"
    assert str(again.route.source) == "192.0.2.10"


def test_without_from_rules_there_is_nothing_to_add() -> None:
    """A second walk that can only repeat the first is not spoken of."""
    assert lookup(host(), Flow.parse("203.0.113.9")).connected is None


def test_a_bound_source_or_link_is_looked_up_once() -> None:
    """With ``from`` or ``oif`` the flow itself says what the second walk would add."""
    snapshot = host(rules4=RULES4)
    assert lookup(snapshot, Flow.parse("203.0.113.9 from 192.0.2.10")).connected is None
    assert lookup(snapshot, Flow.parse("203.0.113.9 oif eth0")).connected is None


def test_a_forwarded_packet_is_looked_up_once() -> None:
    """What arrives has its source already."""
    snapshot = host(rules4=RULES4)
    flow = Flow.parse("203.0.113.9 from 198.51.100.77 iif eth1")
    assert lookup(snapshot, flow).connected is None


def test_ipv6_asks_again_only_after_an_error() -> None:
    """No route without a source, but one for the source that would be chosen (S-A41)."""
    rules6 = """
0: from all lookup local
100: from 2001:db8:1::10 lookup 100
110: from 2001:db8:2::10 lookup 100
32766: from all lookup main
"""
    snapshot = host(rules6=rules6)
    trace = lookup(snapshot, Flow.parse("2001:db8:9::9"))
    assert trace.outcome is Outcome.NO_ROUTE
    assert trace.connected is not None
    assert trace.connected.outcome is Outcome.SENT
    reached = lookup(snapshot, Flow.parse("2001:db8:1::9"))
    assert reached.outcome is Outcome.SENT
    assert reached.connected is None


def test_an_ipv6_socket_bound_to_a_link_asks_again_too() -> None:
    """After an error, and by that link alone: another link's way is none for it (S-A41, S-B63)."""
    rules6 = """
0: from all lookup local
100: from 2001:db8:1::10 lookup 100
32766: from all lookup main
"""
    snapshot = host(rules6=rules6)
    bound = lookup(snapshot, Flow.parse("2001:db8:9::9 oif eth1"))
    assert bound.outcome is Outcome.NO_ROUTE
    assert bound.connected is not None
    assert bound.connected.outcome is Outcome.SENT
    other = lookup(snapshot, Flow.parse("2001:db8:9::9 oif eth0"))
    assert other.outcome is Outcome.NO_ROUTE
    assert other.connected is None
