"""What wgtui says of a packet is what the packet does: real WireGuard of both kinds, real
packets."""

import errno
from collections.abc import Callable
from typing import Final, Literal

import pytest

from tests.kernel.hosts import KINDS, Device, FullTunnel, Host, Keys, Kind, Network, Pair, Star
from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.influence import InfluenceKind
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import BackOutcome, Outcome, Trace
from wgtui.sources.live import LiveSource

FAMILIES: Final[tuple[Literal["-4", "-6"], ...]] = ("-4", "-6")


def seen(host: Host) -> Snapshot:
    """What wgtui reads when it is started on this host."""

    def read() -> Snapshot:
        source = LiveSource()
        try:
            return source.read()
        finally:
            source.close()

    return host.inside(read)


def told(host: Host, words: str, agree: bool = True) -> Trace:
    """wgtui's answer on this host; the running kernel must agree with its part of it."""

    def ask() -> Trace:
        source = LiveSource()
        try:
            snapshot = source.read()
            flow = Flow.parse(words)
            trace = lookup(snapshot, flow)
            answer = source.ask(flow)
            assert answer is not None
            if agree:
                assert differences(snapshot, trace, answer) == ()
            return trace
        finally:
            source.close()

    return host.inside(ask)


def owner_key(trace: Trace) -> str:
    """The public key of the peer that the answer names."""
    assert trace.ownership is not None
    assert trace.ownership.owner is not None
    return trace.ownership.owner.peer.public_key


def link(trace: Trace, host: Host) -> str:
    """The link by which the answer says it leaves."""
    assert trace.route is not None
    return seen(host).link_name(trace.route.link)


def rises(count: Callable[[], int], by: Callable[[], object]) -> bool:
    """Whether a counter is higher after something was done."""
    before = count()
    by()
    return count() > before


def key(device: Device) -> str:
    """A device's public key, as its peers know it."""
    return device.keys.public


# ─── the full tunnel of wg-quick ─────────────────────────────────────────────────────────────────


def test_the_internet_is_behind_the_tunnel(full_tunnel: FullTunnel) -> None:
    """An address that only the gateway knows is `encrypted` to the gateway, and answers (S-F5)."""
    laptop = full_tunnel.laptop
    for address in ("203.0.113.9", "2001:db8:9::9"):
        trace = told(laptop, address)
        assert trace.outcome is Outcome.ENCRYPTED
        assert owner_key(trace) == key(full_tunnel.gateway_wg0)
        assert trace.outer is not None
        assert link(trace.outer, laptop) == "eth0"
        assert [step.outcome for step in trace.back] == [BackOutcome.ACCEPTED]
        assert laptop.ping(address)


def test_an_address_nobody_knows_goes_into_the_tunnel_too(full_tunnel: FullTunnel) -> None:
    """8.8.8.8 is `encrypted` to the gateway, which receives it, although nobody answers."""
    trace = told(full_tunnel.laptop, "8.8.8.8")
    assert trace.outcome is Outcome.ENCRYPTED
    assert owner_key(trace) == key(full_tunnel.gateway_wg0)
    assert full_tunnel.laptop.ping("203.0.113.9")  # so that there is a session
    received = full_tunnel.gateway.counters
    assert rises(
        lambda: received("wg0").rx_packets,
        lambda: full_tunnel.laptop.ping("8.8.8.8", wait=0.3),
    )


def test_the_endpoint_is_reached_two_ways(full_tunnel: FullTunnel) -> None:
    """My own ping to the endpoint is encrypted; the encrypted packet to it leaves in clear
    (C33)."""
    laptop = full_tunnel.laptop
    mine = told(laptop, "198.51.100.2")
    assert mine.outcome is Outcome.ENCRYPTED
    assert link(mine, laptop) == "wg0"
    marked = told(laptop, "198.51.100.2 mark 51820")
    assert marked.outcome is Outcome.SENT
    assert link(marked, laptop) == "eth0"
    assert laptop.ping("203.0.113.9")
    wg0 = laptop.counters
    assert rises(lambda: wg0("wg0").tx_packets, lambda: laptop.ping("198.51.100.2"))
    assert not rises(lambda: wg0("wg0").tx_packets, lambda: laptop.ping("198.51.100.2", mark=51820))


def test_the_lan_stays_outside_the_tunnel(full_tunnel: FullTunnel) -> None:
    """The neighbour on the wire is `sent` by eth0, not encrypted (suppress_prefixlength, S-A10)."""
    laptop = full_tunnel.laptop
    trace = told(laptop, "192.0.2.1")
    assert trace.outcome is Outcome.SENT
    assert link(trace, laptop) == "eth0"
    assert not rises(lambda: laptop.counters("wg0").tx_packets, lambda: laptop.ping("192.0.2.1"))


def test_own_addresses_are_local(full_tunnel: FullTunnel) -> None:
    """What this host owns is `local` and answers without leaving."""
    for address in ("10.77.0.2", "192.0.2.2", "127.0.0.1", "fd77::2"):
        assert told(full_tunnel.laptop, address).outcome is Outcome.LOCAL
        assert full_tunnel.laptop.ping(address)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_wg_quick_itself(full_tunnel: FullTunnel) -> None:
    """After a real `wg-quick up` with 0.0.0.0/0, every kind of address goes where wgtui says
    (S-F3)."""
    laptop = full_tunnel.laptop
    for family in FAMILIES:
        laptop.ip(
            "rule del not fwmark 51820 table 51820",
            "rule del table main suppress_prefixlength 0",
            family=family,
        )
    laptop.ip("link del wg0")
    conf = full_tunnel.network.directory / "wg0.conf"
    conf.write_text(
        f"[Interface]\nPrivateKey = {full_tunnel.laptop_wg0.keys.private}\n"
        "Address = 10.77.0.2/32, fd77::2/128\n"
        f"[Peer]\n# Name = gateway\nPublicKey = {key(full_tunnel.gateway_wg0)}\n"
        "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 198.51.100.2:51820\n"
    )
    conf.chmod(0o600)
    laptop.run("wg-quick", "up", str(conf))
    expected = {
        "203.0.113.9": ("encrypted", "wg0"),
        "8.8.8.8": ("encrypted", "wg0"),
        "198.51.100.2": ("encrypted", "wg0"),
        "198.51.100.2 mark 0xca6c": ("sent", "eth0"),
        "192.0.2.1": ("sent", "eth0"),
        "2001:db8:9::9": ("encrypted", "wg0"),
    }
    for words, (outcome, out) in expected.items():
        trace = told(laptop, words)
        assert (trace.outcome.value, link(trace, laptop)) == (outcome, out)
    assert laptop.ping("203.0.113.9")
    assert laptop.ping("2001:db8:9::9")
    assert laptop.ping("192.0.2.1")
    # It also sees what wg-quick put into the firewall: strict filtering would pass (S-D11, S-F4).
    laptop.sysctl("net.ipv4.conf.eth0.rp_filter", 1)
    [back] = told(laptop, "203.0.113.9").back
    assert back.outcome is BackOutcome.ACCEPTED
    assert back.outer_reverse_path is not None
    assert back.outer_reverse_path.mark == 51820
    laptop.run(
        "wg", "set", "wg0", "peer", key(full_tunnel.gateway_wg0), "persistent-keepalive", "0"
    )
    assert laptop.ping("203.0.113.9")


# ─── who owns it, and who does not ───────────────────────────────────────────────────────────────


def test_no_owner_is_enokey(pair: Pair, kind: Kind) -> None:
    """Routed into wg0 without an owner is `no-peer`: the module says ENOKEY, wireguard-go
    nothing."""
    for address in ("10.77.0.3", "fd77::3"):
        trace = told(pair.alice, address)
        assert trace.outcome is Outcome.NO_PEER
        assert [step.outcome for step in trace.back] == [BackOutcome.NOT_ALLOWED]
        assert pair.alice.send(address) == (errno.ENOKEY if kind is Kind.KERNEL else 0)
        assert not pair.alice.ping(address, wait=0.3)


def test_no_endpoint_is_edestaddrreq(pair: Pair, kind: Kind) -> None:
    """A peer that has never called cannot be reached: `no-endpoint`; with one it is `encrypted`."""
    silent = Keys.generate().public
    pair.alice_wg0.add_peer(silent, "10.77.0.7/32")
    trace = told(pair.alice, "10.77.0.7")
    assert trace.outcome is Outcome.NO_ENDPOINT
    assert owner_key(trace) == silent
    assert pair.alice.send("10.77.0.7") == (errno.EDESTADDRREQ if kind is Kind.KERNEL else 0)
    pair.alice_wg0.add_peer(silent, "10.77.0.7/32", endpoint="192.0.2.2:51820")
    assert told(pair.alice, "10.77.0.7").outcome is Outcome.ENCRYPTED
    assert pair.alice.send("10.77.0.7") == 0


def test_a_prefix_set_on_another_peer_moves_there(star: Star) -> None:
    """The same prefix given to a second peer belongs to it from then on, and so does the
    traffic."""
    hub = star.hub
    assert owner_key(told(hub, "10.2.0.1")) == key(star.west_wg0)
    assert hub.ping("10.2.0.1")
    star.hub_wg0.add_peer(key(star.east_wg0), "10.77.0.3/32", "10.3.0.0/24", "10.2.0.0/24")
    trace = told(hub, "10.2.0.1")
    assert owner_key(trace) == key(star.east_wg0)
    assert not hub.ping("10.2.0.1", wait=0.3)
    blocked = told(hub, f"10.77.0.1 from 10.2.0.1 iif wg0 peer {key(star.west_wg0)}", agree=False)
    assert blocked.outcome is Outcome.NOT_ALLOWED


def test_the_most_specific_prefix_wins(star: Star) -> None:
    """A /32 of east inside west's /24 takes that address, and leaves the others to west (S-E1)."""
    star.west.ip("address add 10.2.0.9/32 dev lo")
    star.east.ip("address add 10.2.0.9/32 dev lo")
    star.hub_wg0.add_peer(key(star.east_wg0), "10.77.0.3/32", "10.3.0.0/24", "10.2.0.9/32")
    assert owner_key(told(star.hub, "10.2.0.9")) == key(star.east_wg0)
    assert owner_key(told(star.hub, "10.2.0.1")) == key(star.west_wg0)
    east = star.east.counters
    assert star.hub.ping("10.77.0.3")
    assert rises(lambda: east("wg0").rx_packets, lambda: star.hub.ping("10.2.0.9", wait=0.3))


# ─── packets that come in ────────────────────────────────────────────────────────────────────────


def test_spoke_to_spoke_is_forwarded_and_encrypted_again(star: Star) -> None:
    """From west's LAN to east's: accepted from west, forwarded, encrypted to east."""
    words = f"10.3.0.1 from 10.2.0.1 iif wg0 peer {key(star.west_wg0)}"
    trace = told(star.hub, words)
    assert trace.outcome is Outcome.ENCRYPTED
    assert owner_key(trace) == key(star.east_wg0)
    assert star.west.ping("10.3.0.1", source="10.2.0.1")


def test_without_forwarding_the_hub_drops_it(star: Star) -> None:
    """The same packet is `not-forwarded` when the hub is no router, and does not arrive."""
    star.hub.sysctl("net.ipv4.conf.wg0.forwarding", 0)
    words = f"10.3.0.1 from 10.2.0.1 iif wg0 peer {key(star.west_wg0)}"
    assert told(star.hub, words).outcome is Outcome.NOT_FORWARDED
    assert not star.west.ping("10.3.0.1", source="10.2.0.1", wait=0.3)


def test_a_source_of_another_peer_is_dropped(star: Star, kind: Kind) -> None:
    """West may not send with east's address: `not-allowed`, and the hub counts a frame error."""
    star.west.ip("address add 10.3.0.7/32 dev lo")
    words = f"10.77.0.1 from 10.3.0.7 iif wg0 peer {key(star.west_wg0)}"
    trace = told(star.hub, words, agree=False)
    assert trace.outcome is Outcome.NOT_ALLOWED
    assert trace.arrival is not None
    assert trace.arrival.owner is not None
    assert trace.arrival.owner.peer.public_key == key(star.east_wg0)
    assert star.west.ping("10.77.0.1")
    before = star.hub.counters("wg0").rx_frame_errors
    assert not star.west.ping("10.77.0.1", source="10.3.0.7", wait=0.3)
    after = star.hub.counters("wg0").rx_frame_errors
    assert (after > before) is (kind is Kind.KERNEL)


def test_strict_rp_filter_wants_the_route_back(star: Star) -> None:
    """Strict on the hub's wg0, and west's LAN routed elsewhere: `rpf-dropped`; loose lets it in."""
    star.hub.ip("route replace 10.2.0.0/24 via 198.51.100.1")
    words = f"10.77.0.1 from 10.2.0.1 iif wg0 peer {key(star.west_wg0)}"
    star.hub.sysctl("net.ipv4.conf.wg0.rp_filter", 1)
    assert told(star.hub, words).outcome is Outcome.RPF_DROPPED
    assert star.west.ping("10.77.0.1")

    def dropped() -> int:
        text = star.hub.run("nstat", "-asz", "TcpExtIPReversePathFilter")
        return int(text.splitlines()[-1].split()[1])

    assert rises(dropped, lambda: star.west.ping("10.77.0.1", source="10.2.0.1", wait=0.3))
    star.hub.sysctl("net.ipv4.conf.wg0.rp_filter", 2)
    assert told(star.hub, words).outcome is Outcome.LOCAL
    assert not rises(dropped, lambda: star.west.ping("10.77.0.1", source="10.2.0.1", wait=0.3))


@pytest.mark.kernel
def test_a_peer_is_answered_from_where_it_was_heard() -> None:
    """A rule for that source then leads the encrypted packet another way than wgtui's own answer,
    which is why wgtui names it (S-E14)."""
    with Network() as network:
        alice, bob = network.host("alice"), network.host("bob")
        devices = []
        for link in ("eth0", "eth1"):
            network.cable(alice, link, bob, link)
        for number, host in enumerate((alice, bob), start=1):
            host.sysctl("net.ipv4.conf.all.rp_filter", 0)
            devices.append(host.wireguard("wg0", Kind.USERSPACE, port=51820))
            host.ip(
                f"address add 192.0.2.{number}/24 dev eth0",
                f"address add 198.51.100.{number}/24 dev eth1",
                "link set eth0 up",
                "link set eth1 up",
                f"address add 10.77.0.{number}/24 dev wg0",
                "link set wg0 up",
            )
        bob.ip(
            "address add 203.0.113.2/32 dev lo",
            "route add 198.51.100.1/32 dev eth1 src 203.0.113.2",
        )
        alice.ip(
            "route add 203.0.113.2/32 via 192.0.2.2 dev eth0",
            "route add 203.0.113.2/32 via 198.51.100.2 dev eth1 table 100",
            "rule add from 198.51.100.1 table 100",
        )
        near, far = devices
        near.add_peer(far.keys.public, "10.77.0.2/32", endpoint="203.0.113.2:51820")
        far.add_peer(near.keys.public, "10.77.0.1/32")

        def seen_by_bob() -> str:
            return bob.run("wg", "show", "wg0", "endpoints").split()[-1]

        assert alice.ping("10.77.0.2", count=3)
        assert seen_by_bob() == "192.0.2.1:51820"
        far.set("peer", near.keys.public, "endpoint", "198.51.100.1:51820")
        assert bob.ping("10.77.0.1", count=3)
        assert alice.ping("10.77.0.2", count=3)
        assert seen_by_bob() == "198.51.100.1:51820"
        outer = told(alice, "10.77.0.2").outer
        assert outer is not None
        snapshot = seen(alice)
        [sticky] = outer.influences
        assert sticky.kind is InfluenceKind.STICKY_SOURCE
        assert (sticky.name, snapshot.link_name(sticky.to)) == ("198.51.100.1", "eth1")


@pytest.mark.kernel
def test_address_labels_of_the_host_choose_the_source() -> None:
    """``ip addrlabel``, for every link and for one (S-B68)."""
    with Network() as network:
        alice, bob = network.host("alice"), network.host("bob")
        network.cable(alice, "eth0", bob, "eth0")
        bob.ip("link set eth0 up")
        alice.ip(
            "address add 2001:db8::1/64 dev eth0",
            "address add fd00::1/64 dev eth0",
            "link set eth0 up",
            "route add 3fff::/20 dev eth0",
            "addrlabel add prefix fd00::/8 dev eth0 label 77",
        )
        before = told(alice, "3fff::1").route
        alice.ip("addrlabel add prefix 3fff::/16 label 77")
        after = told(alice, "3fff::1").route
        assert before is not None
        assert after is not None
        assert (str(before.source), str(after.source)) == ("2001:db8::1", "fd00::1")


@pytest.mark.kernel
def test_without_an_address_of_the_link_no_socket_sends_to_link_local() -> None:
    """Routing has a way and the kernel says so, and a socket fails (S-B68)."""
    with Network() as network:
        alice, bob = network.host("alice"), network.host("bob")
        network.cable(alice, "eth0", bob, "eth0")
        bob.ip("link set eth0 up")
        alice.ip(
            "link set eth0 addrgenmode none",
            "link set eth0 up",
            "route add fe80::/64 dev eth0",
        )
        route = told(alice, "fe80::5%eth0").route
        assert route is not None
        assert route.source is None
        assert alice.send("fe80::5%eth0") == errno.EADDRNOTAVAIL
