"""What does the kernel keep for one single destination: a smaller MTU, a redirected gateway?

S-A63, S-B14, S-B67.
"""

from __future__ import annotations

from wgtui.engine.once import once
from wgtui.model.network import CachedRoute
from wgtui.model.prefix import Family, family_of
from wgtui.model.snapshot import Snapshot


@once
def _by_destination(snapshot: Snapshot) -> dict[tuple[Family, int], tuple[CachedRoute, ...]]:
    found: dict[tuple[Family, int], tuple[CachedRoute, ...]] = {}
    for kept in snapshot.exceptions:
        key = (family_of(kept.destination), int(kept.destination))
        found[key] = (*found.get(key, ()), kept)
    return found


def kept_for(snapshot: Snapshot, family: Family, destination: int) -> tuple[CachedRoute, ...]:
    """Every exception for exactly this destination, in the order of the dump."""
    return _by_destination(snapshot).get((family, destination), ())
