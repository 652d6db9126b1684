"""Which WireGuard devices are there, whoever encrypts, and where do their sockets live?"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from wgtui.errors import FormatError, SourceError
from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.wireguard import Birth, Device
from wgtui.sources import netns, uapi
from wgtui.sources.procfs import read_own_udp_ports, read_udp_ports
from wgtui.sources.wg_socket import WireGuardSocket

_PRIVILEGE: Final = "run as root (sudo wgtui)"


def read_devices(
    namespace: str, links: Mapping[LinkIndex, Link]
) -> tuple[dict[LinkIndex, Device], list[Gap]]:
    """All devices of this thread's namespace (called ``namespace``), and what could not be read."""
    devices, gaps = _kernel_devices(links)
    ports = read_udp_ports() if devices else None
    if ports is not None:
        devices = [_born(device, links[device.link], ports, namespace) for device in devices]
    others, other_gaps = uapi.read_devices(links.values())
    return {device.link: device for device in (*devices, *others)}, gaps + other_gaps


def _kernel_devices(links: Mapping[LinkIndex, Link]) -> tuple[list[Device], list[Gap]]:
    devices: list[Device] = []
    gaps: list[Gap] = []
    ours = [link for link in links.values() if link.kind == "wireguard"]
    if not ours:
        return devices, gaps
    zones = {link.index: link.name for link in links.values()}
    try:
        with WireGuardSocket() as sock:
            for link in ours:
                try:
                    devices.append(sock.device(link, zones))
                except FormatError as error:
                    gaps.append(_gap(link, str(error)))
                except OSError as error:
                    if error.errno != errno.ENODEV:  # gone meanwhile, which will be noticed
                        gaps.append(_refused(link, error))
            if sock.interrupted:
                gaps.append(Gap(Subject.CONSISTENCY, "peers kept changing while they were read"))
    except OSError as error:
        gaps += [_refused(link, error) for link in ours]
    return devices, gaps


def _refused(link: Link, error: OSError) -> Gap:
    if error.errno == errno.EPERM:
        return _gap(link, "reading its peers is not permitted", _PRIVILEGE)
    return _gap(link, error.strerror or str(error))


def _gap(link: Link, why: str, hint: str = "") -> Gap:
    return Gap(Subject.WIREGUARD, why, hint, link.index)


def _born(device: Device, link: Link, ports: set[int], namespace: str) -> Device:
    """A device that is up has its port open in the namespace it was made in only (S-E20)."""
    if not link.up or not device.listen_port or device.listen_port in ports:
        return device
    return replace(
        device,
        birth=Birth.ELSEWHERE,
        birth_namespace=_namespace_with(device.listen_port, but=namespace),
    )


def _namespace_with(port: int, but: str) -> str | None:
    """The only other namespace where the port is open; "" is the one this program runs in."""
    found = [name for name in netns.names() if name != but and port in _ports_in(name)]
    if but and port in (read_own_udp_ports() or ()):
        found.append("")
    return found[0] if len(found) == 1 else None


def _ports_in(name: str) -> set[int]:
    try:
        return netns.inside(name, read_udp_ports) or set()
    except SourceError:
        return set()
