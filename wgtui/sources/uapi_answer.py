"""What does a userspace WireGuard daemon answer? Lines of KEY=VALUE → Device (S-G30)."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import replace
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Link, Mark
from wgtui.model.prefix import Prefix, parse_address
from wgtui.model.wireguard import Backend, Device, Endpoint, Peer
from wgtui.sources import x25519

_NUMBERS: Final = frozenset(
    {
        "last_handshake_time_sec",
        "last_handshake_time_nsec",
        "rx_bytes",
        "tx_bytes",
        "persistent_keepalive_interval",
    }
)
_USUAL: Final = [
    "public_key",
    "preshared_key",
    "protocol_version",
    "endpoint",
    "last_handshake_time_sec",
    "last_handshake_time_nsec",
    "tx_bytes",
    "rx_bytes",
    "persistent_keepalive_interval",
]
"""The keys of a peer as wireguard-go tells it, before its AllowedIPs; one without an endpoint has
none."""
_NO_ENDPOINT: Final = [key for key in _USUAL if key != "endpoint"]


def parse_device(link: Link, answer: str) -> Device:
    """Understand an answer; keys become base64, secrets are passed over. Raises ``FormatError``."""
    where = f"WireGuard socket of {link.name}"
    if "\nerrno=" not in f"\n{answer}":
        raise FormatError(where, "the answer breaks off")
    device = Device(link.index, link.name, backend=Backend.USERSPACE)
    peers: list[Peer | _PeerLines] = []
    status = 0
    first, *rest = f"\n{answer}".split("\npublic_key=")
    number = 0
    for block in (*([first[1:]] if first else []), *(f"public_key={one}" for one in rest)):
        usual = _usual_peer(block)
        if usual is not None:
            peers.append(usual)
        for line in block.split("\n") if usual is None else ():
            number += 1
            key, equals, value = line.partition("=")
            if not line:
                continue
            try:
                if not equals:
                    raise ValueError("not KEY=VALUE")
                match key:
                    case "errno":
                        status = int(value)
                    case "private_key":
                        device = replace(device, public_key=_public_key(value))
                    case "listen_port":
                        device = replace(device, listen_port=int(value))
                    case "fwmark":
                        device = replace(device, fwmark=Mark(int(value)))
                    case "public_key":
                        peers.append(_PeerLines(_base64(value)))
                    case _ if peers and isinstance(peers[-1], _PeerLines):
                        peers[-1].take(key, value)
            except ValueError as error:
                # Never the line itself: it may be a key.
                raise FormatError(where, f"{key}: {error}", number) from None
        number += block.count("\n") + 1 if usual is not None else 0
    if status:
        raise FormatError(where, os.strerror(abs(status)))
    # wireguard-go tells them in a new order every time.
    found = [peer if isinstance(peer, Peer) else peer.peer() for peer in peers]
    return replace(device, peers=tuple(sorted(found, key=lambda peer: peer.public_key)))


def _usual_peer(block: str) -> Peer | None:
    """The peer, if its lines are those of wireguard-go, in its order; anything else is None."""
    words = block.replace("\n", "=").split("=")
    keys, values = words[::2], words[1::2]
    known = len(_USUAL) if keys[3:4] == ["endpoint"] else len(_NO_ENDPOINT)
    if keys[:known] != (_USUAL if known == len(_USUAL) else _NO_ENDPOINT):
        return None
    if keys[known:] != ["allowed_ip"] * (len(values) - known):
        return None
    try:
        seconds, nanoseconds, sent, received, keepalive = map(int, values[known - 5 : known])
        return Peer(
            public_key=_base64(values[0]),
            endpoint=_endpoint(values[3]) if known == len(_USUAL) else None,
            allowed_ips=tuple(map(Prefix.parse, values[known:])),
            last_handshake=seconds + nanoseconds / 1e9 or None,
            received=received,
            sent=sent,
            keepalive=keepalive,
            has_preshared_key=bool(values[1].strip("0")),
        )
    except ValueError:
        return None  # its lines will tell which of them it is


class _PeerLines:
    """The lines about one peer, as they come."""

    def __init__(self, public_key: str) -> None:
        self._public_key = public_key
        self._endpoint: Endpoint | None = None
        self._allowed: list[Prefix] = []
        self._has_preshared_key = False
        self._numbers: dict[str, int] = {}

    def take(self, key: str, value: str) -> None:
        """One line. Raises ``ValueError``."""
        if key == "allowed_ip":
            self._allowed.append(Prefix.parse(value))
        elif key in _NUMBERS:
            if value != "0":
                self._numbers[key] = int(value)
        elif key == "endpoint":
            self._endpoint = _endpoint(value)
        elif key == "preshared_key":
            self._has_preshared_key = bool(value.strip("0"))

    def peer(self) -> Peer:
        """All of it."""
        number = self._numbers.get
        handshake = (
            number("last_handshake_time_sec", 0) + number("last_handshake_time_nsec", 0) / 1e9
        )
        return Peer(
            public_key=self._public_key,
            endpoint=self._endpoint,
            allowed_ips=tuple(self._allowed),
            last_handshake=handshake or None,
            received=number("rx_bytes", 0),
            sent=number("tx_bytes", 0),
            keepalive=number("persistent_keepalive_interval", 0),
            has_preshared_key=self._has_preshared_key,
        )


def _base64(digits: str) -> str:
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise ValueError("not hexadecimal") from None
    if len(key) != 32:
        raise ValueError(f"a key of {len(key)} bytes")
    return b64encode(key).decode()


def _public_key(digits: str) -> str:
    try:
        private = bytes.fromhex(digits)
    except ValueError:
        raise ValueError("not hexadecimal") from None
    return b64encode(x25519.public_key(private)).decode()


def _endpoint(value: str) -> Endpoint:
    """``192.0.2.1:51820`` or ``[fe80::1%eth0]:51820``."""
    host, colon, port = value.rpartition(":")
    if not colon:
        raise ValueError(f"{value!r} is no endpoint")
    address, _, zone = host.removeprefix("[").removesuffix("]").partition("%")
    return Endpoint(parse_address(address), int(port), zone or None)
