"""What WireGuard devices do the shorthand's ``wg set`` lines make?"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wgtui.model.network import LinkIndex, Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import (
    Backend,
    Birth,
    Device,
    DeviceConfig,
    Endpoint,
    Peer,
    PeerConfig,
    Program,
)
from wgtui.sources.shorthand_words import Words, lines


def vanity_key(name: str) -> str:
    """A public key (32 bytes in base64) that begins with the name.

    A name that is a key already stays what it is.
    """
    if len(name) == 44 and name.endswith("="):
        return name
    readable = "".join(char for char in name if char.isalnum() or char in "+/")
    # Looks random, is always the same, and needs no hashlib (5 ms).
    number = pow(int.from_bytes(name.encode(), "big") + 2, 65537, 2**255 - 19)
    filler = b64encode(number.to_bytes(32, "little")).decode()
    # 43 characters are 258 bits: the last one's two lowest bits are zero.
    return f"{readable}+{filler}"[:42] + "AEIMQUYcgkosw048"[len(name) % 16] + "="


@dataclass
class _PeerLines:
    """A peer while its lines are read."""

    name: str
    endpoint: str | None = None
    written: list[str] = field(default_factory=list)
    allowed: list[Prefix] = field(default_factory=list)
    keepalive: int = 0
    preshared: bool = False
    handshake: float | None = None
    received: int = 0
    sent: int = 0
    line: int = 0

    @property
    def label(self) -> str:
        return "" if len(self.name) == 44 else self.name


@dataclass
class _DeviceLines:
    """A device while its lines are read."""

    name: str
    key: str | None
    listen_port: int | None = None
    fwmark: int | None = None
    backend: Backend = Backend.KERNEL
    birth: Birth = Birth.HERE
    namespace: str | None = None
    table: str = "auto"
    mtu: int | None = None
    addresses: tuple[str, ...] = ()
    program: Program = Program.WG_QUICK
    routes: tuple[Prefix, ...] = ()
    file: str = ""
    peers: list[_PeerLines] = field(default_factory=list)


def read_devices(
    text: str, links: Mapping[str, LinkIndex], taken_at: float
) -> dict[LinkIndex, Device]:
    """What the kernel has after these ``wg set`` commands, one after the other."""
    devices: dict[LinkIndex, Device] = {}
    for lined in _read(text, "wireguard", kernel=True):
        if lined.name not in links:
            raise Words("", "wireguard", 0).wrong(f"there is no link {lined.name!r}")
        peers = tuple(
            Peer(
                public_key=vanity_key(peer.name),
                label=peer.label,
                endpoint=_endpoint(peer.endpoint),
                allowed_ips=tuple(peer.allowed),
                last_handshake=None if peer.handshake is None else taken_at - peer.handshake,
                received=peer.received,
                sent=peer.sent,
                keepalive=peer.keepalive,
                has_preshared_key=peer.preshared,
            )
            for peer in lined.peers
            if vanity_key(peer.name) != lined.key
        )
        devices[links[lined.name]] = Device(
            link=links[lined.name],
            name=lined.name,
            public_key=lined.key,
            listen_port=lined.listen_port or 0,
            fwmark=Mark(lined.fwmark or 0),
            peers=peers,
            backend=lined.backend,
            birth=lined.birth,
            birth_namespace=lined.namespace,
        )
    return devices


def read_configs(text: str) -> tuple[DeviceConfig, ...]:
    """What the configuration files say; nothing moves in a file."""
    return tuple(
        DeviceConfig(
            name=lined.name,
            file=lined.file or f"/etc/wireguard/{lined.name}.conf",
            addresses=lined.addresses,
            listen_port=lined.listen_port,
            fwmark=None if lined.fwmark is None else Mark(lined.fwmark),
            table=lined.table,
            mtu=lined.mtu,
            program=lined.program,
            routes=lined.routes,
            peers=tuple(
                PeerConfig(
                    public_key=vanity_key(peer.name),
                    label=peer.label,
                    endpoint=peer.endpoint,
                    allowed_ips=tuple(peer.allowed),
                    allowed_ips_written=tuple(peer.written),
                    keepalive=peer.keepalive,
                    line=peer.line,
                )
                for peer in lined.peers
            ),
        )
        for lined in _read(text, "meant", kernel=False)
    )


def _read(text: str, section: str, *, kernel: bool) -> Iterator[_DeviceLines]:
    device: _DeviceLines | None = None
    for words in lines(text, section):
        if not words.next_is("peer"):
            if device is not None:
                yield device
            name = words.take("a device")
            device = _DeviceLines(name, vanity_key(name))
            _read_device(words, device)
        elif device is None:
            raise words.wrong("a peer before its device")
        else:
            _read_peer(words, device, kernel)
    if device is not None:
        yield device


def _read_device(words: Words, device: _DeviceLines) -> None:
    while words:
        match word := words.take("a word"):
            case "public-key":
                key = words.take("a key")
                device.key = None if key == "none" else vanity_key(key)
            case "listen-port":
                device.listen_port = words.number(word)
            case "fwmark":
                device.fwmark = words.number(word)
            case "table":
                device.table = words.take("a table")
            case "mtu":
                device.mtu = words.number(word)
            case "address":
                device.addresses = tuple(words.listed("addresses"))
            case "written-for":
                device.program = Program(words.take("a program"))
            case "file":
                device.file = words.take("a file")
            case "routes":
                device.routes = tuple(words.to_prefix(text) for text in words.listed("prefixes"))
            case "userspace":
                device.backend = Backend.USERSPACE
            case "born-in":
                device.birth, device.namespace = Birth.ELSEWHERE, words.take("a namespace")
            case _:
                raise words.wrong(f"a device has no {word!r}")


def _read_peer(words: Words, device: _DeviceLines, kernel: bool) -> None:
    name = words.take("a peer")
    peer = next((peer for peer in device.peers if kernel and peer.name == name), None)
    if peer is None:
        peer = _PeerLines(name, line=words.line)
        device.peers.append(peer)
    while words:
        match word := words.take("a word"):
            case "endpoint":
                peer.endpoint = words.take("an endpoint")
            case "allowed-ips":
                peer.written = words.listed("prefixes")
                peer.allowed = [words.to_prefix(text) for text in peer.written]
                if kernel and vanity_key(name) != device.key:
                    _move(peer, device)
            case "persistent-keepalive":
                peer.keepalive = words.number(word)
            case "preshared-key":
                peer.preshared = True
            case "handshake":
                peer.handshake = float(words.number(word))
            case "rx":
                peer.received = words.number(word)
            case "tx":
                peer.sent = words.number(word)
            case _:
                raise words.wrong(f"a peer has no {word!r}")


def _move(taker: _PeerLines, device: _DeviceLines) -> None:
    """One prefix, one owner: whoever is set last has it (S-E2)."""
    for peer in device.peers:
        if peer is not taker:
            peer.allowed = [prefix for prefix in peer.allowed if prefix not in taker.allowed]


def _endpoint(text: str | None) -> Endpoint | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    address, _, zone = host.strip("[]").partition("%")
    words = Words(f"{address} {port}", "an endpoint", 0)
    return Endpoint(words.address(), words.number("a port"), zone or None)
