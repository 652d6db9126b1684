"""The hosts are real: what their packets meet is what WireGuard and the kernel document."""

import errno
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.kernel.hosts import (
    KINDS,
    NAMESPACES,
    CommandError,
    FullTunnel,
    Kind,
    Network,
    Pair,
    Star,
    open_pair,
)

only_kernel = pytest.mark.parametrize("kind", [KINDS[1]])
only_userspace = pytest.mark.parametrize("kind", [KINDS[0]])


def test_a_tunnel_carries_pings_both_ways(pair: Pair) -> None:
    """Either host reaches the other's inner addresses, IPv4 and IPv6."""
    assert pair.alice.ping("10.77.0.2")
    assert pair.bob.ping("10.77.0.1")
    assert pair.alice.ping("fd77::2")
    assert pair.bob.ping("fd77::1")


def test_the_pings_were_encrypted(pair: Pair) -> None:
    """What wg0 sends, eth0 sends too, and the peer's transfer counters and handshake show it."""
    assert pair.alice.ping("10.77.0.2", count=1)
    [_, [_, _, endpoint, allowed_ips, handshake, received, sent, _]] = pair.alice_wg0.dump()
    assert (endpoint, allowed_ips) == ("192.0.2.2:51820", "10.77.0.2/32,fd77::2/128")
    assert int(handshake) > 0
    assert int(received) > 0
    assert int(sent) > 0
    assert pair.alice.counters("wg0").tx_packets >= 1
    assert pair.alice.counters("eth0").tx_bytes > pair.alice.counters("wg0").tx_bytes


def test_datagrams_arrive(pair: Pair) -> None:
    """A UDP socket on one host receives through the tunnel what another host sends."""
    listener = pair.bob.udp(source="10.77.0.2", port=7)
    assert pair.alice.send("10.77.0.2", port=7) == 0
    assert listener.recvfrom(100)[0] == b"wgtui"


def test_spokes_talk_through_the_hub(star: Star) -> None:
    """Two spokes that know only the hub reach each other's LAN, and its wg0 forwards it."""
    assert star.west.ping("10.77.0.1")
    assert star.west.ping("10.3.0.1", source="10.2.0.1")
    assert star.east.ping("10.2.0.1", source="10.3.0.1")
    assert star.hub.counters("wg0").tx_packets >= 4


def test_a_full_tunnel_takes_everything_but_its_own_packets(full_tunnel: FullTunnel) -> None:
    """Unmarked packets leave by wg0; marked ones, as its own are, by the default route of main."""
    laptop = full_tunnel.laptop
    assert laptop.ping("203.0.113.9")
    assert laptop.ping("2001:db8:9::9")
    assert not laptop.ping("203.0.113.9", mark=51820, wait=0.3)
    assert laptop.ping("198.51.100.2", mark=51820)
    [plain] = laptop.ip_json("route", "get", "203.0.113.9")
    [marked] = laptop.ip_json("route", "get", "203.0.113.9", "mark", "51820")
    assert (plain["dev"], marked["dev"]) == ("wg0", "eth0")


def test_a_full_tunnel_has_the_rules_of_wg_quick(full_tunnel: FullTunnel) -> None:
    """main without its default comes first, then the tunnel's table for all that is not marked."""
    for family in ("-4", "-6"):
        rules = full_tunnel.laptop.ip_json("-N", family, "rule", "show")
        first, second = (rule for rule in rules if 0 < rule["priority"] < 32766)
        assert (first["priority"], second["priority"]) == (32764, 32765)
        assert (int(first["table"]), first["suppress_prefixlen"]) == (254, 0)
        assert (int(second["table"]), second["fwmark"]) == (51820, "0xca6c")
        assert "not" in second


@only_kernel
def test_a_destination_nobody_owns_is_enokey(pair: Pair) -> None:
    """The kernel refuses an inner destination outside all AllowedIPs: ENOKEY and a tx error."""
    before = pair.alice.counters("wg0")
    assert pair.alice.send("10.77.0.99") == errno.ENOKEY
    assert pair.alice.counters("wg0").tx_errors == before.tx_errors + 1


@only_kernel
def test_a_peer_without_endpoint_is_edestaddrreq(pair: Pair) -> None:
    """The kernel refuses a peer that it has no address for: EDESTADDRREQ and a tx error."""
    pair.alice_wg0.set("peer", pair.bob_wg0.keys.public, "remove")
    pair.alice_wg0.add_peer(pair.bob_wg0.keys.public, "10.77.0.2/32")
    assert pair.alice.send("10.77.0.2") == errno.EDESTADDRREQ
    assert pair.alice.counters("wg0").tx_errors == 1


@only_kernel
def test_a_source_of_another_is_a_frame_error(pair: Pair) -> None:
    """What a peer sends from an address it does not own is dropped and counted at the receiver."""
    assert pair.bob.ping("10.77.0.1")
    pair.bob.ip("address add 10.99.0.1/32 dev wg0")
    assert not pair.bob.ping("10.77.0.1", source="10.99.0.1", wait=0.5)
    counted = pair.alice.counters("wg0")
    assert (counted.rx_errors, counted.rx_frame_errors) == (1, 1)


@only_userspace
def test_wireguard_go_drops_in_silence(pair: Pair) -> None:
    """wireguard-go takes a packet for nobody, or for a peer without endpoint: no errno tells."""
    assert pair.alice.send("10.77.0.99") == 0
    pair.alice_wg0.add_peer(pair.bob_wg0.keys.public, "10.77.0.2/32")
    assert pair.alice.send("10.77.0.2") == 0
    assert pair.alice.counters("wg0").tx_errors == 0


@only_userspace
def test_wireguard_go_logs_a_source_of_another(pair: Pair) -> None:
    """wireguard-go drops what a peer sends from an address it does not own, and says so."""
    assert pair.bob.ping("10.77.0.1")
    pair.bob.ip("address add 10.99.0.1/32 dev wg0")
    assert not pair.bob.ping("10.77.0.1", source="10.99.0.1", wait=0.5)
    assert "disallowed source address" in pair.alice_wg0.log.read_text()


def test_routing_refusals_have_their_errno() -> None:
    """Without route ENETUNREACH; unreachable, prohibit and blackhole routes each have their own."""
    with Network() as network:
        host = network.host("lonely")
        host.ip(
            "route add unreachable 10.1.0.0/16",
            "route add prohibit 10.2.0.0/16",
            "route add blackhole 10.3.0.0/16",
        )
        answers = [host.send(f"10.{number}.0.1") for number in range(4)]
        assert answers == [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL]


def test_a_host_sees_only_its_own_devices(pair: Pair) -> None:
    """Two hosts may both have a wg0, and `wg` on either reads its own."""
    assert pair.alice.run("wg", "show", "interfaces").split() == ["wg0"]
    assert pair.alice_wg0.dump()[0][1] == pair.alice_wg0.keys.public
    assert pair.bob_wg0.dump()[0][1] == pair.bob_wg0.keys.public
    with Network() as network:
        assert network.host("bare").run("wg", "show", "interfaces") == ""


@only_userspace
def test_inside_is_the_host_itself(pair: Pair) -> None:
    """Code called inside sees the host's /sys and /run/wireguard; outside nothing changed."""

    def look() -> tuple[list[str], list[str]]:
        sockets = [path.name for path in Path("/run/wireguard").glob("*.sock")]
        return [path.name for path in Path("/sys/class/net").iterdir()], sockets

    outside = Path("/proc/self/ns/net").readlink()
    links, sockets = pair.alice.inside(look)
    assert {"eth0", "lo", "wg0"} <= set(links)
    assert sockets == ["wg0.sock"]
    assert Path("/proc/self/ns/net").readlink() == outside
    assert not list(Path("/run/wireguard").glob("wg0.sock"))


def test_a_failing_command_says_all_it_said() -> None:
    """A wrong line of iproute2's raises with the line and its complaint."""
    with Network() as network, pytest.raises(CommandError, match=r"(?s)status 1.*nodev"):
        network.host("one").ip("link set nodev up")


def test_nothing_is_left_after_an_interrupt() -> None:
    """Namespaces, daemons and files go, by name and pid, when the test in the middle is stopped."""

    def interrupted() -> tuple[Pair, list[str]]:
        with open_pair(Kind.USERSPACE) as pair:
            opened.append(pair)
            raise KeyboardInterrupt

    opened: list[Pair] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    [pair] = opened
    for host in (pair.alice, pair.bob):
        assert not (NAMESPACES / host.namespace).exists()
        assert not host.sockets.exists()
    assert not running(str(pair.network.directory))


def test_the_next_run_sweeps_after_a_killed_one() -> None:
    """A run killed outright takes its daemons along, and the next one removes its namespaces."""
    script = """
import os, signal
from tests.kernel.hosts import Kind, open_pair
with open_pair(Kind.USERSPACE) as pair:
    print(pair.alice.namespace, pair.network.directory, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    namespace, directory = killed.stdout.split()
    shutil.rmtree(directory)
    assert (NAMESPACES / namespace).exists()
    with Network():
        assert not (NAMESPACES / namespace).exists()
    until = time.monotonic() + 30
    while running(namespace) and time.monotonic() < until:
        time.sleep(0.01)
    assert not running(namespace)


def running(word: str) -> list[int]:
    """The processes that have this word on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found
