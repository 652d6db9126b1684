"""The AllowedIPs calculator, and what a list takes from whom, address by address."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracles
from tests.engine.random_hosts import PEERS, SPACE, hosts, prefixes
from wgtui.cli import main
from wgtui.engine.taking import find_holder, taking
from wgtui.errors import QueryError
from wgtui.model.address_expression import parse_expression, prefixes_of
from wgtui.model.prefix import FAMILIES, Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.sources.demo import DemoSource


@st.composite
def sums(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Signs and prefixes of the small spaces; the first is added."""
    signs = draw(st.lists(st.sampled_from(("+", ",", "-", "-")), max_size=6))
    families = [draw(st.sampled_from(FAMILIES)) for _ in ("+", *signs)]
    return [(s, draw(prefixes(f))) for s, f in zip(("+", *signs), families, strict=True)]


@given(sums())
def test_a_sum_means_what_it_means_address_by_address(terms: list[tuple[str, str]]) -> None:
    """From left to right over plain Python sets, and the list is the shortest netaddr knows."""
    text = " ".join(f"{sign} {prefix}" for sign, prefix in terms).removeprefix("+ ")
    found = parse_expression(text)
    for family in FAMILIES:
        space = SPACE[family]
        naive: set[int] = set()
        for sign, word in terms:
            prefix = Prefix.parse(word)
            if prefix.family == family:
                covered = {a for a in range(space.network, space.last + 1) if prefix.covers(a)}
                naive = naive - covered if sign == "-" else naive | covered
        whole = range(space.network, space.last + 1)
        assert {address for address in whole if address in found[family]} == naive
        assert found[family].count == len(naive)
    assert len(prefixes_of(found)) == len(set(prefixes_of(found)))


@settings(max_examples=25)
@given(hosts(), st.sampled_from(PEERS), st.data())
def test_a_list_takes_what_the_naive_owner_says(
    host: Snapshot, name: str, data: st.DataObject
) -> None:
    """Before and after, every address asked of all entries (S-E1, S-E2)."""
    device = host.devices[host.links_by_name["wg0"].index]
    [peer] = [peer for peer in device.peers if peer.label == f"{name}wg0"]
    wanted = data.draw(st.lists(st.sampled_from(FAMILIES).flatmap(prefixes), max_size=3))
    given_list = tuple(dict.fromkeys(Prefix.parse(word) for word in wanted))
    found = taking(device, peer, given_list)
    others = [
        replace(one, allowed_ips=tuple(p for p in one.allowed_ips if p not in given_list))
        for one in device.peers
        if one is not peer
    ]
    later = [*others, replace(peer, allowed_ips=given_list)]
    for family in FAMILIES:
        for address in range(SPACE[family].network, SPACE[family].last + 1):
            old = oracles.owner(device.peers, family, address)
            new = oracles.owner(later, family, address)
            names = (
                device.peers[old[0]].label if old is not None else None,
                later[new[0]].label if new is not None else None,
            )
            told = [
                (one.before and one.before.label, one.after and one.after.label)
                for one in found.moved
                if one.addresses.family == family and address in one.addresses
            ]
            assert told == ([names] if names[0] != names[1] else [])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("- 10.0.0.0/8", 0),
        ("10.0.0.0/8 -", 12),
        ("10.0.0.0/8 - x", 13),
        ("10.0.0.0/8 - + ::", 13),
    ],
)
def test_what_is_no_sum_is_named(text: str, place: int) -> None:
    """With the place of the word."""
    with pytest.raises(QueryError) as failed:
        parse_expression(text)
    assert failed.value.position == place


def test_the_usual_negation() -> None:
    """Everything but the office: where people get it wrong by hand."""
    found = prefixes_of(parse_expression("0.0.0.0/0 - 192.168.0.0/16 - 10.1.2.3, ::/0 - fe80::/10"))
    texts = [str(prefix) for prefix in found]
    assert len(texts) == 46 + 10
    assert texts[:2] == ["0.0.0.0/5", "8.0.0.0/7"]
    assert "192.169.0.0/16" in texts
    assert "10.1.2.2/32" in texts


def test_a_peer_may_need_its_device() -> None:
    """The same name on two devices is asked back."""
    demo = DemoSource().read()
    assert find_holder(demo, "wg1:nas9")[1].label == "nas9"
    assert find_holder(demo, "nas9")[0].name == "wg1"
    with pytest.raises(QueryError, match="no peer"):
        find_holder(demo, "wg0:nas9")
    with pytest.raises(QueryError, match="may be any of"):
        find_holder(demo, "")


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Text, JSON, a peer, and a mistake."""
    assert main(["allowed-ips", "10.0.0.0/24 - 10.0.0.128/25"]) == 0
    assert capsys.readouterr().out.splitlines()[0].strip() == "10.0.0.0/25"
    assert main(["allowed-ips", "10.31.0.0/24", "--peer", "nas9", "--demo"]) == 0
    out = capsys.readouterr().out
    assert "✘ moves   lon3 loses its own entry to nas9: 10.31.0.0/24" in out
    assert "10.31.0.0/24 (256 addresses) on wg1: lon3 → nas9" in out
    assert main(["allowed-ips", "10.31.0.0/24", "--peer", "nas9", "--demo", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "wgtui.allowed-ips/1"
    assert found["peer"]["moves"][0]["name"] == "lon3"
    assert main(["allowed-ips", "10.0.0.0/24 - x"]) == 2
    assert "character 15" in capsys.readouterr().err
