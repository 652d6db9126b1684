"""What moved between two looks at a host? Nouns; each change stands alone, without its Snapshots.

A change that something undoes has a ``key``, what it is about, and two ``states``: by them flapping
is recognised. None is a state too: not there.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple, TypeAlias

from wgtui.model.fact import dataclass
from wgtui.model.finding_facts import Who
from wgtui.model.network import LinkAddress, RouteInfo, Rule, TableId
from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Subject
from wgtui.model.wireguard import Endpoint

States: TypeAlias = tuple[Hashable, Hashable]
"""Before and after."""


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A prefix of AllowedIPs has another owner: gained (from nobody), lost (to nobody), moved."""

    device: str
    prefix: Prefix
    before: Who | None
    after: Who | None

    @property
    def key(self) -> Hashable:
        return "entry", self.device, self.prefix

    @property
    def states(self) -> States:
        return self.before and self.before.public_key, self.after and self.after.public_key


@dataclass(frozen=True, slots=True)
class PeerChange:
    """A peer came or went, and with it AllowedIPs that nobody had before, or has after."""

    device: str
    peer: Who
    added: bool
    entries: tuple[Prefix, ...] = ()

    @property
    def key(self) -> Hashable:
        return "peer", self.device, self.peer.public_key

    @property
    def states(self) -> States:
        return not self.added, self.added


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """A peer is met elsewhere: it roamed (S-E30), or was told to."""

    device: str
    peer: Who
    before: Endpoint | None
    after: Endpoint | None

    @property
    def key(self) -> Hashable:
        return "endpoint", self.device, self.peer.public_key

    @property
    def states(self) -> States:
        return str(self.before), str(self.after)


@dataclass(frozen=True, slots=True)
class SessionChange:
    """A peer has shaken hands after it had not for 180 s, or has not for so long (S-E42)."""

    device: str
    peer: Who
    fresh: bool

    @property
    def key(self) -> Hashable:
        return "session", self.device, self.peer.public_key

    @property
    def states(self) -> States:
        return not self.fresh, self.fresh


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting of a link, of its device, or of one of its peers."""

    link: str
    setting: str
    """``mtu``, ``state``, ``listen-port``, ``fwmark``, ``keepalive`` …"""
    before: str
    after: str
    peer: Who | None = None

    @property
    def key(self) -> Hashable:
        return "setting", self.link, self.setting, self.peer and self.peer.public_key

    @property
    def states(self) -> States:
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class LinkChange:
    """A link came or went."""

    link: str
    added: bool
    kind: str = ""

    @property
    def key(self) -> Hashable:
        return "link", self.link

    @property
    def states(self) -> States:
        return not self.added, self.added


@dataclass(frozen=True, slots=True)
class AddressChange:
    """An address of a link came, went, or is used otherwise (deprecated, secondary)."""

    link: str
    before: LinkAddress | None
    after: LinkAddress | None

    @property
    def key(self) -> Hashable:
        entry = self.after or self.before
        return "address", self.link, entry and (int(entry.address), entry.prefix)

    @property
    def states(self) -> States:
        return self.before, self.after


class RouteWay(NamedTuple):
    """What a route says beside its destination."""

    info: RouteInfo
    links: tuple[str, ...]
    """The names of the links of its next hops, in their order."""


@dataclass(frozen=True, slots=True)
class RouteChange:
    """A route came, went, or leads another way."""

    table: TableId
    destination: Prefix
    before: RouteWay | None
    after: RouteWay | None

    @property
    def key(self) -> Hashable:
        way = self.after or self.before
        rank = way and (way.info.metric, way.info.tos)
        return "route", self.table, self.destination, rank

    @property
    def states(self) -> States:
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule came or went."""

    rule: Rule
    added: bool

    @property
    def key(self) -> Hashable:
        return "rule", self.rule

    @property
    def states(self) -> States:
        return not self.added, self.added


@dataclass(frozen=True, slots=True)
class NextHopChange:
    """A next-hop object came, went, or leads another way; the routes that use it with it."""

    id: int
    before: bool
    after: bool

    @property
    def key(self) -> Hashable:
        return "nexthop", self.id

    @property
    def states(self) -> States:
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class SysctlChange:
    """A kernel setting."""

    path: str
    """With slashes: ``net/ipv4/conf/eth0/rp_filter``."""
    before: int
    after: int

    @property
    def key(self) -> Hashable:
        return "sysctl", self.path

    @property
    def states(self) -> States:
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """Something was changed that is not told in detail: the firewall, IPsec, a configuration."""

    subject: Subject
    name: str = ""
    """Of the configuration file."""

    @property
    def key(self) -> Hashable:
        return "subject", self.subject, self.name

    @property
    def states(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class SightChange:
    """Something can no longer be seen, or can again: nothing is known of what changed there."""

    subject: Subject
    link: str
    """The one link it is about, or ""."""
    seen: bool
    why: str = ""

    @property
    def key(self) -> Hashable:
        return "sight", self.subject, self.link

    @property
    def states(self) -> States:
        return not self.seen, self.seen


@dataclass(frozen=True, slots=True)
class Flood:
    """Too many changes of one kind to be told one by one."""

    what: str
    """``route``, ``entry``, ``peer`` …: the first word of their ``key``."""
    where: str
    """The device, or the number of the table."""
    family: Family | None = None
    added: int = 0
    removed: int = 0
    changed: int = 0

    @property
    def key(self) -> Hashable:
        return "flood", self.what, self.where, self.family

    @property
    def states(self) -> None:
        return None

    @property
    def count(self) -> int:
        return self.added + self.removed + self.changed


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """Something moved in another namespace, where encrypted packets go on."""

    namespace: str
    """As ``Device.birth_namespace`` names it."""
    change: Change

    @property
    def key(self) -> Hashable:
        return "elsewhere", self.namespace, self.change.key

    @property
    def states(self) -> States | None:
        return self.change.states


Change: TypeAlias = (
    EntryChange
    | PeerChange
    | EndpointChange
    | SessionChange
    | SettingChange
    | LinkChange
    | AddressChange
    | RouteChange
    | RuleChange
    | NextHopChange
    | SysctlChange
    | SubjectChange
    | SightChange
    | PlaceChange
    | Flood
)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A change and when it was seen."""

    at: float
    """Unix time; the last time, when it is flapping."""
    change: Change
    count: int = 1
    """More than one: the same thing back and forth, so many times."""
    since: float = 0.0
    """The first time."""
