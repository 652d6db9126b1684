"""What does the AllowedIPs pane show, per peer? Every peer and, as a tree, what it owns.

    wg0  2 peers
    fra1  198.51.100.4:51820  handshake 1m12s ago
      10.20.0.0/16
      └ 10.20.3.0/24
      10.0.0.0/8  meant for it, owned by ams2
    ams2  no endpoint  no handshake yet
      10.0.0.0/8

Which peer a row belongs to is one bisection in an array of where each peer begins; a peer's tree is
built when it is looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from wgtui.model.network import LinkIndex
from wgtui.model.prefix import FAMILIES, Family, Prefix, address_text
from wgtui.model.prefix_index import NONE, PrefixIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.model.wireguard import FRESH, Device, Peer
from wgtui.report import words
from wgtui.tui.allowed_devices import DeviceEntry, Lost, device_entries, lost_prefixes
from wgtui.tui.allowed_lit import lit_owners
from wgtui.tui.allowed_tree_rows import DeviceTreeRows
from wgtui.tui.filtering import looks_like_prefix
from wgtui.tui.row_layout import (
    MANY_CELLS,
    SHORT_WORD_ROOM,
    Cells,
    beside,
    clip,
    fit,
    say,
    text_of,
)
from wgtui.tui.rows import Lit, Span
from wgtui.tui.tree_rows import answered_by, around, tree_cells

__all__ = ["DeviceTreeRows", "PeersRows"]

MOST_TREES: Final = 512
"""Peers whose trees are kept; a screen shows a few dozen."""

HEADER: Final = -1
"""Instead of a peer: the device's header and notes."""


class _Place(NamedTuple):
    """Where a row is."""

    entry: DeviceEntry
    peer: int
    """Its place in ``device.peers``, or ``HEADER``."""
    offset: int
    """0 is the peer (or the device) itself."""


class PeersRows:
    """Devices, their peers, and each peer's AllowedIPs."""

    title = "AllowedIPs"

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._entries = tuple(device_entries(snapshot))
        self._lost: list[Lost] = []
        self._starts, self._peers = array("q"), array("l")
        self._first_block: list[int] = []
        """Per device: the number of its first block, the header."""
        end = 0
        for entry in self._entries:
            self._first_block.append(len(self._starts))
            self._starts.append(end)
            self._peers.append(HEADER)
            end += 1 + len(entry.notes)
            device = entry.device
            lost = lost_prefixes(snapshot, device) if device else {}
            self._lost.append(lost)
            for number, peer in enumerate(device.peers if device else ()):
                self._starts.append(end)
                self._peers.append(number)
                end += 1 + (len(peer.allowed_ips) or 1) + len(lost.get(number, ()))
        self._length = end
        self._of_link = {entry.link: n for n, entry in enumerate(self._entries)}
        self._trees: dict[tuple[LinkIndex | None, int], tuple[PrefixIndex, PrefixIndex]] = {}

    def __len__(self) -> int:
        return self._length

    # --------------------------------------------------------------------------- where things are

    def _at(self, row: int) -> _Place:
        block = bisect_right(self._starts, row) - 1
        entry = self._entries[bisect_right(self._first_block, block) - 1]
        return _Place(entry, self._peers[block], row - self._starts[block])

    def device_row(self, link: LinkIndex) -> int | None:
        """The row of a device's header."""
        number = self._of_link.get(link)
        return None if number is None else self._starts[self._first_block[number]]

    def peer_row(self, link: LinkIndex, peer: int) -> int | None:
        """The row of a peer, by its place in ``device.peers``."""
        number = self._of_link.get(link)
        return None if number is None else self._starts[self._first_block[number] + 1 + peer]

    def prefix_row(self, link: LinkIndex, peer: int, prefix: Prefix) -> int | None:
        """The row of one AllowedIPs entry of a peer."""
        device, start = self.snapshot.devices.get(link), self.peer_row(link, peer)
        if device is None or start is None:
            return None
        four, six = self._tree(device, peer)
        found = (four if prefix.family == 4 else six).find(prefix)
        if found == NONE:
            return None
        return start + 1 + found + (len(four) if prefix.family == 6 else 0)

    def _tree(self, device: Device, peer: int) -> tuple[PrefixIndex, PrefixIndex]:
        """The peer's own trees, IPv4 and IPv6."""
        trees = self._trees.get((device.link, peer))
        if trees is None:
            if len(self._trees) >= MOST_TREES:
                self._trees.clear()
            prefixes = device.peers[peer].allowed_ips
            four, six = (_own_tree(prefixes, family) for family in FAMILIES)
            trees = self._trees[device.link, peer] = (four, six)
        return trees

    def _entry_at(self, device: Device, place: _Place) -> tuple[PrefixIndex, int] | None:
        """The tree and its row of an AllowedIPs entry; None: the row is another one."""
        number = place.offset - 1
        for tree in self._tree(device, place.peer):
            if 0 <= number < len(tree):
                return tree, number
            number -= len(tree)
        return None

    def _lost_at(self, device: Device, place: _Place) -> tuple[Prefix, str] | None:
        """The entry that the peer was meant to have, and whose it is; None: another row."""
        lost = self._lost[self._of_link[place.entry.link]].get(place.peer, ())
        number = place.offset - 1 - (len(device.peers[place.peer].allowed_ips) or 1)
        return lost[number] if 0 <= number < len(lost) else None

    # ------------------------------------------------------------------------------------ drawing

    def spans(self, row: int, width: int) -> Cells:
        """One row, at most ``width`` cells."""
        place = self._at(row)
        device = place.entry.device
        if place.peer == HEADER or device is None:
            return place.entry.spans(place.offset, width)
        if place.offset == 0:
            return self._peer(device.peers[place.peer], width)
        found = self._entry_at(device, place)
        if found is not None:
            tree, number = found
            return tree_cells(
                tree, number, str(tree.prefix(number)), 2, beside(width, SHORT_WORD_ROOM)
            )
        lost = self._lost_at(device, place)
        if lost is None:
            return (Span(clip(f"  {words.NO_ALLOWED_IPS}", width), "dim"),)
        prefix, owner = lost
        alone = PrefixIndex(prefix.family, [(*prefix[1:], 0)])
        ways = tuple((Span(text, "warn"),) for text in words.lost_texts(owner))
        return fit(width, tree_cells(alone, 0, str(prefix), 2, width), ways)

    def _peer(self, peer: Peer, width: int) -> Cells:
        seconds = words.handshake_age(peer, self.snapshot.taken_at)
        fresh = seconds is not None and seconds <= FRESH
        traffic = f"rx {words.bytes_text(peer.received)}  tx {words.bytes_text(peer.sent)}"
        handshake = tuple(
            (Span(words.handshake_text(seconds, short), "good" if fresh else "warn"),)
            for short in (False, True)
        )
        name, room = clip(words.peer_name(peer), width), beside(width, SHORT_WORD_ROOM)
        row = fit(
            room,
            (Span(name, "strong"),),
            say(words.endpoint_text(peer.endpoint), "" if peer.endpoint else "warn"),
            tuple(handshake),
        )
        if handshake[0][0] not in row and handshake[1][0] not in row:
            return fit(width, row, handshake)  # where it is tight the mark's word replaces it
        return fit(
            room,
            row,
            say(traffic if peer.received or peer.sent else "", "dim"),
            say(words.short_key(peer.public_key) if peer.label else "", "dim"),
        )

    # ------------------------------------------------------------------------- asking and copying

    def question(self, row: int) -> str | None:
        """Of an entry an address that it decides; of a peer one of its first entry."""
        place = self._at(row)
        device = place.entry.device
        if place.peer == HEADER or device is None:
            return None
        prefix = self._prefix_at(device, place)
        if prefix is None:
            prefix = next(iter(device.peers[place.peer].allowed_ips), None)
        if prefix is None:
            return None
        tree = device.owners.tree(prefix.family)
        found = tree.find(prefix)
        address = answered_by(tree, found) if found != NONE else prefix.network
        return address_text(prefix.family, address)

    def _prefix_at(self, device: Device, place: _Place) -> Prefix | None:
        if place.offset == 0:
            return None
        found = self._entry_at(device, place)
        if found is not None:
            return found[0].prefix(found[1])
        lost = self._lost_at(device, place)
        return lost[0] if lost else None

    def copy_text(self, row: int) -> str:
        """A peer's public key, an entry's prefix, a device's public key."""
        place = self._at(row)
        device = place.entry.device
        if place.peer == HEADER or device is None:
            return place.entry.copy_text(place.offset)
        prefix = self._prefix_at(device, place)
        if prefix is not None:
            return str(prefix)
        return words.key_text(device.peers[place.peer].public_key)

    def lit(self, trace: Trace) -> Lit:
        """The owner and the entry it owns the address by, those that lost, and where it failed."""
        return lit_owners(self, self.snapshot, trace)

    # ---------------------------------------------------------------------------------- filtering

    def unfolded(self) -> PeersRows:
        """Nothing is folded here."""
        return self

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Rows of entries that cover the prefix or lie in it, and of peers that are met there."""
        for entry, lost in zip(self._entries, self._lost, strict=True):
            device = entry.device
            if device is None:
                continue
            tree = device.owners.tree(prefix.family)
            for number in around(tree, prefix):
                row = self.prefix_row(device.link, tree.values[number], tree.prefix(number))
                if row is not None:
                    yield row
            for number, peer in enumerate(device.peers):
                start = self._starts[self._first_block[self._of_link[entry.link]] + 1 + number]
                met = peer.endpoint.address if peer.endpoint else None
                if met and met.version == prefix.family and prefix.covers(int(met)):
                    yield start
                first = start + 1 + (len(peer.allowed_ips) or 1)
                for place, (meant, _) in enumerate(lost.get(number, ())):
                    if meant.contains(prefix) or prefix.contains(meant):
                        yield first + place

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Rows whose text contains the needle (in lower case), among the first ``limit`` rows."""
        in_prefix = looks_like_prefix(needle)
        for block, start in enumerate(self._starts):
            if start >= limit:
                return
            place = self._at(start)
            device = place.entry.device
            if place.peer == HEADER or device is None:
                if needle in text_of(self.spans(start, MANY_CELLS)).lower():
                    yield start
                continue
            peer = device.peers[place.peer]
            age = words.handshake_age(peer, self.snapshot.taken_at)
            said = (words.peer_name(peer), words.endpoint_text(peer.endpoint), peer.public_key)
            if needle in " ".join((*said, words.handshake_text(age))).lower():
                yield start
            if not in_prefix:
                continue
            prefixes = peer.allowed_ips
            if any(needle in str(prefix) for prefix in prefixes):
                end = self._starts[block + 1] if block + 1 < len(self._starts) else self._length
                for row in range(start + 1, min(end, limit)):
                    if needle in self.copy_text(row):
                        yield row

    def context(self, row: int) -> Iterator[int]:
        """Device and peer; of a peer everything it owns; of an entry what covers it."""
        place = self._at(row)
        device = place.entry.device
        number = self._of_link[place.entry.link]
        yield self._starts[self._first_block[number]]
        if place.peer == HEADER or device is None:
            return
        start = row - place.offset
        yield start
        found = self._entry_at(device, place) if place.offset else None
        if place.offset == 0:
            four, six = self._tree(device, place.peer)
            own = len(four) + len(six) or 1
            yield from islice(range(start + 1, self._length), own + self._lost_count(place))
        elif found is not None:
            tree, at = found
            above = tree.parents[at]
            while above >= 0:
                yield row - at + above
                above = tree.parents[above]

    def _lost_count(self, place: _Place) -> int:
        return len(self._lost[self._of_link[place.entry.link]].get(place.peer, ()))


def _own_tree(prefixes: tuple[Prefix, ...], family: Family) -> PrefixIndex:
    return PrefixIndex(family, ((p.network, p.length, 0) for p in prefixes if p.family == family))
