"""What is a known mistake, found? Facts only: the words and the repair are made in ``report``.

A Finding names the device, the peer and the prefix it is about, as far as they apply; ``facts`` is
one of the classes of ``finding_facts`` and holds what a sentence about it needs.
"""

from __future__ import annotations

from enum import Enum

from wgtui.model.fact import dataclass
from wgtui.model.finding_facts import Facts, Who
from wgtui.model.prefix import Prefix


class Severity(Enum):
    """How bad it is; the value is a stable code."""

    ERROR = "error"
    """It breaks what was meant."""
    WARNING = "warning"
    """It very likely does."""
    INFO = "info"
    """Worth knowing; a healthy host may have it."""

    @property
    def alarming(self) -> bool:
        """Does ``wgtui check`` fail because of it?"""
        return self is not Severity.INFO


class Code(Enum):
    """Which mistake it is: the codes of contract §5, word for word, the most telling cause
    first."""

    PRIVILEGE = "privilege"
    OWN_KEY_PEER = "own-key-peer"
    MOVED_PREFIX = "moved-prefix"
    SAME_PREFIX_IN_CONFIG = "same-prefix-in-config"
    ENDPOINT_LOOP = "endpoint-loop"
    CONFIG_DRIFT = "config-drift"
    DUPLICATE_ROUTE = "duplicate-route"
    OWNERLESS_ROUTE = "ownerless-route"
    UNROUTED_PREFIX = "unrouted-prefix"
    RP_FILTER = "rp-filter"
    FORWARDING_OFF = "forwarding-off"
    SHADOWED_PREFIX = "shadowed-prefix"
    IGNORED_GATEWAY = "ignored-gateway"
    HOST_BITS = "host-bits"
    NO_HANDSHAKE = "no-handshake"
    STALE_HANDSHAKE = "stale-handshake"
    MTU = "mtu"
    ASYMMETRIC = "asymmetric"
    ENDPOINT_VIA_TUNNEL = "endpoint-via-tunnel"
    NO_ENDPOINT = "no-endpoint"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class Finding:
    """One known mistake, found on a host."""

    code: Code
    severity: Severity
    facts: Facts
    device: str | None = None
    """The WireGuard device's name; untrusted."""
    peer: Who | None = None
    prefix: Prefix | None = None

    @property
    def identity(self) -> tuple[str, str | None, str | None, Prefix | None]:
        """The same mistake in another snapshot has the same."""
        peer = None if self.peer is None else self.peer.public_key
        return self.code.value, self.device, peer, self.prefix
