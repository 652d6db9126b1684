"""How does one rule, one table or one route look at a given width?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from wgtui.model.network import LinkIndex, NextHop, Route, RouteInfo, RouteType, Rule, RuleAction
from wgtui.model.prefix import Family
from wgtui.model.prefix_index import PrefixIndex
from wgtui.model.snapshot import Snapshot
from wgtui.report import words
from wgtui.tui.row_layout import (
    GAP,
    NEW_LINE,
    SHORT_WORD_ROOM,
    WORD_ROOM,
    Cells,
    Choice,
    add,
    beside,
    fit,
    say,
    text_of,
    width_of,
    wrap,
)
from wgtui.tui.rows import Span
from wgtui.tui.tree_rows import tree_cells

_FINAL: Final = frozenset(
    {RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.THROW}
)
"""Types that lead nowhere, though IPv6 names ``dev lo`` for them (S-B3)."""

NARROW: Final = 50
"""Below this many cells indentation is halved."""

LEAST_WORDS: Final = 16
"""Cells: fewer beside a rule's number, and the rule stands below it."""

_HARMLESS: Final = frozenset(
    {RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.MULTICAST}
)
"""Types that are said quietly; the others stop a packet."""


def below_rule(width: int) -> int:
    """How far a table stands in from its rule."""
    return 2 if width >= NARROW else 1


def rule_cells(rule: Rule, width: int) -> Cells:
    """``32764  not from all fwmark 0xca6c lookup 51820``, in fewer words where it is tight.

    What it asks and what it does is always there, in the next line if need be.
    """
    number = Span(f"{rule.priority:<5} " if width < NARROW else f"{rule.priority:<5}  ", "dim")
    style = "warn" if rule.unknown else ("" if rule.action is RuleAction.TABLE else "strong")
    full, short = (words.selector_text(rule.selector, short) for short in (False, True))
    action, brief = (words.action_text(rule, short) for short in (False, True))
    ways = [f"{full} {action}", f"{short} {action}", f"{short} {brief}"]
    if short == "from all":
        ways.append(brief)
    room = beside(width, WORD_ROOM) - len(number.text)
    for way in ways:
        if cell_len(way) <= room:
            return (number, Span(way, style))
    hang = len(number.text)
    if room < LEAST_WORDS:  # a pane so narrow that the number stands alone
        room, hang = max(1, width - 2), 2
    asked = wrap(short, room) if short != "from all" else []
    cells: list[Span] = [number]
    for line in [*asked, *wrap(brief, room)]:
        cells += [NEW_LINE, Span(" " * hang)] if len(cells) > 1 or hang == 2 else []
        cells.append(Span(line, style))
    return tuple(cells)


def route_cells(snapshot: Snapshot, tree: PrefixIndex, route: Route, width: int) -> Cells:
    """``├ 10.0.0.0/8  via 192.0.2.1 dev eth0``: prefix, type and link always, the rest as it fits.

    What must be there and has no room beside the prefix stands in the next line.
    """
    info, room = route.info, beside(width, SHORT_WORD_ROOM)
    hang = 2 * below_rule(width) + 2
    text = words.destination_text(route.destination)
    row = tree_cells(tree, route.row, text, 2 * below_rule(width), room)
    quiet = info.type in _HARMLESS
    row = add(room, row, (Span(_kind(info), "dim" if quiet else "warn"),), hang)
    source = f"from {words.host_text(info.source)}" if info.source else ""
    row = add(room, row, (Span(source, "warn"),), hang)
    details = words.route_details(info)
    twin = details[0] if details and len(tree.same(route.row)) > 1 else ""
    row = _with_hops(snapshot, route, row, room - len(twin) - (len(GAP) if twin else 0), hang)
    if twin:  # what tells it from its twin
        row, details = add(room, row, (Span(twin, "dim"),), hang), details[1:]
    unknown = (say(f"unknown {word}", "warn") for word in words.unknown_text(info))
    return fit(room, row, *unknown, _details(details))


def _with_hops(snapshot: Snapshot, route: Route, row: Cells, room: int, hang: int) -> Cells:
    """The longest way to say them that fits beside the prefix, or else in a line of its own."""
    ways = _hops(snapshot, route.info, route.destination.family)
    left = room - width_of(row) - len(GAP)
    for cells in ways:
        if width_of(cells) <= left:
            return add(room, row, cells, hang)
    for cells in ways:
        if width_of(cells) <= room - hang:
            return add(room, row, cells, hang)
    count = words.count_text(len(route.info.next_hops), "leg")
    return add(room, row, (Span(count),), hang) if ways else row


def _details(details: Sequence[str]) -> Choice:
    """The first ones, as many as fit: where a telling one has no room, no lesser one stands."""
    return [(Span(GAP.join(details[:count]), "dim"),) for count in range(len(details), 0, -1)]


def info_text(snapshot: Snapshot, info: RouteInfo, family: Family) -> str:
    """Everything that a route says beside its prefix: what the text filter searches."""
    hops = " ".join(text_of(_hop(snapshot, hop, family)) for hop in info.next_hops)
    source = f"from {words.host_text(info.source)}" if info.source else ""
    return " ".join((_kind(info), source, hops, *words.route_details(info)))


def _kind(info: RouteInfo) -> str:
    if info.nexthop_blackhole:
        return "blackhole"
    return "" if info.type is RouteType.UNICAST else info.type.value


def _hops(snapshot: Snapshot, info: RouteInfo, family: Family) -> Choice:
    hops = info.next_hops
    if not hops or info.type in _FINAL:
        return ()
    if len(hops) == 1:
        hop = hops[0]
        return (_hop(snapshot, hop, family), _joined(_device(snapshot, hop.link), *_flags(hop)))
    legs: list[Span] = []
    links: list[Span] = []
    for hop in hops:
        comma = [Span(", ")] if legs else []
        weight = [Span(f" weight {hop.weight}", "dim")] if hop.weight != 1 else []
        legs += [*comma, *_hop(snapshot, hop, family), *weight]
        links += [*comma, *_joined(_device(snapshot, hop.link), *_flags(hop))]
    return (tuple(legs), tuple(links))


def _hop(snapshot: Snapshot, hop: NextHop, family: Family) -> Cells:
    via = words.via_text(hop, family)
    return _joined(Span(via), _device(snapshot, hop.link), *_flags(hop))


def _device(snapshot: Snapshot, link: LinkIndex | None) -> Span:
    if link is None:
        return Span("")
    name = words.link_name(snapshot.link_name(link))
    return Span(f"dev {name}", "strong" if link in snapshot.devices else "")


def _flags(hop: NextHop) -> list[Span]:
    return [Span(word, "dim" if word == "onlink" else "warn") for word in words.next_hop_flags(hop)]


def _joined(*spans: Span) -> Cells:
    """The spans that say something, with a blank between them."""
    row: list[Span] = []
    for span in spans:
        if span.text:
            row += [Span(" "), span] if row else [span]
    return tuple(row)
