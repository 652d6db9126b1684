"""What links, addresses, rules and routes a host has: the system's half of the nouns."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final, NamedTuple, NewType

from netaddr import IPAddress

from wgtui.model.fact import dataclass
from wgtui.model.prefix import Family, Prefix

LinkIndex = NewType("LinkIndex", int)
"""The kernel's ifindex. A link that others mention but nobody could list has a negative one."""

TableId = NewType("TableId", int)
"""The number of a routing table."""

Mark = NewType("Mark", int)
"""A packet's firewall mark (fwmark), 32 bits."""


class NamedTable(int):
    """A table that only a name is known of; as a number it is one that no kernel has."""

    name: str

    @classmethod
    def of(cls, number: int, name: str) -> NamedTable:
        """The table of that name; the same name needs the same number."""
        table = cls(number)
        table.name = name
        return table

    def __str__(self) -> str:
        return self.name


NO_MARK = Mark(0)
LOCAL_TABLE = TableId(255)
MAIN_TABLE = TableId(254)
DEFAULT_TABLE = TableId(253)
LOOPBACK = LinkIndex(1)
"""``lo`` has index 1 in every network namespace; lookups for packets made here carry it as iif
(S-A14)."""


class Scope(IntEnum):
    """rtm_scope: a smaller number reaches further."""

    UNIVERSE = 0
    SITE = 200
    LINK = 253
    HOST = 254
    NOWHERE = 255


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """One address of a link, in the kernel's order (the order matters: S-B30)."""

    address: IPAddress
    prefix: Prefix
    """The connected prefix; of the far side when there is a peer address (S-B31)."""
    scope: int = Scope.UNIVERSE
    peer: IPAddress | None = None
    secondary: bool = False
    """IPv4: never chosen as a source by itself. For IPv6 the same flag means temporary (RFC
    8981)."""
    deprecated: bool = False
    tentative: bool = False
    """IPv6: duplicate address detection has not finished (or failed); not usable as a source."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a link has counted since it was made (``ip -s link``)."""

    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_packets: int = 0
    tx_packets: int = 0
    rx_errors: int = 0
    tx_errors: int = 0
    rx_dropped: int = 0
    tx_dropped: int = 0
    rx_frame_errors: int = 0
    """WireGuard: decrypted packets whose source the sending peer does not own (S-E31)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface."""

    index: LinkIndex
    name: str
    """Untrusted: may contain nearly any byte but ``/`` and white space."""
    kind: str | None = None
    """``wireguard``, ``veth``, ``bridge``, ``vrf``, ``tun`` …; None for hardware and lo."""
    up: bool | None = True
    """Administratively up (IFF_UP); None when it could not be seen."""
    carrier: bool | None = True
    """Something is plugged in (IFF_LOWER_UP)."""
    state: str = "unknown"
    """operstate in lower case: ``up``, ``down``, ``unknown``, ``lowerlayerdown`` …"""
    mtu: int = 0
    master: LinkIndex | None = None
    group: int = 0
    loopback: bool = False
    point_to_point: bool = False
    multicast: bool = True
    noarp: bool = False
    alias: str = ""
    """Untrusted free text (``ip link set … alias``)."""
    addresses: tuple[LinkAddress, ...] = ()
    vrf_table: TableId | None = None
    """For kind ``vrf``: the table its members use."""
    peer_namespace: int | None = None
    """IFLA_LINK_NETNSID: the other end lives in another namespace."""
    xdp: bool = False
    """An XDP program may take packets before the stack sees them (S-H8)."""
    counters: Counters | None = None
    seen: bool = True
    """False: only mentioned by a route or rule, not in the list of links."""


# ------------------------------------------------------------------------------------------- rules


class RuleAction(Enum):
    """What a rule does with a packet that matches (S-A6, S-A8)."""

    TABLE = "table"
    GOTO = "goto"
    NOP = "nop"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    UNKNOWN = "unknown"
    """An action this version does not know: the rule cannot be evaluated."""


@dataclass(frozen=True, slots=True)
class Range:
    """first ≤ value ≤ last."""

    first: int
    last: int

    def __contains__(self, value: int) -> bool:
        return self.first <= value <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Masked:
    """A value that is compared under a mask."""

    value: int
    mask: int

    def matches(self, other: int) -> bool:
        """((value XOR other) AND mask) == 0 (S-A16)."""
        return (self.value ^ other) & self.mask == 0


@dataclass(frozen=True, slots=True)
class Selector:
    """All conditions of a rule; None means "not asked" (S-A13 … S-A23)."""

    inverted: bool = False
    """``not``: negates the whole conjunction (S-A7)."""
    source: Prefix | None = None
    """``from P``; ``from 0.0.0.0/0`` (all) is None."""
    destination: Prefix | None = None
    iif: str | None = None
    """A link's name; names with no such link never match (S-A13)."""
    oif: str | None = None
    mark: Masked | None = None
    tos: int | None = None
    """Legacy tos: IPv4 compares bits 0x1c only (S-A18), IPv6 all of the DSCP (S-A62). 0 is
    stored as None."""
    dscp: Masked | None = None
    """Six bits (S-A19); here 0 is a real selector."""
    protocol: int | None = None
    source_port: Range | None = None
    source_port_mask: int = 0xFFFF
    destination_port: Range | None = None
    destination_port_mask: int = 0xFFFF
    uids: Range | None = None
    tunnel_id: int | None = None
    """Only packets of collect-metadata tunnels carry one; never WireGuard's (S-A22)."""
    l3mdev: bool = False
    """Matches traffic of a VRF and picks that VRF's table (S-A23)."""
    flowlabel: Masked | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy rule; a tuple of them is in evaluation order (S-A1)."""

    priority: int
    family: Family
    selector: Selector = Selector()
    action: RuleAction = RuleAction.TABLE
    table: TableId | None = None
    """For action TABLE; None with l3mdev (the VRF decides)."""
    goto: int | None = None
    """For action GOTO: the priority to go on with."""
    suppress_prefix_length: int | None = None
    """Results of this length or shorter are as if not found; None suppresses nothing (S-A10)."""
    suppress_group: int | None = None
    """Results leaving by a link of this group are as if not found."""
    protocol: str = ""
    """Who installed it (``kernel``, ``static`` …): not a selector (S-A24)."""
    unknown: tuple[str, ...] = ()
    """Selectors this version does not know: the rule cannot be evaluated, which is said, not
    guessed."""


# ------------------------------------------------------------------------------------------ routes


class RouteType(Enum):
    """rtm_type."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"
    ANYCAST = "anycast"
    MULTICAST = "multicast"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    THROW = "throw"
    NAT = "nat"
    XRESOLVE = "xresolve"
    UNKNOWN = "unknown"


class Preference(IntEnum):
    """RFC 4191 router preference, as the score counts it (S-B62)."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True)
class NextHop:
    """One way out of a route."""

    link: LinkIndex | None
    gateway: IPAddress | None = None
    """May be IPv6 on an IPv4 route (``via inet6``)."""
    weight: int = 1
    dead: bool = False
    """RTNH_F_DEAD: the kernel does not use it (S-B5)."""
    linkdown: bool = False
    """RTNH_F_LINKDOWN: no carrier; used all the same unless the kernel says dead."""
    onlink: bool = False
    encap: str | None = None
    """Light-weight tunnel (``ip``, ``mpls``, ``seg6`` …): what it does to the packet is not
    modelled (S-H10)."""


@dataclass(frozen=True, slots=True)
class RouteInfo:
    """Everything about a route but its destination; shared by all routes that differ only in
    that."""

    type: RouteType = RouteType.UNICAST
    scope: int = Scope.UNIVERSE
    protocol: str = ""
    """Who installed it: ``kernel``, ``boot``, ``static``, ``bird``, ``ra``, or a number."""
    metric: int = 0
    tos: int = 0
    source: Prefix | None = None
    """IPv6 ``from P``: a source-specific route (S-B61)."""
    preferred_source: IPAddress | None = None
    next_hops: tuple[NextHop, ...] = ()
    """Inline ones, or what its next-hop object means."""
    nexthop_id: int | None = None
    """RTA_NH_ID: the next-hop object it uses."""
    nexthop_blackhole: bool = False
    """That object is a blackhole: acts like type blackhole (S-B3)."""
    mtu: int | None = None
    preference: Preference = Preference.MEDIUM
    expires: int | None = None
    """IPv6: seconds left when it was read; 0 is expired and no longer used (S-B67)."""
    cached: bool = False
    """RTM_F_CLONED: an exception (PMTU, redirect), not an entry of the table (S-B67)."""
    router_advertised: bool = False
    """IPv6: learned from a router (RTF_ADDRCONF), so never an ECMP sibling (S-B66)."""
    unknown: tuple[str, ...] = ()
    """What of it this version does not understand and the answer may depend on."""


class Route(NamedTuple):
    """One route, made only while somebody looks at it."""

    table: TableId
    row: int
    """Its row in the table's ``PrefixIndex``."""
    destination: Prefix
    info: RouteInfo


new_route: Final = Route.__new__
"""``Route(…)`` at half the price; see ``prefix.new_prefix``."""


@dataclass(frozen=True, slots=True)
class CachedRoute:
    """An exception (RTM_F_CLONED) the kernel keeps beside a table for one destination: a smaller
    MTU, or another gateway after a redirect (S-A63, S-B14, S-B67)."""

    table: TableId
    destination: IPAddress
    link: LinkIndex
    gateway: IPAddress | None = None
    mtu: int | None = None


@dataclass(frozen=True, slots=True)
class NextHopObject:
    """``ip nexthop``: shared by routes through its number."""

    id: int
    next_hops: tuple[NextHop, ...] = ()
    """Its leg, or those of its members (groups), with weights."""
    blackhole: bool = False
    group: bool = False
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressLabel:
    """An entry of ip-addrlabel(8): IPv6 addresses like their sources labelled as they are
    (S-B68)."""

    prefix: Prefix
    label: int
    link: LinkIndex | None = None
    """Only for addresses of, or packets by, that link."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What is known of a next hop's link-layer address (S-B11, S-B65)."""

    link: LinkIndex
    address: IPAddress
    state: str
    """``reachable``, ``stale``, ``failed`` …"""
