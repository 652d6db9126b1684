"""What else could change an answer, and which packet does it concern? (S-H6 … S-H8, S-H20)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, with_link, world
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind, PolicySelector
from wgtui.model.network import Masked
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Gap, Hook, Snapshot, Subject
from wgtui.model.trace import Exactness
from wgtui.report.sentences import answer

TUNNEL = """
wg0 listen-port 51820 fwmark 0xca6c
peer FAR endpoint 203.0.113.9:51820 allowed-ips 10.0.0.0/8
"""
LINKS = """
eth0 UP 192.0.2.10/24
eth1 UP 198.51.100.10/24
wg0 UNKNOWN 10.9.0.1/24
"""
ROUTES = """
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel src 192.0.2.10
198.51.100.0/24 dev eth1 proto kernel src 198.51.100.10
10.0.0.0/8 dev wg0
"""


def tunnel(*influences: Influence) -> Snapshot:
    """A host whose wg0 has 10/8, and sends its encrypted packets by eth0."""
    sysctls = "net.ipv4.conf.eth0.forwarding = 1"
    host = world(LINKS, routes4=ROUTES, wireguard=TUNNEL, sysctls=sysctls)
    return replace(host, influences=influences)


def tc(snapshot: Snapshot, link: str, direction: Direction) -> Influence:
    """A filter on a link that drops."""
    index = snapshot.links_by_name[link].index
    return Influence(InfluenceKind.TC, direction, Effect.DROP, index)


def policy(
    direction: Direction = Direction.OUT, selector: PolicySelector | None = None
) -> Influence:
    """An IPsec policy; for all of IPv4 unless its selector says otherwise."""
    chosen = selector or PolicySelector(4)
    return Influence(InfluenceKind.XFRM, direction, Effect.TRANSFORM, selector=chosen)


def but(snapshot: Snapshot, flow: str) -> list[str]:
    """The lines that say what else could change it."""
    return [line.text for line in answer(snapshot, ask(snapshot, flow)) if line.label == "but"]


@pytest.mark.parametrize(
    ("link", "direction", "flow", "inner", "outer"),
    [
        ("wg0", Direction.OUT, "10.1.1.1", 1, 0),
        ("wg0", Direction.IN, "10.1.1.1", 1, 0),
        ("eth0", Direction.OUT, "10.1.1.1", 0, 1),
        ("eth1", Direction.OUT, "10.1.1.1", 0, 0),
        ("eth0", Direction.OUT, "203.0.113.9", 1, 0),
        ("eth0", Direction.IN, "203.0.113.9 from 192.0.2.77 iif eth0", 1, 0),
        ("eth1", Direction.IN, "203.0.113.9 from 192.0.2.77 iif eth0", 0, 0),
        ("eth0", Direction.OUT, "192.0.2.10 from 192.0.2.77 iif eth0", 0, 0),
    ],
)
def test_a_filter_concerns_the_packets_on_its_link(
    link: str, direction: Direction, flow: str, inner: int, outer: int
) -> None:
    """Out where a packet leaves, in where it or the answer to it comes in (S-H7)."""
    snapshot = tunnel()
    snapshot = replace(snapshot, influences=(tc(snapshot, link, direction),))
    trace = ask(snapshot, flow)
    assert len(trace.influences) == inner
    assert (0 if trace.outer is None else len(trace.outer.influences)) == outer
    expected = Exactness.MAY_CHANGE if inner or outer else Exactness.EXACT
    assert trace.exactness is expected


def test_xdp_meets_what_comes_in() -> None:
    """The packet that arrives, and the encrypted answer to one that leaves (S-H8)."""
    snapshot = tunnel()
    snapshot = with_link(snapshot, "eth0", replace(snapshot.links_by_name["eth0"], xdp=True))
    trace = ask(snapshot, "10.1.1.1")
    assert trace.influences == ()
    assert trace.outer is not None
    assert [item.kind for item in trace.outer.influences] == [InfluenceKind.XDP]
    assert but(snapshot, "10.1.1.1") == ["XDP on eth0 may change it: runs a program (answers)"]
    arrives = "198.51.100.10 from 192.0.2.77 iif eth0"
    assert but(snapshot, arrives) == ["XDP on eth0 may change it: runs a program"]


@pytest.mark.parametrize(
    ("selector", "flow", "matches"),
    [
        (PolicySelector(4, destination=Prefix.parse("203.0.113.0/24")), "203.0.113.9", True),
        (PolicySelector(4, destination=Prefix.parse("203.0.112.0/24")), "203.0.113.9", False),
        (PolicySelector(4, source=Prefix.parse("192.0.2.10/32")), "203.0.113.9", True),
        (PolicySelector(4, source=Prefix.parse("192.0.2.11/32")), "203.0.113.9", False),
        (PolicySelector(4, protocol=6), "203.0.113.9", True),
        (PolicySelector(4, protocol=6), "203.0.113.9 ipproto udp", False),
        (PolicySelector(4, destination_port=Masked(53, 0xFFFF)), "203.0.113.9", True),
        (
            PolicySelector(4, destination_port=Masked(53, 0xFFFF)),
            "203.0.113.9 ipproto udp dport 5",
            False,
        ),
        (
            PolicySelector(4, source_port=Masked(53, 0xFFFF)),
            "203.0.113.9 ipproto udp sport 53",
            True,
        ),
        (PolicySelector(4, mark=Masked(5, 0xF)), "203.0.113.9", False),
        (PolicySelector(4, mark=Masked(5, 0xF)), "203.0.113.9 mark 0x15", True),
        (PolicySelector(4, interface_id=7), "203.0.113.9", False),
        (PolicySelector(6), "203.0.113.9", False),
    ],
)
def test_a_policy_concerns_what_its_selector_may_match(
    selector: PolicySelector, flow: str, matches: bool
) -> None:
    """What is not known of a packet counts as a match; the source is the one it is given (S-H6)."""
    snapshot = tunnel(policy(selector=selector))
    assert bool(ask(snapshot, flow).influences) is matches


def test_the_encrypted_packet_is_asked_about_too() -> None:
    """Its endpoint, protocol and mark are its own (S-H6, S-E18)."""
    selector = PolicySelector(4, destination=Prefix.parse("203.0.113.9/32"), protocol=17)
    wanted = policy(selector=selector)
    trace = ask(tunnel(wanted), "10.1.1.1")
    assert trace.influences == ()
    assert trace.outer is not None
    assert trace.outer.influences == (wanted,)


@pytest.mark.parametrize(
    ("flow", "met"),
    [
        ("203.0.113.9", {Direction.OUT}),
        ("127.0.0.1", set()),
        ("203.0.113.9 from 192.0.2.77 iif eth0", {Direction.FORWARD, Direction.OUT}),
        ("198.51.100.10 from 192.0.2.77 iif eth0", {Direction.IN}),
        ("198.51.100.10 from 127.0.0.5 iif eth0", set()),
    ],
)
def test_which_policies_a_packet_meets(flow: str, met: set[Direction]) -> None:
    """Made here: out; delivered: in; going on: forward and out; refused: none (S-H6)."""
    snapshot = tunnel(*map(policy, Direction))
    assert {item.direction for item in ask(snapshot, flow).influences} == met


def test_a_chain_that_both_packets_pass_is_named_once() -> None:
    """It stands in both traces, and the line says that it concerns both (S-E18, S-H20)."""
    chains = tuple(
        Hook(family, "t", "out", "output", does=frozenset({"mark"})) for family in ("ip", "inet")
    )
    snapshot = replace(tunnel(), hooks=chains)
    trace = ask(snapshot, "10.1.1.1")
    assert trace.hooks == chains
    assert trace.outer is not None
    assert trace.outer.hooks == chains
    assert but(snapshot, "10.1.1.1") == [
        "nft table ip t may change it: chain out sets the mark (both packets)",
        "nft table inet t may change it: chain out sets the mark (both packets)",
    ]


@pytest.mark.parametrize(
    ("changes", "unseen"),
    [
        ({}, []),
        ({"hooks": None}, [Subject.FIREWALL]),
        ({"influences": None}, [Subject.XFRM, Subject.TC]),
        ({"gaps": (Gap(Subject.XFRM, "not permitted", "be root"),)}, [Subject.XFRM]),
        ({"gaps": (Gap(Subject.TC, "torn"),)}, [Subject.TC]),
    ],
)
def test_what_could_not_be_looked_at_is_named(
    changes: dict[str, object], unseen: list[Subject]
) -> None:
    """Without a word where everything was; never as if it were not there (S-H20)."""
    snapshot = replace(tunnel(), **changes)  # type: ignore[arg-type]
    trace = ask(snapshot, "10.1.1.1")
    assert list(trace.unseen) == unseen
    assert trace.exactness is (Exactness.UNSEEN if unseen else Exactness.EXACT)
    lines = but(snapshot, "10.1.1.1")
    assert len(lines) == bool(unseen)
    for gap in snapshot.gaps:
        assert gap.why in lines[0]
        assert gap.hint in lines[0]


def test_an_unknown_outcome_is_not_exact() -> None:
    """Whatever could not be seen on its way (S-H20)."""
    gap = Gap(Subject.ROUTES4, "no file route4.json")
    snapshot = replace(tunnel(), routes={}, gaps=(gap,))
    assert ask(snapshot, "10.1.1.1").exactness is Exactness.UNSEEN


def test_many_filters_make_no_long_list() -> None:
    """Four of a kind are named, the others counted; the trace has them all."""
    index = tunnel().links_by_name["eth0"].index
    many = tuple(
        Influence(InfluenceKind.TC, Direction.OUT, Effect.CHANGE, index, name=f"action{number}")
        for number in range(9)
    )
    snapshot = tunnel(*many)
    assert len(ask(snapshot, "203.0.113.9").influences) == 9
    said = but(snapshot, "203.0.113.9")
    assert "action3" in said[3]
    assert said[4:] == ["and 5 more of these"]


def test_a_chain_that_may_drop_what_comes_back_is_named_in_words() -> None:
    """Whose packets they are, and the priorities where the order decides (S-D9, S-H20)."""

    def chain(name: str, priority: int, does: str) -> Hook:
        return Hook("ip", "fw", name, "prerouting", priority, does=frozenset({does}))

    rpf, mark = chain("rpf", -290, "fib-drop"), chain("marks", -150, "restore-mark")
    snapshot = replace(tunnel(), hooks=(mark, rpf))
    both = (
        "nft table ip fw may change it: "
        "chain rpf (priority -290) drops by route (answers, encrypted and inside), "
        "chain marks (priority -150) restores the mark (answers, encrypted and inside)"
    )
    assert but(snapshot, "10.1.1.1") == [both]
    spared = replace(rpf, not_from=("wg0",))
    [told] = but(replace(snapshot, hooks=(spared,)), "10.1.1.1")
    does = "chain rpf (priority -290) drops by route (encrypted answers)"
    assert told == f"nft table ip fw may change it: {does}"
    assert but(replace(snapshot, hooks=(chain("raw", -300, "drop"),)), "203.0.113.9") == [
        "nft table ip fw may change it: chain raw drops (answers)"
    ]
