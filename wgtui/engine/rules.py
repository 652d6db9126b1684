"""Which rule decides? The walk over the policy rules, and what each of them said.

fib_rules.c:fib_rules_lookup; S-A1 … S-A11, S-A60 … S-A64. Three rules for editors:

1. The position only moves forward; a ``goto`` target must match too, and the walk goes on behind
it. 2. A table that finds nothing, throws or is suppressed leaves the packet to the next rule; a
table that
   answers with an error type ends the walk.
3. What cannot be evaluated ends the walk as unknown: a guess here would poison everything below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from wgtui.engine.fib import Match, match4, rotating_defaults
from wgtui.engine.fib6 import match6
from wgtui.engine.local_tree import as_listed, default_rules, local_tables, merged, only_deleted
from wgtui.engine.query import Query, vrf_of
from wgtui.engine.selectors import judge
from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    NextHop,
    Route,
    RouteType,
    Rule,
    RuleAction,
    TableId,
)
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, RuleResult, RuleStep, TableStep

_ALWAYS_THERE: Final = (LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE)

_ROUTE_ERRORS: Final = {
    RouteType.BLACKHOLE: Outcome.BLACKHOLED,
    RouteType.UNREACHABLE: Outcome.UNREACHABLE,
    RouteType.PROHIBIT: Outcome.PROHIBITED,
    RouteType.NAT: Outcome.BLACKHOLED,
    RouteType.XRESOLVE: Outcome.BLACKHOLED,
}
_RULE_ERRORS: Final = {
    RuleAction.BLACKHOLE: Outcome.BLACKHOLED,
    RuleAction.UNREACHABLE: Outcome.UNREACHABLE,
    RuleAction.PROHIBIT: Outcome.PROHIBITED,
}


class Found(NamedTuple):
    """How the walk ended."""

    steps: tuple[RuleStep, ...]
    route: Route | None = None
    """The winner; also when its type is an error."""
    legs: tuple[NextHop, ...] = ()
    error: Outcome | None = None
    """Why there is no way on; None: there is one."""
    reason: Reason | None = None


def walk(snapshot: Snapshot, query: Query) -> Found:
    """Ask the rules in order until one decides."""
    family = query.family
    routes_gap = snapshot.gap(Subject.ROUTES4 if family == 4 else Subject.ROUTES6)
    rules = snapshot.rules.get(family)
    if routes_gap is not None and not any(key[0] == family for key in snapshot.routes):
        return Found((), error=Outcome.UNKNOWN, reason=Reason.ROUTES_UNREADABLE)
    if family == 4 and merged(snapshot):
        return _merged(snapshot, query, rules or ())
    if rules is None:
        return Found((), error=Outcome.UNKNOWN, reason=Reason.RULES_UNREADABLE)
    if family == 6 and only_deleted(6, rules):
        # IPv6 looks at its rules once one was added; without some of the first ones, it does not
        # (S-A60). A rule that is gone again would have shown them to it: that cannot be seen.
        found = _Walk(snapshot, query, default_rules(6)).run()
        return found._replace(steps=tuple(as_listed(step, rules) for step in found.steps))
    return _Walk(snapshot, query, rules).run()


def _merged(snapshot: Snapshot, query: Query, rules: Sequence[Rule]) -> Found:
    """The fast path: one longest-prefix match over local and main together, then default (S-A4).

    The kernel evaluates no rule here; the answer is told as the rule that stands for the table.
    """
    positions = {rule.table: position for position, rule in enumerate(rules)}
    steps: list[RuleStep] = []

    def step(table: TableId, result: RuleResult, found: TableStep) -> None:
        position = positions.get(table, -1)
        rule = rules[position] if position >= 0 else None
        steps.append(RuleStep(position, rule, result, found=found))

    asked = {
        table: routes for table in _ALWAYS_THERE if (routes := snapshot.table(4, table)) is not None
    }
    match = match4(MAIN_TABLE, local_tables(snapshot), query)
    winner = match.step.winner
    home = MAIN_TABLE
    if winner is not None and winner.info.type is not RouteType.THROW:
        home = winner.table
        if home == MAIN_TABLE:
            step(LOCAL_TABLE, RuleResult.NO_MATCH, TableStep(LOCAL_TABLE, None))
            match = match._replace(legs=rotating_defaults(asked[MAIN_TABLE], match, query))
    else:
        thrown = RuleResult.THROW if winner is not None else RuleResult.NO_MATCH
        step(LOCAL_TABLE, RuleResult.NO_MATCH, TableStep(LOCAL_TABLE, None))
        step(MAIN_TABLE, thrown, match.step)
        home = DEFAULT_TABLE
        match = match4(home, [asked[home]] if home in asked else [], query)
        winner = match.step.winner
        if winner is None or winner.info.type is RouteType.THROW:
            step(home, RuleResult.NO_MATCH, match.step)
            return Found(tuple(steps), error=Outcome.NO_ROUTE, reason=Reason.NO_RULE_LEFT)
    step(home, RuleResult.DECIDED, match.step)
    return _decided(tuple(steps), match)


def _decided(steps: tuple[RuleStep, ...], match: Match) -> Found:
    route = match.step.winner
    if route is None:
        raise ValueError("a rule that decided has a winner")
    if route.info.type is RouteType.UNKNOWN:
        return Found(steps, route, match.legs, Outcome.UNKNOWN, Reason.UNKNOWN_ROUTE_TYPE)
    if match.unknown:
        reason = Reason.UNKNOWN_ROUTE_ATTRIBUTE
        if "nhid" in route.info.unknown:
            reason = Reason.UNKNOWN_NEXTHOP
        return Found(steps, route, match.legs, Outcome.UNKNOWN, reason)
    error = _ROUTE_ERRORS.get(route.info.type)
    if route.info.nexthop_blackhole:
        error = Outcome.BLACKHOLED
    return Found(steps, route, match.legs, error)


class _Walk:
    """One pass over the rules."""

    def __init__(self, snapshot: Snapshot, query: Query, rules: Sequence[Rule]) -> None:
        self.snapshot = snapshot
        self.query = query
        self.rules = rules
        self.steps: list[RuleStep] = []

    def run(self) -> Found:
        position = 0
        while position < len(self.rules):
            found = self._ask(position)
            if isinstance(found, Found):
                return found
            position = found
        return Found(tuple(self.steps), error=Outcome.NO_ROUTE, reason=Reason.NO_RULE_LEFT)

    def _ask(self, position: int) -> Found | int:
        """The end of the walk, or the position to go on with."""
        rule = self.rules[position]
        verdict = judge(self.snapshot, rule, self.query)
        if verdict.matches is None:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.UNKNOWN_SELECTOR)
        if not verdict.matches:
            result = RuleResult.DETACHED if verdict.detached else RuleResult.REFUSED
            self.steps.append(RuleStep(position, rule, result, verdict.refusals))
            return position + 1
        if rule.action is RuleAction.GOTO:
            return self._goto(position, rule)
        if rule.action is RuleAction.NOP:
            self._note(position, RuleResult.NOP)
            return position + 1
        if rule.action is RuleAction.UNKNOWN:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.UNKNOWN_ACTION)
        if rule.action is not RuleAction.TABLE:
            self._note(position, RuleResult.DECIDED)
            return Found(tuple(self.steps), error=_RULE_ERRORS[rule.action], reason=Reason.RULE)
        return self._table(position, rule)

    def _goto(self, position: int, rule: Rule) -> int:
        for target in range(position + 1, len(self.rules)):
            if self.rules[target].priority == rule.goto:
                self._note(position, RuleResult.JUMPED)
                return target
        self._note(position, RuleResult.UNRESOLVED)
        return position + 1

    def _table(self, position: int, rule: Rule) -> Found | int:
        table = rule.table
        if rule.selector.l3mdev:
            vrf = vrf_of(self.snapshot, self.query.oif) or vrf_of(self.snapshot, self.query.iif)
            table = vrf.vrf_table if vrf else None
        if table is None:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.OTHER_VRF)
        routes = self.snapshot.table(self.query.family, table)
        if routes is None and table not in _ALWAYS_THERE:
            self._note(position, RuleResult.TABLE_MISSING, TableStep(table, None))
            return position + 1
        if self.query.family == 4:
            match = match4(table, [routes] if routes else [], self.query)
            if routes is not None:
                match = match._replace(legs=rotating_defaults(routes, match, self.query))
        else:
            match = match6(self.snapshot, table, routes, self.query)
        return self._result(position, rule, match)

    def _result(self, position: int, rule: Rule, match: Match) -> Found | int:
        winner = match.step.winner
        if winner is None:
            self._note(position, RuleResult.NO_MATCH, match.step)
            return position + 1
        if winner.info.type is RouteType.THROW:
            self._note(position, RuleResult.THROW, match.step)
            return position + 1
        end = winner.info.type in _ROUTE_ERRORS or winner.info.nexthop_blackhole
        if not end and self._suppressed(rule, winner, match):
            self._note(position, RuleResult.SUPPRESSED, match.step)
            return position + 1
        self._note(position, RuleResult.DECIDED, match.step)
        return _decided(tuple(self.steps), match)

    def _suppressed(self, rule: Rule, winner: Route, match: Match) -> bool:
        """A result too short, or by a link of the wrong group, is as if not found (S-A10,
        S-A63)."""
        length = winner.destination.length
        if self.query.family == 6 and any(
            kept.table == winner.table
            and kept.destination.version == 6
            and int(kept.destination) == self.query.destination
            for kept in self.snapshot.exceptions
        ):
            length = 128  # a cached exception is a host route: it escapes the suppressor (S-A63)
        if rule.suppress_prefix_length is not None and length <= rule.suppress_prefix_length:
            return True
        if rule.suppress_group is None or not winner.info.next_hops:
            return False
        leg = winner.info.next_hops[0] if self.query.family == 4 else match.legs[0]
        link = self.snapshot.links.get(leg.link) if leg.link is not None else None
        return link is not None and link.group == rule.suppress_group

    def _note(self, position: int, result: RuleResult, found: TableStep | None = None) -> None:
        self.steps.append(RuleStep(position, self.rules[position], result, found=found))

    def _unknown(self, reason: Reason) -> Found:
        return Found(tuple(self.steps), error=Outcome.UNKNOWN, reason=reason)
