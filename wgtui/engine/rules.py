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
from typing import Final, NamedTuple, TypeAlias

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


_new_found: Final = Found.__new__
_new_step: Final = RuleStep.__new__
"""At half the price; see ``prefix.new_prefix``."""


class _Line(NamedTuple):
    """A rule, and what every walk would look up for it again."""

    asked: Prepared
    rule: Rule
    always: bool
    """It matches every packet."""
    routes: RouteTable | None
    """Where it sends all packets that it matches, whatever else they are; None: see its action."""
    suppresses: bool
    target: int | None
    """Where its goto leads to."""


_Matches4: TypeAlias = dict[tuple[TableId, int, int, int, int], tuple[bool, Match]]
"""By all that is compared: was it asked who lost, and what was found."""


class _Plan(NamedTuple):
    """How a family's walks begin."""

    lines: tuple[_Line, ...]
    known: _Matches4
    """What IPv4's tables were asked lately."""
    blocked: Found | None = None
    """Nothing can be known, whatever the packet."""
    tree: tuple[RouteTable, ...] | None = None
    """IPv4's local and main, where they are one tree: no rule is evaluated (S-A4)."""
    places: Mapping[TableId, tuple[int, Rule]] = MappingProxyType({})
    """Of one tree: the rule that stands for a table."""
    before_main: tuple[RuleStep, ...] = ()
    """Of one tree: what is told of local, when main has the winner."""
    listed: tuple[Rule, ...] | None = None
    """Some of the first rules are gone, but they are asked all the same (S-A60): what is there."""

    def step(self, table: TableId, result: RuleResult, found: TableStep) -> RuleStep:
        """Of one tree: what is told of one of its tables, or of default."""
        position, rule = self.places.get(table, _NO_RULE)
        return _new_step(RuleStep, position, rule, result, (), found)


@once
def _plans(snapshot: Snapshot) -> dict[Family, _Plan]:
    return {family: _plan(snapshot, family) for family in FAMILIES}


def _plan(snapshot: Snapshot, family: Family) -> _Plan:
    routes_gap = snapshot.gap(Subject.ROUTES4 if family == 4 else Subject.ROUTES6)
    rules = snapshot.rules.get(family)
    if routes_gap is not None and not any(key[0] == family for key in snapshot.routes):
        return _Plan((), {}, Found((), error=Outcome.UNKNOWN, reason=Reason.ROUTES_UNREADABLE))
    if family == 4 and merged(snapshot):
        places = {
            rule.table: (position, rule)
            for position, rule in enumerate(rules or ())
            if rule.table is not None
        }
        plan = _Plan((), {}, tree=tuple(local_tables(snapshot)), places=places)
        nothing = plan.step(LOCAL_TABLE, RuleResult.NO_MATCH, TableStep(LOCAL_TABLE, None))
        return plan._replace(before_main=(nothing,))
    if rules is None:
        return _Plan((), {}, Found((), error=Outcome.UNKNOWN, reason=Reason.RULES_UNREADABLE))
    if family == 6 and only_deleted(6, rules):
        # IPv6 looks at its rules once one was added; without some of the first ones, it does not
        # (S-A60). A rule that is gone again would have shown them to it: that cannot be seen.
        return _Plan(_lines(snapshot, default_rules(6)), {}, listed=rules)
    return _Plan(_lines(snapshot, rules), {})


def _lines(snapshot: Snapshot, rules: Sequence[Rule]) -> tuple[_Line, ...]:
    return tuple(_line(snapshot, rules, position) for position in range(len(rules)))


def _line(snapshot: Snapshot, rules: Sequence[Rule], position: int) -> _Line:
    rule = rules[position]
    asked = prepared(snapshot, rule)
    later = range(position + 1, len(rules))
    plain = rule.action is RuleAction.TABLE and not rule.selector.l3mdev and rule.table is not None
    return _Line(
        asked,
        rule,
        asked.always,
        snapshot.table(rule.family, rule.table) if plain and rule.table is not None else None,
        rule.suppress_prefix_length is not None or rule.suppress_group is not None,
        next((target for target in later if rules[target].priority == rule.goto), None),
    )


def walk(snapshot: Snapshot, query: Query, told: bool = True) -> Found:
    """Ask the rules in order until one decides; without ``told``, ``steps`` stays empty."""
    plan = _plans(snapshot)[query.family]
    if plan.blocked is not None:
        return plan.blocked
    if plan.tree is not None:
        return _merged(snapshot, query, plan, told)
    found = _Walk(snapshot, in_vrf(snapshot, query), plan, told).run()
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
    known: _Matches4, table: TableId, tables: Sequence[RouteTable], query: Query, told: bool
) -> Match:
    """``match4``, remembered: the ways there and back ask the same tables for the same address."""
    # All that match4 compares; ``tables`` follows from ``table``.
    key = (table, query.destination, query.oif, query.tos, query.scope)
    found = known.get(key)
    if found is None or (told and not found[0]):
        match = match4(table, tables, query, told)
        return remember(known, key, (told, match))[1]
    return found[1]


def _merged(snapshot: Snapshot, query: Query, plan: _Plan, told: bool) -> Found:
    """The fast path: one longest-prefix match over local and main together, then default (S-A4).

    The kernel evaluates no rule here; the answer is told as the rule that stands for the table.
    """
    match = _recalled4(plan.known, MAIN_TABLE, plan.tree or (), query, told)
    winner = match.step.winner
    if winner is not None and winner.info.type is not RouteType.THROW:
        home, before = winner.table, plan.before_main
        if home == MAIN_TABLE:
            if winner.destination.length == 0:
                match = rotating_defaults(snapshot.routes[4, home], match, query)
        else:
            before = ()
        if not told:
            return _decided((), match)
        return _decided((*before, plan.step(home, RuleResult.DECIDED, match.step)), match)
    thrown = RuleResult.THROW if winner is not None else RuleResult.NO_MATCH
    main = plan.step(MAIN_TABLE, thrown, match.step)
    last = snapshot.table(4, DEFAULT_TABLE)
    match = _recalled4(plan.known, DEFAULT_TABLE, () if last is None else (last,), query, told)
    winner = match.step.winner
    decided = winner is not None and winner.info.type is not RouteType.THROW
    result = RuleResult.DECIDED if decided else RuleResult.NO_MATCH
    steps = (*plan.before_main, main, plan.step(DEFAULT_TABLE, result, match.step)) if told else ()
    if decided:
        return _decided(steps, match)
    return Found(steps, error=Outcome.NO_ROUTE, reason=Reason.NO_RULE_LEFT)


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
    info, error = route.info, None
    if info.type is not RouteType.UNICAST:
        error = _ROUTE_ERRORS.get(info.type)
    if info.nexthop_blackhole:
        error = Outcome.BLACKHOLED
    return _new_found(Found, steps, route, match.legs, error)


class _Walk:
    """One pass over the rules."""

    __slots__ = ("known", "lines", "query", "snapshot", "steps", "told")

    def __init__(self, snapshot: Snapshot, query: Query, plan: _Plan, told: bool) -> None:
        self.snapshot = snapshot
        self.query = query
        self.lines = plan.lines
        self.known = plan.known
        self.told = told
        self.steps: list[RuleStep] = []

    def run(self) -> Found:
        position, query, lines = 0, self.query, self.lines
        while position < len(lines):
            line = lines[position]
            if not line.always:
                matches = line.asked.matches(query)
                if matches is None:
                    self._note(position, RuleResult.UNKNOWN)
                    return self._unknown(Reason.UNKNOWN_SELECTOR)
                if not matches:
                    self._refused(position, line)
                    position += 1
                    continue
            if line.routes is not None:
                found = self._table(position, line, line.routes)
            elif line.rule.action is RuleAction.GOTO:
                position = self._goto(position, line)
                continue
            else:
                found = self._ask(position, line.rule)
            if found is not None:
                return found
            position += 1
        return Found(tuple(self.steps), error=Outcome.NO_ROUTE, reason=Reason.NO_RULE_LEFT)

    def _ask(self, position: int, rule: Rule) -> Found | None:
        """The end of the walk; None: on to the next rule."""
        if rule.action is RuleAction.TABLE:
            return self._no_table(position, rule)
        if rule.action is RuleAction.NOP:
            self._note(position, RuleResult.NOP)
            return None
        if rule.action is RuleAction.UNKNOWN:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.UNKNOWN_ACTION)
        self._note(position, RuleResult.DECIDED)
        return Found(tuple(self.steps), error=_RULE_ERRORS[rule.action], reason=Reason.RULE)

    def _refused(self, position: int, line: _Line) -> None:
        if self.told:
            verdict = line.asked.refused(self.query)
            result = RuleResult.DETACHED if verdict.detached else RuleResult.REFUSED
            self.steps.append(RuleStep(position, line.rule, result, verdict.refusals))

    def _goto(self, position: int, line: _Line) -> int:
        if line.target is None:
            self._note(position, RuleResult.UNRESOLVED)
            return position + 1
        self._note(position, RuleResult.JUMPED)
        return line.target

    def _no_table(self, position: int, rule: Rule) -> Found | None:
        """Of a table that is not known beforehand, or has no routes."""
        table = rule.table
        if rule.selector.l3mdev:
            vrf = self.snapshot.links.get(self.query.vrf)
            table = vrf.vrf_table if vrf is not None else None
        if table is None:
            self._note(position, RuleResult.UNKNOWN)
            return self._unknown(Reason.OTHER_VRF)
        routes = self.snapshot.table(self.query.family, table)
        if routes is not None:
            return self._table(position, self.lines[position], routes)
        there = table in _ALWAYS_THERE
        result = RuleResult.NO_MATCH if there else RuleResult.TABLE_MISSING
        self._note(position, result, TableStep(table, None))
        return None

    def _table(self, position: int, line: _Line, routes: RouteTable) -> Found | None:
        query = self.query
        if query.family == 4:
            match = _recalled4(self.known, routes.table, (routes,), query, self.told)
            winner = match.step.winner
            if winner is not None and winner.destination.length == 0:
                match = rotating_defaults(routes, match, query)
        else:
            match = match6(self.snapshot, routes.table, routes, query, self.told)
            winner = match.step.winner
        if winner is None:
            result = RuleResult.NO_MATCH
        elif winner.info.type is RouteType.THROW:
            result = RuleResult.THROW
        elif line.suppresses and self._suppressed(line.rule, winner, match):
            result = RuleResult.SUPPRESSED
        else:
            if self.told:
                self._note(position, RuleResult.DECIDED, match.step)
            return _decided(tuple(self.steps), match)
        if self.told:
            self._note(position, result, match.step)
        return None

    def _suppressed(self, rule: Rule, winner: Route, match: Match) -> bool:
        """A result too short, or by a link of the wrong group, is as if not found (S-A10, S-A63);
        errors are never taken back."""
        info = winner.info
        if info.nexthop_blackhole:
            return False
        if info.type is not RouteType.UNICAST and info.type in _ROUTE_ERRORS:
            return False
        length = winner.destination.length
        if self.query.family == 6:
            kept = kept_for(self.snapshot, 6, self.query.destination)
            if any(exception.table == winner.table for exception in kept):
                length = 128  # a cached exception is a host route: it escapes (S-A63)
        if rule.suppress_prefix_length is not None and length <= rule.suppress_prefix_length:
            return True
        if rule.suppress_group is None or not winner.info.next_hops:
            return False
        leg = winner.info.next_hops[0] if self.query.family == 4 else match.legs[0]
        link = self.snapshot.links.get(leg.link) if leg.link is not None else None
        return link is not None and link.group == rule.suppress_group

    def _note(self, position: int, result: RuleResult, found: TableStep | None = None) -> None:
        if self.told:
            self.steps.append(
                _new_step(RuleStep, position, self.lines[position].rule, result, (), found)
            )

    def _unknown(self, reason: Reason) -> Found:
        return Found(tuple(self.steps), error=Outcome.UNKNOWN, reason=reason)
