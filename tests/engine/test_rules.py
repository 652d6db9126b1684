"""The walk over the rules: who is asked, who answers, and where it ends (S-A1 … S-A12, S-A60 …)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from netaddr import IPAddress

from tests.engine.worlds import ask, outcome, rule_step, rules, said, table, way, world
from wgtui.model.network import CachedRoute, LinkIndex, RuleAction, TableId
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.trace import Outcome, Reason, RuleResult

SECOND = "default via 198.51.100.1 dev eth1 table 100"
SECOND6 = "default via 2001:db8:1::1 dev eth1 table 100"


def test_the_first_rule_that_finds_a_route_decides() -> None:
    """Rules are asked by priority; the first whose table has a route wins (S-A1, S-A6)."""
    snapshot = world(routes4=SECOND, rules4=rules("10: from all lookup 100"))
    trace = ask(snapshot, "8.8.8.8")
    assert said(trace) == [(0, "no-match"), (10, "decided")]
    assert way(snapshot, "8.8.8.8") == "100 0.0.0.0/0 via 198.51.100.1 dev eth1"


def test_rules_of_one_priority_are_asked_in_their_order() -> None:
    """Equal priorities keep their order (S-A1)."""
    both = ("10: from all lookup 100", "10: from all lookup 101")
    routes = f"{SECOND}\ndefault via 192.0.2.9 dev eth0 table 101"
    assert table(world(routes4=routes, rules4=rules(*both)), "8.8.8.8") == 100
    assert table(world(routes4=routes, rules4=rules(*reversed(both))), "8.8.8.8") == 101


# ─── the fast path ───────────────────────────────────────────────────────────────────────────────


def test_local_and_main_are_one_tree_until_a_rule_was_ever_added() -> None:
    """Merged, a longer prefix of main beats a local one; split, local comes first (S-A4)."""
    route = "127.0.0.53/32 dev eth0"
    assert way(world(routes4=route, local_in_main=True), "127.0.0.53") == (
        "254 127.0.0.53/32 dev eth0"
    )
    assert outcome(world(routes4=route, local_in_main=False), "127.0.0.53") == "local"


def test_in_one_tree_local_comes_first_at_an_equal_prefix() -> None:
    """A main /32 equal to a local /32 never wins (S-A4)."""
    snapshot = world(routes4="192.0.2.10/32 dev eth1", local_in_main=True)
    trace = ask(snapshot, "192.0.2.10")
    assert trace.outcome is Outcome.LOCAL
    assert trace.decided is not None
    assert trace.decided.found is not None
    assert [lost.loss.value for lost in trace.decided.found.lost][:1] == ["local-first"]


def test_in_one_tree_the_default_table_is_asked_last() -> None:
    """The fast path is main's tree, then table 253 (S-A4)."""
    snapshot = world(
        "eth0 UP 192.0.2.10/24",
        routes4="throw default\ndefault via 192.0.2.3 dev eth0 table 253",
        local_in_main=True,
    )
    assert way(snapshot, "8.8.8.8") == "253 0.0.0.0/0 via 192.0.2.3 dev eth0"
    assert said(ask(snapshot, "8.8.8.8")) == [(0, "no-match"), (32766, "throw"), (32767, "decided")]


def test_unknown_whether_merged_is_told_from_the_rules() -> None:
    """Without the kernel's word, the three default rules mean merged, others split (S-A5)."""
    route = "127.0.0.53/32 dev eth0"
    assert table(world(routes4=route), "127.0.0.53") == 254
    assert table(world(routes4=route, rules4=rules("10: from all nop")), "127.0.0.53") == 255


def test_other_rules_than_the_default_ones_prove_the_split() -> None:
    """Whatever main says of 127.0.0.1: a deleted or added rule has split the trees (S-A4)."""
    only_main = "32766: from all lookup main\n32767: from all lookup default"
    snapshot = world(routes4="default dev eth0", rules4=only_main, local_in_main=True)
    assert way(snapshot, "192.0.2.10") == "254 192.0.2.0/24 dev eth0"


# ─── actions ─────────────────────────────────────────────────────────────────────────────────────


def test_goto_continues_at_its_target_and_skips_what_is_between() -> None:
    """A goto jumps forward to the first rule of that priority (S-A6, S-A11)."""
    lines = ("10: from all goto 30", "20: from all blackhole", "30: from all lookup 100")
    trace = ask(world(routes4=SECOND, rules4=rules(*lines)), "8.8.8.8")
    assert said(trace) == [(0, "no-match"), (10, "jumped"), (30, "decided")]


def test_the_target_of_a_goto_must_match_too() -> None:
    """The target's own selectors count; refused, the walk goes on behind it (S-A6)."""
    lines = ("10: from all goto 30", "30: from all fwmark 0x1 blackhole", "40: from all lookup 100")
    trace = ask(world(routes4=SECOND, rules4=rules(*lines)), "8.8.8.8")
    assert said(trace) == [(0, "no-match"), (10, "jumped"), (30, "refused"), (40, "decided")]


def test_a_goto_without_target_is_passed_over() -> None:
    """An unresolved goto is as if it were not there (S-A11)."""
    lines = ("10: from all goto 25", "20: from all lookup 100")
    trace = ask(world(routes4=SECOND, rules4=rules(*lines)), "8.8.8.8")
    assert said(trace) == [(0, "no-match"), (10, "unresolved"), (20, "decided")]


def test_nop_does_nothing() -> None:
    """A nop that matches leaves the packet to the next rule (S-A6)."""
    trace = ask(world(rules4=rules("10: from all nop")), "8.8.8.8")
    assert said(trace) == [(0, "no-match"), (10, "nop"), (32766, "decided")]


@pytest.mark.parametrize(
    ("action", "ends"),
    [("blackhole", "blackholed"), ("unreachable", "unreachable"), ("prohibit", "prohibited")],
)
@pytest.mark.parametrize("flow", ["8.8.8.8", "2001:db8:9::9"])
def test_the_errors_of_rules_end_the_walk(action: str, ends: str, flow: str) -> None:
    """blackhole, unreachable and prohibit rules are final, for both families (S-A8)."""
    lines = (f"10: from all {action}",)
    snapshot = world(rules4=rules(*lines), rules6=rules(*lines, family=6))
    assert outcome(snapshot, flow) == f"{ends}/rule"
    assert ask(snapshot, flow).route is None


def test_a_missing_table_leaves_the_packet_to_the_next_rule() -> None:
    """A rule for a table without routes is no end (S-A8)."""
    trace = ask(world(rules4=rules("10: from all lookup 999")), "8.8.8.8")
    assert said(trace)[1:] == [(10, "table-missing"), (32766, "decided")]


def test_throw_leaves_the_packet_to_the_next_rule() -> None:
    """A throw route is as if the table had nothing; it does not try a shorter prefix (S-A9)."""
    routes = f"{SECOND}\nthrow 8.8.8.0/24 table 100"
    snapshot = world(routes4=routes, rules4=rules("10: from all lookup 100"))
    assert said(ask(snapshot, "8.8.8.8"))[1:] == [(10, "throw"), (32766, "decided")]
    assert table(snapshot, "8.8.9.8") == 100


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("blackhole", "blackholed"), ("unreachable", "unreachable"), ("prohibit", "prohibited")],
)
@pytest.mark.parametrize("flow", ["8.8.8.8", "2001:db8:9::9"])
def test_the_errors_of_routes_end_the_walk(kind: str, ends: str, flow: str) -> None:
    """A route of an error type is final: no further rule is asked (S-A9)."""
    line = "10: from all lookup 100"
    snapshot = world(
        routes4=f"{kind} default table 100",
        routes6=f"{kind} default table 100",
        rules4=rules(line),
        rules6=rules(line, family=6),
    )
    assert outcome(snapshot, flow) == ends
    assert table(snapshot, flow) == 100


def test_nobody_left_to_ask_is_no_route() -> None:
    """When every rule was asked, there is no route (S-A6)."""
    snapshot = world("eth0 UP 192.0.2.10/24", routes4="192.0.2.0/24 dev eth0")
    assert outcome(snapshot, "8.8.8.8") == "no-route/no-rule-left"


# ─── suppressors ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flow", ["8.8.8.8", "2001:db8:9::9"])
def test_suppress_prefixlength_takes_short_results_back(flow: str) -> None:
    """wg-quick's rule: main without its default route (S-A10)."""
    lines = ("10: from all lookup main suppress_prefixlength 0", "20: from all lookup 100")
    snapshot = world(
        routes4=SECOND,
        routes6=SECOND6,
        rules4=rules(*lines),
        rules6=rules(*lines, family=6),
    )
    assert said(ask(snapshot, flow))[1:] == [(10, "suppressed"), (20, "decided")]
    near = "192.0.2.77" if "." in flow else "2001:db8::77"
    assert said(ask(snapshot, near))[-1] == (10, "decided")


def test_a_result_of_exactly_the_length_is_suppressed() -> None:
    """Suppressed is what is as long or shorter; there is no second try in the table (S-A10)."""
    for length, expected in ((23, "decided"), (24, "suppressed"), (25, "suppressed")):
        line = f"10: from all lookup main suppress_prefixlength {length}"
        trace = ask(world(rules4=rules(line)), "192.0.2.77")
        assert rule_step(trace, 10).result.value == expected


def test_suppress_ifgroup_takes_results_by_a_group_back() -> None:
    """The group of the first next hop's link counts (S-A10)."""
    links = "eth0 UP group 7 192.0.2.10/24\neth1 UP 198.51.100.10/24"
    routes = "default dev eth0\n8.8.4.0/24\n nexthop dev eth1\n nexthop dev eth0"
    line = "10: from all lookup main suppress_ifgroup 7"
    snapshot = world(links, routes4=routes, rules4=rules(line))
    assert rule_step(ask(snapshot, "8.8.8.8"), 10).result is RuleResult.SUPPRESSED
    assert rule_step(ask(snapshot, "8.8.4.4"), 10).result is RuleResult.DECIDED


def test_a_blackhole_default_is_not_suppressed() -> None:
    """Error routes end the walk before any suppressor looks (S-A10)."""
    snapshot = world(
        "eth0 UP 192.0.2.10/24",
        routes4="blackhole default",
        rules4=rules("10: from all lookup main suppress_prefixlength 0"),
    )
    assert outcome(snapshot, "8.8.8.8") == "blackholed"


def test_a_local_route_is_suppressed_like_any_other() -> None:
    """The type does not matter: a local /32 is suppressed by 32 (S-A10)."""
    line = "0: from all lookup local suppress_prefixlength 32"
    snapshot = world(rules4=f"{line}\n32766: from all lookup main")
    assert said(ask(snapshot, "192.0.2.10")) == [(0, "suppressed"), (32766, "decided")]


def test_a_cached_exception_escapes_the_suppressor() -> None:
    """An IPv6 PMTU exception counts as a /128, so suppress_prefixlength 0 misses it (S-A63)."""
    line = "10: from all lookup main suppress_prefixlength 0"
    snapshot = world(routes6=SECOND6, rules6=rules(line, "20: from all lookup 100", family=6))
    assert table(snapshot, "2001:db8:9::9") == 100
    cached = (CachedRoute(TableId(254), IPAddress("2001:db8:9::9"), LinkIndex(2)),)
    assert table(replace(snapshot, exceptions=cached), "2001:db8:9::9") == 254
    assert table(replace(snapshot, exceptions=cached), "2001:db8:9::8") == 100


# ─── what cannot be known ────────────────────────────────────────────────────────────────────────


def test_an_unknown_selector_ends_the_walk_as_unknown() -> None:
    """A rule that cannot be evaluated makes the answer unknown, not a guess."""
    trace = ask(world(rules4=rules("10: from all unknown moonphase lookup 100")), "8.8.8.8")
    assert (trace.outcome, trace.reason) == (Outcome.UNKNOWN, Reason.UNKNOWN_SELECTOR)
    assert said(trace)[-1] == (10, "unknown")


def test_an_unknown_selector_only_matters_when_the_known_ones_match() -> None:
    """One known selector that says no is enough."""
    line = "10: from all fwmark 0x1 unknown moonphase lookup 100"
    snapshot = world(routes4=SECOND, rules4=rules(line))
    assert outcome(snapshot, "8.8.8.8") == "sent"
    assert outcome(snapshot, "8.8.8.8 mark 1") == "unknown/unknown-selector"


def test_an_unknown_selector_of_a_not_rule_matters_when_the_known_ones_match() -> None:
    """``not`` of something false is true whatever the rest; of something true it depends (S-A7)."""
    line = "10: not from all fwmark 0x1 unknown moonphase lookup 100"
    snapshot = world(routes4=SECOND, rules4=rules(line))
    assert table(snapshot, "8.8.8.8") == 100
    assert outcome(snapshot, "8.8.8.8 mark 1") == "unknown/unknown-selector"


def test_an_unknown_action_ends_the_walk_as_unknown() -> None:
    """An action of a future kernel is not passed over."""
    snapshot = world(rules4=rules("10: from all nop"))
    changed = tuple(
        replace(rule, action=RuleAction.UNKNOWN) if rule.priority == 10 else rule
        for rule in snapshot.rules[4]
    )
    snapshot = replace(snapshot, rules={**snapshot.rules, 4: changed})
    assert outcome(snapshot, "8.8.8.8") == "unknown/unknown-action"


def test_rules_and_routes_that_could_not_be_read_are_unknown() -> None:
    """A gap is never the same as nothing there."""
    snapshot = world()
    no_rules = replace(
        snapshot,
        rules={4: snapshot.rules[4]},
        gaps=(Gap(Subject.RULES6, "no file rule6.json"),),
    )
    assert outcome(no_rules, "2001:db8:9::9") == "unknown/rules-unreadable"
    kept = {key: routes for key, routes in snapshot.routes.items() if key[0] == 4}
    no_routes = replace(snapshot, routes=kept, gaps=(Gap(Subject.ROUTES6, "no file"),))
    assert outcome(no_routes, "2001:db8:9::9") == "unknown/routes-unreadable"


def test_a_route_of_an_unknown_kind_is_unknown() -> None:
    """A winner that cannot be understood is said to be so."""
    snapshot = world(routes4="8.8.8.0/24 dev eth1 unknown warp")
    assert outcome(snapshot, "8.8.8.8") == "unknown/unknown-route-attribute"
    assert outcome(snapshot, "8.8.9.8") == "sent"


# ─── VRF ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_l3mdev_rule_looks_into_the_members_vrf() -> None:
    """A packet bound to a VRF's member is looked up in the VRF's table (S-A23)."""
    snapshot = world(
        "blue UP vrf-table 77\neth0 UP master blue 192.0.2.10/24\neth1 UP 198.51.100.10/24",
        routes4="default via 192.0.2.1 dev eth0 table 77\ndefault via 198.51.100.1 dev eth1",
        rules4=rules("1000: from all lookup [l3mdev-table]"),
    )
    assert table(snapshot, "8.8.8.8 oif eth0") == 77
    assert table(snapshot, "8.8.8.8") == 254
    assert rule_step(ask(snapshot, "8.8.8.8"), 1000).result is RuleResult.REFUSED


def test_ipv6_does_not_look_at_its_rules_before_one_was_added() -> None:
    """Deleting ``32766 main`` alone changes nothing, adding any rule does (S-A60)."""
    local = "0: from all lookup local"
    deleted = world(rules6=local)
    assert way(deleted, "2001:db8:9::9") == "254 ::/0 via 2001:db8::1 dev eth0"
    assert [step.position for step in ask(deleted, "2001:db8:9::9").rules] == [0, -1]
    added = world(rules6=f"{local}\n10: from all nop")
    assert outcome(added, "2001:db8:9::9") == "no-route/no-rule-left"
