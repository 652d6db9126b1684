"""Is a facts folder read as the contract (§3) says, and is what it lacks a gap?"""

import dataclasses
import json
import os
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest
from netaddr import IPAddress

from tests.kernel.hosts import Kind, Network
from wgtui.engine.lookup import lookup
from wgtui.errors import SourceError
from wgtui.model.flow import Flow
from wgtui.model.network import MAIN_TABLE, Rule
from wgtui.model.prefix import FAMILIES, Prefix
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import Outcome, Reason
from wgtui.model.wireguard import Backend
from wgtui.report.as_json import lookup_json
from wgtui.report.sentences import answer
from wgtui.sources import open_source
from wgtui.sources.facts import COMMANDS, FactsSource
from wgtui.sources.live import LiveSource

EDGE = Path(__file__).parent / "data" / "edge"

Read = Callable[[], Snapshot]

SUBJECTS = {
    "link.json": Subject.LINKS,
    "address.json": Subject.ADDRESSES,
    "rule4.json": Subject.RULES4,
    "rule6.json": Subject.RULES6,
    "route4.json": Subject.ROUTES4,
    "route6.json": Subject.ROUTES6,
    "nexthop.json": Subject.NEXTHOPS,
    "wg.dump": Subject.WIREGUARD,
    "sysctl.txt": Subject.SYSCTL,
    "nft.json": Subject.FIREWALL,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The captured host, to be changed."""
    return Path(shutil.copytree(EDGE, tmp_path / "edge"))


def read(folder: Path) -> Snapshot:
    """What the folder says."""
    return FactsSource(folder).read()


def gaps_of(snapshot: Snapshot, subject: Subject) -> list[Gap]:
    """The gaps about one subject."""
    return [gap for gap in snapshot.gaps if gap.subject is subject]


def wireguard_link(index: int, name: str = "wg0") -> dict[str, object]:
    """An entry for link.json."""
    info = {"info_kind": "wireguard"}
    return {"ifindex": index, "ifname": name, "flags": ["UP"], "linkinfo": info}


# --------------------------------------------------------------------------------------- the whole


def test_a_captured_host() -> None:
    """Every file finds its place in one snapshot, and nothing is missing."""
    snapshot = read(EDGE)
    assert (snapshot.host, snapshot.kernel, snapshot.source) == ("edge-1", "6.18.44", str(EDGE))
    assert snapshot.taken_at == 1795341600
    assert snapshot.uid == os.getuid()
    assert snapshot.gaps == ()
    assert [len(snapshot.rules[family]) for family in FAMILIES] == [29, 30]
    main = snapshot.table(4, MAIN_TABLE)
    assert main is not None
    assert main[main.tree.match(int(IPAddress("20.0.3.9")))].destination == Prefix.parse(
        "20.0.3.0/24"
    )
    link = snapshot.links_by_name["wgta"]
    device = snapshot.devices[link.index]
    assert device.backend is Backend.USERSPACE
    assert [peer.label for peer in device.peers] == ["the data centre", "laptop", "everything else"]
    assert snapshot.meant[0].name == "wgta"
    assert snapshot.local_in_main is False
    assert (
        snapshot.own_addresses[4, int(IPAddress("10.0.0.1"))] == snapshot.links_by_name["va"].index
    )
    assert snapshot.hooks
    assert 12 in snapshot.nexthops


def test_open_source_finds_a_folder() -> None:
    """A folder is a facts folder; it stands still."""
    source = open_source(str(EDGE))
    assert isinstance(source, FactsSource)
    assert (source.spec, source.live) == (str(EDGE), False)


def test_sysctls_in_both_notations(folder: Path) -> None:
    """Keys are paths; a dot inside a link's name stays one; what is no number is passed over."""
    assert read(folder).conf(4, "v.100", "rp_filter") == 0
    (folder / "sysctl.txt").write_text(
        "# made by hand\n"
        "net.ipv4.conf.eth0/100.rp_filter=2\n"
        "net/ipv4/conf/eth0.200/rp_filter = 1\n"
        "net.ipv4.conf.eth0.300.src_valid_mark = 1\n"
        "net.ipv4.conf.all.accept_local = 1\n"
        "net.ipv4.tcp_rmem = 4096\t131072\t6291456\n"
        "net.ipv6.conf.all.stable_secret = \n"
    )
    snapshot = read(folder)
    assert snapshot.conf(4, "eth0.100", "rp_filter") == 2
    assert snapshot.conf(4, "eth0.200", "rp_filter") == 1
    assert snapshot.conf(4, "eth0.300", "src_valid_mark") == 1
    assert snapshot.conf(4, "all", "accept_local") == 1
    assert len(snapshot.sysctls) == 4


def test_a_short_list_of_settings_is_meant_for_every_link(folder: Path) -> None:
    """ip_forward is written to all links; one that differs would have been listed (S-B41)."""
    for key in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"):
        (folder / "sysctl.txt").write_text(f"{key} = 1\n")
        found = read(folder)
        assert {found.conf(4, link.name, "forwarding") for link in found.links.values()} == {1}
        (folder / "sysctl.txt").write_text(f"{key} = 1\nnet.ipv4.conf.lo.forwarding = 0\n")
        found = read(folder)
        assert found.conf(4, "lo", "forwarding") == 0
        others = {
            found.conf(4, link.name, "forwarding")
            for link in found.links.values()
            if link.name != "lo"
        }
        assert others == {None}


def test_empty_objects_alone_are_no_ipv4_routes(folder: Path) -> None:
    """A list of nothing but them says nothing: a gap, not a host without routes."""
    (folder / "route4.json").write_text("[{}]")
    assert [gap.why for gap in gaps_of(read(folder), Subject.ROUTES4)] == [
        "route4.json: has no route, only empty objects"
    ]


def test_a_table_that_only_a_name_is_known_of_keeps_it(tmp_path: Path) -> None:
    """In words and JSON, of rule and route alike; no made-up number is shown (contract §3)."""
    links = [{"ifindex": 2, "ifname": "eth0", "flags": ["UP", "LOWER_UP"]}]
    rules = [
        {"priority": 0, "src": "all", "table": "local"},
        {"priority": 10, "src": "all", "table": "v\x1bpn"},
        {"priority": 32766, "src": "all", "table": "main"},
    ]
    routes = [{"dst": "default", "dev": "eth0", "table": "v\x1bpn"}]
    for name, content in (("link", links), ("rule4", rules), ("route4", routes)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    snapshot = FactsSource(tmp_path).read()
    trace = lookup(snapshot, Flow.parse("8.8.8.8"))
    assert trace.outcome is Outcome.SENT
    out = lookup_json(snapshot, trace)["out"]
    assert isinstance(out, dict)
    assert out["rule"] == {"priority": 10, "table": "v\x1bpn"}
    assert out["route"]["table"] == "v\x1bpn"
    said = "\n".join(line.text for line in answer(snapshot, trace))
    assert "lookup v\\x1bpn" in said
    assert "4294" not in said


def test_a_configuration_in_another_encoding_still_names_its_peers(folder: Path) -> None:
    """Bytes that are no UTF-8 are shown as such, on the screen, in JSON and in a snapshot."""
    path = next((folder / "conf").glob("*.conf"))
    path.write_bytes(path.read_bytes() + b"# caf\xe9\n")
    snapshot = read(folder)
    assert not [gap for gap in gaps_of(snapshot, Subject.CONFIG) if path.name in gap.why]
    json.dumps(lookup_json(snapshot, lookup(snapshot, Flow.parse("8.8.8.8")))).encode("ascii")


# ---------------------------------------------------------------------------------- what is missing


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_file_is_a_gap(folder: Path, name: str) -> None:
    """Named, with the command that makes it; everything else is still read."""
    (folder / name).unlink()
    snapshot = read(folder)
    for gap in gaps_of(snapshot, SUBJECTS[name]):
        assert (gap.why, gap.hint) == (f"no file {name}", f"make it with: {COMMANDS[name]}")
    assert {gap.subject for gap in snapshot.gaps} == {SUBJECTS[name]}
    assert "va" in {link.name for link in snapshot.links.values()}


# An empty wg.dump is what wg prints where there is no WireGuard.
BROKEN = [(name, b"") for name in COMMANDS if name != "wg.dump"] + [
    (name, content)
    for name in COMMANDS
    for content in (b"\xff\xfe\x00garbage", b'[{"ifindex": 1, "dst": "10.0.')
]


@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_a_broken_file_is_a_gap(folder: Path, name: str, content: bytes) -> None:
    """It is as if it could not be seen, and the reader says which file and what is wrong."""
    (folder / name).write_bytes(content)
    gap, *more = gaps_of(read(folder), SUBJECTS[name])
    assert gap.why.startswith(name)
    assert "\n" not in gap.why
    assert all(other.link is not None for other in more)


@pytest.mark.parametrize("name", ["route4.json", "rule4.json"])
def test_half_a_file_is_no_file(folder: Path, name: str) -> None:
    """One bad entry hides them all: half a table would give wrong answers."""
    entries = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps([*entries, {"dst": "x", "src": "x", "priority": 1}]))
    snapshot = read(folder)
    assert len(gaps_of(snapshot, SUBJECTS[name])) == 1
    if name == "route4.json":
        assert {family for family, _ in snapshot.routes} == {6}
    else:
        assert set(snapshot.rules) == {6}


def test_a_file_that_is_no_file(folder: Path) -> None:
    """A folder or a pipe in its place is a gap, and nobody waits for it."""
    (folder / "nft.json").unlink()
    os.mkfifo(folder / "nft.json")
    (folder / "wg.dump").unlink()
    (folder / "wg.dump").mkdir()
    snapshot = read(folder)
    assert {gap.why for gap in snapshot.gaps} == {
        "wg.dump: is not a regular file",
        "nft.json: is not a regular file",
    }


def test_nesting_without_end_is_a_gap(folder: Path) -> None:
    """Neither the parser nor what reads its result runs out of stack."""
    (folder / "nft.json").write_text('{"nftables": [' + "[" * 900 + "]" * 900 + "]}")
    deep = '{"a":' * 900 + "1" + "}" * 900
    (folder / "route4.json").write_text(f'[{{"dst": "default", "x": {deep}}}]')
    assert gaps_of(read(folder), Subject.FIREWALL)


@pytest.mark.parametrize("files", [[], ["host.json"], ["notes.txt"]])
def test_a_folder_without_facts_is_an_error(tmp_path: Path, files: list[str]) -> None:
    """With the first command to type."""
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(SourceError, match="no facts") as caught:
        read(tmp_path)
    assert "ip -j -d -s link show" in caught.value.hint


def test_a_folder_of_garbage_is_an_error(tmp_path: Path) -> None:
    """Nothing usable at all is not an empty host."""
    (tmp_path / "link.json").write_text("ip: command not found")
    with pytest.raises(SourceError, match=r"no usable file.*link\.json"):
        read(tmp_path)


# --------------------------------------------------------------------------------------- WireGuard


def test_without_a_dump_only_links_that_may_be_wireguard_are_hidden(folder: Path) -> None:
    """Lookups through other links stay exact."""
    (folder / "wg.dump").unlink()
    snapshot = read(folder)
    hidden = {snapshot.link_name(gap.link) for gap in gaps_of(snapshot, Subject.WIREGUARD)}
    assert hidden == {"tun0", "wgta"}
    assert snapshot.gap(Subject.WIREGUARD, snapshot.links_by_name["va"].index) is None


def test_a_wireguard_link_that_the_dump_leaves_out(folder: Path) -> None:
    """wg without privilege lists nothing and says so on stderr only: not the same as no peers."""
    assert not gaps_of(read(folder), Subject.WIREGUARD)
    links = [*json.loads((folder / "link.json").read_text()), wireguard_link(40)]
    (folder / "link.json").write_text(json.dumps(links))
    snapshot = read(folder)
    gaps = gaps_of(snapshot, Subject.WIREGUARD)
    # tun0 is no WireGuard link, but a list that leaves out one may leave out others.
    assert [snapshot.link_name(gap.link) for gap in gaps] == ["wg0", "tun0"]
    assert {gap.why for gap in gaps} == {"wg.dump does not list it"}


def test_a_device_without_a_link_gets_one(folder: Path) -> None:
    """wg.dump came from a moment, or namespace, with one more device."""
    with (folder / "wg.dump").open("a") as file:
        file.write("wg9\t(hidden)\t(none)\t0\toff\n")
    snapshot = read(folder)
    link = snapshot.links_by_name["wg9"]
    assert (link.kind, link.seen, link.index) == ("wireguard", False, -1)
    assert snapshot.devices[link.index].name == "wg9"


@pytest.mark.parametrize(
    ("heard", "endpoint", "uplink", "moved"),
    [
        (1, "198.51.100.4:51820", False, True),
        (0, "198.51.100.4:51820", False, False),
        (1, "127.0.0.1:51820", False, False),
        (1, "198.51.100.4:51820", True, False),
    ],
    ids=("moved", "never-heard", "by-loopback", "uplink"),
)
def test_a_device_that_no_link_here_can_have_served_was_made_elsewhere(
    tmp_path: Path, heard: int, endpoint: str, uplink: bool, moved: bool
) -> None:
    """C62, S-E20: who was heard from was heard from somewhere; no loop is made up out of it."""
    links: list[dict[str, object]] = [{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"]}]
    links.append(wireguard_link(2) | {"flags": ["UP", "LOWER_UP"]})
    if uplink:
        links.append({"ifindex": 3, "ifname": "eth0", "flags": ["UP"]})
    own, key = (b64encode(bytes([one] * 32)).decode() for one in (1, 2))
    (tmp_path / "link.json").write_text(json.dumps(links))
    (tmp_path / "wg.dump").write_text(
        f"wg0\t(hidden)\t{own}\t51820\toff\n"
        f"wg0\t{key}\t(none)\t{endpoint}\t0.0.0.0/0\t{heard}\t0\t0\toff\n"
    )
    (tmp_path / "route4.json").write_text('[{"dst": "default", "dev": "wg0"}]')
    (tmp_path / "rule4.json").write_text('[{"priority": 0, "src": "all", "table": "main"}]')
    snapshot = read(tmp_path)
    asked = lookup(snapshot, Flow.parse("8.8.8.8"))
    assert (asked.reason is Reason.FOREIGN_NAMESPACE) is moved
    assert bool(gaps_of(snapshot, Subject.NAMESPACE)) is moved


def test_nothing_of_wireguard_at_all(tmp_path: Path) -> None:
    """Without WireGuard links a missing dump hides nothing; without a list of links, all."""
    (tmp_path / "link.json").write_text('[{"ifindex": 2, "ifname": "eth0", "promiscuity": 0}]')
    assert not gaps_of(read(tmp_path), Subject.WIREGUARD)
    (tmp_path / "link.json").unlink()
    (tmp_path / "route4.json").write_text('[{"dst": "default", "dev": "wg0"}]')
    [gap] = gaps_of(read(tmp_path), Subject.WIREGUARD)
    assert gap.link is None


def test_links_listed_without_their_kinds(folder: Path) -> None:
    """`ip -j link` without -d tells no kinds: what may be WireGuard does not pass for hardware."""
    kinds = {"linkinfo", "promiscuity", "stats64"}
    links = [
        {key: value for key, value in link.items() if key not in kinds}
        for link in json.loads((folder / "link.json").read_text())
    ]
    (folder / "link.json").write_text(json.dumps(links))
    listed = read(folder)
    assert listed.links_by_name["wgta"].kind == "wireguard"
    assert listed.links_by_name["va"].kind is None
    (folder / "wg.dump").unlink()
    snapshot = read(folder)
    assert snapshot.gap(Subject.WIREGUARD, snapshot.links_by_name["wgta"].index)
    assert snapshot.gap(Subject.WIREGUARD, snapshot.links_by_name["va"].index) is None


def test_a_broken_configuration_is_a_gap_of_its_own(folder: Path) -> None:
    """With file and line; the other configurations are read."""
    (folder / "conf" / "wg7.conf").write_text("[Interface]\n[Peer]\nAllowedIPs = all\n")
    snapshot = read(folder)
    [gap] = gaps_of(snapshot, Subject.CONFIG)
    assert gap.why.startswith("conf/wg7.conf, line 3: AllowedIPs")
    assert [config.name for config in snapshot.meant] == ["wgta"]


def test_without_configurations_nobody_knows_what_was_meant(folder: Path) -> None:
    """A gap, whose hint copies them without their secrets."""
    shutil.rmtree(folder / "conf")
    [gap] = gaps_of(read(folder), Subject.CONFIG)
    assert "Private" in gap.hint
    assert "sed" in gap.hint


# -------------------------------------------------------------------------------------- host.json


def test_host_json_is_optional(folder: Path) -> None:
    """Without it the newest file tells the time, and nothing is a gap."""
    (folder / "host.json").unlink()
    for path in folder.iterdir():
        os.utime(path, (5, 5))
    os.utime(folder / "rule4.json", (7, 7))
    snapshot = read(folder)
    assert (snapshot.host, snapshot.kernel, snapshot.gaps) == ("", "", ())
    assert snapshot.taken_at >= 7
    assert snapshot.taken_at == max(
        path.stat().st_mtime for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"taken_at": "yesterday"}', '{"host": {}}', '{"ipv4_local_in": "x"}']
)
def test_a_broken_host_json_is_a_gap(folder: Path, content: str) -> None:
    """Present but broken is said; the rest is read."""
    (folder / "host.json").write_text(content)
    [gap] = read(folder).gaps
    assert gap.why.startswith("host.json")


DEFAULTS = [
    {"priority": 0, "src": "all", "table": "255"},
    {"priority": 32766, "src": "all", "table": "254"},
    {"priority": 32767, "src": "all", "table": "253", "protocol": "2"},
]


@pytest.mark.parametrize(
    ("rules", "host", "one_tree"),
    [
        (DEFAULTS, {}, True),
        (DEFAULTS, {"ipv4_local_in": 254}, True),
        (DEFAULTS, {"ipv4_local_in": 255}, False),
        ([*DEFAULTS, {"priority": 40000, "src": "all", "table": "9"}], {}, False),
        ([{**DEFAULTS[0], "fwmark": "1"}, *DEFAULTS[1:]], {}, False),
        (DEFAULTS[:2], {}, False),
        (DEFAULTS[:2], {"ipv4_local_in": 254}, True),
        (None, {}, None),
    ],
)
def test_whether_local_and_main_are_one_tree(
    folder: Path, rules: list[object] | None, host: dict[str, int], one_tree: bool | None
) -> None:
    """As host.json says; else judged by the rules: adding one has split them (S-A4, S-A5)."""
    (folder / "host.json").write_text(json.dumps(host))
    (folder / "rule4.json").write_text("broken" if rules is None else json.dumps(rules))
    assert read(folder).local_in_main is one_tree


# ----------------------------------------------------------------------------- names and numbers


def unknown_of(folder: Path, priority: int) -> tuple[str, ...]:
    """What is not understood of the IPv4 rule of this priority."""
    rules: dict[int, Rule] = {rule.priority: rule for rule in read(folder).rules[4]}
    return rules[priority].unknown


@pytest.mark.parametrize(
    ("rule", "route", "said"),
    [
        ("vpn", "vpn", ()),
        ("200", "200", ()),
        ("200", "vpn", ("table",)),
        ("vpn", "200", ("table",)),
        ("main", "vpn", ()),
        ("300", "200", ()),
    ],
)
def test_tables_by_name_in_one_file_and_by_number_in_another(
    folder: Path, rule: str, route: str, said: tuple[str, ...]
) -> None:
    """Only the host knows that vpn is 200: a rule that may mean it is not passed over."""
    (folder / "rule4.json").write_text(json.dumps([{"priority": 9, "src": "all", "table": rule}]))
    (folder / "route4.json").write_text(
        json.dumps([{"dst": "default", "dev": "va", "table": route}])
    )
    assert unknown_of(folder, 9) == said


def test_link_groups_by_name(folder: Path) -> None:
    """link.json names groups even where the rules number them."""
    rule = {"priority": 9, "src": "all", "table": "254", "suppress_ifgroup": "5"}
    (folder / "rule4.json").write_text(json.dumps([rule]))
    assert unknown_of(folder, 9) == ()
    link = {"ifindex": 50, "ifname": "x", "group": "uplinks", "promiscuity": 0}
    (folder / "link.json").write_text(json.dumps([link]))
    assert unknown_of(folder, 9) == ("suppress_ifgroup",)


# ---------------------------------------------------------------------------------- hostile and big


def test_names_of_links_are_bytes(folder: Path) -> None:
    """A name that is no UTF-8, or an escape sequence, is kept, for the screen to defuse."""
    text = b'[{"ifindex": 2, "ifname": "\xff[b]\\u001b[31m", "flags": []}]'
    (folder / "link.json").write_bytes(text)
    assert "\udcff[b]\x1b[31m" in read(folder).links_by_name


def test_a_hundred_thousand_routes_share_what_is_equal(folder: Path) -> None:
    """They keep their order within a prefix, and share a RouteInfo where only that differs."""
    entries = [
        {"dst": f"20.{n >> 8 & 255}.{n & 255}.0/24", "gateway": f"10.0.0.{n % 3 + 2}", "dev": "va"}
        for n in range(50_000)
    ]
    text = json.dumps([{**entry, "metric": metric} for entry in entries for metric in (1, 2)])
    (folder / "route4.json").write_text(text)
    table = read(folder).table(4, MAIN_TABLE)
    assert table is not None
    assert len(table) == 100_000
    assert len(set(table.infos)) == 6
    assert [table[row].info.metric for row in range(4)] == [1, 2, 1, 2]


# ------------------------------------------------------------------------------------------ source


def test_a_still_source_waits_and_reads_again_when_woken(folder: Path) -> None:
    """By itself nothing moves; asked for by the user, changed files are seen."""
    source = FactsSource(folder)
    before = source.read()
    assert source.refresh(before, 0.01) is before
    (folder / "host.json").write_text('{"host": "other"}')
    timer = Timer(0.05, source.wake)
    timer.start()
    after = source.refresh(before, 30)
    timer.join()
    assert (before.host, after.host) == ("edge-1", "other")
    source.close()


# ------------------------------------------------------------------------------------------ kernel


@pytest.mark.kernel
def test_the_folder_of_a_real_host_says_what_the_live_source_says(tmp_path: Path) -> None:
    """Two readers that share no parser see one machine alike, from links to peers."""
    with Network() as network:
        host = network.host("twice")
        host.ip("link add va type veth peer name vb", "link set va up", "link set vb up")
        host.ip("address add 192.0.2.1/24 dev va", "address add 2001:db8::1/64 dev va")
        host.ip("nexthop add id 7 via 192.0.2.9 dev va", "route add 198.51.100.0/24 nhid 7")
        host.ip("route add 203.0.113.0/24 nexthop via 192.0.2.9 nexthop via 192.0.2.8 weight 3")
        wg0 = host.wireguard("wg0", Kind.USERSPACE, port=51820)
        wg0.add_peer("4BEeMFwiIvjoj8J+bkAAJrrbPfFTxaUbfUx7YDqbGVA=", "10.0.0.0/8", "fd00::/8")
        host.ip("link set wg0 up", "rule add pref 9 not fwmark 7/15 table 100")
        host.ip("route add default dev wg0 table 100")
        for name in ("link", "address", "rule4", "rule6", "route4", "route6", "nexthop"):
            words = COMMANDS[f"{name}.json"].replace("ip ", f"ip -n {host.namespace} ", 1)
            (tmp_path / f"{name}.json").write_text(host.run(*words.split()))
        (tmp_path / "wg.dump").write_text(host.run("wg", "show", "all", "dump"))
        told = read(tmp_path)
        source = LiveSource(host.namespace)
        try:
            seen = host.inside(source.read)
        finally:
            source.close()

    def quiet(rules: tuple[Rule, ...]) -> list[Rule]:
        """Without who installed them, which `ip rule` only tells with -d."""
        return [dataclasses.replace(rule, protocol="") for rule in rules]

    for family in FAMILIES:
        assert quiet(told.rules[family]) == quiet(seen.rules[family])
    assert {key: list(table) for key, table in told.routes.items()} == {
        key: list(table) for key, table in seen.routes.items()
    }
    assert told.nexthops == seen.nexthops
    assert told.devices == seen.devices
    assert [dataclasses.replace(link, counters=None) for link in told.links.values()] == [
        dataclasses.replace(link, counters=None) for link in seen.links.values()
    ]


def test_a_folder_put_together_by_hand_is_sorted_as_the_kernel_sorts(tmp_path: Path) -> None:
    """Metric and tos decide, not the order of the lines (S-B1); rules go by priority (S-A1)."""
    link = {"ifindex": 2, "ifname": "eth0", "flags": ["UP", "LOWER_UP"]}
    routes = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "metric": 600},
        {"dst": "default", "gateway": "192.0.2.2", "dev": "eth0", "metric": 100},
    ]
    rules = [
        {"priority": 32766, "src": "all", "table": "main"},
        {"priority": 100, "src": "all", "fwmark": "0x7", "table": "200"},
        {"priority": 0, "src": "all", "table": "local"},
    ]
    for name, content in (("link", [link]), ("route4", routes), ("rule4", rules)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    snapshot = FactsSource(tmp_path).read()
    table = snapshot.routes[4, MAIN_TABLE]
    assert [route.info.metric for route in (table[0], table[1])] == [100, 600]
    assert [rule.priority for rule in snapshot.rules[4]] == [0, 100, 32766]
