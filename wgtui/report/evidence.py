"""What has the host counted that proves or contradicts the verdict?

Handshake ages are read as S-E42 says; ``tx_errors`` of a WireGuard link count packets without a
peer or an endpoint (S-E10, S-E11), ``rx_frame_errors`` decrypted packets whose source their sender
does not own (S-E31). With an earlier snapshot the counters also tell whether they are rising now.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgtui.model.network import Counters, LinkIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Ownership, Trace
from wgtui.model.wireguard import FRESH, Backend
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import age, bytes_text, handshake_age, peer_name

SUSPICIOUS = 135
"""Seconds: with PersistentKeepalive a new handshake is due every 120 s (S-E42)."""


def evidence(snapshot: Snapshot, trace: Trace, previous: Snapshot | None = None) -> Iterator[Line]:
    """Lines about the counters and handshakes of the devices on the packet's way."""
    ownership = trace.ownership
    if ownership is not None and ownership.owner is not None:
        yield from _handshake(snapshot, ownership.owner)
    refused = (Outcome.NO_PEER, Outcome.NO_ENDPOINT)
    refuser = ownership.device if ownership is not None and trace.outcome in refused else None
    if refuser is not None and refuser.backend is Backend.KERNEL:
        yield from _counter(snapshot, previous, refuser.link, "tx_errors")
    arrival = trace.arrival
    device = snapshot.devices.get(arrival.link) if arrival is not None else None
    if device is not None and device.backend is Backend.KERNEL:
        yield from _counter(snapshot, previous, device.link, "rx_frame_errors")


def _handshake(snapshot: Snapshot, owner: Ownership) -> Iterator[Line]:
    peer, name = owner.peer, peer_name(owner.peer)
    seconds = handshake_age(peer, snapshot.taken_at)
    if peer.endpoint is None:
        return
    if seconds is None:
        if peer.sent:
            yield _line(
                f"{name} has never answered: {bytes_text(peer.sent)} sent, no handshake", Tone.BAD
            )
        else:
            yield _line(f"no handshake with {name} yet, and nothing sent: not tried so far")
    elif seconds <= FRESH:
        late = peer.keepalive and seconds > SUSPICIOUS
        tail = ", late for one with PersistentKeepalive" if late else ": the session is usable"
        yield _line(
            f"handshake with {name} {age(seconds)} ago{tail}", Tone.NOTE if late else Tone.GOOD
        )
    elif peer.keepalive:
        yield _line(
            f"last handshake with {name} {age(seconds)} ago, although PersistentKeepalive is "
            f"{peer.keepalive}s: it does not answer any more",
            Tone.BAD,
        )
    else:
        yield _line(
            f"last handshake with {name} {age(seconds)} ago: no usable session, normal when idle"
        )


_MEANING = {
    "tx_errors": "packets refused for want of a peer or an endpoint",
    "rx_frame_errors": "decrypted packets dropped for their source",
}


def _counter(
    snapshot: Snapshot, previous: Snapshot | None, index: LinkIndex, field: str
) -> Iterator[Line]:
    now = _count(snapshot, index, field)
    if now is None:
        return
    name = printable(snapshot.link_name(index))
    before = _count(previous, index, field) if previous is not None else None
    rising = f", {now - before} more just now" if before is not None and now > before else ""
    if now:
        tone = Tone.BAD if rising else Tone.NOTE
        yield _line(f"{name} has counted {now} {field}{rising}: {_MEANING[field]}", tone)
    else:
        yield _line(f"{name} has counted no {field}: it has not happened yet")


def _count(snapshot: Snapshot, index: LinkIndex, field: str) -> int | None:
    link = snapshot.links.get(index)
    counters: Counters | None = link.counters if link is not None else None
    if counters is None:
        return None
    return counters.tx_errors if field == "tx_errors" else counters.rx_frame_errors


def _line(text: str, tone: Tone = Tone.PLAIN) -> Line:
    return Line(text, tone, 0, "proof")
