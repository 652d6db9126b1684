"""What could not be read, so that a clean result would be no result?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.engine.checks.world import World
from wgtui.engine.cryptokey import hidden
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Unseen
from wgtui.model.snapshot import Gap, Subject

_WANTS_ROOT: Final = ("not permitted", "ermission denied")
"""EPERM and EACCES as the C library says them."""

_NEEDED: Final = frozenset({Subject.FIREWALL, Subject.XFRM, Subject.CONFIG, Subject.NAMESPACE})
"""Subjects that only the privileged may read, beside WireGuard itself."""


def privilege(world: World) -> Iterator[Finding]:
    """Devices whose peers are not seen, and what else was refused for want of privileges."""
    told: set[Gap] = set()
    for link in world.snapshot.links.values():
        gap = world.snapshot.gap(Subject.WIREGUARD, link.index)
        if hidden(world.snapshot, link) and gap is not None:
            told.add(gap)
            yield Finding(Code.PRIVILEGE, Severity.WARNING, Unseen(gap), link.name)
    for gap in dict.fromkeys(world.snapshot.gaps):
        refused = any(words in gap.why for words in _WANTS_ROOT)
        if gap in told or not refused:
            continue
        if gap.subject is Subject.WIREGUARD:
            yield Finding(Code.PRIVILEGE, Severity.WARNING, Unseen(gap))
        elif gap.subject in _NEEDED:
            yield Finding(Code.PRIVILEGE, Severity.INFO, Unseen(gap))
