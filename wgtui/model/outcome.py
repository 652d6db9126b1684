"""How can it end, and why? The codes that the contract promises, word for word."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """How it ends: the contract's outcome codes, word for word."""

    LOCAL = "local"
    """Delivered on this host."""
    SENT = "sent"
    """Leaves in clear."""
    ENCRYPTED = "encrypted"
    """Leaves encrypted, and the encrypted packet leaves too."""
    NO_ROUTE = "no-route"
    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    BLACKHOLED = "blackholed"
    LINK_DOWN = "link-down"
    """A route wins whose link is down or has no carrier."""
    NO_PEER = "no-peer"
    """No AllowedIPs of the device cover it: ENOKEY (S-E10)."""
    NO_ENDPOINT = "no-endpoint"
    """The owner has no endpoint: EDESTADDRREQ (S-E11)."""
    OUTER_FAILED = "outer-failed"
    """The encrypted packet cannot leave."""
    LOOP = "loop"
    """The encrypted packet comes back to a peer it already left through (S-E17)."""
    NOT_ALLOWED = "not-allowed"
    """Decrypted from a peer that does not own the source (S-E31)."""
    RPF_DROPPED = "rpf-dropped"
    MARTIAN = "martian"
    """The addresses themselves are refused on this path."""
    NOT_FORWARDED = "not-forwarded"
    UNKNOWN = "unknown"
    """Something on the path cannot be seen or evaluated: ``reason`` says what."""

    @property
    def good(self) -> bool:
        """Does the packet arrive or leave?"""
        return self in (Outcome.LOCAL, Outcome.SENT, Outcome.ENCRYPTED)


class Reason(Enum):
    """Why, where the outcome alone does not say it: stable codes."""

    SOURCE_NOT_LOCAL = "source-not-local"
    """The IPv4 source is not this host's (S-B17)."""
    SOURCE_INVALID = "source-invalid"
    """Multicast, broadcast or 0.0.0.0 as a source."""
    SOURCE_IS_OWN = "source-is-own"
    """A packet from outside claims one of this host's own addresses."""
    LOOPBACK_ADDRESS = "loopback-address"
    """127/8 on a link without route_localnet."""
    DESTINATION_INVALID = "destination-invalid"
    NO_MULTICAST_LISTENER = "no-multicast-listener"
    RULE = "rule"
    """A rule's own action decided, not a route."""
    NO_RULE_LEFT = "no-rule-left"
    """Every rule was asked and none had a route."""
    OIF_DOWN = "oif-down"
    IIF_HAS_NO_ADDRESS = "iif-has-no-address"
    IPV6_OFF = "ipv6-off"
    """Of the link it arrives on: disable_ipv6, or an MTU below 1280."""
    NO_CARRIER = "no-carrier"
    LINK_ADMIN_DOWN = "link-admin-down"
    NO_PRIVATE_KEY = "no-private-key"
    """The device has no key of its own and can send nothing."""
    NOBODY_OWNS_SOURCE = "nobody-owns-source"
    OTHER_PEER_OWNS_SOURCE = "other-peer-owns-source"
    FORWARDING_OFF = "forwarding-off"
    # Why it is unknown:
    UNKNOWN_SELECTOR = "unknown-selector"
    UNKNOWN_ACTION = "unknown-action"
    UNKNOWN_ROUTE_ATTRIBUTE = "unknown-route-attribute"
    UNKNOWN_ROUTE_TYPE = "unknown-route-type"
    UNKNOWN_NEXTHOP = "unknown-nexthop"
    RULES_UNREADABLE = "rules-unreadable"
    ROUTES_UNREADABLE = "routes-unreadable"
    LINKS_UNREADABLE = "links-unreadable"
    ADDRESSES_UNREADABLE = "addresses-unreadable"
    WIREGUARD_UNREADABLE = "wireguard-unreadable"
    SYSCTL_UNREADABLE = "sysctl-unreadable"
    MARK_MAY_CHANGE = "mark-may-change"
    """Something in prerouting may set the mark, or could not be looked at (S-H2)."""
    FOREIGN_NAMESPACE = "foreign-namespace"
    """The encrypted packet is routed in another namespace (S-E20)."""
    NEIGHBOUR_DEPENDENT = "neighbour-dependent"
    """Which of several gateways depends on the neighbour table (S-B11, S-B65)."""
    ENCAP = "encap"
    """The route does something else to the packet (lwtunnel, S-H10)."""
    MULTICAST_ROUTING = "multicast-routing"
    LEGS_DIFFER = "legs-differ"
    """Several next hops can win and they do not end the same way (S-B8)."""
    OTHER_VRF = "other-vrf"
    TOO_DEEP = "too-deep"
    """More tunnels inside tunnels than any packet survives."""


class Refusal(NamedTuple):
    """What refused it: this field should have been ``wanted``, and was ``got``. Both as a person
    writes them."""

    field: str
    wanted: str
    got: str
