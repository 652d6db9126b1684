"""Does the engine agree with the running kernel? Random hosts in namespaces, random questions.

    python -m tests.kernel.fuzz --lookups 50000 --seed 7

A world is a list of commands, as a person would type them; some are refused, which is part of the
game. wgtui reads what came of it, and every question is answered twice: by the engine and by the
kernel (RTM_GETROUTE). Where they differ, commands are left out one after another for as long as the
difference stays: what remains is the reproduction that is printed.

Rules for editors:
1. Everything random comes from one Random with one seed; a world is made by its number alone.
2. The carrier of a link reaches the routing tables up to a second late (S-B5): it is awaited.
3. A difference counts only if the facts were the same before and after it was seen.
"""

from __future__ import annotations

import argparse
import re
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, groupby
from os import getpid
from random import Random
from typing import Final, Literal

from netaddr import IPAddress

from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.errors import WgtuiError
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Refusal, Trace
from wgtui.sources import netns, oracle
from wgtui.sources.live import LiveSource
from wgtui.sources.nlsocket import GET_STRICT_CHK, NetlinkSocket, attribute

Family = Literal[4, 6]

PER_WORLD: Final = 100
"""Questions asked about one world."""

_numbers = count(1)

# ─── what worlds are made of ─────────────────────────────────────────────────────────────────────

LINKS: Final = {
    "v0": "link add v0 type veth peer name w0",
    "v1": "link add v1 type veth peer name w1",
    "v2": "link add v2 type veth peer name w2",
    "ifb0": "link add ifb0 type ifb",
    "tun0": "tuntap add tun0 mode tun",
    "br0": "link add br0 type bridge",
}
MARKS: Final = (0, 1, 2, 3, 0x10, 0xCA6C, 0x20000)
TOSES: Final = (0, 0, 0x04, 0x08, 0x10, 0x12, 0x1C, 0x30, 0xB8)
UIDS: Final = (0, 33, 1000, 65534)
PORTS: Final = (22, 53, 443, 51820)
TABLES: Final = ("100", "101", "102", "254", "253", "255", "999")
SPECIAL: Final[dict[Family, tuple[str, ...]]] = {
    4: (
        "0.0.0.0",
        "127.0.0.1",
        "127.0.0.53",
        "169.254.1.1",
        "224.0.0.1",
        "224.0.0.5",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
    ),
    6: (
        "::",
        "::1",
        "fe80::1",
        "fe80::99",
        "ff02::1",
        "ff05::2",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "2002:a00:1::1",
    ),
}
BASES: Final[dict[Family, tuple[str, ...]]] = {
    4: (
        "10.0.0.1",
        "10.0.1.1",
        "10.128.0.1",
        "172.16.5.5",
        "192.168.1.10",
        "203.0.113.7",
        "8.8.8.8",
    ),
    6: (
        "2001:db8::1",
        "2001:db8:0:1::1",
        "2001:db8:8000::1",
        "fd00::5",
        "fd00:0:0:8000::5",
        "2a00:1450::7",
        "fec0::3",
    ),
}
LENGTHS: Final[dict[Family, tuple[int, ...]]] = {
    4: (0, 0, 1, 8, 9, 16, 23, 24, 24, 25, 30, 31, 32, 32),
    6: (0, 0, 3, 16, 32, 33, 48, 64, 64, 65, 96, 127, 128, 128),
}
SWITCHES4: Final = (
    ("rp_filter", (0, 0, 1, 2)),
    ("forwarding", (0, 1, 1)),
    ("accept_local", (0, 0, 1)),
    ("src_valid_mark", (0, 1)),
    ("route_localnet", (0, 0, 0, 1)),
    ("send_redirects", (0, 1)),
    ("ignore_routes_with_linkdown", (0, 0, 0, 1)),
)
SWITCHES6: Final = (
    ("forwarding", (0, 0, 1)),
    ("ignore_routes_with_linkdown", (0, 0, 0, 1)),
    ("use_tempaddr", (0, 0, 2)),
)


@dataclass(frozen=True, slots=True)
class World:
    """A host: the commands that make it, in order."""

    commands: tuple[str, ...]
    """``ip …`` and ``sysctl -w …``; in the namespace, as root."""


class Maker:
    """Makes one world and questions about it."""

    def __init__(self, seed: int, number: int) -> None:
        self.dice: Final = Random(f"{seed}/{number}")
        names = self.dice.sample(list(LINKS), self.dice.randint(2, 5))
        self.links: Final = sorted(names, key=list(LINKS).index)
        self.own: dict[Family, list[str]] = {4: [], 6: []}
        """Addresses of the host, and where they end."""

    def chance(self, percent: int) -> bool:
        """So many times in a hundred."""
        return self.dice.randrange(100) < percent

    def link(self) -> str:
        """Mostly one that exists."""
        return "lo" if self.chance(6) else self.dice.choice(self.links)

    def address(self, family: Family) -> str:
        """One of a few, so that things meet."""
        dice = self.dice
        if self.own[family] and self.chance(30):
            return dice.choice(self.own[family])
        value = int(IPAddress(dice.choice(BASES[family])))
        if self.chance(50):
            value ^= 1 << dice.choice((0, 1, 7, 8, 15) if family == 4 else (0, 1, 15, 63, 79))
        return str(IPAddress(value, family))

    def prefix(self, family: Family) -> str:
        """Around such an address; without host bits, which routes do not have."""
        length = self.dice.choice(LENGTHS[family])
        bits = 32 if family == 4 else 128
        value = int(IPAddress(self.address(family))) >> bits - length << bits - length
        return f"{IPAddress(value, family)}/{length}"

    # ─── the world ───────────────────────────────────────────────────────────────────────────────

    def world(self) -> World:
        """All commands, in an order in which most of them succeed."""
        commands = ["sysctl -w net.ipv6.conf.default.accept_dad=0"]
        if self.chance(50):
            commands.append("sysctl -w net.ipv6.conf.default.addr_gen_mode=1")
        commands.append("ip link set lo up")
        commands += self.link_commands()
        commands += self.sysctl_commands()
        for family in self.families():
            commands += self.address_commands(family)
        for family in self.families():
            commands += self.route_commands(family)
            if self.chance(60):
                commands += self.rule_commands(family)
        # That a local route was ever added stays with the kernel when the route is gone, unseen
        # (S-D3), and so does the tree node of an IPv6 prefix that had a plain route beside its
        # source-specific ones (S-B61): where there are such, no link goes away.
        lasting = ((" -4 route ", " local "), (" -6 route ", " from "))
        if not any(all(word in one for word in words) for one in commands for words in lasting):
            commands += self.accidents()
        return World(tuple(commands))

    def families(self) -> tuple[Family, Family]:
        """Both; the order does not matter."""
        return (4, 6)

    def link_commands(self) -> Iterator[str]:
        """The links, most of them up."""
        for name in self.links:
            yield f"ip {LINKS[name]}"
            if self.chance(30):
                yield f"ip link set {name} group {self.dice.choice((1, 2))}"
            if name[0] == "v" and not self.chance(15):
                yield f"ip link set w{name[1]} up"  # else there is no carrier
            if not self.chance(10):
                yield f"ip link set {name} up"

    def sysctl_commands(self) -> Iterator[str]:
        """Some switches, of all links and of single ones."""
        if self.chance(50):
            yield f"sysctl -w net.ipv4.ip_forward={self.dice.choice((0, 1))}"
        for family, switches in ((4, SWITCHES4), (6, SWITCHES6)):
            for key, values in switches:
                for name in ("all", *self.links):
                    if self.chance(25):
                        value = self.dice.choice(values)
                        yield f"sysctl -w net.ipv{family}.conf.{name}.{key}={value}"

    def address_commands(self, family: Family) -> Iterator[str]:
        """One or two addresses on most links."""
        for name in (*self.links, "lo"):
            for _ in range(self.dice.choice((0, 1, 1, 2) if name != "lo" else (0, 0, 0, 1))):
                address = self.address(family)
                length = self.dice.choice(
                    (8, 16, 24, 24, 25, 30, 31, 32)
                    if family == 4
                    else (32, 48, 64, 64, 64, 127, 128)
                )
                words = [f"{address}/{length}"]
                if self.chance(10):
                    words = [address, "peer", f"{self.address(family)}/{length}"]
                if family == 4 and self.chance(15):
                    words += ["scope", self.dice.choice(("link", "host"))]
                if family == 4 and length < 31 and self.chance(50):
                    words += ["brd", "+"]
                if family == 6:
                    words.append("nodad")
                    if self.chance(10):
                        words += ["preferred_lft", "0"]
                if self.chance(8):
                    words.append("noprefixroute")
                if self.chance(10):
                    words += ["metric", "50"]
                self.own[family].append(address)
                if family == 4 and length < 31:
                    self.own[family].append(
                        str(IPAddress(int(IPAddress(address)) | (1 << 32 - length) - 1))
                    )
                yield f"ip -{family} address add {' '.join(words)} dev {name}"

    def gateway(self, family: Family) -> str:
        """A neighbour of one of the addresses, mostly."""
        if self.own[family] and self.chance(85):
            value = int(IPAddress(self.dice.choice(self.own[family])))
            return str(IPAddress(value ^ self.dice.choice((1, 2, 3)), family))
        if family == 6 and self.chance(50):
            return "fe80::99"
        return self.address(family)

    def hop(self, family: Family) -> str:
        """``via … dev …``, one of them or both."""
        link = self.link()
        if self.chance(45):
            return f"dev {link}"
        gateway = self.gateway(family)
        if family == 4 and self.chance(8):
            return f"via inet6 fe80::99 dev {link}"
        if self.chance(35):
            return f"via {gateway} dev {link} onlink"
        return f"via {gateway}" if family == 4 and self.chance(50) else f"via {gateway} dev {link}"

    def route_commands(self, family: Family) -> Iterator[str]:
        """Next-hop objects, routes of several tables, neighbours."""
        dice = self.dice
        objects = [] if self.chance(60) else [str(100 * family + n) for n in range(1, 5)]
        for number in objects:
            kind = (
                f"group {dice.choice(objects)}/{dice.choice(objects)}"
                if self.chance(30)
                else "blackhole"
            )
            kind = self.hop(family) if self.chance(70) else kind
            yield f"ip -{family} nexthop add id {number} {kind}"
        for _ in range(dice.randint(3, 18)):
            words = [self.prefix(family)]
            if self.chance(18):
                words.insert(0, dice.choice(("blackhole", "unreachable", "prohibit", "throw")))
            elif self.chance(6):
                words = [
                    dice.choice(("local", "multicast", "broadcast", "anycast")),
                    words[0],
                    f"dev {self.link()}",
                ]
            elif objects and self.chance(40):
                words.append(f"nhid {dice.choice(objects)}")
            elif self.chance(15):
                words += [
                    f"nexthop {self.hop(family)} weight {dice.choice((1, 2))}"
                    for _ in range(dice.choice((2, 2, 3)))
                ]
            else:
                words.append(self.hop(family))
            if self.chance(55):
                words.append(f"table {dice.choice(TABLES[:-1])}")
            if self.chance(35):
                words.append(f"metric {dice.choice((10, 20, 1024))}")
            if family == 4 and self.chance(15):
                words.append(f"tos {dice.choice(TOSES[2:])}")
            if family == 4 and self.chance(10):
                # Not host: such a route takes gateways for its own, but only of routes added later.
                words.append(f"scope {dice.choice(('global', 'link'))}")
            if self.own[family] and self.chance(20):
                words.append(f"src {dice.choice(self.own[family])}")
            if family == 6 and "via" not in " ".join(words) and self.chance(20):
                # ECMP siblings may differ in it, and a dump tells that of the first one only.
                words.append(f"pref {dice.choice(('low', 'high'))}")
            if family == 6 and self.chance(15):
                words.append(f"from {self.prefix(6)}")
            verb = dice.choice(("add", "add", "append", "prepend"))
            yield f"ip -{family} route {verb} {' '.join(words)}"
        for _ in range(dice.choice((0, 0, 2))):
            state = dice.choice(("failed", "stale", "reachable"))
            there = f"{self.gateway(family)} dev {self.link()} nud {state}"
            lladdr = "" if state == "failed" else " lladdr 02:00:00:00:00:01"
            yield f"ip -{family} neighbour replace {there}{lladdr}"

    def rule_commands(self, family: Family) -> Iterator[str]:
        """A few rules, and sometimes the default ones away or elsewhere."""
        dice = self.dice
        priorities = [
            dice.choice((5, 10, 10, 20, 30, 40, 32765, 32767)) for _ in range(dice.randint(1, 8))
        ]
        for priority in priorities:
            words = [f"priority {priority}", *self.selectors(family)]
            action = dice.randrange(100)
            if action < 60:
                words.append(f"lookup {dice.choice(TABLES)}")
                if self.chance(25):
                    lengths = (0, 8, 24, 32) if family == 4 else (0, 32, 64, 128)
                    words.append(f"suppress_prefixlength {dice.choice(lengths)}")
                if self.chance(10):
                    words.append(f"suppress_ifgroup {dice.choice((0, 1, 2))}")
            elif action < 75:
                words.append(f"goto {dice.choice((10, 20, 30, 40, 50, 32766))}")
            else:
                words.append(dice.choice(("blackhole", "unreachable", "prohibit", "nop")))
            yield f"ip -{family} rule add {' '.join(words)}"
        for _ in range(dice.choice((0, 0, 1))):
            yield self.modern_rule(family)
        if self.chance(15):
            yield f"ip -{family} rule delete priority 0"
            if self.chance(70):
                yield f"ip -{family} rule add priority {dice.choice((7, 25, 32765))} lookup local"
        if self.chance(8):
            yield f"ip -{family} rule delete priority 32766"

    def modern_rule(self, family: Family) -> str:
        """With a selector that iproute2 knows since 6.13 or so; it is added without iproute2."""
        dice = self.dice
        selector = dice.choice(
            (
                f"dscp {dice.choice((0, 4, 0x2E))}/{dice.choice((0x3F, 0x3F, 0x0C))}",
                f"sport {dice.choice(PORTS)}/{dice.choice((0xFFFF, 0xFF, 0x1))}",
                f"dport {dice.choice(PORTS)}/{dice.choice((0xFFFF, 0xFF, 0x1))}",
                *(("flowlabel 4660/1048575", "flowlabel 4608/1048320") if family == 6 else ()),
            )
        )
        words = ["priority", str(dice.choice((10, 20, 30))), *(["not"] if self.chance(20) else [])]
        action = "blackhole" if self.chance(30) else f"lookup {dice.choice(TABLES)}"
        return f"ip -{family} rule add {' '.join(words)} {selector} {action}"

    def selectors(self, family: Family) -> Iterator[str]:
        """None to three."""
        dice = self.dice
        if self.chance(20):
            yield "not"
        for _ in range(dice.choice((0, 1, 1, 1, 2))):
            protocol = dice.choice(("tcp", "udp", "icmp" if family == 4 else "ipv6-icmp"))
            yield dice.choice(
                (
                    f"from {self.prefix(family)}",
                    f"to {self.prefix(family)}",
                    f"from {self.address(family)}",
                    f"iif {dice.choice((*self.links, 'lo', 'lo', 'gone'))}",
                    f"oif {dice.choice((*self.links, 'gone'))}",
                    f"fwmark {dice.choice(MARKS)}",
                    f"fwmark {dice.choice(MARKS)}/{dice.choice((1, 0xFF, 0xFFFF))}",
                    f"tos {dice.choice(TOSES[2:])}",
                    f"ipproto {protocol}",
                    f"sport {dice.choice(PORTS)}",
                    f"dport {dice.choice(('22-53', '443', '1-1024'))}",
                    f"uidrange {dice.choice(('0-0', '0-999', '1000-1000', '33-65534'))}",
                )
            )

    def accidents(self) -> Iterator[str]:
        """What happens to a host later."""
        for name in self.links:
            if self.chance(6):
                yield f"ip link set {name} down"
            elif name[0] == "v" and self.chance(10):
                yield f"ip link set w{name[1]} down"
            elif self.chance(2):
                yield f"ip link delete {name}"

    # ─── the questions ───────────────────────────────────────────────────────────────────────────

    def flow(self) -> str:
        """The words of one question; some links in it may be gone."""
        dice, family = self.dice, dice_family(self.dice)
        special = SPECIAL[family]
        words = [dice.choice(special) if self.chance(12) else self.address(family)]
        arrives = self.chance(35)
        if arrives or self.chance(35):
            source = dice.choice(special) if self.chance(6) else self.address(family)
            if not arrives and self.own[family] and self.chance(80):
                source = dice.choice(self.own[family])
            words.append(f"from {source}")
        if arrives:
            words.append(f"iif {self.link()}")
        elif self.chance(25):
            words.append(f"oif {self.link()}")
        if self.chance(30):
            words.append(f"mark {dice.choice(MARKS)}")
        if self.chance(20):
            words.append(f"tos {dice.choice(TOSES)}")
        if self.chance(20):
            words.append(f"uid {dice.choice(UIDS)}")
        if self.chance(30):
            words.append(
                f"ipproto {dice.choice(('tcp', 'udp', 'icmp' if family == 4 else 'ipv6-icmp'))}"
            )
            if self.chance(70):
                words.append(f"sport {dice.choice(PORTS)} dport {dice.choice(PORTS)}")
        if family == 6 and self.chance(15):
            words.append(f"flowlabel {dice.choice(('0x1234', '0x1256', '0x4321'))}")
        return " ".join(words)


def dice_family(dice: Random) -> Family:
    """4 or 6, IPv4 a little more often."""
    return 4 if dice.randrange(100) < 55 else 6


# ─── making it real ──────────────────────────────────────────────────────────────────────────────


@contextmanager
def host(world: World) -> Iterator[LiveSource]:
    """The world in a namespace of its own; hosts.sweep knows the name if we are killed."""
    name = f"wgtui-{getpid()}-{next(_numbers)}-fuzz"
    subprocess.run(("ip", "netns", "add", name), check=True)
    try:
        for (tool, option), lines in groupby(world.commands, _batch):
            if tool == "netlink":
                netns.inside(name, partial(_add_rules, list(lines)))
            elif tool == "sysctl":
                words = [line.removeprefix("sysctl -w ") for line in lines]
                argv: Sequence[str] = (
                    "ip",
                    "netns",
                    "exec",
                    name,
                    "sysctl",
                    "-q",
                    "-e",
                    "-w",
                    *words,
                )
                subprocess.run(argv, stderr=subprocess.DEVNULL)
            else:
                batch = "".join(f"{_words(line)}\n" for line in lines)
                argv = ("ip", "-n", name, *option.split(), "-force", "-batch", "-")
                subprocess.run(
                    argv,
                    input=batch,
                    text=True,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        source = LiveSource(name)
        try:
            yield source
        finally:
            source.close()
    finally:
        subprocess.run(("ip", "netns", "delete", name), check=True)


def _batch(command: str) -> tuple[str, str]:
    """What can go into one process: the tool and its option."""
    tool, first = command.split()[:2]
    if _MODERN.search(command):
        return "netlink", ""
    return tool, first if first.startswith("-") and tool == "ip" else ""


_MODERN: Final = re.compile(r" rule add .*(dscp|flowlabel|[sd]port) \d+/\d+ ")
_NUMBERS: Final = {
    "dscp": (25, 30, "B"),
    "flowlabel": (26, 27, ">I"),
    "sport": (23, 28, "H"),
    "dport": (24, 29, "H"),
}
"""Attributes of a selector's value and mask (linux/fib_rules.h), and how both are packed."""


def _add_rules(commands: Sequence[str]) -> None:
    """What a newer iproute2 would do with ``rule add priority N [not] SELECTOR V/M ACTION``."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        for command in commands:
            body = _rule_message(command)
            # RTM_NEWRULE; REQUEST, ACK, EXCL, CREATE
            netlink.send(struct.pack("IHHII", 16 + len(body), 32, 0x605, 1, 0) + body)
            netlink.recv(4096)  # the kernel's verdict; a refused rule is part of the game


def _rule_message(command: str) -> bytes:
    family = 2 if " -4 " in command else 10
    words = command.replace(" not ", " ").split()[4:]
    _, priority, selector, masked, _, *table = words
    value, mask = (int(number) for number in masked.split("/"))
    kind, mask_kind, packing = _NUMBERS[selector]
    packed = struct.pack(packing, value) * (2 if selector.endswith("port") else 1)
    flags = 2 if " not " in command else 0  # FIB_RULE_INVERT
    body = struct.pack("8BI", family, 0, 0, 0, 0, 0, 0, 1 if table else 6, flags)
    body += attribute(6, struct.pack("I", int(priority))) + attribute(kind, packed)
    body += attribute(mask_kind, struct.pack(packing, mask))
    if table:
        body += attribute(15, struct.pack("I", int(table[0])))
    return body


def _words(command: str) -> str:
    return " ".join(word for word in command.split()[1:] if word not in ("-4", "-6"))


def settled(source: LiveSource) -> Snapshot:
    """The facts, as soon as every link's carrier has reached the tables (S-B5)."""
    until = time.monotonic() + 5
    while True:
        snapshot = source.read()
        late = [
            link.name
            for link in snapshot.links.values()
            if link.up and link.carrier is (link.state in ("down", "lowerlayerdown"))
        ]
        if not late or time.monotonic() > until:
            return snapshot
        time.sleep(0.02)


def same_facts(one: Snapshot, other: Snapshot) -> bool:
    """Did nothing that routing depends on change? Clocks and counters do not count."""
    return all(_bare(one)[n] == part for n, part in enumerate(_bare(other)))


def _bare(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        [replace(link, counters=None) for link in snapshot.links.values()],
        snapshot.rules,
        {key: [replace(route, row=0) for route in table] for key, table in snapshot.routes.items()},
        snapshot.neighbours,
        snapshot.sysctls,
        snapshot.local_in_main,
    )


# ─── comparing ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One question about one world to which engine and kernel gave different answers."""

    world: World
    flow: Flow
    trace: Trace
    answer: KernelAnswer
    differences: tuple[Refusal, ...]

    @property
    def signature(self) -> str:
        """Alike for disagreements that probably have the same cause."""
        fields = "+".join(sorted(difference.field for difference in self.differences))
        arrives = "in" if self.flow.iif else "oif" if self.flow.oif else "out"
        reason = self.trace.reason.value if self.trace.reason else ""
        got = self.answer.errno or (self.answer.type.value if self.answer.type else "route")
        return (
            f"IPv{self.flow.family} {arrives} {fields} {self.trace.outcome.value} {reason} / {got}"
        )

    def __str__(self) -> str:
        wrong = "; ".join(f"{d.field}: engine {d.wanted}, kernel {d.got}" for d in self.differences)
        lines = [f"# {self.signature}", f"# {wrong}", "unshare --net bash <<'END'"]
        return "\n".join([*lines, *self.world.commands, f"ip route get {self.flow}", "END"])


@dataclass(slots=True)
class Tally:
    """How a run went."""

    lookups: int = 0
    families: Counter[int] = field(default_factory=Counter)
    """How many of them were IPv4, and IPv6."""
    incomparable: Counter[str] = field(default_factory=Counter)
    """By reason: what the engine says it cannot know."""
    outcomes: Counter[str] = field(default_factory=Counter)
    worlds: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)


def answers(namespace: str, flows: Sequence[Flow]) -> list[KernelAnswer | None]:
    """What the kernel says, all of it over one socket."""

    def ask() -> list[KernelAnswer | None]:
        with NetlinkSocket(timeout=5.0) as sock:
            sock.option(GET_STRICT_CHK)
            return [oracle.ask(sock, flow) for flow in flows]

    return netns.inside(namespace, ask)


def judge(world: World, questions: Sequence[str], tally: Tally) -> list[Disagreement]:
    """Ask all questions about one world."""
    with host(world) as source:
        snapshot = settled(source)
        flows = [Flow.parse(question) for question in questions]
        flows = [flow for flow in flows if _links_there(snapshot, flow)]
        found = _compare(world, snapshot, flows, answers(snapshot.namespace, flows), tally)
        if found:
            again = settled(source)
            if not same_facts(snapshot, again):
                flows = [one.flow for one in found]
                found = _compare(world, again, flows, answers(again.namespace, flows), Tally())
    return found


def _links_there(snapshot: Snapshot, flow: Flow) -> bool:
    return all(name is None or name in snapshot.links_by_name for name in (flow.iif, flow.oif))


def _compare(
    world: World,
    snapshot: Snapshot,
    flows: Sequence[Flow],
    replies: Sequence[KernelAnswer | None],
    tally: Tally,
) -> list[Disagreement]:
    found: list[Disagreement] = []
    for flow, answer in zip(flows, replies, strict=True):
        trace = lookup(snapshot, flow)
        tally.lookups += 1
        tally.families[flow.family] += 1
        tally.outcomes[trace.outcome.value] += 1
        refusals = None if answer is None else differences(snapshot, trace, answer)
        if refusals is None:
            tally.incomparable[trace.reason.value if trace.reason else trace.outcome.value] += 1
        elif refusals and answer is not None:
            found.append(Disagreement(world, flow, trace, answer, refusals))
    return found


def minimal(disagreement: Disagreement) -> Disagreement:
    """Leave out every command without which engine and kernel still differ in the same way."""
    best = disagreement
    for command in reversed(disagreement.world.commands):
        rest = World(tuple(line for line in best.world.commands if line != command))
        again = judge(rest, [str(best.flow)], Tally())
        if again and again[0].signature == best.signature:
            best = again[0]
    return best


def run(
    seed: int,
    lookups: int,
    report: Callable[[Disagreement], None] | None = None,
    per_family: int = 0,
) -> Tally:
    """Worlds number 0, 1, 2 … of a seed until so many questions were asked, in all and of each
    family."""
    tally = Tally()
    while tally.lookups < lookups or min(tally.families[4], tally.families[6]) < per_family:
        maker = Maker(seed, tally.worlds)
        world = maker.world()
        asked = PER_WORLD if per_family else min(PER_WORLD, lookups - tally.lookups)
        found = judge(world, [maker.flow() for _ in range(asked)], tally)
        tally.worlds += 1
        tally.disagreements += found
        for one in found:
            if report is not None:
                report(one)
    return tally


def main(argv: Sequence[str]) -> int:
    """The long run: prints each new kind of disagreement with its reproduction."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.fuzz")
    parser.add_argument("--lookups", type=int, default=50_000, help="of each family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=8, help="how many reproductions")
    options = parser.parse_args(argv)
    seen: set[str] = set()

    def report(found: Disagreement) -> None:
        if found.signature not in seen and len(seen) < options.show:
            seen.add(found.signature)
            sys.stdout.write(f"{minimal(found)}\n\n")
            sys.stdout.flush()

    tally = run(options.seed, 0, report, per_family=options.lookups)
    sys.stdout.write(
        f"{tally.lookups} lookups ({tally.families[4]} IPv4, {tally.families[6]} IPv6) "
        f"in {tally.worlds} worlds, "
        f"{len(tally.disagreements)} disagreements, "
        f"{tally.incomparable.total()} not comparable\n"
        f"outcomes: {dict(tally.outcomes.most_common())}\n"
        f"not comparable: {dict(tally.incomparable.most_common())}\n"
    )
    kinds = Counter(one.signature for one in tally.disagreements)
    for kind, times in kinds.most_common():
        sys.stdout.write(f"{times:6} {kind}\n")
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WgtuiError as error:
        sys.exit(f"fuzz: {error}")
