"""When are known mistakes looked for again? After every change, but never most of the time.

It runs in a thread of its own, which shares the processor with the screen: it begins when nobody
types, stops between two checks while somebody does, and where a look takes long, the next one waits
ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final

from wgtui.engine.checks import check
from wgtui.engine.checks.world import same_device
from wgtui.model.finding import Finding
from wgtui.model.network import LinkIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device

REST: Final = 10.0
"""So many times as long as a look took, nobody looks again."""


class Watch:
    """The findings of one source, as it changes."""

    def __init__(self, give_way: Callable[[], object] = lambda: None) -> None:
        """``give_way`` is called between two checks, and may wait."""
        self._give_way = give_way
        self._looked_at: Snapshot | None = None
        self._first: Mapping[LinkIndex, Device] = {}
        """The devices as they were when each was first seen."""
        self._not_before = 0.0

    def early(self) -> float:
        """Seconds until the next look may be."""
        return max(0.0, self._not_before - monotonic())

    def look(self, snapshot: Snapshot) -> tuple[Finding, ...] | None:
        """The findings, or None: nothing is new, or it is too early; call again."""
        if snapshot is self._looked_at or self.early():
            return None
        before = self._looked_at
        started = monotonic()
        self._first = {
            link: same_device(self._first, device) or device
            for link, device in snapshot.devices.items()
        }
        found = check(snapshot, before, self._first, self._give_way)
        self._looked_at = snapshot
        self._not_before = monotonic() + REST * (monotonic() - started)
        return found
