"""What would ``wg setconf``, ``addconf`` or ``syncconf`` set? A file in wg's own grammar.

wg(8): all white space is deleted, ``#`` cuts anywhere, sections and keys ignore case (S-G42); every
[Peer] replaces what its peer had, unless its last AllowedIPs line says ``+`` or ``-`` (S-G44). wg
refuses what only wg-quick knows, which ``wg-quick strip`` leaves out.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field, replace
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.command import PeerChange
from wgtui.model.network import Mark
from wgtui.model.prefix import Prefix, parse_address
from wgtui.model.wireguard import Endpoint
from wgtui.sources.names import to_number
from wgtui.sources.x25519 import public_key

QUICK: Final = frozenset(
    ("address", "dns", "mtu", "table", "preup", "postup", "predown", "postdown", "saveconfig")
)
"""Keys of [Interface] that are wg-quick's own."""


@dataclass(slots=True)
class WgFile:
    """What a file sets of a device."""

    listen_port: int | None = None
    fwmark: Mark | None = None
    public_key: str | None = None
    peers: list[PeerChange] = field(default_factory=list)


def parse_wg_file(text: str, file: str, *, strip: bool = False) -> WgFile:
    """Understand the file; ``strip``: as ``wg-quick strip`` prints it. Raises ``FormatError``."""
    found = WgFile()
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        statement = "".join(line.partition("#")[0].split())
        if not statement:
            continue
        if statement.startswith("["):
            section = statement.lower()
            if section == "[peer]":
                found.peers.append(PeerChange("", replace_allowed_ips=True))
            elif section != "[interface]":
                raise FormatError(file, "is a section that wg does not know", number)
            continue
        key, _, value = statement.partition("=")
        try:
            if section == "[interface]":
                _device(found, key.lower(), value, strip)
            elif section == "[peer]":
                found.peers[-1] = _peer(found.peers[-1], key.lower(), value)
            else:
                raise ValueError("stands before any section")
        except ValueError as error:
            raise FormatError(file, f"{error}: wg refuses the file", number) from None
    if any(not peer.peer for peer in found.peers):
        raise FormatError(file, "a [Peer] without PublicKey: wg refuses the file")
    return found


def _device(found: WgFile, key: str, value: str, strip: bool) -> None:
    match key:
        case "listenport":
            found.listen_port = _number("ListenPort", value) & 0xFFFF  # S-G43
        case "fwmark":
            found.fwmark = Mark(0 if value.lower() == "off" else _number("FwMark", value))
        case "privatekey":
            found.public_key = _public(value)
        case _ if key in QUICK and strip:
            pass
        case _ if key in QUICK:
            raise ValueError(f"{key} is wg-quick's own; use <(wg-quick strip NAME)")
        case _:
            raise ValueError("is not understood")


def _peer(peer: PeerChange, key: str, value: str) -> PeerChange:
    match key:
        case "publickey":
            return replace(peer, peer=value)
        case "presharedkey":
            return replace(peer, preshared_key=True)
        case "endpoint":
            return with_endpoint(peer, value)
        case "persistentkeepalive":
            return replace(peer, keepalive=keepalive(value))
        case "allowedips":
            if not value:
                raise ValueError("AllowedIPs is empty")
            return with_allowed_ips(peer, value, add=True)
        case _:
            raise ValueError("is not understood")


def with_allowed_ips(peer: PeerChange, value: str, *, add: bool = False) -> PeerChange:
    """``10.0.0.0/8,+fd00::/8,-10.1.0.0/16``; ``add``: to what earlier lines said."""
    incremental = False
    entries = list(peer.allowed_ips) if add else []
    for entry in value.split(",") if value else ():
        keep = not entry.startswith("-")
        incremental = incremental or entry[:1] in ("+", "-")
        entries.append((keep, Prefix.parse(entry[1:] if entry[:1] in ("+", "-") else entry)))
    return replace(peer, allowed_ips=tuple(entries), replace_allowed_ips=not incremental)


def with_endpoint(peer: PeerChange, value: str) -> PeerChange:
    """``192.0.2.1:51820``, ``[2001:db8::1%eth0]:51820``, ``vpn.example:51820``."""
    host, colon, port = value.rpartition(":")
    number = to_number(port)
    if not colon or not host or number is None:
        raise ValueError(f"{value!r} is not HOST:PORT")
    address, _, zone = host.removeprefix("[").removesuffix("]").partition("%")
    try:
        known = parse_address(address)
    except ValueError:
        return replace(peer, endpoint=None, endpoint_name=value)
    return replace(peer, endpoint=Endpoint(known, number & 0xFFFF, zone or None), endpoint_name="")


def keepalive(value: str) -> int:
    """Seconds; ``off`` is 0."""
    seconds = 0 if value.lower() == "off" else to_number(value)
    if seconds is None or seconds > 65535:
        raise ValueError(f"{value!r} is not a number of seconds")
    return seconds


def _number(what: str, value: str) -> int:
    number = to_number(value)
    if number is None or number > 0xFFFFFFFF:
        raise ValueError(f"{what} is not a number")
    return number


def _public(value: str) -> str:
    """The private key itself goes no further, and no error quotes it."""
    try:
        return b64encode(public_key(b64decode(value, validate=True))).decode()
    except (Base64Error, ValueError):
        raise ValueError("PrivateKey is not a key") from None
