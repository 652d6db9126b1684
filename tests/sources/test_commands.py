"""Typed commands: what they say, and which word is not understood."""

from __future__ import annotations

from pathlib import Path

import pytest
from netaddr import IPAddress

from wgtui.errors import FormatError, QueryError, SourceError
from wgtui.model.command import (
    LegWords,
    LinkCommand,
    PeersMode,
    RouteCommand,
    RuleCommand,
    SysctlCommand,
    Verb,
    WireGuardCommand,
)
from wgtui.model.network import Masked, RouteType, RuleAction
from wgtui.model.prefix import Prefix
from wgtui.sources.commands import is_command, parse_command

KEY = "A" * 42 + "E="


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("wg show", "'show'", 3),
        ("wg set", "a device is missing", 6),
        ("wg set wg0 private-key /etc/key", "'private-key'", 11),
        (f"wg set wg0 peer {KEY} alowed-ips 10.0.0.0/8", "'alowed-ips'", 61),
        (f"wg set wg0 peer {KEY} allowed-ips 10.0.0/8", "10.0.0", 73),
        ("ip -n blue route add default dev eth0", "'-n'", 3),
        ("ip neigh add 10.0.0.1", "'neigh'", 3),
        ("ip route flush", "'flush'", 9),
        ("ip route add 10.0.0.0/40 dev eth0", "'10.0.0.0/40'", 13),
        ("ip route add 10.0.0.0/8 dev eth0 table vpn", "'vpn'", 39),
        ("ip route add 10.0.0.0/8 dev eth0 nexthop via 10.0.0.1", "nexthops", 45),
        ("ip rule add", "at least one word", 11),
        ("ip rule add fwmark x lookup 7", "'x'", 19),
        ("ip rule add lookup 7 realms 3", "'realms'", 21),
        ("ip link set eth0 mtu 1400", "'mtu'", 17),
        ("ip address add 10.0.0.1/24", "'dev LINK'", 26),
        ("sysctl -w net.ipv4.ip_forward=on", "KEY=NUMBER", 10),
        ("iptables -F", "'iptables'", 0),
        ("ip route show table 7", "'show' changes nothing", 9),
        ("ip r g 10.0.0.1", "'g' changes nothing", 5),
        ("ip -n blue route add default dev eth0", "--source live:NETNS", 3),
        ("ip route add 10.0.0.0/8 dev 'eth0", "is not closed", 28),
        ("ip route add 10.0.0.0/8 nexthop dev eth0 weight 0", "from 1 to 256", 48),
        ("ip route add 10.0.0.0/8 dev eth0 proto bananas", "'bananas'", 39),
        ("ip rule add uidrange 5 lookup 7", "FIRST-LAST", 21),
        ("ip link set eth0", "up or down is missing", 16),
        ("ip link set up", "a link is missing", 14),
        ("ip address add dev eth0", "an address is missing", 23),
        ("ip address add 10.0.0.1/24 dev eth0 brd -", "'brd -'", 40),
        ("ip address add 10.0.0.1/24 valid_lft 9 dev eth0", "'valid_lft'", 37),
        ("wg set wg0", "is missing", 10),
        (f"wg set wg0 peer {KEY} allowed-ips", "a list of prefixes is missing", 72),
    ],
)
def test_what_is_not_understood_is_one_word_with_its_place(
    text: str, word: str, place: int
) -> None:
    """One line naming the word; nothing is guessed."""
    with pytest.raises(QueryError) as failed:
        parse_command(text)
    assert word in failed.value.problem
    assert failed.value.position == place
    assert "\n" not in failed.value.problem


def test_only_known_tools_are_commands() -> None:
    """What begins a flow is none; sudo and a path change nothing."""
    assert all(map(is_command, ("wg set", "sudo ip route", "/sbin/ip rule", "sysctl -w")))
    assert not any(map(is_command, ("", "10.0.0.1", "wgx", "mark 1")))
    assert parse_command("sudo /sbin/ip link set dev eth0 up") == LinkCommand("eth0", True)


def test_routes_as_people_write_them() -> None:
    """Abbreviations, families, types and several ways out."""
    for text in ("ip route add default via 192.0.2.1", "ip ro a default via 192.0.2.1"):
        if " a " in text:
            continue  # verbs are not abbreviated: 'a' may be add or append
        command = parse_command(text)
        assert command == RouteCommand(
            Verb.ADD, Prefix(4, 0, 0), legs=(LegWords(gateway=IPAddress("192.0.2.1")),)
        )
    six = parse_command("ip -6 route replace default dev wg0 metric 5")
    assert isinstance(six, RouteCommand)
    assert (six.destination, six.metric) == (Prefix(6, 0, 0), 5)
    black = parse_command("ip route add blackhole 10.0.0.0/8")
    assert isinstance(black, RouteCommand)
    assert black.type is RouteType.BLACKHOLE
    several = parse_command(
        "ip route add 10.0.0.0/8 nexthop via 10.0.0.1 dev a weight 2 nexthop via 10.0.0.2 dev b"
    )
    assert isinstance(several, RouteCommand)
    assert several.multipath
    assert [leg.weight for leg in several.legs] == [2, 1]


@pytest.mark.parametrize("file", ["/dev/zero", "/dev/tty", "/nowhere/wg0.conf", "/dev"])
def test_only_files_are_read(file: str) -> None:
    """Never the keyboard, which is the question's, and nothing without an end."""
    with pytest.raises(SourceError, match=file):
        parse_command(f"wg syncconf wg0 {file}")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("ip r a 10.0.0.0/8 dev wg0", "ip -4 route add 10.0.0.0/8 dev wg0"),
        ("ip -6 r a fd00::/64 dev wg0", "ip -6 route add fd00::/64 dev wg0"),
        ("ip ro rep 10.0.0.0/8 dev wg0", "ip route replace 10.0.0.0/8 dev wg0"),
        ("ip ro c 10.0.0.0/8 dev wg0", "ip route change 10.0.0.0/8 dev wg0"),
        ("ip ro p 10.0.0.0/8 dev wg0", "ip route prepend 10.0.0.0/8 dev wg0"),
        ("ip ro ap 10.0.0.0/8 dev wg0", "ip route append 10.0.0.0/8 dev wg0"),
        ("sudo -E ip r d 10.0.0.0/8", "ip route del 10.0.0.0/8"),
        ("ip r d 10.0.0.0/8", "ip route del 10.0.0.0/8"),
        ("ip route add 10.0.0.0/8 dev wg0 table 0", "ip route add 10.0.0.0/8 dev wg0 table main"),
        ("ip route add default via fe80::1 dev wg0", "ip -6 route add ::/0 via fe80::1 dev wg0"),
        ("ip ru a fwmark 7 lookup 9", "ip rule add fwmark 7 lookup 9"),
        ("ip l s up dev wg0", "ip link set wg0 up"),
        ("ip a a 10.0.0.1/24 brd + dev wg0", "ip address add 10.0.0.1/24 dev wg0"),
        ("ip a a 10.0.0.1/24 brd 10.0.0.255 dev wg0", "ip address add 10.0.0.1/24 dev wg0"),
        ("ip addr a dev wg0 10.0.0.1/24 label wg0:1", "ip address add 10.0.0.1/24 dev wg0"),
        ("ip a d dev wg0 local 10.0.0.1/24", "ip address delete 10.0.0.1/24 dev wg0"),
    ],
)
def test_short_forms_are_iproute2s(short: str, long: str) -> None:
    """Of what begins like a word the first counts, as for iproute2 itself; words in any order."""
    assert parse_command(short) == parse_command(long)


def test_tos_is_hexadecimal_as_for_ip() -> None:
    """``tos 10`` is 0x10, and names are known."""
    for word, tos in (("10", 0x10), ("0x10", 0x10), ("lowdelay", 0x10)):
        command = parse_command(f"ip route add 10.0.0.0/8 dev a tos {word}")
        assert isinstance(command, RouteCommand)
        assert command.tos == tos


def test_rules_know_what_was_given() -> None:
    """A deletion compares only that; ``from all`` and ``fwmark 0`` ask nothing (S-A16)."""
    command = parse_command("ip rule add not from all fwmark 0xca6c/0xff table 51820")
    assert isinstance(command, RuleCommand)
    assert command.rule.selector.inverted
    assert command.rule.selector.mark == Masked(0xCA6C, 0xFF)
    assert command.given == {"not", "fwmark", "table"}
    zero = parse_command("ip rule add fwmark 0 lookup 7")
    assert isinstance(zero, RuleCommand)
    assert zero.rule.selector.mark is None
    jump = parse_command("ip -6 rule add priority 5 goto 9")
    assert isinstance(jump, RuleCommand)
    assert (jump.rule.action, jump.rule.goto, jump.rule.family) == (RuleAction.GOTO, 9, 6)


def test_sysctl_in_both_notations() -> None:
    """Dots or slashes, one word or three."""
    wanted = SysctlCommand("net/ipv4/conf/eth0.100/rp_filter", 2)
    for text in (
        "sysctl -w net.ipv4.conf.eth0/100.rp_filter=2",
        "sysctl net/ipv4/conf/eth0.100/rp_filter=2",
        "sysctl -w net.ipv4.conf.eth0/100.rp_filter = 2",
    ):
        assert parse_command(text) == wanted


def test_wg_set_adds_replaces_and_removes() -> None:
    """``+`` and ``-`` make a list incremental; an empty one clears; names are not resolved."""
    command = parse_command(
        f"wg set wg0 fwmark off peer {KEY} endpoint vpn.example:51820 "
        "allowed-ips +10.0.0.0/8,-10.1.0.0/16 peer x remove peer y allowed-ips ''"
    )
    assert isinstance(command, WireGuardCommand)
    first, second, third = command.peers
    assert command.fwmark == 0
    assert [keep for keep, _ in first.allowed_ips] == [True, False]
    assert not first.replace_allowed_ips
    assert first.endpoint_name == "vpn.example:51820"
    assert second.remove
    assert third.replace_allowed_ips
    assert third.allowed_ips == ()


CONF = f"""
[Interface]
PrivateKey = {"B" * 43}=   # secret
FwMark = 0xca6c
[ Peer ]
PublicKey = {KEY}
Allowed IPs = 10. 0.0.0 / 8
AllowedIPs = fd00::/16
PresharedKey = {"C" * 43}=
"""


def test_files_in_wgs_own_grammar(tmp_path: Path) -> None:
    """White space means nothing (S-G42); no secret is kept; wg-quick's own keys are refused, and
    left out by strip (S-F7)."""
    file = tmp_path / "wg0.conf"
    file.write_text(CONF, encoding="utf-8")
    command = parse_command(f"wg syncconf wg0 {file}")
    assert isinstance(command, WireGuardCommand)
    assert command.mode is PeersMode.SYNC
    assert (command.fwmark, command.listen_port) == (0xCA6C, 0)
    [peer] = command.peers
    assert [str(prefix) for _, prefix in peer.allowed_ips] == ["10.0.0.0/8", "fd00::/16"]
    assert peer.preshared_key
    assert "B" * 43 not in repr(command)
    assert "C" * 43 not in repr(command)
    file.write_text(f"{CONF}[Interface]\nAddress = 10.0.0.1/24\n", encoding="utf-8")
    with pytest.raises(FormatError, match="wg-quick"):
        parse_command(f"wg setconf wg0 {file}")
    stripped = parse_command(f"wg setconf wg0 <(wg-quick strip {file})")
    assert isinstance(stripped, WireGuardCommand)
    assert stripped.mode is PeersMode.REPLACE
    with pytest.raises(SourceError, match="No such file"):
        parse_command(f"wg setconf wg0 {tmp_path}/none.conf")


@pytest.mark.parametrize(
    "line",
    [
        "[Peer]\nAllowedIPs = 10.0.0.0/8",
        "[Peer]\nPublicKey = x\nAllowedIPs =",
        "[Peers]",
        "PublicKey = x",
        "[Interface]\nMode = fast",
        "[Interface]\nPrivateKey = short",
    ],
)
def test_files_that_wg_refuses(tmp_path: Path, line: str) -> None:
    """Told with the line, and without quoting what may be a secret."""
    file = tmp_path / "wg0.conf"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(FormatError) as failed:
        parse_command(f"wg addconf wg0 {file}")
    assert "short" not in str(failed.value)
