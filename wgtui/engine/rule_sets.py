"""Whose rules are these? Well-known sets of policy rules, by their marks, tables and priorities.

Only names: the walk explains every rule the same way, whoever put it there (S-F3, S-F20, S-F21).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from wgtui.engine.once import once
from wgtui.model.network import MAIN_TABLE, Rule
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot

MULLVAD: Final = 0x6D6F6C65
"""``mole``: mark and table."""
TAILSCALE_TABLE: Final = 52
TAILSCALE_MASK: Final = 0xFF0000
MWAN3_MASK: Final = 0x3F00
_NETWORK_MANAGER: Final = range(30768, 31767)
"""Even priorities of its first rule, from the connection's uuid (S-F20)."""


class RuleSet(Enum):
    """Who is known to put such rules there; the value is a stable code."""

    WG_QUICK = "wg-quick"
    NETWORK_MANAGER = "networkmanager"
    TAILSCALE = "tailscale"
    MULLVAD = "mullvad"
    MWAN3 = "mwan3"
    VRF = "vrf"


@once
def rule_sets(snapshot: Snapshot) -> dict[tuple[Family, int], RuleSet]:
    """By family and place in ``snapshot.rules``: the set that a rule belongs to."""
    found: dict[tuple[Family, int], RuleSet] = {}
    for family, rules in snapshot.rules.items():
        for position, rule in enumerate(rules):
            known = _by_itself(rule) or _of_pair(rules, position)
            if known is not None:
                found[family, position] = known
        if RuleSet.MWAN3 in found.values():
            for position, rule in enumerate(rules):
                if (family, position) not in found and _mwan3_link(rule):
                    found[family, position] = RuleSet.MWAN3
    return found


def _by_itself(rule: Rule) -> RuleSet | None:
    mark = rule.selector.mark
    if rule.selector.l3mdev:
        return RuleSet.VRF
    if rule.table == MULLVAD or (mark is not None and mark.value == MULLVAD):
        return RuleSet.MULLVAD
    marked = mark is not None and mark.mask == TAILSCALE_MASK and mark.value == 0x80000
    if 5200 <= rule.priority <= 5299 and (marked or rule.table == TAILSCALE_TABLE):
        return RuleSet.TAILSCALE
    if mark is not None and mark.mask == MWAN3_MASK and 2000 <= rule.priority < 4000:
        return RuleSet.MWAN3
    return None


def _mwan3_link(rule: Rule) -> bool:
    """``1001: from all iif wan lookup 1``: one for each of its links."""
    number = rule.priority - 1000
    return rule.selector.iif is not None and 0 < number < 253 and rule.table == number


def _of_pair(rules: Sequence[Rule], position: int) -> RuleSet | None:
    """``lookup main suppress_prefixlength 0`` right before ``not fwmark F lookup F``."""
    for first in (position, position - 1):
        if not 0 <= first < len(rules) - 1:
            continue
        known = _pair(rules[first], rules[first + 1])
        if known is not None:
            return known
    return None


def _pair(one: Rule, two: Rule) -> RuleSet | None:
    if one.table != MAIN_TABLE or one.suppress_prefix_length != 0:
        return None
    if two.table == MULLVAD:
        return RuleSet.MULLVAD
    mark = two.selector.mark
    if not two.selector.inverted or mark is None or mark.value != two.table:
        return None
    if two.priority != one.priority + 1:
        return None
    its = one.priority in _NETWORK_MANAGER and one.priority % 2 == 0
    return RuleSet.NETWORK_MANAGER if its else RuleSet.WG_QUICK
