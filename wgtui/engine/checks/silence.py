"""Does nobody answer, and why, as far as this side can tell?

What one snapshot can honestly say of handshakes is in S-E41 … S-E43. A silence that another mistake
explains names it, instead of guessing at endpoint and key: encrypted packets that go in circles
(S-E17), have no way out, or whose answers rp_filter drops (S-D11); a firewall's own check of the
way back (S-D9) is named as what may do so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from wgtui.engine.checks.endpoints import bypass, loop, outer_of, underlays
from wgtui.engine.checks.filters import filtered_below
from wgtui.engine.checks.ground import asked, kind_of
from wgtui.engine.checks.partition import LOCAL, MISS, REFUSED, way_of
from wgtui.engine.checks.world import Underlay, World, who
from wgtui.engine.reverse import outer_hooks
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.finding_facts import Filtered, Loop, NoHandshake, StaleHandshake, Undelivered
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import BITS, Prefix, family_of
from wgtui.model.snapshot import Hook
from wgtui.model.trace import Ownership, Reason
from wgtui.model.wireguard import Device, Peer

USABLE: Final = 180.0
"""Seconds: an older handshake has left no key (S-E40, S-E42)."""


class _Silence(NamedTuple):
    """Why nobody may have answered."""

    cause: Loop | Filtered | None = None
    chains: tuple[Hook, ...] = ()


def no_handshake(world: World) -> Iterator[Finding]:
    """Peers that this side has called, and that never answered."""
    lost = _lost(world)
    for device in world.snapshot.devices.values():
        for peer in device.peers:
            outer = lost.get((device.link, peer.public_key))
            tried = peer.sent or outer is not None
            if peer.last_handshake is None and tried and world.up(device):
                why = _why(world, device, peer)
                meant = _meant(world, device, peer)
                facts = NoHandshake(peer.endpoint, peer.sent, meant, outer, *why)
                yield Finding(Code.NO_HANDSHAKE, Severity.WARNING, facts, device.name, who(peer))


def stale_handshake(world: World) -> Iterator[Finding]:
    """Peers that packets are sent to without a usable key.

    Of one snapshot only a keepalive tells that something is being sent now; of two, the counters.
    """
    snapshot, lost = world.snapshot, _lost(world)
    for device in snapshot.devices.values():
        old = world.old(device)
        before = {} if old is None else {peer.public_key: peer.sent for peer in old.peers}
        for peer in device.peers:
            if peer.last_handshake is None or not world.up(device):
                continue
            seconds = snapshot.taken_at - peer.last_handshake
            calling = bool(peer.keepalive and peer.endpoint is not None and device.public_key)
            rising = peer.sent > before.get(peer.public_key, peer.sent)
            outer = lost.get((device.link, peer.public_key))
            if seconds > USABLE and (calling or rising or outer is not None):
                facts = StaleHandshake(
                    seconds,
                    peer.endpoint,
                    peer.keepalive if calling else 0,
                    _meant(world, device, peer),
                    outer,
                    *_why(world, device, peer),
                )
                yield Finding(Code.STALE_HANDSHAKE, Severity.WARNING, facts, device.name, who(peer))


def _lost(world: World) -> dict[tuple[LinkIndex, str], Undelivered]:
    """Peers whose encrypted packets do not leave this host, and why."""
    return {
        (under.device.link, under.peer.public_key): _undelivered(world, under)
        for under in underlays(world)
        if under.plain and way_of(under.value).code in (MISS, LOCAL, REFUSED)
    }


def _undelivered(world: World, under: Underlay) -> Undelivered:
    found = asked(world, under.routing.query, int(under.endpoint.address))
    decided = found.steps[-1].rule if found.steps and found.reason is Reason.RULE else None
    return Undelivered(
        kind_of(under.value),
        found.route,
        None if decided is None else decided.priority,
        bypass(world.snapshot, under.endpoint),
    )


def _meant(world: World, device: Device, peer: Peer) -> str | None:
    config = world.meant_peer(device, peer.public_key)
    return None if config is None else config.endpoint


def _why(world: World, device: Device, peer: Peer) -> _Silence:
    """What else this host knows of packets to and from the peer."""
    under = world.underlay_of.get((device.link, peer.public_key))
    if under is None:
        return _Silence()
    cause = loop(world, under) or filtered_below(world, under)
    return _Silence(cause, () if cause is not None else tuple(_chains(world, under)))


def _chains(world: World, under: Underlay) -> Iterator[Hook]:
    """Chains that check the way back of encrypted packets from the peer, each its own way."""
    if not world.snapshot.hooks:
        return
    family = family_of(under.endpoint.address)
    prefix = Prefix(family, int(under.endpoint.address), BITS[family])
    owner = Ownership(under.device, under.peer, under.number, prefix)
    for hook in outer_hooks(world.snapshot, owner, outer_of(world.snapshot, under)):
        if "fib-drop" in hook.does:
            yield hook
