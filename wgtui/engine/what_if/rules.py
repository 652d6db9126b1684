"""What do ``ip rule add`` and ``ip rule del`` do? fib_rules.c:fib_newrule, fib_delrule (S-A1 …
S-A11)."""

from __future__ import annotations

from dataclasses import replace

from wgtui.engine.local_tree import only_deleted
from wgtui.engine.selectors import LEGACY_TOS
from wgtui.engine.what_if.applied import Applied, Note, Objection, RefusedError, Touched
from wgtui.model.command import RuleCommand, Verb
from wgtui.model.network import Rule, RuleAction
from wgtui.model.snapshot import Snapshot


def apply_rule(snapshot: Snapshot, command: RuleCommand) -> Applied:
    """Add or delete a rule; raises ``RefusedError``."""
    family = command.rule.family
    rules = snapshot.rules.get(family)
    if rules is None:
        raise RefusedError(Objection.UNSEEN)
    changed = _added(rules, command) if command.verb is Verb.ADD else _deleted(rules, command)
    if family == 6 and command.verb is Verb.DELETE and only_deleted(6, changed):
        # With nothing but some of the first rules left it matters whether another one was ever
        # added, be it gone again: the kernel asks its rules since then (S-A60).
        raise RefusedError(Objection.IPV6_RULES)
    moved = tuple(rule for rule in (*rules, *changed) if (rule in rules) != (rule in changed))
    after = replace(snapshot, rules={**snapshot.rules, family: changed})
    if family == 4:
        # The first rule that comes or goes splits the trees of local and main for good (S-A4).
        after = replace(after, local_in_main=False)
    notes = () if moved or len(changed) != len(rules) else (Note.NOTHING_CHANGES,)
    return Applied(after, touched=Touched(everything=True, rules=moved), notes=notes)


def _added(rules: tuple[Rule, ...], command: RuleCommand) -> tuple[Rule, ...]:
    rule = command.rule
    if "priority" not in command.given:
        rule = replace(rule, priority=_automatic(rules))
    if rule.action is RuleAction.GOTO and (rule.goto or 0) <= rule.priority:
        raise RefusedError(Objection.GOTO_BACKWARDS, str(rule.goto))
    tos = rule.selector.tos or 0
    if tos & 3 or (rule.family == 4 and tos & ~LEGACY_TOS):
        raise RefusedError(Objection.INVALID_TOS, hex(tos))
    if rule.action is RuleAction.TABLE and rule.table == 0:
        raise RefusedError(Objection.NOT_PREDICTED, "table 0")
    if any(_same(other, rule) for other in rules):
        raise RefusedError(Objection.FILE_EXISTS)
    before = [other for other in rules if other.priority <= rule.priority]
    return (*before, rule, *rules[len(before) :])


def _automatic(rules: tuple[Rule, ...]) -> int:
    """Just before the second rule of the list (S-A3)."""
    return max(0, rules[1].priority - 1) if len(rules) > 1 else 0


def _same(one: Rule, other: Rule) -> bool:
    """What counts as a duplicate (fib_rules.c:rule_exists): ``not`` and where a goto leads are not
    compared, and prefixes, tos, dscp and flow labels only where the new rule has them. Who
    installed it is: a rule like the kernel's own is none of it."""
    mine, theirs = one.selector, other.selector
    compared = replace(
        mine,
        inverted=theirs.inverted,
        source=mine.source if theirs.source is not None else None,
        destination=mine.destination if theirs.destination is not None else None,
        tos=mine.tos if theirs.tos is not None else None,
        dscp=mine.dscp if theirs.dscp is not None else None,
        flowlabel=mine.flowlabel if theirs.flowlabel is not None else None,
    )
    return compared == theirs and replace(other, selector=mine, goto=one.goto) == one


def _deleted(rules: tuple[Rule, ...], command: RuleCommand) -> tuple[Rule, ...]:
    for position, rule in enumerate(rules):
        if _meant(rule, command):
            return (*rules[:position], *rules[position + 1 :])
    raise RefusedError(Objection.NO_SUCH_FILE)


def _meant(rule: Rule, command: RuleCommand) -> bool:
    """Is this the rule to delete? Only what was given is compared (fib_rules.c:rule_find)."""
    wanted, given = command.rule, command.given
    mine, theirs = rule.selector, wanted.selector
    comparisons = {
        "priority": rule.priority == wanted.priority,
        "table": rule.table == wanted.table,
        "action": rule.action is wanted.action and rule.goto == wanted.goto,
        "suppress": rule.suppress_prefix_length == wanted.suppress_prefix_length,
        "group": rule.suppress_group == wanted.suppress_group,
        "protocol": rule.protocol == wanted.protocol,
        "l3mdev": mine.l3mdev,
        "not": mine.inverted,
        "from": mine.source == theirs.source,
        "to": mine.destination == theirs.destination,
        "iif": mine.iif == theirs.iif,
        "oif": mine.oif == theirs.oif,
        "fwmark": mine.mark == theirs.mark,
        "tos": mine.tos == theirs.tos,
        "ipproto": mine.protocol == theirs.protocol,
        "sport": mine.source_port == theirs.source_port,
        "dport": mine.destination_port == theirs.destination_port,
        "uidrange": mine.uids == theirs.uids,
    }
    return all(comparisons[part] for part in given)
