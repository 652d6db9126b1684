"""What does a kernel WireGuard device say? Generic netlink bytes → Device (S-G20 … S-G22).

The bytes hold the private and the preshared keys. They are looked at where they lie, in a buffer
that is wiped afterwards; nothing made here has a place for them.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import Link, LinkIndex, Mark
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.wireguard import Device, Endpoint, Peer
from wgtui.sources.nlsocket import (
    DUMP_INTR,
    FIRST_TYPE,
    HEADER,
    TRIES,
    U32,
    Buffer,
    NetlinkSocket,
    attribute,
    attributes,
    finished,
    messages,
)

_NETLINK_GENERIC: Final = 16
_GENERIC: Final = 4
"""sizeof(struct genlmsghdr)."""
_GET_DEVICE: Final = struct.pack("=BBxx", 0, 1)
_U16: Final = struct.Struct("=H")
_U64: Final = struct.Struct("=Q")
_TIME: Final = struct.Struct("=qq")
_PORT: Final = struct.Struct(">H")
AF_INET, AF_INET6 = 2, 10

# include/uapi/linux/wireguard.h
_IFINDEX, _PUBLIC_KEY, _LISTEN_PORT, _FWMARK, _PEERS = 1, 4, 6, 7, 8
_PEER_KEY, _PEER_PSK, _PEER_ENDPOINT, _PEER_KEEPALIVE, _PEER_HANDSHAKE = 1, 2, 4, 5, 6
_PEER_RX, _PEER_TX, _PEER_ALLOWED = 7, 8, 9
_IP_FAMILY, _IP_ADDRESS, _IP_LENGTH = 1, 2, 3
_KEY_SIZE: Final = 32
_CTRL_GETFAMILY, _CTRL_FAMILY_NAME = 3, 2


class DeviceDump:
    """Takes the messages about one device as they come and gives the Device at the end."""

    def __init__(self, link: Link, zones: Mapping[LinkIndex, str]) -> None:
        """``zones`` are the names of all links, for link-local endpoints."""
        self.interrupted = False
        """The device was configured meanwhile: what was read may be torn."""
        self._device = Device(link.index, link.name)
        self._zones = zones
        self._peers: list[Peer] = []
        self._allowed: list[list[Prefix]] = []

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
        peers = tuple(
            replace(peer, allowed_ips=tuple(allowed)) if allowed else peer
            for peer, allowed in zip(self._peers, self._allowed, strict=True)
        )
        return replace(self._device, peers=peers)

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
        allowed: list[Prefix] = []
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
                allowed = [
                    _allowed_ip(data, nest, stop) for _, nest, stop in attributes(data, first, last)
                ]
        if not public_key:
            return  # padding
        if self._peers and self._peers[-1].public_key == public_key:
            # It did not fit into the message before (include/uapi/linux/wireguard.h).
            self._allowed[-1] += allowed
            return
        self._peers.append(
            Peer(
                public_key=public_key,
                endpoint=endpoint,
                last_handshake=handshake,
                received=received,
                sent=sent,
                keepalive=keepalive,
                has_preshared_key=has_preshared_key,
            )
        )
        self._allowed.append(allowed)

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


class WireGuardSocket:
    """Asks the kernel about its WireGuard devices. To be used with ``with``."""

    def __init__(self) -> None:
        """Raises ``NetlinkError`` with ENOENT when the kernel has no WireGuard."""
        self._socket = NetlinkSocket(_NETLINK_GENERIC)
        self._buffer = bytearray(1 << 16)
        self.interrupted = False
        """A device was configured each time it was told: what was read of it may be torn."""
        try:
            self._family = _family_id(self._socket)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def device(self, link: Link, zones: Mapping[LinkIndex, str]) -> Device:
        """Everything about one device but its secrets.

        Raises ``NetlinkError`` (EPERM, ENODEV, EOPNOTSUPP). When the device was configured each
        time it was read, ``interrupted`` says so.
        """
        dump = self._dump_once(link, zones)
        for _ in range(TRIES - 1):
            if dump.interrupted:
                dump = self._dump_once(link, zones)
        self.interrupted |= dump.interrupted
        return dump.device()

    def _dump_once(self, link: Link, zones: Mapping[LinkIndex, str]) -> DeviceDump:
        dump = DeviceDump(link, zones)
        request = _GET_DEVICE + attribute(_IFINDEX, U32.pack(link.index))
        try:
            for chunk in self._socket.chunks_into(self._buffer, self._family, request):
                if dump.feed(chunk):
                    break
        finally:
            self._buffer[:] = bytes(len(self._buffer))  # the keys (S-G22)
        return dump


def _family_id(sock: NetlinkSocket) -> int:
    from pyroute2.netlink import GENL_ID_CTRL, ctrlmsg

    request = struct.pack("=BBxx", _CTRL_GETFAMILY, 1) + attribute(
        _CTRL_FAMILY_NAME, b"wireguard\0"
    )
    message = ctrlmsg(sock.ask(GENL_ID_CTRL, request))
    message.decode()
    return int(message.get_attr("CTRL_ATTR_FAMILY_ID"))
