"""What could not be read, so that a clean result would be no result?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.engine.checks.world import World
from wgtui.engine.cryptokey import hidden
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Unseen
from wgtui.model.prefix import Family, family_of
from wgtui.model.snapshot import ONLY_THE_PRIVILEGED, Gap, Subject

_WANTS_ROOT: Final = ("not permitted", "ermission denied")
"""EPERM and EACCES as the C library says them."""

_GROUND: Final[dict[Subject, Family | None]] = {
    Subject.LINKS: None,
    Subject.RULES4: 4,
    Subject.RULES6: 6,
    Subject.ROUTES4: 4,
    Subject.ROUTES6: 6,
}
"""Where these are missing next to nothing is checked, of one family or of both."""

_PARTS: Final = frozenset({Subject.ADDRESSES, Subject.SYSCTL, Subject.NEXTHOPS})
"""Where these are missing some mistakes are not seen."""


def privilege(world: World) -> Iterator[Finding]:
    """Devices whose peers are not seen, and what else was refused for want of privileges."""
    told: set[Gap] = set()
    for link in world.snapshot.links.values():
        gap = world.snapshot.gap(Subject.WIREGUARD, link.index)
        if hidden(world.snapshot, link) and gap is not None:
            told.add(gap)
            yield Finding(Code.PRIVILEGE, Severity.WARNING, Unseen(gap), link.name)
    yield from _nothing_to_stand_on(world)
    for gap in dict.fromkeys(world.snapshot.gaps):
        refused = any(words in gap.why for words in _WANTS_ROOT)
        if gap in told or not refused:
            continue
        if gap.subject is Subject.WIREGUARD:
            yield Finding(Code.PRIVILEGE, Severity.WARNING, Unseen(gap))
        elif gap.subject in ONLY_THE_PRIVILEGED:
            yield Finding(Code.PRIVILEGE, Severity.INFO, Unseen(gap))


def _nothing_to_stand_on(world: World) -> Iterator[Finding]:
    """What anybody may read, and was not: of a facts folder that is not complete, say."""
    gaps = [gap for gap in world.snapshot.gaps if gap.subject in _GROUND.keys() | _PARTS]
    needed = _families(world) if gaps else set()
    for gap in dict.fromkeys(gaps):
        family = _GROUND.get(gap.subject)
        grave = gap.subject in _GROUND and bool(needed if family is None else {family} & needed)
        yield Finding(Code.PRIVILEGE, Severity.WARNING if grave else Severity.INFO, Unseen(gap))


def _families(world: World) -> set[Family]:
    """Of the packets that the devices carry, encrypted or inside."""
    peers = [peer for device in world.snapshot.devices.values() for peer in device.peers]
    inside = {prefix.family for peer in peers for prefix in peer.allowed_ips}
    return inside | {
        family_of(peer.endpoint.address) for peer in peers if peer.endpoint is not None
    }
