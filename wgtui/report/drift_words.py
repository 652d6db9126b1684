"""What was meant, what the kernel has, what is routed there: the three side by side, per peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from wgtui.engine.routed import Extent, Routed, routed
from wgtui.model.drift import (
    DeviceDrift,
    EntryDrift,
    EntryState,
    Likeness,
    PeerDrift,
    Presence,
)
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import count_text, endpoint_text, mark_text, peer_name, short_key

NOTHING_MEANT: Final = "No configuration says what the devices of this host were meant to be."

MOST: Final = 200
"""Peers of a device that are listed; of more, only those that are otherwise than meant."""

MOST_ENTRIES: Final = 1000
"""Prefixes of a device that are listed, and whose routes are looked up: a tenth of a second."""

_AS_IT_SHOULD: Final = (Extent.ALL, Extent.DEFAULT, Extent.SHADOWED)
_WIDTHS: Final = (18, 7, 22)
"""Of the columns prefix, meant and kernel, at least."""


class Row(NamedTuple):
    """One prefix of one peer, with what routing does to it."""

    entry: EntryDrift
    routed: Routed | None
    """None: there is no device to route to."""


Routes: TypeAlias = Mapping[Prefix, Routed]


class Told(NamedTuple):
    """A line, and the prefix it is about."""

    line: Line
    prefix: Prefix | None = None


def drift_lines(snapshot: Snapshot, found: Sequence[DeviceDrift]) -> list[Line]:
    """Everything, device by device; the first line says whether anything differs."""
    return [told.line for told in drift_told(snapshot, found)]


def drift_told(snapshot: Snapshot, found: Sequence[DeviceDrift]) -> Iterator[Told]:
    """The same, with the prefix that each line is about."""
    drifted = [device for device in found if device.drifted]
    if not any(device.config for device in found):
        yield Told(Line(NOTHING_MEANT, Tone.NOTE))
    elif drifted:
        names = ", ".join(printable(device.name) for device in drifted)
        yield Told(Line(f"otherwise than meant: {names}", Tone.BAD))
    else:
        yield Told(Line("everything is as it was meant", Tone.GOOD))
    for device in found:
        yield from _device(snapshot, device)


def rows_of(snapshot: Snapshot, device: Device | None, entries: Iterable[EntryDrift]) -> list[Row]:
    """Prefixes with their routes looked up."""
    return [
        Row(entry, None if device is None else routed(snapshot, device, entry.prefix))
        for entry in entries
    ]


def _device(snapshot: Snapshot, found: DeviceDrift) -> Iterator[Told]:
    name, config = printable(found.name), found.config
    if config is None:
        if found.device is not None and found.device.peers:
            yield Told(Line(f"{name}: no configuration", label="device"))
        return
    written = f"{printable(config.file)} ({config.program.value})"
    if found.hidden:
        yield Told(
            Line(f"{name}: its peers cannot be seen; {written}", Tone.UNKNOWN, label="device")
        )
        return
    if found.device is None:
        yield Told(Line(f"{name}: not there; {written}", label="device"))
        return
    tone = Tone.BAD if found.drifted else Tone.GOOD
    yield Told(Line(f"{name}: {written}", tone, label="device"))
    for other in found.others:
        text = (
            f"{printable(other.file)} ({other.program.value}) is for {name} too, and differs more"
        )
        yield Told(Line(text, Tone.NOTE, label="also"))
    yield from map(Told, _settings(found, found.device))
    yield from _peers(snapshot, found, found.device)


def _settings(found: DeviceDrift, device: Device) -> Iterator[Line]:
    config = found.config
    if config is None:
        return
    if found.listen_port is Likeness.DIFFERENT:
        text = f"listens on {device.listen_port}, meant {config.listen_port}"
        yield Line(text, Tone.NOTE, label="port")
    if found.fwmark is Likeness.DIFFERENT:
        text = f"{mark_text(device.fwmark)}, meant {mark_text(config.fwmark or 0)}"
        yield Line(text, Tone.NOTE, label="fwmark")


def _peers(snapshot: Snapshot, found: DeviceDrift, device: Device) -> Iterator[Told]:
    peers: Sequence[PeerDrift] = found.peers
    if len(peers) > MOST:
        peers = [peer for peer in found.peers if peer.drifted or peer.presence is Presence.OWN_KEY]
        rest = len(found.peers) - len(peers)
        yield Told(Line(f"{count_text(rest, 'peer')} as meant, not listed", label="peers"))
    left = MOST_ENTRIES
    for number, peer in enumerate(peers):
        if number >= MOST or left <= 0:
            text = f"{count_text(len(peers) - number, 'more peer')}, not listed"
            yield Told(Line(text, Tone.NOTE, label="peers"))
            return
        entries = _listed(peer, left)
        left -= len(entries) + 1
        yield from _peer(snapshot, device, peer, entries)


def _listed(peer: PeerDrift, room: int) -> Sequence[EntryDrift]:
    """Its prefixes; of too many first those that are otherwise than meant."""
    if len(peer.entries) <= room:
        return peer.entries
    return sorted(peer.entries, key=lambda entry: entry.state is EntryState.SAME)[:room]


def _peer(
    snapshot: Snapshot, device: Device, peer: PeerDrift, entries: Sequence[EntryDrift]
) -> Iterator[Told]:
    rows = rows_of(snapshot, device, entries)
    row_tones = [_tone(peer, row) for row in rows]
    tones = {Tone.BAD if peer.drifted else Tone.GOOD, *row_tones}
    worst = next(tone for tone in (Tone.BAD, Tone.NOTE, Tone.GOOD) if tone in tones)
    said = [name_of(peer), *_about(peer)]
    yield Told(Line("  ".join(said), worst, label="peer"))
    if not rows:
        return
    widths = (max(_WIDTHS[0], *(len(str(row.entry.prefix)) for row in rows)), *_WIDTHS[1:])
    yield Told(Line(_columns(("prefix", "meant", "kernel", "routes"), widths), indent=1))
    for row, tone in zip(rows, row_tones, strict=True):
        meant = "" if row.entry.state is EntryState.EXTRA else "yes"
        cells = (str(row.entry.prefix), meant, kernel_text(device, row.entry))
        routes = "" if row.routed is None else routes_text(snapshot, row.routed)
        yield Told(Line(_columns((*cells, routes), widths), tone, indent=1), row.entry.prefix)
    if len(entries) < len(peer.entries):
        rest = count_text(len(peer.entries) - len(entries), "more prefix", "more prefixes")
        yield Told(Line(f"{rest}, not listed", Tone.NOTE, indent=1))


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return " ".join((*padded, cells[-1])).rstrip()


def name_of(peer: PeerDrift) -> str:
    """What to call it: as the device does, or else as the configuration does."""
    if peer.peer is not None:
        return peer_name(peer.peer)
    label = peer.meant.label if peer.meant is not None else ""
    return printable(label) or short_key(peer.public_key)


def _about(peer: PeerDrift) -> Iterator[str]:
    """What differs beside its prefixes."""
    match peer.presence:
        case Presence.MISSING:
            yield "meant, and the device does not have it"
        case Presence.EXTRA:
            yield "nobody meant it"
        case Presence.OWN_KEY:
            yield "has the device's own key: the kernel ignores it"
    meant, actual = peer.meant, peer.peer
    if meant is None or actual is None:
        return
    written, now = printable(meant.endpoint or ""), endpoint_text(actual.endpoint)
    if Likeness.DIFFERENT in (peer.endpoint, peer.endpoint_port):
        yield f"endpoint {now}, meant {written}"
    elif peer.endpoint is Likeness.NOT_COMPARED:
        yield f"endpoint {now}, meant {written} (not resolved)"
    if peer.keepalive is Likeness.DIFFERENT:
        yield f"keepalive {actual.keepalive or 'off'}, meant {meant.keepalive or 'off'}"


def kernel_text(device: Device, entry: EntryDrift) -> str:
    """What the device has of it."""
    match entry.state:
        case EntryState.SAME | EntryState.EXTRA:
            return "yes" if entry.state is EntryState.SAME else "yes, extra"
        case EntryState.MISSING:
            return "missing"
    other = peer_name(device.peers[entry.owner]) if entry.owner is not None else "?"
    verb = "moved to" if entry.state is EntryState.MOVED else "also meant for"
    return f"{verb} {other}"


def routes_text(snapshot: Snapshot, found: Routed) -> str:
    """Where routing sends its addresses."""
    links = {
        printable(snapshot.link_name(piece.link)) if piece.link is not None else ""
        for piece in found.elsewhere
    }
    where = ", ".join(sorted(link for link in links if link)) or "nowhere"
    return {
        Extent.ALL: "here",
        Extent.DEFAULT: "here by default",
        Extent.SOME: f"partly here, partly {where}" if links else "partly here (next hops)",
        Extent.NOTHING: f"elsewhere: {where}" if where != "nowhere" else "nowhere",
        Extent.SHADOWED: "others own all of it",
        Extent.UNKNOWN: "unknown",
    }[found.extent]


def _tone(peer: PeerDrift, row: Row) -> Tone:
    """A peer with the device's own key is no drift: no kernel ever takes it."""
    if row.entry.state is EntryState.GIVEN_AWAY or peer.presence is Presence.OWN_KEY:
        return Tone.NOTE
    if row.entry.state is not EntryState.SAME:
        return Tone.BAD
    fits = row.routed is None or row.routed.extent in _AS_IT_SHOULD
    return Tone.PLAIN if fits else Tone.NOTE
