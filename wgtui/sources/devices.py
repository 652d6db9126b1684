"""Which WireGuard devices are there, whoever encrypts, and where do their sockets live?"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.wireguard import Device
from wgtui.sources import uapi
from wgtui.sources.birthplaces import born
from wgtui.sources.procfs import read_udp_ports
from wgtui.sources.undisturbed import undisturbed
from wgtui.sources.wg_socket import WireGuardSocket

_PRIVILEGE: Final = "run as root (sudo wgtui)"


def read_devices(
    links: Mapping[LinkIndex, Link], before: Mapping[LinkIndex, Device]
) -> tuple[dict[LinkIndex, Device], list[Gap]]:
    """All devices of this thread's namespace, and what could not be read; ``before`` is what was
    read the last time, if only counters and peers may have changed since."""
    with undisturbed():
        devices, gaps = _kernel_devices(links)
        others, other_gaps = uapi.read_devices(links.values())
    ports = read_udp_ports() if devices else None
    if ports is not None:
        devices = [born(device, links, ports, before) for device in devices]
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
