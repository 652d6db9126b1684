"""What came of a command: the host after it, or an objection; and where answers may differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wgtui.model.network import Rule, TableId
from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Snapshot


class Objection(Enum):
    """Why a command changes nothing here; the value is a stable code."""

    FILE_EXISTS = "file-exists"
    """EEXIST: such a route, rule or address is there already."""
    NO_SUCH_PROCESS = "no-such-process"
    """ESRCH: the route to delete is not there."""
    NO_SUCH_FILE = "no-such-file"
    """ENOENT: the rule to delete, or the route to change, is not there."""
    NO_SUCH_LINK = "no-such-link"
    NOT_WIREGUARD = "not-wireguard"
    INVALID_GATEWAY = "invalid-gateway"
    """The gateway is not on any link, or not on this one."""
    NEEDS_LINK = "needs-link"
    """No dev, and no gateway that could tell one."""
    NEEDS_GATEWAY = "needs-gateway"
    """IPv6: a nexthop without a gateway, among several."""
    LINK_DOWN = "link-down"
    """ENETDOWN."""
    HOST_BITS = "host-bits"
    """The destination has host bits set."""
    SOURCE_NOT_LOCAL = "source-not-local"
    INVALID_TOS = "invalid-tos"
    GOTO_BACKWARDS = "goto-backwards"
    """S-A11."""
    NO_SUCH_ADDRESS = "no-such-address"
    """EADDRNOTAVAIL."""
    NO_SUCH_PEER = "no-such-peer"
    """Neither a key nor the name of one peer here."""
    NO_SUCH_SETTING = "no-such-setting"
    """No answer of wgtui depends on it, or it does not exist."""
    UNSEEN = "unseen"
    """What it changes could not be read, so what comes of it cannot be known."""
    NEXTHOP_OBJECTS = "nexthop-objects"
    """Not predicted: next-hop objects."""
    SECONDARY_ADDRESSES = "secondary-addresses"
    """Not predicted: addresses that take another one's place."""
    IPV6_ADDRESSES = "ipv6-addresses"
    """Not predicted: what the kernel does by itself with IPv6 addresses."""
    IPV6_RULES = "ipv6-rules"
    """Whether IPv6 rules are asked at all depends on what cannot be seen (S-A60)."""
    SOME_LEGS = "some-legs"
    """Refused, and some of it is done all the same: one of several next hops to delete is not
    there, and the others go."""
    NOT_PREDICTED = "not-predicted"
    """Something else that this version cannot predict."""

    @property
    def by_kernel(self) -> bool:
        """Would the kernel (or the tool) refuse it; False: wgtui cannot tell what comes of it."""
        return self not in (
            Objection.UNSEEN,
            Objection.NO_SUCH_SETTING,
            Objection.NEXTHOP_OBJECTS,
            Objection.SECONDARY_ADDRESSES,
            Objection.IPV6_ADDRESSES,
            Objection.IPV6_RULES,
            Objection.SOME_LEGS,
            Objection.NOT_PREDICTED,
        )


class Note(Enum):
    """What a prediction takes for granted, or leaves out; the value is a stable code."""

    CARRIER_ASSUMED = "carrier-assumed"
    """A link that comes up is taken to have a carrier."""
    OTHER_END = "other-end"
    """The other end of a veth has a carrier with it, or none: that is not predicted."""
    OWN_IPV6 = "own-ipv6"
    """IPv6 addresses that the kernel makes by itself are not predicted."""
    NAME_NOT_RESOLVED = "name-not-resolved"
    """An endpoint is a host name: it is taken to be what it is now."""
    PORT_CHOSEN = "port-chosen"
    """Without a ListenPort the kernel picks one."""
    ENDPOINT_FORGOTTEN = "endpoint-forgotten"
    """setconf makes peers anew: where they roamed to is forgotten."""
    NO_PRIVATE_KEY = "no-private-key"
    """The file has no private key, so the device loses its own."""
    OWN_KEY = "own-key"
    """A peer with the device's own key is ignored (S-E5)."""
    NOTHING_CHANGES = "nothing-changes"
    """It is like that already."""
    BETWEEN_LEGS = "between-legs"
    """IPv6: routes that stand between the legs of another are in no dump, and this makes or frees
    such a place."""
    STATIC_ROUTES_GONE = "static-routes-gone"
    """Routes through a link that comes up do not come back by themselves."""


class RefusedError(Exception):
    """The command changes nothing."""

    def __init__(self, objection: Objection, word: str = "") -> None:
        super().__init__(objection.value)
        self.objection = objection
        self.word = word
        """What it is about: a name, an address; untrusted."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Where answers may differ; what is outside is as it was."""

    prefixes: tuple[Prefix, ...] = ()
    """Destinations."""
    everything: bool = False
    rules: tuple[Rule, ...] = ()
    """Rules that came or went: packets that they match are to be asked about."""
    tables: tuple[tuple[Family, TableId], ...] = ()
    """Tables that are not what they were: so are packets that rules send there."""

    def __or__(self, other: Touched) -> Touched:
        return Touched(
            (*self.prefixes, *other.prefixes),
            self.everything or other.everything,
            (*self.rules, *other.rules),
            (*self.tables, *other.tables),
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of one command."""

    snapshot: Snapshot
    """After it; the same object as before when nothing changes."""
    objection: Objection | None = None
    word: str = ""
    """What the objection is about; untrusted."""
    touched: Touched = Touched()
    notes: tuple[Note, ...] = ()
