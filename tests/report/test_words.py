"""The little words: what ``ip`` and ``wg`` users expect to read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from netaddr import IPAddress

from tests.tui import worlds
from wgtui.model.network import (
    Masked,
    NextHop,
    Range,
    Route,
    RouteInfo,
    RouteType,
    Rule,
    RuleAction,
    Selector,
    TableId,
)
from wgtui.model.prefix import Prefix
from wgtui.model.trace import BackOutcome, Loss, LostRoute, Outcome, Refusal, RuleResult, RuleStep
from wgtui.report import mark_words, words
from wgtui.report.line import WORD_CELLS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "never"),
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (72, "1m12s"),
        (3599, "59m59s"),
        (3600, "1h00m"),
        (11_100, "3h05m"),
        (86_400, "1d00h"),
        (4 * 86_400 + 7 * 3600, "4d07h"),
        (400 * 86_400, "400d"),
    ],
)
def test_an_age_has_two_units_at_most(seconds: float | None, text: str) -> None:
    """Two units, the smaller one padded, so that a column of ages can be compared."""
    assert words.age(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (10_240, "10 KiB"),
        (1_048_064, "1.0 MiB"),
        (1 << 30, "1.0 GiB"),
        (1 << 60, "1024 PiB"),
    ],
)
def test_bytes_come_in_powers_of_1024(count: int, text: str) -> None:
    """The largest unit that keeps the number above one."""
    assert words.bytes_text(count) == text


def test_a_rate_is_bytes_a_second() -> None:
    """The same words with ``/s``."""
    assert words.rate_text(1536) == "1.5 KiB/s"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (worlds.RULES[0], "0: from all lookup local"),
        (worlds.RULES[1], "32764: from all lookup main suppress_prefixlength 0"),
        (worlds.RULES[2], "32765: not from all fwmark 0xca6c lookup 51820"),
        (worlds.terminal_rule(), "100: from all unreachable"),
        (
            Rule(
                5,
                4,
                Selector(
                    source=Prefix.parse("10.0.0.0/8"),
                    destination=Prefix.parse("192.0.2.7"),
                    iif="eth0",
                    mark=Masked(0x10, 0xFF),
                    protocol=6,
                    destination_port=Range(80, 90),
                    uids=Range(0, 0),
                ),
                RuleAction.GOTO,
                goto=100,
            ),
            (
                "5: from 10.0.0.0/8 to 192.0.2.7 fwmark 0x10/0xff iif eth0 uidrange 0-0 "
                "ipproto tcp dport 80-90 goto 100"
            ),
        ),
        (Rule(1000, 4, Selector(l3mdev=True)), "1000: from all l3mdev lookup [l3mdev-table]"),
        (
            Rule(9, 4, table=TableId(7), unknown=("colour",)),
            "9: from all lookup 7 unknown colour",
        ),
    ],
)
def test_a_rule_reads_as_ip_rule_prints_it(rule: Rule, text: str) -> None:
    """The order of selectors is iproute2's."""
    assert words.rule_text(rule) == text


def test_a_short_rule_keeps_its_meaning() -> None:
    """``from all`` goes where another condition stands; a suppressor keeps its length."""
    assert words.selector_text(worlds.RULES[2].selector, short=True) == "not fwmark 0xca6c"
    assert words.selector_text(Selector(), short=True) == "from all"
    assert words.action_text(worlds.RULES[1], short=True) == "lookup main suppress /0"
    eight = replace(worlds.RULES[1], suppress_prefix_length=8)
    assert words.action_text(eight, short=True) == "lookup main suppress /0-/8"


def test_a_route_reads_as_ip_route_prints_it() -> None:
    """Type, destination, way out, metric, source."""
    host = worlds.host()
    table = host.routes[4, TableId(254)]
    assert [words.route_text(route, host) for route in table] == [
        "default via 192.0.2.1 dev eth0 proto static",
        "blackhole 10.0.0.0/8",
        "10.20.0.0/16 dev wg0 src 10.20.0.1 proto kernel",
        "172.16.0.0/12 via 192.0.2.2 dev eth0 metric 100",
        "172.16.0.0/12 via 192.0.2.3 dev eth0 metric 200",
        "192.0.2.0/24 dev eth0 src 192.0.2.10 proto kernel",
    ]


def test_every_leg_of_a_multipath_route_is_told() -> None:
    """``nexthop … weight N``; a gateway of the other family is named as such."""
    legs = (
        NextHop(worlds.ETH0, IPAddress("192.0.2.1"), weight=2, linkdown=True),
        NextHop(worlds.WG0, IPAddress("fe80::1"), dead=True),
    )
    route = Route(TableId(254), 0, Prefix.parse("10.0.0.0/8"), RouteInfo(next_hops=legs))
    assert words.route_text(route, worlds.host()) == (
        "10.0.0.0/8 nexthop via 192.0.2.1 dev eth0 weight 2 linkdown "
        "nexthop via inet6 fe80::1 dev wg0 weight 1 dead"
    )


@pytest.mark.parametrize(
    ("refusal", "word"),
    [
        (Refusal("mark", "0xca6c", "0x0"), "no mark"),
        (Refusal("mark", "0xca6c", "0x1"), "mark 0x1"),
        (Refusal("mark", "0xca6c", "0xdeadbeef"), "other mark"),
        (Refusal("not mark", "0xca6c", "0xca6c"), "excepted"),
        (Refusal("not", "nothing", "everything"), "never"),
        (Refusal("to", "10.0.0.0/8", "8.8.8.8"), "not to it"),
        (Refusal("from", "10.0.0.0/8", "none"), "no source"),
        (Refusal("from", "10.0.0.0/8", "10.200.100.100"), "not from it"),
        (Refusal("oif", "eth0", "none"), "no oif"),
        (Refusal("oif", "eth0", "an-interface-15"), "other oif"),
        (Refusal("oif", "eth7", "no such link"), "no link"),
        (Refusal("uidrange", "0-99", "1000"), "uid 1000"),
        (Refusal("uidrange", "0-99", "65534"), "uid 65534"),
        (Refusal("ipproto", "6", "17"), "ipproto 17"),
        (Refusal("dport", "53", "0"), "no dport"),
        (Refusal("flowlabel", "0xfffff", "0x12345"), "other label"),
        (Refusal("l3mdev", "a VRF", "none"), "no VRF"),
        (Refusal("tun_id", "7", "none"), "no tun_id"),
    ],
)
def test_the_word_beside_a_rule_does_not_repeat_the_rule(refusal: Refusal, word: str) -> None:
    """The rule says what it wants; the mark's word says what it got, in the room there is."""
    detached = refusal.got == "no such link"
    result = RuleResult.DETACHED if detached else RuleResult.REFUSED
    assert mark_words.rule_mark_text(RuleStep(0, None, result, (refusal,))) == word
    assert len(word) <= WORD_CELLS


def test_a_rule_that_was_asked_is_told_by_what_came_of_it() -> None:
    """Where nothing refused it there is nothing else to say."""
    assert mark_words.rule_mark_text(RuleStep(0, None, RuleResult.SUPPRESSED)) == "suppressed"


def test_a_worse_metric_is_named_and_an_equal_one_is_later() -> None:
    """The number helps only when it differs."""
    info = RouteInfo(RouteType.UNICAST, metric=100)
    route = Route(TableId(254), 0, Prefix.parse("10.0.0.0/8"), info)
    lost = LostRoute(route, Loss.METRIC)
    better = route._replace(info=replace(info, metric=50))
    assert mark_words.loss_text(lost, better) == "metric 100"
    assert mark_words.loss_mark_text(lost, better) == "metric 100"
    wifi = lost._replace(route=route._replace(info=replace(info, metric=20600)))
    assert mark_words.loss_text(wifi, better) == "metric 20600"
    assert mark_words.loss_mark_text(wifi, better) == "metric", "the route says the number"
    assert mark_words.loss_text(lost, route) == "later"


def test_every_outcome_and_result_has_a_short_word() -> None:
    """No outcome, result or loss is without a word, and each fits beside a row."""
    for table, kind in (
        (mark_words.OUTCOME_WORDS, Outcome),
        (mark_words.RESULT_WORDS, RuleResult),
        (mark_words.LOSS_WORDS, Loss),
        (mark_words.BACK_WORDS, BackOutcome),
    ):
        assert set(table) == set(kind)
        assert all(0 < len(word) <= WORD_CELLS for word in table.values())


def test_handshakes_older_than_180_seconds_are_stale() -> None:
    """S-E42: no key is usable any more."""
    assert words.handshake_text(180) == "handshake 3m00s ago"
    assert words.handshake_text(181) == "handshake 3m01s ago, stale"
    assert words.handshake_text(None) == "no handshake yet"


def test_names_from_outside_come_out_printable() -> None:
    """A label, a link and an unknown selector cannot reach the terminal."""
    evil = "\x1b]0;owned\x07\u202e"
    assert words.peer_name(replace(worlds.FRA1, label=evil)).isprintable()
    assert words.selector_text(Selector(iif=evil)).isprintable()
    assert words.rule_text(Rule(1, 4, unknown=(evil,))).isprintable()
    assert words.link_name(evil).isprintable()


def test_link_local_questions_name_the_link() -> None:
    """fe80:: and multicast exist on every link (S-B71)."""
    assert words.address_with_zone(IPAddress("fe80::1"), "eth0") == "fe80::1%eth0"
    assert words.address_with_zone(IPAddress("2001:db8::1"), "eth0") == "2001:db8::1"
