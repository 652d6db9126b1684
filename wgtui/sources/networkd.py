"""What do ``.netdev`` and ``.network`` files mean a device to be? (systemd.netdev(5), S-F10)

networkd warns about what it does not understand and goes on, and so does this. Drop-ins are read
behind their main file. Private and preshared keys are passed over unread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from wgtui.model.fact import dataclass
from wgtui.model.network import Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import DeviceConfig, PeerConfig, Program
from wgtui.sources.config_files import Written
from wgtui.sources.ini import Assignment, Blank, Comment, Section, read_ini
from wgtui.sources.labels import Labels
from wgtui.sources.names import to_number
from wgtui.sources.peer_words import is_key, with_prefixes

_FALSE: Final = frozenset({"0", "no", "n", "false", "f", "off"})
_MATCHED: Final = frozenset({"name", "type", "kind"})
"""Conditions of a ``.network`` that can be judged for a WireGuard link."""


def parse_netdev(parts: Sequence[Written]) -> DeviceConfig | None:
    """A ``.netdev`` and its drop-ins; None: it makes no WireGuard device, or has no name."""
    reader = _Netdev(parts[0].path)
    for part in parts:
        reader.read(part)
    return reader.finish()


class _Netdev:
    def __init__(self, file: str) -> None:
        self.device = DeviceConfig("", file, table="off", program=Program.NETWORKD)
        self.kind = ""
        self.peer: PeerConfig | None = None
        """The [WireGuardPeer] that is being read."""
        self.peers: list[PeerConfig] = []
        self.labels = Labels()

    def read(self, part: Written) -> None:
        section = ""
        elsewhere = "" if part.path == self.device.file else part.path
        for line in read_ini(part.text, continued=True):
            match line:
                case Comment(comment):
                    self.labels.comment(comment)
                case Blank():
                    self.labels.blank()
                case Section("WireGuardPeer" as section, number):
                    self.finish_peer()
                    self.labels.begin()
                    self.peer = PeerConfig("", line=number, file=elsewhere)
                case Section(section):
                    self.labels.statement()
                    self.finish_peer()
                case Assignment(key, value):
                    self.labels.statement()
                    self.assign(section, key, value)
                case _:
                    self.labels.statement()
        self.labels.statement()
        self.finish_peer()

    def finish_peer(self) -> None:
        peer, self.peer = self.peer, None
        if peer is None:
            return
        label = self.labels.finish()
        if is_key(peer.public_key):  # networkd ignores the section of another
            self.peers.append(replace(peer, label=label))

    def finish(self) -> DeviceConfig | None:
        if self.kind != "wireguard" or not self.device.name:
            return None
        return replace(self.device, peers=_one_per_key(self.peers))

    def assign(self, section: str, key: str, value: str) -> None:
        match section, key:
            case "NetDev", "Name":
                self.device = replace(self.device, name=value)
            case "NetDev", "Kind":
                self.kind = value
            case "NetDev", "MTUBytes":
                self.device = replace(self.device, mtu=to_number(value))
            case "WireGuard", "ListenPort":
                self.device = replace(self.device, listen_port=_in_reach(value, 0xFFFF))
            case "WireGuard", "FirewallMark":
                mark = _in_reach(value, 0xFFFFFFFF)
                self.device = replace(self.device, fwmark=None if mark is None else Mark(mark))
            case "WireGuard", "RouteTable":
                self.device = replace(self.device, table=_table(value))
            case "WireGuardPeer", _ if self.peer is not None:
                self.peer = _assigned(self.peer, key, value)


def _assigned(peer: PeerConfig, key: str, value: str) -> PeerConfig:
    match key:
        case "PublicKey":
            return replace(peer, public_key=value)
        case "AllowedIPs":
            return with_prefixes(peer, value.replace(",", " ").split())
        case "Endpoint":
            return replace(peer, endpoint=value or None)
        case "PersistentKeepalive":
            seconds = 0 if value == "off" else _in_reach(value, 0xFFFF)
            return peer if seconds is None else replace(peer, keepalive=seconds)
        case "RouteTable":
            return replace(peer, table=_table(value))
    return peer


def _in_reach(value: str, limit: int) -> int | None:
    """None: nothing is said, or nothing that counts (``auto``)."""
    number = to_number(value)
    return number if number is not None and number <= limit else None


def _table(value: str) -> str:
    return "main" if not value else "off" if value.lower() in _FALSE else value


def _one_per_key(peers: Iterable[PeerConfig]) -> tuple[PeerConfig, ...]:
    """Two sections with one key: what the second says counts (S-G44)."""
    return tuple({peer.public_key: peer for peer in peers}.values())


# ------------------------------------------------------------------------------------------ network


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """What a ``.network`` file gives to the links it matches."""

    names: tuple[str, ...] = ()
    """Patterns; with ``!`` in front the whole list is inverted."""
    kinds: tuple[str, ...] = ()
    judged: bool = True
    """False: it has conditions that are not understood here, so it is taken for no match."""
    addresses: tuple[str, ...] = ()
    routes: tuple[Prefix, ...] = ()
    mtu: int | None = None

    def matches(self, name: str) -> bool:
        """Is it for the WireGuard link of this name?"""
        if not self.judged or not (self.names or self.kinds):
            return False
        asked = ((self.names, name), (self.kinds, "wireguard"))
        return all(_matches(patterns, word) for patterns, word in asked if patterns)


def _matches(patterns: tuple[str, ...], word: str) -> bool:
    inverted = patterns[0].startswith("!")
    plain = (patterns[0].removeprefix("!"), *patterns[1:])
    return any(fnmatchcase(word, pattern) for pattern in plain) is not inverted


def parse_network(parts: Sequence[Written]) -> NetworkFile:
    """A ``.network`` file and its drop-ins."""
    found = NetworkFile()
    route = _Route()
    routes: list[_Route] = []
    for part in parts:
        section = ""
        for line in read_ini(part.text, continued=True):
            if isinstance(line, Section):
                section = line.name
                if section == "Route":
                    route = _Route()
                    routes.append(route)
            elif isinstance(line, Assignment):
                if section == "Route":
                    route.assign(line.key, line.value)
                else:
                    found = _network_assigned(found, section, line.key, line.value)
    prefixes = tuple(prefix for one in routes if (prefix := one.prefix()) is not None)
    return replace(found, routes=prefixes)


def _network_assigned(found: NetworkFile, section: str, key: str, value: str) -> NetworkFile:
    match section, key:
        case "Match", _ if key.lower() not in _MATCHED:
            return replace(found, judged=False)
        case "Match", "Name":
            return replace(found, names=(*found.names, *value.split()))
        case "Match", _:
            return replace(found, kinds=(*found.kinds, *value.split()))
        case (("Network" | "Address"), "Address"):
            # An empty value forgets the ones before it.
            return replace(found, addresses=(*found.addresses, value) if value else ())
        case "Link", "MTUBytes":
            return replace(found, mtu=to_number(value))
    return found


class _Route:
    """A [Route] section while it is read."""

    def __init__(self) -> None:
        self.destination = ""
        self.gateway = ""
        self.type = "unicast"

    def assign(self, key: str, value: str) -> None:
        match key:
            case "Destination":
                self.destination = value
            case "Gateway":
                self.gateway = value
            case "Type":
                self.type = value

    def prefix(self) -> Prefix | None:
        """None: it leads nowhere, or is not understood."""
        if self.type != "unicast":
            return None
        if not self.destination:
            return Prefix(6 if ":" in self.gateway else 4, 0, 0) if self.gateway else None
        try:
            return Prefix.parse(self.destination)
        except ValueError:
            return None


def with_network(config: DeviceConfig, networks: Iterable[NetworkFile]) -> DeviceConfig:
    """The device with what the first ``.network`` file that matches it adds."""
    for network in networks:
        if network.matches(config.name):
            return replace(
                config,
                addresses=(*config.addresses, *network.addresses),
                routes=(*config.routes, *network.routes),
                mtu=network.mtu if network.mtu is not None else config.mtu,
            )
    return config
