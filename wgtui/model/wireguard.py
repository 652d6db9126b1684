"""Which WireGuard devices and peers are there, and which peer owns which address?

Cryptokey routing in one sentence: per device there is one tree of AllowedIPs; the longest prefix
that covers an address names its one owner, on the way out by destination and on the way in by
source (S-E1). No field exists for a private or preshared key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from enum import Enum
from functools import cached_property
from typing import Final

from netaddr import IPAddress

from wgtui.model.fact import dataclass
from wgtui.model.network import NO_MARK, LinkIndex, Mark
from wgtui.model.prefix import Family, Prefix, parse_address
from wgtui.model.prefix_columns import GrowingColumns
from wgtui.model.prefix_index import NONE, PrefixIndex

FRESH: Final = 180
"""Seconds: an older handshake has left no usable key (S-E42)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the encrypted packets to a peer are sent."""

    address: IPAddress
    port: int
    zone: str | None = None
    """The link of a link-local IPv6 address: its name, or its index as text."""

    def __str__(self) -> str:
        if self.address.version == 4:
            return f"{self.address}:{self.port}"
        return f"[{self.address}{f'%{self.zone}' if self.zone else ''}]:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Endpoint | None:
        """``192.0.2.1:51820``, ``[fe80::1%eth0]:51820``; None for anything else, host names too.

        What stands behind the last colon is the port, in brackets or not (S-G43).
        """
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit() and len(port) < 10 and int(port) <= 0xFFFF):
            return None
        bare, _, zone = host.removeprefix("[").removesuffix("]").partition("%")
        try:
            address = parse_address(bare)
        except ValueError:
            return None
        return cls(address, int(port), zone or None)


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer of a device."""

    public_key: str
    """Base64, 44 characters: who it is."""
    label: str = ""
    """A name for people, from a configuration's comments; untrusted; empty when there is none."""
    endpoint: Endpoint | None = None
    allowed_ips: tuple[Prefix, ...] = ()
    """In the kernel's order; the kernel has masked the host bits."""
    last_handshake: float | None = None
    """Unix time; None: never (S-E41)."""
    received: int = 0
    """Bytes, counted by the kernel only for packets that were let in (S-E31)."""
    sent: int = 0
    keepalive: int = 0
    """Seconds; 0 is off."""
    has_preshared_key: bool = False

    @property
    def name(self) -> str:
        """What to call it: its label, or the beginning of its key."""
        return self.label or f"{self.public_key[:8]}…"


class Backend(Enum):
    """Who does the encryption."""

    KERNEL = "kernel"
    USERSPACE = "userspace"
    """wireguard-go and its like: unknown destinations are dropped without an error (S-E12)."""


class Birth(Enum):
    """Where a device's UDP sockets live: in the namespace it was made in, for ever (S-E20)."""

    HERE = "here"
    ELSEWHERE = "elsewhere"


def _tree(family: Family, owners: dict[int, int]) -> PrefixIndex:
    """Of network << 8 | length, and whose it is."""
    growing, keys = GrowingColumns(family), sorted(owners)
    networks, lengths = [key >> 8 for key in keys], [key & 0xFF for key in keys]
    growing.extend(networks, lengths, [owners[key] for key in keys])
    return PrefixIndex(family, columns=growing.finish())


class Owners:
    """Whose is this address? One tree per family over the AllowedIPs of all peers of a device."""

    __slots__ = ("_trees",)

    def __init__(self, peers: Sequence[Peer]) -> None:
        # One prefix, one owner: whoever is set last has it (S-E2). A prefix is one number here, so
        # that a hundred thousand of them are quickly told apart and sorted.
        four: dict[int, int] = {}
        six: dict[int, int] = {}
        for number, peer in enumerate(peers):
            for family, network, length in peer.allowed_ips:
                (four if family == 4 else six)[network << 8 | length] = number
        self._trees: dict[Family, PrefixIndex] = {4: _tree(4, four), 6: _tree(6, six)}

    def tree(self, family: Family) -> PrefixIndex:
        """The device's single tree of a family; a row's value is the number of its peer."""
        return self._trees[family]

    def owner(self, family: Family, address: int) -> tuple[int, Prefix] | None:
        """The number of the owning peer and the prefix it owns the address by, or None."""
        tree = self._trees[family]
        row = tree.match(address)
        return None if row == NONE else (tree.values[row], tree.prefix(row))

    def covering(self, family: Family, address: int) -> Iterator[tuple[int, Prefix]]:
        """Everybody whose AllowedIPs cover the address, the owner first, then who lost by
        length."""
        tree = self._trees[family]
        for row in tree.covering(address):
            yield tree.values[row], tree.prefix(row)


@dataclass(frozen=True)
class Device:
    """A WireGuard interface's own half; the ``Link`` of the same index is the system's half."""

    link: LinkIndex
    name: str
    public_key: str | None = None
    """None: it has no key yet and can do nothing."""
    listen_port: int = 0
    fwmark: Mark = NO_MARK
    """The mark of its encrypted packets; 0 is none."""
    peers: tuple[Peer, ...] = ()
    backend: Backend = Backend.KERNEL
    birth: Birth = Birth.HERE
    birth_namespace: str | None = None
    """The foreign namespace the sockets live in, where it could be found: its name under
    /run/netns, ``/proc/PID/ns/net`` when it has none, "" for the one the program runs in."""

    @cached_property
    def owners(self) -> Owners:
        """Which peer owns which address."""
        return Owners(self.peers)

    @cached_property
    def peer_numbers(self) -> dict[str, int]:
        """Public key to position in ``peers``."""
        return {peer.public_key: number for number, peer in enumerate(self.peers)}


class Program(Enum):
    """Whose configuration it is: what would make the device like this."""

    WG_QUICK = "wg-quick"
    NETWORKD = "systemd-networkd"
    NETWORK_MANAGER = "NetworkManager"
    UCI = "OpenWrt"


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """What a configuration means a peer to be."""

    public_key: str
    label: str = ""
    """From ``# Name = …``, a comment above or on the ``[Peer]`` line …; untrusted."""
    endpoint: str | None = None
    """As written; may be a host name."""
    allowed_ips: tuple[Prefix, ...] = ()
    """Masked; a prefix that is written twice is here twice."""
    allowed_ips_written: tuple[str, ...] = ()
    """As written, host bits and all, in the same order."""
    keepalive: int = 0
    line: int = 0
    """Of its ``[Peer]``, counted from 1."""
    file: str = ""
    """Where it is written, when not in the device's main file: a drop-in."""
    table: str | None = None
    """Where the program puts routes to its AllowedIPs, where a peer may say so itself; None: as
    the device says."""


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """What a configuration means a device to be (S-F7, S-F10, S-F20)."""

    name: str
    file: str
    """Where it is written; of several files the main one."""
    addresses: tuple[str, ...] = ()
    listen_port: int | None = None
    fwmark: Mark | None = None
    table: str = "auto"
    """Where the program puts routes to AllowedIPs: ``auto``, ``off`` (nowhere) or a table."""
    mtu: int | None = None
    peers: tuple[PeerConfig, ...] = field(default=())
    program: Program = Program.WG_QUICK
    routes: tuple[Prefix, ...] = ()
    """Routes that are to lead into it beside those."""
