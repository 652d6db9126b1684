"""What does a device have of what was meant? Nouns for configuration and kernel, side by side."""

from __future__ import annotations

from enum import Enum

from wgtui.model.fact import dataclass
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import Device, DeviceConfig, Peer, PeerConfig


class Presence(Enum):
    """Where a peer is; the value is a stable code."""

    BOTH = "both"
    MISSING = "missing"
    """Meant, and the device does not have it."""
    EXTRA = "extra"
    """The device has it, and nobody meant it."""
    OWN_KEY = "own-key"
    """Meant with the device's own key: the kernel ignores such a peer silently (S-E5)."""


class EntryState(Enum):
    """What became of one prefix of a peer; the value is a stable code."""

    SAME = "same"
    MISSING = "missing"
    """Meant, and no peer of the device has it."""
    MOVED = "moved"
    """Meant, and another peer of the device has it."""
    GIVEN_AWAY = "given-away"
    """Another peer has it because the same configuration gives it to that one too (S-E2)."""
    EXTRA = "extra"
    """The peer has it, and nobody meant it to."""


class Likeness(Enum):
    """How a setting compares; the value is a stable code."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_SAID = "not-said"
    """The configuration says nothing about it: nothing to compare."""
    NOT_COMPARED = "not-compared"
    """It says something that cannot be compared without asking others: a host name."""


@dataclass(frozen=True, slots=True)
class EntryDrift:
    """One prefix of one peer."""

    prefix: Prefix
    state: EntryState
    owner: int | None = None
    """The position in ``device.peers`` of the one that has it now; None: nobody."""
    written: str = ""
    """As the configuration writes it; empty when it does not."""


@dataclass(frozen=True, slots=True)
class PeerDrift:
    """One peer: what was meant, and what the device has."""

    public_key: str
    presence: Presence
    meant: PeerConfig | None = None
    peer: Peer | None = None
    position: int | None = None
    """Its place in ``device.peers``."""
    entries: tuple[EntryDrift, ...] = ()
    """In the order of the configuration; what is extra comes last."""
    endpoint: Likeness = Likeness.NOT_SAID
    """DIFFERENT may mean that the peer called from elsewhere since (it roamed)."""
    endpoint_port: Likeness = Likeness.NOT_SAID
    """The port alone: all that can be compared when the endpoint is a host name."""
    keepalive: Likeness = Likeness.NOT_SAID

    @property
    def drifted(self) -> bool:
        """Is it otherwise than meant? (A changed endpoint alone may be the peer's own doing.)"""
        settled = (EntryState.SAME, EntryState.GIVEN_AWAY)
        if self.presence is Presence.OWN_KEY:
            return False
        return (
            self.presence in (Presence.MISSING, Presence.EXTRA)
            or any(entry.state not in settled for entry in self.entries)
            or Likeness.DIFFERENT in (self.endpoint, self.endpoint_port, self.keepalive)
        )


@dataclass(frozen=True, slots=True)
class DeviceDrift:
    """One device beside the configuration that it follows."""

    link: LinkIndex | None
    """None: there is no such link."""
    name: str
    device: Device | None = None
    """None: no such device, or its peers could not be seen (``hidden``)."""
    hidden: bool = False
    config: DeviceConfig | None = None
    """None: nothing says what it was meant to be."""
    others: tuple[DeviceConfig, ...] = ()
    """Further configurations for the same name, from which it differs more."""
    listen_port: Likeness = Likeness.NOT_SAID
    fwmark: Likeness = Likeness.NOT_SAID
    peers: tuple[PeerDrift, ...] = ()
    """In the order of the configuration; peers that nobody meant come last."""

    @property
    def drifted(self) -> bool:
        """Is anything of it otherwise than meant?"""
        if self.device is None or self.config is None:
            return False
        settings = (self.listen_port, self.fwmark)
        return Likeness.DIFFERENT in settings or any(peer.drifted for peer in self.peers)
