"""Which configuration files count, where several places and programs have some?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Subject
from wgtui.model.wireguard import Device, Peer, Program
from wgtui.sources import open_source
from wgtui.sources.config_files import ConfigFiles
from wgtui.sources.configs import Meant, labelled, read_configs
from wgtui.sources.names_file import read_names
from wgtui.sources.shorthand_wireguard import vanity_key

ALICE, BOB = vanity_key("alice"), vanity_key("bob")


@pytest.fixture(autouse=True)
def _no_names_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def put(root: Path, path: str, *lines: str) -> None:
    """Write a file and the folders it is in."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("\n".join(lines) + "\n")


def netdev(name: str, port: int) -> list[str]:
    """The lines of a .netdev."""
    return ["[NetDev]", f"Name={name}", "Kind=wireguard", "[WireGuard]", f"ListenPort={port}"]


def ports(found: Meant) -> dict[tuple[str, Program], int | None]:
    """Which configuration of which program was taken."""
    return {(config.name, config.program): config.listen_port for config in found.configs}


def test_every_program_is_read(tmp_path: Path) -> None:
    """wg-quick, networkd, NetworkManager and OpenWrt, each from its own place."""
    put(tmp_path, "etc/wireguard/wg0.conf", "[Interface]", "ListenPort=1")
    put(tmp_path, "etc/systemd/network/20-wg1.netdev", *netdev("wg1", 2))
    put(
        tmp_path,
        "run/NetworkManager/system-connections/x.nmconnection",
        *("[connection]", "type=wireguard", "interface-name=wg2", "[wireguard]", "listen-port=3"),
    )
    put(
        tmp_path,
        "etc/config/network",
        *("config interface wg3", "option proto wireguard", "option listen_port 4"),
    )
    found = read_configs("", (), tmp_path)
    assert ports(found) == {
        ("wg0", Program.WG_QUICK): 1,
        ("wg1", Program.NETWORKD): 2,
        ("wg2", Program.NETWORK_MANAGER): 3,
        ("wg3", Program.UCI): 4,
    }
    assert found.gaps == ()


def test_a_host_without_any_is_no_gap(tmp_path: Path) -> None:
    """Nothing was meant, and nothing is hidden."""
    assert read_configs("", (), tmp_path) == Meant()


def test_etc_hides_run_and_run_hides_lib(tmp_path: Path) -> None:
    """Files and drop-ins of one name replace each other; all others count, by name
    (systemd.netdev(5))."""
    for port, place in enumerate(("etc", "run", "usr/lib"), start=1):
        put(tmp_path, f"{place}/systemd/network/a.netdev", *netdev("wga", port))
        put(tmp_path, f"{place}/systemd/network/b.netdev", *netdev("wgb", port))
    (tmp_path / "etc/systemd/network/b.netdev").unlink()
    put(tmp_path, "usr/lib/systemd/network/b.netdev.d/5.conf", "[WireGuard]", "FirewallMark=5")
    put(tmp_path, "run/systemd/network/b.netdev.d/6.conf", "[WireGuard]", "FirewallMark=6")
    put(tmp_path, "etc/systemd/network/b.netdev.d/6.conf", "[WireGuard]", "FirewallMark=7")
    found = read_configs("", (), tmp_path)
    assert {config.name: config.listen_port for config in found.configs} == {"wga": 1, "wgb": 2}
    assert {config.name: config.fwmark for config in found.configs} == {"wga": None, "wgb": 7}


@pytest.mark.parametrize("mask", ["empty", "null"])
def test_a_masked_file_is_as_if_not_there(tmp_path: Path, mask: str) -> None:
    """Empty, or a link to /dev/null."""
    put(tmp_path, "usr/lib/systemd/network/a.netdev", *netdev("wga", 1))
    masking = tmp_path / "etc/systemd/network/a.netdev"
    masking.parent.mkdir(parents=True)
    if mask == "empty":
        masking.touch()
    else:
        masking.symlink_to(os.devnull)
    assert read_configs("", (), tmp_path) == Meant()


def test_the_first_netdev_makes_the_device(tmp_path: Path) -> None:
    """networkd ignores a later file for a name that is taken."""
    put(tmp_path, "etc/systemd/network/20.netdev", *netdev("wg0", 20))
    put(tmp_path, "run/systemd/network/10.netdev", *netdev("wg0", 10))
    assert ports(read_configs("", (), tmp_path)) == {("wg0", Program.NETWORKD): 10}


def test_in_a_namespace_only_its_own_links_count(tmp_path: Path) -> None:
    """And what `ip netns exec` would show there as /etc comes first."""
    put(tmp_path, "etc/wireguard/wg0.conf", "[Interface]", "ListenPort=1")
    put(tmp_path, "etc/wireguard/wg9.conf", "[Interface]", "broken")
    put(tmp_path, "etc/systemd/network/a.netdev", *netdev("wg1", 2))
    put(tmp_path, "etc/netns/blue/systemd/network/a.netdev", *netdev("wg1", 3))
    links = [Link(LinkIndex(n), name) for n, name in enumerate(("wg0", "wg1"), start=2)]
    found = read_configs("blue", links, tmp_path)
    assert ports(found) == {("wg0", Program.WG_QUICK): 1, ("wg1", Program.NETWORKD): 3}
    assert found.gaps == ()


def test_what_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    """A pipe must not hang the program, and a broken file is named; the others are read."""
    folder = tmp_path / "etc/wireguard"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.conf")
    put(tmp_path, "etc/wireguard/bad.conf", "[Nonsense]")
    put(tmp_path, "etc/wireguard/wg0.conf", "[Interface]")
    (tmp_path / "etc/config/network").mkdir(parents=True)
    found = read_configs("", (), tmp_path)
    assert [config.name for config in found.configs] == ["wg0"]
    assert {gap.subject for gap in found.gaps} == {Subject.CONFIG}
    said = " ".join(gap.why for gap in found.gaps)
    assert "pipe.conf: is not a regular file" in said
    assert "bad.conf, line 1: is a section that wg does not know" in said
    assert "network: is not a regular file" in said


def test_many_unreadable_files_are_one_line(tmp_path: Path) -> None:
    """Other people's wireless networks do not fill the screen."""
    for number in range(5):
        path = tmp_path / f"etc/NetworkManager/system-connections/{number}.nmconnection"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
    [gap] = read_configs("", (), tmp_path).gaps
    assert gap.why.endswith("system-connections: 5 files: is not a regular file")


def test_own_names_overrule_everybodys_and_every_comment(tmp_path: Path) -> None:
    """~/.config/wgtui/names, then /etc/wgtui/names, then the configurations."""
    put(tmp_path, "etc/wgtui/names", f"{ALICE} Alice", f"{BOB} Bob")
    put(tmp_path, "home/wgtui/names", f"{ALICE} ally")
    comment = ("[Interface]", "[Peer]", "# robert", f"PublicKey={BOB}")
    put(tmp_path, "etc/wireguard/wg0.conf", *comment)
    meant = read_configs("", (), tmp_path)
    device = Device(LinkIndex(1), "wg0", peers=(Peer(ALICE), Peer(BOB)))
    assert [peer.name for peer in labelled(device, meant).peers] == ["ally", "Bob"]


@pytest.mark.parametrize("environment", [{}, {"HOME": "relative"}, {"XDG_CONFIG_HOME": "x"}])
def test_nobodys_home_has_no_names(tmp_path: Path, environment: dict[str, str]) -> None:
    """Nothing is read relative to where the program happens to run."""
    assert read_names(ConfigFiles(), tmp_path, environment) == {}


def test_somebody_elses_home_is_no_gap(tmp_path: Path) -> None:
    """A names file that is not there, or not readable, hides nothing of the host."""
    put(tmp_path, "home/wgtui/names", f"{ALICE} Alice")
    files, environment = ConfigFiles(), {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    assert read_names(files, tmp_path, environment) == {ALICE: "Alice"}
    (tmp_path / "home/wgtui/names").unlink()
    assert read_names(files, tmp_path, environment) == {}
    assert files.gaps == []


def test_a_facts_folder_holds_copies_of_them_all(tmp_path: Path) -> None:
    """conf/ may hold files of every program, drop-ins and names (contract §3, added)."""
    put(tmp_path, "conf/wg0.conf", "[Interface]", "ListenPort=1")
    put(tmp_path, "conf/a.netdev", *netdev("wg1", 2))
    put(tmp_path, "conf/a.netdev.d/x.conf", "[WireGuard]", "ListenPort=3")
    put(tmp_path, "conf/a.network", "[Match]", "Name=wg1", "[Network]", "Address=10.0.0.1/24")
    put(tmp_path, "conf/p.nmconnection", "[connection]", "type=wireguard", "interface-name=wg2")
    put(tmp_path, "conf/network", "config interface wg3", "option proto wireguard")
    put(tmp_path, "conf/names", f"{ALICE} Alice")
    put(tmp_path, "wg.dump", f"wg1\t(hidden)\t{BOB}\t1\toff", _peer("wg1", ALICE))
    snapshot = open_source(str(tmp_path)).read()
    assert {config.name: (config.file, config.listen_port) for config in snapshot.meant} == {
        "wg0": ("conf/wg0.conf", 1),
        "wg1": ("conf/a.netdev", 3),
        "wg2": ("conf/p.nmconnection", None),
        "wg3": ("conf/network", None),
    }
    [device] = snapshot.devices.values()
    assert device.peers[0].name == "Alice"
    assert not [gap for gap in snapshot.gaps if gap.subject is Subject.CONFIG]


def _peer(device: str, key: str) -> str:
    words = (device, key, "(none)", "(none)", "10.0.0.2/32", "0", "0", "0", "off")
    return "\t".join(words)
