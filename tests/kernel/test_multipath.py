"""Which legs of a route with several next hops does the running kernel really take (S-B8, S-B9)?

v0 10.0.0.1/24, v1 10.0.1.1/24, v2 10.0.2.1/24     three uplinks, each with a source of its own
v3                                                 one without: its leg borrows v0's
"""

from collections.abc import Iterator

import pytest

from tests.kernel.fuzz.compare import answers
from tests.kernel.fuzz.hosts import host, settled
from tests.kernel.fuzz.worlds import World
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot

DESTINATIONS = 250
"""So many that every leg the hash may pick is picked: at worst once in 4^100 it is not."""

UPLINKS = (
    "ip link set lo up",
    *(
        f"ip link {words}"
        for n in range(4)
        for words in (f"add v{n} type veth peer name w{n}", f"set w{n} up", f"set v{n} up")
    ),
    *(f"ip -4 address add 10.0.{n}.1/24 dev v{n}" for n in range(3)),
    "ip -4 address add 192.0.2.1/32 dev lo",
    "sysctl -w net.ipv4.ip_forward=1",
    "sysctl -w net.ipv4.conf.v3.accept_local=1",
)
LEGS = " ".join(f"nexthop via 10.0.{n}.2 dev v{n}" for n in range(3))
MULTIPATH = (
    f"ip -4 route add 198.18.0.0/16 {LEGS}",
    f"ip -4 route add 198.19.0.0/16 src 192.0.2.1 {LEGS} nexthop dev v3",
    *(f"ip -4 nexthop add id {n + 1} via 10.0.{n}.2 dev v{n}" for n in range(3)),
    "ip nexthop add id 10 group 1/2/3",
    "ip -4 route add 198.20.0.0/16 nhid 10",
)


@pytest.fixture(scope="module")
def uplinks() -> Iterator[Snapshot]:
    """The host, as wgtui sees it."""
    with host(World(UPLINKS + MULTIPATH)) as source:
        yield settled(source)


@pytest.mark.parametrize(
    "words",
    [
        "198.18.{}.{}",
        *(f"198.18.{{}}.{{}} from 10.0.{n}.1" for n in range(3)),
        "198.18.{}.{} from 192.0.2.1",
        "198.18.{}.{} from 10.0.1.1 oif v2",
        "198.18.{}.{} from 10.0.1.1 iif v3",
        *(f"198.19.{{}}.{{}} from {source}" for source in ("10.0.0.1", "10.0.2.1", "192.0.2.1")),
        "198.20.{}.{} from 10.0.1.1",
    ],
)
def test_exactly_the_legs_named_are_taken(uplinks: Snapshot, words: str) -> None:
    """Every leg of the answer carries some destination, and no other leg does: the source picks
    one of its own since Linux 6.16, not of a next-hop object, nor for a packet that arrives."""
    flows = [Flow.parse(words.format(n % 7, n)) for n in range(1, DESTINATIONS)]
    taken = {answer.link for answer in answers(uplinks.namespace, flows) if answer is not None}
    named = {
        leg.link
        for flow in flows
        if (step := lookup(uplinks, flow).route)
        for leg in step.next_hops
    }
    assert None not in taken
    assert {uplinks.link_name(link) for link in named} == {
        uplinks.link_name(link) for link in taken
    }
