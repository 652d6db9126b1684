"""What are well-known sets of rules called?"""

from __future__ import annotations

from typing import Final

from wgtui.engine.rule_sets import RuleSet, rule_sets
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot

RULE_SETS: Final[dict[RuleSet, str]] = {
    RuleSet.WG_QUICK: "wg-quick",
    RuleSet.NETWORK_MANAGER: "NetworkManager",
    RuleSet.TAILSCALE: "Tailscale",
    RuleSet.MULLVAD: "Mullvad",
    RuleSet.MWAN3: "mwan3",
    RuleSet.VRF: "VRF",
}


def rule_set_text(snapshot: Snapshot, family: Family, position: int) -> str:
    """Who is known to put such a rule there; empty: nobody in particular."""
    known = rule_sets(snapshot).get((family, position))
    return RULE_SETS[known] if known is not None else ""
