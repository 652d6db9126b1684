"""What does the Interfaces pane show? Every link, its addresses, and what WireGuard adds to it.

eth0   up  mtu 1500
  192.0.2.10/24
wg0    up  wireguard  mtu 1420
  10.20.0.1/16
  port 51820  fwmark 0xca6c  12 peers
  handshake 1m12s ago  rx 1.2 KiB/s  tx 300 B/s
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from rich.cells import cell_len

from wgtui.model.network import Link, LinkAddress, LinkIndex
from wgtui.model.prefix import Prefix, family_of
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import Trace
from wgtui.model.wireguard import FRESH, Birth, Device
from wgtui.report import words
from wgtui.report.printable import printable
from wgtui.tui.interfaces_lit import lit_links
from wgtui.tui.row_layout import (
    MANY_CELLS,
    NEW_LINE,
    Cells,
    Choice,
    add,
    beside,
    broken,
    clip,
    fit,
    paragraph,
    say,
    text_of,
)
from wgtui.tui.rows import Lit, Span

INDENT: Final = Span("  ")
LINK_WORD_ROOM: Final = len(" encrypts ")
"""Kept free for the word of a link's mark; for the longest words a link gives up its MTU."""

NAME_CELLS: Final = 10
"""Names share a column up to this width; longer ones push their row to the right."""

_STATE_STYLES: Final = {"up": "good", "down": "dim", "no carrier": "warn"}


class _Part(Enum):
    """What a row of a link says."""

    LINK = "link"
    ADDRESS = "address"
    SETTINGS = "settings"
    TRAFFIC = "traffic"
    BIRTH = "birth"
    GAP = "gap"


class _Row(NamedTuple):
    part: _Part
    link: LinkIndex | None
    """None: a gap of the whole host."""
    number: int = 0
    """Which address."""
    gap: tuple[str, Gap | None] = ("", None)
    """What cannot be seen, and why."""


class Rates(NamedTuple):
    """Bytes of a link: per second when there is an earlier snapshot, else since it was made."""

    received: float
    sent: float
    per_second: bool


class InterfacesRows:
    """One row per link in the kernel's order, and below it a row for everything it has."""

    title = "Interfaces"

    def __init__(self, snapshot: Snapshot, previous: Snapshot | None = None) -> None:
        self.snapshot = snapshot
        self.previous = previous
        self._rows = list(_rows(snapshot))
        self._of_link = {
            row.link: number
            for number, row in enumerate(self._rows)
            if row.part is _Part.LINK and row.link is not None
        }
        names = (cell_len(printable(link.name)) for link in snapshot.links.values())
        self._name_cells = min(NAME_CELLS, max(names, default=0))

    def __len__(self) -> int:
        return len(self._rows)

    # ------------------------------------------------------------------------------------ drawing

    def spans(self, row: int, width: int) -> Cells:
        """One row, at most ``width`` cells."""
        entry = self._rows[row]
        if entry.part is _Part.GAP:
            return _gap(entry, width)
        link = entry.link
        if link is None:
            raise ValueError("only a gap is about no link")
        device = self.snapshot.devices.get(link)
        if entry.part is _Part.ADDRESS:
            return _address(self.snapshot.links[link].addresses[entry.number], width)
        if entry.part is _Part.LINK or device is None:
            return self._link(link, device, width)
        if entry.part is _Part.SETTINGS:
            return _settings(device, width)
        if entry.part is _Part.BIRTH:
            return (INDENT, Span(clip(words.birth_text(device), width - 2), "warn"))
        return self._traffic(device, width)

    def _link(self, index: LinkIndex, device: Device | None, width: int) -> Cells:
        link = self.snapshot.links.get(index)
        if link is None:
            width = beside(width, LINK_WORD_ROOM)
            name = printable(device.name if device else words.link_name(f"if{index}"))
            return fit(width, (Span(clip(name, width), "strong"),), say("not listed", "warn"))
        wireguard = device is not None or link.kind == "wireguard"
        width = beside(width, LINK_WORD_ROOM)
        state = words.link_state(link)
        room = max(0, width - len(state) - 2)
        name = clip(printable(link.name), room if room >= 4 else width)
        name += " " * (self._name_cells - cell_len(name))
        row = fit(
            width,
            (Span(name, "strong" if wireguard else ""),),
            say(state, _STATE_STYLES.get(state, "warn")),
            say(words.link_kind(link, device), "head" if wireguard else "dim"),
            say("userspace" if wireguard and link.kind != "wireguard" else "", "dim"),
            say(f"mtu {link.mtu}" if link.mtu else "", "dim"),
            say(self._belongs(link)),
            say(f"table {words.table_name(link.vrf_table)}" if link.vrf_table is not None else ""),
            say("xdp" if link.xdp else "", "warn"),
        )
        left = width - cell_len(text_of(row)) - 2
        alias = printable(link.alias)
        return (*row, Span(f"  {clip(alias, left)}", "dim")) if alias and left >= 6 else row

    def _belongs(self, link: Link) -> str:
        master = self.snapshot.links.get(link.master) if link.master is not None else None
        if link.master is None:
            return ""
        role = "vrf" if master is not None and master.kind == "vrf" else "master"
        return f"{role} {words.link_name(self.snapshot.link_name(link.master))}"

    def _traffic(self, device: Device, width: int) -> Cells:
        met = max((p.last_handshake for p in device.peers if p.last_handshake), default=None)
        seconds = None if met is None else max(0.0, self.snapshot.taken_at - met)
        fresh = seconds is not None and seconds <= FRESH
        style = "good" if fresh else "warn"
        met_text = words.handshake_text(seconds) if device.peers else ""
        rates = self.rates(device)
        say_bytes = words.rate_text if rates.per_second else words.bytes_text
        traffic = f"rx {say_bytes(rates.received)}  tx {say_bytes(rates.sent)}"
        row = _indented(width, say(met_text, style))
        return add(width, row, (Span(traffic),), len(INDENT.text))

    def rates(self, device: Device) -> Rates:
        """What its peers received and sent, against the previous snapshot where there is one."""
        received, sent = _totals(device)
        old = self.previous.devices.get(device.link) if self.previous else None
        if self.previous is None or old is None or old.name != device.name:
            return Rates(received, sent, False)
        elapsed = self.snapshot.taken_at - self.previous.taken_at
        was_received, was_sent = _totals(old)
        if (
            elapsed <= 0 or received < was_received or sent < was_sent
        ):  # a peer or the device is new
            return Rates(received, sent, False)
        return Rates((received - was_received) / elapsed, (sent - was_sent) / elapsed, True)

    # ------------------------------------------------------------------------- asking and copying

    def question(self, row: int) -> str | None:
        """Of an address row that address, of any other the link's first one."""
        entry = self._rows[row]
        link = self.snapshot.links.get(entry.link) if entry.link is not None else None
        if link is None or not link.addresses:
            return None
        number = entry.number if entry.part is _Part.ADDRESS else 0
        return words.address_with_zone(link.addresses[number].address, link.name)

    def copy_text(self, row: int) -> str:
        """The name, the address, or the device's public key."""
        entry = self._rows[row]
        if entry.link is None:
            return text_of(_gap(entry, MANY_CELLS)).strip()
        if entry.part is _Part.ADDRESS:
            found = self.snapshot.links[entry.link].addresses[entry.number]
            return words.link_address_text(found)
        device = self.snapshot.devices.get(entry.link)
        if entry.part is _Part.LINK or device is None or device.public_key is None:
            return printable(device.name if device else self.snapshot.link_name(entry.link))
        return printable(device.public_key)

    def lit(self, trace: Trace) -> Lit:
        """The link it leaves by, the one below it, the one it came in by, and where it failed."""
        return lit_links(self.snapshot, trace, self.row_of)

    def row_of(self, link: LinkIndex | None) -> int | None:
        """The row of a link, or None."""
        return self._of_link.get(link) if link is not None else None

    # ---------------------------------------------------------------------------------- filtering

    def unfolded(self) -> InterfacesRows:
        """Nothing is folded here."""
        return self

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Rows of addresses in the prefix, or whose connected prefix covers it."""
        for row, entry in enumerate(self._rows):
            if entry.part is _Part.ADDRESS and entry.link is not None:
                found = self.snapshot.links[entry.link].addresses[entry.number]
                own = found.prefix
                if own.contains(prefix) or prefix.contains(own) or _is_in(prefix, found):
                    yield row

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Rows whose text contains the needle; it is in lower case."""
        for row in range(min(limit, len(self._rows))):
            if needle in text_of(self.spans(row, MANY_CELLS)).lower():
                yield row

    def context(self, row: int) -> Iterator[int]:
        """Rows that are shown with this one: everything of its link."""
        link = self._rows[row].link
        start = self.row_of(link)
        if start is None:
            return
        yield start
        for other in range(start + 1, len(self._rows)):
            if self._rows[other].link != link:
                return
            yield other


def _rows(snapshot: Snapshot) -> Iterator[_Row]:
    for subject, what in ((Subject.LINKS, "links"), (Subject.ADDRESSES, "addresses")):
        if gap := snapshot.gap(subject):
            yield _Row(_Part.GAP, None, gap=(what, gap))
    said: list[Gap | None] = []
    for link in snapshot.links.values():
        yield _Row(_Part.LINK, link.index)
        yield from (_Row(_Part.ADDRESS, link.index, n) for n in range(len(link.addresses)))
        for row in _wireguard(snapshot, link.index, link.kind == "wireguard"):
            said.append(row.gap[1])
            yield row
    for device in snapshot.devices.values():
        if device.link not in snapshot.links:
            yield _Row(_Part.LINK, device.link)
            yield from _wireguard(snapshot, device.link, True)
    for gap in snapshot.gaps:
        if gap.subject is Subject.WIREGUARD and gap not in said:
            yield _Row(_Part.GAP, None, gap=("WireGuard", gap))


def _wireguard(snapshot: Snapshot, link: LinkIndex, is_wireguard: bool) -> Iterator[_Row]:
    device = snapshot.devices.get(link)
    gap = snapshot.gap(Subject.WIREGUARD, link)
    if device is not None:
        yield _Row(_Part.SETTINGS, link)
        yield _Row(_Part.TRAFFIC, link)
        if device.birth is Birth.ELSEWHERE:
            yield _Row(_Part.BIRTH, link)
    if (is_wireguard and device is None) or (gap is not None and gap.link == link):
        yield _Row(_Part.GAP, link, gap=("peers", gap))


def _gap(entry: _Row, width: int) -> Cells:
    return paragraph(words.gap_text(*entry.gap), width, 2 if entry.link is not None else 0, "warn")


def _address(entry: LinkAddress, width: int) -> Cells:
    local_link = entry.address.version == 6 and entry.address.is_link_local()
    flags = [
        say(f"peer {entry.peer}/{entry.prefix.length}" if entry.peer is not None else ""),
        say("secondary" if entry.secondary and entry.address.version == 4 else "", "dim"),
        say("temporary" if entry.secondary and entry.address.version == 6 else "", "dim"),
        say("deprecated" if entry.deprecated else "", "warn"),
        say("tentative" if entry.tentative else "", "warn"),
    ]
    text = words.link_address_text(entry) if entry.peer is None else str(entry.address)
    room = width - len(INDENT.text)
    if len(text) > room:
        first, *more = broken(text, width - len(INDENT.text), width - 2 * len(INDENT.text))
        cells = [INDENT, Span(first)]
        for line in more:
            cells += [NEW_LINE, INDENT, INDENT, Span(line)]
        return fit(width, tuple(cells), *flags)
    return fit(width, (INDENT, Span(text, "dim" if local_link else "")), *flags)


def _is_in(prefix: Prefix, entry: LinkAddress) -> bool:
    return prefix.family == family_of(entry.address) and prefix.covers(int(entry.address))


def _settings(device: Device, width: int) -> Cells:
    return _indented(
        width,
        say("no key" if device.public_key is None else "", "bad"),
        say(f"port {device.listen_port}" if device.listen_port else "no port"),
        say(words.fwmark_text(device)),
        say(words.count_text(len(device.peers), "peer"), "" if device.peers else "warn"),
    )


def _indented(width: int, *pieces: Choice) -> Cells:
    """Pieces below a link: the gap before the first one is their indentation."""
    return fit(width, (), *pieces)


def _totals(device: Device) -> tuple[int, int]:
    return sum(p.received for p in device.peers), sum(p.sent for p in device.peers)
