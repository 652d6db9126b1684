"""What does the namespace of this thread look like, all of it, once? Dumps → Snapshot.

What cannot be read becomes a Gap. Whether anything moved meanwhile is for ``live`` to find out.
"""

from __future__ import annotations

import errno
import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Final, TypeVar

from wgtui.errors import FormatError
from wgtui.model.network import (
    AddressLabel,
    Link,
    LinkAddress,
    LinkIndex,
    Neighbour,
    NextHopObject,
    Rule,
    TableId,
)
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.wireguard import Device
from wgtui.sources import links as link_messages
from wgtui.sources import nexthops, rules
from wgtui.sources.ahead import received
from wgtui.sources.birthplaces import read_birthplaces
from wgtui.sources.configs import Meant, labelled, read_configs
from wgtui.sources.devices import read_devices
from wgtui.sources.firewall import read_hooks
from wgtui.sources.links import LinkMessage
from wgtui.sources.nlsocket import NetlinkError, NetlinkSocket
from wgtui.sources.oracle import local_in_main
from wgtui.sources.procfs import has_ipv6, read_sysctls
from wgtui.sources.route_dump import RTM_GETROUTE, Exceptions, RouteDump, route_request
from wgtui.sources.traffic_control import read_filters
from wgtui.sources.xfrm import read_policies

T = TypeVar("T")


_RULES: Final[Mapping[Family, Subject]] = {4: Subject.RULES4, 6: Subject.RULES6}
_ROUTES: Final[Mapping[Family, Subject]] = {4: Subject.ROUTES4, 6: Subject.ROUTES6}
AGEING: Final = 5.0
"""Seconds after which facts that are as they were are given a newer moment."""

_POLLED: Final = frozenset({Subject.WIREGUARD, Subject.SYSCTL})
"""What ``poll`` finds out anew."""


def gather(
    namespace: str,
    source: str,
    meanwhile: Callable[[int], object] | None = None,
    routes: Snapshot | None = None,
) -> Snapshot:
    """Everything, once. Raises ``OSError`` when there is no netlink at all.

    ``meanwhile`` is called every some hundred routes, with how many there are so far. The routes
    and next-hop objects may be those of a snapshot that is known to have them right.
    """

    def elsewhere(place: str) -> Snapshot:
        with NetlinkSocket() as sock:
            return _Gathering(sock, place).snapshot(source)

    with NetlinkSocket() as sock:
        snapshot = _Gathering(sock, namespace, meanwhile).snapshot(source, routes)
    found, gaps = read_birthplaces(snapshot.devices.values(), elsewhere)
    if not found and not gaps:
        return snapshot
    gaps += [
        gap for there in found.values() for gap in there.gaps if gap.subject is Subject.CONSISTENCY
    ]
    return replace(snapshot, elsewhere=found, gaps=(*snapshot.gaps, *gaps))


def poll(previous: Snapshot) -> Snapshot | None:
    """What changes without an event: counters, handshakes, peers, sysctls; the rest as it was.

    None: more than that has changed, everything has to be read again. Where nothing has, the
    moment moves on all the same, now and then: handshakes grow old on a host where nothing happens.
    """
    now = time.time()
    with NetlinkSocket() as sock:
        gathering = _Gathering(sock, previous.namespace)
        links, sysctls = gathering.links()
        for index, link in links.items():
            before = previous.links.get(index)
            if before is None:
                return None
            links[index] = replace(link, addresses=before.addresses)
            if replace(before, counters=link.counters) != links[index]:
                return None
        if len(links) != len(previous.links):
            return None
        meant = Meant(previous.meant, previous.names)
        devices = gathering.devices(links, meant, previous.devices)
        sysctls |= gathering.sysctls()
    kept = [gap for gap in previous.gaps if gap.subject not in _POLLED]
    gaps = (*kept, *(gap for gap in gathering.gaps if gap.subject in _POLLED))
    if (links, devices, sysctls, gaps) == (
        previous.links,
        previous.devices,
        previous.sysctls,
        previous.gaps,
    ):
        fresh = 0 <= now - previous.taken_at < AGEING
        return previous if fresh else replace(previous, taken_at=now)
    return replace(previous, taken_at=now, links=links, devices=devices, sysctls=sysctls, gaps=gaps)


class _Gathering:
    """One pass over everything; the gaps gather as it goes."""

    def __init__(
        self,
        sock: NetlinkSocket,
        namespace: str,
        meanwhile: Callable[[int], object] | None = None,
    ) -> None:
        self.gaps: list[Gap] = []
        self._sock = sock
        self._namespace = namespace
        self._meanwhile = meanwhile
        self._routes_read = 0

    def snapshot(self, source: str, kept: Snapshot | None = None) -> Snapshot:
        """Everything, in one Snapshot; routes and next-hop objects perhaps of another."""
        families = FAMILIES if has_ipv6() else FAMILIES[:1]
        links, sysctls = self.links()
        links = self._with_addresses(links)
        sysctls |= self.sysctls()
        rules_read = {family: self._rules(family) for family in families}
        rules_seen = {family: found for family, found in rules_read.items() if found is not None}
        if 6 not in families:
            rules_seen[6] = ()  # nothing at all is routed
        objects = self._nexthops() if kept is None else kept.nexthops
        routes: dict[tuple[Family, TableId], RouteTable] = {}
        exceptions: Exceptions = ()
        if kept is not None:
            routes, exceptions = dict(kept.routes), kept.exceptions
        for family in families if kept is None else ():
            dump = self._routes(family, objects)
            routes |= dump.tables()
            exceptions += dump.exceptions()
        merged = self._attempt(Subject.ROUTES4, lambda: local_in_main(self._sock), None)
        neighbours = self._attempt(Subject.NEIGHBOURS, self._neighbours, None)
        labels = self._attempt(Subject.ADDRESSES, self._labels, None) if 6 in families else None
        meant = read_configs(self._namespace, links.values())
        devices = self.devices(links, meant)
        hooks, hook_gaps = read_hooks()
        policies, policy_gaps = read_policies()
        filters, filter_gaps = read_filters(self._sock, links)
        if self._sock.interrupted:
            self.gaps.append(
                Gap(Subject.CONSISTENCY, "links or addresses changed while they were read")
            )
        return Snapshot(
            taken_at=time.time(),
            host=platform.node(),
            kernel=platform.release(),
            namespace=self._namespace,
            source=source,
            links=links,
            rules=rules_seen,
            routes=routes,
            exceptions=exceptions,
            nexthops=objects,
            neighbours=neighbours,
            address_labels=labels,
            devices=devices,
            meant=meant.configs,
            names=meant.names,
            sysctls=sysctls,
            hooks=hooks,
            influences=(*policies, *filters),
            local_in_main=merged,
            uid=os.getuid(),
            gaps=(*self.gaps, *meant.gaps, *hook_gaps, *policy_gaps, *filter_gaps),
        )

    def _attempt(self, subject: Subject, read: Callable[[], T], otherwise: T) -> T:
        """What ``read`` gives, or ``otherwise`` and a gap."""
        try:
            return read()
        except FormatError as error:
            self.gaps.append(Gap(subject, str(error)))
        except OSError as error:
            self.gaps.append(Gap(subject, error.strerror or str(error)))
        return otherwise

    def links(self) -> tuple[dict[LinkIndex, Link], dict[str, int]]:
        """All links, without their addresses, and the sysctls of each."""

        def read() -> list[LinkMessage]:
            answers = self._sock.dump(link_messages.RTM_GETLINK, link_messages.REQUEST)
            return [link_messages.parse_link(answer) for answer in answers]

        nothing: list[LinkMessage] = []
        found = self._attempt(Subject.LINKS, read, nothing)
        sysctls: dict[str, int] = {}
        for message in found:
            sysctls |= message.sysctls
        return {message.link.index: message.link for message in found}, sysctls

    def _with_addresses(self, links: dict[LinkIndex, Link]) -> dict[LinkIndex, Link]:
        def read() -> dict[LinkIndex, list[LinkAddress]]:
            return rules.parse_addresses(self._sock.dump(rules.RTM_GETADDR, rules.ADDRESS_REQUEST))

        nothing: dict[LinkIndex, list[LinkAddress]] = {}
        addresses = self._attempt(Subject.ADDRESSES, read, nothing)
        return {
            index: replace(link, addresses=tuple(addresses[index])) if index in addresses else link
            for index, link in links.items()
        }

    def sysctls(self) -> dict[str, int]:
        """Those that are not one link's."""
        found, missing = read_sysctls()
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            self.gaps.append(Gap(Subject.SYSCTL, f"cannot read /proc/sys/{missing[0]}{more}"))
        return found

    def devices(
        self,
        links: Mapping[LinkIndex, Link],
        meant: Meant,
        before: Mapping[LinkIndex, Device] | None = None,
    ) -> dict[LinkIndex, Device]:
        """All WireGuard devices, their peers named after the configurations."""
        found, gaps = read_devices(links, before or {})
        self.gaps += gaps
        return {index: labelled(device, meant) for index, device in found.items()}

    def _rules(self, family: Family) -> tuple[Rule, ...] | None:
        request = rules.rules_request(family)
        return self._attempt(
            _RULES[family],
            lambda: rules.parse_rules(family, self._sock.dump(rules.RTM_GETRULE, request)),
            None,
        )

    def _nexthops(self) -> dict[int, NextHopObject]:
        def read() -> dict[int, NextHopObject]:
            try:
                answers = self._sock.dump(nexthops.RTM_GETNEXTHOP, nexthops.NEXTHOP_REQUEST)
            except NetlinkError as error:
                if error.errno == errno.EOPNOTSUPP:  # before Linux 5.3 there were none
                    return {}
                raise
            return nexthops.parse_nexthops(answers)

        return self._attempt(Subject.NEXTHOPS, read, {})

    def _neighbours(self) -> tuple[Neighbour, ...] | None:
        answers = self._sock.dump(nexthops.RTM_GETNEIGH, nexthops.NEIGHBOUR_REQUEST)
        return nexthops.parse_neighbours(answers)

    def _labels(self) -> tuple[AddressLabel, ...] | None:
        request = rules.ADDRESS_LABEL_REQUEST
        try:
            return rules.parse_address_labels(self._sock.dump(rules.RTM_GETADDRLABEL, request))
        except NetlinkError as error:
            if error.errno == errno.EOPNOTSUPP:
                return None
            raise

    def _routes(self, family: Family, objects: Mapping[int, NextHopObject]) -> RouteDump:
        """All tables of a family, in one go: a million routes shall cost no more than they must."""
        dump = RouteDump(objects)
        before = self._routes_read

        def read() -> None:
            with closing(received(self._sock, RTM_GETROUTE, route_request(family))) as chunks:
                for chunk in chunks:
                    over = dump.feed(chunk)
                    if self._meanwhile is not None:
                        self._meanwhile(before + dump.count)
                    if over:
                        return

        self._attempt(_ROUTES[family], read, None)
        self._routes_read += dump.count
        return dump
