"""Which addresses of a range go where? The partition of a range by answer.

The range is cut at every prefix that a lookup can look at: routes of all tables that rules may ask,
``to`` and ``from`` of rules, AllowedIPs of all devices, exceptions, and the few ranges that the
kernel treats apart. Addresses with the same innermost of these prefixes are covered by the same
ones, so one lookup answers for all of them (``regions``). Nothing is sampled: what is told is
exact, and where it would be too much, it is told up to an address and no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from netaddr import IPAddress

from wgtui.engine.answer import Answer, answer_of
from wgtui.engine.lookup import follow
from wgtui.engine.regions import Edge, Regions, cut, edges_in, listed
from wgtui.model.address_set import Span
from wgtui.model.fact import dataclass
from wgtui.model.flow import Flow
from wgtui.model.network import DEFAULT_TABLE, LOCAL_TABLE, MAIN_TABLE
from wgtui.model.prefix import BITS, Family, Prefix, family_of
from wgtui.model.snapshot import Snapshot

LIMIT: Final = 20_000
"""So many prefixes are looked at, at most: about two seconds."""

_APART: Final[dict[Family, tuple[Prefix, ...]]] = {
    4: tuple(
        Prefix.parse(text)
        for text in (
            "0.0.0.0/32",
            "127.0.0.0/8",
            "224.0.0.0/4",
            "224.0.0.0/24",
            "224.0.0.1/32",
            "255.255.255.255/32",
        )
    ),
    6: tuple(Prefix.parse(text) for text in ("::/128", "::1/128", "fe80::/10", "ff00::/8")),
}
"""What ``output``, ``receive`` and ``next_hop`` treat apart (S-B15, S-B40, S-B63)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Addresses one after the other that have the same answer."""

    span: Span
    answer: Answer


@dataclass(frozen=True, slots=True)
class Partition:
    """A range, and where its addresses go."""

    within: Prefix
    flow: Flow
    """What the packets have in common; its destination is any of them."""
    parts: tuple[Part, ...]
    """Ascending and without gaps; neighbours have different answers."""
    until: int
    """The last address told about: the end of the range, unless there are too many prefixes."""

    @property
    def whole(self) -> bool:
        """Is all of the range told about?"""
        return self.until == self.within.last


def partition(
    snapshot: Snapshot, within: Prefix, flow: Flow | None = None, limit: int = LIMIT
) -> Partition:
    """Where the addresses of a range go; ``flow`` says what else the packets have.

    Raises ``QueryError`` when the flow names a link or a peer that this host does not have.
    """
    flow = flow or packet_to(within.family, within.network)
    regions = cut(within, edges(snapshot, within), limit)
    parts: list[Part] = []
    for span, answer in answers(snapshot, regions, flow):
        if parts and parts[-1].answer == answer:
            parts[-1] = Part((parts[-1].span[0], span[1]), answer)
        else:
            parts.append(Part(span, answer))
    return Partition(within, flow, tuple(parts), regions.until)


def packet_to(family: Family, address: int) -> Flow:
    """A packet made here, with nothing but a destination."""
    return Flow(IPAddress(address, family))


def answers(snapshot: Snapshot, regions: Regions, flow: Flow) -> Iterator[tuple[Span, Answer]]:
    """Every piece of the regions with its answer; one lookup for each innermost prefix."""
    known: dict[int, Answer] = {}
    for row, span in regions.sweep():
        answer = known.get(row)
        if answer is None:
            answer = known[row] = ask(snapshot, flow, regions.within.family, span[0])
        yield span, answer


def ask(snapshot: Snapshot, flow: Flow, family: Family, address: int) -> Answer:
    """The answer for one address."""
    return answer_of(
        snapshot, follow(snapshot, flow._replace(destination=IPAddress(address, family)))
    )


def edges(snapshot: Snapshot, within: Prefix) -> Iterator[Iterable[Edge]]:
    """Every prefix in the range that a lookup can look at, as lists in ascending order."""
    family = within.family
    asked = _tables_asked(snapshot, family)
    for (of, table), routes in snapshot.routes.items():
        if of == family and (asked is None or table in asked):
            yield edges_in(routes.tree, within)
    for device in snapshot.devices.values():
        yield edges_in(device.owners.tree(family), within)
    yield listed(_selectors(snapshot, family), within)
    yield listed(_APART[family], within)
    kept = (k.destination for k in snapshot.exceptions if family_of(k.destination) == family)
    yield listed((Prefix(family, int(address), BITS[family]) for address in kept), within)


def _selectors(snapshot: Snapshot, family: Family) -> Iterator[Prefix]:
    """Source selectors count too: the reverse path filter asks with the destination as source
    (S-D4)."""
    for rule in snapshot.rules.get(family, ()):
        for prefix in (rule.selector.destination, rule.selector.source):
            if prefix is not None:
                yield prefix


def _tables_asked(snapshot: Snapshot, family: Family) -> frozenset[int] | None:
    """The tables that rules ask; None: it may be any."""
    rules = snapshot.rules.get(family)
    if rules is None or any(rule.selector.l3mdev for rule in rules):
        return None
    always: Sequence[int] = (LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE)
    return frozenset((*always, *(rule.table for rule in rules if rule.table is not None)))
