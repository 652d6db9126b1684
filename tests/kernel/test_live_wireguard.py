"""Does the live source see WireGuard devices as `wg` does, and admit what it may not see?

Both kinds are seen alike: the kernel's through generic netlink, wireguard-go's through its socket.
"""

import json
import os
import sys
import time
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from tests.kernel.hosts import KINDS, NAMESPACES, Host, Kind, Pair, inhabitants
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.wireguard import Birth, Device
from wgtui.sources.live import LiveSource

only_kernel = pytest.mark.parametrize("kind", [KINDS[1]])
only_userspace = pytest.mark.parametrize("kind", [KINDS[0]])


def look(host: Host) -> Snapshot:
    """The host as the live source sees it from outside."""
    with closing(LiveSource(host.namespace)) as source:
        return source.read()


def device_of(snapshot: Snapshot, name: str) -> Device:
    """The device behind a link."""
    return snapshot.devices[snapshot.links_by_name[name].index]


def assert_as_wg_shows(snapshot: Snapshot, host: Host, name: str) -> None:
    """The device equals `wg show dump`, whoever does the encryption."""
    device = device_of(snapshot, name)
    lines = host.run("wg", "show", name, "dump").splitlines()
    [_, public, port, mark], *peers = [line.split("\t") for line in lines]
    assert device.public_key == public
    assert device.listen_port == int(port)
    assert device.fwmark == (0 if mark == "off" else int(mark, 16))
    told = {line[0]: line for line in peers}
    assert {peer.public_key for peer in device.peers} == told.keys()
    for peer in device.peers:
        _, _, endpoint, allowed, handshake, received, sent, keepalive = told[peer.public_key]
        assert str(peer.endpoint or "(none)") == endpoint
        assert {str(prefix) for prefix in peer.allowed_ips} == set(
            allowed.replace("(none)", "").split(",")
        ) - {""}
        assert int(peer.last_handshake or 0) == int(handshake)
        assert (peer.received, peer.sent) == (int(received), int(sent))
        assert peer.keepalive == (0 if keepalive == "off" else int(keepalive))


def test_a_tunnel_is_seen(pair: Pair, kind: Kind) -> None:
    """Key, port, peers, endpoints, AllowedIPs and handshakes are what `wg` shows."""
    assert pair.alice.ping("10.77.0.2")
    snapshot = look(pair.alice)
    assert snapshot.gaps == ()
    assert_as_wg_shows(snapshot, pair.alice, "wg0")
    [device] = snapshot.devices.values()
    assert device.backend.value == kind.value
    assert device.birth is Birth.HERE
    [peer] = device.peers
    assert peer.last_handshake is not None
    assert abs(peer.last_handshake - time.time()) < 60


def test_peers_that_move_are_polled(pair: Pair) -> None:
    """WireGuard tells nobody about changes; a refresh without events reads the devices anew."""
    with closing(LiveSource(pair.alice.namespace)) as source:
        before = source.read()
        pair.alice_wg0.add_peer(pair.bob_wg0.keys.public, "10.99.0.0/16")
        after = source.refresh(before, 0.1)
        [device] = after.devices.values()
        assert [str(prefix) for prefix in device.peers[0].allowed_ips] == ["10.99.0.0/16"]
        assert after.routes is before.routes


def test_no_secret_leaves_the_source(pair: Pair) -> None:
    """The snapshot does not contain the private key, in base64 or hexadecimal."""
    said = repr(look(pair.alice).devices)
    assert pair.alice_wg0.keys.public in said
    assert pair.alice_wg0.keys.private not in said


@only_kernel
def test_large_devices_come_whole(pair: Pair, kind: Kind) -> None:
    """300 peers, one of them with 5,000 AllowedIPs, all there although the kernel splits them."""
    assert kind is Kind.KERNEL
    keys = [os.urandom(32) for _ in range(300)]
    lines: list[str] = []
    for number, key in enumerate(keys):
        allowed = ", ".join(
            f"10.{100 + (n >> 8)}.{n & 255}.0/24" for n in range(5000 if number == 7 else 0)
        )
        prefix = f"fd00:{number:x}::/64"
        lines += ["[Peer]", f"PublicKey = {written(key)}"]
        lines += [f"AllowedIPs = {prefix}{', ' + allowed if allowed else ''}"]
    pair.alice.run("wg", "addconf", "wg0", "/dev/stdin", stdin="\n".join(lines) + "\n")
    snapshot = look(pair.alice)
    assert_as_wg_shows(snapshot, pair.alice, "wg0")
    [device] = snapshot.devices.values()
    assert len(device.peers) == 301
    assert max(len(peer.allowed_ips) for peer in device.peers) == 5001


def written(key: bytes) -> str:
    """As WireGuard writes keys."""
    return b64encode(key).decode()


@only_kernel
def test_a_device_that_was_moved_says_where_it_was_born(pair: Pair, kind: Kind) -> None:
    """Its port is open in the namespace it was made in, and only there (S-E20)."""
    assert kind is Kind.KERNEL
    other = pair.network.host("other")
    pair.alice.ip(f"link set wg0 netns {other.namespace}")
    other.ip("link set wg0 up")
    [device] = look(other).devices.values()
    assert device.birth is Birth.ELSEWHERE
    # Bob listens on the same port, so only the number of candidates is known.
    assert device.birth_namespace is None
    pair.bob_wg0.set("listen-port", "51821")
    [device] = look(other).devices.values()
    assert device.birth_namespace == pair.alice.namespace


@only_userspace
def test_a_namesake_elsewhere_is_not_claimed(pair: Pair, kind: Kind) -> None:
    """A socket that was made in another namespace is a gap for the link of the same name."""
    assert kind is Kind.USERSPACE
    other = pair.network.host("other")
    other.ip("tuntap add wg0 mode tun", "link set wg0 up")
    # Not a hard link: wireguard-go takes any change of its socket's inode for the end.
    (other.sockets / "wg0.sock").symlink_to(pair.alice.sockets / "wg0.sock")
    snapshot = other.inside(read_here)
    assert snapshot.devices == {}
    gap = snapshot.gap(Subject.WIREGUARD, snapshot.links_by_name["wg0"].index)
    assert gap is not None
    assert "another network namespace" in gap.why


@only_userspace
def test_a_dead_daemons_socket_is_left_alone(pair: Pair, kind: Kind) -> None:
    """What kill -9 leaves behind is a gap while there is such a tun, and is never unlinked."""
    assert kind is Kind.USERSPACE
    other = pair.network.host("other")
    other.wireguard("wg0", Kind.USERSPACE)
    stale = other.sockets / "wg0.sock"
    kill_daemon(other)
    other.ip("tuntap add wg0 mode tun")
    snapshot = other.inside(read_here)
    gap = snapshot.gap(Subject.WIREGUARD, snapshot.links_by_name["wg0"].index)
    assert gap is not None
    assert "nobody listens" in gap.why
    assert stale.is_socket()


def kill_daemon(host: Host) -> None:
    """End the host's only process the hard way, and wait until its link is gone."""
    for pid in inhabitants(NAMESPACES / host.namespace):
        os.kill(pid, 9)
    until = time.monotonic() + 10
    while time.monotonic() < until and host.ip_json("link", "show", "type", "tun"):
        time.sleep(0.01)


def read_here() -> Snapshot:
    """What this thread's namespace looks like to a program that was started in it."""
    with closing(LiveSource()) as source:
        return source.read()


# ─── not being allowed to ────────────────────────────────────────────────────────────────────────

AS_NOBODY = """
import json, os
import pyroute2
from wgtui.sources.live import LiveSource
from wgtui.model.flow import Flow
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
source = LiveSource()
snapshot = source.read()
again = source.refresh(snapshot, 0.1)
answer = source.ask(Flow.parse("10.77.0.2"))
print(json.dumps({
    "links": [link.name for link in snapshot.links.values()],
    "rules": {family: len(rules) for family, rules in snapshot.rules.items()},
    "routes": sum(map(len, snapshot.routes.values())),
    "hooks": snapshot.hooks,
    "gaps": [[gap.subject.value, gap.link, gap.hint] for gap in snapshot.gaps],
    "devices": len(snapshot.devices),
    "uid": snapshot.uid,
    "answer": answer.link,
    "gaps_again": len(again.gaps),
}))
"""


def test_without_privilege_there_are_gaps_not_failures(pair: Pair) -> None:
    """Nobody sees links, rules and routes, may ask the kernel, and is told what root would see."""
    repository = str(Path(__file__).parents[2])
    said = pair.alice.run("env", f"PYTHONPATH={repository}", sys.executable, "-c", AS_NOBODY)
    seen = json.loads(said)
    wg0 = look(pair.alice).links_by_name["wg0"].index
    assert set(seen["links"]) == {"lo", "eth0", "wg0"}
    assert seen["rules"] == {"4": 3, "6": 2}
    assert seen["routes"] > 5
    assert seen["devices"] == 0
    assert seen["hooks"] is None
    assert seen["uid"] == 65534
    assert seen["answer"] == wg0
    root = "run as root (sudo wgtui)"
    assert ["wireguard", wg0, root] in seen["gaps"]
    assert ["firewall", None, root] in seen["gaps"]
    assert seen["gaps_again"] == len(seen["gaps"])
