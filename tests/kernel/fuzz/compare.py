"""Do engine and kernel give the same answers about one world, about many, and about less of one?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.kernel.fuzz.dice import Dice
from tests.kernel.fuzz.flows import flow as make_flow
from tests.kernel.fuzz.hosts import host, same_facts, settled
from tests.kernel.fuzz.worlds import World, make
from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Refusal, Trace
from wgtui.sources import netns, oracle
from wgtui.sources.nlsocket import GET_STRICT_CHK, NetlinkSocket

PER_WORLD: Final = 100
"""Questions asked about one world."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One question about one world to which engine and kernel gave different answers."""

    world: World
    flow: Flow
    trace: Trace
    answer: KernelAnswer
    differences: tuple[Refusal, ...]

    @property
    def signature(self) -> str:
        """Alike for disagreements that probably have the same cause."""
        fields = "+".join(sorted(difference.field for difference in self.differences))
        arrives = "in" if self.flow.iif else "oif" if self.flow.oif else "out"
        reason = self.trace.reason.value if self.trace.reason else ""
        got = self.answer.errno or (self.answer.type.value if self.answer.type else "route")
        return (
            f"IPv{self.flow.family} {arrives} {fields} {self.trace.outcome.value} {reason} / {got}"
        )

    def __str__(self) -> str:
        wrong = "; ".join(f"{d.field}: engine {d.wanted}, kernel {d.got}" for d in self.differences)
        lines = [f"# {self.signature}", f"# {wrong}", "unshare --net bash <<'END'"]
        return "\n".join([*lines, *self.world.commands, f"ip route get {self.flow}", "END"])


@dataclass(slots=True)
class Tally:
    """How a run went."""

    lookups: int = 0
    families: Counter[int] = field(default_factory=Counter)
    """How many of them were IPv4, and IPv6."""
    incomparable: Counter[str] = field(default_factory=Counter)
    """By reason: what the engine says it cannot know."""
    outcomes: Counter[str] = field(default_factory=Counter)
    worlds: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)


def answers(namespace: str, flows: Sequence[Flow]) -> list[KernelAnswer | None]:
    """What the kernel says, all of it over one socket."""

    def ask() -> list[KernelAnswer | None]:
        with NetlinkSocket(timeout=5.0) as sock:
            sock.option(GET_STRICT_CHK)
            return [oracle.ask(sock, flow) for flow in flows]

    return netns.inside(namespace, ask)


def judge(world: World, questions: Sequence[str], tally: Tally) -> list[Disagreement]:
    """Ask all questions about one world."""
    with host(world) as source:
        snapshot = settled(source)
        flows = [Flow.parse(question) for question in questions]
        flows = [flow for flow in flows if _links_there(snapshot, flow)]
        found = _compare(world, snapshot, flows, answers(snapshot.namespace, flows), tally)
        if found:
            again = settled(source)
            if not same_facts(snapshot, again):
                flows = [one.flow for one in found]
                found = _compare(world, again, flows, answers(again.namespace, flows), Tally())
    return found


def _links_there(snapshot: Snapshot, flow: Flow) -> bool:
    return all(name is None or name in snapshot.links_by_name for name in (flow.iif, flow.oif))


def _compare(
    world: World,
    snapshot: Snapshot,
    flows: Sequence[Flow],
    replies: Sequence[KernelAnswer | None],
    tally: Tally,
) -> list[Disagreement]:
    found: list[Disagreement] = []
    for flow, answer in zip(flows, replies, strict=True):
        trace = lookup(snapshot, flow)
        tally.lookups += 1
        tally.families[flow.family] += 1
        tally.outcomes[trace.outcome.value] += 1
        refusals = None if answer is None else differences(snapshot, trace, answer)
        if refusals is None:
            tally.incomparable[trace.reason.value if trace.reason else trace.outcome.value] += 1
        elif refusals and answer is not None:
            found.append(Disagreement(world, flow, trace, answer, refusals))
    return found


def minimal(disagreement: Disagreement) -> Disagreement:
    """Leave out every command without which engine and kernel still differ in the same way."""
    best = disagreement
    for command in reversed(disagreement.world.commands):
        rest = World(tuple(line for line in best.world.commands if line != command))
        again = judge(rest, [str(best.flow)], Tally())
        if again and again[0].signature == best.signature:
            best = again[0]
    return best


def run(
    seed: int,
    lookups: int,
    report: Callable[[Disagreement], None] | None = None,
    per_family: int = 0,
    vrfs: bool = False,
) -> Tally:
    """Worlds number 0, 1, 2 … of a seed until so many questions were asked, in all and of each
    family."""
    tally = Tally()
    while tally.lookups < lookups or min(tally.families[4], tally.families[6]) < per_family:
        dice = Dice(seed, tally.worlds, vrfs)
        world = make(dice)
        asked = PER_WORLD if per_family else min(PER_WORLD, lookups - tally.lookups)
        found = judge(world, [make_flow(dice) for _ in range(asked)], tally)
        tally.worlds += 1
        tally.disagreements += found
        for one in found:
            if report is not None:
                report(one)
    return tally
