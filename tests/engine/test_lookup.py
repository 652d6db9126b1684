"""The whole walk: what is asked, what is added at the end, and what is not an answer (§0)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, outcome, rules, world
from wgtui.errors import QueryError
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.trace import Outcome, RouteStep, RuleStep
from wgtui.report.as_json import lookup_json


def test_the_same_snapshot_and_flow_give_the_same_trace() -> None:
    """Pure: no clock, no dice."""
    snapshot = world()
    assert ask(snapshot, "8.8.8.8") == ask(snapshot, "8.8.8.8")


@pytest.mark.parametrize("word", ["oif", "from 192.0.2.7 iif"])
def test_a_link_that_is_not_there_is_a_query_error(word: str) -> None:
    """The words name nothing; nothing is looked up (contract §2)."""
    with pytest.raises(QueryError, match="nosuch"):
        ask(world(), f"8.8.8.8 {word} nosuch")


def test_a_link_that_could_not_be_seen_is_unknown() -> None:
    """A gap is not "no such link" (contract §3)."""
    blind = replace(world(), links={}, gaps=(Gap(Subject.LINKS, "no file link.json"),))
    assert outcome(blind, "8.8.8.8 oif eth0") == "unknown/links-unreadable"
    flow = "8.8.8.8 from 192.0.2.7 iif eth0"
    answer = lookup_json(blind, ask(blind, flow))
    came = answer["in"]
    assert isinstance(came, dict)
    assert (answer["outcome"], came["outcome"]) == ("unknown", "unknown")
    assert (came["device"], came["owner"]) == ("eth0", None)


def test_the_steps_are_rules_then_the_route() -> None:
    """In kernel order, and no more than there were."""
    trace = ask(world(rules4=rules("10: from all nop")), "8.8.8.8")
    assert [type(step) for step in trace.steps] == [RuleStep, RuleStep, RuleStep, RouteStep]


@pytest.mark.parametrize(
    ("words", "priority"),
    [
        # S-C3, what a question leaves out
        ("8.8.8.8", 17),
        ("8.8.8.8 uid 1000", 1000),
        ("8.8.8.8 from 192.0.2.7 iif eth0 uid 1000", 17),
    ],
)
def test_what_a_question_leaves_out_is_what_the_kernel_fills_in(words: str, priority: int) -> None:
    """IPv4 without ipproto is UDP; the uid is the caller's, and nobody's when it arrives (S-C3)."""
    lines = rules(
        "17: from all ipproto udp uidrange 0-0 prohibit",
        "1000: from all uidrange 1000-1000 prohibit",
    )
    snapshot = world(rules4=lines, sysctls="net.ipv4.conf.eth0.forwarding = 1")
    trace = ask(snapshot, words)
    assert trace.outcome is Outcome.PROHIBITED
    assert trace.decided is not None
    assert trace.decided.rule is not None
    assert trace.decided.rule.priority == priority


def test_the_caller_is_who_read_the_snapshot() -> None:
    """Without uid it is the snapshot's (S-C3)."""
    snapshot = world(rules4=rules("10: from all uidrange 1000-1000 prohibit"))
    assert outcome(snapshot, "8.8.8.8") == "sent"
    assert outcome(replace(snapshot, uid=1000), "8.8.8.8") == "prohibited/rule"
