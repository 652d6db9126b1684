"""Does the engine agree with the running kernel on random worlds? The short run; `fuzz` is the long one."""

from __future__ import annotations

from collections import Counter

from tests.kernel import fuzz
from wgtui.model.trace import Outcome

SEED = 20261122
LOOKUPS = 2_000


def test_engine_and_kernel_agree() -> None:
    """2,000 questions about 20 hosts, always the same: no answer differs, and nearly all compare."""
    tally = fuzz.run(SEED, LOOKUPS)
    assert not tally.disagreements, str(fuzz.minimal(tally.disagreements[0]))
    assert tally.lookups == LOOKUPS
    assert tally.incomparable.total() < LOOKUPS // 20
    common = {outcome for outcome, times in tally.outcomes.items() if times >= 10}
    assert common >= {
        outcome.value
        for outcome in (
            Outcome.SENT,
            Outcome.LOCAL,
            Outcome.NO_ROUTE,
            Outcome.BLACKHOLED,
            Outcome.UNREACHABLE,
            Outcome.PROHIBITED,
            Outcome.NOT_FORWARDED,
            Outcome.MARTIAN,
            Outcome.RPF_DROPPED,
        )
    }, "the worlds have become too plain"


def test_a_world_is_made_by_seed_and_number_alone() -> None:
    """A failure can be replayed: the same numbers make the same commands and questions."""

    def made(seed: int, number: int) -> tuple[fuzz.World, list[str]]:
        maker = fuzz.Maker(seed, number)
        return maker.world(), [maker.flow() for _ in range(20)]

    assert made(1, 7) == made(1, 7)
    assert Counter(made(1, 7)[0].commands) != Counter(made(2, 7)[0].commands)
    assert made(1, 7)[0] != made(1, 8)[0]


def test_a_wrong_engine_would_be_found_and_reduced() -> None:
    """Asked about a route that is taken away behind its back, the engine differs, and it is told why."""
    commands = (
        "ip link set lo up",
        "ip link add v0 type veth peer name w0",
        "ip link set w0 up",
        "ip link set v0 up",
        "ip -4 address add 192.0.2.1/24 dev v0",
        "ip -4 route add 20.0.0.0/8 via 192.0.2.9",
    )
    world = fuzz.World(commands)
    with fuzz.host(world) as source:
        stale = fuzz.settled(source)
    without = fuzz.World(commands[:-1])
    with fuzz.host(without) as source:
        answer = source.ask(fuzz.Flow.parse("20.0.0.1"))
    assert answer is not None
    found = fuzz.differences(stale, fuzz.lookup(stale, fuzz.Flow.parse("20.0.0.1")), answer)
    assert [one.field for one in found or ()] == ["answer"]
