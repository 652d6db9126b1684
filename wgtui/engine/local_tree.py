"""Are IPv4's local and main tables still one tree, and which addresses are therefore this host's
own?

include/net/ip_fib.h:fib_lookup, fib_trie.c:fib_new_table (S-A4, S-A5);
fib_frontend.c:__ip_dev_find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from wgtui.engine.fib import match4
from wgtui.engine.once import once
from wgtui.engine.query import Query
from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    LinkIndex,
    RouteType,
    Rule,
    TableId,
)
from wgtui.model.prefix import Family
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import RuleStep

DEFAULT_RULES: Final[dict[Family, tuple[tuple[int, TableId], ...]]] = {
    4: ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, DEFAULT_TABLE)),
    6: ((0, LOCAL_TABLE), (32766, MAIN_TABLE)),
}
"""Priority and table of the rules every namespace is born with (S-A2)."""


def default_rules(family: Family) -> list[Rule]:
    """The rules themselves."""
    return [Rule(priority, family, table=table) for priority, table in DEFAULT_RULES[family]]


def only_default_rules(family: Family, rules: Sequence[Rule]) -> bool:
    """Exactly the rules a namespace is born with."""
    born = default_rules(family)
    return len(rules) == len(born) and [replace(rule, protocol="") for rule in rules] == born


def only_deleted(family: Family, rules: Sequence[Rule]) -> bool:
    """Some of these rules are missing, and there are no others."""
    born = default_rules(family)
    if len(rules) >= len(born):
        return False
    kept = [replace(rule, protocol="") for rule in rules]
    return kept == [rule for rule in born if rule in kept]


def as_listed(step: RuleStep, rules: Sequence[Rule]) -> RuleStep:
    """The step of a rule that may have been deleted."""
    for position, rule in enumerate(rules):
        if step.rule is not None and rule.priority == step.rule.priority:
            return step._replace(position=position, rule=rule)
    return step._replace(position=-1, rule=None)


@once
def merged(snapshot: Snapshot) -> bool:
    """Are IPv4's local and main still one tree? Known from the kernel, else from the rules.

    Where the rules are not those of a new namespace, the trees were split: then 127.0.0.1 in main
    only means that no rule for local comes first.
    """
    rules = snapshot.rules.get(4)
    if rules is None:
        return bool(snapshot.local_in_main)
    return only_default_rules(4, rules) and snapshot.local_in_main is not False


@once
def local_tables(snapshot: Snapshot) -> list[RouteTable]:
    """What a lookup in IPv4's local table sees: main as well, while they are one tree."""
    wanted = (LOCAL_TABLE, MAIN_TABLE) if merged(snapshot) else (LOCAL_TABLE,)
    return [tree for table in wanted if (tree := snapshot.table(4, table)) is not None]


def homes(snapshot: Snapshot, address: int) -> tuple[LinkIndex, ...]:
    """The links an IPv4 address of this host is on; empty: it is not this host's.

    The addresses of the links first, then what the local table calls local, like 127.0.0.0/8.
    """
    found = _carriers(snapshot).get(address, ())
    if found:
        return found
    match = match4(LOCAL_TABLE, local_tables(snapshot), Query(4, address), told=False)
    if match.step.winner is None or match.step.winner.info.type is not RouteType.LOCAL:
        return ()
    return tuple(leg.link for leg in match.legs if leg.link is not None)


@once
def _carriers(snapshot: Snapshot) -> dict[int, tuple[LinkIndex, ...]]:
    """The links that have an IPv4 address, in the kernel's order."""
    found: dict[int, tuple[LinkIndex, ...]] = {}
    for link in snapshot.links.values():
        for address in dict.fromkeys(
            int(entry.address) for entry in link.addresses if entry.address.version == 4
        ):
            found[address] = (*found.get(address, ()), link.index)
    return found
