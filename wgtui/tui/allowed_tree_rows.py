"""What does the AllowedIPs pane show, per device? Its one tree of prefixes, each with its owner.

wg0  2 peers
  10.0.0.0/8  → ams2
  └ 10.20.0.0/16  → fra1
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from wgtui.model.network import LinkIndex
from wgtui.model.prefix import FAMILIES, Prefix, address_text
from wgtui.model.prefix_index import NONE, PrefixIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report import words
from wgtui.tui.allowed_devices import DeviceEntry, device_entries
from wgtui.tui.allowed_lit import lit_owners
from wgtui.tui.filtering import looks_like_prefix
from wgtui.tui.row_layout import MANY_CELLS, WORD_ROOM, Cells, beside, clip, fit, text_of, width_of
from wgtui.tui.rows import Lit, Span
from wgtui.tui.tree_rows import answered_by, around, prefix_text, tree_cells


class _Section(NamedTuple):
    entry: DeviceEntry
    tree: PrefixIndex | None
    """None: the header and its notes."""


class DeviceTreeRows:
    """Per device the single tree in which the longest prefix owns an address (S-E1)."""

    title = "AllowedIPs"

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._sections: list[_Section] = []
        self._starts = array("q")
        end = 0
        for entry in device_entries(snapshot):
            parts = [_Section(entry, None)]
            if entry.device is not None:
                parts += [_Section(entry, entry.device.owners.tree(f)) for f in FAMILIES]
            for part in parts:
                height = 1 + len(entry.notes) if part.tree is None else len(part.tree)
                if height:
                    self._sections.append(part)
                    self._starts.append(end)
                    end += height
        self._length = end

    def __len__(self) -> int:
        return self._length

    def _at(self, row: int) -> tuple[DeviceEntry, PrefixIndex | None, int]:
        place = bisect_right(self._starts, row) - 1
        return (*self._sections[place], row - self._starts[place])

    # --------------------------------------------------------------------------- where things are

    def device_row(self, link: LinkIndex) -> int | None:
        """The row of a device's header."""
        for start, (entry, tree) in zip(self._starts, self._sections, strict=True):
            if entry.link == link and tree is None:
                return start
        return None

    def peer_row(self, link: LinkIndex, peer: int) -> int | None:
        """Peers have no rows of their own here."""
        return None

    def prefix_row(self, link: LinkIndex, peer: int, prefix: Prefix) -> int | None:
        """The row of a prefix, whoever has it."""
        for start, (entry, tree) in zip(self._starts, self._sections, strict=True):
            if entry.link == link and tree is not None and tree.family == prefix.family:
                found = tree.find(prefix)
                return None if found == NONE else start + found
        return None

    # ------------------------------------------------------------------------------------ drawing

    def spans(self, row: int, width: int) -> Cells:
        """One row, at most ``width`` cells."""
        entry, tree, offset = self._at(row)
        if tree is None:
            return entry.spans(offset, width)
        width = beside(width, WORD_ROOM)
        cells = tree_cells(tree, offset, str(tree.prefix(offset)), 2, width)
        owner = self._owner(entry, tree, offset)
        room = width - width_of(cells) - 4
        if room < 3:
            return cells
        return fit(width, cells, ((Span("→ ", "dim"), Span(clip(owner, room), "strong")),))

    def _owner(self, entry: DeviceEntry, tree: PrefixIndex, offset: int) -> str:
        peers = entry.device.peers if entry.device else ()
        return words.peer_name(peers[tree.values[offset]])

    # ------------------------------------------------------------------------- asking and copying

    def question(self, row: int) -> str | None:
        """An address that this prefix decides, not a more specific one inside it."""
        _, tree, offset = self._at(row)
        return None if tree is None else address_text(tree.family, answered_by(tree, offset))

    def copy_text(self, row: int) -> str:
        """The prefix, or the device's public key."""
        entry, tree, offset = self._at(row)
        return entry.copy_text(offset) if tree is None else str(tree.prefix(offset))

    def lit(self, trace: Trace) -> Lit:
        """The prefix that owns the address, those that lost, and where it failed."""
        return lit_owners(self, self.snapshot, trace)

    # ---------------------------------------------------------------------------------- filtering

    def unfolded(self) -> DeviceTreeRows:
        """Nothing is folded here."""
        return self

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Rows of prefixes that cover this one or lie in it."""
        for start, (_, tree) in zip(self._starts, self._sections, strict=True):
            if tree is not None and tree.family == prefix.family:
                for row in around(tree, prefix):
                    yield start + row

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Rows whose text contains the needle (in lower case), among the first ``limit`` rows."""
        in_prefix = looks_like_prefix(needle)
        for start, (entry, tree) in zip(self._starts, self._sections, strict=True):
            if tree is None or entry.device is None:
                if start < limit and needle in text_of(self.spans(start, MANY_CELLS)).lower():
                    yield start
                continue
            named = [needle in words.peer_name(peer).lower() for peer in entry.device.peers]
            for row in range(min(len(tree), max(0, limit - start))):
                if named[tree.values[row]] or (in_prefix and needle in prefix_text(tree, row)):
                    yield start + row

    def context(self, row: int) -> Iterator[int]:
        """The device's header and the prefixes that cover this one."""
        entry, tree, offset = self._at(row)
        header = self.device_row(entry.link) if entry.link is not None else None
        if header is not None:
            yield header
        above = tree.parents[offset] if tree is not None else NONE
        while tree is not None and above >= 0:
            yield row - offset + above
            above = tree.parents[above]
