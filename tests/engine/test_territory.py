"""Partitions of ranges against the plain lookup of every single address."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netaddr import IPAddress

from tests import oracles
from tests.engine.random_hosts import SPACE, hosts
from tests.engine.worlds import rules, world
from wgtui.engine.answer import answer_of
from wgtui.engine.holdings import holdings
from wgtui.engine.lookup import lookup
from wgtui.engine.territory import Partition, partition
from wgtui.errors import QueryError
from wgtui.model.flow import Flow
from wgtui.model.prefix import FAMILIES, Family, Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.sources.demo import TOUR, DemoSource

TEMPLATES: dict[Family, tuple[str, ...]] = {
    4: (
        "10.0.0.0",
        "10.0.0.0 mark 0x1",
        "10.0.0.0 from 192.0.2.10",
        "10.0.0.0 from 10.0.0.33 iif eth1",
        "10.0.0.0 from 203.0.113.77 iif eth1",
        "10.0.0.0 oif eth1",
    ),
    6: ("fd00::", "fd00:: mark 0x1", "fd00:: from fd00::21 iif eth1", "fd00:: oif eth1"),
}


def one_by_one(snapshot: Snapshot, found: Partition) -> None:
    """Every address of the range is asked by itself: the answers are those of its part."""
    family = found.within.family
    at = found.within.network
    for part in found.parts:
        first, last = part.span
        assert first == at
        for address in range(first, last + 1):
            flow = found.flow._replace(destination=IPAddress(address, family))
            assert answer_of(snapshot, lookup(snapshot, flow)) == part.answer, flow
        at = last + 1
    assert at == found.until + 1
    different = zip(found.parts, found.parts[1:], strict=False)
    assert all(one.answer != two.answer for one, two in different)


@settings(max_examples=25)
@given(hosts(), st.data())
def test_a_partition_says_what_every_lookup_says(snapshot: Snapshot, data: st.DataObject) -> None:
    """Random hosts, all addresses of a small range, packets made here and arriving."""
    family = data.draw(st.sampled_from(FAMILIES))
    flow = Flow.parse(data.draw(st.sampled_from(TEMPLATES[family])))
    found = partition(snapshot, SPACE[family], flow)
    assert found.whole
    one_by_one(snapshot, found)


@settings(max_examples=15)
@given(hosts(), st.integers(1, 12))
def test_what_is_cut_off_is_said(snapshot: Snapshot, limit: int) -> None:
    """With a limit it is told up to an address, and up to there nothing is wrong."""
    found = partition(snapshot, SPACE[4], limit=limit)
    one_by_one(snapshot, found)
    if not found.whole:
        assert found.until < SPACE[4].last
        assert partition(snapshot, SPACE[4], limit=10_000).parts


@settings(max_examples=15)
@given(hosts())
def test_holdings_are_those_of_every_address(snapshot: Snapshot) -> None:
    """Owned, routed, ownerless and unowned, asked address by address of the naive owner and lookup
    (S-E1, S-E6)."""
    for device in snapshot.devices.values():
        for family in FAMILIES:
            found = holdings(snapshot, device, family)
            by_key = {one.peer.public_key: one for one in found.holdings}
            space = SPACE[family]
            for address in range(space.network, space.last + 1):
                owner = oracles.owner(device.peers, family, address)
                trace = lookup(snapshot, Flow(IPAddress(address, family)))
                step = trace.ownership
                here = step is not None and step.device.name == device.name
                assert (address in found.unowned) == (owner is None)
                assert (address in found.ownerless) == (here and owner is None)
                for number, peer in enumerate(device.peers):
                    if peer.public_key not in by_key:
                        continue
                    mine = by_key[peer.public_key]
                    owned = owner is not None and owner[0] == number
                    assert (address in mine.owned) == owned
                    assert (address in mine.routed) == (owned and here)
                    away = [address in other.addresses for other in mine.elsewhere]
                    assert sum(away) == (owned and not here)


def test_shadowed_entries_are_named() -> None:
    """Of 10.0.0.0/24 nothing is left to anna: bert and cleo have a half each."""
    host = world(
        wireguard="""wg0
        peer anna allowed-ips 10.0.0.0/24,10.0.9.0/24
        peer bert allowed-ips 10.0.0.0/25
        peer cleo allowed-ips 10.0.0.128/25""",
        links="wg0 UNKNOWN 10.9.0.1/32",
        routes4="10.0.0.0/16 dev wg0",
    )
    [device] = host.devices.values()
    found = holdings(host, device, 4)
    assert [one.shadowed for one in found.holdings] == [(Prefix.parse("10.0.0.0/24"),), (), ()]
    assert found.holdings[0].owned.count == 256
    assert found.ownerless.count == 65536 - 3 * 256 + 256


def test_the_demo_as_a_whole() -> None:
    """Every question of the tour has its answer in the partition of the whole address space."""
    snapshot = DemoSource().read()
    for question, outcome, _ in TOUR:
        flow = Flow.parse(question)
        found = partition(snapshot, Prefix(flow.family, 0, 0), flow)
        address = int(flow.destination)
        [part] = [part for part in found.parts if part.span[0] <= address <= part.span[1]]
        assert part.answer.outcome.value == outcome, question


def test_addresses_that_the_kernel_treats_apart() -> None:
    """Multicast, broadcast, loopback and link-local have parts of their own (S-B15, S-B63)."""
    host = world(rules4=rules("100: from all to 10.0.0.0/8 unreachable"))
    special = ("224.0.0.1", "224.0.0.2", "255.255.255.255", "127.0.0.1", "0.0.0.0")
    for text in (*special, "ff02::1", "fe80::9", "::1"):
        for oif in ("", " oif eth1"):
            flow = Flow.parse(text + oif)
            found = partition(host, Prefix(flow.family, 0, 0), flow)
            address = int(flow.destination)
            [part] = [part for part in found.parts if part.span[0] <= address <= part.span[1]]
            assert part.answer == answer_of(host, lookup(host, flow)), text + oif


def test_a_link_that_is_not_there_is_said() -> None:
    """A flow that names no link of this host is refused, as by a lookup."""
    with pytest.raises(QueryError):
        partition(world(), Prefix.parse("10.0.0.0/8"), Flow.parse("10.0.0.1 oif nosuch"))
