"""What is the answer to a flow, without the explanation? Two addresses with equal answers go the
same way for the same reasons.

An Answer is what a Trace says with everything left out that differs from one address to the next
although nothing does (losers, the address itself, IPv6's source selection by longest match). It is
small and hashable, so a million addresses can be grouped by it.
"""

from __future__ import annotations

from dataclasses import field

from wgtui.model.fact import dataclass
from wgtui.model.network import RouteType, TableId
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Reason, Trace


@dataclass(frozen=True, slots=True)
class AnswerLeg:
    """One way out that can win."""

    link: str
    """The link's name; empty for types without one."""
    gateway: str | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Holder:
    """The peer that owns the destination."""

    device: str
    public_key: str
    prefix: Prefix
    """The AllowedIPs entry it owns it by."""
    name: str = field(default="", compare=False)
    """What to call it; untrusted."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where it ends up, whatever route or AllowedIPs entry leads there."""

    outcome: Outcome
    reason: Reason | None
    legs: tuple[AnswerLeg, ...]
    device: str | None
    public_key: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a packet to an address."""

    outcome: Outcome
    reason: Reason | None = None
    table: TableId | None = None
    destination: Prefix | None = None
    """The winning route's prefix; None: no route won."""
    type: RouteType | None = None
    metric: int = 0
    preferred_source: str | None = None
    legs: tuple[AnswerLeg, ...] = ()
    holder: Holder | None = None
    device: str | None = None
    """The WireGuard device it is routed into; with ``holder`` None nobody there owns it."""
    endpoint: str | None = None
    outer: Answer | None = None
    """The encrypted packet's."""
    priority: int | None = field(default=None, compare=False)
    """Of the rule that decided. The same route by another rule is the same answer."""

    @property
    def way(self) -> Way:
        """Where it ends up."""
        key = self.holder.public_key if self.holder is not None else None
        return Way(self.outcome, self.reason, self.legs, self.device, key)


def answer_of(snapshot: Snapshot, trace: Trace) -> Answer:
    """The answer that a trace explains."""
    step, decided, owned, outer = trace.route, trace.decided, trace.ownership, trace.outer
    won = step.route if step is not None else None
    hops = step.next_hops if step is not None else ()
    owner = owned.owner if owned is not None else None
    source = won.info.preferred_source if won is not None else None
    return Answer(
        outcome=trace.outcome,
        reason=trace.reason,
        table=won.table if won is not None else None,
        destination=won.destination if won is not None else None,
        type=won.info.type if won is not None else None,
        metric=won.info.metric if won is not None else 0,
        preferred_source=str(source) if source is not None else None,
        legs=tuple(
            AnswerLeg(
                snapshot.link_name(leg.link),
                str(leg.gateway) if leg.gateway is not None else None,
                leg.weight,
            )
            for leg in hops
        ),
        holder=Holder(owner.device.name, owner.peer.public_key, owner.prefix, owner.peer.name)
        if owner is not None
        else None,
        device=owned.device.name if owned is not None else None,
        endpoint=str(trace.endpoint) if trace.endpoint is not None else None,
        outer=answer_of(trace.outer_host(snapshot), outer) if outer is not None else None,
        priority=decided.rule.priority
        if decided is not None and decided.rule is not None
        else None,
    )
