"""Which addresses change their answer between two snapshots of a host?

Both are cut at every prefix that matters in either (``regions``), and one address of each piece is
asked in both: exact, like a territory. Only what a change can reach is looked at: the prefixes it
touched, and, because an encrypted packet is a packet too, everything owned by peers whose endpoint
lies in there, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wgtui.engine.answer import Answer
from wgtui.engine.regions import cut
from wgtui.engine.territory import LIMIT, ask, edges, packet_to
from wgtui.engine.what_if.applied import Touched
from wgtui.engine.what_if.witness import is_plain, witness
from wgtui.model.address_set import AddressSet, Span
from wgtui.model.flow import Flow
from wgtui.model.network import Rule
from wgtui.model.prefix import FAMILIES, Family, Prefix, family_of
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Peer

MOST_KINDS = 6
"""So many kinds of packets are asked about."""


@dataclass(frozen=True, slots=True)
class Change:
    """Addresses whose answer becomes another one."""

    addresses: AddressSet
    before: Answer
    after: Answer


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes for one kind of packet."""

    flow: Flow
    """What the packets have in common; its destination is any."""
    rule: Rule | None
    """The rule whose packets these are; None: packets made here, with nothing but a destination."""
    changes: tuple[Change, ...]
    """The largest first."""
    whole: bool
    """Was all of it looked at?"""


def differences(
    before: Snapshot, after: Snapshot, touched: Touched, limit: int = LIMIT
) -> tuple[Difference, ...]:
    """Every kind of packet of both families, those without a change left out if not needed."""
    found = []
    for family in FAMILIES:
        reach = reached(before, after, touched, family)
        for flow, rule in _kinds(before, after, touched, family):
            scope = reach
            if flow.iif is not None and flow.source is not None and int(flow.source) in reach:
                scope = AddressSet.everything(family)  # its way back is looked at (rp_filter)
            found.append(difference(before, after, flow, scope, rule, limit))
    return tuple(found)


def difference(
    before: Snapshot,
    after: Snapshot,
    flow: Flow,
    scope: AddressSet,
    rule: Rule | None = None,
    limit: int = LIMIT,
) -> Difference:
    """What changes for one kind of packet, within the scope."""
    spans: dict[tuple[Answer, Answer], list[Span]] = {}
    whole = True
    for prefix in scope.prefixes():
        regions = cut(prefix, [*edges(before, prefix), *edges(after, prefix)], limit)
        whole = whole and regions.whole
        known: dict[int, tuple[Answer, Answer]] = {}
        for row, span in regions.sweep():
            pair = known.get(row)
            if pair is None:
                old = ask(before, flow, scope.family, span[0])
                pair = known[row] = old, ask(after, flow, scope.family, span[0])
            if pair[0] != pair[1]:
                spans.setdefault(pair, []).append(span)
    changes = [Change(AddressSet.of(scope.family, own), *pair) for pair, own in spans.items()]
    changes.sort(key=lambda change: (-change.addresses.count, change.addresses.spans))
    return Difference(flow, rule, tuple(changes), whole)


def reached(before: Snapshot, after: Snapshot, touched: Touched, family: Family) -> AddressSet:
    """The addresses whose answer may differ: more rather than less."""
    if touched.everything:
        return AddressSet.everything(family)
    found = {one: AddressSet.of_prefixes(one, touched.prefixes) for one in FAMILIES}
    peers = [peer for one in (before, after) for dev in one.devices.values() for peer in dev.peers]
    waiting = [peer for peer in peers if peer.endpoint is not None]
    while True:
        hit: list[Prefix] = []
        missed: list[Peer] = []
        for peer in waiting:
            address = peer.endpoint.address if peer.endpoint is not None else None
            if address is not None and int(address) in found[family_of(address)]:
                hit += peer.allowed_ips
            else:
                missed.append(peer)
        if len(missed) == len(waiting):
            return found[family]
        waiting = missed
        for one in FAMILIES:
            found[one] |= AddressSet.of_prefixes(one, hit)


def _kinds(
    before: Snapshot, after: Snapshot, touched: Touched, family: Family
) -> Iterator[tuple[Flow, Rule | None]]:
    """The bare packet, and one for each rule that it cannot show."""
    bare = packet_to(family, 0)
    yield bare, None
    shown = {bare}
    for rule in _rules(before, after, touched, family):
        flow = None
        for snapshot in (after, before):
            flow = flow or witness(snapshot, rule)
        if flow is not None and flow not in shown and len(shown) < MOST_KINDS:
            shown.add(flow)
            yield flow, rule


def _rules(before: Snapshot, after: Snapshot, touched: Touched, family: Family) -> Sequence[Rule]:
    """Rules that came or went, or lead to a table that is not what it was."""
    led = [
        rule
        for snapshot in (before, after)
        for rule in snapshot.rules.get(family, ())
        if rule.table is not None and (family, rule.table) in touched.tables
    ]
    found = [rule for rule in (*touched.rules, *led) if rule.family == family]
    return [rule for rule in dict.fromkeys(found) if not is_plain(rule.selector)]
