"""Which route wins in an IPv4 table, and who lost to it (S-B1 … S-B7, S-B11, S-A4)?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.engine.worlds import ask, outcome, rule_step, rules, way, world
from wgtui.engine.fib import match4
from wgtui.engine.query import Query
from wgtui.model.network import LinkIndex, NextHop, RouteInfo, RouteType, TableId
from wgtui.model.prefix import Prefix
from wgtui.model.routes import RouteTablesBuilder
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Loss

MAIN = TableId(254)


def losers(snapshot: Snapshot, flow: str) -> dict[str, str]:
    """Prefix (and metric) of every route of main that lost, and why."""
    found = rule_step(ask(snapshot, flow), 32766).found
    assert found is not None
    return {
        f"{lost.route.destination} {lost.route.info.metric}": lost.loss.value for lost in found.lost
    }


@pytest.fixture
def split() -> str:
    """Rules that change nothing but split local from main."""
    return rules("10: from all nop")


def test_the_longest_prefix_wins_whatever_the_metrics(split: str) -> None:
    """A metric never lets a longer prefix lose to a shorter one (S-B1, S-B2)."""
    snapshot = world(routes4="8.8.8.0/24 dev eth1 metric 9999\n8.8.0.0/16 dev eth0", rules4=split)
    assert way(snapshot, "8.8.8.8") == "254 8.8.8.0/24 dev eth1"
    assert losers(snapshot, "8.8.8.8") == {"8.8.0.0/16 0": "shorter", "0.0.0.0/0 0": "shorter"}


def test_at_one_prefix_the_smallest_metric_wins(split: str) -> None:
    """Metrics ascend; the loser is named with both (S-B1)."""
    snapshot = world(
        routes4="8.8.8.0/24 dev eth0 metric 20\n8.8.8.0/24 dev eth1 metric 10", rules4=split
    )
    assert way(snapshot, "8.8.8.8").endswith("dev eth1")
    assert losers(snapshot, "8.8.8.8")["8.8.8.0/24 20"] == "metric"


def test_of_equal_routes_the_first_wins(split: str) -> None:
    """List order decides last (S-B1)."""
    info = [RouteInfo(metric=5, next_hops=(NextHop(None, weight=n),)) for n in (1, 2)]
    builder = RouteTablesBuilder()
    for one in info:
        builder.add(MAIN, Prefix.parse("8.8.8.0/24"), one)
    match = match4(MAIN, [builder.build()[4, MAIN]], Query(4, Prefix.parse("8.8.8.8").network))
    assert match.legs == info[0].next_hops


def test_a_tos_route_beats_a_better_metric_for_its_packets_only(split: str) -> None:
    """TOS comes before the metric and is compared under 0x1c (S-B1, S-B4)."""
    snapshot = world(
        routes4="8.8.8.0/24 dev eth1 tos 0x10 metric 9\n8.8.8.0/24 dev eth0", rules4=split
    )
    for tos, link in ((0x10, "eth1"), (0x30, "eth1"), (0x12, "eth1"), (0, "eth0"), (0x8, "eth0")):
        assert way(snapshot, f"8.8.8.8 tos {tos}").endswith(link)
    assert losers(snapshot, "8.8.8.8")["8.8.8.0/24 9"] == "tos"


def test_a_route_with_tos_0xb8_never_matches(split: str) -> None:
    """The kernel accepts it, and masks the packet's tos with 0x1c (S-B4)."""
    snapshot = world(routes4="8.8.8.0/24 dev eth1 tos 0xb8", rules4=split)
    assert way(snapshot, "8.8.8.8 tos 0xb8") == "254 0.0.0.0/0 via 192.0.2.1 dev eth0"


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("blackhole", "blackholed"),
        ("unreachable", "unreachable"),
        ("prohibit", "prohibited"),
        ("throw", "no-route/no-rule-left"),
    ],
)
def test_error_types_are_decided_before_next_hops(kind: str, ends: str, split: str) -> None:
    """An error type at the longest prefix ends it, whatever shorter routes say (S-B3)."""
    assert outcome(world(routes4=f"{kind} 8.8.8.0/24", rules4=split), "8.8.8.8") == ends


def test_dead_next_hops_are_passed_over(split: str) -> None:
    """A route whose next hops are all dead loses to a shorter prefix (S-B2, S-B5)."""
    snapshot = world(routes4="8.8.8.0/24 dev eth1 dead linkdown", rules4=split)
    assert way(snapshot, "8.8.8.8").startswith("254 0.0.0.0/0 ")
    assert losers(snapshot, "8.8.8.8") == {"8.8.8.0/24 0": "dead"}


def test_of_several_next_hops_the_living_ones_can_win(split: str) -> None:
    """The answer is the set of legs that are not dead: the hash has a secret seed (S-B8)."""
    legs = (
        "8.8.8.0/24\n nexthop dev eth0\n nexthop dev eth1 dead\n nexthop via 198.51.100.1 dev eth1"
    )
    assert way(world(routes4=legs, rules4=split), "8.8.8.8") == (
        "254 8.8.8.0/24 dev eth0 or via 198.51.100.1 dev eth1"
    )


def test_linkdown_alone_does_not_make_a_route_lose(split: str) -> None:
    """Without carrier a route still wins, unless the kernel says dead (S-B5)."""
    snapshot = world(routes4="8.8.8.0/24 dev eth1 linkdown", rules4=split)
    assert way(snapshot, "8.8.8.8") == "254 8.8.8.0/24 dev eth1"


def test_oif_picks_the_first_leg_on_that_link(split: str) -> None:
    """With oif there is no hashing, and other routes lose to it (S-B5, S-B7)."""
    legs = (
        "8.8.8.0/24\n nexthop dev eth0\n nexthop via 198.51.100.1 dev eth1\n"
        " nexthop via 198.51.100.2 dev eth1"
    )
    snapshot = world(routes4=f"8.8.8.8/32 dev eth0\n{legs}", rules4=split)
    assert way(snapshot, "8.8.8.8 oif eth1") == "254 8.8.8.0/24 via 198.51.100.1 dev eth1"
    assert losers(snapshot, "8.8.8.8 oif eth1")["8.8.8.8/32 0"] == "oif"


def test_an_object_off_the_wanted_link_hides_routes_to_the_same_network() -> None:
    """fib_trie.c: "goto miss" leaves the whole leaf; other networks' prefixes still work."""
    plain, hop = RouteInfo(next_hops=(NextHop(LinkIndex(3)),)), NextHop(LinkIndex(2))
    builder = RouteTablesBuilder()
    builder.add(MAIN, Prefix.parse("10.128.0.0/30"), RouteInfo(next_hops=(hop,), nexthop_id=7))
    builder.add(MAIN, Prefix.parse("10.128.0.0/16"), plain)
    builder.add(MAIN, Prefix.parse("10.0.0.0/8"), plain)
    table = builder.build()[4, MAIN]
    match = match4(MAIN, [table], Query(4, Prefix.parse("10.128.0.1").network, oif=LinkIndex(3)))
    assert match.step.winner is not None
    assert str(match.step.winner.destination) == "10.0.0.0/8"
    assert [lost.loss for lost in match.step.lost] == [Loss.OIF, Loss.OIF]


def test_an_object_of_too_wide_a_scope_hides_nothing() -> None:
    """fib_table_lookup compares scopes first: a gateway's own check goes on below (S-B13)."""
    builder, hop = RouteTablesBuilder(), NextHop(LinkIndex(2))
    builder.add(MAIN, Prefix.parse("8.0.0.0/9"), RouteInfo(nexthop_id=402, nexthop_blackhole=True))
    own = RouteInfo(type=RouteType.LOCAL, next_hops=(hop,), scope=254)
    builder.add(MAIN, Prefix.parse("8.0.0.0/8"), own)
    query = Query(4, Prefix.parse("8.8.8.136").network, scope=253)
    match = match4(MAIN, [builder.build()[4, MAIN]], query)
    assert match.step.winner is not None
    assert str(match.step.winner.destination) == "8.0.0.0/8"


def test_defaults_of_one_metric_depend_on_their_neighbours(split: str) -> None:
    """Several gateways, one metric, no oif: dead gateway detection picks one of them (S-B11)."""
    links = "eth0 UP 192.0.2.10/24\neth1 UP 198.51.100.10/24"
    routes = (
        "default via 192.0.2.1 dev eth0\ndefault via 198.51.100.1 dev eth1\n"
        "default via 192.0.2.2 dev eth0 metric 9"
    )
    snapshot = world(
        links, routes4=routes, rules4=split, sysctls="net.ipv4.conf.eth0.forwarding = 1"
    )
    both = "254 0.0.0.0/0 via 192.0.2.1 dev eth0 or via 198.51.100.1 dev eth1"
    assert way(snapshot, "8.8.8.8") == both
    assert way(snapshot, "8.8.8.8 oif eth1") == "254 0.0.0.0/0 via 198.51.100.1 dev eth1"
    arriving = way(snapshot, "8.8.8.8 from 192.0.2.9 iif eth0")
    assert arriving == "254 0.0.0.0/0 via 192.0.2.1 dev eth0"


def test_in_one_tree_the_longer_prefix_wins_across_local_and_main() -> None:
    """Merged: one longest-prefix match over both; the rest of both has lost (S-A4)."""
    snapshot = world(routes4="127.0.0.53/32 dev eth0", local_in_main=True)
    assert way(snapshot, "127.0.0.53") == "254 127.0.0.53/32 dev eth0"
    assert losers(snapshot, "127.0.0.53") == {"127.0.0.0/8 0": "shorter", "0.0.0.0/0 0": "shorter"}


routes = st.tuples(
    st.builds(
        lambda high, low, length: Prefix.of(4, high << 28 | low, length),
        st.integers(0, 15),
        st.integers(0, 3),
        st.sampled_from((0, 1, 2, 4, 30, 31, 32)),
    ),
    st.integers(0, 3),
)


@given(st.lists(routes, max_size=15), st.integers(0, 15), st.integers(0, 3))
def test_the_winner_is_what_a_scan_of_every_route_finds(
    entries: list[tuple[Prefix, int]], high: int, low: int
) -> None:
    """Longest prefix, metric, then the dump's order; all else that covers it lost (S-B1)."""
    builder = RouteTablesBuilder()
    address = high << 28 | low
    for number, (prefix, metric) in enumerate(sorted(entries, key=lambda entry: entry[1])):
        leg = NextHop(LinkIndex(number + 2))
        builder.add(MAIN, prefix, RouteInfo(metric=metric, next_hops=(leg,)))
    tables = builder.build()
    if not tables:
        return
    table = tables[4, MAIN]
    step = match4(MAIN, [table], Query(4, address)).step
    assert step.winner == oracles.route(table, address)
    covering = [one for one in table if oracles.covers(one.destination, address)]
    assert {lost.route.row for lost in step.lost} == {
        one.row for one in covering if one != step.winner
    }
