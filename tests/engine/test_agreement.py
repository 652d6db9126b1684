"""What of a trace can be compared with the running kernel's answer (S-C9)?"""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from netaddr import IPAddress

from tests.engine.worlds import ask, rules, world
from wgtui.engine.agreement import differences
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import LOOPBACK, LinkIndex, RouteType, TableId
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot

ETH0, ETH1 = LinkIndex(2), LinkIndex(3)
DEFAULT = KernelAnswer(
    type=RouteType.UNICAST,
    table=TableId(254),
    link=ETH0,
    gateway=IPAddress("192.0.2.1"),
    source=IPAddress("192.0.2.10"),
    prefix=Prefix.parse("0.0.0.0/0"),
)
SPLIT = rules("10: from all nop")


def fields(snapshot: Snapshot, flow: str, answer: KernelAnswer) -> list[str] | None:
    """The fields that differ; None: not comparable."""
    found = differences(snapshot, ask(snapshot, flow), answer)
    return None if found is None else [one.field for one in found]


def test_the_same_route_agrees() -> None:
    """Link, gateway, table, prefix and source are the same."""
    assert fields(world(), "8.8.8.8", DEFAULT) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (replace(DEFAULT, link=ETH1), "way"),
        (replace(DEFAULT, gateway=None), "way"),
        (replace(DEFAULT, table=TableId(100)), "table"),
        (replace(DEFAULT, prefix=Prefix.parse("8.0.0.0/8")), "prefix"),
        (replace(DEFAULT, source=IPAddress("198.51.100.10")), "source"),
        (KernelAnswer(errno=errno.ENETUNREACH), "answer"),
    ],
)
def test_every_difference_is_named(changed: KernelAnswer, field: str) -> None:
    """One field differs, and that one is told."""
    assert fields(world(), "8.8.8.8", changed) == [field]


def test_what_the_kernel_leaves_out_is_not_compared() -> None:
    """The source that was asked for, and the prefix of an on-link answer (S-C5, S-C6)."""
    bare = replace(DEFAULT, source=None, prefix=None, table=None)
    assert fields(world(), "8.8.8.8", bare) == []
    other = replace(DEFAULT, source=IPAddress("198.51.100.10"))
    assert fields(world(), "8.8.8.8 from 192.0.2.10", other) == []


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("blackhole", errno.EINVAL),
        ("unreachable", errno.EHOSTUNREACH),
        ("prohibit", errno.EACCES),
        ("throw", errno.ENETUNREACH),
    ],
)
def test_each_error_type_is_one_errno(kind: str, number: int) -> None:
    """Output errnos (S-B19); any other one is a difference."""
    snapshot = world(routes4=f"{kind} 20.0.0.0/8")
    for answer in (errno.EINVAL, errno.EHOSTUNREACH, errno.EACCES, errno.ENETUNREACH):
        expected = [] if answer == number else ["answer"]
        assert fields(snapshot, "20.0.0.1", KernelAnswer(errno=answer)) == expected
    assert fields(snapshot, "20.0.0.1", DEFAULT) == ["answer"]


def test_an_unreachable_rule_is_another_errno_than_the_route() -> None:
    """ENETUNREACH, not EHOSTUNREACH (S-A8)."""
    snapshot = world(rules4=rules("10: from all unreachable"))
    assert fields(snapshot, "8.8.8.8", KernelAnswer(errno=errno.ENETUNREACH)) == []
    assert fields(snapshot, "8.8.8.8", KernelAnswer(errno=errno.EHOSTUNREACH)) == ["answer"]


def test_where_forwarding_is_off_everything_is_ehostunreach() -> None:
    """A failed input lookup too (S-B40)."""
    flow = "8.8.8.8 from 192.0.2.7 iif eth0"
    assert fields(world(), flow, KernelAnswer(errno=errno.EHOSTUNREACH)) == []
    assert fields(world(), flow, KernelAnswer(errno=errno.ENETUNREACH)) == ["answer"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EXDEV])
def test_a_filtered_packet_may_be_either_errno(number: int) -> None:
    """EXDEV before Linux 6.13, EINVAL since (S-C4)."""
    snapshot = world(sysctls="net.ipv4.conf.all.rp_filter = 1")
    flow = "192.0.2.10 from 8.8.8.8 iif eth1"
    assert fields(snapshot, flow, KernelAnswer(errno=number)) == []
    assert fields(snapshot, flow, KernelAnswer(errno=errno.EACCES)) == ["answer"]


def test_local_is_any_kind_of_delivery() -> None:
    """local, broadcast and so on; a unicast answer is a difference."""
    local = KernelAnswer(type=RouteType.LOCAL, table=TableId(255), link=LOOPBACK)
    snapshot = world(rules4=SPLIT)
    assert fields(snapshot, "192.0.2.10", local) == []
    assert fields(snapshot, "192.0.2.10", replace(local, table=TableId(100))) == ["table"]
    assert fields(snapshot, "192.0.2.10", DEFAULT) == ["answer"]


def test_in_one_tree_the_kernel_names_main_for_local_routes() -> None:
    """The merged tree is table 254, while a dump says 255 (S-A4, S-A5)."""
    local = KernelAnswer(type=RouteType.LOCAL, table=TableId(254), link=LOOPBACK)
    assert fields(world(), "192.0.2.10", local) == []
    assert fields(world(rules4=SPLIT), "192.0.2.10", local) == ["table"]


def test_any_leg_that_can_win_agrees() -> None:
    """Which leg the hash picks is not predicted (S-B8)."""
    routes = "20.0.0.0/8\n nexthop via 192.0.2.7 dev eth0\n nexthop dev eth1"
    snapshot = world(routes4=routes)
    one = replace(
        DEFAULT, gateway=IPAddress("192.0.2.7"), prefix=Prefix.parse("20.0.0.0/8"), source=None
    )
    assert fields(snapshot, "20.0.0.1", one) == []
    assert fields(snapshot, "20.0.0.1", replace(one, link=ETH1, gateway=None)) == []
    assert fields(snapshot, "20.0.0.1", replace(one, link=ETH1)) == ["way"]


@pytest.mark.parametrize("flow", ["fd00::1 from ff02::1", "2001:db8::10 from ::1 iif eth0"])
def test_what_ipv6_refuses_at_the_door_cannot_be_compared(flow: str) -> None:
    """The query checks no addresses (S-B70)."""
    assert fields(world(), flow, KernelAnswer(errno=errno.ENETUNREACH)) is None


def test_what_is_unknown_or_not_allowed_cannot_be_compared() -> None:
    """wgtui does not know, or WireGuard refuses before routing does."""
    snapshot = world(rules4=rules("10: from all unknown moonphase nop"))
    assert fields(snapshot, "8.8.8.8", DEFAULT) is None
    hub = world(
        "eth0 UP 192.0.2.10/24\nwg0 UP 10.7.0.1/24",
        wireguard="wg0\npeer A allowed-ips 10.7.0.2/32",
    )
    assert fields(hub, "10.7.0.1 from 10.7.0.9 iif wg0", DEFAULT) is None


def test_ipv6_answers_a_query_it_would_not_forward() -> None:
    """RTM_GETROUTE with iif does not check forwarding (S-B70)."""
    answer = KernelAnswer(
        type=RouteType.UNICAST,
        table=TableId(254),
        link=ETH0,
        gateway=IPAddress("2001:db8::1"),
        prefix=Prefix.parse("::/0"),
    )
    flow = "fd00::1 from 2001:db8::7 iif eth0"
    assert fields(world(), flow, answer) == []
    assert fields(world(), flow, replace(answer, link=ETH1)) == ["way"]
