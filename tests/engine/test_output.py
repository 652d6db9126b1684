"""A packet made here: what is decided before, around and after the rules (S-B15 … S-B19, S-B63)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, outcome, rules, said, source, table, way, with_link, world
from wgtui.model.snapshot import Gap, Subject
from wgtui.report.verdict import verdict

SPLIT = rules("10: from all nop")
NOWHERE = "eth0 UP 192.0.2.10/24\neth1 UP 198.51.100.10/24"


# ─── sources ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ["224.0.0.5", "255.255.255.255"])
def test_a_group_is_no_source(address: str) -> None:
    """Multicast and broadcast sources are refused before any rule (S-B15)."""
    assert outcome(world(), f"8.8.8.8 from {address}") == "martian/source-invalid"


def test_a_foreign_source_is_refused() -> None:
    """IPv4: a source that is not this host's has no route (S-B17)."""
    assert outcome(world(), "8.8.8.8 from 192.0.2.77") == "no-route/source-not-local"


def test_ipv6_takes_any_source() -> None:
    """IPv6 looks any source up (S-B17)."""
    assert outcome(world(), "fd00::1 from fd77::1") == "sent"


@pytest.mark.parametrize("link", ["eth1", "lo"])
def test_an_address_of_any_link_is_a_source(link: str) -> None:
    """Also another link's, or 127/8 to itself; the route is looked up all the same (S-B15)."""
    address = {"eth1": "198.51.100.10", "lo": "127.9.9.9"}[link]
    assert outcome(world(rules4=SPLIT), f"127.0.0.1 from {address}") == "local"


def test_in_one_tree_a_longer_main_route_takes_a_loopback_source_away() -> None:
    """Whether it is local is asked of the local table, which sees main while merged (S-A4)."""
    route = "127.9.9.0/24 dev eth1"
    assert outcome(world(routes4=route, local_in_main=True), "127.0.0.1 from 127.9.9.9") == (
        "no-route/source-not-local"
    )
    assert outcome(world(routes4=route, rules4=SPLIT), "127.0.0.1 from 127.9.9.9") == "local"


def test_a_source_is_not_judged_when_the_addresses_could_not_be_read() -> None:
    """A gap is not "not local"."""
    snapshot = replace(world(), gaps=(Gap(Subject.ADDRESSES, "no file address.json"),))
    assert outcome(snapshot, "8.8.8.8 from 192.0.2.77") == "unknown/addresses-unreadable"


def test_a_loopback_source_stays_on_lo() -> None:
    """127/8 leaves by another link only with route_localnet (S-B15, S-D8)."""
    assert outcome(world(), "8.8.8.8 from 127.0.0.1") == "martian/loopback-address"
    assert outcome(world(), "8.8.8.8 from 127.0.0.1 oif eth0") == "martian/loopback-address"
    allowed = world(sysctls="net.ipv4.conf.all.route_localnet = 1")
    assert outcome(allowed, "8.8.8.8 from 127.0.0.1") == "sent"


# ─── oif ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit", "throw"])
def test_with_oif_no_ipv4_error_stops_the_packet(kind: str) -> None:
    """It leaves on-link by that link whatever the tables say (S-B15, S-B16)."""
    snapshot = world(routes4=f"{kind} 20.0.0.0/8")
    assert way(snapshot, "20.1.1.1 oif eth1") == "on-link dev eth1"
    assert source(snapshot, "20.1.1.1 oif eth1") == "198.51.100.10"


def test_with_oif_no_rule_stops_the_packet_either() -> None:
    """A prohibit rule is walked and then overruled (S-B16)."""
    snapshot = world(rules4=rules("10: from all prohibit"))
    assert way(snapshot, "20.1.1.1 oif eth1") == "on-link dev eth1"
    assert said(ask(snapshot, "20.1.1.1 oif eth1"))[-1] == (10, "decided")


def test_ipv6_has_no_such_way_around() -> None:
    """With oif and no route, IPv6 has no route (S-B16)."""
    assert outcome(world(), "fd00::1 oif eth1") == "no-route/no-rule-left"


def test_what_cannot_be_evaluated_is_not_overruled() -> None:
    """Unknown stays unknown."""
    snapshot = world(rules4=rules("10: from all unknown moonphase prohibit"))
    assert outcome(snapshot, "20.1.1.1 oif eth1") == "unknown/unknown-selector"


def test_a_link_that_is_down_sends_nothing() -> None:
    """oif a link that is down: ENETUNREACH at once (S-B15)."""
    snapshot = world("eth0 DOWN 192.0.2.10/24")
    assert outcome(snapshot, "8.8.8.8 oif eth0") == "link-down/oif-down"
    assert ask(snapshot, "8.8.8.8 oif eth0").steps == ()


def test_ipv6_finds_own_addresses_of_a_link_that_is_down() -> None:
    """IPv6 does not look whether oif is up: only that it finds no route (S-B63)."""
    snapshot = world("eth0 DOWN 2001:db8::10/64")
    assert outcome(snapshot, "2001:db8::10 oif eth0") == "local"
    assert outcome(snapshot, "fd00::1 oif eth0") == "link-down/oif-down"


# ─── groups, broadcast, 0.0.0.0 ──────────────────────────────────────────────────────────────────


def test_a_group_with_a_source_leaves_by_the_link_of_the_source() -> None:
    """Without oif, and without asking a table (S-B15)."""
    snapshot = world(routes4="blackhole 224.0.0.0/4")
    for group in ("239.1.2.3", "255.255.255.255"):
        assert way(snapshot, f"{group} from 198.51.100.10") == "on-link dev eth1"


def test_an_address_on_two_links_is_one_of_them() -> None:
    """Which of the links has a doubled address depends on the order of addition: both are named."""
    snapshot = world("eth0 UP 192.0.2.10/24\neth1 UP 192.0.2.10/24")
    assert way(snapshot, "239.1.2.3 from 192.0.2.10") == "on-link dev eth0 or dev eth1"


@pytest.mark.parametrize("group", ["224.0.0.5", "255.255.255.255"])
def test_link_scoped_groups_leave_by_oif_without_a_table(group: str) -> None:
    """224.0.0.0/24 and 255.255.255.255 with oif (S-B15)."""
    snapshot = world(rules4=rules("10: from all prohibit"))
    trace = ask(snapshot, f"{group} oif eth1")
    assert (way(snapshot, f"{group} oif eth1"), trace.rules) == ("on-link dev eth1", ())


def test_igmp_with_oif_asks_no_table() -> None:
    """IGMP goes to the link it is bound to (S-B15)."""
    trace = ask(world(), "8.8.8.8 oif eth1 ipproto 2")
    assert (trace.outcome.value, trace.rules) == ("sent", ())


def test_multicast_with_oif_has_its_source_before_the_rules() -> None:
    """``from`` rules see the source that the link gives (route.c, S-B15)."""
    snapshot = world(
        routes4="239.0.0.0/8 dev eth1 table 100",
        rules4=rules("10: from 198.51.100.10 lookup 100"),
    )
    assert table(snapshot, "239.1.2.3 oif eth1") == 100


def test_broadcast_takes_the_default_routes_link_without_its_gateway() -> None:
    """255.255.255.255 and multicast follow the table, and drop the gateway (S-B18)."""
    snapshot = world()
    for to_all in ("255.255.255.255", "239.1.2.3"):
        assert way(snapshot, to_all) == "254 0.0.0.0/0 dev eth0"
    routed = world(routes4="239.0.0.0/8 via 198.51.100.1 dev eth1")
    assert way(routed, "239.1.2.3") == "254 239.0.0.0/8 via 198.51.100.1 dev eth1"
    assert outcome(world(NOWHERE), "255.255.255.255") == "no-route/no-rule-left"


def test_odd_unicast_is_ordinary() -> None:
    """240/4 and 0/8 are routed like any address (S-B18)."""
    assert {way(world(), odd) for odd in ("240.0.0.1", "0.1.2.3")} == {
        "254 0.0.0.0/0 via 192.0.2.1 dev eth0"
    }


def test_to_nobody_means_to_this_host() -> None:
    """0.0.0.0 is local whatever the rules say; a bound link must still be up (S-B15)."""
    snapshot = world(rules4="10: from all prohibit")
    assert outcome(snapshot, "0.0.0.0") == outcome(snapshot, "0.0.0.0 oif eth1") == "local"
    assert outcome(world("eth0 DOWN"), "0.0.0.0 oif eth0") == "link-down/oif-down"


# ─── types ───────────────────────────────────────────────────────────────────────────────────────


def test_anycast_stays_here_for_ipv6_only() -> None:
    """IPv4 sends to an anycast route's link, IPv6 delivers (S-B60)."""
    assert outcome(world(routes6="anycast fd00::/128 dev eth1"), "fd00::") == "local"
    assert way(world(routes4="anycast 20.0.0.1/32 dev eth1"), "20.0.0.1") == (
        "254 20.0.0.1/32 dev eth1"
    )


def test_own_addresses_are_delivered() -> None:
    """To one's own address is local, by the local table, with itself as source (S-B15, S-B31)."""
    snapshot = world(rules4=SPLIT)
    for own in ("192.0.2.10", "198.51.100.10", "127.0.0.1"):
        assert (outcome(snapshot, own), table(snapshot, own)) == ("local", 255)
    assert source(snapshot, "127.9.9.9") == "127.0.0.1"
    assert outcome(snapshot, "2001:db8::10") == "local"


def test_a_gateway_that_is_an_own_address_is_taken_for_on_link() -> None:
    """fib_check_nh gives such a next hop scope host, and its gateway is not used (S-B13)."""
    snapshot = world(routes4="20.0.0.0/8 via 198.51.100.10 dev eth1")
    assert way(snapshot, "20.1.1.1") == "254 20.0.0.0/8 dev eth1"
    onlink = world(routes4="20.0.0.0/8 via 198.51.100.10 dev eth1 onlink")
    assert way(onlink, "20.1.1.1") == "254 20.0.0.0/8 via 198.51.100.10 dev eth1"


def test_where_a_gateway_was_looked_up_earlier_cannot_be_seen() -> None:
    """An address made local by hand covers it now, and a plain route too: which of them was there
    when the gateway was looked up, and whether local was one tree with main, no dump tells
    (S-B13, S-A5)."""
    by_hand = "local 20.0.0.0/8 dev eth1 table local\n"
    snapshot = world(routes4=f"{by_hand}20.0.0.0/16 dev eth1\n30.0.0.0/8 via 20.0.0.9 dev eth1")
    assert way(snapshot, "30.1.1.1") == "254 30.0.0.0/8 via 20.0.0.9 dev eth1 or dev eth1"
    told = verdict(snapshot, ask(snapshot, "30.1.1.1")).text
    assert "via 20.0.0.9, or past it" in told
    alone = world(routes4=f"{by_hand}30.0.0.0/8 via 20.0.0.9 dev eth1")
    assert way(alone, "30.1.1.1") == "254 30.0.0.0/8 dev eth1"
    other = world(routes4=f"{by_hand}30.0.0.0/8 via 198.51.100.9 dev eth1")
    assert way(other, "30.1.1.1") == "254 30.0.0.0/8 via 198.51.100.9 dev eth1"


def test_a_multicast_source_is_no_ipv6_source_either() -> None:
    """Nobody can send from ff02::1 (S-B70)."""
    assert outcome(world(), "fd00::1 from ff02::1") == "martian/source-invalid"


def test_a_link_without_carrier_takes_the_packet_nowhere() -> None:
    """The route wins, and the link is down (S-B5)."""
    snapshot = world()
    eth0 = snapshot.links_by_name["eth0"]
    dead = with_link(snapshot, "eth0", replace(eth0, carrier=False))
    assert outcome(dead, "8.8.8.8") == "link-down/no-carrier"
