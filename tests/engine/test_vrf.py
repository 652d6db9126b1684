"""What is different for a packet in a VRF (S-A23, S-B80, S-D4)?

``tests/kernel/test_vrf.py`` asks the kernel the same.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, outcome, rule_step, rules, source, table, way, world
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import RuleResult

LINKS = """
blue UP vrf-table 100
eth0 UP master blue 10.0.0.1/24 fd00:0::1/64 fe80::10/64
eth1 UP master blue 10.0.1.1/24 fd00:1::1/64 fe80::11/64
eth2 UP 10.0.2.1/24 fd00:2::1/64 fe80::12/64
"""
ROUTES4 = """
default via 10.0.0.2 dev eth0 table 100
10.0.0.0/24 dev eth0 table 100 proto kernel scope link src 10.0.0.1
10.0.1.0/24 dev eth1 table 100 proto kernel scope link src 10.0.1.1
local 10.0.1.1 dev eth1 table 100 proto kernel scope host src 10.0.1.1
default via 10.0.2.2 dev eth2
10.0.2.0/24 dev eth2 proto kernel scope link src 10.0.2.1
"""
ROUTES6 = """
default via fd00:0::2 dev eth0 table 100
fe80::/64 dev eth0 table 100
fe80::/64 dev eth1 table 100
ff00::/8 dev eth1 table 100
default via fd00:2::2 dev eth2
fe80::/64 dev eth2
"""
L3MDEV = "1000: from all lookup [l3mdev-table]"


def host(*more: str, sysctls: str = "", kernel: str = "6.18.0") -> Snapshot:
    """Two members of a VRF, and a link outside."""
    made = world(
        LINKS,
        routes4=ROUTES4,
        routes6=ROUTES6,
        rules4=rules(*more, L3MDEV),
        rules6=rules(*more, L3MDEV, family=6),
        sysctls=sysctls + "net.ipv4.conf.eth0.forwarding = 1\nnet.ipv4.conf.eth1.forwarding = 1",
    )
    return replace(made, kernel=kernel)


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ("8.8.8.8", "254 0.0.0.0/0 via 10.0.2.2 dev eth2"),
        ("8.8.8.8 oif blue", "100 0.0.0.0/0 via 10.0.0.2 dev eth0"),
        ("10.0.1.9 oif blue", "100 10.0.1.0/24 dev eth1"),
        ("8.8.8.8 oif eth1", "no-route"),
        ("239.1.1.1 oif blue", "100 0.0.0.0/0 dev eth0"),
        ("2001:db8::8 oif blue", "100 ::/0 via fd00::2 dev eth0"),
        ("fe80::7 oif eth1", "100 fe80::/64 dev eth1"),
        ("ff0e::1 oif eth1", "100 ff00::/8 dev eth1"),
        ("fe80::7 oif blue", "no-route"),
        ("ff0e::1 oif blue", "no-route"),
        ("fe80::7 oif eth2", "254 fe80::/64 dev eth2"),
        ("fd00:7::7 from fd00:1::9 iif eth1", "100 ::/0 via fd00::2 dev eth0"),
    ],
)
def test_the_vrf_picks_the_table_and_asks_for_no_link(flow: str, expected: str) -> None:
    """By member or by the VRF itself, which is no link to leave by (S-A23); what is of link scope
    is looked up in the VRF's table without any rule (S-B80)."""
    snapshot = host()
    forwards = {**snapshot.sysctls, "net/ipv6/conf/all/forwarding": 1}
    assert way(replace(snapshot, sysctls=forwards), flow) == expected


def test_the_way_back_is_looked_for_in_the_vrf() -> None:
    """Also when the packet is delivered here; another member is another link (S-D4, S-D5)."""
    snapshot = host(sysctls="net.ipv4.conf.eth1.rp_filter = 1\n")
    assert outcome(snapshot, "10.0.1.1 from 10.0.1.7 iif eth1") == "local"
    assert outcome(snapshot, "10.0.1.1 from 10.0.0.7 iif eth1") == "rpf-dropped"
    assert outcome(snapshot, "10.0.0.7 from 10.0.1.7 iif eth1") == "sent"


@pytest.mark.parametrize(
    ("rule", "flow", "matches"),
    [
        ("500: from all iif blue prohibit", "8.8.8.8 from 10.0.0.7 iif eth0", True),
        ("500: from all iif blue prohibit", "8.8.8.8 oif eth0", False),
        ("500: from all iif blue prohibit", "8.8.8.8 from 10.0.2.7 iif eth2", False),
        ("500: from all oif blue prohibit", "8.8.8.8 oif eth0", True),
        ("500: from all oif blue prohibit", "8.8.8.8 oif blue", True),
        ("500: from all oif blue prohibit", "8.8.8.8 from 10.0.0.7 iif eth0", False),
        ("500: from all oif eth0 prohibit", "8.8.8.8 oif blue", False),
    ],
)
def test_a_rule_that_names_a_vrf_is_for_its_members(rule: str, flow: str, matches: bool) -> None:
    """Since Linux 6.15. In some older ones it is not, which their versions do not tell (S-A23)."""
    result = RuleResult.DECIDED if matches else RuleResult.REFUSED
    assert rule_step(ask(host(rule), flow), 500).result is result
    if "blue" in rule:
        for kernel in ("", "6.12.117", "5.15.0"):
            trace = ask(host(rule, kernel=kernel), flow)
            expected = RuleResult.UNKNOWN if matches else RuleResult.REFUSED
            assert rule_step(trace, 500).result is expected


def test_an_only_address_is_taken_whatever_its_scope() -> None:
    """A member without another address sends from its link-local one; with two, a better one of
    another member is taken (S-B68; addrconf.c:ipv6_get_saddr_master)."""
    bare = LINKS.replace("fd00:0::1/64 ", "")
    snapshot = world(bare, routes6=ROUTES6, rules6=rules(L3MDEV, family=6))
    assert source(snapshot, "2001:db8::8 oif blue") == "fe80::10"
    two = bare.replace("fe80::10/64", "fe80::10/64 fe80::99/64")
    snapshot = world(two, routes6=ROUTES6, rules6=rules(L3MDEV, family=6))
    assert source(snapshot, "2001:db8::8 oif blue") == "fd00:1::1"
    assert table(snapshot, "2001:db8::8 oif blue") == 100
