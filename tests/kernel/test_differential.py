"""Does the engine agree with the running kernel on random worlds? `fuzz` is the long run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.kernel.fuzz import compare
from tests.kernel.fuzz.dice import Dice
from tests.kernel.fuzz.flows import flow
from tests.kernel.fuzz.worlds import World, make
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import Selector
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Trace

SEED = 20261122
LOOKUPS = 2_000


def test_engine_and_kernel_agree() -> None:
    """2,000 questions about 20 hosts, always the same: no answer differs, nearly all compare."""
    tally = compare.run(SEED, LOOKUPS)
    assert not tally.disagreements, str(compare.minimal(tally.disagreements[0]))
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

    def made(seed: int, number: int) -> tuple[World, list[str]]:
        dice = Dice(seed, number)
        return make(dice), [flow(dice) for _ in range(20)]

    assert made(1, 7) == made(1, 7)
    assert Counter(made(1, 7)[0].commands) != Counter(made(2, 7)[0].commands)
    assert made(1, 7)[0] != made(1, 8)[0]


def test_a_wrong_engine_is_found_and_its_world_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that knows no rules but the default ones differs, and one rule at least remains."""

    def without_rules(snapshot: Snapshot, flow: Flow) -> Trace:
        plain = {
            family: tuple(rule for rule in rules if rule.selector == Selector())
            for family, rules in snapshot.rules.items()
        }
        return lookup(replace(snapshot, rules=plain), flow)

    monkeypatch.setattr(compare, "lookup", without_rules)
    found = compare.run(SEED, 500).disagreements
    assert found
    reduced = compare.minimal(found[0])
    assert reduced.signature == found[0].signature
    assert len(reduced.world.commands) < len(found[0].world.commands)
    assert any(" rule add " in command for command in reduced.world.commands)
    assert all(command in str(reduced) for command in reduced.world.commands)
