"""What the reverse path filter lets in is what wgtui says: real packets on real links (section D).

Every comparison is one of many sources at once: bob claims to be each of them, wgtui says what
alice will do with it, and what alice (or carol behind her) receives is the judge. So is the
counter TcpExtIPReversePathFilter, which counts what this filter drops and no other martian (S-D7).
"""

import re
import select
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path
from socket import socket
from typing import Final, Literal, TypeAlias

import pytest

from tests.kernel.hosts import (
    KINDS,
    FullTunnel,
    Host,
    Kind,
    Pair,
    open_full_tunnel,
    open_pair,
)
from tests.kernel.test_cryptokey import (
    END,
    PATIENCE,
    PORT,
    SOURCE_PORT,
    arrived,
    mailbox,
    read,
    send_from,
)
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import BackOutcome, Outcome, ReverseStep, RpResult

Entrance: TypeAlias = Literal["wg0", "eth0"]
Outcomes: TypeAlias = tuple[str, str, str]
"""With the filter off, strict, and loose."""

ENTRANCES: Final[tuple[Entrance, ...]] = ("wg0", "eth0")
OFF, STRICT, LOOSE = 0, 1, 2
MODES: Final = (OFF, STRICT, LOOSE)
LET_IN: Final = {BackOutcome.ACCEPTED, BackOutcome.ASYMMETRIC}

ALWAYS: Final = ("local", "local", "local")
ONLY_OFF: Final = ("local", "rpf-dropped", "rpf-dropped")
NOT_STRICT: Final = ("local", "rpf-dropped", "local")
NEVER: Final = ("martian", "martian", "martian")
UNLESS_CHECKED: Final = ("local", "martian", "martian")


# ─── the scene ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Crossing:
    """bob's packets reach alice by two entrances, and carol through alice; eth1 is the other way.

    bob                            alice                           carol
    ┌──────────────────────┐      ┌──────────────────────┐        ┌───────────────────────┐
    │ wg0  10.77.0.2/24    ╞══════╡ wg0  10.77.0.1/24    │        │                       │
    │ eth0 192.0.2.2/24    ├──────┤ eth0 192.0.2.1/24    │        │                       │
    │                      │      │ eth1 198.51.100.1/24 ├────────┤ eth0 198.51.100.2/24  │
    └──────────────────────┘      │ lo   10.88.0.1, …    │        └───────────────────────┘
                                  └──────────────────────┘
    bob sends to 10.88.0.1 and 198.51.100.2 by wg0, to 10.89.0.1 and 198.51.100.3 by eth0. Either
    side allows the other everything, so that only routing decides.
    """

    pair: Pair
    carol: Host
    here: socket
    """Receives what is sent to alice."""
    beyond: socket
    """Receives what is sent to carol."""


@contextmanager
def open_crossing(kind: Kind) -> Iterator[Crossing]:
    """Three hosts in a row (drawn at Crossing)."""
    with open_pair(kind) as pair:
        alice, bob, carol = pair.alice, pair.bob, pair.network.host("carol")
        pair.network.cable(alice, "eth1", carol, "eth0")
        alice.ip(
            "address add 198.51.100.1/24 dev eth1",
            "link set eth1 up",
            "route add 203.0.113.0/24 via 198.51.100.2",
            "address add 10.88.0.1/32 dev lo",
            "address add 10.89.0.1/32 dev lo",
            "address add 10.88.0.9/32 dev lo",
            "address add fd88::1/128 dev lo",
            "address add fd89::1/128 dev lo",
        )
        carol.ip(
            "address add 198.51.100.2/24 dev eth0",
            "link set eth0 up",
            "route add local 203.0.113.0/24 dev lo",
        )
        bob.ip(
            "route add 10.88.0.1 dev wg0",
            "route add 203.0.113.0/25 dev wg0",
            "route add fd88::1 dev wg0",
            "route add 10.89.0.1 via 192.0.2.1",
            "route add 203.0.113.128/25 via 192.0.2.1",
            "route add fd89::1 via 2001:db8::1",
        )
        for device, other in ((pair.alice_wg0, pair.bob_wg0), (pair.bob_wg0, pair.alice_wg0)):
            device.add_peer(other.keys.public, "0.0.0.0/0", "::/0")
        set_all(alice, {"net/ipv4/ip_forward": 1})
        set_all(carol, {f"net/ipv4/conf/{link}/rp_filter": OFF for link in ("all", "eth0")})
        yield Crossing(pair, carol, mailbox(alice), mailbox(carol))


def set_all(host: Host, values: Mapping[str, int]) -> None:
    """Set sysctls, named as under /proc/sys."""

    def write() -> None:
        for name, value in values.items():
            Path("/proc/sys", name).write_text(f"{value}\n")

    host.inside(write)


def configure(host: Host, modes: Mapping[str, int], *on: str) -> None:
    """Give rp_filter of `all` and links a value (0 where none is given), and put these other
    switches on (`all/accept_local`) and all others off."""

    def write() -> None:
        for conf in Path("/proc/sys/net/ipv4/conf").iterdir():
            values = {"rp_filter": modes.get(conf.name, OFF)}
            for switch in ("accept_local", "src_valid_mark"):
                values[switch] = int(f"{conf.name}/{switch}" in on)
            for name, value in values.items():
                (conf / name).write_text(f"{value}\n")

    host.inside(write)


def dropped() -> int:
    """What the filter has dropped on the host that this thread lives on (S-D7)."""
    text = Path("/proc/thread-self/net/netstat").read_text()
    names, values = (line.split() for line in text.splitlines() if line.startswith("TcpExt:"))
    return int(values[names.index("IPReversePathFilter")])


DELIVERED: Final[dict[Entrance, str]] = {"wg0": "10.88.0.1", "eth0": "10.89.0.1"}
DELIVERED6: Final[dict[Entrance, str]] = {"wg0": "fd88::1", "eth0": "fd89::1"}
FORWARDED: Final[dict[Entrance, list[str]]] = {
    "wg0": [f"203.0.113.{number}" for number in range(1, 101)],
    "eth0": [f"203.0.113.{number}" for number in range(129, 229)],
}
"""Never two packets to the same address: one that comes in right behind another, in one batch, is
forwarded like that one without a look at its source (ip_input.c:ip_can_use_hint)."""
BROADCASTS: Final[dict[Entrance, str]] = {"wg0": "10.77.0.255", "eth0": "192.0.2.255"}
TRUSTED: Final[dict[Entrance, str]] = {"wg0": "10.77.0.2", "eth0": "192.0.2.2"}
TRUSTED6: Final[dict[Entrance, str]] = {"wg0": "fd77::2", "eth0": "2001:db8::2"}
"""Bob's own addresses, which are let in whatever the mode."""


def compare(
    crossing: Crossing,
    entrance: Entrance,
    sources: Iterable[str],
    destinations: Sequence[str] = (),
    *,
    mark: int = 0,
    tos: int = 0,
) -> dict[str, str]:
    """What wgtui says of a packet from each of these sources; it is asserted that it is so."""
    alice = crossing.pair.alice
    forwarded = destinations == FORWARDED[entrance]
    places = cycle(destinations or [DELIVERED[entrance]])
    to = {source: DELIVERED6[entrance] if ":" in source else next(places) for source in sources}
    words = f"iif {entrance} mark {mark} tos {tos}"
    words += f" ipproto udp sport {SOURCE_PORT} dport {PORT}"
    if entrance == "wg0":
        words += f" peer {crossing.pair.bob_wg0.keys.public}"
    snapshot, before = alice.inside(lambda: (read(), dropped()))
    outcomes = {
        source: lookup(snapshot, Flow.parse(f"{there} from {source} {words}")).outcome
        for source, there in to.items()
    }

    letters = [(source, source, there) for source, there in to.items()]
    ends = [(END, TRUSTED[entrance], next(places))]
    if not forwarded:  # resolving an IPv6 neighbour takes its time
        ends += [(END, TRUSTED6[entrance], DELIVERED6[entrance])]
    send_from(crossing.pair.bob, [*letters, *ends], tos)
    received = arrived(crossing.beyond if forwarded else crossing.here, len(ends), signed=True)
    said = {source: outcome.value for source, outcome in outcomes.items()}
    assert sorted(received) == sorted(source for source in to if outcomes[source].good), said
    counted = alice.inside(dropped) - before
    assert counted == list(outcomes.values()).count(Outcome.RPF_DROPPED), said
    if not (destinations or mark or tos):
        for source, there in to.items():
            words = f"{source} from {there} ipproto udp sport {PORT} dport {SOURCE_PORT}"
            for step in lookup(snapshot, Flow.parse(words)).back:
                if snapshot.link_name(step.link) == entrance:
                    assert (step.outcome in LET_IN) == (source in received), (source, step)
    return said


# ─── where the way back to a source leads ────────────────────────────────────────────────────────

Ways: TypeAlias = dict[str, tuple[str, Outcomes]]
"""What is particular about a source: how it is routed, and what comes of it."""

OTHER: Final = "via 198.51.100.2"
"""Out of eth1, by which nothing of this comes in."""

OBJECTS: Final = f"nexthop add id NUMBER1 dev LINK; nexthop add id NUMBER2 {OTHER} dev eth1"
ROUTES: Final[Ways] = {
    "back by the entrance": ("route add NET dev LINK", ALWAYS),
    "back by another link": (f"route add NET {OTHER}", NOT_STRICT),
    "no way back": ("", ONLY_OFF),
    "unreachable": ("route add unreachable NET", ONLY_OFF),
    "blackhole": ("route add blackhole NET", ONLY_OFF),
    "prohibit": ("route add prohibit NET", ONLY_OFF),
    "throw": ("route add throw NET", ONLY_OFF),
    "longer by the entrance": (f"route add HOST dev LINK; route add NET {OTHER}", ALWAYS),
    "longer by another": (f"route add NET dev LINK; route add HOST {OTHER}", NOT_STRICT),
    "better by the entrance": (
        f"route add NET dev LINK metric 8; route add NET {OTHER} metric 9",
        ALWAYS,
    ),
    "better by another": (
        f"route add NET dev LINK metric 9; route add NET {OTHER} metric 8",
        NOT_STRICT,
    ),
    "a leg by the entrance": (
        f"route add NET nexthop {OTHER} weight 9 nexthop dev LINK",
        ALWAYS,
    ),
    "a member by the entrance": (
        f"{OBJECTS}; nexthop add id NUMBER group NUMBER1/NUMBER2; route add NET nhid NUMBER",
        ALWAYS,
    ),
}


BY_HAND: Final[Ways] = ROUTES | {"local by hand": ("route add local NET dev lo", NEVER)}
BY_RULE: Final = f"route add NET {OTHER}; rule add pref 100 to NET"
RULES: Final[Ways] = {
    "iif lo": (f"{BY_RULE} iif lo lookup TABLE", ALWAYS),
    "iif of the entrance": (f"{BY_RULE} iif LINK lookup TABLE", NOT_STRICT),
    "iif of the way out": (f"{BY_RULE} iif eth1 lookup TABLE", NOT_STRICT),
    "oif of the entrance": (f"{BY_RULE} oif LINK lookup TABLE", NOT_STRICT),
    "from where it went": (f"{BY_RULE} from HERE lookup TABLE", ALWAYS),
    "from where it did not go": (f"{BY_RULE} from 10.88.0.9 lookup TABLE", NOT_STRICT),
    "from where it was shouted": (f"{BY_RULE} from SHOUT lookup TABLE", NOT_STRICT),
    "uid 0": (f"{BY_RULE} uidrange 0-0 lookup TABLE", ALWAYS),
    "any other uid": (f"{BY_RULE} uidrange 1-4294967294 lookup TABLE", NOT_STRICT),
    "ports swapped": (
        f"{BY_RULE} ipproto udp sport {PORT} dport {SOURCE_PORT} lookup TABLE",
        ALWAYS,
    ),
    "ports as they are": (
        f"{BY_RULE} ipproto udp sport {SOURCE_PORT} dport {PORT} lookup TABLE",
        NOT_STRICT,
    ),
    "mark 7": (f"{BY_RULE} fwmark 7 lookup TABLE", NOT_STRICT),
    "tos 16": (f"{BY_RULE} tos 0x10 lookup TABLE", NOT_STRICT),
    "only a default route": ("rule add pref 100 to NET lookup 1002", NOT_STRICT),
    "a suppressed default route": (
        "rule add pref 100 to NET lookup 1002 suppress_prefixlength 0",
        ONLY_OFF,
    ),
    "blackhole by rule": (f"{BY_RULE} blackhole", ONLY_OFF),
    "prohibit by rule": (f"{BY_RULE} prohibit", ONLY_OFF),
}
"""Tables 1000 and 1001 lead back by the entrance, 1002 by eth1."""

OWN, BROADCAST, SOURCE6 = "10.88.0.9", "198.51.100.255", "2001:db8:f::1"


def source(entrance: Entrance, number: int) -> str:
    """Each way has a source of its own at each entrance."""
    return f"10.{100 + 50 * ENTRANCES.index(entrance) + number}.0.1"


def filled(text: str, meanings: Mapping[str, str]) -> str:
    """The text with every word replaced that means something."""
    return re.sub("|".join(meanings), lambda found: meanings[found[0]], text)


def install(alice: Host, ways: Ways) -> None:
    """Route back to every source at both entrances."""
    lines = []
    for entrance, (number, (way, _)) in product(ENTRANCES, enumerate(ways.values())):
        address = source(entrance, number)
        meanings = {
            "NET": f"{address.removesuffix('.1')}.0/16",
            "HOST": f"{address}/32",
            "LINK": entrance,
            "NUMBER": address.split(".")[1],
            "HERE": DELIVERED[entrance],
            "SHOUT": BROADCASTS[entrance],
            "TABLE": str(1000 + ENTRANCES.index(entrance)),
        }
        lines += [filled(line, meanings) for line in way.split("; ") if line]
    alice.ip(*lines)


def sources(entrance: Entrance, ways: Ways) -> dict[str, str]:
    """Every source at an entrance, by what is particular about it."""
    return {name: source(entrance, number) for number, name in enumerate(ways)}


def expected(
    entrance: Entrance, ways: Ways, mode: int, others: Mapping[str, Outcomes]
) -> dict[str, str]:
    """How a packet from each source should end; the other sources among them."""
    known = {address: ways[name][1][mode] for name, address in sources(entrance, ways).items()}
    return known | {address: outcomes[mode] for address, outcomes in others.items()}


@pytest.fixture(scope="module", params=KINDS)
def plain(request: pytest.FixtureRequest) -> Iterator[Crossing]:
    """Routes of every sort, and no rule but the kernel's own."""
    with open_crossing(request.param) as crossing:
        install(crossing.pair.alice, ROUTES)
        yield crossing


@pytest.fixture(scope="module", params=KINDS)
def addressless(request: pytest.FixtureRequest) -> Iterator[Crossing]:
    """The same, but alice's wg0 has only an IPv6 address, and somebody added a local route."""
    with open_crossing(request.param) as crossing:
        alice = crossing.pair.alice
        alice.ip("address del 10.77.0.1/24 dev wg0", "route add 10.77.0.2 dev wg0")
        install(alice, BY_HAND)
        yield crossing


@pytest.fixture(scope="module", params=KINDS)
def policy(request: pytest.FixtureRequest) -> Iterator[Crossing]:
    """Rules of every sort."""
    with open_crossing(request.param) as crossing:
        alice = crossing.pair.alice
        alice.ip(
            "route add default dev wg0 table 1000",
            "route add default dev eth0 table 1001",
            f"route add default {OTHER} table 1002",
        )
        install(alice, RULES)
        yield crossing


at_both = pytest.mark.parametrize("entrance", ENTRANCES)
in_all_modes = pytest.mark.parametrize("mode", MODES)


@at_both
@pytest.mark.parametrize(("everywhere", "mode"), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1)])
def test_the_larger_of_all_and_the_link_counts(
    plain: Crossing, entrance: Entrance, everywhere: int, mode: int
) -> None:
    """max(all, the link it came in on) decides; strict wants the best route, or any leg of it, to
    lead back, loose any unicast route (S-D1, S-D3, S-D5, S-D6); IPv6 has no such filter (S-D9)."""
    elsewhere = dict.fromkeys(("eth0", "eth1", "wg0"), STRICT)  # which must not matter
    configure(plain.pair.alice, elsewhere | {"all": everywhere, entrance: mode})
    others = {OWN: NEVER, BROADCAST: UNLESS_CHECKED, SOURCE6: ALWAYS}
    wanted = expected(entrance, ROUTES, max(everywhere, mode), others)
    assert compare(plain, entrance, wanted) == wanted


@at_both
@in_all_modes
def test_forwarded_packets_are_filtered_too(plain: Crossing, entrance: Entrance, mode: int) -> None:
    """What goes on to carol is let in by the same routes (S-D2)."""
    configure(plain.pair.alice, {entrance: mode})
    wanted = expected(entrance, ROUTES, mode, {OWN: NEVER})
    wanted = {address: outcome.replace("local", "sent") for address, outcome in wanted.items()}
    assert compare(plain, entrance, wanted, FORWARDED[entrance]) == wanted


@in_all_modes
def test_without_an_address_loose_is_strict(addressless: Crossing, mode: int) -> None:
    """On a wg0 with only IPv6 addresses a route back by another link is not enough (S-D6); eth0,
    which has one, is as ever. Where somebody added a local route, broadcast sources are refused
    even with the filter off (S-D3)."""
    configure(addressless.pair.alice, {"wg0": mode, "eth0": mode})
    others = {OWN: NEVER, BROADCAST: NEVER, SOURCE6: ALWAYS}
    wanted = expected("wg0", BY_HAND, min(mode, STRICT), others)
    assert compare(addressless, "wg0", wanted) == wanted
    wanted = expected("eth0", BY_HAND, mode, others)
    assert compare(addressless, "eth0", wanted) == wanted


@at_both
@in_all_modes
def test_own_addresses_with_accept_local(plain: Crossing, entrance: Entrance, mode: int) -> None:
    """accept_local of `all` or the link lets an own address in, except where the filter is strict
    (S-D3, S-D5, S-D6, S-D8)."""
    for switch, outcomes in {
        "all/accept_local": NOT_STRICT,
        f"{entrance}/accept_local": NOT_STRICT,
        "eth1/accept_local": NEVER,
    }.items():
        configure(plain.pair.alice, {entrance: mode}, switch)
        assert compare(plain, entrance, [OWN]) == {OWN: outcomes[mode]}


@in_all_modes
def test_own_addresses_with_accept_local_without_an_address(
    addressless: Crossing, mode: int
) -> None:
    """Where the link has no address itself, accept_local helps only with the filter off (S-D6)."""
    configure(addressless.pair.alice, {"wg0": mode}, "wg0/accept_local")
    assert compare(addressless, "wg0", [OWN]) == {OWN: ONLY_OFF[mode]}


def test_an_asymmetric_source_is_let_in_when_loose(plain: Crossing) -> None:
    """wgtui says `asymmetric`: in by wg0, and the answer leaves by eth1 (S-D6)."""
    alice, address = plain.pair.alice, sources("wg0", ROUTES)["back by another link"]
    configure(alice, {"wg0": LOOSE})
    trace = lookup(alice.inside(read), Flow.parse(f"{address} from 10.88.0.1"))
    [step] = [step for step in trace.back if step.owner is not None]
    assert step.outcome is BackOutcome.ASYMMETRIC
    assert trace.route is not None
    assert step.reply_link == trace.route.link
    assert compare(plain, "wg0", [address]) == {address: "local"}
    before = alice.counters("wg0").tx_packets, alice.counters("eth1").tx_packets
    assert alice.send(address, source="10.88.0.1") == 0
    after = alice.counters("wg0").tx_packets, alice.counters("eth1").tx_packets
    assert after[0] == before[0]
    assert after[1] > before[1]


@at_both
@in_all_modes
def test_the_rules_are_asked_about_the_way_back(
    policy: Crossing, entrance: Entrance, mode: int
) -> None:
    """The way back is looked up as made here: `iif lo`, uid 0, ports and addresses swapped, without
    mark, oif or the real input link (S-D4); off, it still refuses martians (S-D3)."""
    configure(policy.pair.alice, {entrance: mode})
    wanted = expected(entrance, RULES, mode, {OWN: NEVER, BROADCAST: NEVER})
    assert compare(policy, entrance, wanted) == wanted


@at_both
def test_the_rules_are_asked_about_the_way_back_of_forwarded_packets(
    policy: Crossing, entrance: Entrance
) -> None:
    """Forwarded, the way back is looked up as if coming in where the packet goes out (S-D4)."""
    configure(policy.pair.alice, {entrance: STRICT})
    wanted = expected(entrance, RULES, STRICT, {OWN: NEVER})
    wanted = {address: outcome.replace("local", "sent") for address, outcome in wanted.items()}
    names = sources(entrance, RULES)
    wanted[names["iif lo"]] = wanted[names["from where it went"]] = "rpf-dropped"
    wanted[names["iif of the way out"]] = "sent"
    assert compare(policy, entrance, wanted, FORWARDED[entrance]) == wanted


@at_both
def test_the_rules_are_asked_about_the_way_back_of_broadcasts(
    policy: Crossing, entrance: Entrance
) -> None:
    """A broadcast's way back has no source that a rule could want (S-D2, S-D4); through wg0 it
    comes like any other packet (S-E1)."""
    configure(policy.pair.alice, {entrance: STRICT})
    wanted = expected(entrance, RULES, STRICT, {OWN: NEVER})
    wanted[sources(entrance, RULES)["from where it went"]] = "rpf-dropped"
    assert compare(policy, entrance, wanted, [BROADCASTS[entrance]]) == wanted


@at_both
def test_the_tos_goes_with_the_way_back(policy: Crossing, entrance: Entrance) -> None:
    """A rule for the packet's TOS is asked about its way back too (S-D4)."""
    configure(policy.pair.alice, {entrance: STRICT})
    address = sources(entrance, RULES)["tos 16"]
    assert compare(policy, entrance, [address]) == {address: "rpf-dropped"}
    assert compare(policy, entrance, [address], tos=0x10) == {address: "local"}


@pytest.fixture
def marked(policy: Crossing) -> Iterator[Crossing]:
    """Every datagram for PORT that comes in is given mark 7."""
    policy.pair.alice.run("nft", "-f", "-", stdin=MARKING)
    yield policy
    policy.pair.alice.run("nft", "delete", "table", "ip", "marking")


MARKING: Final = f"""
table ip marking {{
    chain premangle {{
        type filter hook prerouting priority mangle;
        udp dport {PORT} meta mark set 7
    }}
}}
"""


@at_both
def test_the_mark_counts_with_src_valid_mark(marked: Crossing, entrance: Entrance) -> None:
    """The way back is looked up with the mark where `all` or the link say so (S-D4, S-D8)."""
    address = sources(entrance, RULES)["mark 7"]
    for switch, outcome in {
        "all/src_valid_mark": "local",
        f"{entrance}/src_valid_mark": "local",
        "eth1/src_valid_mark": "rpf-dropped",
        "all/accept_local": "rpf-dropped",
    }.items():
        configure(marked.pair.alice, {entrance: STRICT}, switch)
        assert compare(marked, entrance, [address], mark=7) == {address: outcome}


# ─── the full tunnel ─────────────────────────────────────────────────────────────────────────────

FIREWALL: Final = """
table ip wg-quick-wg0 {
    chain preraw {
        type filter hook prerouting priority raw;
        iifname != "wg0" ip daddr 10.77.0.2 fib saddr type != local drop
    }
    chain premangle {
        type filter hook prerouting priority mangle;
        meta l4proto udp meta mark set ct mark
    }
    chain postmangle {
        type filter hook postrouting priority mangle;
        meta l4proto udp meta mark 0xca6c ct mark set meta mark
    }
}
"""
"""What wg-quick adds (S-F4)."""


@dataclass(frozen=True)
class Echo:
    """A full tunnel, and somebody at its end who answers."""

    tunnel: FullTunnel
    sockets: dict[str, tuple[socket, socket]]
    """By the address asked: who asks and who answers."""

    def asked(self, address: str) -> tuple[bool, bool]:
        """Whether the answer came, and whether the filter dropped something."""
        laptop = self.tunnel.laptop
        asks, answers = self.sockets[address]
        before = laptop.inside(dropped)
        asks.sendto(b"question", (address, PORT))
        _, asker = answers.recvfrom(100)
        answers.sendto(b"answer", asker)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            came = bool(select.select([asks], [], [], 0.01)[0])
            refused = laptop.inside(dropped) > before
            if came:
                asks.recv(100)
            if came or refused:
                return came, refused
        raise TimeoutError


@pytest.fixture(scope="module", params=KINDS)
def echo(request: pytest.FixtureRequest) -> Iterator[Echo]:
    """A full tunnel with a session, which outlives the module: the filter drops handshakes too."""
    with open_full_tunnel(request.param) as tunnel:
        sockets = {}
        for here, there in (("10.77.0.2", "203.0.113.9"), ("fd77::2", "2001:db8:9::9")):
            asks = tunnel.laptop.udp(source=here, port=SOURCE_PORT)
            answers = tunnel.gateway.udp(source=there, port=PORT)
            answers.settimeout(PATIENCE)
            sockets[there] = (asks, answers)
        echo = Echo(tunnel, sockets)
        configure(tunnel.laptop, {})
        assert echo.asked("203.0.113.9") == (True, False)
        yield echo


def back(snapshot: Snapshot, words: str) -> ReverseStep:
    """The one entrance of the answer."""
    [step] = lookup(snapshot, Flow.parse(words)).back
    return step


@pytest.fixture
def firewall(echo: Echo, connmark: bool) -> Iterator[None]:
    """wg-quick's chains, or none."""
    laptop = echo.tunnel.laptop
    if connmark:
        laptop.run("nft", "-f", "-", stdin=FIREWALL)
    yield
    if connmark:
        laptop.run("nft", "delete", "table", "ip", "wg-quick-wg0")


UNDERLAYS: Final = [
    *product([OFF], MODES, ["none", "all/src_valid_mark"], [False, True]),
    *product([OFF], [STRICT], ["eth0/src_valid_mark", "wg0/src_valid_mark"], [True]),
    (STRICT, OFF, "none", False),
    (STRICT, OFF, "all/src_valid_mark", True),
    (LOOSE, STRICT, "none", False),
]
"""rp_filter of `all` and of eth0, which switch is on, and whether the mark is restored."""


@pytest.mark.usefixtures("firewall")
@pytest.mark.parametrize(("everywhere", "mode", "switch", "connmark"), UNDERLAYS)
def test_the_encrypted_answer_is_let_in(
    echo: Echo, everywhere: int, mode: int, switch: str, connmark: bool
) -> None:
    """Strict on the underlay drops the gateway's packets, unless the mark is restored *and*
    src_valid_mark makes the filter look at it; off and loose let them in (S-D11, S-D1, S-F4)."""
    laptop = echo.tunnel.laptop
    configure(laptop, {"all": everywhere, "eth0": mode}, switch)
    good = max(everywhere, mode) != STRICT or (
        switch in ("all/src_valid_mark", "eth0/src_valid_mark") and connmark
    )
    snapshot = laptop.inside(read)
    for address in echo.sockets:
        step = back(snapshot, address)
        assert step.outer_reverse_path is not None
        assert step.outer_reverse_path.result is (RpResult.PASS if good else RpResult.DROP)
        assert step.outcome is (BackOutcome.ACCEPTED if good else BackOutcome.RPF_DROPPED)
        assert echo.asked(address) == (good, not good)


@in_all_modes
def test_the_decrypted_answer_is_let_in(echo: Echo, mode: int) -> None:
    """On wg0 itself even strict lets the internet in, but no source of the laptop's LAN (S-D11)."""
    laptop, gateway = echo.tunnel.laptop, echo.tunnel.gateway
    configure(laptop, {"wg0": mode})
    snapshot = laptop.inside(read)
    for address in echo.sockets:
        assert back(snapshot, address).outcome is BackOutcome.ACCEPTED
        assert echo.asked(address) == (True, False)
    letters = mailbox(laptop)
    neighbour = "192.0.2.77"
    words = f"10.77.0.2 from {neighbour} iif wg0 peer {echo.tunnel.gateway_wg0.keys.public}"
    outcome = lookup(snapshot, Flow.parse(words)).outcome
    send_from(gateway, [(neighbour, neighbour, "10.77.0.2"), (END, "203.0.113.9", "10.77.0.2")])
    assert arrived(letters) == ([neighbour] if outcome is Outcome.LOCAL else [])
    letters.close()
    assert outcome.value == NOT_STRICT[mode]
