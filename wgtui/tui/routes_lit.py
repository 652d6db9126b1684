"""Where does a Trace pass through the System routes pane?"""

from __future__ import annotations

from typing import Final, Protocol

from wgtui.model.network import Route
from wgtui.model.prefix import Family
from wgtui.model.trace import Outcome, Reason, RuleResult, RuleStep, Trace
from wgtui.report.line import Tone
from wgtui.report.mark_words import OUTCOME_WORDS, loss_mark_text, rule_mark_text
from wgtui.tui.marks import Marks
from wgtui.tui.rows import Lit


class Places(Protocol):
    """Which row something is on; None: on none."""

    def family_row(self, family: Family) -> int | None:
        """A family's header."""

    def rule_row(self, family: Family, position: int) -> int | None:
        """A rule."""

    def route_row(self, family: Family, route: Route) -> int | None:
        """A route, or the header of the folded table it is in."""


_STOPPED: Final = frozenset(
    {Outcome.UNREACHABLE, Outcome.PROHIBITED, Outcome.BLACKHOLED, Outcome.LINK_DOWN}
)
"""Outcomes for which the winning route (or the rule itself) is to blame."""

_UNSURE: Final = frozenset(
    {
        Reason.UNKNOWN_ROUTE_ATTRIBUTE,
        Reason.UNKNOWN_ROUTE_TYPE,
        Reason.UNKNOWN_NEXTHOP,
        Reason.ENCAP,
        Reason.MULTICAST_ROUTING,
    }
)
"""Reasons why nobody knows what the winning route does."""

_BEFORE_RULES: Final = frozenset({Outcome.NO_ROUTE, Outcome.UNKNOWN, Outcome.MARTIAN})
"""Outcomes that no single rule stands for."""


def lit_routes(places: Places, trace: Trace) -> Lit:
    """Marks rules and routes."""
    marks = Marks()
    family = trace.flow.family
    for step in trace.rules:
        _asked(marks, places, family, step)
    _decision(marks, places, trace)
    back = trace.arrival.reverse_path if trace.arrival else None
    if back is not None and back.back is not None and back.back.route is not None:
        marks.put(places.route_row(family, back.back.route), Tone.ALSO, "back")
    for outer in trace.outers_here:
        _outer(marks, places, outer)
    return marks.lit()


def _asked(marks: Marks, places: Places, family: Family, step: RuleStep) -> None:
    row = places.rule_row(family, step.position)
    word = rule_mark_text(step)
    match step.result:
        case RuleResult.REFUSED | RuleResult.DETACHED:
            marks.put(row, Tone.REFUSED, word)
        case RuleResult.JUMPED:
            marks.put(row, Tone.ALSO, word)
        case RuleResult.UNKNOWN:
            marks.put(row, Tone.UNKNOWN, word)
            marks.point(row)
        case RuleResult.DECIDED:
            pass
        case _:
            marks.put(row, Tone.LOST, word)
    if step.found is None:
        return
    winner = step.found.winner
    for lost in step.found.lost:
        marks.put(places.route_row(family, lost.route), Tone.LOST, loss_mark_text(lost, winner))
    if winner is not None and step.result is not RuleResult.DECIDED:
        marks.put(places.route_row(family, winner), Tone.LOST, word)


def _decision(marks: Marks, places: Places, trace: Trace) -> None:
    family, step = trace.flow.family, trace.decided
    word = OUTCOME_WORDS[trace.outcome]
    if step is None:
        asked_unknown = any(asked.result is RuleResult.UNKNOWN for asked in trace.rules)
        if trace.outcome in _BEFORE_RULES and not asked_unknown:
            tone = Tone.UNKNOWN if trace.outcome is Outcome.UNKNOWN else Tone.BAD
            row = places.family_row(family)
            marks.put(row, tone, word)
            marks.point(row)
        return
    rule = places.rule_row(family, step.position)
    stopped = trace.outcome in _STOPPED
    winner = step.found.winner if step.found else None
    if winner is None:
        marks.put(rule, Tone.BAD if stopped else Tone.WON, word)
        marks.point(rule)
        return
    marks.put(rule, Tone.WON, rule_mark_text(step))
    route = places.route_row(family, winner)
    if stopped:
        marks.put(route, Tone.BAD, word)
    elif trace.reason in _UNSURE:
        marks.put(route, Tone.UNKNOWN, word)
    else:
        marks.put(route, Tone.WON, "wins")
    marks.point(route)


def _outer(marks: Marks, places: Places, trace: Trace) -> None:
    family, step = trace.flow.family, trace.decided
    if step is None:
        if trace.outcome is Outcome.NO_ROUTE:
            row = places.family_row(family)
            marks.put(row, Tone.BAD, OUTCOME_WORDS[Outcome.OUTER_FAILED])
            marks.point(row)
        return
    rule = places.rule_row(family, step.position)
    winner = step.found.winner if step.found else None
    row = places.route_row(family, winner) if winner is not None else rule
    if trace.outcome in _STOPPED:
        marks.put(row, Tone.BAD, OUTCOME_WORDS[Outcome.OUTER_FAILED])
        marks.point(row)
    marks.put(rule, Tone.ALSO, "outer")
    marks.put(row, Tone.ALSO, "outer")
