"""Is every change between two looks told, once, and nothing that did not change?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wgtui.engine.changes import changes
from wgtui.engine.table_changes import Sameness, differences
from wgtui.model.change import (
    AddressChange,
    Change,
    EndpointChange,
    EntryChange,
    Flood,
    LinkChange,
    NextHopChange,
    PeerChange,
    PlaceChange,
    RouteChange,
    RuleChange,
    SessionChange,
    SettingChange,
    SightChange,
    SubjectChange,
    SysctlChange,
)
from wgtui.model.finding_facts import Who
from wgtui.model.network import (
    MAIN_TABLE,
    LinkIndex,
    NextHop,
    NextHopObject,
    RouteInfo,
)
from wgtui.model.prefix import Prefix
from wgtui.model.prefix_index import NONE
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Gap, Hook, Snapshot, Subject
from wgtui.model.wireguard import Device, DeviceConfig, Peer
from wgtui.report.change_json import diff_json
from wgtui.report.change_words import change_text
from wgtui.sources.demo import DemoSource
from wgtui.sources.shorthand import HostLines, read_host
from wgtui.sources.shorthand_wireguard import vanity_key

A, B, C = (Who(vanity_key(name), name) for name in "ABC")
LINKS = "eth0 UP 192.0.2.10/24\nwg0 UNKNOWN 10.8.0.1/24"


def host(
    peers: str = "",
    device: str = "wg0",
    links: str = LINKS,
    routes: str = "",
    taken_at: float = 1000.0,
    **more: str,
) -> Snapshot:
    """A host with one device."""
    text = f"{device}\n" + "\n".join(f" {line}" for line in peers.splitlines())
    lines = HostLines(links=links, wireguard=text if device else "", routes4=routes, **more)
    return read_host(lines, taken_at=taken_at)


def prefix(text: str) -> Prefix:
    """Parsed."""
    return Prefix.parse(text)


def only(found: Iterable[Change], kind: type) -> list[Change]:
    """Those of one kind."""
    return [change for change in found if isinstance(change, kind)]


def test_nothing_changed() -> None:
    """The same look twice, and two looks that see the same."""
    snapshot, again = (DemoSource().read() for _ in range(2))
    assert snapshot is not again
    assert changes(snapshot, snapshot) == changes(snapshot, again) == ()


# --------------------------------------------------------------------------------------- WireGuard


def test_a_prefix_that_moves_is_one_change() -> None:
    """From whom, to whom (S-E2), as the two commands of a ping-pong do it (C09)."""
    before = host("peer A allowed-ips 10.1.0.0/16,10.2.0.0/16\npeer B")
    after = host("peer A allowed-ips 10.2.0.0/16\npeer B allowed-ips 10.1.0.0/16")
    assert changes(before, after) == (EntryChange("wg0", prefix("10.1.0.0/16"), A, B),)


def test_gained_and_lost() -> None:
    """From nobody, to nobody."""
    before = host("peer A allowed-ips 10.1.0.0/16")
    after = host("peer A allowed-ips 10.2.0.0/16")
    assert changes(before, after) == (
        EntryChange("wg0", prefix("10.2.0.0/16"), None, A),
        EntryChange("wg0", prefix("10.1.0.0/16"), A, None),
    )


def test_a_peer_brings_and_takes_its_prefixes() -> None:
    """Those that it takes from another one are told on their own (S-E3)."""
    before = host("peer A allowed-ips 10.1.0.0/16")
    after = host("peer A\npeer B allowed-ips 10.1.0.0/16,10.2.0.0/16")
    assert changes(before, after) == (
        EntryChange("wg0", prefix("10.1.0.0/16"), A, B),
        PeerChange("wg0", B, True, (prefix("10.2.0.0/16"),)),
    )
    assert changes(after, before) == (
        EntryChange("wg0", prefix("10.1.0.0/16"), B, A),
        PeerChange("wg0", B, False, (prefix("10.2.0.0/16"),)),
    )


def test_an_endpoint_that_roams() -> None:
    """Where it was met, where it is met (S-E30)."""
    before, after = (host(f"peer A endpoint 192.0.2.{n}:51820") for n in (7, 8))
    [change] = changes(before, after)
    assert isinstance(change, EndpointChange)
    assert (str(change.before), str(change.after)) == ("192.0.2.7:51820", "192.0.2.8:51820")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("", "handshake 1", [True]),
        ("handshake 5", "handshake 1", []),  # renewed in time, as every two minutes
        ("handshake 170", "handshake 1", []),
        ("handshake 181", "handshake 1", [True]),
        ("handshake 1", "handshake 181", [False]),
        ("handshake 181", "handshake 500", []),
    ],
)
def test_sessions_come_and_go(was: str, now: str, told: list[bool]) -> None:
    """A handshake after silence is a change, a renewed one is not (S-E40, S-E42)."""
    found = changes(host(f"peer A {was}"), host(f"peer A {now}"))
    assert found == tuple(SessionChange("wg0", A, fresh) for fresh in told)


def test_settings_of_device_and_peer() -> None:
    """Each by its name, before and after."""
    before = host("peer A persistent-keepalive 25", "wg0 listen-port 1 fwmark 0x5")
    after = host("peer A preshared-key", "wg0 listen-port 2 public-key X")
    assert set(changes(before, after)) == {
        SettingChange("wg0", "listen-port", "1", "2"),
        SettingChange("wg0", "fwmark", "0x5", "0x0"),
        SettingChange("wg0", "public-key", vanity_key("wg0"), vanity_key("X")),
        SettingChange("wg0", "keepalive", "25", "0", A),
        SettingChange("wg0", "preshared-key", "0", "1", A),
    }


def test_traffic_is_no_change() -> None:
    """Counters count; the journal is not about them."""
    assert changes(host("peer A rx 1 tx 2"), host("peer A rx 3 tx 4")) == ()


PREFIXES = [prefix(text) for text in ("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16", "fd00::/8")]
DEVICES = st.dictionaries(
    st.sampled_from([A, B, C]), st.sets(st.sampled_from(PREFIXES)), max_size=3
)


def device_of(meant: dict[Who, set[Prefix]]) -> Device:
    """As the kernel would have it: the last one has a prefix (S-E2)."""
    owner = {entry: who for who, entries in meant.items() for entry in entries}
    peers = tuple(
        Peer(
            who.public_key, who.label, allowed_ips=tuple(e for e in PREFIXES if owner.get(e) == who)
        )
        for who in meant
    )
    return Device(LinkIndex(5), "wg0", peers=peers)


@given(DEVICES, DEVICES)
def test_a_stupid_twin_agrees_on_owners(
    old: dict[Who, set[Prefix]], new: dict[Who, set[Prefix]]
) -> None:
    """Carrying out all changes on the owners before gives the owners after, and none is told that
    is none."""
    before, after = (
        Snapshot(taken_at=0, devices={LinkIndex(5): device_of(meant)}) for meant in (old, new)
    )
    found = changes(before, after)
    was, now = (
        {entry: peer.public_key for peer in device_of(meant).peers for entry in peer.allowed_ips}
        for meant in (old, new)
    )
    carried_out: dict[Prefix, str | None] = dict(was)
    keys = {who.public_key for who in old}
    for change in found:
        if isinstance(change, EntryChange):
            assert change.before != change.after
            assert (change.before and change.before.public_key) == was.get(change.prefix)
            carried_out[change.prefix] = change.after and change.after.public_key
        else:
            assert isinstance(change, PeerChange)
            keys ^= {change.peer.public_key}
            for entry in change.entries:
                carried_out[entry] = change.peer.public_key if change.added else None
    assert {entry: key for entry, key in carried_out.items() if key is not None} == now
    assert keys == {who.public_key for who in new}


# ------------------------------------------------------------------------------- links and the rest


def test_links_come_go_and_change() -> None:
    """State, MTU and addresses are told of the link they are of."""
    before = host(links="eth0 UP 192.0.2.10/24 mtu 1500\nwg0 UNKNOWN")
    after = host(links="eth0 DOWN 192.0.2.11/24 mtu 1400\nwg0 UNKNOWN\neth8 UP 198.51.100.1/24")
    assert only(changes(after, before), LinkChange) == [LinkChange("eth8", False)]
    found = changes(before, after)
    assert only(found, LinkChange) == [LinkChange("eth8", True)]
    assert SettingChange("eth0", "state", "up", "down") in found
    assert SettingChange("eth0", "mtu", "1500", "1400") in found
    told = [
        (c.link, str((c.after or c.before or c).address), c.before is None)  # type: ignore[union-attr]
        for c in found
        if isinstance(c, AddressChange)
    ]
    assert told == [
        ("eth0", "192.0.2.10", False),
        ("eth0", "192.0.2.11", True),
        ("eth8", "198.51.100.1", True),
    ]


def test_a_link_with_another_name_is_the_same_link() -> None:
    """The kernel's number for it tells."""
    before, after = (host(links=f"{name} UP 192.0.2.10/24", device="") for name in ("eth7", "wan"))
    assert changes(before, after) == (SettingChange("wan", "name", "eth7", "wan"),)


def test_a_link_that_is_made_anew_is_the_same_link() -> None:
    """Its routes lead where they led, though the kernel's number for it is another one."""
    routes = "10.0.0.0/8 dev wg0"
    before = host(links="eth0 UP\nwg0 UNKNOWN", routes=routes)
    after = host(links="wg0 UNKNOWN\neth0 UP", routes=routes)
    found = changes(before, after)
    assert {(c.link, c.setting) for c in found if isinstance(c, SettingChange)} == {
        ("eth0", "index"),
        ("wg0", "index"),
    }
    assert len(found) == 2


def test_rules_and_settings_of_the_kernel() -> None:
    """One that came, one that went, one that says something else."""
    before = host(rules4="0: from all lookup local\n7: from all lookup 7")
    after = host(rules4="0: from all lookup local\n8: from all lookup 7")
    assert [(c.rule.priority, c.added) for c in changes(before, after)  # type: ignore[union-attr]
            ] == [(7, False), (8, True)]  # fmt: skip
    assert all(isinstance(c, RuleChange) for c in changes(before, after))
    before = host(sysctls="net.ipv4.conf.eth0.rp_filter = 1")
    after = host(sysctls="net.ipv4.conf.eth0.rp_filter = 2")
    assert changes(before, after) == (SysctlChange("net/ipv4/conf/eth0/rp_filter", 1, 2),)


def test_what_is_hidden_has_not_gone() -> None:
    """Without root no peer is seen: that is the change, not the loss of all of them."""
    before = host("peer A allowed-ips 10.1.0.0/16", routes="10.1.0.0/16 dev wg0")
    hidden = replace(
        before,
        devices={},
        routes={key: table for key, table in before.routes.items() if key[0] == 6},
        gaps=(Gap(Subject.WIREGUARD, "not permitted"), Gap(Subject.ROUTES4, "no file")),
    )
    assert set(changes(before, hidden)) == {
        SightChange(Subject.WIREGUARD, "", False, "not permitted"),
        SightChange(Subject.ROUTES4, "", False, "no file"),
    }
    assert {(c.seen, c.subject) for c in changes(hidden, before)  # type: ignore[union-attr]
            } == {(True, Subject.WIREGUARD), (True, Subject.ROUTES4)}  # fmt: skip


def test_next_hop_objects_firewall_and_configurations() -> None:
    """What is not told in detail is told all the same."""
    before = replace(host(), hooks=(), nexthops={7: NextHopObject(7, (NextHop(LinkIndex(2)),))})
    after = replace(
        before,
        hooks=(Hook("ip", "t", "c", "output"),),
        nexthops={7: NextHopObject(7, blackhole=True), 8: NextHopObject(8)},
        meant=(DeviceConfig("wg0", "/etc/wireguard/wg0.conf"),),
    )
    assert set(changes(before, after)) == {
        NextHopChange(7, True, True),
        NextHopChange(8, False, True),
        SubjectChange(Subject.FIREWALL),
        SubjectChange(Subject.CONFIG, "/etc/wireguard/wg0.conf"),
    }


# ------------------------------------------------------------------------------------------ routes


def test_a_route_that_leads_another_way() -> None:
    """One change, with both ways and the names of their links."""
    before = host(routes="10.0.0.0/8 via 192.0.2.1 dev eth0")
    after = host(routes="10.0.0.0/8 dev wg0")
    [change] = changes(before, after)
    assert isinstance(change, RouteChange)
    assert (change.table, change.destination) == (MAIN_TABLE, prefix("10.0.0.0/8"))
    assert change.before is not None
    assert change.after is not None
    assert (change.before.links, change.after.links) == (("eth0",), ("wg0",))


def test_seconds_that_run_out_are_no_change() -> None:
    """Routes learned from a router count down at every reading; when they have expired, that is
    one (S-B67)."""

    def expiring(seconds: int) -> Snapshot:
        info = RouteInfo(next_hops=(NextHop(LinkIndex(2)),), expires=seconds)
        table = RouteTable(6, MAIN_TABLE, [(0, 0, 0)], (info,))
        return Snapshot(taken_at=0, routes={(6, MAIN_TABLE): table})

    assert changes(expiring(1700), expiring(1600)) == ()
    assert len(changes(expiring(1700), expiring(0))) == 1


INFOS = tuple(
    RouteInfo(metric=metric, next_hops=(NextHop(LinkIndex(link)),))
    for metric in (0, 10)
    for link in (2, 3)
)
ROWS = st.lists(st.tuples(st.integers(0, 40), st.integers(24, 32), st.integers(0, 3)), max_size=60)


def table_of(rows: list[tuple[int, int, int]], turned: bool = False) -> RouteTable:
    """A table of these rows; ``turned``: the same with its infos numbered otherwise."""
    infos = INFOS[::-1] if turned else INFOS
    entries = [
        (Prefix.of(4, address * 8, length).network, length, 3 - info if turned else info)
        for address, length, info in rows
    ]
    return RouteTable(4, MAIN_TABLE, entries, infos)


@settings(max_examples=150)
@given(ROWS, st.lists(st.integers(0, 59)), ROWS, st.integers(1, 8))
def test_a_stupid_twin_agrees_on_routes(
    rows: list[tuple[int, int, int]],
    dropped: list[int],
    added: list[tuple[int, int, int]],
    block: int,
) -> None:
    """What is told is the difference of two bags of routes, however the blocks fall."""
    import wgtui.engine.table_changes as module

    later = [row for place, row in enumerate(rows) if place not in dropped] + added
    old, new = table_of(rows), table_of(later, turned=True)
    before, size = module._BLOCK, block
    module._BLOCK = size  # type: ignore[misc]
    try:
        found = list(differences(old, new, Sameness({})))
    finally:
        module._BLOCK = before  # type: ignore[misc]
    was = Counter((route.destination, route.info) for route in old)
    now = Counter((route.destination, route.info) for route in new)
    gone = Counter((old[row].destination, old.info(row)) for row, _ in found if row != NONE)
    come = Counter((new[row].destination, new.info(row)) for _, row in found if row != NONE)
    assert gone == was - now
    assert come == now - was
    for row_old, row_new in found:
        if NONE not in (row_old, row_new):
            assert old[row_old].destination == new[row_new].destination
            assert old.info(row_old).metric == new.info(row_new).metric


def large(count: int, moved: set[int] = frozenset()) -> RouteTable:  # type: ignore[assignment]
    """A table with so many routes, some of them by another link."""
    values = (1 if number in moved else 0 for number in range(count))
    entries = ((number << 8, 24, value) for number, value in zip(range(count), values, strict=True))
    return RouteTable(4, MAIN_TABLE, entries, INFOS[:2])


def test_a_flood_is_one_change() -> None:
    """Too many are counted, by what became of them."""
    before = Snapshot(taken_at=0, routes={(4, MAIN_TABLE): large(5000)})
    after = Snapshot(taken_at=0, routes={(4, MAIN_TABLE): large(4900, set(range(100, 300)))})
    assert changes(before, after) == (Flood("route", "254", 4, removed=100, changed=200),)
    assert len(changes(before, after, most=1000)) == 300


def test_a_flood_of_peers_and_prefixes() -> None:
    """One for each device and kind."""
    many = "\n".join(f"peer P{n} allowed-ips 10.0.{n}.0/24" for n in range(60))
    few = "\n".join(f"peer P{n}" for n in range(60))
    assert changes(host(few), host(many)) == (Flood("entry", "wg0", None, added=60),)
    assert changes(host(""), host(many)) == (Flood("peer", "wg0", None, added=60),)


def test_a_large_table_costs_little_when_little_moved() -> None:
    """A quarter of a million routes: one that moved is found in a fraction of a second."""
    old, new = large(250_000), large(250_000, {123_456})
    started = time.process_time()
    assert list(differences(old, new, Sameness({}))) == [(123_456, 123_456)]
    assert time.process_time() - started < 1


def test_a_large_table_that_is_all_new_is_counted() -> None:
    """A hundred thousand routes by another link: one flood, within a second or two."""
    old, new = large(100_000), large(100_000, set(range(100_000)))
    before, after = (Snapshot(taken_at=0, routes={(4, MAIN_TABLE): table}) for table in (old, new))
    started = time.process_time()
    assert changes(before, after) == (Flood("route", "254", 4, changed=100_000),)
    assert time.process_time() - started < 2


def test_what_moves_where_encrypted_packets_go_on_is_told() -> None:
    """S-E20: a route of the namespace where the device was made, once, and with its place; what
    is equal there, or was not seen before, is no change."""

    def two(uplink: str, inner: str = "") -> Snapshot:
        there = replace(host(routes=uplink), namespace="uplink")
        return replace(host(routes=inner), elsewhere={"uplink": there})

    before = two("default via 192.0.2.1 dev eth0")
    after = two("default via 192.0.2.7 dev eth0", "10.20.0.0/16 dev wg0")
    assert changes(before, two("default via 192.0.2.1 dev eth0")) == ()
    found = changes(before, after)
    [inside] = [one for one in found if isinstance(one, PlaceChange)]
    assert inside.namespace == "uplink"
    assert isinstance(inside.change, RouteChange)
    assert inside.change.destination == Prefix(4, 0, 0)
    assert [one for one in found if isinstance(one, RouteChange)]
    assert change_text(inside).startswith("in namespace uplink: ")
    assert change_text(inside).endswith(change_text(inside.change))
    assert changes(replace(before, elsewhere={}), before) == ()
    said = diff_json(before, after, [inside])["changes"]
    assert said == [
        {**one, "namespace": "uplink", "text": change_text(inside)}
        for one in diff_json(before, after, [inside.change])["changes"]  # type: ignore[attr-defined]
    ]


def test_what_goes_back_and_forth_elsewhere_is_flapping() -> None:
    """It is another thing than the same in this namespace."""
    here = RouteChange(MAIN_TABLE, Prefix(4, 0, 0), None, None)
    there = PlaceChange("uplink", here)
    assert there.key != here.key
    assert there.key != PlaceChange("other", here).key
    assert there.states == here.states
