"""Which routes does a configuration say, beside those to AllowedIPs, that nothing leads by?

``[Route]`` of systemd-networkd, ``routeN`` of NetworkManager, ``config route`` of OpenWrt. A route
that covers one and leads into the device will do, in whatever table (S-F2, S-F10).
"""

from __future__ import annotations

from collections.abc import Iterator

from wgtui.engine.checks.world import World
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Drift, DriftKind
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Subject


def written_routes(world: World) -> Iterator[Finding]:
    """One finding for each device, with all the routes that it lacks."""
    for device, config in world.configured():
        if not config.routes or not world.up(device):
            continue
        missing = tuple(
            prefix
            for prefix in dict.fromkeys(config.routes)
            if _seen(world, prefix.family) and not _leads(world, prefix, device.link)
        )
        if missing:
            facts = Drift(DriftKind.ROUTES, config.file, prefixes=missing)
            prefix = missing[0] if len(missing) == 1 else None
            yield Finding(Code.CONFIG_DRIFT, Severity.WARNING, facts, device.name, None, prefix)


def _seen(world: World, family: Family) -> bool:
    subject = Subject.ROUTES4 if family == 4 else Subject.ROUTES6
    return world.snapshot.gap(subject) is None


def _leads(world: World, prefix: Prefix, link: LinkIndex) -> bool:
    """Does any route that covers the prefix lead into the link?"""
    for (family, _), table in world.snapshot.routes.items():
        for row in table.tree.covering(prefix.network) if family == prefix.family else ():
            if table.tree.lengths[row] <= prefix.length and any(
                leg.link == link
                for same in table.tree.same(row)
                for leg in table.info(same).next_hops
            ):
                return True
    return False
