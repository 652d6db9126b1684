"""What is there to say of each known mistake? A small class of facts for every sentence."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from netaddr import IPAddress

from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex, Route, TableId
from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Gap, Hook
from wgtui.model.wireguard import Endpoint


class Who(NamedTuple):
    """A peer, by key and by the name people gave it."""

    public_key: str
    label: str = ""
    """Untrusted; empty when there is none."""


class Written(NamedTuple):
    """A place in a configuration file."""

    file: str
    line: int
    """Where the peer's section begins, counted from 1; 0: not known."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Prefixes meant for, or last seen on, the finding's peer belong to ``owner`` now (S-E2)."""

    prefixes: tuple[Prefix, ...]
    owner: Who
    written: Written | None = None
    """Where it is meant; None: it was seen in the snapshot before."""
    shared: bool = False
    """The same configuration gives them to both."""
    spelled: tuple[str, ...] = ()
    """As they stand there."""


@dataclass(frozen=True, slots=True)
class OwnsNothing:
    """A peer without any prefix on a device where others have some: nothing can be sent to it, and
    all that it sends is dropped."""

    others: tuple[Who, ...]
    """Who has prefixes there, as far as a sentence can name them."""


@dataclass(frozen=True, slots=True)
class SharedInConfig:
    """The configuration gives the finding's prefix to its peer, and later to ``winner`` too."""

    winner: Who
    written: Written
    spelled: str
    """The prefix as it stands there."""


@dataclass(frozen=True, slots=True)
class HostBits:
    """An entry with host bits means the whole network."""

    spelled: str
    written: Written
    host_meant: bool
    """Several peers share the device, so one address was probably meant."""


class Taken(NamedTuple):
    """A more specific prefix and whose it is."""

    prefix: Prefix
    owner: Who


@dataclass(frozen=True, slots=True)
class Shadowed:
    """Others own all of the finding's prefix by longer ones."""

    takers: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Others own parts of the finding's prefix by longer ones."""

    takers: tuple[Taken, ...]
    count: int
    """Of all takers; a sentence names the first few."""


class Away(Enum):
    """What happens to packets that should go into a device."""

    OTHER_LINK = "other-link"
    REFUSED = "refused"
    """By a route's type or a rule's action."""
    NO_ROUTE = "no-route"
    LOCAL = "local"
    """They stay on this host."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the system sends addresses that a peer owns, if not into its device."""

    parts: tuple[Prefix, ...]
    """The addresses, as the fewest prefixes; the first ones when there are very many."""
    whole: bool
    """It is everything that the peer owns by the finding's prefix."""
    away: Away
    link: LinkIndex | None = None
    route: Route | None = None
    """What decides for the first of them."""
    exception: bool = False
    """The rest is routed well, and longer routes take these parts."""
    table: TableId | None = None
    """Where a route for them would be found; None: a rule decides before any table."""


@dataclass(frozen=True, slots=True)
class Down:
    """The device is down, and its routes are gone with it."""

    elsewhere: Elsewhere
    """Where the first of them goes."""
    prefixes: tuple[Prefix, ...]
    """What its peers own there; the first ones when there are very many."""
    count: int
    """Of all of them."""
    file: str | None
    """Its configuration, where there is one."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """What the peer may send is dropped by rp_filter at ``link`` (S-D5)."""

    link: LinkIndex
    mode: int
    elsewhere: Elsewhere | None
    """Where the way back to those sources leads; None: see ``endpoint``."""
    endpoint: Endpoint | None = None
    """It is the peer's encrypted packets that are dropped, at the underlay (S-D11)."""
    back: LinkIndex | None = None
    """By which link the unmarked way back to the endpoint leads."""
    addressless: bool = False
    """Loose, but the link has no IPv4 address, so it counts as strict (S-D6)."""


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """Replies to the finding's prefix leave by another link."""

    elsewhere: Elsewhere
    source: IPAddress | None = None
    """The own address that the replies come from."""


@dataclass(frozen=True, slots=True)
class ManyUplinks:
    """The encrypted packets to the peer may leave by several links with different sources, or the
    peer may have called another link's address."""

    endpoint: Endpoint
    ways: tuple[tuple[LinkIndex, IPAddress | None], ...]
    chosen: int
    """So many of them, the first ones, are what the packets may leave by."""


@dataclass(frozen=True, slots=True)
class Ownerless:
    """A route leads into the device for addresses that no peer owns."""

    route: Route
    parts: tuple[Prefix, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Gateway:
    """A route into the device names a gateway, which picks no peer (S-E10)."""

    route: Route
    gateway: IPAddress
    count: int
    """How many routes like it there are."""
    gateway_owner: Who | None
    owner: Who | None
    """Who gets the packets; None: nobody, or not one peer alone."""


@dataclass(frozen=True, slots=True)
class NoEndpoint:
    """This side does not know where the peer is."""

    meant: str | None
    """What the configuration says, where it says something."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The encrypted packet to the peer comes back to it."""

    endpoint: Endpoint
    bypass: Route | None
    """The best route to the endpoint that leads into no tunnel."""
    table: TableId | None = None
    """Where a route for the endpoint would be found."""
    mark: int = 0
    """A mark that a rule keeps out of the tunnel; 0: there is none."""


@dataclass(frozen=True, slots=True)
class ViaTunnel:
    """The encrypted packet to the peer leaves through another peer."""

    endpoint: Endpoint
    through: str
    """The name of the other device."""
    owner: Who
    overhead: int
    bypass: Route | None
    table: TableId | None = None


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The configuration gives a peer the device's own key: the kernel ignores it (S-E5)."""

    written: Written
    prefixes: tuple[Prefix, ...]


class DriftKind(Enum):
    """What differs between configuration and kernel."""

    PEER_MISSING = "peer-missing"
    PEER_EXTRA = "peer-extra"
    ALLOWED_MISSING = "allowed-missing"
    ALLOWED_EXTRA = "allowed-extra"
    ENDPOINT = "endpoint"
    PORT = "port"
    MARK = "mark"
    ROUTES = "routes"
    """That are to lead into the device, beside those to AllowedIPs."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Configuration and kernel differ."""

    kind: DriftKind
    file: str
    meant: str = ""
    found: str = ""
    prefixes: tuple[Prefix, ...] = ()


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The encrypted packets to a peer do not leave this host."""

    away: Away
    route: Route | None
    """What refuses them, when it is a route."""
    rule: int | None
    """The priority of the rule that does it by itself."""
    bypass: Route | None
    """A route to the endpoint that no rule leads to, or that comes too late."""


@dataclass(frozen=True, slots=True)
class NoHandshake:
    """This side has sent to the peer, and there never was a handshake (S-E42)."""

    endpoint: Endpoint | None
    sent: int
    meant: str | None
    outer: Undelivered | None = None
    """What keeps the encrypted packets from leaving; None: they leave, as far as is known."""
    cause: Loop | Filtered | None = None
    """A mistake with a finding of its own that explains it."""
    chains: tuple[Hook, ...] = ()
    """What may drop the encrypted answers, by the way back to them."""


@dataclass(frozen=True, slots=True)
class StaleHandshake:
    """Packets are being sent, and the last handshake is too old to encrypt them (S-E40)."""

    seconds: float
    endpoint: Endpoint | None
    keepalive: int
    """0: it is known from the counters of two snapshots."""
    meant: str | None
    outer: Undelivered | None = None
    cause: Loop | Filtered | None = None
    chains: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True)
class ForwardingOff:
    """What comes in by the device for others is dropped."""

    family: Family
    everywhere: bool
    """On no link is forwarding on."""
    networks: tuple[Prefix, ...]
    """Beyond single hosts, that peers of the device own."""


@dataclass(frozen=True, slots=True)
class Mtu:
    """Full packets of the device do not fit through the path of the encrypted ones."""

    mtu: int
    fits: int
    outer: int
    """The MTU of the outer path."""
    link: LinkIndex
    """By which the encrypted packets leave."""
    endpoint: Endpoint
    tunnel: bool
    """That link is WireGuard itself."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One prefix twice in one table."""

    table: TableId
    winner: Route
    loser: Route


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that decides could not be read."""

    gap: Gap


Facts: TypeAlias = (
    Moved
    | OwnsNothing
    | SharedInConfig
    | HostBits
    | Shadowed
    | Overlap
    | Elsewhere
    | Down
    | Filtered
    | Asymmetric
    | ManyUplinks
    | Ownerless
    | Gateway
    | NoEndpoint
    | Loop
    | ViaTunnel
    | OwnKey
    | Drift
    | NoHandshake
    | StaleHandshake
    | ForwardingOff
    | Mtu
    | Duplicate
    | Unseen
)
