"""What does OpenWrt's /etc/config/network mean WireGuard devices to be? (S-F2 does not hold there:
routes to AllowedIPs are made for peers that say ``route_allowed_ips``.)

    config interface 'wg0'                    config wireguard_wg0
        option proto 'wireguard'                  option description 'alice'
        option listen_port '51820'                option public_key '…'
        list addresses '10.8.0.1/24'              list allowed_ips '10.8.0.2/32'

Words stand in single quotes, in double quotes or bare; ``#`` begins a comment outside of quotes,
``;`` ends a line. Private and preshared keys are passed over unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import DeviceConfig, PeerConfig, Program
from wgtui.sources.config_files import Written
from wgtui.sources.names import to_number
from wgtui.sources.peer_words import is_key, with_prefixes

_PEERS_OF: Final = "wireguard_"
_TRUE: Final = frozenset({"1", "yes", "true", "on", "enabled"})
_PORT: Final = "51820"
"""Of a peer whose port is not said."""


@dataclass(slots=True)
class _Section:
    """``config TYPE NAME`` and its options."""

    type: str
    name: str
    line: int
    values: dict[str, list[str]] = field(default_factory=dict)

    def all(self, key: str) -> list[str]:
        """Words of a list, or of an option that holds several."""
        return [word for value in self.values.get(key, ()) for word in value.split()]

    def one(self, key: str) -> str:
        """The option, or ""."""
        return self.values.get(key, [""])[-1]

    def yes(self, key: str) -> bool:
        """Is the option switched on?"""
        return self.one(key) in _TRUE


def parse_network_config(file: Written) -> tuple[DeviceConfig, ...]:
    """Every WireGuard device that the file means to be there. Raises ``FormatError``."""
    sections = _sections(file)
    return tuple(
        _device(section, sections, file.path)
        for section in sections
        if section.type == "interface"
        and section.one("proto") == "wireguard"
        and section.name
        and not section.yes("disabled")
    )


def _device(interface: _Section, sections: list[_Section], file: str) -> DeviceConfig:
    mark = to_number(interface.one("fwmark"))
    return DeviceConfig(
        name=interface.name,
        file=file,
        addresses=tuple(interface.all("addresses")),
        listen_port=to_number(interface.one("listen_port")),
        fwmark=None if mark is None else Mark(mark),
        table="off",
        mtu=to_number(interface.one("mtu")),
        peers=tuple(
            {
                peer.public_key: peer
                for section in sections
                if section.type == _PEERS_OF + interface.name
                and (peer := _peer(section)) is not None
            }.values()
        ),
        program=Program.UCI,
        routes=tuple(_routes(interface.name, sections)),
    )


def _peer(section: _Section) -> PeerConfig | None:
    """None: it is switched off, or has no key."""
    key = section.one("public_key").strip()
    if section.yes("disabled") or not is_key(key):
        return None
    host, port = section.one("endpoint_host"), section.one("endpoint_port") or _PORT
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    peer = PeerConfig(
        public_key=key,
        label=section.one("description").strip() or section.name,
        endpoint=f"{bracketed}:{port}" if host else None,
        keepalive=to_number(section.one("persistent_keepalive")) or 0,
        line=section.line,
        table="main" if section.yes("route_allowed_ips") else None,
    )
    return with_prefixes(peer, section.all("allowed_ips"))


def _routes(name: str, sections: list[_Section]) -> Iterator[Prefix]:
    for section in sections:
        if section.type not in ("route", "route6") or section.one("interface") != name:
            continue
        target, mask = section.one("target"), section.one("netmask")
        try:
            yield Prefix.parse(f"{target}/{_length(mask)}" if mask else target)
        except ValueError:
            continue


def _length(mask: str) -> int:
    """Of a netmask in dotted notation; raises ``ValueError``."""
    bits = Prefix.parse(mask, 4).network
    length = bits.bit_count()
    if bits != 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF:
        raise ValueError("the ones of a mask come first")
    return length


# ------------------------------------------------------------------------------------------ grammar


def _sections(file: Written) -> list[_Section]:
    found: list[_Section] = []
    named: dict[tuple[str, str], _Section] = {}
    current: _Section | None = None
    for words, line in _statements(file):
        match words:
            case ["package", *_]:
                continue
            case ["config", kind, *rest]:
                name = rest[0] if rest else ""
                current = named.get((kind, name))
                if current is None:
                    current = _Section(kind, name, line)
                    found.append(current)
                if name:  # the same name again goes on with the same section
                    named[kind, name] = current
            case [("option" | "list") as word, key, value]:
                if current is None:
                    raise FormatError(file.path, "stands before any section", line)
                if not _secret(key):
                    before = current.values.get(key, []) if word == "list" else []
                    current.values[key] = [*before, value]
            case _:
                raise FormatError(file.path, "is no statement of uci", line)
    return found


def _secret(key: str) -> bool:
    return key.endswith(("private_key", "preshared_key", "psk", "password"))


def _statements(file: Written) -> Iterator[tuple[list[str], int]]:
    """The words of every statement, and the line it begins in. Raises ``FormatError``."""
    words: list[str] = []
    word: list[str] | None = None
    line = begins = 1
    for token in _TOKEN.finditer(file.text):
        text = token[0]
        if token.lastgroup == "open":
            raise FormatError(file.path, "a quote is not closed", line)
        if token.lastgroup in ("space", "end", "comment"):
            if word is not None:
                words.append("".join(word))
                word = None
            if token.lastgroup == "end" and words:
                yield words, begins
                words = []
        else:
            if word is None:
                begins = begins if words else line
                word = []
            word.append(_plain(token))
        line += text.count("\n")
    if word is not None:
        words.append("".join(word))
    if words:
        yield words, begins


_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r]+)
    | (?P<end>[\n;])
    | (?P<comment>\#[^\n]*)
    | (?P<single>'[^']*')
    | (?P<double>"(?:[^"\\]|\\.)*")
    | (?P<open>['"])
    | (?P<escaped>\\.)
    | (?P<bare>[^ \t\r\n;\#'"\\]+|\\)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def _plain(token: re.Match[str]) -> str:
    """What a piece of a word stands for."""
    match token.lastgroup:
        case "single":
            return token[0][1:-1]
        case "double":
            return _ESCAPE.sub(r"\1", token[0][1:-1])
        case "escaped":
            return "" if token[0][1] == "\n" else token[0][1]
    return token[0]
