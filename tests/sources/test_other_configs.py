"""Are the files of networkd, NetworkManager and OpenWrt read as those programs read them?

Without their secrets, and without believing anything of them: whatever the text, it is understood
or refused.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgtui.errors import FormatError
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import DeviceConfig, PeerConfig, Program
from wgtui.sources.config_files import Written
from wgtui.sources.names_file import parse_names
from wgtui.sources.networkd import parse_netdev, parse_network, with_network
from wgtui.sources.nmconf import parse_profile
from wgtui.sources.shorthand_wireguard import vanity_key
from wgtui.sources.uci import parse_network_config

ALICE, BOB, CAROL = (vanity_key(name) for name in ("alice", "bob", "carol"))
SECRET = "QAZWSXsecretsecretsecretsecretsecretsecret0="

NETDEV = f"""\
# made by hand, for the branch offices
[NetDev]
Name=wg0
Kind = wireguard
MTUBytes=1420

[WireGuard]
PrivateKey={SECRET}
ListenPort=51820
FirewallMark=0x8888
RouteTable=main

# Alice, at home
[WireGuardPeer]
PublicKey={ALICE}
PresharedKey={SECRET}
AllowedIPs=10.8.0.2/32, 192.168.2.9/24
AllowedIPs=fd08::2
Endpoint=alice.example:51820
PersistentKeepalive=25

[WireGuardPeer]
; name: bob's laptop
PublicKey = {BOB}
AllowedIPs = 10.8.0.3 \\
             10.8.1.0/24
RouteTable=off
"""

NETWORK = """\
[Match]
Name=wg* !wg9

[Network]
Address=10.8.0.1/24

[Address]
Address=fd08::1/64

[Route]
Destination=172.16.0.0/12

[Route]
Destination=10.99.0.0/16
Type=blackhole

[Route]
Gateway=10.8.0.2
GatewayOnLink=yes
"""

PROFILE = f"""\
# written by nmcli
[connection]
id=office
uuid=0f9c6a0f-1be1-4b3c-9a41-7c1f5d2c0c11
type=wireguard
interface-name=wg0

[wireguard]
fwmark=51820
listen-port=51821
mtu=1380
private-key={SECRET}

[wireguard-peer.{ALICE}]
endpoint=[2001:db8::7]:51820
preshared-key={SECRET}
preshared-key-flags=0
persistent-keepalive=25
allowed-ips=10.8.0.2/32;192.168.2.9/24;fd08::2/128;

[wireguard-peer.{BOB}]
allowed-ips=10.8.0.3/32

[ipv4]
address1=10.8.0.1/24,10.8.0.254
dns=10.8.0.53;
method=manual
route1=172.16.0.0/12,0.0.0.0,50

[ipv6]
address1=fd08::1/64
method=manual
"""

UCI = f"""\
config interface 'loopback'
	option device 'lo'
	option proto 'static'

config interface 'wg0'
	option proto 'wireguard'
	option private_key '{SECRET}'
	option listen_port '51820'   # the usual one
	option fwmark '0x64'
	option mtu "1412"
	list addresses '10.8.0.1/24'
	list addresses 'fd08::1/64'

config wireguard_wg0
	option description 'Alice "the boss"'
	option public_key '{ALICE}'
	option preshared_key '{SECRET}'
	list allowed_ips '10.8.0.2/32'
	list allowed_ips '192.168.2.9/24'
	option route_allowed_ips '1'
	option endpoint_host '2001:db8::7'
	option persistent_keepalive '25'

config wireguard_wg0 'bob'
	option public_key {BOB}
	option allowed_ips '10.8.0.3/32 10.8.1.0/24'
	option endpoint_host bob.example; option endpoint_port 4000

config wireguard_wg0
	option description 'gone'
	option public_key '{CAROL}'
	option disabled '1'

config interface 'wg1'
	option proto 'wireguard'
	option disabled '1'

config route
	option interface 'wg0'
	option target '172.16.0.0'
	option netmask '255.240.0.0'
"""


def written(text: str, path: str = "conf/x") -> Written:
    """A file."""
    return Written(path, text)


def netdev(*texts: str) -> DeviceConfig:
    """The device of a .netdev and its drop-ins."""
    config = parse_netdev([written(text) for text in texts])
    assert config is not None
    return config


def named(config: DeviceConfig, key: str) -> PeerConfig:
    """The peer of this key."""
    [peer] = [peer for peer in config.peers if peer.public_key == key]
    return peer


def prefixes(*texts: str) -> tuple[Prefix, ...]:
    """As AllowedIPs."""
    return tuple(map(Prefix.parse, texts))


# ---------------------------------------------------------------------------------------- networkd


def test_a_netdev() -> None:
    """Settings, peers, and the comments people call them by (S-F10)."""
    config = netdev(NETDEV)
    assert (config.name, config.program, config.mtu) == ("wg0", Program.NETWORKD, 1420)
    assert (config.listen_port, config.fwmark, config.table) == (51820, 0x8888, "main")
    alice, bob = config.peers
    assert (alice.public_key, alice.label, alice.line) == (ALICE, "Alice, at home", 14)
    assert alice.allowed_ips == prefixes("10.8.0.2/32", "192.168.2.0/24", "fd08::2/128")
    assert alice.allowed_ips_written[1] == "192.168.2.9/24"
    assert (alice.endpoint, alice.keepalive, alice.table) == ("alice.example:51820", 25, None)
    assert (bob.label, bob.table) == ("bob's laptop", "off")
    assert bob.allowed_ips == prefixes("10.8.0.3/32", "10.8.1.0/24")


def test_no_secret_is_kept_of_any_program() -> None:
    """Neither in base64 nor in part."""
    assert all(SECRET in text for text in (NETDEV, PROFILE, UCI))
    [uci] = parse_network_config(written(UCI))
    for config in (netdev(NETDEV), parse_profile(written(PROFILE)), uci):
        assert "secret" not in repr(config)
        assert ALICE in repr(config)


def test_routes_are_off_unless_networkd_is_told() -> None:
    """AllowedIPs are no routes there since v250 (S-F10)."""
    assert netdev("[NetDev]\nName=wg0\nKind=wireguard").table == "off"
    told = "[NetDev]\nName=wg0\nKind=wireguard\n[WireGuard]\nRouteTable="
    assert [netdev(told + value).table for value in ("", "no", "42")] == ["main", "off", "42"]


def test_a_drop_in_changes_settings_and_adds_peers() -> None:
    """Read behind its main file; a section of it begins anew."""
    dropped = f"[WireGuard]\nListenPort=auto\n\n[WireGuardPeer]\n# carol\nPublicKey={CAROL}\n"
    config = netdev(NETDEV, dropped)
    assert config.listen_port is None
    assert [peer.public_key for peer in config.peers] == [ALICE, BOB, CAROL]
    assert named(config, CAROL).label == "carol"


def test_networkd_goes_on_where_it_does_not_understand() -> None:
    """It warns and ignores: a bad prefix, a peer without a usable key, a line that is none."""
    config = netdev(
        f"[NetDev]\nName=wg0\nKind=wireguard\nnonsense\n[WireGuardPeer]\nPublicKey={ALICE}\n"
        "AllowedIPs=10.0.0.0/8 everything 10.1.0.0/99\nPersistentKeepalive=often\n"
        "[WireGuardPeer]\nAllowedIPs=0.0.0.0/0\n[WireGuardPeer]\nPublicKey=short\n"
    )
    [alice] = config.peers
    assert (alice.allowed_ips, alice.keepalive) == (prefixes("10.0.0.0/8"), 0)


@pytest.mark.parametrize(
    "text", ["", "[NetDev]\nName=br0\nKind=bridge", "[NetDev]\nKind=wireguard"]
)
def test_other_netdevs_are_none_of_our_business(text: str) -> None:
    """Another kind, or no name."""
    assert parse_netdev([written(text)]) is None


def test_the_network_file_gives_addresses_and_routes() -> None:
    """Routes that lead somewhere; a gateway alone is a default route."""
    config = with_network(netdev(NETDEV), [parse_network([written(NETWORK)])])
    assert config.addresses == ("10.8.0.1/24", "fd08::1/64")
    assert config.routes == prefixes("172.16.0.0/12", "0.0.0.0/0")


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ("Name=wg0", True),
        ("Name=wg? eth0", True),
        ("Name=!wg0 wg1", False),
        ("Name=!eth*", True),
        ("Kind=wireguard", True),
        ("Type=ether", False),
        ("Name=wg0\nKind=bridge", False),
        ("Name=wg0\nMACAddress=00:11:22:33:44:55", False),
        ("", False),
    ],
)
def test_which_network_file_is_for_a_link(match: str, matches: bool) -> None:
    """Patterns as systemd.network(5) has them; what cannot be judged is no match."""
    assert parse_network([written(f"[Match]\n{match}\n")]).matches("wg0") is matches


# --------------------------------------------------------------------------------- NetworkManager


def test_a_profile_of_network_manager() -> None:
    """Settings, peers by their key, addresses without gateways; it has no names (S-F20)."""
    config = parse_profile(written(PROFILE))
    assert config is not None
    assert (config.name, config.program, config.table) == ("wg0", Program.NETWORK_MANAGER, "auto")
    assert (config.listen_port, config.fwmark, config.mtu) == (51821, 51820, 1380)
    assert config.addresses == ("10.8.0.1/24", "fd08::1/64")
    assert config.routes == prefixes("172.16.0.0/12")
    alice = named(config, ALICE)
    assert alice.allowed_ips == prefixes("10.8.0.2/32", "192.168.2.0/24", "fd08::2/128")
    assert (alice.endpoint, alice.keepalive, alice.label) == ("[2001:db8::7]:51820", 25, "")
    assert named(config, BOB).endpoint is None


def test_routes_of_network_manager() -> None:
    """Made unless told otherwise, in the table of its other routes (S-F20)."""
    off = parse_profile(written(PROFILE.replace("mtu=1380", "peer-routes=false")))
    table = parse_profile(written(PROFILE.replace("method=manual", "route-table=77")))
    assert off is not None
    assert table is not None
    assert (off.table, table.table) == ("off", "77")


def test_other_profiles_are_none_of_our_business() -> None:
    """A wireless network has secrets too, and is not looked into."""
    assert (
        parse_profile(written(f"[connection]\ntype=wifi\n[wifi-security]\npsk={SECRET}\n")) is None
    )


@pytest.mark.parametrize("text", ["type=wireguard", f"[wireguard]\n{SECRET[:-1]}\n"])
def test_a_broken_key_file_is_refused_as_a_whole(text: str) -> None:
    """As GLib does, and without quoting the line."""
    with pytest.raises(FormatError) as caught:
        parse_profile(written(text))
    assert "secret" not in str(caught.value)


# ------------------------------------------------------------------------------------------ OpenWrt


def test_a_router_of_openwrt() -> None:
    """Interface and peers find each other by the name; what is disabled is not meant to be."""
    [config] = parse_network_config(written(UCI))
    assert (config.name, config.program, config.mtu) == ("wg0", Program.UCI, 1412)
    assert (config.listen_port, config.fwmark, config.table) == (51820, 0x64, "off")
    assert config.addresses == ("10.8.0.1/24", "fd08::1/64")
    assert config.routes == prefixes("172.16.0.0/12")
    alice, bob = config.peers
    assert (alice.label, alice.table, alice.keepalive) == ('Alice "the boss"', "main", 25)
    assert alice.endpoint == "[2001:db8::7]:51820"
    assert alice.allowed_ips_written == ("10.8.0.2/32", "192.168.2.9/24")
    assert (bob.label, bob.table, bob.endpoint) == ("bob", None, "bob.example:4000")
    assert bob.allowed_ips == prefixes("10.8.0.3/32", "10.8.1.0/24")


@pytest.mark.parametrize(
    ("written_as", "value"),
    [
        ("'a b'", "a b"),
        ('"a \\"b\\""', 'a "b"'),
        ("a\\ b", "a b"),
        ("a'b'\"c\"d", "abcd"),
        ("'two\nlines'", "two\nlines"),
        ("x#y", "x"),
        ("'x#y;z'", "x#y;z"),
    ],
)
def test_words_of_uci(written_as: str, value: str) -> None:
    """Quotes, escapes and comments as uci has them."""
    text = (
        "package network\nconfig interface wg0\n option proto wireguard\n"
        f"config wireguard_wg0\n option public_key '{ALICE}'\n option description {written_as}\n"
    )
    [config] = parse_network_config(written(text))
    assert config.peers[0].label == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("option a b", 1),
        ("config interface wg0\n option proto 'wireguard\n", 2),
        ("config\n", 1),
        ("config interface wg0\n\nset a b c d\n", 3),
    ],
)
def test_what_uci_would_refuse_is_refused(text: str, line: int) -> None:
    """With its line."""
    with pytest.raises(FormatError) as caught:
        parse_network_config(written(text))
    assert caught.value.line == line


# -------------------------------------------------------------------------------------- names file


def test_a_names_file() -> None:
    """A key, and a name that may have spaces; what is neither is told once and passed over."""
    text = f"# ours\n\n{ALICE} Alice at home \n{BOB}\tbob\nnot-a-key x\n{CAROL}\n"
    names, gap = parse_names(written(text, "/etc/wgtui/names"))
    assert names == {ALICE: "Alice at home", BOB: "bob"}
    assert gap is not None
    assert gap.why == "/etc/wgtui/names, line 5: not a public key and a name"


# ----------------------------------------------------------------------------------- hostile texts

KEYWORDS = ["[NetDev]", "[WireGuardPeer]", "[Match]", "[Route]", "[connection]", "Name=wg0",
            "Kind=wireguard", "type=wireguard", "interface-name=wg0", "config interface wg0",
            "option proto wireguard", "config wireguard_wg0", f"PublicKey={ALICE}", "AllowedIPs=",
            f"option public_key {ALICE}", "list allowed_ips ", "10.0.0.0/8", "fd00::/200",
            "\n", "\\", "'", '"', ";", "#", " ", "\x00", "\u202e", "\x1b[2J",
            f"[wireguard-peer.{BOB}]"]  # fmt: skip


@given(st.lists(st.sampled_from(KEYWORDS), max_size=25).map("\n".join) | st.text(max_size=80))
def test_no_text_breaks_a_reader(text: str) -> None:
    """It is understood or refused, by each of them."""
    file = written(text)
    netdev_found = parse_netdev([file, file])
    assert netdev_found is None or netdev_found.name
    parse_network([file]).matches("wg0")
    parse_names(file)
    for parse in (parse_profile, parse_network_config):
        try:
            parse(file)
        except FormatError as error:
            assert error.file == "conf/x"  # noqa: PT017 - most texts are fine


PREFIXES = st.builds(Prefix.of, st.just(4), st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    str
) | st.builds(Prefix.of, st.just(6), st.integers(0, 2**128 - 1), st.integers(0, 128)).map(str)
PEERS = st.lists(
    st.tuples(
        st.sampled_from([ALICE, BOB, CAROL]),
        st.lists(PREFIXES, max_size=4),
        st.sampled_from(["", "192.0.2.7:51820", "[2001:db8::7]:4000", "vpn.example:51820"]),
        st.integers(0, 65535),
    ),
    max_size=3,
    unique_by=lambda peer: peer[0],
)


@given(PEERS, st.integers(1, 65535), st.integers(0, 2**32 - 1))
def test_three_programs_mean_the_same(
    peers: list[tuple[str, list[str], str, int]], port: int, mark: int
) -> None:
    """One device, written in each program's words, is read as one device."""
    networkd = ["[NetDev]", "Name=wg0", "Kind=wireguard", "[WireGuard]"]
    networkd += [f"ListenPort={port}", f"FirewallMark={mark}"]
    manager = ["[connection]", "type=wireguard", "interface-name=wg0"]
    manager += ["[wireguard]", f"listen-port={port}", f"fwmark={mark}"]
    router = ["config interface 'wg0'", "option proto wireguard"]
    router += [f"option listen_port {port}", f"option fwmark {mark}"]
    for key, allowed, endpoint, keepalive in peers:
        host, _, to = endpoint.rpartition(":")
        networkd += ["[WireGuardPeer]", f"PublicKey={key}", f"PersistentKeepalive={keepalive}"]
        networkd += [f"AllowedIPs={prefix}" for prefix in allowed]
        manager += [f"[wireguard-peer.{key}]", f"persistent-keepalive={keepalive}"]
        manager += [f"allowed-ips={';'.join(allowed)};"]
        router += ["config wireguard_wg0", f"option public_key '{key}'"]
        router += [f"option persistent_keepalive {keepalive}"]
        router += [f"list allowed_ips '{prefix}'" for prefix in allowed]
        if endpoint:
            networkd.append(f"Endpoint={endpoint}")
            manager.append(f"endpoint={endpoint}")
            router += [f"option endpoint_host '{host}'", f"option endpoint_port '{to}'"]
    found = [
        parse_netdev([written("\n".join(networkd))]),
        parse_profile(written("\n".join(manager))),
    ]
    found += parse_network_config(written("\n".join(router)))
    said = [
        (one.listen_port, one.fwmark, [_without_line(peer) for peer in one.peers])
        for one in found
        if one is not None
    ]
    assert len(said) == 3
    assert said[0] == said[1] == said[2]
    assert said[0][0] == port
    assert [peer[0] for peer in said[0][2]] == [peer[0] for peer in peers]


def _without_line(peer: PeerConfig) -> tuple[str, tuple[Prefix, ...], str | None, int]:
    return peer.public_key, peer.allowed_ips, peer.endpoint, peer.keepalive
