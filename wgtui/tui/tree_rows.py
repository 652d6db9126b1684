"""How is a tree of prefixes drawn, asked and filtered? Shared by routes and AllowedIPs."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from wgtui.model.prefix import BITS, Family, Prefix, parse_address_value
from wgtui.model.prefix_index import PrefixIndex
from wgtui.tui.row_layout import NEW_LINE, Cells, broken
from wgtui.tui.rows import Span


def followed(tree: PrefixIndex, row: int) -> bool:
    """Does another row with the same parent come after this one?"""
    networks, lengths, parents = tree.networks, tree.lengths, tree.parents
    after = row + 1
    if after < len(lengths) and networks[after] == networks[row] and lengths[after] == lengths[row]:
        return True
    after = tree.subtree(row).stop
    return after < len(lengths) and parents[after] == parents[row]


def guides(tree: PrefixIndex, row: int, room: int) -> str:
    """The lines from a row to its parent: ``│ └ ``; the outer ones give way where it is tight."""
    parents = tree.parents
    above = parents[row]
    if above < 0 or room < 2:
        return ""
    parts = ["├ " if followed(tree, row) else "└ "]
    while parents[above] >= 0:
        if 2 * len(parts) + 2 > room:
            parts[-1] = "⋯ "
            break
        parts.append("│ " if followed(tree, above) else "  ")
        above = parents[above]
    return "".join(reversed(parts))


_WELL_KNOWN: Final = {
    4: tuple(parse_address_value(text, 4) for text in ("8.8.8.8", "1.1.1.1", "9.9.9.9")),
    6: tuple(parse_address_value(text, 6) for text in ("2001:4860:4860::8888", "2620:fe::fe")),
}
"""What people type to ask about the internet: the first try for a default route."""

_INTERNET: Final = {4: parse_address_value("1.0.0.1", 4), 6: parse_address_value("2000::1", 6)}
"""Where to look next."""

_TRIES: Final = 64
"""More specific prefixes to step over before giving up."""


def answered_by(tree: PrefixIndex, row: int, own: Container[tuple[Family, int]] = ()) -> int:
    """An address that this row's prefix answers, not one of the more specific ones inside it, and
    none of this host's ``own``.

    Bounded: where the first 64 of those leave no room, it is the first address all the same (and
    the answer will say whose it is).
    """
    prefix = tree.prefix(row)
    first, last = tree.first_of(row), prefix.last
    start = prefix.network + (1 if prefix.length < BITS[prefix.family] - 1 else 0)
    if prefix.length <= 1:
        for known in _WELL_KNOWN[prefix.family]:
            if prefix.covers(known) and tree.match(known) == first:
                return known
        start = _INTERNET[prefix.family] if prefix.covers(_INTERNET[prefix.family]) else start
    address = start
    for _ in range(_TRIES):
        found = tree.match(address)
        if found == first:
            if (tree.family, address) not in own or address == last:
                return address
            address += 1
            continue
        while tree.parents[found] != first:
            found = tree.parents[found]
        address = tree.prefix(found).last + 1
        if address > last:
            break
    return start


def tree_cells(tree: PrefixIndex, row: int, text: str, indent: int, width: int) -> Cells:
    """Guides and prefix; where it is tight the guides give way, then the indentation.

    A prefix that is wider than all there is goes on in the next line.
    """
    room = width - len(text)
    if room < 0:
        lines = guides(tree, row, max(2, width // 4))
        margin = " " * min(indent, 2) + lines
        rest = " " * (len(margin) + 1)
        first, *more = broken(text, width - len(margin), width - len(rest))
        cells = [Span(margin, "tree"), Span(first)]
        for line in more:
            cells += [NEW_LINE, Span(rest), Span(line)]
        return tuple(cells)
    indent = max(0, min(indent, room))
    lines = guides(tree, row, min(room - indent, max(2, width // 2 - indent)))
    return (Span(" " * indent + lines, "tree"), Span(text))


def prefix_text(tree: PrefixIndex, row: int) -> str:
    """``10.0.0.0/8``, quickly: a text filter writes out a hundred thousand."""
    if tree.family == 6:
        return str(tree.prefix(row))
    value = tree.networks[row]
    dots = f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return f"{dots}/{tree.lengths[row]}"


def around(tree: PrefixIndex, prefix: Prefix) -> Iterator[int]:
    """Rows of a tree that cover the prefix, then those inside it."""
    wider = [row for row in tree.covering(prefix.network) if tree.lengths[row] < prefix.length]
    for row in reversed(wider):
        yield from tree.same(row)
    yield from tree.inside(prefix)
