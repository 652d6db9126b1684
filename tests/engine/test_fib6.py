"""Which route wins in an IPv6 table (S-B61 … S-B67)?"""

from __future__ import annotations

from dataclasses import replace

from netaddr import IPAddress

from tests.engine.worlds import ask, rule_step, way, world
from wgtui.model.network import LinkIndex, Neighbour, NextHop, RouteInfo, TableId
from wgtui.model.prefix import Prefix
from wgtui.model.routes import RouteTablesBuilder
from wgtui.model.snapshot import Snapshot

FORWARDS = "net.ipv6.conf.all.forwarding = 1"


def losers(snapshot: Snapshot, flow: str) -> dict[str, str]:
    """Prefix and link of every route of main that lost, and why."""
    found = rule_step(ask(snapshot, flow), 32766).found
    assert found is not None
    return {
        f"{lost.route.destination} {snapshot.link_name(lost.route.info.next_hops[0].link)}": (
            lost.loss.value
        )
        for lost in found.lost
    }


def failed(snapshot: Snapshot, gateway: str, link: str) -> Snapshot:
    """The same host, and that gateway is known not to answer."""
    index = snapshot.links_by_name[link].index
    return replace(snapshot, neighbours=(Neighbour(index, IPAddress(gateway), "failed"),))


# ─── source-specific routes ──────────────────────────────────────────────────────────────────────


def test_a_source_specific_route_is_for_its_sources_only() -> None:
    """``from P`` does not match other sources, nor an unset one (S-B61)."""
    snapshot = world(routes6="default via 2001:db8:1::1 dev eth1 from 2001:db8:1::/64")
    assert way(snapshot, "fd00::1 from 2001:db8:1::10").endswith("via 2001:db8:1::1 dev eth1")
    assert way(snapshot, "fd00::1 from 2001:db8::10").endswith("via 2001:db8::1 dev eth0")
    assert way(snapshot, "fd00::1").endswith("via 2001:db8::1 dev eth0")
    assert losers(snapshot, "fd00::1")["::/0 eth1"] == "source"


def test_a_source_specific_route_hides_the_plain_ones_of_its_prefix() -> None:
    """Other sources fall to a shorter destination prefix, except at the root (S-B61)."""
    routes = "fd00::/16 dev eth1\nfd00::/16 dev eth0 from 2001:db8::/64"
    snapshot = world(routes6=routes)
    assert way(snapshot, "fd00::1 from 2001:db8::10") == "254 fd00::/16 dev eth0"
    assert way(snapshot, "fd00::1 from 2001:db8:1::10").startswith("254 ::/0 ")
    assert losers(snapshot, "fd00::1")["fd00::/16 eth1"] == "source"


def test_a_longer_destination_beats_a_source_specific_route() -> None:
    """The destination is the first key, the source the second (S-B61)."""
    routes = "fd00::/16 dev eth0 from 2001:db8::/64\nfd00::/32 dev eth1"
    assert way(world(routes6=routes), "fd00::1 from 2001:db8::10") == "254 fd00::/32 dev eth1"


def test_of_two_source_prefixes_the_longer_wins() -> None:
    """Source prefixes of one destination are a tree of their own (S-B61)."""
    routes = "fd00::/16 dev eth0 from 2001::/16\nfd00::/16 dev eth1 from 2001:db8::/32"
    assert way(world(routes6=routes), "fd00::1 from 2001:db8::10").endswith("dev eth1")


# ─── metrics and scores ──────────────────────────────────────────────────────────────────────────


def test_the_lowest_metric_wins_its_prefix() -> None:
    """Only the routes of the lowest metric compete (S-B62)."""
    routes = "fd00::/16 dev eth0 metric 20 pref high\nfd00::/16 dev eth1 metric 10 pref low"
    snapshot = world(routes6=routes)
    assert way(snapshot, "fd00::1") == "254 fd00::/16 dev eth1"
    assert losers(snapshot, "fd00::1")["fd00::/16 eth0"] == "metric"


def test_of_one_metric_the_preferred_route_wins() -> None:
    """RFC 4191 preference is part of the score (S-B62)."""
    snapshot = world(routes6="fd00::/16 dev eth0\nfd00::/16 dev eth1 pref high")
    assert way(snapshot, "fd00::1") == "254 fd00::/16 dev eth1"
    assert losers(snapshot, "fd00::1")["fd00::/16 eth0"] == "score"


def test_of_equal_scores_the_first_wins() -> None:
    """Ties go to the first in the list (S-B62)."""
    snapshot = world(routes6="fd00::/16 dev eth1\nfd00::/16 dev eth0")
    assert way(snapshot, "fd00::1") == "254 fd00::/16 dev eth1"


def test_when_the_best_metric_has_nobody_all_others_compete_together() -> None:
    """A metric-30 ``pref high`` then beats a metric-20 ``pref low`` (S-B62)."""
    routes = (
        "fd00::/16 dev eth0 metric 10 dead\nfd00::/16 dev eth0 metric 20 pref low\n"
        "fd00::/16 dev eth1 metric 30 pref high"
    )
    assert way(world(routes6=routes), "fd00::1") == "254 fd00::/16 dev eth1"


def test_a_prefix_without_a_usable_route_leaves_it_to_the_shorter_one() -> None:
    """Dead and expired routes are no routes; the walk goes up (S-B62, S-B67)."""
    routes = "fd00::/32 dev eth1 dead\nfd00::/24 dev eth1 expires 0sec\nfd00::/16 dev eth0"
    snapshot = world(routes6=routes)
    assert way(snapshot, "fd00::1") == "254 fd00::/16 dev eth0"
    assert losers(snapshot, "fd00::1")["fd00::/24 eth1"] == "expired"
    assert losers(snapshot, "fd00::1")["fd00::/32 eth1"] == "dead"


def test_a_route_that_has_not_expired_is_used() -> None:
    """Seconds left are seconds of use (S-B67)."""
    assert way(world(routes6="fd00::/24 dev eth1 expires 9sec"), "fd00::1").endswith("dev eth1")


# ─── oif and iif ─────────────────────────────────────────────────────────────────────────────────


def test_oif_without_a_source_is_strict() -> None:
    """Only routes by that link will do (S-B63)."""
    snapshot = world(routes6="fd00::/16 dev eth1")
    assert way(snapshot, "fd00::1 oif eth0") == "254 ::/0 via 2001:db8::1 dev eth0"
    assert losers(snapshot, "fd00::1 oif eth0") == {"fd00::/16 eth1": "oif"}


def test_oif_with_a_source_is_only_a_preference() -> None:
    """The answer may leave by another link: the longer prefix, or ``pref high`` (S-B63)."""
    snapshot = world(routes6="fd00::/16 dev eth1\nfd01::/16 dev eth1\nfd01::/16 dev eth0")
    assert way(snapshot, "fd00::1 from 2001:db8::10 oif eth0") == "254 fd00::/16 dev eth1"
    assert way(snapshot, "fd01::1 from 2001:db8::10 oif eth0") == "254 fd01::/16 dev eth0"
    high = world(routes6="fd00::/16 dev eth0 pref low\nfd00::/16 dev eth1 pref high")
    assert way(high, "fd00::1 from 2001:db8::10 oif eth0") == "254 fd00::/16 dev eth1"


def test_arriving_packets_prefer_the_link_they_came_in_on() -> None:
    """The input link is the hint of input lookups (S-B64)."""
    snapshot = world(routes6="fd00::/16 dev eth0\nfd00::/16 dev eth1", sysctls=FORWARDS)
    assert way(snapshot, "fd00::1 from fd09::1 iif eth1") == "254 fd00::/16 dev eth1"
    assert way(snapshot, "fd00::1 from fd09::1 iif eth0") == "254 fd00::/16 dev eth0"


def test_link_local_destinations_keep_to_their_link() -> None:
    """fe80::/10 and ff00::/8 are strict even with a source (S-B63)."""
    snapshot = world(routes6="fe80::/64 dev eth0\nfe80::/64 dev eth1")
    assert way(snapshot, "fe80::9%eth1").endswith("dev eth1")
    assert way(snapshot, "fe80::9 from fe80::1 oif eth1").endswith("dev eth1")


TWO_GATEWAYS = """
fd00::/16 via 2001:db8::2 dev eth0 metric 10
fd00::/16 via 2001:db8:1::2 dev eth1 metric 20
"""


# ─── neighbours ──────────────────────────────────────────────────────────────────────────────────


def test_a_failed_gateway_loses_on_hosts() -> None:
    """On a host it loses to another metric, then to a shorter prefix (S-B65)."""
    routes = TWO_GATEWAYS
    snapshot = failed(world(routes6=routes), "2001:db8::2", "eth0")
    assert way(snapshot, "fd00::1").endswith("via 2001:db8:1::2 dev eth1")
    assert losers(snapshot, "fd00::1")["fd00::/16 eth0"] == "neighbour"
    alone = failed(world(routes6=routes.splitlines()[1]), "2001:db8::2", "eth0")
    assert way(alone, "fd00::1").startswith("254 ::/0 ")


def test_a_failed_gateway_does_not_matter_on_routers() -> None:
    """REACHABLE applies only while all.forwarding is 0 (S-B65)."""
    routes = TWO_GATEWAYS
    snapshot = failed(world(routes6=routes, sysctls=FORWARDS), "2001:db8::2", "eth0")
    assert way(snapshot, "fd00::1").endswith("via 2001:db8::2 dev eth0")


def test_a_failed_gateway_is_used_when_there_is_nothing_else() -> None:
    """If nothing else exists it is used after all (S-B65)."""
    links = "eth0 UP 2001:db8::10/64"
    snapshot = world(links, routes6="default via 2001:db8::1 dev eth0")
    assert way(failed(snapshot, "2001:db8::1", "eth0"), "fd00::1").endswith(
        "via 2001:db8::1 dev eth0"
    )


# ─── several next hops ───────────────────────────────────────────────────────────────────────────

ECMP = "fd00::/16\n nexthop via 2001:db8::2 dev eth0\n nexthop via 2001:db8:1::2 dev eth1"


def test_siblings_are_a_set() -> None:
    """Which leg the hash picks is not predicted (S-B66)."""
    assert way(world(routes6=ECMP), "fd00::1") == (
        "254 fd00::/16 via 2001:db8::2 dev eth0 or via 2001:db8:1::2 dev eth1"
    )


def test_a_strict_oif_leaves_only_the_legs_on_it() -> None:
    """Without a source, oif keeps to its link (S-B63, S-B66)."""
    assert way(world(routes6=ECMP), "fd00::1 oif eth1").endswith(
        "fd00::/16 via 2001:db8:1::2 dev eth1"
    )


def test_an_oif_that_is_a_preference_leaves_all_legs() -> None:
    """With a source the hash may still pick the leg on the other link (S-B66, Linux 6.18)."""
    assert way(world(routes6=ECMP), "fd00::1 from 2001:db8::10 oif eth1") == (
        "254 fd00::/16 via 2001:db8:1::2 dev eth1 or via 2001:db8::2 dev eth0"
    )


def test_a_blackhole_object_wins_at_once() -> None:
    """Whatever the link asked for and the others' scores: __find_rr_leaf returns there (S-B3)."""
    snapshot = world()
    builder = RouteTablesBuilder()
    prefix, hop = Prefix.parse("fd00::/16"), NextHop(LinkIndex(2))
    builder.add(TableId(254), prefix, RouteInfo(metric=9, nexthop_id=7, nexthop_blackhole=True))
    builder.add(TableId(254), prefix, RouteInfo(metric=9, next_hops=(hop,)))
    snapshot = replace(snapshot, routes={**snapshot.routes, **builder.build()})
    for flow in ("fd00::1", "fd00::1 oif eth0"):
        assert ask(snapshot, flow).outcome.value == "blackholed"
