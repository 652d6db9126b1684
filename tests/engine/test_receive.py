"""A packet that arrives: cryptokey, martians, routing, forwarding (S-B40 …, S-B70, S-E31)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, outcome, rules, way, world
from wgtui.errors import QueryError
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import BackOutcome, Exactness, Outcome, Reason, RpResult
from wgtui.report.sentences import answer

FORWARD = "net.ipv4.conf.eth0.forwarding = 1\nnet.ipv4.conf.wg0.forwarding = 1"
ETH = "net.ipv4.conf.eth0.forwarding = 1"
LINKS = """
eth0 UP 192.0.2.10/24
wg0 UNKNOWN kind wireguard 10.7.0.1/24 fd07::1/64
"""
PEERS = """
wg0 listen-port 51820
peer ANNA endpoint 192.0.2.77:51820 allowed-ips 10.7.0.2/32,10.20.0.0/16,fd07::2/128
peer BERT endpoint 192.0.2.78:51820 allowed-ips 10.7.0.3/32,10.20.5.0/24
"""
ROUTES = """
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel
10.7.0.0/24 dev wg0 proto kernel
10.20.0.0/16 dev wg0
"""


def hub(sysctls: str = FORWARD) -> Snapshot:
    """A hub that forwards between eth0 and wg0 with two peers."""
    return world(LINKS, routes4=ROUTES, wireguard=PEERS, sysctls=sysctls)


# ─── cryptokey ───────────────────────────────────────────────────────────────────────────────────


def test_a_source_that_its_sender_owns_is_let_in() -> None:
    """The longest prefix of the source names the sending peer (S-E31)."""
    trace = ask(hub(), "8.8.8.8 from 10.20.1.1 iif wg0 peer ANNA")
    assert (trace.outcome, trace.arrival and trace.arrival.outcome) == (
        Outcome.SENT,
        BackOutcome.ACCEPTED,
    )
    assert trace.arrival is not None
    assert trace.arrival.owner is not None
    assert str(trace.arrival.owner.prefix) == "10.20.0.0/16"


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("10.20.5.1 iif wg0 peer ANNA", "not-allowed/other-peer-owns-source"),
        ("10.20.5.1 iif wg0 peer BERT", "sent"),
        ("172.16.0.1 iif wg0 peer ANNA", "not-allowed/nobody-owns-source"),
        ("172.16.0.1 iif wg0", "not-allowed/nobody-owns-source"),
        ("10.20.5.1 iif wg0", "sent"),
    ],
)
def test_a_source_of_another_peer_is_dropped(words: str, ends: str) -> None:
    """Before any routing; no rule is asked (S-E31)."""
    assert outcome(hub(), f"8.8.8.8 from {words}") == ends
    if ends != "sent":
        assert ask(hub(), f"8.8.8.8 from {words}").rules == ()


def test_the_destination_is_not_checked() -> None:
    """WireGuard looks at the source only (S-E31)."""
    assert outcome(hub(), "10.7.0.1 from 10.20.1.1 iif wg0 peer ANNA") == "local"


def test_hidden_peers_are_unknown() -> None:
    """Without the AllowedIPs nobody knows (contract §3)."""
    assert outcome(world(LINKS, routes4=ROUTES), "10.7.0.1 from 10.20.1.1 iif wg0") == (
        "unknown/wireguard-unreadable"
    )


@pytest.mark.parametrize("peer", ["CARL", "peer"])
def test_a_peer_that_is_none_is_a_query_error(peer: str) -> None:
    """Words that name nothing are not an answer."""
    with pytest.raises(QueryError):
        ask(hub(), f"8.8.8.8 from 10.20.1.1 iif wg0 peer {peer}")
    with pytest.raises(QueryError):
        ask(hub(), "8.8.8.8 from 10.20.1.1 iif eth0 peer ANNA")


# ─── martians ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("192.0.2.10 from 224.0.0.5", "source-invalid"),
        ("192.0.2.10 from 255.255.255.255", "source-invalid"),
        ("192.0.2.10 from 0.0.0.0", "source-invalid"),
        ("0.0.0.0 from 192.0.2.7", "destination-invalid"),
        ("127.0.0.1 from 192.0.2.7", "loopback-address"),
        ("192.0.2.10 from 127.0.0.1", "loopback-address"),
        ("224.0.0.1 from 127.0.0.1", "loopback-address"),
    ],
)
def test_addresses_that_nobody_routes(words: str, reason: str) -> None:
    """Refused before any rule is asked (S-B40)."""
    trace = ask(hub(), f"{words} iif eth0")
    assert outcome(hub(), f"{words} iif eth0") == f"martian/{reason}"
    assert trace.rules == ()


def test_lo_is_no_exception() -> None:
    """A packet that really arrives on lo may not come from 127/8 either (S-B40)."""
    assert outcome(hub(), "127.0.0.1 from 127.0.0.1 iif lo") == "martian/loopback-address"


def test_route_localnet_lets_loopback_addresses_in() -> None:
    """On the link or everywhere (S-D8)."""
    snapshot = hub("net.ipv4.conf.eth0.route_localnet = 1")
    assert outcome(snapshot, "127.0.0.1 from 192.0.2.7 iif eth0") == "local"


@pytest.mark.parametrize("words", ["255.255.255.255 from 192.0.2.7", "0.0.0.0 from 0.0.0.0"])
def test_broadcast_is_delivered(words: str) -> None:
    """255.255.255.255, and nobody to nobody (S-B40)."""
    assert outcome(hub(), f"{words} iif eth0") == "local"


def test_a_subnets_broadcast_is_delivered() -> None:
    """By the broadcast route of the local table (S-B40)."""
    assert outcome(hub(), "192.0.2.255 from 192.0.2.7 iif eth0") == "local"


def test_all_hosts_is_heard_by_links_that_are_up() -> None:
    """224.0.0.1 is joined on every link that is up; other groups cannot be seen (S-B40)."""
    assert outcome(hub(), "224.0.0.1 from 192.0.2.7 iif eth0") == "local"
    down = world("eth0 DOWN 192.0.2.10/24", routes4="192.0.2.0/24 dev eth0")
    assert outcome(down, "224.0.0.1 from 192.0.2.7 iif eth0") == "martian/no-multicast-listener"
    assert outcome(hub(), "239.1.2.3 from 192.0.2.7 iif eth0") == "unknown/multicast-routing"


# ─── forwarding ──────────────────────────────────────────────────────────────────────────────────


def test_forwarding_is_the_input_links_own_switch() -> None:
    """conf.DEV.forwarding of the input link alone, not ``all`` (S-B40, S-B41)."""
    flow = "8.8.8.8 from 10.7.0.2 iif wg0"
    assert outcome(hub("net.ipv4.conf.wg0.forwarding = 1"), flow) == "sent"
    assert outcome(hub("net.ipv4.conf.all.forwarding = 1"), flow) == "not-forwarded/forwarding-off"
    assert outcome(hub("net.ipv4.conf.eth0.forwarding = 1"), flow) == "not-forwarded/forwarding-off"


def test_own_addresses_need_no_forwarding() -> None:
    """Delivery comes before that check (S-B40)."""
    assert outcome(hub(""), "10.7.0.1 from 10.7.0.2 iif wg0") == "local"


def test_a_host_that_does_not_forward_says_so_even_without_a_route() -> None:
    """A failed lookup is EHOSTUNREACH where forwarding is off (S-B40)."""
    links, routes = "eth0 UP 192.0.2.10/24", "192.0.2.0/24 dev eth0"
    flow = "8.8.8.8 from 192.0.2.7 iif eth0"
    assert outcome(world(links, routes4=routes), flow) == "not-forwarded/forwarding-off"
    assert outcome(world(links, routes4=routes, sysctls=ETH), flow) == "no-route/no-rule-left"


def test_forwarding_that_could_not_be_read_is_unknown() -> None:
    """A missing sysctl is not "off"."""
    snapshot = hub()
    kept = {key: value for key, value in snapshot.sysctls.items() if "forwarding" not in key}
    snapshot = replace(snapshot, sysctls=kept, gaps=(Gap(Subject.SYSCTL, "no file"),))
    assert outcome(snapshot, "8.8.8.8 from 10.7.0.2 iif wg0") == "unknown/sysctl-unreadable"


@pytest.mark.parametrize("kind", ["anycast", "multicast"])
def test_only_unicast_is_forwarded(kind: str) -> None:
    """Other types are martian destinations (S-B40)."""
    snapshot = world(
        "eth0 UP 192.0.2.10/24",
        routes4=f"default dev eth0\n{kind} 20.0.0.1/32 dev eth0",
        sysctls=ETH,
    )
    assert outcome(snapshot, "20.0.0.1 from 192.0.2.7 iif eth0") == "martian/destination-invalid"


def test_rules_see_the_real_input_link_and_no_oif() -> None:
    """``iif eth0`` matches, ``oif`` never does (S-A14, S-A15)."""
    snapshot = world(
        routes4="default via 198.51.100.1 dev eth1 table 100",
        rules4=rules("10: from all oif eth1 prohibit", "20: from all iif eth0 lookup 100"),
        sysctls=ETH,
    )
    assert way(snapshot, "8.8.8.8 from 192.0.2.7 iif eth0").endswith("dev eth1")


def test_legs_that_source_validation_judges_differently_are_unknown() -> None:
    """Forwarding back out of the same link is checked in full, by another link it is not (S-D3)."""
    snapshot = world(
        "eth0 UP 192.0.2.10/24\neth1 UP 198.51.100.10/24",
        routes4=(
            "broadcast 203.0.113.9/32 dev eth1 table main\n"
            "20.0.0.0/8\n nexthop dev eth1\n nexthop dev eth0"
        ),
        sysctls="net.ipv4.conf.eth0.forwarding = 1\nnet.ipv4.conf.eth0.send_redirects = 1",
    )
    assert outcome(snapshot, "20.0.0.1 from 203.0.113.9 iif eth0") == "unknown/legs-differ"


# ─── IPv6 ────────────────────────────────────────────────────────────────────────────────────────


def test_ipv6_forwards_by_the_switch_of_all() -> None:
    """all.forwarding decides (S-B70)."""
    flow = "fd00::1 from 2001:db8::7 iif eth0"
    assert outcome(world(), flow) == "not-forwarded/forwarding-off"
    assert outcome(world(sysctls="net.ipv6.conf.all.forwarding = 1"), flow) == "sent"
    assert outcome(world(), "2001:db8::10 from 2001:db8::7 iif eth0") == "local"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("2001:db8::10 from ff02::1", "source-invalid"),
        ("2001:db8::10 from ::1", "loopback-address"),
        ("::1 from 2001:db8::7", "loopback-address"),
    ],
)
def test_what_ipv6_refuses_at_the_door(words: str, reason: str) -> None:
    """Multicast sources and ::1 on a link (S-B70)."""
    assert outcome(world(), f"{words} iif eth0") == f"martian/{reason}"


def test_ipv6_has_no_source_validation() -> None:
    """Any source is taken, own or foreign, whatever rp_filter says (S-B70, S-D9)."""
    snapshot = world(sysctls="net.ipv4.conf.all.rp_filter = 1")
    trace = ask(snapshot, "2001:db8::10 from fd99::1 iif eth1")
    assert trace.outcome is Outcome.LOCAL
    assert trace.arrival is not None
    assert trace.arrival.reverse_path is None


# ─── the filter ──────────────────────────────────────────────────────────────────────────────────


def test_a_filtered_packet_keeps_what_it_was_asked() -> None:
    """Which link, which mode, and where the way back would have led."""
    snapshot = hub(f"{FORWARD}\nnet.ipv4.conf.wg0.rp_filter = 1")
    bare = "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0\n10.7.0.0/24 dev wg0"
    snapshot = replace(snapshot, routes=world(LINKS, routes4=bare, wireguard=PEERS).routes)
    trace = ask(snapshot, "8.8.8.8 from 10.20.1.1 iif wg0 peer ANNA")
    assert trace.outcome is Outcome.RPF_DROPPED
    assert trace.arrival is not None
    path = trace.arrival.reverse_path
    assert path is not None
    assert (path.mode, path.result) == (1, RpResult.DROP)
    assert path.back is not None
    assert snapshot.link_name(path.back.link) == "eth0"


# ─── batches ─────────────────────────────────────────────────────────────────────────────────────

STRICT = f"{FORWARD}\nnet.ipv4.conf.eth0.rp_filter = 1"
SPOOFED = "8.8.8.8 from 10.7.0.9 iif eth0"


@pytest.mark.parametrize(
    ("flow", "outcome", "batched"),
    [
        (SPOOFED, Outcome.RPF_DROPPED, True),
        ("8.8.8.8 from 192.0.2.10 iif eth0", Outcome.MARTIAN, True),
        ("192.0.2.10 from 10.7.0.9 iif eth0", Outcome.RPF_DROPPED, False),
        ("8.8.8.8 from 192.0.2.77 iif eth0", Outcome.SENT, False),
        ("8.8.8.8 from 224.0.0.9 iif eth0", Outcome.MARTIAN, False),
    ],
)
def test_in_a_batch_a_forwarded_source_is_not_validated(
    flow: str, outcome: Outcome, batched: bool
) -> None:
    """Behind another packet to the same address it takes over that one's route, and only what is
    delivered here is validated (ip_input.c:ip_extract_route_hint): said, not simulated (S-D2)."""
    snapshot = replace(hub(STRICT), hooks=(), influences=())
    trace = ask(snapshot, flow)
    assert (trace.outcome, bool(trace.batched)) == (outcome, batched)
    assert trace.exactness is (Exactness.MAY_CHANGE if batched else Exactness.EXACT)
    told = [line.text for line in answer(snapshot, trace) if "in one batch" in line.text]
    assert len(told) == batched


def test_where_a_batch_takes_over_no_route() -> None:
    """Not once rules were changed, not of routes with several next hops, not before Linux 5.5."""
    assert ask(hub(STRICT), SPOOFED).batched
    assert not ask(replace(hub(STRICT), kernel="5.4.280"), SPOOFED).batched
    assert not ask(replace(hub(STRICT), local_in_main=False), SPOOFED).batched
    ruled = world(
        LINKS,
        routes4=ROUTES,
        wireguard=PEERS,
        sysctls=STRICT,
        rules4=rules("100: from all to 9.9.9.9 lookup main"),
    )
    assert ask(ruled, SPOOFED).outcome is Outcome.RPF_DROPPED
    assert not ask(ruled, SPOOFED).batched
    legs = "nexthop via 192.0.2.1 dev eth0 weight 1\n    nexthop via 192.0.2.3 dev eth0 weight 1"
    several = world(
        LINKS,
        routes4=ROUTES.replace("default via 192.0.2.1 dev eth0", f"default\n    {legs}"),
        wireguard=PEERS,
        sysctls=STRICT,
    )
    assert ask(several, SPOOFED).outcome is Outcome.RPF_DROPPED
    assert not ask(several, SPOOFED).batched


@pytest.mark.parametrize("off", ["disable_ipv6", "mtu"])
def test_a_link_without_ipv6_lets_no_ipv6_in(off: str) -> None:
    """Routing would have a way, and says so when asked; real packets are dropped before
    (ip6_input.c:ip6_rcv_core; S-B70)."""
    host = world(
        "eth0 UP 2001:db8::1/64\neth1 UP 2001:db8:1::1/64",
        routes6="2001:db8::/64 dev eth0\n2001:db8:1::/64 dev eth1\n3fff::/20 dev eth1",
        sysctls="net.ipv6.conf.all.forwarding = 1",
    )
    eth0 = host.links_by_name["eth0"]
    sysctls = {**host.sysctls, "net/ipv6/conf/eth0/disable_ipv6": 1}
    small = {**host.links, eth0.index: replace(eth0, mtu=1279)}
    least = {**host.links, eth0.index: replace(eth0, mtu=1280)}
    there = replace(host, sysctls=sysctls) if off == "disable_ipv6" else replace(host, links=small)
    for destination, before in (("2001:db8:1::1", Outcome.LOCAL), ("3fff::1", Outcome.SENT)):
        flow = f"{destination} from 2001:db8::9 iif eth0"
        assert ask(host, flow).outcome is before
        assert ask(replace(host, links=least), flow).outcome is before
        trace = ask(there, flow)
        assert (trace.outcome, trace.reason) == (Outcome.MARTIAN, Reason.IPV6_OFF)
        assert "refused: IPv6 is off" in answer(there, trace)[0].text
    assert ask(there, "2001:db8:1::1 from 3fff::9 iif eth1").outcome is Outcome.LOCAL
