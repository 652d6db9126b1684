"""What was seen of a host at one moment, and what could not be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from functools import cached_property
from typing import Final

from wgtui.model.fact import dataclass
from wgtui.model.influence import Influence
from wgtui.model.network import (
    LOCAL_TABLE,
    AddressLabel,
    CachedRoute,
    Link,
    LinkIndex,
    Neighbour,
    NextHopObject,
    RouteType,
    Rule,
    TableId,
)
from wgtui.model.prefix import Family, Prefix, family_of
from wgtui.model.prefix_index import NONE
from wgtui.model.routes import RouteTable, RouteTables
from wgtui.model.wireguard import Birth, Device, DeviceConfig


class Subject(Enum):
    """What a gap is about; the value is a stable code."""

    LINKS = "links"
    ADDRESSES = "addresses"
    RULES4 = "rules4"
    RULES6 = "rules6"
    ROUTES4 = "routes4"
    ROUTES6 = "routes6"
    NEXTHOPS = "nexthops"
    WIREGUARD = "wireguard"
    """Of one device when ``link`` says which, otherwise of the whole host."""
    SYSCTL = "sysctl"
    CONFIG = "config"
    FIREWALL = "firewall"
    XFRM = "xfrm"
    """IPsec policies."""
    TC = "tc"
    NEIGHBOURS = "neighbours"
    NAMESPACE = "namespace"
    CONSISTENCY = "consistency"
    """The host kept changing while it was read."""


ONLY_THE_PRIVILEGED: Final = frozenset(
    {Subject.FIREWALL, Subject.XFRM, Subject.CONFIG, Subject.NAMESPACE}
)
"""What nobody else may read, beside WireGuard itself (S-G4)."""


_TABLES: Final[dict[Family, tuple[str, ...]]] = {4: ("ip", "inet"), 6: ("ip6", "inet")}
"""The families of netfilter tables that packets of a family pass."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be seen: never the same as "nothing there"."""

    subject: Subject
    why: str
    """What went wrong, in a few words: ``Operation not permitted``, ``no file route6.json``."""
    hint: str = ""
    """What to do about it: ``run as root``; empty when nothing helps."""
    link: LinkIndex | None = None
    """The one link it is about, or None: the whole subject."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A netfilter chain on a packet's way that may change or drop it (S-H1 … S-H5). Seen, never
    simulated."""

    family: str
    table: str
    chain: str
    hook: str
    """``prerouting``, ``output`` …"""
    priority: int = 0
    type: str = "filter"
    """``filter``, ``nat`` or ``route``: an output chain of type route routes again (S-A42)."""
    does: frozenset[str] = frozenset()
    """Among ``mark`` (sets the mark), ``restore-mark`` (sets it from the connection's), ``dnat``,
    ``snat``, ``fib-drop`` (the route to the source decides, S-D9), ``drop``."""
    only: Family | None = None
    """Of a table for both families: it does this to packets of one alone."""
    not_from: tuple[str, ...] = ()
    """Names of links whose packets it drops never: each rule of it that drops says so."""
    not_beside: tuple[Prefix, ...] = ()
    """It drops only packets to these: each rule of it that drops names one; empty: to all."""

    def meets(self, family: Family) -> bool:
        """Do packets of this family come to it, and it does to them what it does?"""
        return self.family in _TABLES[family] and self.only in (None, family)

    def may_drop(self, link: str, destination: int) -> bool:
        """Could it drop a packet that comes in there and goes to that address (0: not known)?

        wg-quick's own check, for one, is for packets to the tunnel's address by other links (S-F4).
        """
        if not self.does & {"drop", "fib-drop"} or link in self.not_from:
            return False
        beside = destination and self.not_beside
        return not beside or any(prefix.covers(destination) for prefix in self.not_beside)


@dataclass(frozen=True)
class Snapshot:
    """One host (one network namespace) at one moment. A refresh is a new Snapshot, never an
    edit."""

    taken_at: float
    """Unix time; every age is counted from it."""
    host: str = ""
    kernel: str = ""
    """``6.1.0`` …; empty when unknown."""
    namespace: str = ""
    """The name under /run/netns, empty for the one the program runs in."""
    source: str = ""
    """Where the facts come from, for the screen: ``live``, ``demo``, a path."""
    links: Mapping[LinkIndex, Link] = field(default_factory=dict)
    """In the kernel's order."""
    rules: Mapping[Family, tuple[Rule, ...]] = field(default_factory=dict)
    """In evaluation order; a family that could not be read is missing and has a Gap."""
    routes: RouteTables = field(default_factory=dict)
    exceptions: tuple[CachedRoute, ...] = ()
    """Of both families; no entries of a table."""
    nexthops: Mapping[int, NextHopObject] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] | None = None
    """None: not looked at."""
    address_labels: tuple[AddressLabel, ...] | None = None
    """In the kernel's order, most specific first; None: those that every kernel starts with."""
    devices: Mapping[LinkIndex, Device] = field(default_factory=dict)
    meant: tuple[DeviceConfig, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """What wgtui's own names file calls peers, by public key; untrusted."""
    sysctls: Mapping[str, int] = field(default_factory=dict)
    """By path with slashes, as under /proc/sys: ``net/ipv4/conf/eth0.100/rp_filter``."""
    hooks: tuple[Hook, ...] | None = None
    """Netfilter chains; None: not looked at, or not allowed to."""
    influences: tuple[Influence, ...] | None = None
    """IPsec policies and filters of traffic control; None: not looked at. What of them could not
    be seen has a Gap. XDP is told by the links themselves."""
    local_in_main: bool | None = None
    """IPv4's local and main are still one tree (S-A4, S-A5); None: not known, see
    ``engine.fib``."""
    uid: int = 0
    """Whose packets a flow without ``uid`` is about: the caller's."""
    gaps: tuple[Gap, ...] = ()
    events_lost: int = 0
    """How often the kernel dropped events that were not read in time (S-G6), since the source was
    opened. Everything was read again each time: it is no gap."""
    elsewhere: Mapping[str, Snapshot] = field(default_factory=dict)
    """The namespaces that devices of this one were made in, by ``Device.birth_namespace``: there
    the encrypted packets are routed (S-E20). Those have no ``elsewhere`` of their own."""

    @cached_property
    def worked_out(self) -> dict[object, object]:
        """Where ``engine.once`` keeps what follows from this snapshot alone, by who worked it out.
        No fact: never saved, never compared."""
        return {}

    # ------------------------------------------------------------------------------- finding things

    def gap(self, subject: Subject, link: LinkIndex | None = None) -> Gap | None:
        """The gap that hides this subject (of this link), or None: it was seen."""
        for gap in self.gaps:
            if gap.subject is subject and (gap.link is None or gap.link == link):
                return gap
        return None

    def table(self, family: Family, table: TableId) -> RouteTable | None:
        """The table, or None when it has no route of the family."""
        return self.routes.get((family, table))

    def link_name(self, index: LinkIndex | None) -> str:
        """A link's name; ``if7`` for one that is not in the list."""
        if index is None:
            return ""
        link = self.links.get(index)
        return link.name if link else f"if{index}"

    @cached_property
    def links_by_name(self) -> dict[str, Link]:
        """Every link by its name."""
        return {link.name: link for link in self.links.values()}

    def birthplace(self, device: Device) -> Snapshot | None:
        """Where the encrypted packets of a device are routed: here, or in the namespace it was
        made in (S-E20); None: that cannot be seen."""
        if device.birth is Birth.HERE:
            return self
        name = device.birth_namespace
        return None if name is None else self.elsewhere.get(name)

    @cached_property
    def vrfs(self) -> frozenset[LinkIndex]:
        """The links that are VRFs."""
        return frozenset(link.index for link in self.links.values() if link.kind == "vrf")

    @cached_property
    def kernel_version(self) -> tuple[int, int]:
        """``(6, 16)`` of ``6.16.3-arch1``; (0, 0) where the kernel's version is not known."""
        found = re.match(r"(\d{1,4})\.(\d{1,4})", self.kernel)
        return (int(found[1]), int(found[2])) if found is not None else (0, 0)

    def conf(self, family: Family, link: str, key: str) -> int | None:
        """``net.ipvX.conf.LINK.key``; None when it could not be seen. LINK may be ``all``."""
        return self.sysctls.get(f"net/ipv{family}/conf/{link}/{key}")

    @cached_property
    def own_addresses(self) -> dict[tuple[Family, int], LinkIndex]:
        """Every address of this host and the (first) link it is on."""
        own: dict[tuple[Family, int], LinkIndex] = {}
        for link in self.links.values():
            for entry in link.addresses:
                own.setdefault((family_of(entry.address), int(entry.address)), link.index)
        return own

    def is_local(self, family: Family, address: int) -> bool:
        """Is it one of this host's own addresses (on a link, or local by the local table)?"""
        if (family, address) in self.own_addresses:
            return True
        table = self.table(family, LOCAL_TABLE)
        if table is None:
            return False
        row = table.tree.match(address)
        return row != NONE and table.info(row).type is RouteType.LOCAL
