"""Does the answer say all that decides, in few words, with nothing cut and nothing obeyed?"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

import pytest

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import MAIN_TABLE, RouteType, Rule, RuleAction, Selector, TableId
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import (
    BackOutcome,
    Loss,
    LostRoute,
    Outcome,
    Reason,
    Refusal,
    ReversePath,
    ReverseStep,
    RpResult,
    RpWhy,
    RuleResult,
    RuleStep,
    Step,
    Trace,
)
from wgtui.model.wireguard import Backend
from wgtui.report.explain import explain
from wgtui.report.line import GLYPHS, Line, Tone
from wgtui.report.mark_words import BACK_WORDS, LOSS_WORDS, OUTCOME_WORDS, RESULT_WORDS
from wgtui.report.sentences import answer, kernel_line
from wgtui.report.text import render
from wgtui.report.verdict import REASONS, rp_reason, verdict
from wgtui.report.welcome import state_line, welcome
from wgtui.sources.demo import TOUR, DemoSource
from wgtui.sources.shorthand import HostLines, read_host

DEMO = DemoSource().read()
FLOWS = [flow for flow, _, _ in TOUR]

HOSTILE = "\x1b[2J[/bold]\u202e\n\r\x07\u200b$(reboot)"
"""Everything a terminal or a markup parser could obey."""


def asked(flow: str, snapshot: Snapshot = DEMO) -> Trace:
    """The trace of a flow."""
    return lookup(snapshot, Flow.parse(flow))


def lines_of(flow: str, snapshot: Snapshot = DEMO) -> list[Line]:
    """Its answer."""
    return answer(snapshot, asked(flow, snapshot))


def text_of(flow: str, snapshot: Snapshot = DEMO) -> str:
    """Its answer as text."""
    return render(lines_of(flow, snapshot))


def labelled(flow: str, label: str, snapshot: Snapshot = DEMO) -> list[str]:
    """The texts with this label."""
    return [line.text for line in lines_of(flow, snapshot) if line.label == label]


# ----------------------------------------------------------------------------------- over the tour


@pytest.mark.parametrize(("flow", "outcome", "why"), TOUR, ids=FLOWS)
def test_the_verdict_stands_first_and_says_the_outcome(flow: str, outcome: str, why: str) -> None:
    """The first line begins with the contract's code, and no other line is a verdict."""
    first, *others = lines_of(flow)
    tone = Tone.GOOD if Outcome(outcome).good else Tone.BAD
    assert first.text.startswith(f"{outcome.upper()}  "), why
    assert first.text.endswith(".")
    assert first.tone is (Tone.UNKNOWN if outcome == "unknown" else tone)
    assert (first.label, first.indent) == ("", 0)
    assert all(line.label for line in others if line.tone is not Tone.PLAIN)


@pytest.mark.parametrize("flow", FLOWS)
def test_what_decides_is_named_and_never_cut(flow: str) -> None:
    """Address, deciding rule, winning prefix, owner and endpoint stand there whole."""
    trace, text = asked(flow), text_of(flow)
    words = [str(trace.flow.destination), *_facts(trace)]
    assert [word for word in words if word not in text] == []


def _facts(trace: Trace) -> Iterator[str]:
    route, ownership, decided = trace.route, trace.ownership, trace.decided
    if decided is not None and decided.rule is not None:
        yield f"{decided.rule.priority}: "
    if route is not None and route.route is not None:
        prefix = route.route.destination
        yield str(prefix) if prefix.length else "default"
    if ownership is not None and ownership.owner is not None:
        yield ownership.owner.peer.label
        yield str(ownership.owner.prefix)
    if trace.endpoint is not None:
        yield str(trace.endpoint)
    if trace.outer is not None:
        yield from _facts(trace.outer)


@pytest.mark.parametrize("flow", FLOWS)
def test_an_answer_is_short(flow: str) -> None:
    """No line of the demo wraps twice at 80 columns, none is said twice, and no blank is left."""
    lines = render(lines_of(flow)).splitlines()
    assert max(len(line) for line in lines) <= 160
    assert len(lines) == len(set(lines))
    assert all(line == line.rstrip() and "  ." not in line and "None" not in line for line in lines)


def test_the_answer_follows_the_packet() -> None:
    """Verdict, rule, route, peer, the encrypted packet one step in, and back at the end."""
    lines = lines_of("198.51.100.99")
    told = [(line.label, line.indent) for line in lines if line.label not in ("skipped", "lost")]
    inner = [("rule", 0), ("route", 0), ("peer", 0), ("outer", 0)]
    assert told == [("", 0), *inner, ("rule", 1), ("route", 1), ("back", 0), ("proof", 0)]


def test_the_mark_of_wg_quick_is_the_only_news_about_the_encrypted_packet() -> None:
    """What both walks skip for the same reason is said once; the mark's rule is said."""
    inner, outer = labelled("198.51.100.99", "skipped")
    assert "32764 (default suppressed)" in inner
    assert outer == "also 32765 (not fwmark 0xca6c)"


def test_an_ipv4_walk_inside_an_ipv6_walk_is_told_whole() -> None:
    """Other rules, other reasons: nothing of the IPv6 walk can stand for them."""
    _, outer = labelled("2001:db8:ffff::1", "skipped")
    assert "30900 (fwmark 0xdead)" in outer
    assert "32764 (default suppressed)" in outer


def test_local_is_named_only_where_nothing_else_was_found() -> None:
    """That an address is not this host's own matters when no rule had a route."""
    assert "local" not in text_of("198.51.100.99")
    assert "0 (nothing in local)" in text_of("2001:db8:ffff::1 oif eth1")


def test_a_route_names_its_table_only_when_the_rule_does_not() -> None:
    """An l3mdev rule leads to the table of the VRF, whichever that is (S-A20)."""
    trace = asked("192.168.10.20")
    decided, route = trace.decided, trace.route
    assert decided is not None
    assert decided.rule is not None
    assert route is not None
    assert "(table" not in text_of("192.168.10.20")
    steps: tuple[Step, ...] = (decided._replace(rule=replace(decided.rule, table=None)), route)
    assert "(table main)" in render(answer(DEMO, Trace(trace.flow, trace.outcome, steps)))


def test_every_leg_of_a_multipath_route_is_told() -> None:
    """The kernel picks by a hash, so the verdict does not pretend to know."""
    text = text_of("10.90.1.1")
    assert "nexthop via 192.0.2.1 dev eth0 weight 2" in text
    assert "nexthop via 192.168.10.254 dev eth1 weight 1" in text
    assert "hash" in text.splitlines()[0]


def test_a_packet_in_a_packet_is_told_level_by_level() -> None:
    """ams2's encrypted packet goes to fra1: both peers, both endpoints, two levels down."""
    first = lines_of("10.30.4.1")[0].text
    for word in ("ams2 on wg1", "203.0.113.70:51820", "fra1 on wg0", "198.51.100.4:51820", "eth0"):
        assert word in first
    assert max(line.indent for line in lines_of("10.30.4.1")) == 2


def test_a_connecting_socket_that_goes_another_way_is_told() -> None:
    """``ip route get`` asks once, connect() twice (S-A40): both answers stand there."""
    host = HostLines(
        links="eth0 UP 192.0.2.10/24\neth1 UP 198.51.100.10/24",
        rules4="0: from all lookup local\n100: from 192.0.2.10 lookup 100\n"
        "32766: from all lookup main",
        routes4="default via 192.0.2.1 dev eth0\ndefault via 198.51.100.1 dev eth1 table 100",
    )
    snapshot = read_host(host, taken_at=0.0)
    assert "by eth0 via 192.0.2.1" in lines_of("203.0.113.1", snapshot)[0].text
    (text,) = labelled("203.0.113.1", "but", snapshot)
    assert text.startswith("TCP ")
    assert "by eth1 via 198.51.100.1" in text
    assert labelled("203.0.113.1 from 192.0.2.10", "but", snapshot) == []


def test_a_loop_says_where_it_closes() -> None:
    """The same peer a second time is the last line of the way out."""
    *_, last = labelled("198.51.100.195", "outer")
    assert "the same peer again" in last


def test_why_the_encrypted_packet_cannot_leave_is_in_the_verdict() -> None:
    """Not only that it fails, but at which route."""
    first = lines_of("10.36.1.1")[0].text
    assert "203.0.113.130 is refused by the unreachable route 203.0.113.128/25" in first


def test_who_else_may_send_from_there() -> None:
    """Each entrance says what it does with such a packet, and from whom alone."""
    assert labelled("172.30.7.9", "back") == [
        "accepted on wg0 only from fra1 (0.0.0.0/0), rp_filter loose",
        "dropped on wg1, even from bru5 (172.30.7.0/24): rp_filter strict (the way back is wg0)",
    ]
    assert "reply leaves by eth1" in labelled("192.168.10.20", "back")[1]


def test_an_arriving_packet_says_how_it_got_in() -> None:
    """Accepted from the owner, dropped from another, with both named."""
    flow = "192.168.10.20 from 10.30.5.7 iif wg1 peer"
    assert labelled(f"{flow} lon3", "in")[0].startswith(
        "accepted on wg1: 10.30.5.7 belongs to lon3"
    )
    first = lines_of(f"{flow} ams2")[0].text
    assert "the source belongs to lon3 (10.30.5.0/24), not to ams2" in first


def test_a_userspace_device_drops_without_a_word() -> None:
    """wireguard-go reports no errno (S-E12), so none is promised."""
    devices = {
        index: replace(device, backend=Backend.USERSPACE) for index, device in DEMO.devices.items()
    }
    userspace = replace(DEMO, devices=devices)
    for flow, errno in (("10.44.0.1", "ENOKEY"), ("10.20.0.50", "EDESTADDRREQ")):
        assert errno in text_of(flow)
        assert errno not in text_of(flow, userspace)
        assert "dropped silently" in text_of(flow, userspace)


def test_firewall_chains_on_the_way_are_named_with_what_they_do() -> None:
    """They are seen, not simulated."""
    (text,) = labelled("198.51.100.99 from 192.168.10.200 iif eth1", "but")
    assert "ip wg-quick-wg0" in text
    assert "chain premangle restores the mark" in text


def test_a_firewall_that_was_not_seen_is_not_silently_absent() -> None:
    """The gap, its reason and the remedy are part of the answer."""
    gap = Gap(Subject.FIREWALL, "Operation not permitted", "run as root")
    blind = replace(DEMO, hooks=None, gaps=(gap,))
    assert "Operation not permitted — run as root" in text_of("10.30.4.1", blind)


# ----------------------------------------------------------------------------------- walk the enums


def test_every_outcome_has_a_verdict_of_its_own() -> None:
    """The tour meets them all; each says more than its code."""
    firsts = {asked(flow).outcome: lines_of(flow)[0].text for flow in FLOWS}
    assert set(firsts) == set(Outcome)
    for outcome, text in firsts.items():
        assert len(text.removeprefix(outcome.value.upper()).split()) >= 4


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    """An unknown outcome says why in words, not in the code of the JSON."""
    flow = Flow.parse("10.0.0.1")
    text = verdict(DEMO, Trace(flow, Outcome.UNKNOWN, reason=reason)).text
    assert text == f"UNKNOWN  10.0.0.1 cannot be followed: {REASONS[reason]}."
    assert len(REASONS[reason].split()) >= 3


def test_no_two_reasons_share_their_words() -> None:
    """Words that mean two things mean nothing."""
    assert len(set(REASONS.values())) == len(Reason)


@pytest.mark.parametrize("loss", Loss)
def test_every_loss_has_words(loss: Loss) -> None:
    """A route that lost says to what."""
    trace = asked("192.168.40.7")
    decided, route = trace.decided, trace.route
    assert decided is not None
    assert decided.found is not None
    assert route is not None
    assert route.route is not None
    found = decided.found._replace(lost=(LostRoute(decided.found.lost[0].route, loss),))
    steps: tuple[Step, ...] = (*trace.rules[:-1], decided._replace(found=found), route)
    (line,) = [
        line
        for line in answer(DEMO, Trace(trace.flow, trace.outcome, steps))
        if line.label == "lost"
    ]
    expected = "metric 100" if loss is Loss.METRIC else LOSS_WORDS[loss]
    assert line.text == f"192.168.40.0/24 via 192.0.2.1 dev eth0 ({expected})"
    assert line.tone is Tone.LOST


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (RuleResult.REFUSED, "7 (fwmark 0x1)"),
        (RuleResult.DETACHED, "7 (fwmark 0x1: no such link)"),
        (RuleResult.UNRESOLVED, "7 (goto 9: no such rule)"),
        (RuleResult.JUMPED, "7 (goto 9)"),
        (RuleResult.NOP, "7 (nop)"),
        (RuleResult.TABLE_MISSING, "7 (table 77 is empty)"),
        (RuleResult.NO_MATCH, "7 (nothing in main)"),
        (RuleResult.THROW, "7 (throw 192.168.40.0/24 in main)"),
        (RuleResult.SUPPRESSED, "7 (192.168.40.0/24 suppressed)"),
        (RuleResult.DECIDED, "7: from all lookup 77"),
        (RuleResult.UNKNOWN, "7: from all lookup 77: cannot be evaluated"),
    ],
)
def test_every_result_of_a_rule_has_words(result: RuleResult, words: str) -> None:
    """A rule that decided stands alone, one that was skipped says why."""
    trace = asked("192.168.40.7")
    assert trace.decided is not None
    found = None if result is RuleResult.TABLE_MISSING else trace.decided.found
    rule = Rule(7, 4, Selector(), RuleAction.TABLE, TableId(77), goto=9)
    step = RuleStep(0, rule, result, (Refusal("mark", "0x1", "0x0"),), found)
    lines = answer(DEMO, Trace(trace.flow, Outcome.NO_ROUTE, (step,)))
    assert [line.text for line in lines if line.label in ("rule", "skipped")] == [words]


def test_every_result_of_a_rule_is_tested() -> None:
    """The list above is complete."""
    (mark,) = [
        mark
        for mark in test_every_result_of_a_rule_has_words.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ]
    assert {result for result, _ in mark.args[1]} == set(RuleResult)


@pytest.mark.parametrize("outcome", BackOutcome)
@pytest.mark.parametrize("why", RpWhy)
def test_every_end_of_the_reverse_check_has_words(outcome: BackOutcome, why: RpWhy) -> None:
    """Accepted, dropped or not known; a filter that drops says why."""
    wg1 = DEMO.links_by_name["wg1"].index
    result = RpResult.DROP if outcome is BackOutcome.RPF_DROPPED else RpResult.PASS
    path = ReversePath(wg1, 1, result, why)
    reason = Reason.SYSCTL_UNREADABLE if outcome is BackOutcome.UNKNOWN else None
    step = ReverseStep(wg1, outcome, reason, None, path)
    trace = Trace(Flow.parse("10.0.0.1"), Outcome.NO_ROUTE, back=(step,))
    line = answer(DEMO, trace)[1]
    begins = {BackOutcome.NOT_ALLOWED: "dropped", BackOutcome.RPF_DROPPED: "dropped"}
    begins[BackOutcome.UNKNOWN] = "not known"
    assert line.label == "back"
    assert line.text.startswith(f"{begins.get(outcome, 'accepted')} on wg1")
    if outcome is BackOutcome.RPF_DROPPED:
        assert rp_reason(DEMO, path) in line.text
    if outcome is BackOutcome.ASYMMETRIC:
        assert "no way to reply" in line.text


def test_no_two_ends_of_the_filter_share_their_words() -> None:
    """Each RpWhy is told apart."""
    wg1 = DEMO.links_by_name["wg1"].index
    told = {rp_reason(DEMO, ReversePath(wg1, 1, RpResult.DROP, why)) for why in RpWhy}
    assert len(told) == len(RpWhy)


def test_every_mark_has_a_short_word() -> None:
    """The panes have 13 cells for it."""
    for enum, words in (
        (Outcome, OUTCOME_WORDS),
        (RuleResult, RESULT_WORDS),
        (Loss, LOSS_WORDS),
        (BackOutcome, BACK_WORDS),
    ):
        assert set(words) == set(enum)
        assert all(0 < len(word) <= 13 for word in words.values())


def test_every_tone_is_told_apart_without_colour() -> None:
    """One glyph each, one cell wide, in both alphabets."""
    assert set(GLYPHS) == set(Tone)
    assert len(set(GLYPHS.values())) == len(Tone)
    text = render([Line("x", tone, label="y") for tone in Tone], ascii_only=True)
    assert text.isascii()
    assert len({line[0] for line in text.splitlines()}) == len(Tone)


# ----------------------------------------------------------------------------------- the kernel


def test_the_kernel_agrees_or_is_quoted() -> None:
    """Agreement is one word; a difference is loud and shows both answers."""
    trace = asked("192.168.10.20")
    eth0, eth1 = (DEMO.links_by_name[name].index for name in ("eth0", "eth1"))
    route = trace.route
    assert route is not None
    same = KernelAnswer(None, RouteType.UNICAST, MAIN_TABLE, eth1, None, route.source)
    line = kernel_line(DEMO, trace, same)
    assert line is not None
    assert (line.tone, line.text) == (Tone.GOOD, "the running kernel agrees")
    line = kernel_line(DEMO, trace, replace(same, link=eth0))
    assert line is not None
    assert line.tone is Tone.BAD
    assert "DISAGREES" in line.text
    assert "eth0" in line.text
    assert "eth1" in line.text


def test_the_kernel_is_not_quoted_where_it_cannot_know() -> None:
    """It knows nothing about what wgtui cannot follow."""
    trace = asked("198.51.100.77")
    assert kernel_line(DEMO, trace, KernelAnswer(errno=101)) is None


# ----------------------------------------------------------------------------------- hostile names


def hostile_host() -> Snapshot:
    """edge-1 after somebody gave everything that has a name a name to be obeyed."""

    def bad(text: str) -> str:
        return f"{text}{HOSTILE}"

    links = {
        index: replace(link, name=bad(link.name), alias=HOSTILE) for index, link in
        DEMO.links.items()
    }  # fmt: skip
    devices = {
        index: replace(
            device,
            name=bad(device.name),
            peers=tuple(replace(peer, label=bad(peer.label)) for peer in device.peers),
        )
        for index, device in DEMO.devices.items()
    }
    rules = {
        family: tuple(replace(rule, unknown=tuple(map(bad, rule.unknown))) for rule in rules)
        for family, rules in DEMO.rules.items()
    }
    hooks = tuple(replace(hook, table=HOSTILE, chain=HOSTILE) for hook in DEMO.hooks or ())
    sysctls = {
        key.replace(f"/{link.name}/", f"/{bad(link.name)}/"): value
        for key, value in DEMO.sysctls.items()
        for link in DEMO.links.values()
        if f"/{link.name}/" in key or "/all/" in key or "/default/" in key
    }
    names = dict.fromkeys(("host", "kernel", "source", "namespace"), HOSTILE)
    gaps = (Gap(Subject.CONFIG, HOSTILE, HOSTILE), Gap(Subject.WIREGUARD, HOSTILE, HOSTILE))
    return replace(
        DEMO, links=links, devices=devices, rules=rules, hooks=hooks, sysctls=sysctls, gaps=gaps,
        **names,  # type: ignore[arg-type]
    )  # fmt: skip


def unsafe(text: str) -> list[str]:
    """What of a text a terminal could obey, or nobody could see."""
    bad = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return [char for char in text if unicodedata.category(char) in bad]


@pytest.mark.parametrize(("flow", "outcome", "_"), TOUR, ids=FLOWS)
def test_no_name_from_outside_is_ever_obeyed(flow: str, outcome: str, _: str) -> None:
    """Control characters, bidi overrides and line ends come out as visible text in every line."""
    snapshot, question = hostile_host(), Flow.parse(flow)
    question = question._replace(
        iif=question.iif and question.iif + HOSTILE,
        oif=question.oif and question.oif + HOSTILE,
        peer=question.peer and question.peer + HOSTILE,
    )
    trace = lookup(snapshot, question)
    assert trace.outcome.value == outcome
    lines = [*answer(snapshot, trace), *explain(snapshot, trace)]
    assert [line for line in lines if unsafe(line.text)] == []
    assert any("\\x1b" in line.text for line in lines)


def test_no_name_on_the_first_screen_is_ever_obeyed() -> None:
    """Host, kernel, source, namespace, devices and gaps pass through the same door."""
    snapshot = hostile_host()
    texts = [state_line(snapshot), *(line.text for line in welcome(snapshot))]
    assert [text for text in texts if unsafe(text)] == []
    assert "\\u202e" in "".join(texts)


def test_markup_is_plain_text() -> None:
    """``[/bold]`` is four letters in brackets, neither removed nor escaped."""
    assert "[/bold]" in render(welcome(hostile_host()))


def test_what_was_counted_against_the_packet_comes_right_after_the_verdict() -> None:
    """On a small screen it must not be below the fold; what speaks for it may be."""
    lines = lines_of("198.51.100.195")
    assert (lines[1].tone, lines[1].label) == (Tone.BAD, "proof")
    assert "never answered" in lines[1].text
    assert lines_of("10.30.5.9")[-1].label == "proof"


def test_a_source_that_is_not_this_hosts_is_no_missing_route() -> None:
    """The routes are not to blame; and no rp_filter is to blame for one's own address."""
    assert "cannot be sent from 9.9.9.9: this host has no such address" in (
        lines_of("8.8.8.8 from 9.9.9.9")[0].text
    )
    lines = lines_of("192.168.10.5 from 192.168.10.1 iif eth1")
    assert "rp_filter" not in "".join(line.text for line in lines)
    assert lines[1].text == "dropped on eth1: the source is an address of this host"


def test_an_ipv6_packet_that_no_address_could_send_says_so() -> None:
    """The route is there, and sockets fail all the same; multicast wants an address of the very
    link (S-B68)."""

    def but(flow: str, addresses: str, gaps: tuple[Gap, ...] = ()) -> list[str]:
        host = HostLines(
            links=f"eth0 UP {addresses}\neth1 UP 2001:db8:1::1/64",
            routes6="default dev eth0\nmulticast ff00::/8 dev eth0 table local",
        )
        return labelled(flow, "but", replace(read_host(host), gaps=gaps))

    there = ["no IPv6 address to send from: sockets get 'Cannot assign requested address'"]
    assert but("ff02::5%eth0", "192.0.2.1/24") == there
    assert but("ff02::5%eth0", "2001:db8::1/64") == []
    assert but("3fff::1", "192.0.2.1/24") == []  # that of eth1 will do
    assert but("ff02::5 from 2001:db8:1::1 oif eth0", "192.0.2.1/24") == []
    assert but("ff02::5%eth0", "192.0.2.1/24", (Gap(Subject.ADDRESSES, "not permitted"),)) == []


def test_what_a_socket_takes_an_ipv6_destination_for_is_said() -> None:
    """A v4-mapped one means IPv4 (S-B69); a link-local one without its link cannot be connected to
    (S-B71)."""
    host = read_host(HostLines(links="eth0 UP 2001:db8::1/64", routes6="default dev eth0"))

    def but(flow: str) -> list[str]:
        return labelled(flow, "but", host)

    assert but("::ffff:1.2.3.4") == ["sockets take IPv4 for such an address: ask about 1.2.3.4"]
    for address in ("fe80::5", "ff02::5", "ff01::5"):
        told = f"TCP and connected UDP want its link named: {address}%LINK"
        assert but(address) == [told]
        assert told not in but(f"{address}%eth0")
    for address in ("2001:db8::5", "::1.2.3.4", "ff0e::5", "fec0::5"):
        assert but(address) == []
    assert but("fe80::5 from 2001:db8::9 iif eth0") == []
