"""Which known mistakes does this host have? One pure function each, over the Snapshot.

    down.py        unrouted-prefix of a device that is down
    written_routes.py  config-drift of routes
    config.py      own-key-peer  same-prefix-in-config  host-bits  moved-prefix  config-drift
    entries.py     shadowed-prefix  overlap
    routes.py      unrouted-prefix  ownerless-route  ignored-gateway  duplicate-route
    endpoints.py   endpoint-loop  endpoint-via-tunnel  no-endpoint  mtu
    silence.py     no-handshake  stale-handshake
    filters.py     rp-filter  asymmetric  forwarding-off
    unseen.py      privilege

They are found by lookup over whole ranges (``partition.py``, ``ground.py``), never by comparing the
text of a route with that of an entry. A check that would have to guess says nothing: what is not
known is a gap, and has its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final, TypeAlias

from wgtui.engine.checks.config import (
    config_drift,
    host_bits,
    moved_prefix,
    own_key_peer,
    same_prefix_in_config,
)
from wgtui.engine.checks.down import device_down
from wgtui.engine.checks.endpoints import (
    endpoints_in_tunnels,
    mtu,
    no_endpoint,
    several_uplinks,
)
from wgtui.engine.checks.entries import overlaps
from wgtui.engine.checks.filters import forwarding_off, replies, underlay_filtered
from wgtui.engine.checks.routes import (
    duplicate_route,
    ignored_gateway,
    ownerless_route,
    unrouted_prefix,
)
from wgtui.engine.checks.silence import no_handshake, stale_handshake
from wgtui.engine.checks.unseen import privilege
from wgtui.engine.checks.world import World
from wgtui.engine.checks.written_routes import written_routes
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device

CHECKS: Final[tuple[Callable[[World], Iterator[Finding]], ...]] = (
    privilege,
    own_key_peer,
    moved_prefix,
    same_prefix_in_config,
    endpoints_in_tunnels,
    config_drift,
    written_routes,
    duplicate_route,
    ownerless_route,
    device_down,
    unrouted_prefix,
    replies,
    underlay_filtered,
    forwarding_off,
    overlaps,
    ignored_gateway,
    host_bits,
    no_handshake,
    stale_handshake,
    mtu,
    several_uplinks,
    no_endpoint,
)

OF_THE_MOMENT: Final = frozenset({moved_prefix, no_handshake, stale_handshake})
"""Those that time, counters and handshakes alone can change. All others say the same of two
snapshots that have ``same_ground``."""

Found: TypeAlias = tuple[tuple[Finding, ...], ...]
"""What each of ``CHECKS`` found."""

_SEVERITIES: Final = tuple(Severity)
_CODES: Final = tuple(Code)


def check(
    snapshot: Snapshot,
    before: Snapshot | None = None,
    first: Mapping[LinkIndex, Device] | None = None,
    between: Callable[[], object] = lambda: None,
    settled: Mapping[LinkIndex, Mapping[Prefix, str]] | None = None,
) -> tuple[Finding, ...]:
    """All findings, errors first, and of one severity the most probable cause first.

    ``between`` is called between two checks: whoever has something more urgent may wait in there.

    With the snapshot ``before`` this one also what only two can tell: prefixes that have moved
    since, and counters that rise. Where there are devices ``first``, their prefixes are compared:
    what has moved stays moved, however often the host is looked at afterwards, until it is set
    back. What has had its owner for a while (``settled``: prefix to public key, by device) nobody
    minds: it is a note by now.
    """
    return in_order(each(snapshot, before, first, between, settled))


def each(
    snapshot: Snapshot,
    before: Snapshot | None = None,
    first: Mapping[LinkIndex, Device] | None = None,
    between: Callable[[], object] = lambda: None,
    settled: Mapping[LinkIndex, Mapping[Prefix, str]] | None = None,
    *,
    known: Found | None = None,
) -> Found:
    """The same, check by check.

    ``known`` is what was found in a snapshot with the same ground: only what depends on the moment
    is looked for again.
    """
    if first is None and before is not None:
        first = before.devices
    world = World(snapshot, before, first, settled or {})
    found: list[tuple[Finding, ...]] = []
    for number, one in enumerate(CHECKS):
        if known is not None and one not in OF_THE_MOMENT:
            found.append(known[number])
        else:
            between()
            found.append(tuple(one(world)))
    return tuple(found)


def in_order(found: Found) -> tuple[Finding, ...]:
    """Errors first, and of one severity the most probable cause first."""
    return tuple(sorted(chain.from_iterable(found), key=_weight))


def _weight(finding: Finding) -> tuple[int, int]:
    """Equals keep the order of devices and peers."""
    return _SEVERITIES.index(finding.severity), _CODES.index(finding.code)
