"""VRFs: which table, which link, which filter? The lab's kernel has them and judges (S-A23)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.kernel.fuzz.compare import answers, minimal, run
from tests.kernel.fuzz.hosts import host, settled
from tests.kernel.fuzz.worlds import World
from tests.kernel.hosts import Kind, open_pair
from tests.kernel.test_truth import seen, told
from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Reason

pytestmark = pytest.mark.lab

SEED, LOOKUPS = 3, 200

MEMBERS = World(
    (
        # No address comes later by itself, or is tentative when the facts are read.
        "sysctl -w net.ipv6.conf.default.accept_dad=0",
        "sysctl -w net.ipv6.conf.default.addr_gen_mode=1",
        "ip link set lo up",
        *(
            f"ip link {words}"
            for n in range(3)
            for words in (f"add v{n} type veth peer name w{n}", f"set w{n} up", f"set v{n} up")
        ),
        "ip link add blue type vrf table 100",
        "ip link set blue up",
        "ip link set v0 master blue",
        "ip link set v1 master blue",
        "sysctl -w net.ipv4.ip_forward=1",
        "sysctl -w net.ipv6.conf.all.forwarding=1",
        "sysctl -w net.ipv4.conf.v1.rp_filter=1",
        *(f"ip -4 address add 10.0.{n}.1/24 dev v{n}" for n in range(3)),
        *(f"ip -6 address add fd00:{n}::1/64 nodad dev v{n}" for n in range(3)),
        *(f"ip -6 address add fe80::1{n}/64 nodad dev v{n}" for n in range(3)),
        "ip -4 route add default via 10.0.0.2 table 100",
        "ip -4 route add default via 10.0.2.2",
        "ip -6 route add default via fd00:0::2 table 100",
        "ip -6 route add default via fd00:2::2",
    )
)


@pytest.fixture(scope="module")
def members() -> Iterator[Snapshot]:
    """v0 and v1 in the VRF blue, v2 outside; as wgtui sees it."""
    with host(MEMBERS) as source:
        yield settled(source)


def test_engine_and_kernel_agree_about_vrfs() -> None:
    """Random hosts with VRFs, members of them and rules around them: no answer differs."""
    tally = run(SEED, LOOKUPS, vrfs=True)
    assert not tally.disagreements, str(minimal(tally.disagreements[0]))
    assert tally.incomparable.total() < LOOKUPS // 5
    assert {"sent", "local", "no-route"} <= set(tally.outcomes)


@pytest.mark.parametrize(
    ("words", "table", "link"),
    [
        ("8.8.8.8", 254, "v2"),
        ("8.8.8.8 oif blue", 100, "v0"),
        ("8.8.8.8 oif v0", 100, "v0"),
        ("8.8.8.8 from 10.0.0.77 iif v0", 100, "v0"),
        ("8.8.8.8 from 10.0.2.77 iif v2", 254, "v2"),
        ("10.0.1.7 oif blue", 100, "v1"),
        ("2001:db8::8", 254, "v2"),
        ("2001:db8::8 oif blue", 100, "v0"),
        ("2001:db8::8 from fd00:1::7 iif v1", 100, "v0"),
        ("fe80::7 oif v1", 100, "v1"),
        ("ff0e::1 oif v1", 100, "v1"),
    ],
)
def test_a_vrf_picks_the_table(members: Snapshot, words: str, table: int, link: str) -> None:
    """By the link a packet comes in on or is bound to; bound to the VRF itself it may leave by any
    member (S-A23, S-B80)."""
    flow = Flow.parse(words)
    [answer] = answers(members.namespace, [flow])
    trace = lookup(members, flow)
    assert trace.route is not None
    assert trace.route.route is not None
    assert (trace.route.route.table, members.link_name(trace.route.link)) == (table, link)
    assert answer is not None
    assert differences(members, trace, answer) == ()


def test_the_filter_looks_back_in_the_vrf(members: Snapshot) -> None:
    """rp_filter asks the VRF's table for the way back, also for what is delivered here; a VRF's
    member is not the same link as another one (S-D4, S-D5)."""
    flows = [
        Flow.parse(words)
        for words in (
            "10.0.1.1 from 10.0.1.7 iif v1",
            "10.0.1.1 from 10.0.0.7 iif v1",
            "10.0.1.1 from 10.0.2.7 iif v1",
            "10.0.0.7 from 10.0.1.7 iif v1",
        )
    ]
    replies = answers(members.namespace, flows)
    traces = [lookup(members, flow) for flow in flows]
    assert [trace.outcome for trace in traces] == [
        Outcome.LOCAL,
        Outcome.RPF_DROPPED,
        Outcome.RPF_DROPPED,
        Outcome.SENT,
    ]
    for trace, answer in zip(traces, replies, strict=True):
        assert answer is not None
        assert differences(members, trace, answer) == ()


def test_a_rule_that_names_a_vrf_is_for_its_members_since_linux_6_15() -> None:
    """Before, nobody can tell from the version what such a rule means: that is said (S-A23)."""
    rules = tuple(
        f"ip -{family} rule add priority 500 {selector} blue prohibit"
        for family, selector in ((4, "oif"), (6, "iif"))
    )
    with host(World(MEMBERS.commands + rules)) as source:
        snapshot = settled(source)
        flows = [
            Flow.parse(words) for words in ("8.8.8.8 oif v0", "fd00:7::8 from fd00:1::7 iif v1")
        ]
        replies = answers(snapshot.namespace, flows)
    for flow, answer in zip(flows, replies, strict=True):
        trace, modern = lookup(snapshot, flow), lookup(replace(snapshot, kernel="6.15.0"), flow)
        assert modern.outcome is Outcome.PROHIBITED
        assert answer is not None
        if snapshot.kernel_version >= (6, 15):
            assert differences(snapshot, trace, answer) == ()
        else:
            assert (trace.outcome, trace.reason) == (Outcome.UNKNOWN, Reason.UNKNOWN_SELECTOR)


@pytest.mark.wireguard
def test_a_wireguard_device_in_a_vrf_sends_its_encrypted_packets_outside() -> None:
    """Inside, the VRF's table leads to it; the encrypted packet takes the main table's way, and an
    answer comes (S-B80)."""
    with open_pair(Kind.KERNEL) as pair:
        pair.alice.ip(
            "link add blue type vrf table 100",
            "link set blue up",
            "link set wg0 master blue",
        )
        trace = told(pair.alice, "10.77.0.2 oif blue")
        snapshot = seen(pair.alice)
        assert trace.outcome is Outcome.ENCRYPTED
        assert trace.route is not None
        assert trace.route.route is not None
        assert trace.route.route.table == 100
        assert trace.outer is not None
        assert trace.outer.route is not None
        assert trace.outer.route.route is not None
        assert trace.outer.route.route.table == 254
        assert snapshot.link_name(trace.outer.route.link) == "eth0"
        assert told(pair.alice, "10.77.0.2").outcome is Outcome.NO_ROUTE
        assert pair.alice.ping("10.77.0.2", source="blue")
        assert not pair.alice.ping("10.77.0.2")
