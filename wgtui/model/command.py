"""What would a command change? ``wg set …``, ``ip route …``, ``ip rule …``: understood, never run.

Names of links and peers are kept as they were typed: whether they exist, the snapshot knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from netaddr import IPAddress

from wgtui.model.network import Mark, Preference, RouteType, Rule, TableId
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import Endpoint


class Verb(Enum):
    """What ``ip`` does with a route, rule or address."""

    ADD = "add"
    DELETE = "del"
    REPLACE = "replace"
    CHANGE = "change"
    APPEND = "append"
    PREPEND = "prepend"


@dataclass(frozen=True, slots=True)
class LegWords:
    """A next hop as it was typed."""

    link: str | None = None
    gateway: IPAddress | None = None
    weight: int = 1
    onlink: bool = False


@dataclass(frozen=True, slots=True)
class RouteCommand:
    """``ip route add|del|replace|change|append|prepend …``; None: not given."""

    verb: Verb
    destination: Prefix
    type: RouteType | None = None
    table: TableId | None = None
    metric: int | None = None
    tos: int = 0
    scope: int | None = None
    protocol: str | None = None
    source: Prefix | None = None
    """IPv6 ``from``."""
    preferred_source: IPAddress | None = None
    legs: tuple[LegWords, ...] = ()
    multipath: bool = False
    """The legs were given with ``nexthop``."""
    mtu: int | None = None
    preference: Preference = Preference.MEDIUM
    host_bits: bool = False
    """The destination was typed with host bits, which the kernel refuses."""


@dataclass(frozen=True, slots=True)
class RuleCommand:
    """``ip rule add|del …``."""

    verb: Verb
    rule: Rule
    """Its priority is 0 where none was given."""
    given: frozenset[str]
    """The parts that were given: a deletion compares only those."""


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """``ip link set LINK up|down``."""

    link: str
    up: bool


@dataclass(frozen=True, slots=True)
class AddressCommand:
    """``ip address add|del …``."""

    verb: Verb
    link: str
    address: IPAddress
    prefix: Prefix
    """The connected prefix, of the far side when there is a peer."""
    peer: IPAddress | None = None
    scope: int = 0
    prefix_route: bool = True
    metric: int = 0


@dataclass(frozen=True, slots=True)
class SysctlCommand:
    """``sysctl -w KEY=VALUE``."""

    path: str
    """As under /proc/sys."""
    value: int


@dataclass(frozen=True, slots=True)
class PeerChange:
    """What is set of one peer."""

    peer: str
    """Its public key, or what it is called here."""
    remove: bool = False
    replace_allowed_ips: bool = False
    """Everything it had goes first (S-E3)."""
    allowed_ips: tuple[tuple[bool, Prefix], ...] = ()
    """In order; False takes exactly that prefix away (S-E4)."""
    endpoint: Endpoint | None = None
    endpoint_name: str = ""
    """A host name, which is not resolved: the endpoint it has now is taken for it."""
    keepalive: int | None = None
    preshared_key: bool = False
    """A preshared key is set; which one is nobody's business here."""


class PeersMode(Enum):
    """What happens to the peers that are not mentioned."""

    KEEP = "keep"
    """``wg set``, ``wg addconf``"""
    REPLACE = "replace"
    """``wg setconf``: all are removed first, and what they knew is forgotten (S-G44)."""
    SYNC = "sync"
    """``wg syncconf``: they are removed, the others keep what is not mentioned."""


@dataclass(frozen=True, slots=True)
class WireGuardCommand:
    """``wg set``, ``wg setconf``, ``wg addconf``, ``wg syncconf``."""

    device: str
    peers: tuple[PeerChange, ...] = ()
    mode: PeersMode = PeersMode.KEEP
    listen_port: int | None = None
    """0: the kernel picks one."""
    fwmark: Mark | None = None
    public_key: str | None = None
    """Of the private key that is set; the private key itself is not kept."""
    forget_key: bool = False
    """The device loses its private key: setconf and syncconf of a file without one."""


Command: TypeAlias = (
    RouteCommand | RuleCommand | LinkCommand | AddressCommand | SysctlCommand | WireGuardCommand
)
