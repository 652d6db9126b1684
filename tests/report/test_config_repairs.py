"""Do the commands for a configuration file do what they say, and does each speak to its program?"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenario import read_host_of
from wgtui.engine.checks import check
from wgtui.model.finding import Code, Finding
from wgtui.model.finding_facts import Filtered, Loop, NoHandshake, Written
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import DeviceConfig, Program
from wgtui.report.config_repairs import respelled, without
from wgtui.report.finding_sentences import finding_text
from wgtui.report.repairs import repair
from wgtui.sources.config_files import Written as File
from wgtui.sources.networkd import parse_netdev
from wgtui.sources.nmconf import parse_profile
from wgtui.sources.uci import parse_network_config
from wgtui.sources.wgconf import parse_config

A, B = "A" * 43 + "=", "B" * 42 + "A="


def quick(peers: dict[str, list[str]]) -> str:
    """A file of wg-quick; the entries of a peer on one line."""
    told = (
        f"[Peer]\nPublicKey = {key}\nAllowedIPs = {', '.join(of)}\n" for key, of in peers.items()
    )
    return "[Interface]\nListenPort = 51820\n\n" + "\n".join(told)


def netdev(peers: dict[str, list[str]]) -> str:
    """A unit of systemd-networkd; a line for each entry."""
    text = "[NetDev]\nName=wg0\nKind=wireguard\n\n[WireGuard]\nListenPort=51820\n"
    for key, entries in peers.items():
        text += f"\n[WireGuardPeer]\nPublicKey={key}\n"
        text += "".join(f"AllowedIPs={entry}\n" for entry in entries)
    return text


def profile(peers: dict[str, list[str]]) -> str:
    """A key file of NetworkManager."""
    text = "[connection]\nid=wg0\ntype=wireguard\ninterface-name=wg0\n"
    text += "\n[wireguard]\nlisten-port=51820\n"
    for key, entries in peers.items():
        text += f"\n[wireguard-peer.{key}]\nallowed-ips="
        text += "".join(f"{entry};" for entry in entries) + "\n"
    return text


def uci(peers: dict[str, list[str]]) -> str:
    """OpenWrt's; a list for the first peer, an option with several words for the others."""
    text = "config interface 'wg0'\n\toption proto 'wireguard'\n"
    for number, (key, entries) in enumerate(peers.items()):
        text += f"\nconfig wireguard_wg0\n\toption public_key '{key}'\n"
        if number:
            text += f"\toption allowed_ips '{' '.join(entries)}'\n"
        else:
            text += "".join(f"\tlist allowed_ips '{entry}'\n" for entry in entries)
    return text


def read(program: Program, file: Path) -> DeviceConfig:
    """The file, as the live source would read it."""
    text, path = file.read_text(), str(file)
    found: DeviceConfig | None
    match program:
        case Program.WG_QUICK:
            found = parse_config(text, "wg0", path)
        case Program.NETWORKD:
            found = parse_netdev([File(path, text)])
        case Program.NETWORK_MANAGER:
            found = parse_profile(File(path, text))
        case Program.UCI:
            [found] = parse_network_config(File(path, text))
    assert found is not None
    return found


WRITTEN: dict[Program, Callable[[dict[str, list[str]]], str]] = {
    Program.WG_QUICK: quick,
    Program.NETWORKD: netdev,
    Program.NETWORK_MANAGER: profile,
    Program.UCI: uci,
}


def entries(config: DeviceConfig) -> dict[str, list[str]]:
    """By key, as written."""
    return {peer.public_key: list(peer.allowed_ips_written) for peer in config.peers}


def host(config: DeviceConfig, wireguard: str = "wg0\npeer A allowed-ips 10.8.0.2/32") -> Snapshot:
    """A host with that configuration."""
    lines = {
        "links": "eth0 UP 192.0.2.10/24\nwg0 UNKNOWN 10.8.0.1/24",
        "routes4": "default via 192.0.2.1 dev eth0\n10.8.0.0/24 dev wg0 proto kernel scope link",
        "wireguard": wireguard,
    }
    return replace(read_host_of(Path("host"), lines), meant=(config,))


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize("place", [0, 1, 2, None], ids=("first", "middle", "last", "alone"))
@pytest.mark.parametrize("whose", [A, B], ids=("A", "B"))
def test_an_entry_is_taken_out_of_one_section(
    tmp_path: Path, program: Program, place: int | None, whose: str
) -> None:
    """S-G42: wherever it stands in the list; the same entry of the other peer stays."""
    shared = "10.20.0.0/24"
    rest = [] if place is None else ["10.8.0.2/32", "fd00:8::2/128"]
    mine = [*rest[:place], shared, *rest[place:]] if place is not None else [shared]
    other = ["110.20.0.0/24", shared, "10.20.0.0/25"]
    peers = {key: mine if key == whose else other for key in (A, B)}
    file = tmp_path / "wg0.conf"
    file.write_text(WRITTEN[program](peers))
    config = read(program, file)
    assert entries(config) == peers
    line = next(peer.line for peer in config.peers if peer.public_key == whose)
    command = without(host(config), "wg0", Written(str(file), line), shared)
    subprocess.run(["bash", "-c", command], check=True)
    assert entries(read(program, file)) == peers | {whose: rest}


@pytest.mark.parametrize("program", Program)
def test_an_entry_is_spelled_right(tmp_path: Path, program: Program) -> None:
    """S-E2: host bits are taken off where they stand, and nowhere else."""
    peers = {A: ["10.8.0.2/24", "10.9.0.0/16"], B: ["10.7.0.0/16", "10.8.0.2/24"]}
    file = tmp_path / "wg0.conf"
    file.write_text(WRITTEN[program](peers))
    config = read(program, file)
    command = respelled(
        host(config), "wg0", Written(str(file), config.peers[1].line), "10.8.0.2/24", "10.8.0.2/32"
    )
    subprocess.run(["bash", "-c", command], check=True)
    assert entries(read(program, file)) == peers | {B: ["10.7.0.0/16", "10.8.0.2/32"]}


@pytest.mark.parametrize(
    ("program", "commands"),
    [
        (Program.WG_QUICK, ["bash -c 'wg syncconf wg0 <(wg-quick strip FILE)'"]),
        (Program.NETWORKD, ["networkctl delete wg0", "networkctl reload"]),
        (Program.NETWORK_MANAGER, ["nmcli connection load FILE", "nmcli device reapply wg0"]),
        (Program.UCI, ["ifup wg0"]),
    ],
)
def test_drift_is_repaired_by_the_program_whose_file_it_is(
    tmp_path: Path, program: Program, commands: list[str]
) -> None:
    """S-F7, S-F10, S-F20: a peer of the file that the kernel has not; none of another program's
    commands is printed."""
    file = tmp_path / "wg0.conf"
    file.write_text(WRITTEN[program]({A: ["10.8.0.2/32"]}))
    snapshot = host(read(program, file), "wg0 listen-port 51820")
    [found] = [one for one in check(snapshot) if one.code is Code.CONFIG_DRIFT]
    assert repair(snapshot, found) == [one.replace("FILE", str(file)) for one in commands]


def test_a_drop_in_is_what_is_edited(tmp_path: Path) -> None:
    """S-F10: a peer of a drop-in has its lines there."""
    main, more = tmp_path / "50-wg0.netdev", tmp_path / "50-wg0.netdev.d" / "peers.conf"
    more.parent.mkdir()
    main.write_text(netdev({A: ["10.20.0.0/24", "10.8.0.2/32"]}))
    more.write_text(netdev({B: ["10.20.0.0/24"]}).partition("\n\n")[2].partition("\n\n")[2])
    config = parse_netdev([File(str(main), main.read_text()), File(str(more), more.read_text())])
    assert config is not None
    snapshot = host(config, "wg0")
    [found] = [one for one in check(snapshot) if one.code is Code.SAME_PREFIX_IN_CONFIG]
    [command] = repair(snapshot, found)
    assert command.endswith(f" {main}")  # A's, who loses it
    assert [peer.file for peer in config.peers] == ["", str(more)]


# ------------------------------------------------------------------------------------------ others


def _of(snapshot: Snapshot, code: Code) -> Finding:
    """The one with that code that is about A."""
    [found] = [
        one
        for one in check(snapshot)
        if one.code is code and one.peer is not None and one.peer.label == "A"
    ]
    return found


def overlapping(a: str, b: str) -> Snapshot:
    """A host where A owns a network that others own parts of."""
    lines = {
        "links": "eth0 UP 192.0.2.10/24\nwg0 UNKNOWN 10.8.0.1/24",
        "routes4": "default via 192.0.2.1 dev eth0\n10.0.0.0/8 dev wg0 scope link",
        "wireguard": f"wg0\npeer A allowed-ips {a}\npeer B allowed-ips {b}",
    }
    return read_host_of(Path("overlap"), lines)


def test_an_overlap_is_repaired_without_taking_anything() -> None:
    """S-E1: A keeps exactly what it owned, and B all it has."""
    snapshot = overlapping("10.8.0.2/32,10.20.0.0/24,10.20.0.9/32", "10.8.0.3/32,10.20.0.8/30")
    found = _of(snapshot, Code.OVERLAP)
    [command] = repair(snapshot, found)
    list_of = re.fullmatch(r"wg set wg0 peer \S+ allowed-ips (\S+)", command)
    assert list_of is not None
    prefixes = [Prefix.parse(word) for word in list_of[1].split(",")]
    device = next(iter(snapshot.devices.values()))
    for last in range(256):
        address = 0x0A140000 + last
        owner = device.owners.owner(4, address)
        assert owner is not None
        assert any(p.covers(address) for p in prefixes) is (device.peers[owner[0]].label == "A")
    assert Prefix.parse("10.8.0.2/32") in prefixes
    assert f" {device.peers[0].public_key} " in command


@pytest.mark.parametrize(
    ("a", "b"), [("0.0.0.0/0", "10.20.0.0/24"), ("fd00::/32", "fd00:0:1::1/128")]
)
def test_an_overlap_that_is_meant_needs_nothing(a: str, b: str) -> None:
    """A default beside networks of others, and what would be a list of a hundred prefixes."""
    snapshot = overlapping(a, b)
    found = _of(snapshot, Code.OVERLAP)
    assert repair(snapshot, found) == []
    assert "nothing needs doing" in finding_text(snapshot, found)


def silent(routes: str, sysctls: str = "", nft: list[str] | None = None) -> Snapshot:
    """A host that has called A, which never answered."""
    lines = {
        "links": "eth0 UP 192.0.2.10/24\neth1 UP 203.0.113.10/24\nwg0 UNKNOWN 10.8.0.1/24",
        "routes4": f"default via 192.0.2.1 dev eth0\n{routes}",
        "rules4": "0: from all lookup local\n100: from all fwmark 0x1 lookup 100\n"
        "32766: from all lookup main",
        "sysctls": sysctls,
        "wireguard": "wg0 fwmark 0x1\n"
        "peer A endpoint 198.51.100.4:1 tx 9 allowed-ips 10.8.0.2/32,198.51.100.0/24",
        "nft": nft or [],
    }
    return read_host_of(Path("silent"), lines)


def test_a_silence_names_its_cause() -> None:
    """S-E17, S-D11: a loop and a filter are not guessed at; their repair is printed."""
    looping = silent("198.51.100.0/24 dev wg0\n198.51.100.0/24 dev wg0 table 100")
    found = _of(looping, Code.NO_HANDSHAKE)
    assert isinstance(found.facts, NoHandshake)
    assert isinstance(found.facts.cause, Loop)
    assert "come back into wg0" in finding_text(looping, found)
    assert "wrong endpoint" not in finding_text(looping, found)
    assert repair(looping, found) == repair(looping, _of(looping, Code.ENDPOINT_LOOP))

    strict = "net.ipv4.conf.all.rp_filter = 1"
    filtered = silent("198.51.100.0/24 via 203.0.113.1 dev eth1 table 100", strict)
    found = _of(filtered, Code.NO_HANDSHAKE)
    assert isinstance(found.facts, NoHandshake)
    assert isinstance(found.facts.cause, Filtered)
    assert "dropped by strict rp_filter on eth1" in finding_text(filtered, found)
    assert "sysctl -w net/ipv4/conf/eth1/rp_filter=2" in repair(filtered, found)


def test_a_silence_that_nothing_explains_is_not_blamed_on_a_filter() -> None:
    """S-D9, S-F4: wg-quick's own check spares the encrypted answers; a firewall's may not."""
    routes = "198.51.100.0/24 via 203.0.113.1 dev eth1"
    own = "ip wg-quick-wg0 preraw prerouting -300 fib-drop not-from=wg0 beside=10.8.0.1/32"
    for nft, named in (
        ([], False),
        ([own], False),
        (["inet fw raw prerouting -290 fib-drop"], True),
    ):
        snapshot = silent(routes, nft=nft)
        text = finding_text(snapshot, _of(snapshot, Code.NO_HANDSHAKE))
        assert "a wrong endpoint, port or key" in text
        assert ("raw (nft table inet fw, priority -290)" in text) is named
        assert "preraw" not in text


def test_a_device_that_is_down_is_brought_up_by_its_program() -> None:
    """S-G5: without a configuration its link, and the routes that do not come back with it."""
    lines = {
        "links": "eth0 UP 192.0.2.10/24\nwg0 DOWN 10.8.0.1/24",
        "routes4": "default via 192.0.2.1 dev eth0",
        "wireguard": "wg0\npeer A allowed-ips 10.8.0.2/32,10.20.0.0/16",
    }
    snapshot = read_host_of(Path("down"), lines)
    found = _of(snapshot, Code.UNROUTED_PREFIX)
    assert "wg0 is down" in finding_text(snapshot, found)
    assert repair(snapshot, found) == [
        "ip link set wg0 up",
        "ip route add 10.20.0.0/16 dev wg0",
    ]
    meant = "wg0 table off written-for {} file /a/file\npeer A allowed-ips 10.8.0.2/32,10.20.0.0/16"
    for program, first in (
        ("wg-quick", "wg-quick down /a/file"),
        ("systemd-networkd", "networkctl up wg0"),
        ("NetworkManager", "nmcli device connect wg0"),
        ("OpenWrt", "ifup wg0"),
    ):
        snapshot = read_host_of(Path("down"), lines | {"meant": meant.format(program)})
        assert repair(snapshot, _of(snapshot, Code.UNROUTED_PREFIX))[0] == first
