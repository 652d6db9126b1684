"""What happens to a packet, step by step, and how it ends.

A Trace is data, not prose: every step keeps the losers and what refused them, so that a view can
say *why*. It is checked when it is built. ``Refusal(field, wanted, got)`` is what turns an answer
into an explanation. Steps name rows and positions, so a view can point at them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from netaddr import IPAddress

from wgtui.model.fact import dataclass
from wgtui.model.flow import Flow
from wgtui.model.influence import Influence
from wgtui.model.network import CachedRoute, LinkIndex, NextHop, Route, Rule, TableId
from wgtui.model.outcome import Outcome, Reason, Refusal
from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Hook, Snapshot, Subject
from wgtui.model.wireguard import Birth, Device, Endpoint, Peer

__all__ = [
    "ArrivalStep",
    "BackOutcome",
    "Exactness",
    "Loss",
    "LostRoute",
    "Outcome",
    "OuterStep",
    "OwnerStep",
    "Ownership",
    "Reason",
    "Refusal",
    "ReversePath",
    "ReverseStep",
    "RouteStep",
    "RpResult",
    "RpWhy",
    "RuleResult",
    "RuleStep",
    "Step",
    "TableStep",
    "Trace",
]
"""The codes of ``outcome`` too: a step without its outcome says nothing."""

# ------------------------------------------------------------------------------------------- steps


class RuleResult(Enum):
    """What came of asking one rule."""

    REFUSED = "refused"
    """A selector did not match: ``refusals`` say which."""
    DETACHED = "detached"
    """It names a link that is not there, so it can never match (S-A13)."""
    UNRESOLVED = "unresolved"
    """A goto whose target does not exist (S-A11)."""
    JUMPED = "jumped"
    NOP = "nop"
    TABLE_MISSING = "table-missing"
    NO_MATCH = "no-match"
    """Its table has no route for the address."""
    THROW = "throw"
    SUPPRESSED = "suppressed"
    """It found a route, and its suppressor took it back (S-A10)."""
    DECIDED = "decided"
    """It ended the walk: with a route, or with its own action."""
    UNKNOWN = "unknown"
    """It cannot be evaluated, so the walk ends here without an answer."""


class Loss(Enum):
    """Why a route that covers the address did not win its table."""

    SHORTER = "shorter"
    """A longer prefix won."""
    METRIC = "metric"
    """A better metric (or an earlier place) at the same prefix."""
    TOS = "tos"
    DEAD = "dead"
    """All of its next hops are dead."""
    OIF = "oif"
    """The flow is bound to another link."""
    SCORE = "score"
    """IPv6: another route of the same metric scores higher (S-B62)."""
    SOURCE = "source"
    """Source-specific, for other sources; or hidden beside a source-specific one (S-B61)."""
    EXPIRED = "expired"
    LOCAL_FIRST = "local-first"
    """Merged tree: the local entry of the same prefix comes first (S-A4)."""
    NEIGHBOUR = "neighbour"


class LostRoute(NamedTuple):
    """A route that covers the address and lost, and to what."""

    route: Route
    loss: Loss
    refusal: Refusal | None = None


class TableStep(NamedTuple):
    """One look into one table."""

    table: TableId
    """The one that was asked; with IPv4's merged tree the winner may come from ``local`` (S-A4)."""
    winner: Route | None
    lost: tuple[LostRoute, ...] = ()


class RuleStep(NamedTuple):
    """One rule was asked."""

    position: int
    """Its place in ``snapshot.rules[family]``; -1: no rule, the fast path (S-A4, S-A60)."""
    rule: Rule | None
    result: RuleResult
    refusals: tuple[Refusal, ...] = ()
    found: TableStep | None = None
    """What its table said, when it was asked."""


class RouteStep(NamedTuple):
    """The route that won, and the way out it gives."""

    route: Route | None
    """None: on-link because of ``oif`` alone, without any route (S-B15)."""
    link: LinkIndex | None
    """The link it leaves by; the first of ``next_hops``; None for types without one."""
    gateway: IPAddress | None
    source: IPAddress | None
    """What a packet without a source is given (S-B30, S-B68)."""
    next_hops: tuple[NextHop, ...] = ()
    """Every leg that can win; more than one: the kernel picks by a hash (S-B8)."""
    cached: CachedRoute | None = None
    """What the kernel keeps for this one destination: an MTU, a redirected gateway (S-B14)."""


class Ownership(NamedTuple):
    """A peer of a device, and the AllowedIPs entry by which it owns an address."""

    device: Device
    peer: Peer
    peer_position: int
    """Its place in ``device.peers``."""
    prefix: Prefix


class OwnerStep(NamedTuple):
    """Cryptokey routing on the way out: who owns the destination?"""

    device: Device
    family: Family
    address: int
    owner: Ownership | None
    lost: tuple[Ownership, ...] = ()
    """Whose AllowedIPs cover it too, longest first."""


class OuterStep(NamedTuple):
    """The encrypted packet is a flow too."""

    endpoint: Endpoint
    trace: Trace


class RpResult(Enum):
    """What the reverse path filter says."""

    PASS = "pass"
    DROP = "drop"
    UNKNOWN = "unknown"


class RpWhy(Enum):
    """How it came to that (S-D3 … S-D6)."""

    OFF = "off"
    OWN_LINK = "own-link"
    """The route back leaves by the link it came in on."""
    LOOSE = "loose"
    """There is a route back, and that is enough."""
    STRICT_OTHER_LINK = "strict-other-link"
    NO_ROUTE_BACK = "no-route-back"
    NO_ADDRESS = "no-address"
    """The link has no IPv4 address, so loose counts as strict (S-D6)."""
    OWN_SOURCE = "own-source"
    """The source is one of this host's own addresses."""
    NOT_UNICAST = "not-unicast"
    UNKNOWN = "unknown"


class ReversePath(NamedTuple):
    """IPv4 source validation of a packet on the link it arrives on."""

    link: LinkIndex
    mode: int | None
    """Effective: max(all, link) (S-D1): 0 off, 1 strict, 2 loose; None: not known."""
    result: RpResult
    why: RpWhy
    back: RouteStep | None = None
    """Where the kernel would send a packet to that source."""
    mark: int = 0
    """The mark it was asked with (src_valid_mark, S-D4)."""
    reason: Reason | None = None
    """For UNKNOWN: what could not be seen or evaluated."""
    batched: bool = False
    """Dropped, and let in all the same when it comes in one batch behind another packet to the same
    address: the kernel then takes over that one's route, and validates no source."""


class BackOutcome(Enum):
    """Would a packet from there be let in?"""

    ACCEPTED = "accepted"
    NOT_ALLOWED = "not-allowed"
    RPF_DROPPED = "rpf-dropped"
    ASYMMETRIC = "asymmetric"
    """Let in, but the reply would leave by another link."""
    UNKNOWN = "unknown"


class ReverseStep(NamedTuple):
    """The reverse check at one entrance."""

    link: LinkIndex
    outcome: BackOutcome
    reason: Reason | None = None
    owner: Ownership | None = None
    """The only peer it is accepted from; None: none, or not WireGuard."""
    reverse_path: ReversePath | None = None
    """None: the family has no such filter."""
    outer_reverse_path: ReversePath | None = None
    """The encrypted reply at the underlay link."""
    reply_link: LinkIndex | None = None
    """The link by which the answer leaves."""
    hooks: tuple[Hook, ...] = ()
    """Netfilter chains that may drop it before routing, in order; a check of the way back there is
    no sysctl, and IPv6 has it too (S-D9)."""
    outer_hooks: tuple[Hook, ...] = ()
    """The same for its encrypted packet, where the device was born."""


class ArrivalStep(NamedTuple):
    """A flow with ``iif``: is the packet let in?"""

    link: LinkIndex
    outcome: BackOutcome
    reason: Reason | None = None
    owner: Ownership | None = None
    """Who owns the source; None: nobody, or not WireGuard."""
    sender: Peer | None = None
    """The peer that the flow says it came from."""
    reverse_path: ReversePath | None = None


Step: TypeAlias = RuleStep | RouteStep | OwnerStep | OuterStep | ArrivalStep

_ORDER: Final[dict[type, int]] = {
    ArrivalStep: 0,
    RuleStep: 1,
    RouteStep: 2,
    OwnerStep: 3,
    OuterStep: 4,
}
"""The kernel's."""
_place: Final = _ORDER.__getitem__


class Exactness(Enum):
    """How far the answer is to be trusted (S-H20); the value is a stable code."""

    EXACT = "exact"
    """For this packet: nothing else is on its way."""
    MAY_CHANGE = "may-change"
    """Something on its way is seen, and not simulated."""
    UNSEEN = "unseen"
    """Something could not be looked at."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole answer to one Flow."""

    flow: Flow
    outcome: Outcome
    steps: tuple[Step, ...] = ()
    """In kernel order."""
    reason: Reason | None = None
    back: tuple[ReverseStep, ...] = ()
    """One entry per entrance: the winning route's link, then every device with an owner for the
    address."""
    hooks: tuple[Hook, ...] = ()
    """Netfilter chains that could change it (S-H1 … S-H5)."""
    influences: tuple[Influence, ...] = ()
    """What else could, here and where the answer comes in (S-H6 … S-H8)."""
    unseen: tuple[Subject, ...] = ()
    """What could as well, and could not be looked at."""
    connected: Trace | None = None
    """What a connecting socket gets instead (S-A40, S-A41); None: the same."""

    def __post_init__(self) -> None:
        places = [*map(_place, map(type, self.steps))]
        if places != sorted(places):
            raise ValueError("the steps of a trace are not in kernel order")
        if self.outcome is Outcome.ENCRYPTED:
            outer = self.outer
            if outer is None or not outer.outcome.good:
                raise ValueError("an encrypted packet has an outer packet that leaves")
        if self.outcome is Outcome.UNKNOWN and self.reason is None:
            raise ValueError("an unknown outcome says why")

    @property
    def rules(self) -> tuple[RuleStep, ...]:
        """Every rule that was asked, in order."""
        return tuple(step for step in self.steps if isinstance(step, RuleStep))

    @property
    def decided(self) -> RuleStep | None:
        """The rule (or fast path) that ended the walk."""
        for step in reversed(self.steps):
            if isinstance(step, RuleStep) and step.result is RuleResult.DECIDED:
                return step
        return None

    @property
    def route(self) -> RouteStep | None:
        """The route that won and its way out."""
        for step in reversed(self.steps):
            if isinstance(step, RouteStep):
                return step
        return None

    @property
    def ownership(self) -> OwnerStep | None:
        """Whose the destination is on the winning WireGuard device."""
        for step in reversed(self.steps):
            if isinstance(step, OwnerStep):
                return step
        return None

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the encrypted packet goes."""
        step = self.steps[-1] if self.steps else None
        return step.endpoint if isinstance(step, OuterStep) else None

    @property
    def outer(self) -> Trace | None:
        """The encrypted packet's own trace."""
        step = self.steps[-1] if self.steps else None
        return step.trace if isinstance(step, OuterStep) else None

    @property
    def outers_here(self) -> Iterator[Trace]:
        """The encrypted packets one after the other, as far as they are routed in the same
        namespace (S-E20)."""
        trace = self
        while trace.outer is not None and trace.ownership is not None:
            if trace.ownership.device.birth is Birth.ELSEWHERE:
                return
            trace = trace.outer
            yield trace

    def outer_host(self, snapshot: Snapshot) -> Snapshot:
        """Whose links and rules the encrypted packet's trace speaks of (S-E20)."""
        ownership = self.ownership
        return (ownership and snapshot.birthplace(ownership.device)) or snapshot

    @property
    def arrival(self) -> ArrivalStep | None:
        """How it got in, for flows with ``iif``."""
        step = self.steps[0] if self.steps else None
        return step if isinstance(step, ArrivalStep) else None

    @property
    def batched(self) -> tuple[LinkIndex, ...]:
        """The links on which it, or a packet of the reverse check, may be let in against what is
        said of it."""
        paths = [step.reverse_path for step in self.back]
        if self.arrival is not None:
            paths.insert(0, self.arrival.reverse_path)
        return tuple(path.link for path in paths if path is not None and path.batched)

    @property
    def exactness(self) -> Exactness:
        """Of the whole answer, encrypted packets included."""
        packets = [self]
        while (outer := packets[-1].outer) is not None:
            packets.append(outer)
        if any(packet.hooks or packet.influences for packet in packets):
            return Exactness.MAY_CHANGE
        if any(step.hooks or step.outer_hooks for step in self.back) or self.batched:
            return Exactness.MAY_CHANGE
        unseen = self.outcome is Outcome.UNKNOWN or any(packet.unseen for packet in packets)
        return Exactness.UNSEEN if unseen else Exactness.EXACT
