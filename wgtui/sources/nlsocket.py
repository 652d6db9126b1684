"""How do netlink messages get in and out? One plain socket, used by one thread.

Plain, because pyroute2's sockets never tell that a dump was interrupted, are dead after one
ENOBUFS, and cannot run where an event loop does. What is *in* a message is understood elsewhere.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self, TypeAlias

from wgtui.errors import FormatError

Buffer: TypeAlias = bytes | bytearray | memoryview

HEADER: Final = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence, port."""
ATTRIBUTE: Final = struct.Struct("=HH")
"""nlattr: length, type."""
U32: Final = struct.Struct("=I")
S32: Final = struct.Struct("=i")

NLMSG_ERROR, NLMSG_DONE = 2, 3
FIRST_TYPE: Final = 16
"""NLMSG_MIN_TYPE: smaller ones are netlink's own."""
REQUEST, ACK, DUMP, DUMP_INTR = 0x01, 0x04, 0x300, 0x10
NESTED: Final = 0x8000
TYPE_MASK: Final = 0x3FFF
"""Without NLA_F_NESTED and NLA_F_NET_BYTEORDER."""

SOL_NETLINK: Final = 270
ADD_MEMBERSHIP, EXT_ACK, GET_STRICT_CHK = 1, 11, 12
SO_RCVBUFFORCE: Final = 33
EXTACK_TEXT: Final = 1
"""NLMSGERR_ATTR_MSG."""
TRIES: Final = 3
"""How often a dump that the kernel calls interrupted is started over."""


class NetlinkError(OSError):
    """The kernel refused; ``errno`` is positive, ``strerror`` its own words where it gave some."""


class NetlinkSocket:
    """A socket of one protocol, in the network namespace of the thread that makes it."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE, timeout: float = 10.0) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._socket.settimeout(timeout)
        self._socket.bind((0, 0))
        self._sequence = 0
        self.interrupted = False
        """A dump could not be had in one piece: each time something changed meanwhile (S-G7)."""
        self.option(EXT_ACK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        self._socket.close()

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def option(self, name: int, value: int = 1) -> None:
        """A netlink option; kernels too old for it go without."""
        try:
            self._socket.setsockopt(SOL_NETLINK, name, value)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise

    # ------------------------------------------------------------------------------------ events

    def listen(self, groups: Iterable[int], room: int) -> None:
        """Join multicast groups, with ``room`` bytes for events that nobody has read yet."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, room)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        for group in groups:
            try:
                self._socket.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
            except OSError as error:
                if error.errno != errno.EINVAL:  # a group this kernel does not have yet
                    raise

    def waiting(self, room: bytearray) -> Iterator[bytes | None]:
        """Every event that waits; None where some were lost (ENOBUFS, S-G6). Each comes alone.

        For a socket with ``timeout`` 0; ``room`` is a buffer to receive into.
        """
        view = memoryview(room)
        while True:
            try:
                size = self._socket.recv_into(room)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                yield None
            else:
                yield bytes(view[:size])

    # ---------------------------------------------------------------------------------- requests

    def send(self, kind: int, body: bytes, flags: int) -> None:
        """Ask something."""
        self._sequence += 1
        self._socket.send(
            HEADER.pack(HEADER.size + len(body), kind, REQUEST | flags, self._sequence, 0) + body
        )

    def chunks(self, kind: int, body: bytes) -> Iterator[bytes]:
        """Start a dump and give what arrives, many messages at a time; the caller sees the end."""
        self.send(kind, body, DUMP)
        while True:
            yield self._socket.recv(1 << 16)  # the kernel fills at most 32 KiB of it

    def chunks_into(self, room: bytearray, kind: int, body: bytes) -> Iterator[memoryview]:
        """The same in a buffer of the caller's, who may want to wipe it."""
        self.send(kind, body, DUMP)
        view = memoryview(room)
        while True:
            yield view[: self._socket.recv_into(room)]

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """All answers to a dump, each with its header; started over when it was interrupted.

        Raises ``NetlinkError``. When every try was interrupted, ``interrupted`` says so.
        """
        found, interrupted = self._dump_once(kind, body)
        for _ in range(TRIES - 1):
            if interrupted:
                found, interrupted = self._dump_once(kind, body)
        self.interrupted |= interrupted
        return found

    def _dump_once(self, kind: int, body: bytes) -> tuple[list[bytes], bool]:
        found: list[bytes] = []
        interrupted = False
        for chunk in self.chunks(kind, body):
            for answer, flags, start, end in messages(chunk):
                interrupted |= bool(flags & DUMP_INTR)
                if answer >= FIRST_TYPE:
                    found.append(chunk[start:end])
                elif finished(answer, chunk, start, end):
                    return found, interrupted
        raise AssertionError("unreachable: chunks never end")

    def ask(self, kind: int, body: bytes) -> bytes:
        """The one answer to a request that is no dump, with its header. Raises ``NetlinkError``."""
        self.send(kind, body, 0)
        while True:
            chunk = self._socket.recv(1 << 16)
            for answer, _, start, end in messages(chunk):
                if HEADER.unpack_from(chunk, start)[3] != self._sequence:
                    continue  # late answer to a request that timed out
                if answer >= FIRST_TYPE:
                    return chunk[start:end]
                finished(answer, chunk, start, end)


def messages(chunk: Buffer) -> Iterator[tuple[int, int, int, int]]:
    """Type, flags, start (of the header) and end of every message. Raises ``FormatError``."""
    offset, size = 0, len(chunk)
    while offset < size:
        if offset + HEADER.size > size:
            raise FormatError("netlink", f"{size - offset} stray bytes after the last message")
        length, kind, flags, _, _ = HEADER.unpack_from(chunk, offset)
        if not HEADER.size <= length <= size - offset:
            raise FormatError(
                "netlink", f"a message of {length} bytes where {size - offset} are left"
            )
        yield kind, flags, offset, offset + length
        offset += (length + 3) & ~3


def attributes(data: Buffer, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, start (of the value) and end of every attribute. Raises ``FormatError``."""
    while offset + ATTRIBUTE.size <= end:
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if not ATTRIBUTE.size <= length <= end - offset:
            raise FormatError(
                "netlink", f"an attribute of {length} bytes where {end - offset} are left"
            )
        yield kind & TYPE_MASK, offset + ATTRIBUTE.size, offset + length
        offset += (length + 3) & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded, to be sent."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def text(value: Buffer) -> str:
    """A name the kernel gives; any byte survives, as in file names."""
    return os.fsdecode(bytes(value).split(b"\0", 1)[0])


def finished(kind: int, data: Buffer, start: int, end: int) -> bool:
    """Is this (netlink's own) message the end of a dump? Raises ``NetlinkError`` if a refusal."""
    if kind not in (NLMSG_ERROR, NLMSG_DONE):
        return False
    offset = start + HEADER.size
    code = S32.unpack_from(data, offset)[0] if end >= offset + 4 else 0
    if code < 0:
        raise NetlinkError(-code, _extack(data, start, end, kind) or os.strerror(-code))
    return True


def _extack(data: Buffer, start: int, end: int, kind: int) -> str:
    """The kernel's words about an error (S-G10): attributes after the request it echoes."""
    flags = HEADER.unpack_from(data, start)[2]
    if not flags & 0x200:  # NLM_F_ACK_TLVS
        return ""
    offset = start + HEADER.size + 4
    if kind == NLMSG_ERROR:
        echoed = U32.unpack_from(data, offset)[0]
        offset += (
            HEADER.size if flags & 0x100 else (echoed + 3) & ~3
        )  # NLM_F_CAPPED: only its header
    for name, first, last in attributes(data, offset, end):
        if name == EXTACK_TEXT:
            return text(data[first:last])
    return ""
