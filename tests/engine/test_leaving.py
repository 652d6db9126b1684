"""What becomes of a packet at its link: owners, endpoints, the encrypted packet (S-E10 … S-E20)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, outcome, rules, way, world
from wgtui.engine.leaving import DEEPEST
from wgtui.model.influence import InfluenceKind
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, Trace
from wgtui.model.wireguard import Backend

LINKS = "eth0 UP 192.0.2.10/24 2001:db8::10/64\nwg0 UNKNOWN 10.7.0.1/24\nwg1 UNKNOWN 10.8.0.1/24"
ROUTES = """
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel
10.7.0.0/24 dev wg0 proto kernel
10.8.0.0/24 dev wg1 proto kernel
10.20.0.0/16 via 10.7.0.99 dev wg0
10.30.0.0/16 dev wg1
"""
PEERS = """
wg0 listen-port 51820
peer ANNA endpoint 198.51.100.4:51820 allowed-ips 10.7.0.2/32,10.20.0.0/16
peer BERT endpoint 10.30.0.4:51820 allowed-ips 10.20.5.0/24
peer CARL allowed-ips 10.20.6.0/24
wg1
peer DORA endpoint 10.20.0.9:51820 allowed-ips 10.30.0.0/16
"""


def host(
    wireguard: str = PEERS, routes4: str = ROUTES, routes6: str = "", rules4: str = rules()
) -> Snapshot:
    """Two WireGuard devices; DORA's endpoint lies behind ANNA."""
    return world(LINKS, routes4=routes4, routes6=routes6, rules4=rules4, wireguard=wireguard)


def outer(trace: Trace) -> Trace:
    """The encrypted packet's trace."""
    assert trace.outer is not None
    return trace.outer


def test_the_destination_alone_names_the_peer() -> None:
    """The gateway of a WireGuard route means nothing (S-E10)."""
    trace = ask(host(), "10.20.1.1")
    assert trace.outcome is Outcome.ENCRYPTED
    assert trace.ownership is not None
    assert trace.ownership.owner is not None
    assert trace.ownership.owner.peer.label == "ANNA"
    assert str(trace.endpoint) == "198.51.100.4:51820"
    assert outer(trace).outcome is Outcome.SENT


def test_who_lost_by_length_is_named() -> None:
    """The owner, and whose AllowedIPs cover the address too (S-E1)."""
    ownership = ask(host(), "10.20.5.1").ownership
    assert ownership is not None
    assert ownership.owner is not None
    assert ownership.owner.peer.label == "BERT"
    assert [str(lost.prefix) for lost in ownership.lost] == ["10.20.0.0/16"]


def test_nobody_owns_it() -> None:
    """No AllowedIPs cover the destination: ENOKEY (S-E10)."""
    trace = ask(host(), "10.7.0.77")
    assert (trace.outcome, trace.outer) == (Outcome.NO_PEER, None)
    assert trace.ownership is not None
    assert trace.ownership.owner is None


def test_an_owner_without_an_endpoint() -> None:
    """EDESTADDRREQ (S-E11)."""
    trace = ask(host(), "10.20.6.1")
    assert (trace.outcome, trace.outer) == (Outcome.NO_ENDPOINT, None)


def test_the_encrypted_packet_is_routed_with_the_mark_and_the_ports_of_the_device() -> None:
    """fwmark, UDP, listen port, endpoint port, uid 0, no source (S-E14)."""
    marked = PEERS.replace("listen-port 51820", "listen-port 51820 fwmark 0xca6c")
    flow = outer(ask(host(marked), "10.20.1.1 uid 1000 tos 0x10 mark 7")).flow
    assert (flow.mark, flow.uid, flow.tos, flow.protocol) == (0xCA6C, 0, 0, 17)
    assert (flow.sport, flow.dport, flow.source, flow.iif) == (51820, 51820, None, None)


def test_a_tunnel_in_a_tunnel_is_legal() -> None:
    """Through another device (S-E17)."""
    trace = ask(host(), "10.30.1.1")
    assert trace.outcome is outer(trace).outcome is Outcome.ENCRYPTED
    assert outer(outer(trace)).outcome is Outcome.SENT


def test_an_onion_through_another_peer_of_the_same_device_is_legal() -> None:
    """netns.sh: "onion routing works, even when it loops" (S-E17)."""
    onion = """
    wg0
    peer A endpoint 10.20.0.9:1 allowed-ips 10.7.0.2/32
    peer B endpoint 198.51.100.4:1 allowed-ips 10.20.0.0/16
    """
    trace = ask(host(onion), "10.7.0.2")
    assert trace.outcome is Outcome.ENCRYPTED
    assert outer(trace).ownership is not None
    assert outer(trace).outcome is Outcome.ENCRYPTED


def test_coming_back_to_the_same_peer_is_a_loop() -> None:
    """The endpoint lies inside the peer's own AllowedIPs (S-E17)."""
    loop = "wg0\npeer A endpoint 10.20.0.9:1 allowed-ips 10.20.0.0/16"
    trace = ask(host(loop), "10.20.1.1")
    assert trace.outcome is Outcome.LOOP
    assert outer(trace).outcome is Outcome.LOOP


def test_two_devices_may_loop_together() -> None:
    """wg0 → wg1 → wg0's same peer (S-E17)."""
    assert outcome(host(), "10.20.5.1") == "encrypted"
    both = PEERS.replace("endpoint 10.20.0.9", "endpoint 10.20.5.9")
    assert outcome(host(both), "10.20.5.1") == "loop"


def test_more_tunnels_than_a_packet_survives_are_too_deep() -> None:
    """A chain of peers, each reached through the next (S-E17)."""
    number = DEEPEST + 2
    peers = "\n".join(
        f"peer P{n} endpoint 10.20.{n + 1}.1:1 allowed-ips 10.20.{n}.0/24" for n in range(number)
    )
    assert outcome(host(f"wg0\n{peers}"), "10.20.0.1") == "unknown/too-deep"
    assert outcome(host(f"wg0\n{peers}"), "10.20.4.1") == "outer-failed"


def test_an_encrypted_packet_without_a_way_fails_and_says_why() -> None:
    """No route to the endpoint (S-E16)."""
    trace = ask(host(routes4=ROUTES.replace("default via 192.0.2.1 dev eth0", "")), "10.20.1.1")
    assert trace.outcome is Outcome.OUTER_FAILED
    assert outer(trace).outcome is Outcome.NO_ROUTE


def test_a_rule_may_refuse_the_marked_packet() -> None:
    """Policy counts for the envelope too (S-E14)."""
    marked = PEERS.replace("listen-port 51820", "listen-port 51820 fwmark 0xca6c")
    snapshot = host(marked, rules4=rules("10: from all fwmark 0xca6c prohibit"))
    trace = ask(snapshot, "10.20.1.1")
    assert (trace.outcome, outer(trace).outcome) == (Outcome.OUTER_FAILED, Outcome.PROHIBITED)


def test_the_device_of_another_namespace_is_routed_there() -> None:
    """Its sockets live where it was born: not seen from here (S-E20)."""
    born = PEERS.replace("wg0 listen-port 51820", "wg0 born-in init")
    trace = ask(host(born), "10.20.1.1")
    assert (trace.outcome, trace.reason) == (Outcome.UNKNOWN, Reason.FOREIGN_NAMESPACE)


def test_a_device_without_a_key_sends_nothing() -> None:
    """No private key: no handshake, nothing leaves."""
    snapshot = host()
    index = snapshot.links_by_name["wg0"].index
    keyless = {**snapshot.devices, index: replace(snapshot.devices[index], public_key=None)}
    assert outcome(replace(snapshot, devices=keyless), "10.20.1.1") == "outer-failed/no-private-key"


def test_a_device_that_could_not_be_read_is_unknown() -> None:
    """A WireGuard link without its peers, and a tun link that may be one (contract §3)."""
    assert outcome(world(LINKS, routes4=ROUTES), "10.20.1.1") == "sent"
    hidden = world(LINKS.replace("wg0 UNKNOWN", "wg0 UNKNOWN kind wireguard"), routes4=ROUTES)
    assert outcome(hidden, "10.20.1.1") == "unknown/wireguard-unreadable"
    tun = world(LINKS.replace("wg0 UNKNOWN", "wg0 UNKNOWN kind tun"), routes4=ROUTES)
    assert outcome(tun, "10.20.1.1") == "sent"
    gap = Gap(Subject.WIREGUARD, "Permission denied", link=tun.links_by_name["wg0"].index)
    assert outcome(replace(tun, gaps=(gap,)), "10.20.1.1") == "unknown/wireguard-unreadable"


def test_a_zone_of_an_endpoint_is_the_output_link() -> None:
    """A link-local endpoint leaves by its scope, given by name or number (S-E15)."""
    routes6 = "fe80::/64 dev eth0"
    for zone in ("eth0", "2"):
        peers = f"wg0\npeer A endpoint [fe80::9%{zone}]:51820 allowed-ips 10.20.0.0/16"
        trace = ask(host(peers, routes6=routes6), "10.20.1.1")
        assert (trace.outcome, outer(trace).flow.oif) == (Outcome.ENCRYPTED, "eth0")
    lost = "wg0\npeer A endpoint [fe80::9%gone]:51820 allowed-ips 10.20.0.0/16"
    assert outcome(host(lost, routes6=routes6), "10.20.1.1") == "outer-failed"


def test_userspace_devices_answer_alike() -> None:
    """wireguard-go routes the same way (S-E12)."""
    snapshot = host()
    devices = {
        index: replace(device, backend=Backend.USERSPACE)
        for index, device in snapshot.devices.items()
    }
    assert outcome(replace(snapshot, devices=devices), "10.20.1.1") == "encrypted"


def test_legs_that_end_differently_are_unknown() -> None:
    """One leg is encrypted, the other is not (S-B8)."""
    snapshot = host(routes4=f"{ROUTES}\n10.20.0.0/24\n nexthop dev wg0\n nexthop dev eth0")
    assert outcome(snapshot, "10.20.0.9") == "unknown/legs-differ"
    same = host(
        routes4=f"{ROUTES}\n10.40.0.0/24\n nexthop via 192.0.2.1 dev eth0\n nexthop dev eth0"
    )
    assert outcome(same, "10.40.0.9") == "sent"


@pytest.mark.parametrize(
    ("state", "ends"),
    [("DOWN", "link-down/link-admin-down"), ("NO-CARRIER", "link-down/no-carrier")],
)
def test_a_link_that_is_down_takes_nothing(state: str, ends: str) -> None:
    """The route still wins (S-B6)."""
    snapshot = world(f"eth0 {state} 192.0.2.10/24", routes4="default dev eth0")
    assert outcome(snapshot, "8.8.8.8") == ends
    assert way(snapshot, "8.8.8.8") == "254 0.0.0.0/0 dev eth0"


def test_what_an_encapsulating_route_does_is_unknown() -> None:
    """The light-weight tunnel may send it anywhere (S-H10)."""
    snapshot = world("eth0 UP 192.0.2.10/24", routes4="default dev eth0 encap mpls")
    assert outcome(snapshot, "8.8.8.8") == "unknown/encap"


TWO_UPLINKS = """
eth0 UP 192.0.2.10/24
eth1 UP 198.51.100.10/24
eth2 UP 203.0.113.10/24
wg0 UNKNOWN 10.7.0.1/24
"""
TWO_WAYS = """
default via 192.0.2.1 dev eth0
10.7.0.0/24 dev wg0 proto kernel
192.0.2.0/24 dev eth0 proto kernel
default via 198.51.100.1 dev eth1 table 100
unreachable default table 101
"""


def test_a_peer_that_was_heard_may_be_answered_by_another_way() -> None:
    """WireGuard sends from where it last heard the peer, which nobody sees: where a rule asks for
    the source, the other ways are named; without such a rule, or unheard, none (S-E14)."""

    def sticky(told: str, heard: str) -> list[tuple[str, str | None]]:
        snapshot = world(
            TWO_UPLINKS,
            routes4=TWO_WAYS,
            rules4=rules(told),
            wireguard=f"wg0 listen-port 51820\npeer P endpoint 8.8.4.4:1 "
            f"allowed-ips 10.7.0.0/24 {heard}",
        )
        trace = outer(ask(snapshot, "10.7.0.2"))
        assert trace.route is not None
        assert snapshot.link_name(trace.route.link) == "eth0"
        return [
            (one.name, None if one.to is None else snapshot.link_name(one.to))
            for one in trace.influences
            if one.kind is InfluenceKind.STICKY_SOURCE
        ]

    by_eth1 = "100: from 198.51.100.10 lookup 100"
    nowhere = "101: from 203.0.113.0/24 lookup 101"
    assert sticky(by_eth1, "handshake 5") == [("198.51.100.10", "eth1")]
    assert sticky(f"{by_eth1}\n{nowhere}", "handshake 5") == [
        ("198.51.100.10", "eth1"),
        ("203.0.113.10", None),
    ]
    assert sticky("100: from 192.0.2.10 lookup main", "handshake 5") == []
    assert sticky("100: to 8.8.8.8 lookup 100", "handshake 5") == []
    assert sticky(by_eth1, "") == []
