"""How does one rule, one table or one route look at a given width?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wgtui.model.network import LinkIndex, NextHop, Route, RouteInfo, RouteType, Rule, RuleAction
from wgtui.model.prefix import Family
from wgtui.model.prefix_index import PrefixIndex
from wgtui.model.snapshot import Snapshot
from wgtui.report import words
from wgtui.tui.row_layout import (
    GAP,
    Cells,
    Choice,
    clip_words,
    fit,
    say,
    text_of,
    width_of,
)
from wgtui.tui.rows import Span
from wgtui.tui.tree_rows import tree_cells

_FINAL: Final = frozenset(
    {RouteType.BLACKHOLE, RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.THROW}
)
"""Types that lead nowhere, though IPv6 names ``dev lo`` for them (S-B3)."""

NARROW: Final = 50
"""Below this many cells indentation is halved."""

_HARMLESS: Final = frozenset(
    {RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.MULTICAST}
)
"""Types that are said quietly; the others stop a packet."""


def below_rule(width: int) -> int:
    """How far a table stands in from its rule."""
    return 2 if width >= NARROW else 1


def rule_cells(rule: Rule, width: int) -> Cells:
    """``32764  not from all fwmark 0xca6c lookup 51820``, in fewer words where it is tight."""
    number = Span(f"{rule.priority:<5} " if width < NARROW else f"{rule.priority:<5}  ", "dim")
    style = "warn" if rule.unknown else ("" if rule.action is RuleAction.TABLE else "strong")
    full, short = (words.selector_text(rule.selector, short) for short in (False, True))
    action, brief = (words.action_text(rule, short) for short in (False, True))
    ways = [f"{full} {action}", f"{short} {action}", f"{short} {brief}"]
    if short == "from all":
        ways.append(brief)
    elif rule.action is RuleAction.TABLE and brief == words.action_text(rule).strip():
        ways.append(short)
    room = width - len(number.text)
    for way in ways:
        if width_of((Span(way),)) <= room:
            return (number, Span(way, style))
    return (number, Span(clip_words(ways[-1], room), style)) if room > 0 else ()


def route_cells(snapshot: Snapshot, tree: PrefixIndex, route: Route, width: int) -> Cells:
    """``├ 10.0.0.0/8  via 192.0.2.1 dev eth0``: the prefix always, the rest as it fits."""
    info = route.info
    text = words.destination_text(route.destination)
    known = fit(
        width,
        tree_cells(tree, route.row, text, 2 * below_rule(width), width),
        say(_kind(info), "dim" if info.type in _HARMLESS else "warn"),
        say(f"from {words.host_text(info.source)}" if info.source else "", "warn"),
    )
    details = words.route_details(info)
    row = fit(
        width,
        known,
        _hops(snapshot, info, route.destination.family),
        *(say(f"unknown {word}", "warn") for word in words.unknown_text(info)),
        _details(details),
    )
    if details and details[0] not in text_of(row) and len(tree.same(route.row)) > 1:
        return fit(width, known, say(details[0], "dim"))  # what tells it from its twin
    return row


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
        device = _device(snapshot, hop.link)
        flags = _flags(hop)
        return (_hop(snapshot, hop, family), _joined(device, *flags), _joined(*flags))
    legs: list[Span] = []
    links: list[Span] = []
    for hop in hops:
        comma = [Span(", ")] if legs else []
        weight = [Span(f" weight {hop.weight}", "dim")] if hop.weight != 1 else []
        legs += [*comma, *_hop(snapshot, hop, family), *weight]
        links += [*comma, *_joined(_device(snapshot, hop.link), *_flags(hop))]
    count = words.count_text(len(hops), "leg")
    return (tuple(legs), tuple(links), (Span(count),))


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
