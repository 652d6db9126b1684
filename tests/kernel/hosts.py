"""Throw-away hosts: real links, real routes and real WireGuard between network namespaces.

    with Network() as network:
        alice, bob = network.host("alice"), network.host("bob")
        network.cable(alice, "eth0", bob, "eth0")
        alice.ip("address add 192.0.2.1/24 dev eth0", "link set eth0 up")
        wg0 = alice.wireguard("wg0", Kind.USERSPACE, port=51820)

or one of the three ready-made networks: `pair`, `star` and `full_tunnel`, each also a fixture.

Rules for editors:
1. The undoing is registered first, then the thing is done: an interrupt may come in between.
2. Only what was started here is ended, and by its own name or pid. A run that was killed outright
   leaves namespaces behind; their names say which process made them, and the next run sweeps them.
3. wireguard-go knows no namespaces: its sockets are one directory for the whole machine, so `wg` on
   bob would happily show alice's wg0. Here every host sees a /run/wireguard of its own instead.
4. Nothing sleeps for a guessed time; what must be waited for is looked at until it is there.
"""

import ctypes
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import pytest

Result = TypeVar("Result")
Process = subprocess.Popen[bytes]

NAMESPACES = Path("/run/netns")
SOCKETS = Path("/run/wireguard")
SO_MARK = 36  # asm-generic/socket.h; the socket module of 3.11 does not name it
CLONE_NEWNS, CLONE_NEWNET = 0x0002_0000, 0x4000_0000  # linux/sched.h
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x8_0000  # linux/mount.h

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


class CommandError(Exception):
    """A command that should have succeeded did not; the message holds all it said."""

    def __init__(self, argv: tuple[str, ...], status: int | None, said: str) -> None:
        super().__init__(f"{' '.join(argv)}: status {status}\n{said}")


def run(*argv: str, stdin: str = "", timeout: float = 30) -> str:
    """What the command printed; CommandError if it failed."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise CommandError(argv, done.returncode, done.stdout + done.stderr)
    return done.stdout


def missing(marker: str) -> str | None:
    """Why tests with this marker cannot run here; None when they can."""
    if marker not in {"kernel", "wireguard", "lab"}:
        return None
    tools = ["ip", "nft", "ping", "setpriv", "wg", "wireguard-go"]
    if absent := [tool for tool in tools if not shutil.which(tool)]:
        return f"not installed: {', '.join(absent)}"
    kind = {"kernel": "veth", "wireguard": "wireguard", "lab": "vrf table 10"}[marker]
    probe = ["unshare", "--net", "ip", "link", "add", "probe", "type", *kind.split()]
    if subprocess.run(probe, capture_output=True).returncode == 0:
        return None
    if os.geteuid() != 0:
        return "needs root"
    return f"this kernel makes no {kind.split()[0]} link in a network namespace"


class Kind(Enum):
    """Which WireGuard: the kernel's own, or wireguard-go behind a tun link."""

    KERNEL = "kernel"
    USERSPACE = "userspace"


@dataclass(frozen=True, slots=True)
class Keys:
    """A fresh pair of Curve25519 keys, base64 as `wg` prints them."""

    private: str
    public: str

    @classmethod
    def generate(cls) -> Self:
        """As an administrator would: wg genkey | wg pubkey."""
        private = run("wg", "genkey").strip()
        return cls(private, run("wg", "pubkey", stdin=private).strip())


@dataclass(frozen=True, slots=True)
class Counters:
    """A link's own statistics, the ones WireGuard raises (`ip -s -s link`)."""

    rx_packets: int
    rx_bytes: int
    rx_errors: int
    rx_frame_errors: int
    """WireGuard: the inner source belongs to another peer, or to none."""
    rx_dropped: int
    tx_packets: int
    tx_bytes: int
    tx_errors: int
    """WireGuard: no peer for the destination (ENOKEY), or a peer without endpoint."""
    tx_dropped: int


class Host:
    """One host of a Network: a network namespace, and a /run/wireguard of its own."""

    def __init__(self, network: "Network", name: str) -> None:
        self.name = name
        self.namespace = f"wgtui-{os.getpid()}-{next(_numbers)}-{name}"
        """As in `ip netns`; a source calls it live:NAMESPACE."""
        self.sockets = network.directory / self.namespace
        """What this host sees as /run/wireguard."""
        self._undo = network.undo
        self._undo.callback(self._remove)
        self.sockets.mkdir(mode=0o700)
        run("ip", "netns", "add", self.namespace)
        self.ip("link set lo up")
        # Duplicate address detection would keep each IPv6 address unusable for a second or two.
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)
        # No soliciting of routers: a counter that ticks by itself is a change that no test made.
        self.sysctl("net.ipv6.conf.default.router_solicitations", 0)

    def _remove(self) -> None:
        mounted = NAMESPACES / self.namespace
        if not mounted.exists():
            return
        for pid in inhabitants(mounted):  # what daemonised itself; all others have ended already
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run("ip", "netns", "delete", self.namespace)

    # ─── commands ────────────────────────────────────────────────────────────────────────────────

    def run(self, *argv: str, stdin: str = "", timeout: float = 30) -> str:
        """What a command printed that ran on this host; CommandError if it failed."""
        return self.inside(lambda: run(*argv, stdin=stdin, timeout=timeout))

    def start(self, *argv: str, log: Path | None = None) -> Process:
        """A process on this host, killed with the Network. To be called from the main thread."""
        # Not from inside: the kernel kills it with the thread it comes from. That is for a test run
        # that is itself killed and cleans up nothing. `ip netns exec` makes a mount namespace.
        bind = ("sh", "-c", f'mount --bind "$0" {SOCKETS} && exec "$@"', str(self.sockets))
        there = ("setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.namespace, *bind)
        with (log or Path(os.devnull)).open("ab") as output:
            process = subprocess.Popen(
                (*there, *argv), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        self._undo.callback(end, process)
        return process

    def ip(self, *lines: str, family: Literal["-4", "-6"] | None = None) -> None:
        """Lines of iproute2's, "address add 192.0.2.1/24 dev eth0", all in one process.

        The family is needed where the line itself does not tell: rules and default routes.
        """
        chosen = (family,) if family else ()
        run("ip", "-n", self.namespace, *chosen, "-batch", "-", stdin="\n".join(lines) + "\n")

    def ip_json(self, *words: str) -> Any:
        """The parsed answer of an `ip -j` question: ip_json("-d", "link", "show", "wg0")."""
        return json.loads(run("ip", "-n", self.namespace, "-j", *words) or "[]")

    # ─── this very process, seen from inside ─────────────────────────────────────────────────────

    def inside(self, function: Callable[[], Result]) -> Result:
        """Call the function in a thread that lives on this host (threads it starts do as well).

        Sockets opened there stay on this host for good. Mind that /proc/self and /proc/net belong
        to the main thread, which lives elsewhere: /proc/thread-self/net is this host's.
        """

        def call() -> Result:
            namespace = os.open(NAMESPACES / self.namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _check(_libc.setns(namespace, CLONE_NEWNET))
            finally:
                os.close(namespace)
            _check(_libc.unshare(CLONE_NEWNS))
            _check(_libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None))
            _check(_libc.mount(b"sysfs", b"/sys", b"sysfs", 0, None))
            _check(_libc.mount(bytes(self.sockets), bytes(SOCKETS), None, MS_BIND, None))
            return function()

        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(call).result()

    def sysctl(self, name: str, value: int) -> None:
        """Set a sysctl of the network namespace: sysctl("net.ipv4.conf.all.rp_filter", 1)."""
        # A dot inside a link's name (eth0.7) would be written as a slash, as sysctl(8) does.
        path = Path("/proc/sys", name.translate(str.maketrans("./", "/.")))
        self.inside(lambda: path.write_text(f"{value}\n"))

    # ─── packets ─────────────────────────────────────────────────────────────────────────────────

    def ping(
        self, destination: str, *, source: str = "", mark: int = 0, count: int = 1, wait: float = 2
    ) -> bool:
        """Whether an answer came (`ping`; the source may be an address or a link)."""
        options = [*(["-I", source] if source else []), *(["-m", str(mark)] if mark else [])]
        words = ["ping", "-n", "-q", "-c", str(count), "-W", str(wait), *options, destination]
        return self.inside(lambda: subprocess.run(words, capture_output=True)).returncode == 0

    def udp(
        self, *, source: str = "", port: int = 0, mark: int = 0, link: str = "", ipv6: bool = False
    ) -> socket.socket:
        """A UDP socket that lives on this host, bound as asked; recvfrom gives up after 2 s."""
        family = socket.AF_INET6 if ipv6 or ":" in source else socket.AF_INET
        made = self.inside(lambda: socket.socket(family, socket.SOCK_DGRAM))
        self._undo.callback(made.close)
        made.settimeout(2)
        if mark:
            made.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        if link:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode() + b"\0")
        if source or port:
            made.bind((source, port))
        return made

    def send(
        self, destination: str, *, source: str = "", port: int = 9, mark: int = 0, link: str = ""
    ) -> int:
        """Send one small datagram: 0, or the errno of sendto (ENOKEY, EDESTADDRREQ, …)."""
        ipv6 = ":" in destination
        with self.udp(source=source, mark=mark, link=link, ipv6=ipv6) as sender:
            try:
                sender.sendto(b"wgtui", (destination, port))
            except OSError as error:
                return error.errno or 0
        return 0

    def counters(self, link: str) -> Counters:
        """The statistics of a link now."""
        [answer] = self.ip_json("-s", "-s", "link", "show", link)
        received, sent = answer["stats64"]["rx"], answer["stats64"]["tx"]
        return Counters(
            rx_packets=received["packets"],
            rx_bytes=received["bytes"],
            rx_errors=received["errors"],
            rx_frame_errors=received["frame_errors"],
            rx_dropped=received["dropped"],
            tx_packets=sent["packets"],
            tx_bytes=sent["bytes"],
            tx_errors=sent["errors"],
            tx_dropped=sent["dropped"],
        )

    # ─── WireGuard ───────────────────────────────────────────────────────────────────────────────

    def wireguard(self, name: str, kind: Kind, *, port: int = 0, fwmark: int = 0) -> "Device":
        """A new WireGuard device with fresh keys; down, without address, without peers."""
        device = Device(self, name, kind, Keys.generate())
        if kind is Kind.KERNEL:
            self.ip(f"link add {name} type wireguard")
        else:
            self._start_wireguard_go(device)
        words = [*(["listen-port", str(port)] if port else []), "fwmark", str(fwmark)]
        device.set(*words, "private-key", "/dev/stdin", stdin=device.keys.private)
        return device

    def _start_wireguard_go(self, device: "Device") -> None:
        argv = ("env", "LOG_LEVEL=verbose", "wireguard-go", "--foreground", device.name)
        daemon = self.start(*argv, log=device.log)
        ready = self.sockets / f"{device.name}.sock"
        until = time.monotonic() + 30
        while not _listens(ready):
            if daemon.poll() is not None or time.monotonic() > until:
                raise CommandError(argv, daemon.poll(), device.log.read_text())
            time.sleep(0.002)


@dataclass(frozen=True, slots=True)
class Device:
    """A WireGuard device on a host; both kinds answer to `wg` alike."""

    host: Host
    name: str
    kind: Kind
    keys: Keys

    @property
    def log(self) -> Path:
        """What wireguard-go says, verbosely. The kernel's device writes none."""
        return self.host.sockets / f"{self.name}.log"

    def set(self, *words: str, stdin: str = "") -> None:
        """`wg set` this device."""
        self.host.run("wg", "set", self.name, *words, stdin=stdin)

    def add_peer(self, public: str, *allowed_ips: str, endpoint: str = "") -> None:
        """Add a peer, or give the one with this key these AllowedIPs (and endpoint) instead."""
        reach = ["endpoint", endpoint] if endpoint else []
        self.set("peer", public, *reach, "allowed-ips", ",".join(allowed_ips))

    def dump(self) -> list[list[str]]:
        """`wg show dump`: first the device's fields (private key included), then each peer's."""
        lines = self.host.run("wg", "show", self.name, "dump").splitlines()
        return [line.split("\t") for line in lines]

    def route_everything(self, table: int = 51820) -> None:
        """What `wg-quick up` does for an AllowedIP of length 0, in its order (semantics S-F3)."""
        self.set("fwmark", str(table))
        for family in ("-4", "-6"):
            self.host.ip(
                f"rule add not fwmark {table} table {table}",
                "rule add table main suppress_prefixlength 0",
                f"route add default dev {self.name} table {table}",
                family=family,
            )
        self.host.sysctl("net.ipv4.conf.all.src_valid_mark", 1)


class Network(AbstractContextManager["Network"]):
    """Hosts and the cables between them; nothing of it outlives the `with`."""

    def __init__(self) -> None:
        self.undo = ExitStack()
        """Runs backwards at the end, all of it, whatever fails on the way."""

    def __enter__(self) -> Self:
        sweep()
        SOCKETS.mkdir(mode=0o700, exist_ok=True)  # only to mount over: it stays empty
        self.directory = Path(self.undo.enter_context(tempfile.TemporaryDirectory(prefix="wgtui-")))
        return self

    def __exit__(self, *error: object) -> None:
        self.undo.close()

    def host(self, name: str) -> Host:
        """A new host with nothing but lo."""
        return Host(self, name)

    def cable(self, left: Host, left_link: str, right: Host, right_link: str) -> None:
        """A veth pair: what one end sends, the other receives. Both are down, without address."""
        near = ["link", "add", left_link, "netns", left.namespace, "type", "veth"]
        run("ip", *near, "peer", "name", right_link, "netns", right.namespace)


# ─── ready-made networks ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Pair:
    """Two hosts on one cable, and a tunnel between them.

    alice                                        bob
    ┌──────────────────────┐                    ┌──────────────────────┐
    │ wg0  10.77.0.1/24    │      tunnel        │ wg0  10.77.0.2/24    │
    │      fd77::1/64      ╞════════════════════╡      fd77::2/64      │
    │ eth0 192.0.2.1/24    │       veth         │ eth0 192.0.2.2/24    │
    │      2001:db8::1/64  ├────────────────────┤      2001:db8::2/64  │
    └──────────────────────┘                    └──────────────────────┘

    Both wg0 listen on 51820 and allow just the other's two addresses (/32 and /128).
    """

    network: Network
    alice: Host
    bob: Host
    alice_wg0: Device
    bob_wg0: Device


@contextmanager
def open_pair(kind: Kind) -> Iterator[Pair]:
    """Two hosts on one cable, and a tunnel between them (drawn at Pair)."""
    with Network() as network:
        alice, bob = network.host("alice"), network.host("bob")
        network.cable(alice, "eth0", bob, "eth0")
        devices = []
        for number, host in enumerate((alice, bob), start=1):
            devices.append(host.wireguard("wg0", kind, port=51820))
            host.ip(
                f"address add 192.0.2.{number}/24 dev eth0",
                f"address add 2001:db8::{number}/64 dev eth0",
                "link set eth0 up",
                f"address add 10.77.0.{number}/24 dev wg0",
                f"address add fd77::{number}/64 dev wg0",
                "link set wg0 up",
            )
        near, far = devices
        near.add_peer(far.keys.public, "10.77.0.2/32", "fd77::2/128", endpoint="192.0.2.2:51820")
        far.add_peer(near.keys.public, "10.77.0.1/32", "fd77::1/128", endpoint="192.0.2.1:51820")
        yield Pair(network, alice, bob, near, far)


@dataclass(frozen=True, slots=True)
class Star:
    """A hub and two spokes, each behind another port of a router; the spokes talk through the hub.

    west                           hub                           east
    ┌──────────────────────┐      ┌──────────────────────┐      ┌──────────────────────┐
    │ lo   10.2.0.1/24     │      │                      │      │ lo   10.3.0.1/24     │
    │ wg0  10.77.0.2/24    ╞══════╡ wg0  10.77.0.1/24    ╞══════╡ wg0  10.77.0.3/24    │
    │ eth0 192.0.2.2/24    │      │ eth0 198.51.100.2/24 │      │ eth0 203.0.113.2/24  │
    └──────────┬───────────┘      └──────────┬───────────┘      └──────────┬───────────┘
               │ west 192.0.2.1              │ hub 198.51.100.1            │ east 203.0.113.1
    ┌──────────┴─────────────────────────────┴─────────────────────────────┴───────────┐
    │ router                                                                           │
    └──────────────────────────────────────────────────────────────────────────────────┘

    hub's wg0 allows west 10.77.0.2/32 and 10.2.0.0/24, east 10.77.0.3/32 and 10.3.0.0/24; each
    spoke allows the hub 10.77.0.0/24 and the other spoke's LAN. Routes to the LANs lead into wg0.
    """

    network: Network
    router: Host
    hub: Host
    west: Host
    east: Host
    hub_wg0: Device
    west_wg0: Device
    east_wg0: Device


@contextmanager
def open_star(kind: Kind) -> Iterator[Star]:
    """A hub and two spokes around a router (drawn at Star)."""
    with Network() as network:
        router, hub, west, east = map(network.host, ("router", "hub", "west", "east"))
        router.sysctl("net.ipv4.ip_forward", 1)
        hub.sysctl("net.ipv4.ip_forward", 1)
        plan = ((hub, "198.51.100", 1), (west, "192.0.2", 2), (east, "203.0.113", 3))
        devices = []
        for host, subnet, number in plan:
            attach(network, host, router, subnet)
            devices.append(host.wireguard("wg0", kind, port=51820))
            host.ip(f"address add 10.77.0.{number}/24 dev wg0", "link set wg0 up")
        west.ip("address add 10.2.0.1/24 dev lo", "route add 10.3.0.0/24 dev wg0")
        east.ip("address add 10.3.0.1/24 dev lo", "route add 10.2.0.0/24 dev wg0")
        hub.ip("route add 10.2.0.0/24 dev wg0", "route add 10.3.0.0/24 dev wg0")
        star = Star(network, router, hub, west, east, *devices)
        to_west, to_east = star.west_wg0.keys.public, star.east_wg0.keys.public
        star.hub_wg0.add_peer(to_west, "10.77.0.2/32", "10.2.0.0/24", endpoint="192.0.2.2:51820")
        star.hub_wg0.add_peer(to_east, "10.77.0.3/32", "10.3.0.0/24", endpoint="203.0.113.2:51820")
        for spoke, other in ((star.west_wg0, "10.3.0.0/24"), (star.east_wg0, "10.2.0.0/24")):
            to_hub = star.hub_wg0.keys.public
            spoke.add_peer(to_hub, "10.77.0.0/24", other, endpoint="198.51.100.2:51820")
        yield star


@dataclass(frozen=True, slots=True)
class FullTunnel:
    """A laptop that sends everything through a gateway, as `wg-quick up` sets it up.

    laptop                         router                        gateway
    ┌──────────────────────┐      ┌─────────────────────┐       ┌───────────────────────┐
    │ wg0  10.77.0.2/32    ╞══════╪═════════════════════╪═══════╡ wg0  10.77.0.1/24     │
    │      fd77::2/128     │      │                     │       │      fd77::1/64       │
    │ eth0 192.0.2.2/24    ├──────┤ 192.0.2.1           │       │ lo   203.0.113.9/32   │
    │                      │      │        198.51.100.1 ├───────┤      2001:db8:9::9/128│
    └──────────────────────┘      └─────────────────────┘       │ eth0 198.51.100.2/24  │
                                                                └───────────────────────┘
    laptop's rules:                                 main: default via 192.0.2.1 dev eth0
      32764  lookup main suppress_prefixlength 0    51820: default dev wg0 (both families)
      32765  not fwmark 0xca6c lookup 51820
      32766  lookup main

    gateway's lo stands for the internet. The router has no route there: only wg0 leads to it.
    laptop's wg0 allows 0.0.0.0/0 and ::/0. There are no nft rules, which wg-quick adds too (S-F4).
    """

    network: Network
    laptop: Host
    router: Host
    gateway: Host
    laptop_wg0: Device
    gateway_wg0: Device


@contextmanager
def open_full_tunnel(kind: Kind) -> Iterator[FullTunnel]:
    """A laptop that sends everything through a gateway (drawn at FullTunnel)."""
    with Network() as network:
        laptop, router, gateway = (network.host(name) for name in ("laptop", "router", "gateway"))
        router.sysctl("net.ipv4.ip_forward", 1)
        attach(network, laptop, router, "192.0.2")
        attach(network, gateway, router, "198.51.100")
        near, far = (host.wireguard("wg0", kind, port=51820) for host in (laptop, gateway))
        far.add_peer(near.keys.public, "10.77.0.2/32", "fd77::2/128")
        near.add_peer(far.keys.public, "0.0.0.0/0", "::/0", endpoint="198.51.100.2:51820")
        gateway.ip(
            "address add 10.77.0.1/24 dev wg0",
            "address add fd77::1/64 dev wg0",
            "address add 203.0.113.9/32 dev lo",
            "address add 2001:db8:9::9/128 dev lo",
            "link set wg0 up",
        )
        laptop.ip(
            "address add 10.77.0.2/32 dev wg0",
            "address add fd77::2/128 dev wg0",
            "link set wg0 up",
        )
        near.route_everything()
        yield FullTunnel(network, laptop, router, gateway, near, far)


def attach(network: Network, host: Host, router: Host, subnet: str) -> None:
    """Give a host eth0 with .2 of a /24 and a default route to .1, the router's port."""
    network.cable(host, "eth0", router, host.name)
    router.ip(f"address add {subnet}.1/24 dev {host.name}", f"link set {host.name} up")
    host.ip(
        f"address add {subnet}.2/24 dev eth0",
        "link set eth0 up",
        f"route add default via {subnet}.1",
    )


# ─── pytest ──────────────────────────────────────────────────────────────────────────────────────

KINDS = [
    pytest.param(Kind.USERSPACE, id="userspace"),
    pytest.param(Kind.KERNEL, id="kernel", marks=pytest.mark.wireguard),
]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both kinds of WireGuard, one after the other; the kernel's needs the lab."""
    assert isinstance(request.param, Kind)
    return request.param


@pytest.fixture
def pair(kind: Kind) -> Iterator[Pair]:
    """Two hosts on one cable, and a tunnel between them (drawn at Pair)."""
    with open_pair(kind) as opened:
        yield opened


@pytest.fixture
def star(kind: Kind) -> Iterator[Star]:
    """A hub and two spokes around a router (drawn at Star)."""
    with open_star(kind) as opened:
        yield opened


@pytest.fixture
def full_tunnel(kind: Kind) -> Iterator[FullTunnel]:
    """A laptop that sends everything through a gateway (drawn at FullTunnel)."""
    with open_full_tunnel(kind) as opened:
        yield opened


# ─── endings ─────────────────────────────────────────────────────────────────────────────────────


def inhabitants(namespace: Path) -> list[int]:
    """The processes in a network namespace, as `ip netns pids` finds them, without a process."""
    wanted, found = namespace.stat().st_ino, []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            if (entry / "ns/net").stat().st_ino == wanted:
                found.append(int(entry.name))
    return found


def end(process: Process) -> None:
    """End a process of ours: politely, then not."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def sweep() -> None:
    """Remove the namespaces of test runs that were killed: their process is no more."""
    for left in NAMESPACES.glob("wgtui-*-*-*"):
        maker = left.name.split("-")[1]
        if maker.isdecimal() and not Path("/proc", maker).exists():
            subprocess.run(
                ["ip", "netns", "delete", left.name], capture_output=True
            )  # or a twin did


def _listens(path: Path) -> bool:
    """Whether somebody accepts connections there: the file is there before (bind, then listen), and
    `wg` would remove it if it came in between."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _check(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
