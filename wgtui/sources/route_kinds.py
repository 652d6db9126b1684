"""What may a route message say beside its destination? Each distinct thing is decoded once.

From then on it is a *kind*, known by its number: table and RouteInfo. A router with a million
routes has some hundred kinds, and a message that repeats one costs a look into a dict.
"""

from __future__ import annotations

from collections.abc import Mapping

from wgtui.errors import FormatError
from wgtui.model.network import NextHopObject, RouteInfo, TableId
from wgtui.model.prefix import BITS, Family
from wgtui.sources.route_message import AF_INET, decode
from wgtui.sources.route_runs import FAMILY_AT, LENGTH_AT, Layout


class RouteKinds:
    """All kinds met so far."""

    def __init__(self, objects: Mapping[int, NextHopObject] | None = None) -> None:
        """``objects`` are the next-hop objects that routes may use."""
        self.all: list[tuple[Family, TableId, RouteInfo]] = []
        """By number."""
        self._objects = objects or {}
        self._numbers: dict[tuple[Family, TableId, RouteInfo], int] = {}
        self._layouts: dict[int, Layout] = {}
        """The last one seen of each length, family, and with or without a prefix length."""
        self._seen: dict[object, Layout] = {}

    def layout(self, chunk: bytes, offset: int, length: int) -> Layout:
        """How the message there is laid out, as far as its holes are concerned."""
        shape = length << 9 | chunk[offset + FAMILY_AT] << 1 | (chunk[offset + LENGTH_AT] > 0)
        layout = self._layouts.get(shape)
        if layout is None or not layout.same_holes(chunk, offset):
            layout = self._layouts[shape] = self._known(chunk[offset : offset + length])
        return layout

    def _known(self, message: bytes) -> Layout:
        fresh = Layout(message)
        return self._seen.setdefault(fresh.signature, fresh)

    def one(self, chunk: bytes, offset: int, length: int) -> tuple[int, int, int]:
        """Network, length and kind of the message there. Raises ``FormatError``."""
        layout = self.layout(chunk, offset, length)
        around = layout.around(chunk, offset)
        number = layout.known.get(around)
        if number is None:
            message = chunk[offset : offset + length]
            fresh = self._known(message)
            if fresh.holes != layout.holes:
                layout, around = fresh, fresh.around(chunk, offset)
            number = layout.known[around] = self.learn(message)
        bits = BITS[4 if chunk[offset + FAMILY_AT] == AF_INET else 6]
        prefix_length = chunk[offset + LENGTH_AT]
        if prefix_length > bits:
            raise FormatError("routes", f"a prefix of {prefix_length} bits")
        address = chunk[offset + layout.address : offset + layout.after]
        return int.from_bytes(address, "big"), prefix_length, number

    def many(self, layout: Layout, chunk: bytes, words: memoryview, run: range) -> list[int]:
        """The kinds of the messages of a run, which begin at these offsets."""
        keys = list(layout.keys(words, run.start, len(run)))
        known = layout.numbers
        try:
            return list(map(known.__getitem__, keys))
        except KeyError:
            for start, key in zip(run, keys, strict=True):
                if key not in known:
                    known[key] = self.learn(chunk[start : start + layout.size])
            return list(map(known.__getitem__, keys))

    def learn(self, message: bytes) -> int:
        """The kind of a message, by decoding it. Raises ``FormatError``."""
        route = decode(message, 0, len(message), self._objects)
        kind = route.destination.family, route.table, route.info
        number = self._numbers.setdefault(kind, len(self.all))
        if number == len(self.all):
            self.all.append(kind)
        return number
