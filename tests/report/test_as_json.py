"""Does ``lookup --json`` have the keys and shapes of contract §4, and those alone?

A ``record`` is the contract's keys and, apart from them, what this version adds: a key that is in
neither is a mistake, and so is one that is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Hook, Snapshot
from wgtui.model.trace import Outcome, Reason
from wgtui.report.as_json import error_json, lookup_json
from wgtui.sources.demo import TOUR, DemoSource
from wgtui.sources.shorthand import HostLines, read_host

DEMO = DemoSource().read()
FLOWS = [flow for flow, _, _ in TOUR]

Check = Callable[[object, str], None]

CODES = {outcome.value for outcome in Outcome}
REASONS = {reason.value for reason in Reason}
BACK = {"accepted", "not-allowed", "rpf-dropped", "asymmetric", "unknown"}
TYPES = {
    "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable",
    "prohibit", "throw", "nat", "xresolve", "unknown",
}  # fmt: skip

# ------------------------------------------------------------------------------------ the checker


def text(value: object, where: str) -> None:
    """Any text but an empty one."""
    assert isinstance(value, str), where
    assert value, where


def number(value: object, where: str) -> None:
    """A whole number; true and false are none."""
    assert isinstance(value, int), where
    assert not isinstance(value, bool), where


def truth(value: object, where: str) -> None:
    """True or false."""
    assert isinstance(value, bool), where


def place(value: object, where: str) -> None:
    """Null for the same namespace, otherwise its name; "" is the one wgtui was started in."""
    assert value is None or isinstance(value, str), where


def prefix(value: object, where: str) -> None:
    """Network and length, whole and masked: a default is 0.0.0.0/0 or ::/0."""
    assert isinstance(value, str), where
    assert str(Prefix.parse(value)) == value, where


def among(values: set[str]) -> Check:
    """One of these."""

    def check(value: object, where: str) -> None:
        assert value in values, where

    return check


def maybe(inner: Check) -> Check:
    """Or null."""
    return lambda value, where: None if value is None else inner(value, where)


def each(inner: Check) -> Check:
    """A list of them."""

    def check(value: object, where: str) -> None:
        assert isinstance(value, list), where
        for place, item in enumerate(value):
            inner(item, f"{where}[{place}]")

    return check


def record(keys: Mapping[str, Check], added: Mapping[str, Check] | None = None) -> Check:
    """Exactly the contract's keys and the added ones; ``?`` after a name: it may be absent."""
    shape = {**keys, **(added or {})}
    optional = {name.rstrip("?") for name in shape if name.endswith("?")}
    known = {name.rstrip("?"): inner for name, inner in shape.items()}

    def check(value: object, where: str) -> None:
        assert isinstance(value, dict), where
        assert not (wrong := set(value) ^ set(known) - (optional - set(value))), (where, wrong)
        for name, item in value.items():
            known[name](item, f"{where}.{name}")

    return check


def out(value: object, where: str) -> None:
    """``out`` holds ``outer``, which holds ``out``."""
    OUT(value, where)


CHAIN = record(
    {"family": text, "table": text, "chain": text, "hook": text},
    {"priority": number, "does": each(text)},
)
INFLUENCE = record(
    {"kind": among({"xfrm", "tc", "xdp", "batch"}), "device": maybe(text), "detail": text}
)


def change(value: object, where: str) -> None:
    """A netfilter chain, or something else that has a kind."""
    assert isinstance(value, dict), where
    (INFLUENCE if "kind" in value else CHAIN)(value, where)


FLOW = record(
    {"to": text, "from": maybe(text), "iif": maybe(text), "oif": maybe(text), "mark": number,
     "peer": maybe(text)},
    {"tos": number, "uid": maybe(number), "ipproto": maybe(number), "sport": maybe(number),
     "dport": maybe(number), "flowlabel": number},
)  # fmt: skip
OWNER = record({"device": text, "peer": text, "name": maybe(text), "allowed_ip": prefix})
LEG = record({"dev": maybe(text), "via": maybe(text), "weight": number})
ROUTE = record(
    {"table": maybe(number), "to": maybe(prefix), "type": among(TYPES), "dev": maybe(text),
     "via": maybe(text), "metric": maybe(number), "src": maybe(text), "next_hops?": each(LEG)}
)  # fmt: skip
OUT = record(
    {
        "rule": maybe(record({"priority": number, "table": maybe(number)})),
        "route": maybe(ROUTE),
        "owner": maybe(OWNER),
        "endpoint": maybe(text),
        "outer": maybe(
            record(
                {"outcome": among(CODES), "out": maybe(out)},
                {
                    "reason": maybe(among(REASONS)),
                    "flow": FLOW,
                    "namespace": place,
                    "may_be_changed_by": each(change),
                },
            )
        ),
    }
)
FILTER = record(
    {"device": text, "mode": maybe(number), "result": among({"pass", "drop", "unknown"})},
    {"why": text},
)
BACK_ENTRY = record(
    {"device": text, "outcome": among(BACK), "owner": maybe(OWNER), "rp_filter": maybe(FILTER),
     "outer_rp_filter": maybe(FILTER)},
    {"reason": maybe(among(REASONS)), "may_be_changed_by": each(CHAIN),
     "outer_may_be_changed_by": each(CHAIN)},
)  # fmt: skip
IN = record(
    {"outcome": among(BACK - {"asymmetric"}), "owner": maybe(OWNER), "rp_filter": maybe(FILTER)},
    {"reason": maybe(among(REASONS)), "device": text},
)
ANSWER = record(
    {
        "schema": among({"wgtui.lookup/1"}),
        "flow": FLOW,
        "outcome": among(CODES),
        "reason": maybe(among(REASONS)),
        "out": maybe(OUT),
        "back": each(BACK_ENTRY),
        "in": maybe(IN),
        "findings": each(record({})),
        "kernel": maybe(record({"agrees": truth})),
    },
    {
        "exactness": among({"exact", "may-change", "unseen"}),
        "may_be_changed_by": each(change),
        "unseen": each(among({"firewall", "xfrm", "tc"})),
        "connected": maybe(
            record(
                {"from": text, "outcome": among(CODES), "out": maybe(OUT)},
                {"reason": maybe(among(REASONS))},
            )
        ),
    },
)


def asked(flow: str, snapshot: Snapshot = DEMO) -> dict:
    """The object a program would read."""
    answer = lookup_json(snapshot, lookup(snapshot, Flow.parse(flow)))
    return json.loads(json.dumps(answer))


# ------------------------------------------------------------------------------------ the answers


@pytest.mark.parametrize(("flow", "outcome"), [(flow, outcome) for flow, outcome, _ in TOUR])
def test_every_answer_has_the_contracts_shape(flow: str, outcome: str) -> None:
    """The keys of §4, each of its kind, and no other that is not listed above."""
    answer = asked(flow)
    ANSWER(answer, "answer")
    assert answer["outcome"] == outcome
    assert (answer["in"] is not None) == (" iif " in flow)


def test_what_could_change_it_is_told_of_each_packet() -> None:
    """Chains as they are called; others by kind, device and what they do (S-H20)."""
    eth0 = DEMO.links_by_name["eth0"].index
    tc = Influence(InfluenceKind.TC, Direction.OUT, Effect.PROGRAM, eth0, name="\x1b[2J")
    ipsec = Influence(InfluenceKind.XFRM, Direction.OUT, Effect.BLOCK, name="default")
    chain = Hook("inet", "t", "out", "output", does=frozenset({"mark"}))
    host = replace(DEMO, hooks=(chain,), influences=(tc, ipsec))
    found = asked("198.51.100.99", host)
    ANSWER(found, "answer")
    named: dict = {"family": "inet", "table": "t", "chain": "out", "hook": "output"}
    named |= {"priority": 0, "does": ["mark"]}
    blocks = {"kind": "xfrm", "device": None, "detail": "out blocks everything else"}
    assert found["may_be_changed_by"] == [named, blocks]
    assert found["out"]["outer"]["may_be_changed_by"] == [
        named,
        {"kind": "tc", "device": "eth0", "detail": "egress runs program \\x1b[2J"},
        blocks,
    ]
    assert (found["exactness"], found["unseen"]) == ("may-change", [])
    blind = asked("198.51.100.99", replace(DEMO, hooks=None, influences=None))
    assert (blind["exactness"], blind["unseen"]) == ("unseen", ["firewall", "xfrm", "tc"])
    exact = asked("198.51.100.99", replace(DEMO, hooks=()))
    assert (exact["exactness"], exact["may_be_changed_by"]) == ("exact", [])


def test_the_checker_refuses_what_is_wrong() -> None:
    """A missing key, an unknown key, a wrong kind and an unmasked prefix are all found."""
    good = asked("10.30.4.1")
    wrong: list[dict] = [
        {key: value for key, value in good.items() if key != "back"},
        {**good, "colour": "red"},
        {**good, "outcome": "fine"},
        {**good, "kernel": {"agrees": 1}},
        {**good, "flow": {**good["flow"], "mark": "0x0"}},
        {**good, "out": {**good["out"], "owner": {**good["out"]["owner"], "allowed_ip": "10.1/8"}}},
    ]
    ANSWER(good, "answer")
    for answer in wrong:
        with pytest.raises((AssertionError, ValueError)):
            ANSWER(answer, "answer")


def test_the_example_of_the_contract() -> None:
    """An encrypted packet names rule, route, owner, endpoint and the encrypted packet's own way."""
    key = next(
        peer.public_key
        for device in DEMO.devices.values()
        for peer in device.peers
        if peer.label == "fra1"
    )
    found = asked("198.51.100.99")
    way = found["out"]
    assert way["rule"] == {"priority": 32765, "table": 51820}
    assert way["route"] == {
        "table": 51820, "to": "0.0.0.0/0", "type": "unicast", "dev": "wg0", "via": None,
        "metric": 0, "src": "10.64.0.2",
    }  # fmt: skip
    assert way["owner"] == {
        "device": "wg0", "peer": key, "name": "fra1", "allowed_ip": "0.0.0.0/0",
    }  # fmt: skip
    assert way["endpoint"] == "198.51.100.4:51820"
    assert way["outer"]["outcome"] == "sent"
    assert way["outer"]["flow"]["mark"] == 0xCA6C
    assert way["outer"]["out"]["route"]["via"] == "192.0.2.1"
    (entrance,) = found["back"]
    assert (entrance["device"], entrance["outcome"]) == ("wg0", "accepted")
    assert {**entrance["rp_filter"], "why": ""} == {
        "device": "wg0", "mode": 2, "result": "pass", "why": "",
    }  # fmt: skip


def test_a_packet_in_a_packet_nests() -> None:
    """One ``outer`` inside the other, each with its owner; the last one has none."""
    way = asked("10.30.4.1")["out"]
    names = []
    while way["outer"] is not None:
        names.append(way["owner"]["name"])
        way = way["outer"]["out"]
    assert names == ["ams2", "fra1"]
    assert (way["owner"], way["endpoint"], way["route"]["dev"]) == (None, None, "eth0")


@pytest.mark.parametrize(
    "flow",
    [flow for flow, outcome, _ in TOUR if outcome in ("not-allowed", "martian", "rpf-dropped")],
)
def test_what_is_refused_at_the_door_has_no_way_out(flow: str) -> None:
    """``out`` is null before routing had a say, and ``in`` says why."""
    answer = asked(flow)
    assert answer["out"] is None
    assert answer["in"]["outcome"] != "accepted"


def test_a_type_and_an_action_are_told_apart() -> None:
    """Where a route's type decided it is named; where a rule's action did, the route is null."""
    by_route = asked("10.66.0.1")["out"]
    assert (by_route["route"]["type"], by_route["route"]["to"]) == ("blackhole", "10.66.0.0/16")
    assert by_route["rule"] == {"priority": 32764, "table": 254}
    by_rule = asked("198.51.100.99 mark 0xdead")["out"]
    assert (by_rule["rule"]["priority"], by_rule["route"]) == (30900, None)
    assert asked("192.168.10.1")["out"]["route"]["type"] == "local"


def test_several_next_hops_are_all_listed() -> None:
    """``dev`` and ``via`` are the first of ``next_hops``; a single one makes no list."""
    route = asked("10.90.1.1")["out"]["route"]
    assert route["next_hops"] == [
        {"dev": "eth0", "via": "192.0.2.1", "weight": 2},
        {"dev": "eth1", "via": "192.168.10.254", "weight": 1},
    ]
    assert (route["dev"], route["via"]) == ("eth0", "192.0.2.1")
    assert "next_hops" not in asked("10.30.4.1")["out"]["route"]


def test_a_reason_is_a_code_where_the_outcome_is_not_enough() -> None:
    """Unknown always has one; a plain success has none."""
    assert asked("198.51.100.77")["reason"] == "unknown-selector"
    assert asked("198.51.100.99 from 198.51.100.1")["reason"] == "source-not-local"
    assert asked("10.30.4.1")["reason"] is None


def test_entrances_come_in_order() -> None:
    """The winning route's link first, then every other device with an owner; no filter for IPv6."""
    assert [entry["device"] for entry in asked("172.30.7.9")["back"]] == ["wg0", "wg1"]
    assert [entry["device"] for entry in asked("10.30.5.1")["back"]] == ["wg1", "wg0"]
    six = asked("fd30:0:0:5::1")["back"]
    assert [entry["rp_filter"] for entry in six] == [None, None]
    assert [entry["outcome"] for entry in six] == ["accepted", "asymmetric"]


def test_an_ipv6_endpoint_stands_in_brackets() -> None:
    """As ``wg`` prints it."""
    assert asked("10.20.0.51")["out"]["endpoint"] == "[2001:db8:77::51]:41641"


def test_a_peer_without_a_name_has_none() -> None:
    """The key says who it is; a name is never made up."""
    wg1 = DEMO.links_by_name["wg1"].index
    device = DEMO.devices[wg1]
    peers = tuple(replace(peer, label="") for peer in device.peers)
    owner = asked("10.30.5.1", replace(DEMO, devices={wg1: replace(device, peers=peers)}))["out"][
        "owner"
    ]
    assert owner["name"] is None
    assert len(owner["peer"]) == 44


@pytest.mark.parametrize("agrees", [True, False])
def test_the_kernels_word_is_true_false_or_not_asked(agrees: bool) -> None:
    """Null unless a kernel was asked."""
    trace = lookup(DEMO, Flow.parse("10.30.5.1"))
    assert lookup_json(DEMO, trace, agrees)["kernel"] == {"agrees": agrees}
    assert lookup_json(DEMO, trace)["kernel"] is None


def test_a_host_without_anything_has_no_route() -> None:
    """The smallest host still gives the whole shape."""
    bare = read_host(HostLines(), taken_at=0.0)
    answer = asked("192.0.2.1", bare)
    ANSWER(answer, "answer")
    assert (answer["outcome"], answer["back"], answer["in"]) == ("no-route", [], None)


def test_hostile_names_are_data() -> None:
    """A program gets the name as it is, in JSON that is pure ASCII."""
    evil = "wg1\x1b[2J\u202e\n"
    wg1 = DEMO.links_by_name["wg1"].index
    links = {**DEMO.links, wg1: replace(DEMO.links[wg1], name=evil)}
    devices = {**DEMO.devices, wg1: replace(DEMO.devices[wg1], name=evil)}
    snapshot = replace(DEMO, links=links, devices=devices)
    line = json.dumps(lookup_json(snapshot, lookup(snapshot, Flow.parse("10.30.5.1"))))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["out"]["owner"]["device"] == evil


def test_an_error_is_one_key() -> None:
    """A line that cannot be understood."""
    assert error_json("why") == {"error": "why"}
