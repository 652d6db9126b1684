"""Are the netfilter chains found that could change or drop a packet, and no others?"""

import json
from pathlib import Path

import pytest

from wgtui.errors import FormatError
from wgtui.model.snapshot import Hook
from wgtui.sources.nft import parse_ruleset

EDGE = Path(__file__).parent / "data" / "edge"
BASE = {"family": "ip", "table": "t", "name": "c", "type": "filter", "hook": "output", "prio": -150}


def does(*expressions: object, **chain: object) -> frozenset[str]:
    """What a chain with one rule of these expressions does."""
    entries: list[object] = [{"chain": {**BASE, **chain}}]
    entries.append(
        {"rule": {"family": "ip", "table": BASE["table"], "chain": "c", "expr": expressions}}
    )
    hooks = parse_ruleset(json.dumps({"nftables": entries}))
    return hooks[0].does if hooks else frozenset()


def test_a_captured_ruleset() -> None:
    """What nft 1.0.6 printed: jumps, verdict maps and policies are followed, wg-quick is seen."""
    hooks = {hook.chain: hook for hook in parse_ruleset((EDGE / "nft.json").read_text())}
    assert {name: set(hook.does) for name, hook in hooks.items()} == {
        "out": {"mark"},
        "pre": {"restore-mark", "fib-drop"},
        "fw": {"drop"},
        "post": {"snat"},
        "dn": {"dnat"},
        "vm": {"drop", "mark"},
        "vm2": {"drop"},
        "rej": {"drop", "mark", "restore-mark"},
        "preraw": {"fib-drop"},
    }
    assert hooks["out"] == Hook("inet", "t", "out", "output", -150, "route", frozenset({"mark"}), 4)
    assert hooks["preraw"].table == "wg-quick-wgx"


def test_chains_that_do_nothing_are_left_out() -> None:
    """Counting, accepting and saving the mark in the connection change no packet here."""
    assert not does({"counter": {"packets": 0, "bytes": 0}}, {"accept": None})
    mark = {"meta": {"key": "mark"}}
    assert not does({"mangle": {"key": {"ct": {"key": "mark"}}, "value": mark}})
    assert not does({"drop": None}, family="arp")


def test_a_mark_from_the_connection_is_restored() -> None:
    """Also when bits of it are taken."""
    mark = {"meta": {"key": "mark"}}
    masked = {"&": [{"ct": {"key": "mark"}}, 255]}
    assert does({"mangle": {"key": mark, "value": masked}}) == {"restore-mark"}
    assert does({"mangle": {"key": mark, "value": {"|": [mark, 1]}}}) == {"mark"}


@pytest.mark.parametrize(
    ("extension", "chain", "expected"),
    [
        ({"type": "target", "name": "MARK"}, {}, {"mark"}),
        ({"type": "target", "name": "CONNMARK"}, {}, {"restore-mark"}),
        ({"type": "target", "name": "MASQUERADE"}, {"type": "nat"}, {"snat"}),
        ({"type": "target", "name": "TCPMSS"}, {}, set()),
        (None, {"type": "nat", "hook": "output"}, {"dnat"}),
        (None, {"type": "nat", "hook": "postrouting"}, {"snat"}),
        (None, {}, set()),
    ],
)
def test_extensions_of_iptables(
    extension: object, chain: dict[str, object], expected: set[str]
) -> None:
    """nft can only name them, or not even that: then the kind of the chain tells."""
    assert does({"xt": extension}, **chain) == expected


def test_rpfilter_with_drop() -> None:
    """The iptables spelling of a fib check."""
    assert does({"xt": {"type": "match", "name": "rpfilter"}}, {"drop": None}) == {"fib-drop"}


def meta(key: str, right: object, op: str = "==") -> dict[str, object]:
    """A condition on what nft knows of the packet."""
    return {"match": {"op": op, "left": {"meta": {"key": key}}, "right": right}}


def payload(protocol: str, field: str) -> dict[str, object]:
    """A condition on a header."""
    where = {"payload": {"protocol": protocol, "field": field}}
    return {"match": {"op": "==", "left": where, "right": "x"}}


WAY_BACK = {"fib": {"result": "oif", "flags": ["saddr", "mark", "iif"]}}


@pytest.mark.parametrize(
    ("condition", "only"),
    [
        (meta("nfproto", "ipv6"), 6),
        (meta("nfproto", "ipv4"), 4),
        (meta("nfproto", "ipv6", "!="), 4),
        (meta("nfproto", {"set": ["ipv4", "ipv6"]}), None),
        (meta("protocol", "ip6"), 6),
        (meta("l4proto", "ipv6-icmp"), 6),
        (meta("l4proto", "udp"), None),
        (meta("iifname", "ipv6"), None),
        (payload("ip", "saddr"), 4),
        (payload("icmpv6", "type"), 6),
        (payload("udp", "dport"), None),
        ({"match": {"op": "==", "left": {"ct": {"key": "ip6 saddr"}}, "right": "::1"}}, 6),
        ({"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": "new"}}, None),
        ({"match": {"op": "==", "left": 5, "right": None}}, None),
    ],
)
def test_a_rule_for_one_family_says_so(condition: object, only: int | None) -> None:
    """In a table for both: what IPv6 packets meet is not said of IPv4's, nor the other way."""
    chain = {**BASE, "family": "inet"}
    rule = {"family": "inet", "table": "t", "chain": "c", "expr": [condition, {"drop": None}]}
    [hook] = parse_ruleset(json.dumps({"nftables": [{"chain": chain}, {"rule": rule}]}))
    assert hook.only == only
    assert [hook.meets(4), hook.meets(6)] == [only != 6, only != 4]


def test_a_chain_that_differs_by_family_is_two_hooks() -> None:
    """Also behind a jump that only one family takes, and a verdict map."""

    def rule(chain: str, *expressions: object) -> dict[str, object]:
        where = {"family": "inet", "table": "t", "chain": chain}
        return {"rule": {**where, "expr": expressions}}

    elements = [["ipv4", {"jump": {"target": "four"}}], ["ipv6", {"jump": {"target": "six"}}]]
    vmap = {"vmap": {"key": {"meta": {"key": "nfproto"}}, "data": {"set": elements}}}
    check = {"match": {"op": "==", "left": WAY_BACK, "right": False}}
    mark = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 7}}
    entries = [
        {"chain": {**BASE, "family": "inet"}},
        rule("c", vmap),
        rule("four", mark),
        rule("six", check, {"drop": None}),
    ]
    hooks = parse_ruleset(json.dumps({"nftables": entries}))
    assert {hook.only: set(hook.does) for hook in hooks} == {4: {"mark"}, 6: {"fib-drop"}}


OTHER_LINK = meta("iifname", "wg0", "!=")


def to(right: object) -> dict[str, object]:
    """A condition on the destination."""
    return {
        "match": {
            "op": "==",
            "left": {"payload": {"protocol": "ip", "field": "daddr"}},
            "right": right,
        }
    }


NET = {"prefix": {"addr": "10.9.0.0", "len": 16}}


@pytest.mark.parametrize(
    ("rules", "policy", "not_from", "not_beside"),
    [
        ([[OTHER_LINK, to("10.9.0.2"), {"drop": None}]], "accept", ("wg0",), ("10.9.0.2/32",)),
        (
            [[OTHER_LINK, to("10.9.0.2"), {"drop": None}], [OTHER_LINK, to(NET), {"drop": None}]],
            "accept",
            ("wg0",),
            ("10.9.0.2/32", "10.9.0.0/16"),
        ),
        ([[OTHER_LINK, {"drop": None}], [to("10.9.0.2"), {"reject": None}]], "accept", (), ()),
        ([[OTHER_LINK, {"drop": None}], [{"accept": None}]], "accept", ("wg0",), ()),
        ([[OTHER_LINK, {"drop": None}]], "drop", (), ()),
        ([[OTHER_LINK, {"drop": None}], [{"jump": {"target": "c"}}]], "accept", (), ()),
        ([[meta("iifname", "wg*", "!="), {"drop": None}]], "accept", (), ()),
        ([[meta("iifname", "wg0"), {"drop": None}]], "accept", (), ()),
        ([[to({"set": ["10.9.0.2"]}), {"drop": None}]], "accept", (), ()),
        ([[to("nonsense"), {"drop": None}]], "accept", (), ()),
    ],
)
def test_whom_a_chain_spares(
    rules: list[list[object]],
    policy: str,
    not_from: tuple[str, ...],
    not_beside: tuple[str, ...],
) -> None:
    """Only if every rule that drops says so, and nothing else may drop (S-F4)."""
    entries: list[object] = [{"chain": {**BASE, "policy": policy}}]
    entries += [
        {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": rule}} for rule in rules
    ]
    [hook] = parse_ruleset(json.dumps({"nftables": entries}))
    assert hook.not_from == not_from
    assert tuple(map(str, hook.not_beside)) == not_beside


def test_what_accepts_by_the_way_back_and_drops_the_rest() -> None:
    """NixOS and others write it so: the policy drops, the check accepts (S-D9)."""
    check = {"match": {"op": "==", "left": WAY_BACK, "right": True}}
    assert does(check, {"accept": None}, policy="drop") == {"fib-drop"}
    to_me = {"fib": {"result": "type", "flags": ["daddr"]}}
    check = {"match": {"op": "==", "left": to_me, "right": "local"}}
    assert does(check, {"accept": None}, policy="drop") == {"drop"}


def test_chains_that_jump_in_a_circle() -> None:
    """The kernel forbids it; a file may hold it all the same."""
    assert does({"jump": {"target": "c"}}, {"drop": None}) == {"drop"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"nftables": 5}',
        '{"nftables": [5]}',
        '{"nftables": [{"chain": {"hook": 1}}]}',
    ],
)
def test_what_is_no_ruleset_is_refused(text: str) -> None:
    """One line naming the file."""
    with pytest.raises(FormatError, match=r"^nft\.json"):
        parse_ruleset(text)
