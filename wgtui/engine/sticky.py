"""By which other link may an encrypted packet leave, because WireGuard answers where it was heard?

WireGuard sends from the address on which it last heard the peer (S-E14, S-E15); which one that is
nobody tells. Where rules ask for the source, the way can be another one than without a source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.engine.once import once
from wgtui.engine.output import send
from wgtui.engine.query import Query
from wgtui.engine.source_address import address_object, scope6
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Trace

_GLOBAL6: Final = 14
_LOOPBACK4: Final = 127


def other_ways(snapshot: Snapshot, query: Query, trace: Trace) -> Iterator[Influence]:
    """What the packet's sticky source may do to it; ``query`` and ``trace`` are those without one.

    Of the addresses that the rules cannot tell apart one is asked about. IPv4 looks up again
    without the source when the way leaves by another link than the peer was heard on, or ends at a
    blackhole; every link may be the one it was heard on.
    """
    plain = trace.route.link if trace.route is not None else None
    for source in _told_apart(snapshot)[query.family]:
        way = send(snapshot, query._replace(source=source))
        link = way.route.link if way.error is None and way.route is not None else None
        if way.error in (Outcome.BLACKHOLED, Outcome.MARTIAN, Outcome.UNKNOWN) or link == plain:
            continue
        yield Influence(
            InfluenceKind.STICKY_SOURCE,
            Direction.OUT,
            Effect.REDIRECT if link is not None else Effect.DROP,
            to=link,
            name=str(address_object(snapshot, query.family, source)),
        )


@once
def _told_apart(snapshot: Snapshot) -> dict[Family, tuple[int, ...]]:
    """Of the host's own addresses one for every choice that the ``from`` of rules can make."""
    return {family: tuple(_one_each(snapshot, family)) for family in FAMILIES}


def _one_each(snapshot: Snapshot, family: Family) -> Iterator[int]:
    asked = {
        rule.selector.source
        for rule in snapshot.rules.get(family, ())
        if rule.selector.source is not None
    }
    if not asked:
        return
    seen: set[tuple[bool, ...]] = set()
    for owned, address in snapshot.own_addresses:
        if owned != family or not _may_be_heard(family, address):
            continue
        choices = tuple(prefix.covers(address) for prefix in asked)
        if any(choices) and choices not in seen:
            seen.add(choices)
            yield address


def _may_be_heard(family: Family, address: int) -> bool:
    """Can packets from elsewhere be for it, other than those of one link?"""
    return address >> 24 != _LOOPBACK4 if family == 4 else scope6(address) == _GLOBAL6
