"""What were the WireGuard devices meant to be? The wg-quick files here, and the names in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Link
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.wireguard import Device, DeviceConfig
from wgtui.sources.wgconf import parse_config

_HOST: Final = Path("/etc/wireguard")
_NAMESPACES: Final = Path("/etc/netns")
"""``ip netns exec NAME`` shows what is below NAME here as /etc."""


def read_configs(
    namespace: str, links: Iterable[Link]
) -> tuple[tuple[DeviceConfig, ...], list[Gap]]:
    """All configurations of this host (in a namespace: of its links), and what cannot be read."""
    folder = _HOST
    names: set[str] | None = None
    if namespace:
        names = {link.name for link in links}
        if (_NAMESPACES / namespace / "wireguard").is_dir():
            folder = _NAMESPACES / namespace / "wireguard"
    found: list[DeviceConfig] = []
    gaps: list[Gap] = []
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".conf")
    except FileNotFoundError:
        return (), []
    except OSError as error:
        hint = "run as root (sudo wgtui)" if isinstance(error, PermissionError) else ""
        return (), [Gap(Subject.CONFIG, f"{folder}: {error.strerror}", hint)]
    for path in files:
        if names is not None and path.stem not in names:
            continue
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            found.append(parse_config(text, path.stem, str(path)))
        except FormatError as error:
            gaps.append(Gap(Subject.CONFIG, str(error)))
        except OSError as error:
            gaps.append(Gap(Subject.CONFIG, f"{path}: {error.strerror}"))
    return tuple(found), gaps


def labelled(device: Device, configs: Iterable[DeviceConfig]) -> Device:
    """The device with the names that configurations give its peers; its own file knows best."""
    labels: dict[str, str] = {}
    for config in sorted(configs, key=lambda config: config.name == device.name):
        labels.update({peer.public_key: peer.label for peer in config.peers if peer.label})
    if not labels:
        return device
    peers = tuple(
        replace(peer, label=labels[peer.public_key]) if peer.public_key in labels else peer
        for peer in device.peers
    )
    return replace(device, peers=peers)
