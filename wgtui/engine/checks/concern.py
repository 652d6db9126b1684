"""Which findings concern this packet? Those of the addresses, peers and devices on its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netaddr import IPAddress

from wgtui.model.finding import Finding
from wgtui.model.prefix import Family, Prefix, family_of
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Ownership, Trace


class Concerns:
    """Many findings, asked about one packet after the other: nothing here looks at all of them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """By what each speaks of: a prefix, else a peer, else a device."""
        self._findings = findings
        self._prefixes: dict[Prefix, list[int]] = {}
        self._peers: dict[str, list[int]] = {}
        self._devices: dict[str, list[int]] = {}
        for number, finding in enumerate(findings):
            if finding.prefix is not None:
                self._prefixes.setdefault(finding.prefix, []).append(number)
            elif finding.peer is not None:
                self._peers.setdefault(finding.peer.public_key, []).append(number)
            elif finding.device is not None:
                self._devices.setdefault(finding.device, []).append(number)
        self._lengths: set[tuple[Family, int]] = {
            (prefix.family, prefix.length) for prefix in self._prefixes
        }

    def of(self, snapshot: Snapshot, trace: Trace) -> tuple[Finding, ...]:
        """Those that concern the packet, in their order."""
        return tuple(self._findings[number] for number in self.numbers(snapshot, trace))

    def numbers(self, snapshot: Snapshot, trace: Trace) -> list[int]:
        """Which they are, counted from 0, in their order.

        A prefix must hold the destination (or the source of a packet that arrives); what names none
        must be about a peer or a device on the packet's way, or on that of its answer.
        """
        found: set[int] = set()
        for address in _addresses(trace):
            for family, length in self._lengths:
                if family == family_of(address):
                    found.update(self._prefixes.get(Prefix.of(family, int(address), length), ()))
        owners = list(_owners(trace))
        keys = {owner.peer.public_key for owner in owners}
        if trace.arrival is not None and trace.arrival.sender is not None:
            keys.add(trace.arrival.sender.public_key)
        for key in keys:
            found.update(self._peers.get(key, ()))
        for name in {owner.device.name for owner in owners} | set(_links(snapshot, trace)):
            found.update(self._devices.get(name, ()))
        return sorted(found)


def _addresses(trace: Trace) -> Iterator[IPAddress]:
    yield trace.flow.destination
    if trace.flow.iif is not None and trace.flow.source is not None:
        yield trace.flow.source


def _owners(trace: Trace) -> Iterator[Ownership]:
    """Of the packet, of the encrypted ones around it, and who may answer."""
    packet: Trace | None = trace
    while packet is not None:
        if packet.ownership is not None and packet.ownership.owner is not None:
            yield packet.ownership.owner
        packet = packet.outer
    if trace.arrival is not None and trace.arrival.owner is not None:
        yield trace.arrival.owner
    for step in trace.back:
        if step.owner is not None and step.owner.prefix.length > 1:  # "the rest" may come from all
            yield step.owner


def _links(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    if trace.route is not None and trace.route.link is not None:
        yield snapshot.link_name(trace.route.link)
    if trace.arrival is not None:
        yield snapshot.link_name(trace.arrival.link)
