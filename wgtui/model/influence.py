"""What else, beside netfilter, may take a packet out of the hands of routing?

IPsec policies, filters of traffic control, XDP programs: seen, never simulated (S-H20).
"""

from __future__ import annotations

from enum import Enum

from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex, Masked
from wgtui.model.prefix import Family, Prefix


class InfluenceKind(Enum):
    """Which mechanism it is."""

    XFRM = "xfrm"
    """An IPsec policy (S-H6)."""
    TC = "tc"
    """A filter of traffic control (S-H7)."""
    XDP = "xdp"
    """A program at the link, before the stack sees the packet (S-H8)."""
    STICKY_SOURCE = "sticky-source"
    """WireGuard itself: it sends from the address on which it last heard the peer (S-E14); that
    one is ``name``."""


class Direction(Enum):
    """Where a packet meets it."""

    IN = "in"
    """Arriving; for an IPsec policy: and delivered here."""
    FORWARD = "forward"
    """An IPsec policy for packets that arrive and go on."""
    OUT = "out"


class Effect(Enum):
    """What it does to packets, or may do."""

    TRANSFORM = "transform"
    """Encrypts (out), or wants it to have been encrypted (in, forward)."""
    BLOCK = "block"
    REDIRECT = "redirect"
    """To another link, past routing."""
    DROP = "drop"
    PROGRAM = "program"
    """Whatever a BPF program does."""
    CHANGE = "change"
    """Another action of traffic control; ``name`` says which."""


@dataclass(frozen=True, slots=True)
class PolicySelector:
    """Which packets an IPsec policy is for; None is "not asked"."""

    family: Family
    source: Prefix | None = None
    destination: Prefix | None = None
    protocol: int | None = None
    source_port: Masked | None = None
    destination_port: Masked | None = None
    link: LinkIndex | None = None
    mark: Masked | None = None
    interface_id: int = 0
    """Only for packets of the xfrm links with this number; 0: for all others."""


@dataclass(frozen=True, slots=True)
class Influence:
    """One of them, as far as it matters."""

    kind: InfluenceKind
    direction: Direction
    effect: Effect
    link: LinkIndex | None = None
    """Where it is attached; None: it is for all links."""
    to: LinkIndex | None = None
    """Where it redirects to."""
    name: str = ""
    """Of the program or action, untrusted; ``default`` for what holds without a policy; an
    address."""
    selector: PolicySelector | None = None
    """Of a policy; None: for every packet."""
