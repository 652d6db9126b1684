"""Where were devices made that came here from another namespace, and what does it look like there?

A device's UDP sockets stay where it was made, and so does the routing of its encrypted packets
(S-E20). Netlink does not tell where that is; but its port is open there, and not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from wgtui.errors import SourceError
from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.wireguard import Birth, Device
from wgtui.sources import netns
from wgtui.sources.procfs import read_udp_ports


def born(
    device: Device,
    links: Mapping[LinkIndex, Link],
    ports: set[int],
    before: Mapping[LinkIndex, Device],
) -> Device:
    """The device, knowing its birthplace. ``ports`` are those open here.

    What was found out ``before`` is not sought again: polls must not look into every namespace.
    """
    if not links[device.link].up or not device.listen_port or device.listen_port in ports:
        return device
    known = before.get(device.link)
    if (
        known is not None
        and known.birth is Birth.ELSEWHERE
        and known.listen_port == device.listen_port
    ):
        place = known.birth_namespace
    else:
        place = _namespace_with(device.listen_port)
    # The zone of an endpoint is a link of the birthplace: what it was called here is wrong.
    numbers = {found.name: str(found.index) for found in links.values()}
    peers = tuple(
        replace(peer, endpoint=replace(peer.endpoint, zone=numbers.get(peer.endpoint.zone)))
        if peer.endpoint is not None and peer.endpoint.zone in numbers
        else peer
        for peer in device.peers
    )
    return replace(device, peers=peers, birth=Birth.ELSEWHERE, birth_namespace=place)


def _namespace_with(port: int) -> str | None:
    """The only other namespace in which the port is open; None: none, or nobody knows which."""
    found = [place for place in netns.others() if port in _ports_in(place)]
    return found[0] if len(found) == 1 else None


def _ports_in(place: str) -> set[int]:
    path = netns.path_of(place)
    if path.is_relative_to("/proc"):  # no need to go there
        return read_udp_ports(path.parents[1] / "net") or set()
    try:
        return netns.visiting(place, read_udp_ports) or set()
    except SourceError:
        return set()


def read_birthplaces(
    devices: Iterable[Device], read: Callable[[str], Snapshot]
) -> tuple[dict[str, Snapshot], list[Gap]]:
    """The namespaces that these devices were made in, as ``read`` sees them from inside."""
    found: dict[str, Snapshot] = {}
    gaps: list[Gap] = []
    for device in devices:
        place = device.birth_namespace
        if device.birth is Birth.HERE or place in found:
            continue
        if place is None:
            why = "which namespace its socket lives in could not be found"
            gaps.append(Gap(Subject.NAMESPACE, why, link=device.link))
            continue
        try:
            found[place] = netns.visiting(place, partial(read, place))
        except OSError as error:
            gaps.append(Gap(Subject.NAMESPACE, error.strerror or str(error), link=device.link))
        except SourceError as error:
            gaps.append(Gap(Subject.NAMESPACE, str(error), error.hint, device.link))
    return found, gaps
