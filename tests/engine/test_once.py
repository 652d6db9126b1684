"""Is what follows from a snapshot worked out once, does it stay right, and does it let go?"""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from tests.scenario import FOLDER, Scenario, load
from wgtui.engine.lookup import lookup
from wgtui.engine.once import MANY, once, remember
from wgtui.engine.query import NO_LINK, query_of
from wgtui.engine.rules import walk
from wgtui.model.flow import Flow
from wgtui.model.network import LOOPBACK
from wgtui.model.snapshot import Snapshot
from wgtui.sources.demo import TAKEN_AT, TOUR, DemoSource

DEMO = DemoSource().read()
SCENARIOS = [load(path) for path in sorted(FOLDER.glob("*.toml"))]


def test_it_is_worked_out_once_for_every_snapshot() -> None:
    """The second question costs nothing; another snapshot is asked anew; None is an answer too."""
    asked = []

    @once
    def host(snapshot: Snapshot) -> str | None:
        asked.append(snapshot.host)
        return snapshot.host or None

    one, other = Snapshot(TAKEN_AT), Snapshot(TAKEN_AT, host="b")
    assert [host(one), host(other), host(one), host(other)] == [None, "b", None, "b"]
    assert asked == ["", "b"]


def test_a_changed_copy_knows_nothing_of_the_first() -> None:
    """``replace`` gives a snapshot that is asked anew: what was worked out is no fact of it."""
    flow = Flow.parse("198.51.100.99")
    before = lookup(DEMO, flow)
    assert DEMO.worked_out
    bare = replace(DEMO, rules={})
    assert bare.worked_out == {}
    assert lookup(bare, flow).outcome is not before.outcome
    assert replace(DEMO) == DEMO


@pytest.mark.parametrize("flow", [words for words, _, _ in TOUR])
def test_nothing_that_was_worked_out_holds_the_snapshot(flow: str) -> None:
    """A million routes are freed with the last use of their snapshot, not by a later collection."""
    snapshot = replace(DEMO)
    watch = weakref.ref(snapshot)
    gc.disable()
    try:
        lookup(snapshot, Flow.parse(flow))
        del snapshot
        assert watch() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_walk_that_nobody_listens_to_ends_the_same(scenario: Scenario) -> None:
    """Without steps and losers the winner, its legs and the end are the same."""
    for question in scenario.questions:
        snapshot, flow = scenario.snapshot, Flow.parse(question.flow)
        iif, oif = (
            default if name is None else snapshot.links_by_name[name].index
            for name, default in ((flow.iif, LOOPBACK), (flow.oif, NO_LINK))
        )
        query = query_of(snapshot, flow, iif, oif)
        fresh = replace(snapshot)
        told, quiet = walk(snapshot, query), walk(fresh, query, told=False)
        assert quiet == told._replace(steps=())
        # What was remembered without the losers does not stand for an answer with them.
        assert walk(fresh, query) == told


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_was_asked_before_changes_no_answer(scenario: Scenario) -> None:
    """The same answers from a snapshot that was asked everything, with marks and links and ports
    as well, as from one that was asked nothing."""
    snapshot = scenario.snapshot
    words = [question.flow for question in scenario.questions]
    plain = [flow for flow in words if not {"mark", "tos", "oif"} & set(flow.split())]
    words += [f"{flow} mark 0xca6c" for flow in plain] + [f"{flow} tos 8" for flow in plain]
    links = [link.name for link in snapshot.links.values()]
    unbound = [flow for flow in plain if "iif" not in flow and "%" not in flow]
    words += [f"{flow} oif {name}" for flow in unbound for name in links]
    for flow in map(Flow.parse, words + words[::-1]):
        assert lookup(snapshot, flow) == lookup(replace(snapshot), flow)


def test_only_so_much_is_remembered() -> None:
    """What is full forgets what came before, and knows the last."""
    known: dict[int, int] = {}
    for number in range(3 * MANY):
        assert remember(known, number, -number) == -number
        assert known[number] == -number
        assert len(known) <= MANY
