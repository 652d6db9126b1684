"""How is the kernel asked about its WireGuard devices? One dump per device (S-G20).

There is no event when a peer changes: who wants to know has to ask again.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from wgtui.errors import FormatError
from wgtui.model.network import Link, LinkIndex
from wgtui.model.wireguard import Device
from wgtui.sources.nlsocket import HEADER, TRIES, U32, NetlinkSocket, attribute, attributes
from wgtui.sources.wg_dump import IFINDEX, DeviceDump

_NETLINK_GENERIC: Final = 16
_GET_DEVICE: Final = struct.pack("=BBxx", 0, 1)
"""genlmsghdr: command, version."""
_GENL: Final = struct.Struct("=BBxx")
_U16: Final = struct.Struct("=H")
_GENL_ID_CTRL: Final = 16
_CTRL_GETFAMILY, _CTRL_FAMILY_ID, _CTRL_FAMILY_NAME = 3, 1, 2


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
        request = _GET_DEVICE + attribute(IFINDEX, U32.pack(link.index))
        try:
            for chunk in self._socket.chunks_into(self._buffer, self._family, request):
                if dump.feed(chunk):
                    break
        finally:
            self._buffer[:] = bytes(len(self._buffer))  # the keys (S-G22)
        return dump


def _family_id(sock: NetlinkSocket) -> int:
    request = struct.pack("=BBxx", _CTRL_GETFAMILY, 1) + attribute(
        _CTRL_FAMILY_NAME, b"wireguard\0"
    )
    answer = sock.ask(_GENL_ID_CTRL, request)
    for name, first, _ in attributes(answer, HEADER.size + _GENL.size, len(answer)):
        if name == _CTRL_FAMILY_ID:
            return int(_U16.unpack_from(answer, first)[0])
    raise FormatError("netlink", "a generic netlink family without a number")
