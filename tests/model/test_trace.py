"""Is a trace checked when it is built, and does it find its own steps?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, world
from wgtui.model.flow import Flow
from wgtui.model.trace import (
    ArrivalStep,
    BackOutcome,
    Outcome,
    OuterStep,
    OwnerStep,
    Reason,
    RouteStep,
    RuleResult,
    RuleStep,
    Trace,
)

LINKS = "eth0 UP 192.0.2.10/24\nwg0 UNKNOWN 10.7.0.1/24"
ROUTES = "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0\n10.7.0.0/24 dev wg0"
PEER = "wg0\npeer ANNA endpoint 198.51.100.4:51820 allowed-ips 10.7.0.2/32"
FLOW = Flow.parse("10.7.0.2")


@pytest.fixture
def encrypted() -> Trace:
    """A packet that leaves encrypted."""
    return ask(world(LINKS, routes4=ROUTES, wireguard=PEER), "10.7.0.2")


def test_a_trace_knows_its_steps(encrypted: Trace) -> None:
    """Rules, route, owner, endpoint and the encrypted packet's trace are found by kind."""
    assert encrypted.outcome is Outcome.ENCRYPTED
    assert encrypted.decided is encrypted.rules[-1]
    assert encrypted.decided.result is RuleResult.DECIDED
    assert encrypted.route is not None
    assert encrypted.ownership is not None
    assert encrypted.outer is not None
    assert encrypted.outer.flow.destination == encrypted.endpoint.address  # type: ignore[union-attr]
    assert encrypted.arrival is None


def test_an_empty_trace_finds_nothing() -> None:
    """No steps, no answers."""
    trace = Trace(FLOW, Outcome.LOCAL)
    assert (trace.rules, trace.decided, trace.route, trace.ownership) == ((), None, None, None)
    assert (trace.endpoint, trace.outer, trace.arrival) == (None, None, None)


def test_a_walk_that_nobody_decided_has_no_decider() -> None:
    """Rules that were asked and refused decide nothing."""
    trace = Trace(FLOW, Outcome.NO_ROUTE, (RuleStep(0, None, RuleResult.REFUSED),))
    assert (len(trace.rules), trace.decided) == (1, None)


def test_steps_out_of_kernel_order_are_refused(encrypted: Trace) -> None:
    """Arrival and rules, then the route, then the owner, then the encrypted packet."""
    for place in range(1, len(encrypted.steps)):
        before, step = encrypted.steps[place - 1 : place + 1]
        if isinstance(before, RuleStep) and isinstance(step, RuleStep):
            continue
        steps = [*encrypted.steps[: place - 1], step, before, *encrypted.steps[place + 1 :]]
        with pytest.raises(ValueError, match="kernel order"):
            replace(encrypted, steps=tuple(steps))


def test_all_kinds_of_steps_have_their_place(encrypted: Trace) -> None:
    """Each kind occurs in this trace, or may come first."""
    kinds = {type(step) for step in encrypted.steps}
    assert kinds == {RuleStep, RouteStep, OwnerStep, OuterStep}
    link = encrypted.route.link if encrypted.route else None
    assert link is not None
    arrival = ArrivalStep(link, BackOutcome.ACCEPTED)
    assert replace(encrypted, steps=(arrival, *encrypted.steps)).arrival is arrival
    with pytest.raises(ValueError, match="kernel order"):
        replace(encrypted, steps=(*encrypted.steps, arrival))


def test_an_encrypted_packet_needs_one_that_leaves(encrypted: Trace) -> None:
    """ENCRYPTED without an outer trace, or with one that fails, is a contradiction."""
    with pytest.raises(ValueError, match="outer packet"):
        replace(encrypted, steps=encrypted.steps[:-1])
    assert encrypted.endpoint is not None
    stuck = OuterStep(encrypted.endpoint, Trace(FLOW, Outcome.NO_ROUTE))
    with pytest.raises(ValueError, match="outer packet"):
        replace(encrypted, steps=(*encrypted.steps[:-1], stuck))
    failed = replace(encrypted, outcome=Outcome.OUTER_FAILED, steps=(*encrypted.steps[:-1], stuck))
    assert failed.outer is stuck.trace


def test_an_unknown_outcome_says_why() -> None:
    """UNKNOWN without a reason is refused."""
    with pytest.raises(ValueError, match="says why"):
        Trace(FLOW, Outcome.UNKNOWN)
    assert Trace(FLOW, Outcome.UNKNOWN, reason=Reason.ENCAP).reason is Reason.ENCAP


def test_three_outcomes_are_good() -> None:
    """Delivered, sent, or sent encrypted (contract §4)."""
    assert {outcome.value for outcome in Outcome if outcome.good} == {"local", "sent", "encrypted"}
