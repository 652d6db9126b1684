"""Is a command predicted as it then turns out, by the running kernel and by wireguard-go?

`fuzz.predict` is the long run.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.kernel.fuzz import predict
from tests.kernel.fuzz.compare import answers
from tests.kernel.fuzz.hosts import host as fuzz_host
from tests.kernel.fuzz.hosts import settled
from tests.kernel.fuzz.worlds import World
from tests.kernel.hosts import KINDS, Host, Kind, Network
from wgtui.engine.answer import answer_of
from wgtui.engine.lookup import lookup
from wgtui.engine.what_if import Applied, Objection, Touched, apply
from wgtui.engine.what_if.applied import Note
from wgtui.engine.what_if.difference import differences
from wgtui.model.command import Command
from wgtui.model.flow import Flow
from wgtui.model.network import RouteType
from wgtui.model.snapshot import Snapshot
from wgtui.sources.commands import parse_command
from wgtui.sources.live import LiveSource

SEED = 11
COMMANDS = 120


def test_random_commands_do_what_was_predicted() -> None:
    """120 commands on random hosts, always the same: refused or done as predicted, and the kernel
    changes its answer nowhere outside of the predicted ranges."""
    tally = predict.run(SEED, COMMANDS)
    assert not tally.misses, str(tally.misses[0])
    assert tally.commands >= COMMANDS
    assert tally.refused.total() > COMMANDS // 8
    assert tally.applied.total() > COMMANDS // 2
    assert tally.unpredicted.total() < COMMANDS // 10
    assert tally.changed > 20
    assert tally.said_unknown[Note.BETWEEN_LEGS.value] <= 1


def test_a_wrong_prediction_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prophet who says that nothing ever changes is contradicted at once."""

    def nothing(snapshot: Snapshot, command: Command) -> Applied:
        real = apply(snapshot, command)
        return real if real.objection is not None else replace(real, snapshot=snapshot)

    monkeypatch.setattr(predict, "apply", nothing)
    assert predict.run(SEED, 12).misses


def test_a_prediction_that_reaches_too_short_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no address is said to change, the kernel's own answers say otherwise."""

    def nowhere(snapshot: Snapshot, command: Command) -> Applied:
        return replace(apply(snapshot, command), touched=Touched())

    monkeypatch.setattr(predict, "apply", nowhere)
    found = predict.run(SEED, 60).misses
    assert any(one.what.startswith(("kernel's answer", "answer to")) for one in found)


LINKS = (
    "sysctl -w net.ipv6.conf.default.accept_dad=0",
    "ip link set lo up",
    "ip link add v0 type veth peer name w0",
    "ip link set w0 up",
    "ip link set v0 up",
)
OBJECT6 = (
    "ip -6 address add fd00::1/64 nodad dev v0",
    "ip -6 nexthop add id 601 via fd00::2 dev v0",
)
SITUATIONS = {
    "onlink although lo has the gateway's prefix": (
        ("ip -6 address add 2001:db8:1::1/32 nodad dev lo",),
        "ip -6 route add 2001:db8:9::/64 via 2001:db8:8000::1 dev v0 onlink table 101",
        True,
    ),
    "rules do not find a gateway by a link without carrier": (
        (
            "sysctl -w net.ipv6.conf.v0.ignore_routes_with_linkdown=1",
            "ip -6 address add fd00::1/64 nodad dev v0",
            "ip link set w0 down",
        ),
        "ip -6 route add 2001:db8:9::/64 via fd00::2 dev v0 table 100",
        False,
    ),
    "main itself does, whatever its carrier": (
        (
            "sysctl -w net.ipv6.conf.v0.ignore_routes_with_linkdown=1",
            "ip -6 address add fd00::1/64 nodad dev v0",
            "ip link set w0 down",
        ),
        "ip -6 route add 2001:db8:9::/64 via fd00::2 dev v0",
        True,
    ),
    "a route by a next-hop object goes, whatever link was said": (
        (*OBJECT6, "ip -6 route add 2001:db8:9::/64 nhid 601"),
        "ip -6 route del 2001:db8:9::/64 dev lo",
        True,
    ),
    "a link is another next hop than an object of that link": (
        (
            "ip -6 nexthop add id 602 dev v0",
            "ip -6 route add 2001:db8:9::/64 nhid 602",
        ),
        "ip -6 route append 2001:db8:9::/64 dev v0",
        True,
    ),
    "but not than the same link": (
        ("ip -6 route add 2001:db8:9::/64 dev v0",),
        "ip -6 route append 2001:db8:9::/64 dev v0",
        False,
    ),
    "a blackhole object does not go down with lo": (
        ("ip -4 nexthop add id 401 blackhole", "ip -4 route add 10.9.0.0/16 nhid 401 table 100"),
        "ip link set lo down",
        True,
    ),
    "the source of another table's route goes": (
        (
            "ip -4 address add 10.0.0.1/24 dev v0",
            "ip -4 address add 10.7.0.1/24 dev v0",
            "ip -4 route add 10.8.0.0/16 dev v0 src 10.7.0.1",
            "ip -4 route add 10.9.0.0/16 dev v0 src 10.7.0.1 table 100",
        ),
        "ip address del 10.7.0.1/24 dev v0",
        True,
    ),
    "a flow label that is not said does not tell rules apart": (
        ("ip -6 rule add priority 10 flowlabel 4608/1048320 blackhole",),
        "ip -6 rule add priority 10 blackhole",
        False,
    ),
    "a rule like the kernel's own": ((), "ip -4 rule add priority 32766 lookup 254", True),
    "no default route hangs on lo, and is no route to delete": (
        (),
        "ip -6 route del ::/0 dev lo",
        False,
    ),
    "in an empty table there is not even that": ((), "ip -6 route del ::/0 table 77", False),
    "no default route, but by another link": ((), "ip -6 route del ::/0 dev v0", False),
    "only a source-specific default route": (
        ("ip -6 route add ::/0 from fd01::/64 dev v0",),
        "ip -6 route del ::/0",
        False,
    ),
    "a source that no route asks for is not looked at": (
        ("ip -6 route add fd01::/64 dev v0",),
        "ip -6 route del fd01::/64 from fd02::/64",
        True,
    ),
    "but where one asks for it": (
        ("ip -6 route add fd01::/64 dev v0", "ip -6 route add fd01::/64 from fd03::/64 dev v0"),
        "ip -6 route del fd01::/64 from fd02::/64",
        False,
    ),
    "a gateway is looked up whatever neighbours have failed": (
        (
            "ip -6 address add fd00::1/48 nodad dev v0",
            "ip -6 route add fd00:0:0:1::/64 via fd00::4 dev v0",
            "ip -6 neighbour replace fd00::4 dev v0 nud failed",
        ),
        "ip -6 route add 2001:db8:9::/64 via fd00:0:0:1::6 dev v0",
        False,
    ),
    "one nexthop of several goes": (
        (
            "ip -6 address add fd00::1/64 nodad dev v0",
            "ip -6 route add fd01::/64 nexthop via fd00::2 dev v0 nexthop via fd00::3 dev v0",
        ),
        "ip -6 route del fd01::/64 nexthop dev v0",
        True,
    ),
    "two marks, one mask": (
        (),
        "ip -4 rule add priority 5 fwmark 16/65535 fwmark 2 unreachable",
        True,
    ),
}
"""What was once predicted wrongly: how to get there, the command, whether it is done."""


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_was_once_mispredicted(name: str) -> None:
    """S-A16, S-B5, S-B6, S-B12, S-B13: done or refused, and with the facts that were predicted."""
    commands, command, done = SITUATIONS[name]
    with fuzz_host(World((*LINKS, *commands))) as source:
        before = settled(source)
        applied = apply(before, parse_command(command))
        complaint = predict.run_command(before.namespace, command)
        assert (not complaint) is done, complaint
        tally = predict.Tally()
        assert not [*predict.compare(before, applied, complaint, settled(source), tally, command)]
        assert tally.refused.total() + tally.applied.total() == 1


LEGS = (
    "ip -6 address add fd00::1/64 nodad dev v0",
    "ip -6 route add fd01::/64 via fd00::2 dev v0",
)
DEL = "ip -6 route del fd01::/64 via fd00::2 dev v0"


@pytest.mark.parametrize(
    ("added", "command", "hides"),
    [
        (("dev v0", "via fd00::3 dev v0"), DEL, True),
        (("via fd00::3 dev v0", "dev v0"), DEL, False),
        (("dev v0",), "ip -6 route append fd01::/64 via fd00::3 dev v0", True),
    ],
)
def test_routes_between_legs_are_told_of(added: tuple[str, ...], command: str, hides: bool) -> None:
    """S-B66: what was added between two legs of an IPv6 route is in no dump and comes to light with
    one of them; that there may be such is said whenever a leg comes or goes, and that the kernel
    does otherwise than predicted is then no surprise."""
    world = World((*LINKS, *LEGS, *(f"ip -6 route append fd01::/64 {words}" for words in added)))
    with fuzz_host(world) as source:
        before = settled(source)
        applied = apply(before, parse_command(command))
        assert not predict.run_command(before.namespace, command)
        assert Note.BETWEEN_LEGS in applied.notes
        assert predict.between_legs(applied.snapshot, settled(source)) is hides


@pytest.mark.parametrize("added", [False, True])
def test_whether_ipv6_rules_are_asked_cannot_be_seen(added: bool) -> None:
    """S-A60: two hosts look the same, and by the same command one of them loses its local table
    and the other nothing: nothing is predicted."""
    lasting = ("ip -6 rule add priority 5 nop", "ip -6 rule del priority 5") if added else ()
    with fuzz_host(World((*LINKS, *LEGS[:1], *lasting))) as source:
        before = settled(source)
        assert len(before.rules[6]) == 2
        command = "ip -6 rule del priority 0"
        applied = apply(before, parse_command(command))
        assert applied.objection is Objection.IPV6_RULES
        assert not applied.objection.by_kernel
        assert not predict.run_command(before.namespace, command)
        [answer] = answers(before.namespace, [Flow.parse("fd00::1")])
        assert answer is not None
        assert (answer.type is RouteType.LOCAL) is not added


def test_of_several_nexthops_one_is_not_there() -> None:
    """The kernel refuses, and deletes the others all the same; so it is not called refused."""
    command = "ip -6 route del fd01::/64 nexthop via fd00::2 dev v0 nexthop via fd00::9 dev v0"
    with fuzz_host(World((*LINKS, *LEGS))) as source:
        before = settled(source)
        applied = apply(before, parse_command(command))
        assert predict.run_command(before.namespace, command)
        assert predict.facts(settled(source)) != predict.facts(before)
        assert applied.objection is Objection.SOME_LEGS
        assert not Objection.SOME_LEGS.by_kernel


# ---------------------------------------------------------------------------------------- wg set


class Typist:
    """Makes random commands about one device, always the same."""

    def __init__(self, seed: int, folder: Path, private: str) -> None:
        self.dice = Random(seed)
        self.keys = [b64encode(self.dice.randbytes(31) + b"\x00").decode() for _ in range(4)]
        self.folder = folder
        self.private = private

    def prefixes(self) -> str:
        """One to three, so few different ones that they meet."""
        known = (
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.0/24",
            "10.1.2.9/24",
            "fd00::/16",
            "0.0.0.0/0",
        )
        return ",".join(self.dice.sample(known, self.dice.choice((1, 1, 2, 3))))

    def command(self) -> str:
        """``wg set`` mostly, now and then a whole file."""
        kind = self.dice.randrange(100)
        if kind < 20:
            return f"wg {self.dice.choice(('setconf', 'addconf', 'syncconf'))} wg0 {self.file()}"
        if kind < 30:
            return f"wg set wg0 fwmark {self.dice.choice(('0', '0x7', 'off'))}"
        words = []
        for key in self.dice.sample(self.keys, self.dice.choice((1, 1, 2))):
            words += ["peer", key, *self.changes()]
        return " ".join(("wg set wg0", *words))

    def changes(self) -> list[str]:
        """What is said of one peer."""
        if self.dice.randrange(100) < 15:
            return ["remove"]
        words = []
        if self.dice.randrange(100) < 80:
            words += ["allowed-ips", self.prefixes()]
        if self.dice.randrange(100) < 30:
            words += ["endpoint", self.dice.choice(("192.0.2.7:51820", "[2001:db8::7]:4500"))]
        if self.dice.randrange(100) < 20:
            words += ["persistent-keepalive", self.dice.choice(("off", "25"))]
        return words

    def file(self) -> Path:
        """A configuration with some of the peers, one of them perhaps twice."""
        lines = ["[Interface]", f"PrivateKey = {self.private}", "ListenPort = 51820"]
        for key in self.dice.choices(self.keys, k=self.dice.choice((1, 2, 3))):
            lines += ["[Peer]", f"PublicKey = {key}"]
            lines += [f"AllowedIPs = {self.prefixes()}"] if self.dice.randrange(100) < 80 else []
            lines += ["Endpoint = 192.0.2.9:51820"] if self.dice.randrange(100) < 30 else []
        path = self.folder / f"{self.dice.randrange(1000)}.conf"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path


def device_facts(snapshot: Snapshot) -> object:
    """The device, whatever the order of its peers."""
    [device] = snapshot.devices.values()
    peers = {
        peer.public_key: (set(peer.allowed_ips), str(peer.endpoint), peer.keepalive)
        for peer in device.peers
    }
    return device.public_key, device.listen_port, device.fwmark, peers


def judge(host: Host, folder: Path, private: str, seed: int, count: int) -> int:
    """Predict, run and compare so many commands; how many sampled answers changed."""
    typist = Typist(seed, folder, private)
    addresses = ("10.1.2.9", "10.1.9.9", "10.9.9.9", "192.0.2.77", "fd00::9", "10.255.0.1")
    flows = [Flow.parse(address) for address in addresses]
    changed = 0
    with closing(LiveSource(host.namespace)) as source:
        before = source.read()
        for _ in range(count):
            command = typist.command()
            applied = apply(before, parse_command(command))
            assert applied.objection is None, command
            host.run(*command.split())
            after = source.read()
            assert device_facts(applied.snapshot) == device_facts(after), command
            found = differences(before, applied.snapshot, applied.touched)
            for flow in flows:
                old = answer_of(before, lookup(before, flow))
                new = answer_of(after, lookup(after, flow))
                told = [
                    (change.before, change.after)
                    for one in found
                    if one.rule is None and one.flow.family == flow.family
                    for change in one.changes
                    if int(flow.destination) in change.addresses
                ]
                assert told == ([] if old == new else [(old, new)]), (command, str(flow))
                changed += old != new
            before = after
    return changed


@pytest.mark.parametrize("kind", KINDS)
def test_wg_set_and_files_do_what_was_predicted(kind: Kind, tmp_path: Path) -> None:
    """wg set, setconf, addconf and syncconf: AllowedIPs move, endpoints stay or go, as predicted
    (S-E2, S-E3, S-G44), and so do the answers."""
    with Network() as network:
        host = network.host("anna")
        device = host.wireguard("wg0", kind, port=51820)
        host.ip(
            "link add eth0 type veth peer name far",
            "address add 192.0.2.1/24 dev eth0",
            "link set far up",
            "link set eth0 up",
            "address add 10.255.0.1/32 dev wg0",
            "link set wg0 up",
            "route add 10.0.0.0/8 dev wg0",
            "route add fd00::/16 dev wg0",
        )
        assert judge(host, tmp_path, device.keys.private, 5, 30) > 20
