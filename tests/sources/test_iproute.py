"""Is what `ip -j` prints understood as the kernel means it, and garbage refused?

The files under data/ are what iproute2 6.1 on Linux 6.18 printed on a host with one of every kind.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.kernel.hosts import Network, run
from wgtui.errors import FormatError
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkAddress,
    LinkIndex,
    Masked,
    NextHop,
    Preference,
    Range,
    Route,
    RouteInfo,
    RouteType,
    Rule,
    RuleAction,
    Scope,
)
from wgtui.model.prefix import FAMILIES, Family, Prefix
from wgtui.model.routes import RouteTables
from wgtui.sources.iproute import add_addresses, parse_links
from wgtui.sources.iproute_nexthops import parse_nexthops
from wgtui.sources.iproute_routes import parse_routes
from wgtui.sources.iproute_rules import parse_rules
from wgtui.sources.links_builder import LinksBuilder

DATA = Path(__file__).parent / "data"
EDGE = DATA / "edge"


def rules_of(name: str, family: Family) -> dict[int, Rule]:
    """The rules of a captured file by their priority."""
    return {rule.priority: rule for rule in parse_rules((DATA / name).read_text(), family)}


def one_rule(family: Family = 4, /, **keys: object) -> Rule:
    """A rule from the keys of its JSON object."""
    [rule] = parse_rules(
        json.dumps([{"priority": 7, "src": "all", "table": "100", **keys}]), family
    )
    return rule


def captured_links() -> LinksBuilder:
    """The links of the captured host, with their addresses."""
    links = parse_links((EDGE / "link.json").read_text())
    add_addresses((EDGE / "address.json").read_text(), links)
    return links


def tables_of(name: str, family: Family, nexthops: str = "edge/nexthop.json") -> RouteTables:
    """The routes of a captured file."""
    links = captured_links()
    objects = parse_nexthops((DATA / nexthops).read_text(), links)
    return parse_routes((DATA / name).read_text(), family, links, objects).tables


def rows(tables: RouteTables) -> list[Route]:
    """All routes, table by table."""
    return [route for table in tables.values() for route in table]


def infos(tables: RouteTables, family: Family = 4, table: int = MAIN_TABLE) -> dict[str, RouteInfo]:
    """The routes of one table by their destination, the first of equals."""
    found: dict[str, RouteInfo] = {}
    for route in tables[family, MAIN_TABLE if table == MAIN_TABLE else LOCAL_TABLE]:
        found.setdefault(str(route.destination), route.info)
    return found


def one_route(family: Family = 4, /, **keys: object) -> RouteInfo:
    """A route from the keys of its JSON object."""
    text = json.dumps([{"dst": "default", "dev": "eth0", **keys}])
    [route] = rows(parse_routes(text, family, LinksBuilder(), {}).tables)
    return route.info


# ------------------------------------------------------------------------------------------- links


def test_links_know_kind_state_group_and_alias() -> None:
    """Everything a lookup asks about a link is read; free text stays as it is."""
    links = captured_links().build()
    by_name = {link.name: link for link in links.values()}
    assert [link.name for link in links.values()][:3] == ["lo", "va", "vd"]
    assert (by_name["wgta"].kind, by_name["br0"].kind, by_name["lo"].kind) == (
        "tun",
        "bridge",
        None,
    )
    assert by_name["lo"].loopback
    assert by_name["va"].peer_namespace == 0
    assert by_name["vd"].group == 7
    assert by_name["br0"].alias == 'hello "x" [b]'
    assert (by_name["va"].up, by_name["va"].carrier, by_name["va"].state) == (True, True, "up")
    assert (by_name["br0"].up, by_name["br0"].carrier) == (False, False)
    assert by_name["v.101"].master == by_name["br0"].index
    counters = by_name["va"].counters
    assert counters is not None
    assert counters.tx_bytes > 0


def test_addresses_keep_order_peer_and_flags() -> None:
    """Their order picks sources (S-B30); a peer address connects the far side (S-B31)."""
    links = {link.name: link for link in captured_links().build().values()}
    assert [str(a.address) for a in links["va"].addresses[:2]] == ["10.0.0.1", "10.0.0.2"]
    assert [a.secondary for a in links["va"].addresses[:2]] == [False, True]
    assert links["vc"].addresses[0].scope == Scope.LINK
    peer = links["vc"].addresses[1]
    assert peer.peer == IPAddress("10.5.0.2")
    assert peer.prefix == Prefix.parse("10.5.0.2/32")


@pytest.mark.parametrize(
    ("keys", "meaning"),
    [
        ({"temporary": True}, {"secondary": True}),
        ({"tentative": True}, {"tentative": True}),
        ({"dadfailed": True}, {"tentative": True}),
        ({"deprecated": True}, {"deprecated": True}),
        ({"scope": "253"}, {"scope": Scope.LINK}),
        ({"nobody_knows_this": 1}, {}),
    ],
)
def test_flags_of_ipv6_addresses(keys: dict[str, object], meaning: dict[str, object]) -> None:
    """What excludes an address as a source is read, under each of its names."""
    info = {"family": "inet6", "local": "fd00::1", "prefixlen": 64, **keys}
    links = LinksBuilder()
    add_addresses(json.dumps([{"ifname": "eth0", "addr_info": [info]}]), links)
    [link] = links.build().values()
    plain = LinkAddress(IPAddress("fd00::1"), Prefix.parse("fd00::/64"))
    [found] = link.addresses
    assert {
        name: getattr(found, name) for name in ("secondary", "tentative", "deprecated", "scope")
    } == {
        name: meaning.get(name, getattr(plain, name))
        for name in ("secondary", "tentative", "deprecated", "scope")
    }


def test_links_without_any_optional_field() -> None:
    """A link of which little is told is not taken for one that is up."""
    link = parse_links('[{"ifindex": 3, "ifname": "eth0"}]').build()[LinkIndex(3)]
    assert (link.up, link.carrier, link.counters) == (None, None, None)


def test_a_vrf_names_its_table() -> None:
    """The table of a VRF is what l3mdev rules look in (S-A23)."""
    info = {"info_kind": "vrf", "info_data": {"table": 10}}
    text = json.dumps([{"ifindex": 3, "ifname": "blue", "flags": ["UP"], "linkinfo": info}])
    assert parse_links(text).build()[LinkIndex(3)].vrf_table == 10


def test_a_link_that_is_only_mentioned_gets_a_negative_index() -> None:
    """What a route names and nobody listed is a link of its own that was not seen."""
    links = parse_links('[{"ifindex": 3, "ifname": "eth0", "flags": ["UP"]}]')
    text = json.dumps([{"dst": "default", "dev": name} for name in ("eth1", "lo", "eth0", "eth2")])
    parse_routes(text, 4, links, {})
    found = {link.name: link for link in links.build().values()}
    assert {name: link.index for name, link in found.items()} == {
        "eth0": 3,
        "eth1": -1,
        "lo": 1,
        "eth2": -2,
    }
    assert [found[name].seen for name in ("eth0", "eth1", "lo")] == [True, False, False]
    assert (found["eth1"].up, found["eth1"].carrier) == (None, None)


# ------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize("family", FAMILIES)
def test_numeric_and_named_rules_are_the_same(family: Family) -> None:
    """`ip -N` and `ip` say the same in different words."""
    assert rules_of(f"edge/rule{family}.json", family) == rules_of(
        f"rule{family}.named.json", family
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_no_rule_of_the_kernel_is_a_riddle(family: Family) -> None:
    """Every kind of rule that iproute2 6.1 can add is understood."""
    assert not [
        rule for rule in rules_of(f"edge/rule{family}.json", family).values() if rule.unknown
    ]


def test_every_selector_is_read() -> None:
    """Each condition of ip-rule(8) arrives where the engine looks for it."""
    rules = rules_of("edge/rule4.json", 4)
    s = {priority: rule.selector for priority, rule in rules.items()}
    assert (s[10].source, s[10].destination) == (
        Prefix.parse("10.0.0.0/8"),
        Prefix.parse("192.168.1.7"),
    )
    assert (s[11].iif, s[11].oif) == ("va", "nosuch")
    assert s[13].mark == Masked(0xCA6C, 0xFFFFFFFF)
    assert s[14].mark == Masked(1, 0xFF)
    assert s[34].mark == Masked(0, 0xFF)
    assert s[15].tos == 0x10
    assert (s[17].protocol, s[18].protocol, s[19].protocol) == (6, 99, 17)
    assert (s[19].source_port, s[19].destination_port) == (Range(53, 53), Range(1000, 2000))
    assert s[20].uids == Range(0, 1000)
    assert s[21].l3mdev
    assert s[28].inverted
    assert s[31].tunnel_id == 77
    assert rules_of("edge/rule6.json", 6)[16].selector.tos == 0x20


def test_every_action_is_read() -> None:
    """What a rule does, and what its results must be, by number (-N) as by name."""
    rules = rules_of("edge/rule4.json", 4)
    assert {priority: rules[priority].action for priority in range(22, 28)} == {
        22: RuleAction.GOTO,
        23: RuleAction.GOTO,
        24: RuleAction.NOP,
        25: RuleAction.BLACKHOLE,
        26: RuleAction.UNREACHABLE,
        27: RuleAction.PROHIBIT,
    }
    assert (rules[22].goto, rules[23].goto) == (32766, 5000)
    assert (rules[21].table, rules[0].table, rules[28].table) == (None, 255, 51820)
    assert (rules[29].suppress_prefix_length, rules[29].suppress_group) == (0, None)
    assert (rules[30].suppress_prefix_length, rules[30].suppress_group) == (8, 7)
    assert rules[33].protocol == "static"


def test_rules_stay_in_their_order() -> None:
    """Equal priorities are tried in the order of the dump (S-A1)."""
    text = json.dumps([{"priority": 5, "src": "all", "table": table} for table in ("9", "8", "7")])
    assert [rule.table for rule in parse_rules(text, 4)] == [9, 8, 7]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"dscp": "16", "dscp_mask": "0x30"}, Masked(16, 0x30)),
        ({"dscp": "0"}, Masked(0, 0x3F)),
        ({"dscp": "AF42"}, Masked(0x24, 0x3F)),
        ({"dscp": "EF"}, Masked(0x2E, 0x3F)),
    ],
)
def test_dscp_of_newer_versions(keys: dict[str, object], expected: Masked) -> None:
    """Six bits under a mask; 0 is a real selector (S-A19)."""
    assert one_rule(**keys).selector.dscp == expected


def test_masked_ports_and_flow_labels_of_newer_versions() -> None:
    """What kernels from 6.14 on can ask (S-A20, S-A62)."""
    rule = one_rule(6, sport=80, sport_mask="0xfff0", flowlabel="0x11", flowlabel_mask="0xff")
    assert (rule.selector.source_port, rule.selector.source_port_mask) == (Range(80, 80), 0xFFF0)
    assert rule.selector.flowlabel == Masked(0x11, 0xFF)
    assert one_rule(dport=80, dport_mask="0xffff").selector.destination_port_mask == 0xFFFF


@pytest.mark.parametrize(
    ("name", "tos"),
    [("lowdelay", 0x10), ("CS1", 0x20), ("EF", 0xB8), ("0x08", 8), ("default", None)],
)
def test_names_of_tos(name: str, tos: int | None) -> None:
    """The names of rt_dsfield mean their bytes; tos 0 asks for nothing."""
    assert one_rule(tos=name).selector.tos == tos


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"colour": "red"}, ("colour",)),
        ({"nexthdr": None}, ("nexthdr",)),
        ({"tos": "MY-TOS"}, ("tos",)),
        ({"ipproto": "my-protocol"}, ("ipproto",)),
        ({"dscp": "my-dscp"}, ("dscp",)),
        ({"iif": None}, ("iif",)),
    ],
)
def test_what_is_not_understood_of_a_rule_is_said(
    keys: dict[str, object], said: tuple[str, ...]
) -> None:
    """An unknown selector, or a known one with a value nobody knows, is never passed over."""
    assert one_rule(**keys).unknown == said


@pytest.mark.parametrize(
    "keys", [{"nat_gateway": "192.0.2.1"}, {"masquerade": None}, {"action": "12"}]
)
def test_an_unknown_action_is_unknown(keys: dict[str, object]) -> None:
    """An action of another time is not a table lookup."""
    assert one_rule(**keys).action is RuleAction.UNKNOWN


def test_a_goto_without_target_stays_unresolved() -> None:
    """iproute2 writes "none" for it; the rule is skipped, not refused (S-A11)."""
    rule = one_rule(goto="none", unresolved=None)
    assert (rule.action, rule.goto, rule.unknown) == (RuleAction.GOTO, None, ())


def test_numbers_written_as_text_by_older_versions() -> None:
    """A number is a number, quoted or not."""
    old = one_rule(table="200", fwmark="0xca6c", sport="53", uid_start="0", uid_end="4294967295")
    new = one_rule(table=200, fwmark=0xCA6C, sport=53, uid_start=0, uid_end=0xFFFFFFFF)
    assert old == new


def test_a_length_without_an_address_and_all() -> None:
    """`from all` and `from 0/0` ask for nothing; `from 0.0.0.0` asks for no source (S-A17)."""
    assert one_rule(src="0", srclen=0).selector.source is None
    assert one_rule(src="0.0.0.0").selector.source == Prefix.parse("0.0.0.0/32")


@pytest.mark.parametrize(
    "keys",
    [
        {"src": "fd00::1"},
        {"src": "10.0.0.0", "srclen": 33},
        {"src": ["all"]},
        {"fwmark": -1},
        {"fwmark": "0x1ffffffff"},
        {"fwmark": True},
        {"fwmark": 1.5},
        {"sport": 65536},
        {"uid_start": 5},
        {"priority": "first"},
    ],
)
def test_an_impossible_rule_is_refused(keys: dict[str, object]) -> None:
    """No value is bent until it fits; the error names file, entry and key."""
    with pytest.raises(FormatError, match=r"^rule4\.json: entry 1: \w+ "):
        one_rule(**keys)


# ------------------------------------------------------------------------------------------ routes


@pytest.mark.parametrize("family", FAMILIES)
def test_numeric_and_named_routes_are_the_same(family: Family) -> None:
    """`ip -N -d` and plain `ip` say the same in different words."""
    numeric = tables_of(f"edge/route{family}.json", family)
    named = tables_of(f"route{family}.named.json", family, "nexthop.named.json")
    assert rows(numeric) == rows(named)


def test_next_hop_objects_mean_what_the_kernel_expands_them_to() -> None:
    """With nexthop_compat_mode=0 a route only names its object; the legs are the same (S-B12)."""
    named, expanded = (
        [route for route in rows(tables_of(name, 4)) if not route.info.nexthop_blackhole]
        for name in ("route4.objects.json", "edge/route4.json")
    )
    assert named == expanded
    assert sum(route.info.nexthop_id is not None for route in named) == 5


def test_every_type_of_route() -> None:
    """Types by number, with the routes in the tables that the kernel put them in."""
    tables = tables_of("edge/route4.json", 4)
    same = [r.info.type for r in tables[4, MAIN_TABLE] if str(r.destination) == "20.1.1.0/24"]
    metrics = [r.info.metric for r in tables[4, MAIN_TABLE] if str(r.destination) == "20.1.1.0/24"]
    assert set(same) == {
        RouteType.BLACKHOLE,
        RouteType.UNREACHABLE,
        RouteType.PROHIBIT,
        RouteType.THROW,
    }
    assert metrics == sorted(metrics)
    local = infos(tables, table=LOCAL_TABLE)
    assert local["10.0.0.1/32"].type is RouteType.LOCAL
    assert local["20.3.0.255/32"].type is RouteType.BROADCAST
    assert local["20.3.1.1/32"].type is RouteType.ANYCAST
    assert infos(tables)["224.5.0.0/24"].type is RouteType.MULTICAST
    assert {table for _, table in tables} == {5, 254, 255, 900, 7777}


def test_gateways_legs_and_their_flags() -> None:
    """via, via inet6, onlink, several weighted next hops, dead ones."""
    links = captured_links()
    va, vc = links.index("va"), links.index("vc")
    main = infos(tables_of("edge/route4.json", 4))
    assert main["0.0.0.0/0"].next_hops == (NextHop(va, IPAddress("10.0.0.9")),)
    assert main["20.0.1.0/24"].next_hops == (
        NextHop(va, IPAddress("10.0.0.9"), weight=2),
        NextHop(vc, weight=5),
    )
    assert main["20.4.0.0/24"].next_hops == (NextHop(va, IPAddress("fd00::9")),)
    assert main["20.5.0.0/24"].next_hops == (NextHop(va, IPAddress("99.9.9.9"), onlink=True),)
    assert main["20.1.1.0/24"].next_hops == ()
    assert main["20.0.4.0/24"].nexthop_blackhole
    [leg] = one_route(flags=["dead", "linkdown"]).next_hops
    assert (leg.dead, leg.linkdown, leg.onlink) == (True, True, False)


def test_what_else_a_route_says() -> None:
    """Metric, tos, source, mtu, scope, protocol."""
    main = infos(tables_of("edge/route4.json", 4))
    assert (main["0.0.0.0/0"].metric, main["0.0.0.0/0"].protocol) == (100, "dhcp")
    assert [main[p].scope for p in ("0.0.0.0/0", "20.6.0.0/24")] == [Scope.UNIVERSE, Scope.LINK]
    assert (main["20.8.0.0/24"].mtu, main["20.8.0.0/24"].preferred_source) == (
        1300,
        IPAddress("10.0.0.2"),
    )
    assert main["20.7.0.0/24"].tos == 0x10
    assert main["20.0.0.0/24"].protocol == "boot"


def test_an_encapsulation_does_not_become_the_route() -> None:
    """iproute2 prints the destination of the outer packet under the same key (S-H10)."""
    main = infos(tables_of("edge/route4.json", 4))
    assert main["20.9.0.0/24"].next_hops[0].encap == "ip"
    assert main["20.9.5.0/24"].tos == 0
    assert [leg.encap for leg in main["20.9.4.0/24"].next_hops] == ["ip", None]
    assert "1.2.3.4/32" not in main
    objects = parse_nexthops((EDGE / "nexthop.json").read_text(), LinksBuilder())
    assert objects[16].next_hops[0].encap == "ip"


def test_what_is_special_about_ipv6_routes() -> None:
    """Preferences, sources, expiry, and the routes a router advertised."""
    main = infos(tables_of("edge/route6.json", 6), 6)
    defaults = [
        r.info for r in tables_of("edge/route6.json", 6)[6, MAIN_TABLE] if r.destination.length == 0
    ]
    assert [info.preference for info in defaults] == [Preference.LOW, Preference.HIGH]
    assert main["fd21::/64"].source == Prefix.parse("fd99::/64")
    assert main["fd27::/64"].router_advertised
    assert not main["fd00::/64"].router_advertised
    assert main["fd22::/64"].expires is not None
    assert main["fd24:1::/64"].nexthop_id == 67
    assert [leg.weight for leg in main["fd23::/64"].next_hops] == [1, 3]


@pytest.mark.parametrize(
    ("text", "seconds"), [(30, 30), ("30sec", 30), (-5, 0), ("-5sec", 0), (0, 0)]
)
def test_expiry_is_seconds_and_never_below_zero(text: object, seconds: int) -> None:
    """An expired route stays in the dump and is not used (S-B67)."""
    assert one_route(6, expires=text).expires == seconds


def test_a_cached_exception_is_no_route() -> None:
    """What `ip -6 route show table cache` mixes in goes apart (S-A63)."""
    text = json.dumps([{"dst": "fd00::9", "dev": "eth0", "cache": ["pmtu"], "table": "254"}])
    links = LinksBuilder()
    found = parse_routes(text, 6, links, {})
    assert found.tables == {}
    [kept] = found.exceptions
    assert (kept.table, kept.destination) == (254, IPAddress("fd00::9"))
    assert kept.link == links.index("eth0")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"iif": "eth1"}, ("iif",)),
        ({"scope": "my-scope"}, ("scope",)),
        ({"tos": "my-tos"}, ("tos",)),
        ({"via": {"family": "bridge", "host": "x"}}, ("via",)),
        ({"field_of_2031": {"a": [1]}}, ()),
        ({"error": -101, "used": 3, "uid": 0}, ()),
    ],
)
def test_what_may_decide_is_said_and_the_rest_is_tolerated(
    keys: dict[str, object], said: tuple[str, ...]
) -> None:
    """Only what a lookup depends on makes a route unknown."""
    assert one_route(**keys).unknown == said


def test_a_type_of_a_later_kernel_is_unknown() -> None:
    """Not guessed to be unicast, by number or by name."""
    assert one_route(type="12").type is RouteType.UNKNOWN
    assert one_route(type="teleport").type is RouteType.UNKNOWN


def test_an_object_nobody_listed_makes_the_route_unknown() -> None:
    """Without its legs there is no way to tell where it leads."""
    text = '[{"dst": "20.0.2.0/24", "nhid": 1, "flags": []}]'
    [route] = rows(parse_routes(text, 4, LinksBuilder(), {}).tables)
    assert route.info.unknown == ("nhid",)
    assert route.info.nexthop_id == 1


def test_groups_take_weights_from_their_members() -> None:
    """A group is its members' legs; one that nobody listed is said."""
    links = LinksBuilder()
    objects = parse_nexthops((EDGE / "nexthop.json").read_text(), links)
    assert [(leg.link, leg.weight) for leg in objects[12].next_hops] == [
        (links.index("va"), 3),
        (links.index("vc"), 5),
    ]
    assert objects[3].blackhole
    assert objects[9].unknown == ("fdb",)
    lonely = parse_nexthops('[{"id": 1, "group": [{"id": 2}]}]', links)
    assert lonely[1].unknown == ("group",)


@pytest.mark.parametrize("dst", ["default", "0.0.0.0/0", "0/0"])
def test_spellings_of_the_default_route(dst: str) -> None:
    """However it is spelled, it is the prefix of everything; what is no prefix is refused."""
    text = json.dumps([{"dst": dst, "dev": "eth0"}])
    if dst == "0/0":
        with pytest.raises(FormatError, match=r"route4\.json: entry 1: dst"):
            parse_routes(text, 4, LinksBuilder(), {})
    else:
        [route] = rows(parse_routes(text, 4, LinksBuilder(), {}).tables)
        assert route.destination == Prefix(4, 0, 0)


def test_names_of_tables_that_only_the_host_knows() -> None:
    """Rules and routes that name a table alike still meet; the stand-in is no kernel's number."""
    text = '[{"dst": "default", "dev": "eth0", "table": "vpn"}]'
    [(_, table)] = parse_routes(text, 4, LinksBuilder(), {}).tables
    assert one_rule(table="vpn").table == table
    assert table > 0xFFFFFFFF


# ----------------------------------------------------------------------------------------- garbage

PARSERS: list[Callable[[str], object]] = [
    parse_links,
    lambda text: add_addresses(text, LinksBuilder()),
    lambda text: parse_rules(text, 4),
    lambda text: parse_routes(text, 6, LinksBuilder(), {}),
    lambda text: parse_nexthops(text, LinksBuilder()),
]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "[",
        '[{"ifindex": 1,',
        "{}",
        "null",
        "[1]",
        "[[]]",
        "9" * 5000,
        "[" * 100_000,
        "\x00",
    ],
)
def test_what_is_no_output_of_ip_is_refused(parse: Callable[[str], object], text: str) -> None:
    """Empty, cut off or something else: one line that names the file, never a traceback."""
    with pytest.raises(FormatError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert ".json" in str(caught.value)


@pytest.mark.parametrize("parse", PARSERS)
def test_empty_lists_and_empty_entries_are_fine(parse: Callable[[str], object]) -> None:
    """Some versions print {} for what they filtered out."""
    parse("[]")
    parse("[{}, {}]")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    sorted(
        {"ifindex", "ifname", "flags", "mtu", "group", "linkinfo", "stats64", "addr_info"}
        | {"priority", "src", "srclen", "dst", "fwmark", "table", "goto", "tos", "uid_start"}
        | {"type", "dev", "via", "gateway", "nexthops", "metrics", "expires", "nhid", "id"}
    )
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=5), max_size=3))
def test_whatever_the_values_are_it_is_read_or_refused(entries: list[dict[str, object]]) -> None:
    """Wrong types and huge numbers anywhere end in a FormatError or in a model, nothing else."""
    text = json.dumps(entries)
    for parse in PARSERS:
        try:
            parse(text)
        except FormatError as error:
            assert str(error)  # noqa: PT017 - most of them must raise, some may not


def test_escape_sequences_stay_text_and_out_of_errors() -> None:
    """An alias stays raw, for the screen to make harmless; an error never carries an escape."""
    evil = "\x1b]0;owned\x07[bold]"
    text = json.dumps([{"ifindex": 1, "ifname": evil, "ifalias": evil, "flags": []}])
    [link] = parse_links(text).build().values()
    assert isinstance(link, Link)
    assert link.alias == evil
    with pytest.raises(FormatError) as caught:
        one_route(gateway=evil)
    assert "\x1b" not in str(caught.value)


# ------------------------------------------------------------------------------------------ kernel


@pytest.mark.kernel
def test_numeric_and_named_output_of_a_real_kernel_agree() -> None:
    """On this machine's iproute2 and kernel too, -N only changes the words."""
    with Network() as network:
        host = network.host("words")
        host.ip("link add va type veth peer name vb", "link set va up", "link set vb up")
        host.ip("address add 192.0.2.1/24 dev va", "address add 2001:db8::1/64 dev va")
        for family, prefix in (("-4", "198.51.100.0/24"), ("-6", "2001:db8:1::/48")):
            host.ip(
                "rule add pref 10 fwmark 7/15 iif va table 100",
                "rule add pref 11 not ipproto udp dport 53 table main suppress_prefixlength 0",
                "rule add pref 12 prohibit",
                f"route add unreachable {prefix} table 100",
                "route add default dev va proto static table 100",
                family="-4" if family == "-4" else "-6",
            )
        for number in FAMILIES:
            words = ["ip", "-n", host.namespace, "-j", f"-{number}"]
            rules = [parse_rules(run(*words, *n, "rule"), number) for n in ([], ["-N"])]
            assert rules[0] == rules[1]
            assert {rule.priority for rule in rules[0]} >= {10, 11, 12}
            show = ["-d", "route", "show", "table", "all"]
            routes = [
                rows(parse_routes(run(*words, *n, *show), number, LinksBuilder(), {}).tables)
                for n in ([], ["-N"])
            ]
            assert routes[0] == routes[1]
            assert any(route.table == 100 for route in routes[0])
