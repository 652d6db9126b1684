"""Does the command that a finding prints make it go away, on a real host?

    eth0 192.0.2.10/24, default via 192.0.2.1      host      wg0 10.8.0.1/24, port 51820
                                                             A 10.8.0.2  198.51.100.4:51820

Each case brings the trouble onto this host, reads it, runs what is printed, and reads it again.
Configurations are files beside the test: what is printed for them is run as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.kernel.hosts import KINDS, Device, Host, Keys, Kind, Network, Pair
from wgtui.engine.checks import check
from wgtui.model.finding import Code, Finding
from wgtui.model.snapshot import Snapshot
from wgtui.report.repairs import repair
from wgtui.sources.live import LiveSource
from wgtui.sources.wgconf import parse_config


@dataclass(frozen=True, slots=True)
class Scene:
    """The host, its devices, two peers' keys, and where its configuration is."""

    host: Host
    wg0: Device
    wg1: Device
    a: str
    b: str
    file: Path

    def meant(self, *peers: str, port: int = 51820) -> None:
        """Write the configuration of wg0; a peer is ``KEY ALLOWEDIPS [ENDPOINT]``."""
        lines = ["[Interface]", f"PrivateKey = {self.wg0.keys.private}", f"ListenPort = {port}"]
        for peer in peers:
            key, allowed, *endpoint = peer.split()
            lines += ["", "[Peer]", f"PublicKey = {key}", f"AllowedIPs = {allowed}"]
            lines += [f"Endpoint = {endpoint[0]}"] if endpoint else []
        self.file.write_text("\n".join(lines) + "\n")

    def look(self) -> Snapshot:
        """The host as it is now, with what its file means."""
        with closing(LiveSource(self.host.namespace)) as source:
            snapshot = source.read()
        if not self.file.exists():
            return snapshot
        return replace(
            snapshot, meant=(parse_config(self.file.read_text(), "wg0", str(self.file)),)
        )


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """One for all cases."""
    with Network() as network:
        yield network


@pytest.fixture
def scene(network: Network, tmp_path: Path) -> Scene:
    """A host that is in order."""
    host = network.host(f"r{len(list(network.directory.iterdir()))}")
    host.ip(
        "link add eth0 type veth peer name far",
        "link set far up",
        "address add 192.0.2.10/24 dev eth0",
        "link set eth0 up",
        "route add default via 192.0.2.1 dev eth0",
    )
    for link in ("all", "default", "eth0"):
        host.sysctl(f"net.ipv4.conf.{link}.rp_filter", 0)
    host.sysctl("net.ipv4.ip_forward", 1)
    wg0 = host.wireguard("wg0", Kind.USERSPACE, port=51820)
    wg1 = host.wireguard("wg1", Kind.USERSPACE, port=51821)
    host.ip(
        "address add 10.8.0.1/24 dev wg0",
        "link set wg0 up mtu 1420",
        "address add 10.9.0.1/24 dev wg1",
        "link set wg1 up mtu 1420",
    )
    a, b = Keys.generate().public, Keys.generate().public
    wg0.add_peer(a, "10.8.0.2/32", endpoint="198.51.100.4:51820")
    scene = Scene(host, wg0, wg1, a, b, tmp_path / "wg0.conf")
    assert [finding for finding in check(scene.look()) if finding.severity.alarming] == []
    return scene


def _moved(scene: Scene) -> None:
    scene.host.ip("route add 10.20.0.0/24 dev wg0")
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/24")
    scene.wg0.add_peer(scene.b, "10.8.0.3/32", "10.20.0.0/24")
    scene.meant(f"{scene.a} 10.8.0.2/32,10.20.0.0/24", f"{scene.b} 10.8.0.3/32")


def _shared(scene: Scene) -> None:
    _moved(scene)
    scene.meant(f"{scene.a} 10.8.0.2/32,10.20.0.0/24", f"{scene.b} 10.20.0.0/24,10.8.0.3/32")


def _host_bits(scene: Scene) -> None:
    scene.meant(f"{scene.a} 10.8.0.2/24")


def _shadowed(scene: Scene) -> None:
    scene.host.ip("route add 10.20.0.0/24 dev wg0")
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/24")
    scene.wg0.add_peer(scene.b, "10.20.0.0/25", "10.20.0.128/25")


def _overlapping(scene: Scene) -> None:
    scene.host.ip("route add 10.20.0.0/24 dev wg0")
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/24")
    scene.wg0.add_peer(scene.b, "10.8.0.3/32", "10.20.0.128/25")


def _unrouted(scene: Scene) -> None:
    scene.host.ip("route add 10.20.0.0/24 dev wg0")
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/22")


def _down(scene: Scene) -> None:
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/24")
    scene.host.ip("route add 10.20.0.0/24 dev wg0", "link set wg0 down")


def _ownerless(scene: Scene) -> None:
    scene.wg0.add_peer(scene.b, "10.8.0.3/32")
    scene.host.ip("route add 10.44.0.0/16 dev wg0")


def _by_gateway(scene: Scene) -> None:
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/16")
    scene.wg0.add_peer(scene.b, "10.8.0.3/32")
    scene.host.ip("route add 10.20.0.0/16 via 10.8.0.3 dev wg0 metric 7")


def _no_endpoint(scene: Scene) -> None:
    scene.wg0.add_peer(scene.b, "10.8.0.3/32")
    scene.meant(f"{scene.a} 10.8.0.2/32", f"{scene.b} 10.8.0.3/32 198.51.100.5:51820")


def _looping(scene: Scene) -> None:
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "198.51.100.0/24")
    scene.host.ip("route add 198.51.100.0/24 dev wg0")


def _inside_another(scene: Scene) -> None:
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "203.0.113.0/24")
    scene.host.ip("route add 203.0.113.0/24 dev wg0")
    scene.wg1.add_peer(scene.b, "10.9.0.2/32", endpoint="203.0.113.9:51820")


def _filtered(scene: Scene) -> None:
    scene.host.sysctl("net.ipv4.conf.wg0.rp_filter", 1)
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/24")


def _filtered_below(scene: Scene) -> None:
    scene.host.sysctl("net.ipv4.conf.eth0.rp_filter", 1)
    scene.wg0.add_peer(scene.a, "0.0.0.0/0")
    scene.wg0.route_everything()


def _replies_elsewhere(scene: Scene) -> None:
    scene.host.ip(
        "route add default via 192.0.2.1 dev eth0 table 100",
        "rule add from 10.8.0.1 lookup 100 priority 100",
        family="-4",
    )


def _own_key(scene: Scene) -> None:
    scene.meant(f"{scene.a} 10.8.0.2/32", f"{scene.wg0.keys.public} 10.8.0.9/32")


def _drifted(scene: Scene) -> None:
    scene.meant(f"{scene.a} 10.8.0.2/32", f"{scene.b} 10.8.0.3/32", port=51999)


def _no_way_out(scene: Scene) -> None:
    scene.host.ip("rule add to 198.51.100.4 unreachable priority 50", family="-4")


def _not_forwarding(scene: Scene) -> None:
    scene.host.sysctl("net.ipv4.ip_forward", 0)
    scene.wg0.add_peer(scene.a, "10.8.0.2/32", "10.20.0.0/24")
    scene.wg0.add_peer(scene.b, "10.8.0.3/32", "10.21.0.0/24")
    scene.host.ip("route add 10.20.0.0/24 dev wg0", "route add 10.21.0.0/24 dev wg0")


def _too_large(scene: Scene) -> None:
    scene.host.ip("link set eth0 mtu 1440")


def _twice_by_metric(scene: Scene) -> None:
    scene.host.ip("route add 10.30.0.0/16 dev eth0", "route add 10.30.0.0/16 dev wg0 metric 9")


TROUBLES: dict[str, tuple[Code, Callable[[Scene], None]]] = {
    "moved": (Code.MOVED_PREFIX, _moved),
    "moved-because-of-the-file": (Code.MOVED_PREFIX, _shared),
    "same-prefix": (Code.SAME_PREFIX_IN_CONFIG, _shared),
    "host-bits": (Code.HOST_BITS, _host_bits),
    "shadowed": (Code.SHADOWED_PREFIX, _shadowed),
    "overlap": (Code.OVERLAP, _overlapping),
    "unrouted": (Code.UNROUTED_PREFIX, _unrouted),
    "down": (Code.UNROUTED_PREFIX, _down),
    "ownerless": (Code.OWNERLESS_ROUTE, _ownerless),
    "gateway": (Code.IGNORED_GATEWAY, _by_gateway),
    "no-endpoint": (Code.NO_ENDPOINT, _no_endpoint),
    "loop": (Code.ENDPOINT_LOOP, _looping),
    "nested": (Code.ENDPOINT_VIA_TUNNEL, _inside_another),
    "rp-filter": (Code.RP_FILTER, _filtered),
    "rp-filter-below": (Code.RP_FILTER, _filtered_below),
    "asymmetric": (Code.ASYMMETRIC, _replies_elsewhere),
    "own-key": (Code.OWN_KEY_PEER, _own_key),
    "drift": (Code.CONFIG_DRIFT, _drifted),
    "no-way-out": (Code.NO_HANDSHAKE, _no_way_out),
    "forwarding": (Code.FORWARDING_OFF, _not_forwarding),
    "mtu": (Code.MTU, _too_large),
    "duplicate": (Code.DUPLICATE_ROUTE, _twice_by_metric),
}


def of(code: Code, snapshot: Snapshot) -> list[Finding]:
    """The findings with that code."""
    return [finding for finding in check(snapshot) if finding.code is code]


@pytest.mark.parametrize("name", TROUBLES)
def test_the_printed_command_repairs_it(scene: Scene, name: str) -> None:
    """The finding is there, what it prints is run as it stands, and the finding is gone."""
    code, bring = TROUBLES[name]
    bring(scene)
    snapshot = scene.look()
    found = of(code, snapshot)
    assert found
    for finding in found:
        commands = repair(snapshot, finding)
        assert commands
        for command in commands:
            filled = command.replace("THE-KEY-OF-THE-PEER", Keys.generate().public)
            scene.host.run("bash", "-c", filled)
    assert of(code, scene.look()) == []


@pytest.mark.parametrize("kind", [KINDS[0]])
def test_a_peer_that_never_answered_does_at_its_right_endpoint(pair: Pair, tmp_path: Path) -> None:
    """The endpoint is set to what the configuration says, and then there is a handshake."""
    alice, bob = pair.alice, pair.bob_wg0.keys.public
    right = str(next(iter(look(alice).devices.values())).peers[0].endpoint)
    pair.alice_wg0.set("peer", bob, "endpoint", right.replace(right.rpartition(":")[2], "9"))
    assert not alice.ping("10.77.0.2", wait=1)
    text = (
        f"[Interface]\n[Peer]\nPublicKey = {bob}\nAllowedIPs = 10.77.0.2/32\nEndpoint = {right}\n"
    )
    meant = (parse_config(text, "wg0", str(tmp_path / "wg0.conf")),)
    snapshot = replace(look(alice), meant=meant)
    [finding] = of(Code.NO_HANDSHAKE, snapshot)
    [command] = repair(snapshot, finding)
    alice.run("bash", "-c", command)
    for _ in range(20):
        if alice.ping("10.77.0.2", wait=2):
            break
    assert of(Code.NO_HANDSHAKE, replace(look(alice), meant=meant)) == []


def look(host: Host) -> Snapshot:
    """The host as the live source sees it from outside."""
    with closing(LiveSource(host.namespace)) as source:
        return source.read()
