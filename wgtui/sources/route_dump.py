"""How do a million route messages become tables quickly? RTM_NEWROUTE bytes in, RouteTables out.

The same bytes come from a netlink socket and from ``ip route save``. The routes of a router differ
in little but their destination, so each distinct thing that a message says beside it is decoded
once, and from then on it is a number. ``route_runs`` cuts columns out of many messages at a time;
where they are laid out too differently, they are taken one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import CachedRoute, NextHopObject, TableId
from wgtui.model.prefix import BITS, Family
from wgtui.model.prefix_columns import GrowingColumns
from wgtui.model.routes import RouteTable, RouteTables, cached_route
from wgtui.sources.nlsocket import DUMP_INTR, HEADER, finished
from wgtui.sources.route_kinds import RouteKinds
from wgtui.sources.route_message import AF_INET, AF_INET6, BODY, RTM_NEWROUTE
from wgtui.sources.route_runs import ATTRIBUTES_AT, FAMILY_AT, FEW, Layout

Exceptions: TypeAlias = tuple[CachedRoute, ...]

RTM_GETROUTE: Final = 26

_START: Final = struct.Struct("=IHH")
"""The beginning of nlmsghdr: length, type, flags."""


def route_request(family: Family) -> bytes:
    """rtmsg: all tables of a family. Not strict, so exceptions come too (S-G8)."""
    return bytes([AF_INET if family == 4 else AF_INET6]) + bytes(BODY.size - 1)


class RouteDump:
    """Takes the messages as they come, many at a time, and gives tables at the end."""

    def __init__(self, objects: Mapping[int, NextHopObject] | None = None) -> None:
        """``objects`` are the next-hop objects that routes may use."""
        self.interrupted = False
        """The kernel said that something changed meanwhile."""
        self.count = 0
        """Routes so far."""
        self._kinds = RouteKinds(objects)
        self._tables: dict[tuple[Family, TableId], GrowingColumns] = {}
        self._rows: list[GrowingColumns | None] = []
        """By kind: the rows of its table; None for exceptions."""
        self._cloned: list[tuple[int, int]] = []
        """Address and kind of the exceptions."""

    def feed(self, chunk: bytes) -> bool:
        """Whole messages, one after the other; True once the end of the dump was among them.

        Raises ``FormatError`` and ``NetlinkError``.
        """
        offset, size = 0, len(chunk)
        start_of = _START.unpack_from
        words = memoryview(chunk).cast("I") if size % 4 == 0 else None
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
            if length < ATTRIBUTES_AT:
                raise FormatError("routes", f"a route message of only {length} bytes")

            # A glance at a later length tells whether a longer look may be worth it.
            far = offset + (FEW - 1) * length
            if words is not None and chunk.startswith(chunk[offset : offset + 4], far):
                layout = self._kinds.layout(chunk, offset, length)
                run = range(offset, offset + layout.run(chunk, words, offset) * length, length)
                if run:
                    self._take(layout, chunk, words, run)
                    offset = run.stop
                    continue
            self._add(*self._kinds.one(chunk, offset, length))
            self.count += 1
            offset = (end + 3) & ~3
        return False

    def _take(self, layout: Layout, chunk: bytes, words: memoryview, run: range) -> None:
        """All messages of a run."""
        numbers = self._kinds.many(layout, chunk, words, run)
        networks = layout.networks(chunk, words, run)
        lengths = layout.lengths(chunk, run)
        if max(lengths) > BITS[4 if chunk[run.start + FAMILY_AT] == AF_INET else 6]:
            raise FormatError("routes", f"a prefix of {max(lengths)} bits")
        self._rows_of(max(numbers))  # now those of all are known
        [rows, *others] = set(map(self._rows.__getitem__, numbers))
        if rows is not None and not others:
            rows.extend(networks, lengths, numbers)
        else:
            for network, length, number in zip(networks, lengths, numbers, strict=True):
                self._add(network, length, number)
        self.count += len(run)

    def _add(self, network: int, length: int, number: int) -> None:
        rows = self._rows_of(number)
        if rows is None:
            self._cloned.append((network, number))
        else:
            rows.append(network, length, number)

    def _rows_of(self, number: int) -> GrowingColumns | None:
        while number >= len(self._rows):
            family, table, info = self._kinds.all[len(self._rows)]
            if not info.cached and (family, table) not in self._tables:
                self._tables[family, table] = GrowingColumns(family)
            self._rows.append(None if info.cached else self._tables[family, table])
        return self._rows[number]

    # ------------------------------------------------------------------------------------ results

    def tables(self) -> RouteTables:
        """All tables, sorted. Exceptions (RTM_F_CLONED) are no entries of a table (S-G8)."""
        infos = tuple(info for _, _, info in self._kinds.all)
        return {
            key: RouteTable(*key, infos=infos, columns=self._tables[key].finish())
            for key in sorted(self._tables)
        }

    def exceptions(self) -> Exceptions:
        """What the kernel keeps for single destinations (S-A63, S-B14)."""
        found = []
        for network, number in self._cloned:
            family, table, info = self._kinds.all[number]
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
