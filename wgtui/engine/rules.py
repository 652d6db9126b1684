"""Which rule decides? The walk over the policy rules, and what each of them said.

fib_rules.c:fib_rules_lookup; S-A1 … S-A11, S-A60 … S-A64. Three rules for editors:

1. The position only moves forward; a ``goto`` target must match too, and the walk goes on behind
it. 2. A table that finds nothing, throws or is suppressed leaves the packet to the next rule; a
table that
   answers with an error type ends the walk.
3. What cannot be evaluated ends the walk as unknown: a guess here would poison everything below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from wgtui.engine.exceptions import kept_for
from wgtui.engine.fib import Match, match4, rotating_defaults
from wgtui.engine.fib6 import match6
from wgtui.engine.local_tree import as_listed, default_rules, local_tables, merged, only_deleted
from wgtui.engine.once import once, remember
from wgtui.engine.query import Query, in_vrf
from wgtui.engine.selectors import Prepared, prepared
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
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, RuleResult, RuleStep, TableStep

_ALWAYS_THERE: Final = (LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE)
_NOTHING_LOCAL: Final = TableStep(LOCAL_TABLE, None)
_NO_RULE: Final = (-1, None)

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


class _Plan(NamedTuple):
    """How a family's walks begin."""

    rules: tuple[Prepared, ...]
    blocked: Found | None = None
    """Nothing can be known, whatever the packet."""
    merged: bool = False
    """IPv4's local and main are one tree: no rule is evaluated (S-A4)."""
    places: Mapping[TableId, tuple[int, Rule]] = MappingProxyType({})
    """Of one tree: the rule that stands for a table."""
    listed: tuple[Rule, ...] | None = None
    """Some of the first rules are gone, but they are asked all the same (S-A60): what is there."""


@once
def _plans(snapshot: Snapshot) -> dict[Family, _Plan]:
    return {family: _plan(snapshot, family) for family in FAMILIES}


def _plan(snapshot: Snapshot, family: Family) -> _Plan:
    routes_gap = snapshot.gap(Subject.ROUTES4 if family == 4 else Subject.ROUTES6)
    rules = snapshot.rules.get(family)
    if routes_gap is not None and not any(key[0] == family for key in snapshot.routes):
        return _Plan((), Found((), error=Outcome.UNKNOWN, reason=Reason.ROUTES_UNREADABLE))
    if family == 4 and merged(snapshot):
        places = {
            rule.table: (position, rule)
            for position, rule in enumerate(rules or ())
            if rule.table is not None
        }
        return _Plan((), merged=True, places=places)
    if rules is None:
        return _Plan((), Found((), error=Outcome.UNKNOWN, reason=Reason.RULES_UNREADABLE))
    if family == 6 and only_deleted(6, rules):
        # IPv6 looks at its rules once one was added; without some of the first ones, it does not
        # (S-A60). A rule that is gone again would have shown them to it: that cannot be seen.
        born = tuple(prepared(snapshot, rule) for rule in default_rules(6))
        return _Plan(born, listed=rules)
    return _Plan(tuple(prepared(snapshot, rule) for rule in rules))


def walk(snapshot: Snapshot, query: Query, told: bool = True) -> Found:
    """Ask the rules in order until one decides; without ``told``, ``steps`` stays empty."""
    plan = _plans(snapshot)[query.family]
    if plan.blocked is not None:
        return plan.blocked
    if plan.merged:
        return _merged(snapshot, query, plan.places, told)
    found = _Walk(snapshot, in_vrf(snapshot, query), plan.rules, told).run()
    if plan.listed is not None:
        return found._replace(steps=tuple(as_listed(step, plan.listed) for step in found.steps))
    return found


def ask_table(snapshot: Snapshot, table: TableId, query: Query) -> Found:
    """One table of IPv6, and no rule."""
    match = match6(snapshot, table, snapshot.table(6, table), query)
    winner = match.step.winner
    if winner is None or winner.info.type is RouteType.THROW:
        step = RuleStep(-1, None, RuleResult.NO_MATCH, found=match.step)
        return Found((step,), error=Outcome.NO_ROUTE)
    return _decided((RuleStep(-1, None, RuleResult.DECIDED, found=match.step),), match)


def _recalled4(
    snapshot: Snapshot, table: TableId, tables: Sequence[RouteTable], query: Query, told: bool
) -> Match:
    """``match4``, remembered: the ways there and back ask the same tables for the same address."""
    known = _matches4(snapshot)
    # All that match4 compares; ``tables`` follows from ``table``.
    key = (table, query.destination, query.oif, query.tos, query.scope)
    found = known.get(key)
    if found is None or (told and not found[0]):
        match = match4(table, tables, query, told)
        return remember(known, key, (told, match))[1]
    return found[1]


@once
def _matches4(_: Snapshot) -> dict[tuple[TableId, int, int, int, int], tuple[bool, Match]]:
    """Whether it was asked who lost, and what was found."""
    return {}


def _merged(
    snapshot: Snapshot, query: Query, places: Mapping[TableId, tuple[int, Rule]], told: bool
) -> Found:
    """The fast path: one longest-prefix match over local and main together, then default (S-A4).

    The kernel evaluates no rule here; the answer is told as the rule that stands for the table.
    """
    steps: list[RuleStep] = []

    def step(table: TableId, result: RuleResult, found: TableStep) -> None:
        if told:
            position, rule = places.get(table, _NO_RULE)
            steps.append(RuleStep(position, rule, result, (), found))

    match = _recalled4(snapshot, MAIN_TABLE, local_tables(snapshot), query, told)
    winner = match.step.winner
    home = MAIN_TABLE
    if winner is not None and winner.info.type is not RouteType.THROW:
        home = winner.table
        if home == MAIN_TABLE:
            step(LOCAL_TABLE, RuleResult.NO_MATCH, _NOTHING_LOCAL)
            main = snapshot.routes[4, MAIN_TABLE]
            match = rotating_defaults(main, match, query)
    else:
        thrown = RuleResult.THROW if winner is not None else RuleResult.NO_MATCH
        step(LOCAL_TABLE, RuleResult.NO_MATCH, _NOTHING_LOCAL)
        step(MAIN_TABLE, thrown, match.step)
        home = DEFAULT_TABLE
        last = snapshot.table(4, home)
        match = _recalled4(snapshot, home, [] if last is None else [last], query, told)
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
    error = None
    if route.info.type is not RouteType.UNICAST:
        error = _ROUTE_ERRORS.get(route.info.type)
    if route.info.nexthop_blackhole:
        error = Outcome.BLACKHOLED
    return Found(steps, route, match.legs, error)


class _Walk:
    """One pass over the rules."""

    __slots__ = ("query", "rules", "snapshot", "steps", "told")

    def __init__(
        self, snapshot: Snapshot, query: Query, rules: Sequence[Prepared], told: bool
    ) -> None:
        self.snapshot = snapshot
        self.query = query
        self.rules = rules
        self.told = told
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
        asked = self.rules[position]
        rule = asked.rule
        if not asked.always:
            matches = asked.matches(self.query)
            if matches is None:
                self._note(position, RuleResult.UNKNOWN)
                return self._unknown(Reason.UNKNOWN_SELECTOR)
            if not matches:
                if self.told:
                    self._refused(position, asked)
                return position + 1
        if rule.action is RuleAction.TABLE:
            return self._table(position, rule)
        if rule.action is RuleAction.GOTO:
            return self._goto(position, rule)
        if rule.action is RuleAction.NOP:
            self._note(position, RuleResult.NOP)
            return position + 1
        if rule.action is RuleAction.UNKNOWN:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.UNKNOWN_ACTION)
        self._note(position, RuleResult.DECIDED)
        return Found(tuple(self.steps), error=_RULE_ERRORS[rule.action], reason=Reason.RULE)

    def _refused(self, position: int, asked: Prepared) -> None:
        verdict = asked.refused(self.query)
        result = RuleResult.DETACHED if verdict.detached else RuleResult.REFUSED
        self.steps.append(RuleStep(position, asked.rule, result, verdict.refusals))

    def _goto(self, position: int, rule: Rule) -> int:
        for target in range(position + 1, len(self.rules)):
            if self.rules[target].rule.priority == rule.goto:
                self._note(position, RuleResult.JUMPED)
                return target
        self._note(position, RuleResult.UNRESOLVED)
        return position + 1

    def _table(self, position: int, rule: Rule) -> Found | int:
        table = rule.table
        if rule.selector.l3mdev:
            vrf = self.snapshot.links.get(self.query.vrf)
            table = vrf.vrf_table if vrf is not None else None
        if table is None:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.OTHER_VRF)
        routes = self.snapshot.table(self.query.family, table)
        if routes is None and table not in _ALWAYS_THERE:
            self._note(position, RuleResult.TABLE_MISSING, TableStep(table, None))
            return position + 1
        if self.query.family == 4:
            if routes is None:
                match = Match(TableStep(table, None))
            else:
                match = _recalled4(self.snapshot, table, (routes,), self.query, self.told)
                match = rotating_defaults(routes, match, self.query)
        else:
            match = match6(self.snapshot, table, routes, self.query, self.told)
        return self._result(position, rule, match)

    def _result(self, position: int, rule: Rule, match: Match) -> Found | int:
        winner = match.step.winner
        if winner is None:
            self._note(position, RuleResult.NO_MATCH, match.step)
            return position + 1
        if winner.info.type is RouteType.THROW:
            self._note(position, RuleResult.THROW, match.step)
            return position + 1
        if self._suppressed(rule, winner, match):
            self._note(position, RuleResult.SUPPRESSED, match.step)
            return position + 1
        self._note(position, RuleResult.DECIDED, match.step)
        return _decided(tuple(self.steps), match)

    def _suppressed(self, rule: Rule, winner: Route, match: Match) -> bool:
        """A result too short, or by a link of the wrong group, is as if not found (S-A10, S-A63);
        errors are never taken back."""
        if rule.suppress_prefix_length is None and rule.suppress_group is None:
            return False
        if winner.info.type in _ROUTE_ERRORS or winner.info.nexthop_blackhole:
            return False
        length = winner.destination.length
        kept = kept_for(self.snapshot, 6, self.query.destination) if self.query.family == 6 else ()
        if any(exception.table == winner.table for exception in kept):
            length = 128  # a cached exception is a host route: it escapes the suppressor (S-A63)
        if rule.suppress_prefix_length is not None and length <= rule.suppress_prefix_length:
            return True
        if rule.suppress_group is None or not winner.info.next_hops:
            return False
        leg = winner.info.next_hops[0] if self.query.family == 4 else match.legs[0]
        link = self.snapshot.links.get(leg.link) if leg.link is not None else None
        return link is not None and link.group == rule.suppress_group

    def _note(self, position: int, result: RuleResult, found: TableStep | None = None) -> None:
        if self.told:
            rule = self.rules[position].rule
            self.steps.append(RuleStep(position, rule, result, (), found))

    def _unknown(self, reason: Reason) -> Found:
        return Found(tuple(self.steps), error=Outcome.UNKNOWN, reason=reason)
