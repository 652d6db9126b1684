"""Do the layers of a whole range say what the walk says of every single address?"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.engine.random_hosts import SPACE, hosts
from tests.engine.worlds import rules, world
from wgtui.engine.checks.ground import prefixes_of
from wgtui.engine.checks.partition import LOCAL, MISS, MIXED, REFUSED, UNKNOWN, way_of
from wgtui.engine.checks.ways import Ways
from wgtui.engine.query import UDP, Query
from wgtui.engine.rules import walk
from wgtui.model.network import RouteType
from wgtui.model.prefix import FAMILIES, Family, Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome

HERE = (RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.MULTICAST)


def said_by_the_walk(snapshot: Snapshot, query: Query) -> tuple[int, frozenset[int]]:
    """The stupid way: one address, one walk."""
    found = walk(snapshot, query)
    if found.error is Outcome.UNKNOWN:
        return UNKNOWN, frozenset()
    if found.error is Outcome.NO_ROUTE:
        return MISS, frozenset()
    if found.error is not None:
        return REFUSED, frozenset()
    assert found.route is not None
    if found.route.info.type in HERE:
        return LOCAL, frozenset()
    return 0, frozenset(leg.link for leg in found.legs if leg.link is not None)


@given(snapshot=hosts(), mark=st.sampled_from((0, 1)), source=st.sampled_from((0, 3, 40)))
def test_layers_say_what_the_walk_says(snapshot: Snapshot, mark: int, source: int) -> None:
    """At every address of a small space, for marked packets and such with a source (S-A6 … S-A10,
    S-B1, S-B66)."""
    for family in FAMILIES:
        space = SPACE[family]
        sender = space.network + source if source else 0
        query = Query(family, 0, source=sender, mark=mark, protocol=UDP if family == 4 else 0)
        routing = Ways(snapshot).routing(query)
        spans = list(routing.spans(space.network, space.last))
        assert [span[0] for span in spans] == [
            space.network,
            *(span[1] + 1 for span in spans[:-1]),
        ]
        assert spans[-1][1] == space.last
        for first, last, value in spans:
            for address in range(first, last + 1):
                code, links = said_by_the_walk(snapshot, query._replace(destination=address))
                if way_of(value).code == MIXED:
                    continue  # several uplinks of one rank: the walk names them, the range does not
                assert routing.at(address) >> 8 == value >> 8
                assert routing.links(value) == links
                assert links or way_of(value).code == code


@given(family=st.sampled_from(FAMILIES), ends=st.tuples(st.integers(0, 300), st.integers(0, 300)))
def test_a_range_is_its_prefixes(family: Family, ends: tuple[int, int]) -> None:
    """All of it, nothing else, nothing twice, and no two of them make one."""
    first, last = min(ends), max(ends)
    parts = list(prefixes_of(family, first, last))
    covered = [a for part in parts for a in range(part.network, part.last + 1)]
    assert covered == list(range(first, last + 1))
    for one, two in pairwise(parts):
        assert Prefix.of(family, one.network, one.length - 1).last != two.last or (
            one.length != two.length
        )


def test_a_goto_that_only_some_destinations_take_is_not_guessed() -> None:
    """Behind it there are two walks; a plain one is followed (S-A11)."""
    jump = rules(
        "100: from all to 10.0.0.0/24 goto 300", "200: from all unreachable", "300: from all nop"
    )
    routing = Ways(world(rules4=jump)).plain(4)
    assert way_of(routing.at(0x0A000001)).code == UNKNOWN
    assert way_of(routing.at(0x0A000101)).code == REFUSED
    plain = rules("100: from all goto 300", "200: from all unreachable", "300: from all nop")
    assert (
        Ways(world(rules4=plain)).plain(4).links(Ways(world(rules4=plain)).plain(4).at(0x0A000001))
    )


def test_one_tree_of_local_and_main_has_one_longest_prefix() -> None:
    """S-A4: a longer prefix in main beats 127.0.0.0/8 of local, an equal one does not; once a rule
    was added local comes first."""
    snapshot = world(
        "wg0 UNKNOWN 10.9.0.1/24\neth0 UP 192.0.2.10/24",
        routes4="127.0.0.53 dev wg0\n127.1.0.0/16 dev wg0\nblackhole 127.2.0.0/16\n"
        "127.0.0.0/8 dev eth0\n10.9.0.1 dev eth0\nlocal 127.1.2.0/24 dev lo table local\n"
        "local 127.0.0.0/8 dev lo table local\n127.1.2.128/25 dev eth0\nblackhole default",
    )
    asked = ("127.0.0.1", "127.0.0.53", "127.1.0.1", "127.1.2.1", "127.1.2.200", "127.2.0.1")
    for tree in (True, False):
        host = replace(snapshot, local_in_main=tree)
        query = Query(4, 0, protocol=UDP)
        routing = Ways(host).routing(query)
        ways = []
        for address in (*asked, "10.9.0.1", "192.0.2.10", "8.8.8.8"):
            number = int(IPAddress(address))
            code, links = said_by_the_walk(host, query._replace(destination=number))
            value = routing.at(number)
            assert routing.links(value) == links, address
            assert links or way_of(value).code == code, address
            ways.append(bool(links))
        assert ways[: len(asked)] == (
            [False, True, True, False, True, False] if tree else [False] * 6
        )
