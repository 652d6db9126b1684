"""What do many route messages of one layout have in common? Columns, cut out of the bytes at once.

    nlmsghdr 16 │ rtmsg 12 │ RTA_TABLE 8 │ RTA_DST 4 + ADDRESS │ … │ RTA_CACHEINFO 4 + COUNTERS │ …

Messages of one length whose attribute headers stand at the same places differ only in *words*. Cut
with a stride, one word of all messages is a column, and whether it is the same everywhere is one
comparison. Of a router's routes little differs but the address: the link, or the gateway too.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from wgtui.sources.nlsocket import ATTRIBUTE, HEADER, attributes
from wgtui.sources.route_message import AF_INET, BODY, RTA_CACHEINFO, RTA_DST

FAMILY_AT: Final = HEADER.size
LENGTH_AT: Final = HEADER.size + 1
SHARED_AT: Final = HEADER.size + 2
"""From here on, what routes may have in common."""
ATTRIBUTES_AT: Final = HEADER.size + BODY.size
FEW: Final = 8
"""A run of fewer messages is not worth cutting."""

_DST4: Final = ATTRIBUTE.pack(8, RTA_DST)
_DST6: Final = ATTRIBUTE.pack(20, RTA_DST)
_CACHE: Final = ATTRIBUTE.pack(36, RTA_CACHEINFO)
_EXPIRES, _COUNTERS = 8, 32
"""In rta_cacheinfo: where the one field is that matters, and how many bytes there are."""
_WORD: Final = 4


class Layout:
    """Where the holes of a message are, counted from its beginning, and what is around them.

    It is learned from one message, and believed of another of the same length and family only if
    all attribute headers stand at the same places.
    """

    __slots__ = (
        "_attributes",
        "_first",
        "_free",
        "_varying",
        "address",
        "after",
        "counters",
        "header",
        "known",
        "numbers",
        "size",
    )

    def __init__(self, message: bytes) -> None:
        """Raises ``FormatError``."""
        self._first: Final = message
        self.size: Final = len(message)
        self.address = self.after = ATTRIBUTES_AT
        """Of the value of RTA_DST."""
        self.header = b""
        """What stands before the address; empty: there is none."""
        self.counters = 0
        """Of the value of RTA_CACHEINFO; 0: there is none."""
        header = _DST4 if message[FAMILY_AT] == AF_INET else _DST6
        heads = []
        for _, first, last in attributes(message, ATTRIBUTES_AT, len(message)):
            heads.append(first - ATTRIBUTE.size)
            intro = message[first - ATTRIBUTE.size : first]
            if intro == header:
                self.address, self.after, self.header, self.counters = first, last, header, 0
            elif intro == _CACHE:
                self.counters = first
        holes = {*range(self.address, self.after, _WORD), *self._ignored()}
        words = range(ATTRIBUTES_AT - 2 * _WORD, self.size - self.size % _WORD, _WORD)
        self._attributes: Final = tuple(heads)
        self._free = [word for word in words if word not in holes and word not in heads]
        """Words that may differ, and have not so far."""
        self._varying: list[int] = []
        """Words that do differ: what distinguishes one message from another."""
        self.numbers: dict[Hashable, int] = {}
        """What is in them → what their owner calls such messages."""
        self.known: dict[bytes, int] = {}
        """The same for messages one by one, by ``around``."""

    def _ignored(self) -> Iterable[int]:
        if not self.counters:
            return ()
        words = range(self.counters, self.counters + _COUNTERS, _WORD)
        return (word for word in words if word != self.counters + _EXPIRES)

    def same_holes(self, chunk: bytes, offset: int) -> bool:
        """Do the headers before the holes stand where they should?"""
        if self.header and not chunk.startswith(self.header, offset + self.address - 4):
            return False
        return not self.counters or chunk.startswith(_CACHE, offset + self.counters - 4)

    def around(self, chunk: bytes, offset: int) -> bytes:
        """What a message says beside its address and counters.

        When it has been seen before, so have all attribute headers: none can have been mistaken.
        """
        before = chunk[offset + SHARED_AT : offset + self.address]
        end = offset + self.size
        if not self.counters:
            return before + chunk[offset + self.after : end]
        cache = offset + self.counters
        expires = chunk[cache + _EXPIRES : cache + _EXPIRES + 4]
        return (
            before + chunk[offset + self.after : cache] + expires + chunk[cache + _COUNTERS : end]
        )

    @property
    def holes(self) -> tuple[int, int, int]:
        """Where they are."""
        return self.address if self.header else 0, self.after, self.counters

    @property
    def signature(self) -> Hashable:
        """Equal for messages that may be in one run."""
        heads = [(head, self._first[head : head + _WORD]) for head in self._attributes]
        return self.size, self._first[FAMILY_AT], self.holes, tuple(heads)

    # ----------------------------------------------------------------------- many messages at once

    def run(self, chunk: bytes, words: memoryview, offset: int) -> int:
        """How many messages from ``offset`` on are laid out like this one? 0: too few to matter."""
        size = self.size
        many = (len(chunk) - offset) // size
        if size % _WORD or many < FEW or not self.header:
            return 0
        heads = [(0, self._first[:4]), (4, chunk[offset + 4 : offset + 8])]
        heads += [(head, self._first[head : head + _WORD]) for head in self._attributes]
        for head, wanted in heads:
            found = _column(words, offset + head, size, many)
            if found != wanted * many:
                many = _alike(found, wanted)
                if many < FEW:
                    return 0
        for byte in (FAMILY_AT, SHARED_AT, SHARED_AT + 1):  # the fourth is the prefix length
            found = chunk[offset + byte : offset + many * size : size]
            if found.count(self._first[byte]) != many:
                return 0
        return many

    def keys(self, words: memoryview, offset: int, many: int) -> Iterator[Hashable]:
        """For ``numbers``: what distinguishes each of the messages of a run."""
        for word in list(self._free):
            wanted = self._first[word : word + _WORD]
            if _column(words, offset + word, self.size, many) != wanted * many:
                self._free.remove(word)
                self._varying.append(word)
                self.numbers.clear()
        columns = [
            array("I", _column(words, offset + word, self.size, many)) for word in self._varying
        ]
        if len(columns) == 1:
            return iter(columns[0])
        return zip(*columns, strict=True) if columns else iter([()] * many)

    def networks(self, chunk: bytes, words: memoryview, run: range) -> array[int] | list[int]:
        """The addresses of a run."""
        if self.after - self.address == _WORD:
            column = _column(words, run.start + self.address, self.size, len(run))
            found = array("I", column)
            if sys.byteorder == "little":
                found.byteswap()
            return found
        halves = struct.Struct(f">{self.address}xQQ{self.size - self.after}x")
        part = memoryview(chunk)[run.start : run.stop]
        return [high << 64 | low for high, low in halves.iter_unpack(part)]

    def lengths(self, chunk: bytes, run: range) -> bytes:
        """The prefix lengths of a run."""
        return chunk[run.start + LENGTH_AT : run.stop : self.size]


def _column(words: memoryview, start: int, size: int, many: int) -> bytes:
    """One word of each of many messages."""
    first, step = start // _WORD, size // _WORD
    return words[first : first + step * (many - 1) + 1 : step].tobytes()


def _alike(column: bytes, wanted: bytes) -> int:
    """How many words at the beginning of a column are the wanted one, if not all are?"""
    same, different = 0, len(column) // _WORD
    while different - same > 1:
        middle = (same + different) // 2
        if column[same * _WORD : middle * _WORD] == wanted * (middle - same):
            same = middle
        else:
            different = middle
    return same
