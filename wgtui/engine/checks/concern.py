"""Which findings concern this packet? Those of the addresses, peers and devices on its way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netaddr import IPAddress

from wgtui.model.finding import Finding
from wgtui.model.prefix import family_of
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Ownership, Trace


class Concern:
    """One packet, asked about many findings."""

    def __init__(self, snapshot: Snapshot, trace: Trace) -> None:
        owners = list(_owners(trace))
        self._addresses = [(family_of(one), int(one)) for one in _addresses(trace)]
        self._keys = {owner.peer.public_key for owner in owners}
        if trace.arrival is not None and trace.arrival.sender is not None:
            self._keys.add(trace.arrival.sender.public_key)
        self._names = {owner.device.name for owner in owners} | set(_links(snapshot, trace))

    def has(self, finding: Finding) -> bool:
        """Is the packet one of those that the finding speaks of?

        A prefix must hold the destination (or the source of a packet that arrives); what names none
        must be about a peer or a device on the packet's way, or on that of its answer.
        """
        prefix = finding.prefix
        if prefix is not None:
            return any(
                prefix.family == family and prefix.covers(address)
                for family, address in self._addresses
            )
        if finding.peer is not None:
            return finding.peer.public_key in self._keys
        return finding.device in self._names


def concerning(
    snapshot: Snapshot, trace: Trace, findings: Iterable[Finding]
) -> tuple[Finding, ...]:
    """Those that concern the packet, in their order."""
    return tuple(filter(Concern(snapshot, trace).has, findings))


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
