"""Which AllowedIPs entries do others take from, or take whole? The longest prefix wins (S-E1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.engine.checks.partition import spans_of, sweep
from wgtui.engine.checks.world import World, who
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Overlap, Shadowed, Taken
from wgtui.model.prefix import FAMILIES
from wgtui.model.prefix_index import NONE, PrefixIndex
from wgtui.model.wireguard import Device

_TOLD: Final = 8
"""So many takers a finding knows by name."""


def overlaps(world: World) -> Iterator[Finding]:
    """Entries with more specific ones of other peers inside: partly taken, or never winning."""
    for device in world.snapshot.devices.values():
        for family in FAMILIES:
            tree = device.owners.tree(family)
            for row, takers in _takers(tree).items():
                yield _finding(device, tree, row, takers)


def _takers(tree: PrefixIndex) -> dict[int, list[int]]:
    """Every row that encloses rows of other owners, and the nearest of those."""
    found: dict[int, list[int]] = {}
    for row, owner in enumerate(tree.values):
        parent = tree.parent(row)
        while parent != NONE and tree.values[parent] == owner:
            parent = tree.parent(parent)
        if parent != NONE:
            found.setdefault(parent, []).append(row)
    return found


def _finding(device: Device, tree: PrefixIndex, row: int, takers: list[int]) -> Finding:
    prefix, owner = tree.prefix(row), device.peers[tree.values[row]]
    told = tuple(
        Taken(tree.prefix(taker), who(device.peers[tree.values[taker]])) for taker in takers[:_TOLD]
    )
    changes = sweep(tree, prefix.network, prefix.last, lambda at: tree.values[at] + 1)
    left = any(value == tree.values[row] + 1 for _, _, value in spans_of(changes, prefix.last))
    if left:
        code, severity = Code.OVERLAP, Severity.INFO
        return Finding(code, severity, Overlap(told, len(takers)), device.name, who(owner), prefix)
    return Finding(
        Code.SHADOWED_PREFIX, Severity.WARNING, Shadowed(told), device.name, who(owner), prefix
    )
