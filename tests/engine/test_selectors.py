"""Does a rule match a packet, and which selector said no (S-A7, S-A13 … S-A23, S-A61, S-A62)?"""

from __future__ import annotations

import pytest

from tests.engine.worlds import ask, rule_step, rules, world
from wgtui.engine.query import Query, query_of
from wgtui.engine.selectors import judge
from wgtui.model.flow import Flow
from wgtui.model.network import LOOPBACK, LinkIndex, Mark, Range, Rule, Selector
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import RuleResult

Case = tuple[str, str, bool]

V4: list[Case] = [
    # from, to: S-A17
    ("from 192.0.2.0/24", "8.8.8.8 from 192.0.2.10", True),
    ("from 192.0.2.0/25", "8.8.8.8 from 192.0.2.200 iif eth0", False),
    ("from 192.0.2.0/24", "8.8.8.8", False),
    ("from 0.0.0.0/32", "8.8.8.8", True),
    ("from 0.0.0.0/32", "8.8.8.8 from 192.0.2.10", False),
    ("from all to 8.8.8.0/24", "8.8.8.8", True),
    ("from all to 8.8.8.0/24", "8.8.9.8", False),
    ("from all to 8.8.8.77/24", "8.8.8.8", True),
    # iif, oif: S-A14, S-A15
    ("from all iif lo", "8.8.8.8", True),
    ("from all iif lo", "8.8.8.8 from 192.0.2.1 iif eth0", False),
    ("from all iif eth0", "8.8.8.8 from 192.0.2.1 iif eth0", True),
    ("from all oif eth0", "8.8.8.8 oif eth0", True),
    ("from all oif eth0", "8.8.8.8", False),
    ("from all oif eth1", "8.8.8.8 from 192.0.2.1 iif eth0 oif eth1", True),
    # S-A16, the mark
    ("from all fwmark 0x1", "8.8.8.8 mark 1", True),
    ("from all fwmark 0x1", "8.8.8.8 mark 3", False),
    ("from all fwmark 0x1", "8.8.8.8", False),
    ("from all fwmark 0x3/0x1", "8.8.8.8 mark 1", True),
    ("from all fwmark 0x10/0xf0", "8.8.8.8 mark 0x1f", True),
    ("from all fwmark 0/0xff", "8.8.8.8 mark 0x100", True),
    ("from all fwmark 0/0xff", "8.8.8.8 mark 0x1", False),
    ("from all fwmark 0", "8.8.8.8 mark 77", True),
    # S-A18 and S-A19, tos and dscp
    ("from all tos 0x10", "8.8.8.8 tos 0x10", True),
    ("from all tos 0x10", "8.8.8.8 tos 0x30", True),
    ("from all tos 0x10", "8.8.8.8 tos 0x12", True),
    ("from all tos 0x10", "8.8.8.8 tos 0x18", False),
    ("from all dscp 0x2e", "8.8.8.8 tos 0xb8", True),
    ("from all dscp 0x2e", "8.8.8.8 tos 0xb9", True),
    ("from all dscp 0x2e", "8.8.8.8 tos 0x38", False),
    ("from all dscp 0", "8.8.8.8 tos 3", True),
    ("from all dscp 0", "8.8.8.8 tos 4", False),
    ("from all dscp 0x8/0x38", "8.8.8.8 tos 0x2c", True),
    # ipproto, ports: S-A20, S-C3
    ("from all ipproto tcp", "8.8.8.8 ipproto tcp", True),
    ("from all ipproto tcp", "8.8.8.8", False),
    ("from all ipproto udp", "8.8.8.8", True),
    ("from all dport 53", "8.8.8.8 dport 53", True),
    ("from all dport 53", "8.8.8.8 ipproto icmp dport 53", True),
    ("from all dport 53", "8.8.8.8 from 192.0.2.1 iif eth0 ipproto icmp dport 53", False),
    ("from all dport 1000-2000", "8.8.8.8 dport 1000", True),
    ("from all dport 1000-2000", "8.8.8.8 dport 2000", True),
    ("from all dport 1000-2000", "8.8.8.8 dport 2001", False),
    ("from all sport 1000-2000", "8.8.8.8 sport 999", False),
    # S-A21, whose packet
    ("from all uidrange 1000-1999", "8.8.8.8 uid 1999", True),
    ("from all uidrange 1000-1999", "8.8.8.8 uid 2000", False),
    ("from all uidrange 0-0", "8.8.8.8 from 192.0.2.1 iif eth0 uid 1000", True),
    # several: all of them
    ("from all to 8.8.8.0/24 fwmark 0x1", "8.8.8.8 mark 1", True),
    ("from all to 8.8.8.0/24 fwmark 0x1", "8.8.9.8 mark 1", False),
]

V6: list[Case] = [
    # S-A61: an unset source matches no "from", not even ::/128
    ("from 2001:db8::/32", "fd00::1 from 2001:db8::10", True),
    ("from 2001:db8::/32", "fd00::1", False),
    ("from ::/128", "fd00::1", False),
    # S-A62: the whole DSCP
    ("from all tos 0x10", "fd00::1 tos 0x10", True),
    ("from all tos 0x10", "fd00::1 tos 0x12", True),
    ("from all tos 0x10", "fd00::1 tos 0x30", False),
    ("from all tos 0xb8", "fd00::1 tos 0xb8", True),
    ("from all flowlabel 0x12345", "fd00::1 flowlabel 0x12345", True),
    ("from all flowlabel 0x12345", "fd00::1 flowlabel 0x12346", False),
    ("from all flowlabel 0x12300/0xfff00", "fd00::1 flowlabel 0x12346", True),
    # S-C3: no protocol by default
    ("from all ipproto udp", "fd00::1", False),
    ("from all ipproto ipv6-icmp", "fd00::1 ipproto 58", True),
    # S-A65
    ("from all uidrange 0-0", "fd00::1 from 2001:db8::1 iif eth0", True),
]


@pytest.mark.parametrize(("rule", "flow", "expected"), [*V4, *V6])
def test_a_selector_matches_as_the_kernel_compares_it(rule: str, flow: str, expected: bool) -> None:
    """Each selector alone, S-A13 … S-A21, S-A61, S-A62."""
    assert verdict(rule, flow) is expected


@pytest.mark.parametrize(("rule", "flow", "expected"), [*V4, *V6])
def test_not_negates_the_whole_conjunction(rule: str, flow: str, expected: bool) -> None:
    """``not`` turns every one of these answers round (S-A7)."""
    if rule == "from all fwmark 0":
        expected = True  # no selector at all: "not" of it is never true
    assert verdict(f"not {rule}", flow) is not expected


def verdict(rule: str, flow: str) -> bool:
    """Does a rule with this selector match? Asked directly, whatever comes before the walk."""
    parsed = Flow.parse(flow)
    line = f"10: {rule} prohibit"
    snapshot = world(
        rules4=rules(*([line] if parsed.family == 4 else [])),
        rules6=rules(*([line] if parsed.family == 6 else []), family=6),
    )
    [asked] = [one for one in snapshot.rules[parsed.family] if one.priority == 10]
    found = judge(snapshot, asked, query_of(snapshot, parsed, *links(snapshot, parsed)))
    assert found.matches is not None
    assert bool(found.refusals) is not found.matches
    return found.matches


def links(snapshot: Snapshot, flow: Flow) -> tuple[LinkIndex, LinkIndex]:
    """The indexes of iif and oif."""
    names = snapshot.links_by_name
    iif = names[flow.iif].index if flow.iif else LOOPBACK
    return iif, names[flow.oif].index if flow.oif else LinkIndex(0)


# ─── links that are not there ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("word", ["iif", "oif"])
def test_a_link_that_does_not_exist_never_matches(word: str) -> None:
    """``iif nosuch`` is detached (S-A13)."""
    snapshot = world(rules4=rules(f"10: from all {word} nosuch blackhole"))
    step = rule_step(ask(snapshot, "8.8.8.8"), 10)
    assert step.result is RuleResult.DETACHED
    assert [(said.field, said.wanted) for said in step.refusals] == [(word, "nosuch")]


@pytest.mark.parametrize("word", ["iif", "oif"])
def test_not_a_link_that_does_not_exist_matches_everything(word: str) -> None:
    """``not iif nosuch`` matches every packet (S-A13)."""
    snapshot = world(rules4=rules(f"10: not from all {word} nosuch blackhole"))
    assert rule_step(ask(snapshot, "8.8.8.8"), 10).result is RuleResult.DECIDED


def test_not_without_a_selector_matches_nothing() -> None:
    """Only ``not``, and nothing to negate (S-A7)."""
    snapshot = world(rules4=rules("10: not from all blackhole"))
    step = rule_step(ask(snapshot, "8.8.8.8"), 10)
    assert (step.result, step.refusals[0].field) == (RuleResult.REFUSED, "not")


# ─── selectors that the shorthand has no words for ───────────────────────────────────────────────


def test_a_tunnel_id_never_matches() -> None:
    """WireGuard's packets carry none (S-A22)."""
    assert not judge(world(), Rule(10, 4, Selector(tunnel_id=7)), _query("8.8.8.8")).matches


def test_ports_may_be_compared_under_a_mask() -> None:
    """``dport 0x100/0xff00`` compares the upper byte (S-A20)."""
    rule = Rule(10, 4, Selector(destination_port=Range(0x100, 0x100), destination_port_mask=0xFF00))
    assert judge(world(), rule, _query("8.8.8.8 dport 0x1ff")).matches
    assert not judge(world(), rule, _query("8.8.8.8 dport 0x2ff")).matches


def _query(flow: str) -> Query:
    parsed = Flow.parse(flow)
    return query_of(world(), parsed, *links(world(), parsed))


# ─── why not ─────────────────────────────────────────────────────────────────────────────────────


def test_every_selector_that_refuses_is_named_with_what_it_got() -> None:
    """A refusal says the field, what was wanted and what the packet has."""
    snapshot = world(rules4=rules("10: from all to 10.0.0.0/8 fwmark 0xca6c blackhole"))
    refusals = rule_step(ask(snapshot, "8.8.8.8 mark 1"), 10).refusals
    assert [(said.field, said.wanted, said.got) for said in refusals] == [
        ("to", "10.0.0.0/8", "8.8.8.8"),
        ("mark", "0xca6c", "0x1"),
    ]


def test_a_negated_rule_names_what_it_would_not_have() -> None:
    """``not fwmark M`` refuses the packets that carry M."""
    snapshot = world(rules4=rules("10: not from all fwmark 0xca6c blackhole"))
    refusals = rule_step(ask(snapshot, f"8.8.8.8 mark {Mark(0xCA6C)}"), 10).refusals
    assert [said.field for said in refusals] == ["not mark"]
