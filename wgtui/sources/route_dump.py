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
from wgtui.model.network import CachedRoute, NextHopObject, RouteInfo, TableId
from wgtui.model.prefix import BITS, Family
from wgtui.model.prefix_columns import GrowingColumns
from wgtui.model.routes import RouteTable, RouteTables, cached_route
from wgtui.sources.nlsocket import DUMP_INTR, HEADER, finished
from wgtui.sources.route_message import AF_INET, AF_INET6, BODY, RTM_NEWROUTE, decode
from wgtui.sources.route_runs import ATTRIBUTES_AT, FAMILY_AT, FEW, LENGTH_AT, Layout

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
        self._objects = objects or {}
        self._tables: dict[tuple[Family, TableId], GrowingColumns] = {}
        self._layouts: dict[int, Layout] = {}
        """The last one seen of each length, family, and with or without a prefix length."""
        self._seen: dict[object, Layout] = {}
        self._numbers: dict[tuple[Family, TableId, RouteInfo], int] = {}
        """What a message may say beside its destination; the number is its place among the infos,
        and tells the table, too."""
        self._rows: list[GrowingColumns | None] = []
        """By that number: the rows of the table; None for exceptions."""
        self._cloned: list[tuple[int, int]] = []
        """Address and number of the exceptions."""

    def feed(self, chunk: bytes) -> bool:
        """Whole messages, one after the other; True once the end of the dump was among them.

        Raises ``FormatError`` and ``NetlinkError``.
        """
        offset, size = 0, len(chunk)
        layouts, start_of = self._layouts, _START.unpack_from
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

            shape = length << 9 | chunk[offset + FAMILY_AT] << 1 | (chunk[offset + LENGTH_AT] > 0)
            layout = layouts.get(shape)
            if layout is None or not layout.same_holes(chunk, offset):
                layout = layouts[shape] = self._layout(chunk[offset:end])
            # A glance at a later length tells whether a longer look may be worth it.
            far = offset + (FEW - 1) * length
            if words is not None and chunk.startswith(chunk[offset : offset + 4], far):
                many = layout.run(chunk, words, offset)
                if many:
                    self._take(layout, chunk, words, offset, many)
                    offset += many * length
                    continue
            self._take_one(layout, shape, chunk, offset)
            offset = (end + 3) & ~3
        return False

    def _layout(self, message: bytes) -> Layout:
        fresh = Layout(message)
        return self._seen.setdefault(fresh.signature, fresh)

    # ------------------------------------------------------------------------------ one and many

    def _take_one(self, layout: Layout, shape: int, chunk: bytes, offset: int) -> None:
        around = layout.around(chunk, offset)
        number = layout.known.get(around)
        if number is None:
            message = chunk[offset : offset + layout.size]
            fresh = Layout(message)
            if fresh.holes != layout.holes:
                layout = self._layouts[shape] = self._seen.setdefault(fresh.signature, fresh)
                around = layout.around(chunk, offset)
            number = layout.known[around] = self._learn(message)
        bits, length = _bits(chunk, offset), chunk[offset + LENGTH_AT]
        if length > bits:
            raise FormatError("routes", f"a prefix of {length} bits")
        address = chunk[offset + layout.address : offset + layout.after]
        self._add(int.from_bytes(address, "big"), length, number)
        self.count += 1

    def _take(
        self, layout: Layout, chunk: bytes, words: memoryview, offset: int, many: int
    ) -> None:
        keys = list(layout.keys(words, offset, many))
        known = layout.numbers
        if not known.keys() >= set(keys):
            for place, key in enumerate(keys):
                if key not in known:
                    start = offset + place * layout.size
                    known[key] = self._learn(chunk[start : start + layout.size])
        numbers = list(map(known.__getitem__, keys))
        lengths = layout.lengths(chunk, offset, many)
        if max(lengths) > _bits(chunk, offset):
            raise FormatError("routes", f"a prefix of {max(lengths)} bits")
        networks = layout.networks(chunk, words, offset, many)
        into = {self._rows[number] for number in set(numbers)}
        [rows, *others] = into
        if rows is not None and not others:
            rows.extend(networks, lengths, numbers)
        else:
            for network, length, number in zip(networks, lengths, numbers, strict=True):
                self._add(network, length, number)
        self.count += many

    def _add(self, network: int, length: int, number: int) -> None:
        rows = self._rows[number]
        if rows is None:
            self._cloned.append((network, number))
        else:
            rows.append(network, length, number)

    def _learn(self, message: bytes) -> int:
        """The number of what a message says beside its destination."""
        route = decode(message, 0, len(message), self._objects)
        key = route.destination.family, route.table, route.info
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers)
            rows = None if route.info.cached else self._table(*key[:2])
            self._rows.append(rows)
        return number

    def _table(self, family: Family, table: TableId) -> GrowingColumns:
        found = self._tables.get((family, table))
        if found is None:
            found = self._tables[family, table] = GrowingColumns(family)
        return found

    # ------------------------------------------------------------------------------------ results

    def tables(self) -> RouteTables:
        """All tables, sorted. Exceptions (RTM_F_CLONED) are no entries of a table (S-G8)."""
        infos = tuple(info for _, _, info in self._numbers)
        return {
            key: RouteTable(*key, infos=infos, columns=self._tables[key].finish())
            for key in sorted(self._tables)
        }

    def exceptions(self) -> Exceptions:
        """What the kernel keeps for single destinations (S-A63, S-B14)."""
        known = list(self._numbers)
        found = []
        for network, number in self._cloned:
            family, table, info = known[number]
            kept = cached_route(table, IPAddress(network, family), info)
            found += [kept] if kept is not None else []
        return tuple(found)


def _bits(chunk: bytes, offset: int) -> int:
    return BITS[4 if chunk[offset + FAMILY_AT] == AF_INET else 6]


def parse_routes(
    chunks: Iterable[bytes], objects: Mapping[int, NextHopObject] | None = None
) -> tuple[RouteTables, Exceptions]:
    """Tables and exceptions from all chunks of a dump. Raises ``FormatError``."""
    dump = RouteDump(objects)
    for chunk in chunks:
        if dump.feed(chunk):
            break
    return dump.tables(), dump.exceptions()
