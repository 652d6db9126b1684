"""How do a million route messages become tables quickly? RTM_NEWROUTE bytes in, RouteTables out.

The same bytes come from a netlink socket and from ``ip route save``. The routes of a router differ
in little but their destination, so what a message says *beside* it (without the counters of
RTA_CACHEINFO, which all differ) is kept as bytes, and each distinct one is decoded once:

    nlmsghdr 16 │ rtmsg 12 │ RTA_TABLE 8 │ RTA_DST 4 + ADDRESS │ … │ RTA_CACHEINFO 4 + COUNTERS │ …

Where the two holes are is found by walking the attributes of one message, and believed for others
of the same length whose headers stand at the same places. When the bytes around the holes have
been seen before, so have all attribute headers: nothing can have been mistaken for one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import CachedRoute, NextHopObject, RouteInfo, TableId
from wgtui.model.prefix import Family
from wgtui.model.routes import RouteTables, RouteTablesBuilder, cached_route
from wgtui.sources.nlsocket import ATTRIBUTE, DUMP_INTR, HEADER, attributes, finished
from wgtui.sources.route_message import (
    AF_INET,
    AF_INET6,
    BODY,
    RTA_CACHEINFO,
    RTA_DST,
    RTM_NEWROUTE,
    decode,
)

Exceptions: TypeAlias = tuple[CachedRoute, ...]

RTM_GETROUTE: Final = 26

_START: Final = struct.Struct("=IHH")
"""The beginning of nlmsghdr: length, type, flags."""
_FAMILY: Final = HEADER.size
_DST_LEN: Final = HEADER.size + 1
_SHARED: Final = HEADER.size + 2
"""From here on, what routes may have in common."""
_ATTRIBUTES: Final = HEADER.size + BODY.size
_DST4: Final = ATTRIBUTE.pack(8, RTA_DST)
_DST6: Final = ATTRIBUTE.pack(20, RTA_DST)
_CACHE: Final = ATTRIBUTE.pack(36, RTA_CACHEINFO)
_EXPIRES, _COUNTERS = 8, 32
"""In rta_cacheinfo: where the one field is that matters, and how many bytes there are."""

_Row: TypeAlias = tuple[int, int, int]
"""Network, length, number of the info."""


def route_request(family: Family) -> bytes:
    """rtmsg: all tables of a family. Not strict, so exceptions come too (S-G8)."""
    return bytes([AF_INET if family == 4 else AF_INET6]) + bytes(BODY.size - 1)


class _Layout(NamedTuple):
    """Where the holes of a message are, counted from its beginning; 0: it has none."""

    address: int
    """Of the value of RTA_DST."""
    after: int
    header: bytes
    """What stands before the address."""
    counters: int
    """Of the value of RTA_CACHEINFO."""
    known: dict[bytes, tuple[Callable[[_Row], None], int]]
    """What is around the holes → where such a row goes, and the number it gets there."""


class RouteDump:
    """Takes the messages as they come, many at a time, and gives tables at the end."""

    def __init__(self, objects: Mapping[int, NextHopObject] | None = None) -> None:
        """``objects`` are the next-hop objects that routes may use."""
        self.interrupted = False
        """The kernel said that something changed meanwhile."""
        self.count = 0
        """Routes so far."""
        self._objects = objects or {}
        self._tables = RouteTablesBuilder()
        self._layouts: dict[int, _Layout] = {}
        self._known: dict[
            tuple[int, int, int], dict[bytes, tuple[Callable[[_Row], None], int]]
        ] = {}
        self._cloned: list[_Row] = []
        self._cloned_at: list[tuple[Family, TableId, RouteInfo]] = []

    def feed(self, chunk: bytes) -> bool:
        """Whole messages, one after the other; True once the end of the dump was among them.

        Raises ``FormatError`` and ``NetlinkError``.
        """
        offset, size = 0, len(chunk)
        layouts, start_of, number_of = self._layouts, _START.unpack_from, int.from_bytes
        while offset < size:
            if size - offset < HEADER.size:
                raise FormatError("routes", f"{size - offset} stray bytes after the last message")
            length, kind, flags = start_of(chunk, offset)
            end = offset + length
            if length < HEADER.size or end > size:
                raise FormatError(
                    "routes", f"a message of {length} bytes where {size - offset} are left"
                )
            if flags & DUMP_INTR:
                self.interrupted = True
            if kind != RTM_NEWROUTE:
                if finished(kind, chunk, offset, end):
                    return True
                offset = (end + 3) & ~3
                continue
            if length < _ATTRIBUTES:
                raise FormatError("routes", f"a route message of only {length} bytes")

            family, dst_len = chunk[offset + _FAMILY], chunk[offset + _DST_LEN]
            shape = length << 9 | family << 1 | (dst_len > 0)
            layout = layouts.get(shape)
            if layout is None:
                layout = layouts[shape] = self._layout(chunk, offset, end)
            address, after, header, counters, known = layout
            if (header and chunk[offset + address - 4 : offset + address] != header) or (
                counters and chunk[offset + counters - 4 : offset + counters] != _CACHE
            ):
                layouts[shape] = self._layout(chunk, offset, end)
                continue
            if counters:
                cache = offset + counters
                key = (
                    chunk[offset + _SHARED : offset + address]
                    + chunk[offset + after : cache]
                    + chunk[cache + _EXPIRES : cache + _EXPIRES + 4]
                    + chunk[cache + _COUNTERS : end]
                )
            else:
                key = chunk[offset + _SHARED : offset + address] + chunk[offset + after : end]
            entry = known.get(key)
            if entry is None:
                fresh = self._layout(chunk, offset, end)
                if fresh != layout:
                    layouts[shape] = fresh
                    continue
                entry = known[key] = self._learn(chunk, offset, end)
            if dst_len > 32 and (family == AF_INET or dst_len > 128):
                raise FormatError("routes", f"a prefix of {dst_len} bits")
            append, number = entry
            self.count += 1
            append((number_of(chunk[offset + address : offset + after], "big"), dst_len, number))
            offset = (end + 3) & ~3
        return False

    def _layout(self, chunk: bytes, start: int, end: int) -> _Layout:
        """Walk the attributes of one message to find its holes."""
        family = chunk[start + _FAMILY]
        header = _DST4 if family == AF_INET else _DST6
        address = after = _ATTRIBUTES
        counters, before = 0, b""
        for _, first, last in attributes(chunk, start + _ATTRIBUTES, end):
            intro = chunk[first - ATTRIBUTE.size : first]
            if intro == header:
                address, after, before, counters = first - start, last - start, header, 0
            elif intro == _CACHE:
                counters = first - start
        known = self._known.setdefault((family, address if before else 0, counters), {})
        return _Layout(address, after, before, counters, known)

    def _learn(self, chunk: bytes, start: int, end: int) -> tuple[Callable[[_Row], None], int]:
        """Where do rows like this one go, and with which number?"""
        route = decode(chunk, start, end, self._objects)
        family = route.destination.family
        if route.info.cached:
            self._cloned_at.append((family, route.table, route.info))
            return self._cloned.append, len(self._cloned_at) - 1
        rows = self._tables.rows(family, route.table)
        return rows.append, self._tables.number(route.info)

    def tables(self) -> RouteTables:
        """All tables, sorted. Exceptions (RTM_F_CLONED) are no entries of a table (S-G8)."""
        return self._tables.build()

    def exceptions(self) -> Exceptions:
        """What the kernel keeps for single destinations (S-A63, S-B14)."""
        found = []
        for network, _, number in self._cloned:
            family, table, info = self._cloned_at[number]
            kept = cached_route(table, IPAddress(network, family), info)
            found += [kept] if kept is not None else []
        return tuple(found)


def parse_routes(
    chunks: Iterable[bytes], objects: Mapping[int, NextHopObject] | None = None
) -> tuple[RouteTables, Exceptions]:
    """Tables and exceptions from all chunks of a dump. Raises ``FormatError``."""
    dump = RouteDump(objects)
    for chunk in chunks:
        if dump.feed(chunk):
            break
    return dump.tables(), dump.exceptions()
