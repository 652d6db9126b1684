"""What does a kernel WireGuard device say? Generic netlink bytes → Device (S-G20 … S-G22).

The bytes hold the private and the preshared keys. They are looked at where they lie, in a buffer
that is wiped afterwards; nothing made here has a place for them.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import Link, LinkIndex, Mark
from wgtui.model.prefix import BITS, Family, Prefix, new_prefix
from wgtui.model.wireguard import Device, Endpoint, Peer
from wgtui.sources.nlsocket import (
    ATTRIBUTE,
    DUMP_INTR,
    FIRST_TYPE,
    HEADER,
    NESTED,
    U32,
    Buffer,
    attribute,
    attributes,
    finished,
    messages,
)

_GENERIC: Final = 4
"""sizeof(struct genlmsghdr)."""
_U16: Final = struct.Struct("=H")
_U64: Final = struct.Struct("=Q")
_TIME: Final = struct.Struct("=qq")
_PORT: Final = struct.Struct(">H")
AF_INET, AF_INET6 = 2, 10

# include/uapi/linux/wireguard.h
IFINDEX, _PUBLIC_KEY, _LISTEN_PORT, _FWMARK, _PEERS = 1, 4, 6, 7, 8
_PEER_KEY, _PEER_PSK, _PEER_ENDPOINT, _PEER_KEEPALIVE, _PEER_HANDSHAKE = 1, 2, 4, 5, 6
_PEER_RX, _PEER_TX, _PEER_ALLOWED = 7, 8, 9
_IP_FAMILY, _IP_ADDRESS, _IP_LENGTH = 1, 2, 3
_KEY_SIZE: Final = 32


def _usual(family: Family, number: int, size: int) -> tuple[bytes, struct.Struct, bytes, Family]:
    """How the kernel lays out an allowed IP (get_allowedips): length, family, address.

    The bytes before the length, where length, bytes between and address are, the bytes between.
    """
    head = ATTRIBUTE.pack(24 + size, NESTED) + ATTRIBUTE.pack(5, _IP_LENGTH)
    middle = attribute(_IP_FAMILY, _U16.pack(number)) + ATTRIBUTE.pack(4 + size, _IP_ADDRESS)
    return head, struct.Struct(f"=8xB3x12s{size}s"), middle, family


_USUAL: Final = (_usual(4, AF_INET, 4), _usual(6, AF_INET6, 16))
_ALL4: Final = struct.Struct(">8sB3x12sI")
"""An IPv4 entry of a list that has no others: what stands before the length, it, what stands before
the address, and it."""

_HEADS: Final = tuple(
    U32.unpack(ATTRIBUTE.pack(4 + size, kind))[0]
    for kind, size in (
        (_PEER_KEY, _KEY_SIZE),
        (_PEER_PSK, _KEY_SIZE),
        (_PEER_HANDSHAKE, 16),
        (_PEER_KEEPALIVE, 2),
        (_PEER_TX, 8),
        (_PEER_RX, 8),
    )
)
_BEGINNING: Final = struct.Struct("=I32sI32xIqqIHxxIQIQ")
"""How every kernel so far begins a peer (get_peer): these attributes. The preshared key is not
copied, only looked at where it lies."""
_PSK_AT: Final = 40
_NO_PSK: Final = bytes(_KEY_SIZE)


class DeviceDump:
    """Takes the messages about one device as they come and gives the Device at the end."""

    def __init__(self, link: Link, zones: Mapping[LinkIndex, str]) -> None:
        """``zones`` are the names of all links, for link-local endpoints."""
        self.interrupted = False
        """The device was configured meanwhile: what was read may be torn."""
        self._device = Device(link.index, link.name)
        self._zones = zones
        self._peers: list[Peer] = []

    def feed(self, chunk: Buffer) -> bool:
        """Whole messages; True once the end of the dump was among them.

        Raises ``FormatError`` and ``NetlinkError``.
        """
        done = False
        for kind, flags, start, end in messages(chunk):
            self.interrupted |= bool(flags & DUMP_INTR)
            if kind < FIRST_TYPE:
                done |= finished(kind, chunk, start, end)
                continue
            try:
                self._message(chunk, start + HEADER.size + _GENERIC, end)
            except (struct.error, IndexError) as error:
                raise FormatError(
                    "wireguard", f"an attribute that is too short ({error})"
                ) from error
        return done

    def device(self) -> Device:
        """The device, its peers whole again and in the kernel's order."""
        return replace(self._device, peers=tuple(self._peers))

    def _message(self, data: Buffer, offset: int, end: int) -> None:
        for kind, first, last in attributes(data, offset, end):
            if kind == _PEERS:
                for _, peer, peer_end in attributes(data, first, last):
                    self._peer(data, peer, peer_end)
            elif kind == _PUBLIC_KEY:
                self._device = replace(self._device, public_key=_key(data, first, last))
            elif kind == _LISTEN_PORT:
                self._device = replace(self._device, listen_port=_U16.unpack_from(data, first)[0])
            elif kind == _FWMARK:
                self._device = replace(self._device, fwmark=Mark(U32.unpack_from(data, first)[0]))

    def _peer(self, data: Buffer, offset: int, end: int) -> None:
        public_key = ""
        endpoint: Endpoint | None = None
        handshake: float | None = None
        received = sent = keepalive = 0
        has_preshared_key = False
        allowed: tuple[Prefix, ...] = ()
        if end - offset >= _BEGINNING.size:
            key, public, psk, time, seconds, nanoseconds, *rest = _BEGINNING.unpack_from(
                data, offset
            )
            if (key, psk, time, *rest[0::2]) == _HEADS:
                public_key = b64encode(public).decode()
                secret = data[offset + _PSK_AT : offset + _PSK_AT + _KEY_SIZE]
                has_preshared_key = secret != _NO_PSK
                handshake = seconds + nanoseconds / 1e9 if seconds or nanoseconds else None
                keepalive, sent, received = rest[1::2]
                offset += _BEGINNING.size
        for kind, first, last in attributes(data, offset, end):
            if kind == _PEER_KEY:
                public_key = _key(data, first, last)
            elif kind == _PEER_PSK:
                has_preshared_key = any(data[first:last])
            elif kind == _PEER_ENDPOINT:
                endpoint = self._endpoint(data[first:last])
            elif kind == _PEER_HANDSHAKE:
                seconds, nanoseconds = _TIME.unpack_from(data, first)
                handshake = seconds + nanoseconds / 1e9 if seconds or nanoseconds else None
            elif kind == _PEER_RX:
                received = _U64.unpack_from(data, first)[0]
            elif kind == _PEER_TX:
                sent = _U64.unpack_from(data, first)[0]
            elif kind == _PEER_KEEPALIVE:
                keepalive = _U16.unpack_from(data, first)[0]
            elif kind == _PEER_ALLOWED:
                allowed = _allowed_ips(bytes(data[first:last]))
        if not public_key:
            return  # padding
        if self._peers and self._peers[-1].public_key == public_key:
            # It did not fit into the message before (include/uapi/linux/wireguard.h).
            begun = self._peers[-1]
            self._peers[-1] = replace(begun, allowed_ips=begun.allowed_ips + allowed)
            return
        self._peers.append(
            Peer(
                public_key=public_key,
                endpoint=endpoint,
                allowed_ips=allowed,
                last_handshake=handshake,
                received=received,
                sent=sent,
                keepalive=keepalive,
                has_preshared_key=has_preshared_key,
            )
        )

    def _endpoint(self, data: Buffer) -> Endpoint | None:
        family, port = _U16.unpack_from(data)[0], _PORT.unpack_from(data, 2)[0]
        if family == AF_INET:
            return Endpoint(IPAddress(int.from_bytes(data[4:8], "big"), 4), port)
        if family == AF_INET6:
            # sin6_scope_id is in the host's byte order (pyroute2 0.9 takes it for network order).
            scope = LinkIndex(U32.unpack_from(data, 24)[0])
            zone = self._zones.get(scope, str(scope)) if scope else None
            return Endpoint(IPAddress(int.from_bytes(data[8:24], "big"), 6), port, zone)
        raise FormatError("wireguard", f"an endpoint of address family {family}")


def _key(data: Buffer, first: int, last: int) -> str:
    if last - first != _KEY_SIZE:
        raise FormatError("wireguard", f"a key of {last - first} bytes")
    return b64encode(data[first:last]).decode()


def _allowed_ips(data: bytes) -> tuple[Prefix, ...]:
    """All entries of a list; IPv4 ones alone are cut at once."""
    if len(data) % _ALL4.size == 0:
        head, _, middle, family = _USUAL[0]
        entries = list(_ALL4.iter_unpack(data))
        if all(entry[0] == head and entry[2] == middle and entry[1] <= 32 for entry in entries):
            return tuple(
                [
                    new_prefix(Prefix, family, value >> 32 - length << 32 - length, length)
                    for _, length, _, value in entries
                ]
            )
    return tuple(_any_allowed_ips(data))


def _any_allowed_ips(data: bytes) -> Iterator[Prefix]:
    """Those laid out as every kernel so far does it, without further ado."""
    offset, end = 0, len(data)
    while offset < end:
        for head, layout, middle, family in _USUAL:
            if data.startswith(head, offset) and offset + layout.size <= end:
                length, between, value = layout.unpack_from(data, offset)
                if between == middle and length <= BITS[family]:
                    yield Prefix.of(family, int.from_bytes(value, "big"), length)
                    offset += layout.size
                    break
        else:
            _, start, stop = next(attributes(data, offset, end))
            yield _allowed_ip(data, start, stop)
            offset = (stop + 3) & ~3


def _allowed_ip(data: Buffer, offset: int, end: int) -> Prefix:
    family: Family | None = None
    value = length = -1
    for kind, first, last in attributes(data, offset, end):
        if kind == _IP_FAMILY:
            family = 4 if _U16.unpack_from(data, first)[0] == AF_INET else 6
        elif kind == _IP_ADDRESS:
            value = int.from_bytes(data[first:last], "big")
        elif kind == _IP_LENGTH:
            length = data[first]
    if family is None or value < 0 or not 0 <= length <= BITS[family]:
        raise FormatError("wireguard", "an allowed IP that is none")
    return Prefix.of(family, value, length)
