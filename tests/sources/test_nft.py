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
    assert hooks["out"] == Hook("inet", "t", "out", "output", -150, "route", frozenset({"mark"}))
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
