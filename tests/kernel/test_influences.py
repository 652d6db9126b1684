"""Is what may change an answer beside netfilter seen where it is, and said? (S-H6 … S-H8, S-H20)

A real IPsec policy and real filters of traffic control: none of it is simulated, all of it named.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.kernel.hosts import Host, Network
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Exactness, Trace
from wgtui.report.sentences import answer
from wgtui.sources.live import LiveSource

TEMPLATE = "tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel"
PROGRAM = ("bpf", "bytecode", "1,6 0 0 4294967295,")
"""A classic BPF program that takes every packet; tc wants it as one word."""


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with eth0 (192.0.2.1/24) and eth1, both cables to itself; a default route by eth0."""
    with Network() as network:
        host = network.host("host")
        for number in (0, 1):
            host.ip(
                f"link add eth{number} type veth peer name peer{number}",
                f"link set eth{number} up",
                f"link set peer{number} up",
            )
        host.ip("address add 192.0.2.1/24 dev eth0", "route add default via 192.0.2.2")
        yield host


def look(host: Host) -> Snapshot:
    """The host as the live source sees it from outside."""
    with closing(LiveSource(host.namespace)) as source:
        return source.read()


def ask(snapshot: Snapshot, flow: str) -> Trace:
    """What happens to this packet?"""
    return lookup(snapshot, Flow.parse(flow))


def said(snapshot: Snapshot, flow: str) -> str:
    """The lines that say what else could change it; empty when there is none."""
    lines = answer(snapshot, ask(snapshot, flow))
    return "; ".join(line.text for line in lines if line.label == "but")


def test_a_host_without_any_is_answered_exactly(host: Host) -> None:
    """Everything was looked at and nothing found: no word about it (S-H20)."""
    snapshot = look(host)
    assert snapshot.gaps == ()
    assert snapshot.influences == ()
    assert ask(snapshot, "10.1.2.3").exactness is Exactness.EXACT
    assert said(snapshot, "10.1.2.3") == ""


def test_an_ipsec_policy_concerns_what_its_selector_may_match(host: Host) -> None:
    """Destination, and source, protocol and ports as far as they are known (S-H6)."""
    words = f"src 192.0.2.0/24 dst 10.1.0.0/16 proto udp dport 53 dir out {TEMPLATE}"
    host.ip(f"xfrm policy add {words}", "xfrm policy add src ::/0 dst ::/0 dir out action allow")
    snapshot = look(host)
    [influence] = snapshot.influences or ()
    assert influence.effect is Effect.TRANSFORM
    for flow, concerned in {
        "10.1.2.3": True,
        "10.2.2.3": False,
        "10.1.2.3 ipproto udp dport 53": True,
        "10.1.2.3 ipproto udp dport 54": False,
        "10.1.2.3 ipproto tcp dport 53": False,
        "2001:db8::1": False,
    }.items():
        assert (ask(snapshot, flow).influences == (influence,)) is concerned, flow
    assert "out from 192.0.2.0/24 to 10.1.0.0/16 udp encrypts" in said(snapshot, "10.1.2.3")
    assert ask(snapshot, "10.1.2.3").exactness is Exactness.MAY_CHANGE


def test_arriving_packets_meet_the_other_policies(host: Host) -> None:
    """What is delivered here meets ``in``, what goes on ``fwd`` and then ``out`` (S-H6)."""
    host.sysctl("net.ipv4.ip_forward", 1)
    host.sysctl("net.ipv4.conf.all.rp_filter", 0)
    host.sysctl("net.ipv4.conf.eth0.rp_filter", 0)
    both = "src 10.0.0.0/8 dst 0.0.0.0/0"
    host.ip(
        f"xfrm policy add {both} dir in {TEMPLATE}",
        f"xfrm policy add {both} dir fwd action block",
        f"xfrm policy add {both} dir out {TEMPLATE}",
    )
    snapshot = look(host)
    met = {
        flow: {influence.direction for influence in ask(snapshot, flow).influences}
        for flow in ("192.0.2.1 from 10.9.9.9 iif eth0", "10.2.2.2 from 10.9.9.9 iif eth0")
    }
    assert list(met.values()) == [{Direction.IN}, {Direction.FORWARD, Direction.OUT}]


def test_a_filter_that_redirects_concerns_the_link_it_is_on(host: Host) -> None:
    """Where the packet leaves; where the answer comes in; and no other link (S-H7)."""
    host.ip("link add ifb0 type ifb", "link set ifb0 up", "route add 10.2.0.0/16 dev eth1")
    to_10 = "protocol ip u32 match ip dst 10.0.0.0/8 action mirred egress"
    for line in (
        "qdisc add dev eth0 clsact",
        f"filter add dev eth0 egress {to_10} redirect dev eth1",
        f"filter add dev eth0 egress {to_10} mirror dev peer1",
        "qdisc add dev eth1 clsact",
        f"filter add dev eth1 ingress {to_10} redirect dev ifb0",
        "qdisc add dev peer1 handle ffff: ingress",
    ):
        host.run("tc", *line.split())
    host.run("tc", "filter", "add", "dev", "peer1", "parent", "ffff:", *PROGRAM)
    snapshot = look(host)
    eth0, eth1, peer1 = (snapshot.links_by_name[name].index for name in ("eth0", "eth1", "peer1"))
    assert set(snapshot.influences or ()) == {
        Influence(InfluenceKind.TC, Direction.OUT, Effect.REDIRECT, eth0, eth1),
        Influence(InfluenceKind.TC, Direction.IN, Effect.PROGRAM, peer1),
    }
    assert said(snapshot, "10.1.2.3") == "tc on eth0 may change it: egress redirects to eth1"
    assert said(snapshot, "10.2.2.3") == ""


@pytest.mark.lab
def test_filters_of_other_kinds_say_what_they_do(host: Host) -> None:
    """matchall and flower, dropping and changing; sorting into queues is no influence (S-H7)."""
    for line in (
        "qdisc add dev eth0 clsact",
        "filter add dev eth0 egress matchall action drop",
        "filter add dev eth0 egress protocol ip flower dst_ip 10.0.0.0/8 action skbedit mark 7",
        "filter add dev eth0 ingress matchall action pass",
        "filter add dev eth0 egress protocol ip flower dst_ip 10.0.0.0/8 classid 1:1",
    ):
        host.run("tc", *line.split())
    found = [(item.effect, item.name) for item in look(host).influences or ()]
    assert sorted(found, key=str) == [(Effect.CHANGE, "skbedit"), (Effect.DROP, "")]


def test_changes_are_noticed(host: Host) -> None:
    """The kernel tells of policies and filters, so no poll has to look for them."""
    with closing(LiveSource(host.namespace)) as source:
        snapshot = source.read()
        host.ip(f"xfrm policy add src 0.0.0.0/0 dst 10.1.0.0/16 dir out {TEMPLATE}")
        snapshot = source.refresh(snapshot, 5)
        assert len(snapshot.influences or ()) == 1
        host.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
        words = "filter add dev eth0 egress protocol all u32 match u32 0 0 action mirred egress"
        host.run("tc", *words.split(), "redirect", "dev", "eth1")
        for _ in range(5):  # the discipline first, the filter a moment later
            snapshot = source.refresh(snapshot, 1)
        assert len(snapshot.influences or ()) == 2


AS_NOBODY = """
import json, os
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.report.sentences import answer
from wgtui.sources.live import LiveSource
import pyroute2
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
snapshot = LiveSource().read()
trace = lookup(snapshot, Flow.parse("10.1.2.3"))
print(json.dumps({
    "gaps": [gap.subject.value for gap in snapshot.gaps],
    "kinds": [influence.kind.value for influence in snapshot.influences],
    "unseen": [subject.value for subject in trace.unseen],
    "exactness": trace.exactness.value,
    "said": [line.text for line in answer(snapshot, trace) if line.label == "but"],
}))
"""


def test_without_privilege_policies_are_a_gap_and_filters_are_seen(host: Host) -> None:
    """The answer names what could not be looked at, in its one line (S-H20)."""
    host.ip(f"xfrm policy add src 0.0.0.0/0 dst 10.1.0.0/16 dir out {TEMPLATE}")
    repository = str(Path(__file__).parents[2])
    there = ("env", f"PYTHONPATH={repository}", sys.executable, "-c", AS_NOBODY)
    seen = json.loads(host.run(*there))
    assert {Subject.FIREWALL.value, Subject.XFRM.value} <= set(seen["gaps"])
    assert seen["unseen"] == ["firewall", "xfrm"]
    assert seen["exactness"] == "unseen"
    [line] = seen["said"]
    assert line.startswith("not seen: firewall rules, IPsec, which could change it (")
    assert "run as root" in line
    host.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    words = "filter add dev eth0 egress protocol all u32 match u32 0 0 action mirred egress"
    host.run("tc", *words.split(), "redirect", "dev", "eth1")
    seen = json.loads(host.run(*there))
    assert seen["kinds"] == ["tc"]
    assert seen["exactness"] == "may-change"
