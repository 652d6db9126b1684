"""What may a host be like? Links, addresses, routes and accidents, as a person would type them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netaddr import IPAddress

from tests.kernel.fuzz.dice import LINKS, TABLES, TOSES, VRFS, Dice, Family
from tests.kernel.fuzz.rules import rule_commands
from wgtui.model.prefix import FAMILIES

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


def make(dice: Dice) -> World:
    """All commands, in an order in which most of them succeed."""
    commands = ["sysctl -w net.ipv6.conf.default.accept_dad=0"]
    if dice.chance(50):
        commands.append("sysctl -w net.ipv6.conf.default.addr_gen_mode=1")
    commands.append("ip link set lo up")
    commands += _links(dice)
    commands += _sysctls(dice)
    for family in FAMILIES:
        commands += _addresses(dice, family)
    for family in FAMILIES:
        # A gateway is looked up once, when its route is added (S-B13), and no dump tells what was
        # found: whether it was among addresses made local must not depend on the order.
        commands += sorted(_routes(dice, family), key=lambda line: " local " not in line)
        if dice.chance(60):
            commands += rule_commands(dice, family)
    # That a local route was ever added stays with the kernel when the route is gone, unseen
    # (S-D3), and so does the tree node of an IPv6 prefix that had a plain route beside its
    # source-specific ones (S-B61): where there are such, no link goes away.
    lasting = ((" -4 route ", " local "), (" -6 route ", " from "))
    if not any(all(word in one for word in words) for one in commands for words in lasting):
        commands += _accidents(dice)
    return World(tuple(commands))


def _links(dice: Dice) -> Iterator[str]:
    """The links, most of them up."""
    for name in dice.links:
        yield f"ip {LINKS[name]}"
        if dice.chance(30):
            yield f"ip link set {name} group {dice.random.choice((1, 2))}"
        if name[0] == "v" and not dice.chance(15):
            yield f"ip link set w{name[1]} up"  # else there is no carrier
        if not dice.chance(10):
            yield f"ip link set {name} up"
    for name in dice.vrfs:
        yield f"ip {VRFS[name]}"
        if not dice.chance(8):
            yield f"ip link set {name} up"
    for name in dice.links if dice.vrfs else ():
        if dice.chance(60):
            yield f"ip link set {name} master {dice.random.choice(dice.vrfs)}"


def _sysctls(dice: Dice) -> Iterator[str]:
    """Some switches, of all links and of single ones."""
    if dice.chance(50):
        yield f"sysctl -w net.ipv4.ip_forward={dice.random.choice((0, 1))}"
    for family, switches in ((4, SWITCHES4), (6, SWITCHES6)):
        for key, values in switches:
            for name in ("all", *dice.links, *dice.vrfs):
                if dice.chance(25):
                    value = dice.random.choice(values)
                    yield f"sysctl -w net.ipv{family}.conf.{name}.{key}={value}"


def _addresses(dice: Dice, family: Family) -> Iterator[str]:
    """One or two addresses on most links."""
    for name in (*dice.links, *dice.vrfs, "lo"):
        few = name == "lo" or name in dice.vrfs
        for _ in range(dice.random.choice((0, 0, 0, 1) if few else (0, 1, 1, 2))):
            address = dice.address(family)
            length = dice.random.choice(
                (8, 16, 24, 24, 25, 30, 31, 32) if family == 4 else (32, 48, 64, 64, 64, 127, 128)
            )
            words = [f"{address}/{length}"]
            if dice.chance(10):
                words = [address, "peer", f"{dice.address(family)}/{length}"]
            if family == 4 and dice.chance(15):
                words += ["scope", dice.random.choice(("link", "host"))]
            if family == 4 and length < 31 and dice.chance(50):
                words += ["brd", "+"]
            if family == 6:
                words.append("nodad")
                if dice.chance(10):
                    words += ["preferred_lft", "0"]
            if dice.chance(8):
                words.append("noprefixroute")
            if dice.chance(10):
                words += ["metric", "50"]
            dice.own[family].append(address)
            if family == 4 and length < 31:
                dice.own[family].append(
                    str(IPAddress(int(IPAddress(address)) | (1 << 32 - length) - 1))
                )
            yield f"ip -{family} address add {' '.join(words)} dev {name}"


def _gateway(dice: Dice, family: Family) -> str:
    """A neighbour of one of the addresses, mostly."""
    if dice.own[family] and dice.chance(85):
        value = int(IPAddress(dice.random.choice(dice.own[family])))
        return str(IPAddress(value ^ dice.random.choice((1, 2, 3)), family))
    if family == 6 and dice.chance(50):
        return "fe80::99"
    return dice.address(family)


def hop(dice: Dice, family: Family) -> str:
    """``via … dev …``, one of them or both."""
    link = dice.link()
    if dice.chance(45):
        return f"dev {link}"
    gateway = _gateway(dice, family)
    if family == 4 and dice.chance(8):
        return f"via inet6 fe80::99 dev {link}"
    if dice.chance(35):
        return f"via {gateway} dev {link} onlink"
    return f"via {gateway}" if family == 4 and dice.chance(50) else f"via {gateway} dev {link}"


def _routes(dice: Dice, family: Family) -> Iterator[str]:
    """Next-hop objects, routes of several tables, neighbours."""
    random = dice.random
    objects = [] if dice.chance(60) else [str(100 * family + n) for n in range(1, 5)]
    for place, number in enumerate(objects):
        if place >= 2 and dice.chance(60):
            # A group has no family, nor does the command; its members are of one all the same.
            members = random.sample(objects[:2], random.choice((1, 2, 2)))
            weights = [f"{member},{random.choice((1, 2))}" for member in members]
            yield f"ip nexthop add id {number} group {'/'.join(weights)}"
        else:
            way = hop(dice, family) if dice.chance(90) else "blackhole"
            if " dev " not in f" {way}" and way != "blackhole":
                way += f" dev {dice.link()}"  # ip wants one
            option = "" if " inet6 " in way else f"-{family} "
            yield f"ip {option}nexthop add id {number} {way}"
    for _ in range(random.randint(3, 18)):
        words, legs = [dice.prefix(family)], []
        if dice.chance(18):
            words.insert(0, random.choice(("blackhole", "unreachable", "prohibit", "throw")))
        elif dice.chance(6):
            words = [
                random.choice(("local", "multicast", "broadcast", "anycast")),
                words[0],
                f"dev {dice.link()}",
            ]
        elif objects and dice.chance(40):
            words.append(f"nhid {random.choice(objects)}")
        elif dice.chance(45 if dice.uplinks else 15):
            legs = [
                f"nexthop {hop(dice, family)} weight {random.choice((1, 2))}"
                for _ in range(random.choice((2, 2, 3)))
            ]
        else:
            words.append(hop(dice, family))
        if dice.chance(55):
            words.append(f"table {random.choice(TABLES[:-1])}")
        if dice.chance(35):
            words.append(f"metric {random.choice((10, 20, 1024))}")
        if family == 4 and dice.chance(15):
            words.append(f"tos {random.choice(TOSES[2:]):#x}")
        if family == 4 and dice.chance(10):
            # Not host: such a route takes gateways for its own, but only of routes added later.
            words.append(f"scope {random.choice(('global', 'link'))}")
        if dice.own[family] and dice.chance(20):
            words.append(f"src {random.choice(dice.own[family])}")
        if family == 6 and "via" not in " ".join(words + legs) and dice.chance(20):
            # ECMP siblings may differ in it, and a dump tells that of the first one only.
            words.append(f"pref {random.choice(('low', 'high'))}")
        if family == 6 and dice.chance(15):
            words.append(f"from {dice.prefix(6)}")
        verb = random.choice(("add", "add", "append", "prepend"))
        # ip reads nothing but legs behind the first one; it would end, and its batch with it.
        yield f"ip -{family} route {verb} {' '.join(words + legs)}"
    for _ in range(random.choice((0, 0, 2))):
        state = random.choice(("failed", "stale", "reachable"))
        there = f"{_gateway(dice, family)} dev {dice.link()} nud {state}"
        lladdr = "" if state == "failed" else " lladdr 02:00:00:00:00:01"
        yield f"ip -{family} neighbour replace {there}{lladdr}"


def _accidents(dice: Dice) -> Iterator[str]:
    """What happens to a host later."""
    for name in dice.links:
        if dice.chance(6):
            yield f"ip link set {name} down"
        elif name[0] == "v" and dice.chance(10):
            yield f"ip link set w{name[1]} down"
        elif dice.chance(2):
            yield f"ip link delete {name}"
