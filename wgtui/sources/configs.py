"""What were the WireGuard devices meant to be? The files of every program, and the names in them.

wg-quick          /etc/wireguard/*.conf
systemd-networkd  /etc /run /usr/local/lib /usr/lib … systemd/network/*.netdev, *.network
NetworkManager    /etc /run /usr/lib … NetworkManager/system-connections/*.nmconnection
OpenWrt           /etc/config/network
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from wgtui.errors import FormatError
from wgtui.model.fact import dataclass
from wgtui.model.network import Link
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.wireguard import Device, DeviceConfig
from wgtui.sources.config_files import ConfigFiles, Written
from wgtui.sources.names_file import names_files, parse_names, read_names

T = TypeVar("T")

_SYSTEMD: Final = ("etc", "run", "usr/local/lib", "usr/lib")
_NETWORK_MANAGER: Final = ("etc", "run", "usr/lib")
"""A file in an earlier place hides those of its name in later ones."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What the files say."""

    configs: tuple[DeviceConfig, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Of peers, by public key, from wgtui's own names file."""
    gaps: tuple[Gap, ...] = ()


def read_configs(namespace: str, links: Iterable[Link], root: Path = Path("/")) -> Meant:
    """All configurations of this host (in a namespace: of its links), and what cannot be read."""
    reading = _Reading(ConfigFiles())
    names = {link.name for link in links}

    def wanted(name: str) -> bool:
        return not namespace or name in names

    places = places_of(namespace, root)
    reading.wg_quick(places.wg_quick, wanted)
    strangers = ConfigFiles() if namespace else reading.files
    others = _Reading(strangers)
    others.networkd(places.networkd)
    others.network_manager(places.network_manager)
    others.uci(places.uci)
    own = read_names(reading.files, root)
    configs = (*reading.configs, *(config for config in others.configs if wanted(config.name)))
    return Meant(configs, own, tuple(reading.files.gaps))


class Places(NamedTuple):
    """Where configurations are."""

    wg_quick: Path
    networkd: list[Path]
    network_manager: list[Path]
    uci: Path
    names: list[Path]
    """Of peers: wgtui's own files."""

    @property
    def all(self) -> tuple[Path, ...]:
        """Every folder and file."""
        return self.wg_quick, *self.networkd, *self.network_manager, self.uci, *self.names


def places_of(namespace: str, root: Path = Path("/")) -> Places:
    """Those of this host, or of a namespace of it."""

    def etc(path: str) -> Path:
        """``ip netns exec NAME`` shows what is below /etc/netns/NAME as /etc."""
        own = root / "etc/netns" / namespace / path if namespace else None
        return own if own is not None and own.exists() else root / "etc" / path

    def places(roots: Iterable[str], path: str) -> list[Path]:
        return [etc(path) if place == "etc" else root / place / path for place in roots]

    return Places(
        etc("wireguard"),
        places(_SYSTEMD, "systemd/network"),
        places(_NETWORK_MANAGER, "NetworkManager/system-connections"),
        etc("config/network"),
        names_files(root),
    )


def read_copies(files: ConfigFiles, folder: Path) -> Meant:
    """The same of a folder that somebody has copied them all into (contract §3)."""
    reading = _Reading(files)
    reading.wg_quick(folder, lambda _: True)
    reading.networkd([folder])
    reading.network_manager([folder])
    reading.uci(folder / "network")
    file = files.one(folder / "names")
    names, gap = parse_names(file) if file is not None else ({}, None)
    files.gaps += [gap] if gap is not None else []
    return Meant(tuple(reading.configs), names, tuple(files.gaps))


class _Reading:
    """One look at the files; what no program would accept is a gap.

    How a program writes is loaded with its first file: most hosts have one of them.
    """

    def __init__(self, files: ConfigFiles) -> None:
        self.files = files
        self.configs: list[DeviceConfig] = []

    def wg_quick(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        """The name of the file is the name of the link."""
        for file in self.files.all_of(folder, ".conf", lambda path: wanted(path.stem)):
            from wgtui.sources.wgconf import parse_config

            self._take(file, lambda file: (parse_config(file.text, file.stem, file.path),))

    def networkd(self, folders: list[Path]) -> None:
        """Of several ``.netdev`` files for one name the first makes the device."""
        units = list(self.files.units(folders, ".network"))
        netdevs = list(self.files.units(folders, ".netdev"))
        if not netdevs:
            return
        from wgtui.sources.networkd import parse_netdev, parse_network, with_network

        networks = [parse_network(parts) for parts in units if parts]
        found: dict[str, DeviceConfig] = {}
        for parts in netdevs:
            config = parse_netdev(parts) if parts else None
            if config is not None:
                found.setdefault(config.name, with_network(config, networks))
        self.configs += found.values()

    def network_manager(self, folders: list[Path]) -> None:
        """There may be several profiles for one link; the user switches between them."""
        seen: set[str] = set()

        def first(path: Path) -> bool:
            return path.name not in seen

        for folder in folders:
            for file in self.files.all_of(folder, ".nmconnection", first):
                from wgtui.sources.nmconf import parse_profile

                self._take(file, lambda file: tuple(filter(None, (parse_profile(file),))))
            seen |= {path.name for path in self.files.paths(folder, ".nmconnection")}

    def uci(self, path: Path) -> None:
        """All networks of an OpenWrt router are one file."""
        file = self.files.one(path)
        if file is not None:
            from wgtui.sources.uci import parse_network_config

            self._take(file, parse_network_config)

    def _take(self, file: Written, parse: Callable[[Written], tuple[DeviceConfig, ...]]) -> None:
        try:
            self.configs += parse(file)
        except FormatError as error:
            self.files.gaps.append(Gap(Subject.CONFIG, str(error)))


def labelled(device: Device, meant: Meant) -> Device:
    """The device with the names of its peers: of configurations its own knows best, and the names
    file overrules them all."""
    labels: dict[str, str] = {}
    for config in sorted(meant.configs, key=lambda config: config.name == device.name):
        labels.update({peer.public_key: peer.label for peer in config.peers if peer.label})
    labels.update(meant.names)
    if not labels:
        return device
    peers = tuple(
        replace(peer, label=labels[peer.public_key]) if peer.public_key in labels else peer
        for peer in device.peers
    )
    return replace(device, peers=peers)
