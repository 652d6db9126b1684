"""Are `wg show all dump` and wg-quick files read as wg reads them, without their secrets?"""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import Device, DeviceConfig, Endpoint, PeerConfig
from wgtui.sources.links_builder import LinksBuilder
from wgtui.sources.wgconf import parse_config
from wgtui.sources.wgtext import parse_dump

EDGE = Path(__file__).parent / "data" / "edge"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U="
KEY = "4BEeMFwiIvjoj8J+bkAAJrrbPfFTxaUbfUx7YDqbGVA="
OTHER = "iELBcCAjPysvl1JmKErc8gj0n3U26WT4W86+RdMcLi0="

DEVICE = f"wg0\t{SECRET}\t{OTHER}\t51820\t0xca6c"
PEER = f"wg0\t{KEY}\t{SECRET}\t[fe80::1%eth0]:4500\t10.0.0.0/8,fd00::/8\t1700000000\t17\t4\t25"


def devices_of(text: str) -> dict[str, Device]:
    """The devices of a dump by their name."""
    return {device.name: device for device in parse_dump(text, LinksBuilder()).values()}


def config_of(text: str) -> DeviceConfig:
    """What the text means as wg0.conf."""
    return parse_config(text, "wg0", "conf/wg0.conf")


def peer_of(lines: str) -> PeerConfig:
    """The one peer of a configuration with these lines below [Peer]."""
    [peer] = config_of(f"[Interface]\n[Peer]\nPublicKey = {KEY}\n{lines}").peers
    return peer


def everything(value: object) -> str:
    """All that is in a value of the model, as text."""
    if dataclasses.is_dataclass(value):
        return " ".join(everything(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, tuple | list):
        return " ".join(map(everything, value))
    return str(value)


# -------------------------------------------------------------------------------------------- dump


def test_a_captured_dump() -> None:
    """What wg 1.0.20210914 printed of a wireguard-go device."""
    device = devices_of((EDGE / "wg.dump").read_text())["wgta"]
    assert (device.listen_port, device.fwmark) == (51820, 0xCA6C)
    assert device.public_key == "WdL6PsOIVa6PtxAr9n81M0eU1jlqU63+zaAhSJ4d/0s="
    first, second, third = device.peers
    assert first.endpoint == Endpoint(IPAddress("10.0.0.9"), 51820)
    assert [str(prefix) for prefix in first.allowed_ips] == [
        "10.9.0.2/32",
        "fd09::2/128",
        "192.168.120.0/22",
    ]
    assert (first.keepalive, first.has_preshared_key, first.last_handshake) == (25, True, None)
    assert (second.endpoint, second.allowed_ips, second.keepalive) == (None, (), 0)
    assert third.endpoint is not None
    assert str(third.endpoint) == "[fe80::1]:4500"


def test_every_column_of_a_dump() -> None:
    """Received stands before sent; a preshared key is only a yes; a zone stays (S-G40)."""
    [peer] = devices_of(f"{DEVICE}\n{PEER}\n")["wg0"].peers
    assert (peer.public_key, peer.received, peer.sent, peer.keepalive) == (KEY, 17, 4, 25)
    assert peer.last_handshake == 1700000000
    assert peer.endpoint == Endpoint(IPAddress("fe80::1"), 4500, "eth0")
    assert peer.has_preshared_key


def test_devices_without_key_mark_and_peers() -> None:
    """(none) and off are nothing; two devices keep their own peers."""
    text = f"{DEVICE}\nwg1\t(none)\t(none)\t0\toff\n{PEER}\n"
    found = devices_of(text)
    assert found["wg1"].public_key is None
    assert (found["wg1"].fwmark, found["wg1"].listen_port, found["wg1"].peers) == (0, 0, ())
    assert len(found["wg0"].peers) == 1


def test_a_device_whose_link_nobody_listed() -> None:
    """It gets a link of kind wireguard that was not seen."""
    links = LinksBuilder()
    [index] = parse_dump(DEVICE, links)
    link = links.build()[index]
    assert (link.kind, link.seen) == ("wireguard", False)
    assert index < 0


def test_no_private_or_preshared_key_survives() -> None:
    """Neither in a device nor in a configuration is there any trace of a secret."""
    conf = f"[Interface]\nPrivateKey = {SECRET}\n[Peer]\nPublicKey={KEY}\nPresharedKey={SECRET}\n"
    hidden = (
        f"# PrivateKey = {SECRET}\n[Peer] # {SECRET}\n# PresharedKey = {SECRET}\nPublicKey={OTHER}"
    )
    found = [*devices_of(f"{DEVICE}\n{PEER}").values(), config_of(conf + hidden)]
    assert KEY in everything(found)
    assert SECRET not in everything(found)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("interface: wg0", "5 or 9 columns"),
        (DEVICE.replace("wg0\t", ""), "5 or 9 columns"),
        (PEER, "no line of its own"),
        (f"{DEVICE}\n{PEER}\textra", "line 2: is not a line"),
        (f"{DEVICE}\n{PEER.replace('/8', '/99')}", "line 2: allowed IPs"),
        (f"{DEVICE}\n{PEER.replace(':4500', ':http')}", "line 2: the endpoint"),
        (f"{DEVICE}\n{PEER.replace(':4500', ':70000')}", "line 2: the endpoint"),
        (f"{DEVICE}\n{PEER.replace('1700000000', 'yesterday')}", "line 2: the latest handshake"),
        (f"{DEVICE}\n{PEER.replace('1700000000', '9' * 30)}", "line 2: the latest handshake"),
        (DEVICE.replace("0xca6c", "0xZZ"), "line 1: the fwmark"),
        (f"{DEVICE}\n{PEER[:60]}", "line 2: is not a line"),
    ],
)
def test_a_broken_dump_is_refused_without_quoting_it(line: str, problem: str) -> None:
    """The error names the line and the problem, and no key."""
    with pytest.raises(FormatError, match=r"^wg\.dump, line \d: ") as caught:
        devices_of(line)
    assert problem in str(caught.value)
    assert SECRET[:8] not in str(caught.value)


@given(st.text(alphabet="wg0\t\n(none)off,./:[]1239abcdef=x", max_size=120))
def test_no_text_breaks_the_reader_of_dumps(text: str) -> None:
    """It is understood or refused."""
    try:
        devices_of(text)
    except FormatError as error:
        assert "wg.dump" in str(error)  # noqa: PT017 - an empty text is fine and raises nothing


@pytest.mark.parametrize("text", ["", "host.example:51820", "192.0.2.1", "[::1]", "1:2:3", ":5"])
def test_what_is_no_endpoint(text: str) -> None:
    """Names are for whoever resolves them; halves are nothing."""
    assert Endpoint.parse(text) is None


# ------------------------------------------------------------------------------------------ config


def test_a_captured_configuration() -> None:
    """Addresses and AllowedIPs accumulate, hooks are passed over, names come from comments."""
    config = config_of((EDGE / "conf" / "wgta.conf").read_text())
    assert config.addresses == ("10.9.0.1/24", "fd09::1/64")
    assert (config.listen_port, config.fwmark, config.table) == (51820, 0xCA6C, "auto")
    assert [peer.label for peer in config.peers] == ["the data centre", "laptop", "everything else"]
    first = config.peers[0]
    assert first.allowed_ips_written == ("10.9.0.2/32", "fd09::2/128", "192.168.120.7/22")
    assert first.allowed_ips[2] == Prefix.parse("192.168.120.0/22")
    assert (first.endpoint, first.keepalive, first.line) == ("10.0.0.9:51820", 25, 8)


def test_white_space_case_and_comments_mean_nothing() -> None:
    """wg deletes all white space, ignores case, and cuts at # (S-G42)."""
    device = "[ INTERFACE ]\r\n listen PORT=5 1 8 2 0 # x\r\n"
    peer = f"[ peer ]\r\npublic key = {KEY}#y\r\nALLOWEDIPS=10. 0.0.0 / 8"
    config = config_of(device + peer)
    assert config.listen_port == 51820
    assert config.peers[0].public_key == KEY
    assert config.peers[0].allowed_ips == (Prefix.parse("10.0.0.0/8"),)


def test_repeated_keys() -> None:
    """The last wins, but for Address and AllowedIPs, which accumulate."""
    config = config_of(
        "[Interface]\nMTU=1\nMTU=1420\nAddress=10.0.0.1\nAddress=10.0.0.2/24\nTable=off"
    )
    assert (config.mtu, config.addresses, config.table) == (
        1420,
        ("10.0.0.1", "10.0.0.2/24"),
        "off",
    )
    peer = peer_of("Endpoint=a:1\nEndpoint=b:2\nAllowedIPs=10.0.0.0/8\nAllowedIPs=fd00::/8")
    assert (peer.endpoint, len(peer.allowed_ips)) == ("b:2", 2)


def test_the_same_key_in_two_sections() -> None:
    """The AllowedIPs of the second replace those of the first, even by none (S-G44)."""
    first = f"[Peer]\n# Name = a\nPublicKey={KEY}\nAllowedIPs=10.0.0.0/8\nEndpoint=a:1\n"
    [peer] = config_of(f"{first}[Peer]\nPublicKey={KEY}").peers
    assert (peer.allowed_ips, peer.endpoint, peer.label) == ((), "a:1", "a")


def test_plus_and_minus_in_allowed_ips() -> None:
    """+ adds, - takes away; what is kept keeps its spelling (S-G44)."""
    peer = peer_of("AllowedIPs = 10.0.0.0/8, +192.168.1.7/24\nAllowedIPs = -10.0.0.0/8")
    assert peer.allowed_ips == (Prefix.parse("192.168.1.0/24"),)
    assert peer.allowed_ips_written == ("192.168.1.7/24",)


@pytest.mark.parametrize(
    ("line", "port", "mark"),
    [
        ("ListenPort = wireguard", None, None),
        ("ListenPort = 65536", 0, None),
        ("FwMark = off", None, 0),
        ("FwMark = 010", None, 10),
        ("FwMark = 0xca6c", None, 0xCA6C),
        ("Jmin = 40", None, None),
        ("PostUp = iptables -A INPUT -j ACCEPT; echo [Peer] # x", None, None),
    ],
)
def test_numbers_and_names_of_the_interface(line: str, port: int | None, mark: int | None) -> None:
    """Service names are tolerated, ports wrap, marks are decimal or hexadecimal (S-G43)."""
    config = config_of(f"[Interface]\n{line}\n")
    assert (config.listen_port, config.fwmark, config.peers) == (port, mark, ())


NAMED = [
    ("{peer}\n# Name = x y\n{key}", "x y"),
    ("{peer}\n{key}\n# friendly_name = fra1", "fra1"),
    ('{peer}\n{key}\n#friendly_json={{"id": 1, "name": "fra1"}}', "fra1"),
    ("{peer} # fra1\n{key}", "fra1"),
    ("{peer}\n# fra1\n{key}", "fra1"),
    ("# fra1\n{peer}\n{key}", "fra1"),
    ("# Name = fra1\n{peer}\n{key}", "fra1"),
    ("{key_above}\n\n# Name = fra1\n\n{peer}\n{key}", "fra1"),
    ("### Client fra1\n{peer}\n{key}", "Client fra1"),
    ("# BEGIN_PEER fra1\n{peer}\n{key}\n# END_PEER fra1", "fra1"),
    ("# worse\n{peer}\n# better\n{key}", "better"),
    ("# worse\n{peer} # best\n# better\n{key}", "best"),
    ("# worse\n{peer} # worse\n# Name = best\n{key}", "best"),
    ("# far away\n\n{peer}\n{key}", ""),
    ("{peer}\n{key}\n# a remark", ""),
    ("{peer}\n#Endpoint = 192.0.2.1:5\n{key}", ""),
    ("# ------\n{peer}\n{key}", ""),
    ('{peer}\n# friendly_json = {{"name": 5}}\n{key}', ""),
    ("{peer}\n# friendly_json = {{broken}}\n{key}", ""),
    ("{peer}\n{key}", ""),
]


@pytest.mark.parametrize(("text", "label"), NAMED)
def test_where_the_name_of_a_peer_may_stand(text: str, label: str) -> None:
    """A tagged comment first, then the line of [Peer], below it, above it; never a setting."""
    above = f"[Peer]\nPublicKey = {OTHER}"
    filled = text.format(peer="[Peer]", key=f"PublicKey = {KEY}", key_above=above)
    peers = {peer.public_key: peer.label for peer in config_of(f"[Interface]\n\n{filled}\n").peers}
    assert peers.pop(KEY) == label
    assert set(peers.values()) <= {""}


def test_a_name_stays_raw() -> None:
    """Escape sequences and markup in a name are for the screen to make harmless."""
    assert peer_of("# Name = \x1b[31m[bold]x\u202e").label == "\x1b[31m[bold]x\u202e"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("PublicKey = x", 1),
        ("[Interface]\n[WireGuardPeer]\n", 2),
        ("[Interface]\n\n[Peer]\nEndpoint = a:1\n", 3),
        ("[Peer]\nAllowedIPs = 10.0.0.0/8,\n", 2),
        ("[Peer]\nAllowedIPs =\n", 2),
        ("[Peer]\nAllowedIPs = 10.0/8\n", 2),
        ("[Peer]\nAllowedIPs = 10.0.0.0/255.0.0.0\n", 2),
        ("[Peer]\nPersistentKeepalive = often\n", 2),
        ("[Interface]\nFwMark = everything\n", 2),
        (f"[Interface]\n{SECRET[:-1]}\n", 2),
        ("\x00\x01\x02", 1),
    ],
)
def test_what_wg_would_refuse_is_refused(text: str, line: int) -> None:
    """With the line and what is wrong with it, and without a key."""
    with pytest.raises(FormatError) as caught:
        config_of(text)
    assert str(caught.value).startswith(f"conf/wg0.conf, line {line}: ")
    assert SECRET[:8] not in str(caught.value)


@given(st.text(alphabet="[]PeerIntfac=#\n AllowedIPs10./,+-Name{}\"'\x1b", max_size=150))
def test_no_text_breaks_the_reader_of_configurations(text: str) -> None:
    """It is understood or refused."""
    try:
        config_of(text)
    except FormatError as error:
        assert "conf/wg0.conf" in str(error)  # noqa: PT017 - an empty text is fine
