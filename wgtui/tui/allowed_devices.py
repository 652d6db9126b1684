"""Which devices does the AllowedIPs pane speak of, and which prefixes did their peers lose?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.wireguard import Device
from wgtui.report import words
from wgtui.tui.row_layout import WORD_ROOM, Cells, beside, clip, fit, paragraph, say
from wgtui.tui.rows import Span

Lost: TypeAlias = dict[int, tuple[tuple[Prefix, str], ...]]
"""Per peer the prefixes a configuration means it to have, and whose each one is ("" nobody's)."""


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A device, one that cannot be seen, or (without a name) the host as a whole."""

    link: LinkIndex | None
    name: str = ""
    device: Device | None = None
    notes: tuple[str, ...] = ()
    """Rows below its header."""
    nothing: str = words.NO_DEVICES
    """The header of the host as a whole: that there is none, or that it could not be seen."""

    def spans(self, offset: int, width: int) -> Cells:
        """The header (row 0) or a note below it."""
        if offset or not self.name:
            note = self.notes[offset - 1] if offset else self.nothing
            style = "dim" if note == words.NO_DEVICES else "warn"
            return paragraph(note, width, 2 if offset else 0, style)
        head = (Span(clip(self.name, beside(width, WORD_ROOM)), "head"),)
        if self.device is None:
            return head
        count = words.count_text(len(self.device.peers), "peer")
        return fit(
            beside(width, WORD_ROOM), head, say(count, "dim" if self.device.peers else "warn")
        )

    def copy_text(self, offset: int) -> str:
        """The device's public key or name; a note's words."""
        if offset:
            return self.notes[offset - 1]
        key = self.device.public_key if self.device else None
        return words.key_text(key) if key else self.name or self.nothing


def device_entries(snapshot: Snapshot) -> Iterator[DeviceEntry]:
    """In the order of the links; a WireGuard link that could not be read is one too."""
    found = False
    for index, link in snapshot.links.items():
        device = snapshot.devices.get(index)
        gap = snapshot.gap(Subject.WIREGUARD, index)
        named = gap is not None and gap.link == index
        if device is None and link.kind != "wireguard" and not named:
            continue
        hidden = (words.gap_text("peers", gap),) if device is None or named else ()
        found = True
        yield DeviceEntry(index, words.link_name(link.name), device, hidden)
    for index, device in snapshot.devices.items():
        if index not in snapshot.links:
            found = True
            yield DeviceEntry(index, words.link_name(device.name), device)
    if not found:
        gap = snapshot.gap(Subject.WIREGUARD)
        yield DeviceEntry(
            None, nothing=words.gap_text("WireGuard", gap) if gap else words.NO_DEVICES
        )


def lost_prefixes(snapshot: Snapshot, device: Device) -> Lost:
    """What its configuration gives to a peer and the device does not."""
    meant = [config for config in snapshot.meant if config.name == device.name]
    if not meant:
        return {}
    owner = {prefix: n for n, peer in enumerate(device.peers) for prefix in peer.allowed_ips}
    lost: dict[int, list[tuple[Prefix, str]]] = {}
    for config in meant:
        for peer in config.peers:
            number = device.peer_numbers.get(peer.public_key)
            for prefix in dict.fromkeys(peer.allowed_ips) if number is not None else ():
                now = owner.get(prefix)
                if number is not None and now != number:
                    name = "" if now is None else words.peer_name(device.peers[now])
                    lost.setdefault(number, []).append((prefix, name))
    return {number: tuple(entries) for number, entries in lost.items()}
