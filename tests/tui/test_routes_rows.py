"""The System routes pane: rules in order, each table once as a tree, a million for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.tui import worlds
from tests.tui.worlds import lines, marked, row_with
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    LinkIndex,
    NextHop,
    RouteInfo,
    RouteType,
    Rule,
    Selector,
    TableId,
)
from wgtui.model.prefix import Family, Prefix
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.tui.routes_rows import RoutesRows
from wgtui.tui.row_layout import lines_of, text_of, width_of

HALF = 2**31


def of_main(*entries: tuple[str, RouteInfo], family: Family = 4) -> Snapshot:
    """The host with another main table."""
    infos = tuple(info for _, info in entries)
    rows = [(*Prefix.parse(text, family)[1:], n) for n, (text, _) in enumerate(entries)]
    table = RouteTable(family, MAIN_TABLE, rows, infos)
    return replace(worlds.host(), routes={(family, MAIN_TABLE): table})


def test_rules_stand_over_their_tables() -> None:
    """Every table in full once, as a tree; the local one folded; strays at the end."""
    assert lines(RoutesRows(worlds.host())) == [
        "IPv4  5 rules  11 routes",
        "0      from all lookup local",
        "  ▸ table local: 3 routes (folded)",
        "32764  from all lookup main suppress_prefixlength 0  wg-quick",
        "  ▾ table main: 6 routes",
        "    default  via 192.0.2.1 dev eth0  proto static",
        "    ├ 10.0.0.0/8  blackhole",
        "    │ └ 10.20.0.0/16  dev wg0  src 10.20.0.1  proto kernel",
        "    ├ 172.16.0.0/12  via 192.0.2.2 dev eth0  metric 100",
        "    ├ 172.16.0.0/12  via 192.0.2.3 dev eth0  metric 200",
        "    └ 192.0.2.0/24  dev eth0  src 192.0.2.10  proto kernel",
        "32765  not from all fwmark 0xca6c lookup 51820  wg-quick",
        "  ▾ table 51820: 1 route",
        "    default  dev wg0",
        "32766  from all lookup main",
        "  table main: shown above",
        "32767  from all lookup default",
        "  table default: no routes",
        "tables no rule leads to",
        "  ▾ table 77: 1 route",
        "    198.18.0.0/15  dev eth0",
        "IPv6  2 rules  2 routes",
        "0      from all lookup local",
        "  table local: no routes",
        "32766  from all lookup main",
        "  ▾ table main: 2 routes",
        "    2001:db8::/64  dev eth0  metric 256",
        "    fe80::/64  dev eth0  metric 256",
    ]


def test_a_narrow_pane_says_the_same_in_fewer_words() -> None:
    """Rules keep what they ask, what they do and suppress; routes their link, and what tells a
    route from its twin: in a second line where one is too narrow."""
    said = lines(RoutesRows(worlds.host()), 43)
    assert "32764 lookup main suppress /0" in said
    assert "32765 not fwmark 0xca6c\n      lookup 51820" in said
    assert "  │ └ 10.20.0.0/16  dev wg0" in said
    assert "  ├ 172.16.0.0/12\n    dev eth0  metric 100" in said


def test_folding_changes_only_its_table_and_survives_a_refresh() -> None:
    """The header and its rule toggle; other rows have nothing to fold."""
    model = RoutesRows(worlds.host())
    before = lines(model)
    assert model.toggle(row_with(model, "table local"))
    assert "    └ 10.20.0.1/32  local  dev wg0" not in before
    assert len(model) == len(before) + 3
    assert lines(model)[2:4] == ["  ▾ table local: 3 routes", "    10.20.0.1/32  local  dev wg0"]
    assert model.toggle(row_with(model, "32764"))
    assert len(model) == len(before) + 3 - 6
    assert lines(RoutesRows(worlds.host(), model.folds)) == lines(model)
    assert not model.toggle(row_with(model, "IPv4"))
    assert not model.toggle(row_with(model, "32766")), "its table is shown above"
    assert not model.toggle(row_with(model, "198.18.0.0"))


def test_merged_tables_are_announced() -> None:
    """S-A4: before the first rule local and main are one tree."""
    said = lines(RoutesRows(replace(worlds.host(), local_in_main=True)))
    assert said[1] == "local and main are one tree: the longest prefix of both wins"


def test_what_cannot_be_read_is_not_empty() -> None:
    """Without rules every table is shown all the same; without routes no table is called empty."""
    host = worlds.host()
    gap = Gap(Subject.RULES4, "no file rule4.json")
    said = lines(RoutesRows(replace(host, rules={6: host.rules[6]}, gaps=(gap,))))
    assert said[:3] == [
        "IPv4  11 routes",
        "rules not visible: no file rule4.json",
        "  ▾ table 77: 1 route",
    ]
    hidden = Gap(Subject.ROUTES4, "no file route4.json")
    said = lines(RoutesRows(replace(host, routes={}, gaps=(hidden,))))
    assert said[:4] == [
        "IPv4  5 rules",
        "routes not visible: no file route4.json",
        "0      from all lookup local",
        "  table local: routes not visible",
    ]


def test_a_vrf_rule_shows_the_tables_of_all_vrfs() -> None:
    """S-A23: the l3mdev rule leads to the table of the VRF the packet belongs to."""
    host = worlds.host()
    blue = worlds.link(9, "blue", kind="vrf", vrf_table=TableId(77))
    rules = (Rule(1000, 4, Selector(l3mdev=True)), *worlds.RULES)
    host = replace(host, links={**host.links, LinkIndex(9): blue}, rules={4: rules})
    said = lines(RoutesRows(host))
    assert said[1:4] == [
        "1000   from all l3mdev lookup [l3mdev-table]  VRF",
        "  ▾ table 77 (blue): 1 route",
        "    198.18.0.0/15  dev eth0",
    ]
    assert "tables no rule leads to" not in said


def test_legs_flags_and_types_are_words() -> None:
    """Several legs on one row where they fit; dead and linkdown are said."""
    one = NextHop(worlds.ETH0, IPAddress("192.0.2.1"), weight=2)
    two = NextHop(worlds.WG0, dead=True, linkdown=True)
    model = RoutesRows(
        of_main(
            ("10.0.0.0/8", RouteInfo(next_hops=(one, two), nexthop_id=7)),
            ("11.0.0.0/8", RouteInfo(RouteType.THROW)),
            ("12.0.0.0/8", RouteInfo(next_hops=(two,), unknown=("RTA_99",))),
            ("13.0.0.0/8", RouteInfo(nexthop_blackhole=True, tos=16)),
        )
    )
    top = row_with(model, "10.0.0.0/8")
    assert [line.strip() for line in lines(model)[top : top + 4]] == [
        "10.0.0.0/8  via 192.0.2.1 dev eth0 weight 2, dev wg0 dead linkdown  nhid 7",
        "11.0.0.0/8  throw",
        "12.0.0.0/8  dev wg0 dead linkdown  unknown RTA_99",
        "13.0.0.0/8  blackhole  tos 0x10",
    ]
    assert text_of(model.spans(top, 60)).strip() == ("10.0.0.0/8  dev eth0, dev wg0 dead linkdown")
    assert text_of(model.spans(top, 50)).split() == (
        ["10.0.0.0/8", "dev", "eth0,", "dev", "wg0", "dead", "linkdown"]
    )
    assert text_of(model.spans(top, 30)).strip() == "10.0.0.0/8  2 legs"


def test_a_question_is_answered_by_its_own_row() -> None:
    """Not by a more specific route inside it; link-local ones name the link."""
    host = worlds.host()
    model = RoutesRows(host)
    asked = {model.copy_text(row): model.question(row) for row in range(len(model))}
    assert asked["0.0.0.0/0"] == "8.8.8.8"
    assert asked["10.0.0.0/8"] == "10.0.0.1"
    assert asked["172.16.0.0/12"] == "172.16.0.1"
    assert asked["fe80::/64"] == "fe80::1%eth0"
    assert asked["32766: from all lookup main"] is None
    assert asked["main"] is None


def test_a_covered_prefix_is_stepped_over() -> None:
    """The first address that no more specific route takes, or the first one when all are taken."""
    info = RouteInfo()
    texts = (
        "10.0.0.0/8",
        "10.0.0.0/24",
        "10.0.1.0/25",
        "20.0.0.0/30",
        "20.0.0.0/31",
        "20.0.0.2/31",
    )
    model = RoutesRows(of_main(*((text, info) for text in texts)))
    asked = {model.copy_text(row): model.question(row) for row in range(len(model))}
    assert asked["10.0.0.0/8"] == "10.0.1.128"
    assert asked["20.0.0.0/30"] == "20.0.0.1"
    assert asked["20.0.0.2/31"] == "20.0.0.2"


def test_winner_losers_and_skipped_rules_are_told_by_words() -> None:
    """The whole walk of a packet through a full tunnel, and of the encrypted one."""
    host = worlds.host()
    model = RoutesRows(host)
    lit = model.lit(lookup(host, Flow.parse("10.20.3.7")))
    assert marked(model, lit) == [
        ("lost", "0      from all lookup local", "no match"),
        ("won", "32764  from all lookup main suppress_prefixlength 0  wg-quick", "decides"),
        ("also", "default  via 192.0.2.1 dev eth0  proto static", "outer"),
        ("lost", "├ 10.0.0.0/8  blackhole", "shorter"),
        ("won", "│ └ 10.20.0.0/16  dev wg0  src 10.20.0.1  proto kernel", "wins"),
        ("also", "32766  from all lookup main", "outer"),
    ]
    assert lit.show == row_with(model, "10.20.0.0/16")


def test_a_suppressed_result_has_lost() -> None:
    """Main's default is found, taken back, and the tunnel's wins."""
    host = worlds.host()
    model = RoutesRows(host)
    said = marked(model, model.lit(lookup(host, Flow.parse("8.8.8.8"))))
    assert ("lost", "default  via 192.0.2.1 dev eth0  proto static", "suppressed") in said
    assert (
        "lost",
        "32764  from all lookup main suppress_prefixlength 0  wg-quick",
        "suppressed",
    ) in said
    assert ("won", "default  dev wg0", "wins") in said


def test_refusals_and_metrics_are_named() -> None:
    """The marked packet is refused by the tunnel's rule; the worse metric loses by its number."""
    host = worlds.host()
    model = RoutesRows(host)
    said = marked(model, model.lit(lookup(host, Flow.parse("8.8.8.8 mark 0xca6c"))))
    assert (
        "refused",
        "32765  not from all fwmark 0xca6c lookup 51820  wg-quick",
        "excepted",
    ) in said
    said = marked(model, model.lit(lookup(host, Flow.parse("172.16.0.1"))))
    assert ("lost", "├ 172.16.0.0/12  via 192.0.2.3 dev eth0  metric 200", "metric 200") in said


def test_the_place_of_a_failure_is_marked_bad_and_shown() -> None:
    """A blackhole at its route, a rule's own verdict at the rule, no route at the family."""
    host = worlds.host()
    for flow, changed, place, word in (
        ("10.5.5.5", host, "10.0.0.0/8", "blackholed"),
        ("8.8.8.8", replace(host, rules={4: (worlds.terminal_rule(),)}), "100 ", "unreachable"),
        ("2001:db9::1", host, "IPv6", "no route"),
    ):
        model = RoutesRows(changed)
        lit = model.lit(lookup(changed, Flow.parse(flow)))
        assert lit.show == row_with(model, place)
        assert lit.marks[lit.show].value == "bad"
        assert lit.words[lit.show] == word


def test_a_winner_in_a_folded_table_marks_the_header() -> None:
    """The local table is folded, and its header says that it won."""
    host = worlds.host()
    model = RoutesRows(host)
    lit = model.lit(lookup(host, Flow.parse("192.0.2.10")))
    assert lit.show == row_with(model, "table local")
    assert lit.words[lit.show] == "wins"
    assert RoutesRows(host).unfolded().lit(lookup(host, Flow.parse("192.0.2.10"))).show == row_with(
        model.unfolded(), "192.0.2.10/32"
    )


def test_hostile_names_show_no_control_characters() -> None:
    """A link's name goes through one door in every row."""
    host = worlds.host()
    evil = replace(host.links[worlds.ETH0], name="\x1b[31m\u202e\x07")
    model = RoutesRows(replace(host, links={**host.links, worlds.ETH0: evil}))
    said = "\n".join(lines(model) + lines(model, 38))
    assert all(line.isprintable() for line in said.split("\n"))


@settings(deadline=None)
@given(
    entries=st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)), max_size=20),
    width=st.integers(24, 120),
)
def test_no_row_is_too_wide_and_no_prefix_is_cut(
    entries: list[tuple[int, int]], width: int
) -> None:
    """However deep the tree; a prefix that fits the pane at all is whole."""
    hops = (NextHop(worlds.ETH0, IPAddress("2001:db8::1")),)
    info = RouteInfo(next_hops=hops, metric=1024, protocol="static")
    found = [(str(Prefix.of(6, value, length)), info) for value, length in entries]
    model = RoutesRows(of_main(*found, family=6))
    for row in range(len(model)):
        spans = model.spans(row, width)
        for line in lines_of(spans):
            assert width_of(line) <= width
        copied = model.copy_text(row)
        if "/" in copied and ":" in copied and model.question(row):
            shown = "default" if copied == "::/0" else copied
            said = [text_of(line).strip(" ├└│⋯") for line in lines_of(spans)]
            assert shown in "".join(said)
            assert width < 40 or "dev eth0" in text_of(spans)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=40))
def test_the_guides_draw_the_tree_that_the_index_means(entries: list[tuple[int, int]]) -> None:
    """Depth by indentation, and ``└`` exactly at the last child of a prefix."""
    rows = [(*Prefix.of(4, value, length)[1:], 0) for value, length in entries]
    table = RouteTable(4, MAIN_TABLE, rows, (RouteInfo(),))
    host = replace(worlds.host(), rules={4: (worlds.rule(1),)}, routes={(4, MAIN_TABLE): table})
    said = lines(RoutesRows(host), 200)[3:] if rows else []
    assert len(said) == len(rows)
    tree = table.tree
    for row, line in enumerate(said):
        text = str(tree.prefix(row)) if tree.lengths[row] else "default"
        indent = line[4 : line.index(text)]
        assert len(indent) == 2 * tree.depth(row)
        last = tree.parents[row] not in tree.parents[row + 1 :]
        assert not indent or indent.endswith("└ ") == last


# ---------------------------------------------------------------------------------------- how fast


@pytest.fixture(scope="module")
def full_table() -> Snapshot:
    """A million routes in main, as a router in the default-free zone has them."""
    info = RouteInfo(next_hops=(NextHop(worlds.ETH0, IPAddress("192.0.2.1")),), metric=20)
    rows = [(0, 0, 0), (HALF, 4, 0), (HALF, 8, 0)]
    rows += [(HALF + (number << 8), 24, 0) for number in range(1_000_000)]
    table = RouteTable(4, MAIN_TABLE, rows, (info,))
    return replace(worlds.host(), routes={(4, MAIN_TABLE): table, (4, LOCAL_TABLE): table})


def best(action: Callable[[], object], times: int = 5) -> float:
    """The least processor time of some runs, in seconds: what others do is not counted."""
    taken = []
    for _ in range(times):
        start = time.thread_time()
        action()
        taken.append(time.thread_time() - start)
    return min(taken)


def test_a_million_routes_cost_nothing_until_they_are_seen(full_table: Snapshot) -> None:
    """Constructing, drawing, folding and lighting up cost what they cost with a hundred routes."""
    routes = full_table.routes[4, MAIN_TABLE]
    few = [(0, 0, 0), (HALF, 4, 0), (HALF, 8, 0), *((HALF + (n << 8), 24, 0) for n in range(100))]
    small = RouteTable(4, MAIN_TABLE, few, routes.infos)
    small_table = replace(full_table, routes={(4, MAIN_TABLE): small, (4, LOCAL_TABLE): small})

    def costs(snapshot: Snapshot) -> list[float]:
        model = RoutesRows(snapshot)
        trace = lookup(snapshot, Flow.parse("128.0.5.3"))
        rows = range(10, len(model) - 10, max(1, len(model) // 90))
        return [
            best(lambda: RoutesRows(snapshot)),
            best(lambda: [model.spans(row, 60) for row in rows]) / len(rows),
            best(lambda: model.lit(trace)),
            best(lambda: [model.question(row) for row in (3, 4, 5, 99)]),
            best(lambda: [model.toggle(3), model.toggle(3)]),
        ]

    assert len(RoutesRows(full_table)) > 1_000_000
    for many, hundred in zip(costs(full_table), costs(small_table), strict=True):
        assert many < 4 * hundred + 0.0005  # seconds; ten thousand times as many routes
