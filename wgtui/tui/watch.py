"""When are known mistakes looked for again? After every change, but never most of the time.

It runs in a thread of its own, which shares the processor with the screen: it begins when nobody
types, stops between two checks while somebody does, and where a look takes long, the next one waits
ten times as long. Where only counters and the time have moved on, only what depends on them is
looked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Final, NamedTuple, TypeAlias

from wgtui.engine.checks import Found, each, in_order
from wgtui.engine.checks.concern import Concerns
from wgtui.engine.checks.same_ground import same_ground
from wgtui.engine.checks.world import same_device
from wgtui.model.finding import Finding
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device
from wgtui.report.welcome import counts_text

SETTLED: Final = 600.0
"""Seconds after which what has moved is news no more: it was meant, or somebody has seen it."""

Owned: TypeAlias = dict[Prefix, str]
"""Prefix to public key."""

REST: Final = 10.0
"""So many times as long as a look took, nobody looks again."""


class Mistakes(NamedTuple):
    """What is known to be wrong. All that grows with their number is worked out with it, once, and
    not for every key."""

    findings: tuple[Finding, ...]
    concerns: Concerns
    """The same, by what they speak of."""
    counted: str
    """``2 errors, 1 warning``."""


def mistakes(findings: tuple[Finding, ...]) -> Mistakes:
    """Ready to be asked about."""
    return Mistakes(findings, Concerns(findings), counts_text(findings))


class Watch:
    """The findings of one source, as it changes."""

    def __init__(self, give_way: Callable[[], object] = lambda: None) -> None:
        """``give_way`` is called between two checks, and may wait."""
        self._give_way = give_way
        self._looked_at: Snapshot | None = None
        self._first: Mapping[LinkIndex, Device] = {}
        """The devices as they were when each was first seen."""
        self._settled: dict[LinkIndex, Owned] = {}
        """Who has had what for ``SETTLED`` seconds, or up to twice as long."""
        self._settling: dict[LinkIndex, Owned] = {}
        """Those that are next, and since when; Unix time."""
        self._since: float | None = None
        self._found: Found | None = None
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
        self._settle(snapshot)
        known = self._found if before is not None and same_ground(before, snapshot) else None
        self._found = each(
            snapshot, before, self._first, self._give_way, self._settled, known=known
        )
        found = in_order(self._found)
        self._looked_at = snapshot
        self._not_before = monotonic() + REST * (monotonic() - started)
        return found

    def _settle(self, snapshot: Snapshot) -> None:
        """Keep who has had what for a while; what changes owner begins anew."""
        before = {} if self._looked_at is None else self._looked_at.devices
        for known in (self._settled, self._settling):
            for link in tuple(known):
                old, new = before.get(link), snapshot.devices.get(link)
                if old is None or new is None or old.name != new.name:
                    del known[link]
                elif _given(old) != _given(new):
                    now = _owned(new)
                    kept = {one: key for one, key in known[link].items() if now.get(one) == key}
                    known[link] = kept
        if self._since is None or snapshot.taken_at - self._since >= SETTLED:
            self._settled, self._since = self._settling, snapshot.taken_at
            self._settling = {link: _owned(one) for link, one in snapshot.devices.items()}


def _owned(device: Device) -> Owned:
    return {prefix: peer.public_key for peer in device.peers for prefix in peer.allowed_ips}


def _given(device: Device) -> list[tuple[str, tuple[Prefix, ...]]]:
    return [(peer.public_key, peer.allowed_ips) for peer in device.peers]
