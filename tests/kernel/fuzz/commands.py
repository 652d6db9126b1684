"""Commands that a person may type into a host: most of them do something, some are refused."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kernel.fuzz.dice import TABLES, Dice, Family
from tests.kernel.fuzz.rules import MODERN, rule_commands
from tests.kernel.fuzz.worlds import SWITCHES4, hop
from wgtui.model.network import NextHop
from wgtui.model.snapshot import Snapshot


def command(dice: Dice, snapshot: Snapshot) -> str:
    """The next one; now and then about what is really there."""
    family, random = dice.family(), dice.random
    kind = random.randrange(100)
    if kind < 40:
        return _route(dice, family)
    if kind < 55:
        return _deletion(dice, family, snapshot)
    if kind < 75:
        return next(iter(_rule(dice, family)))
    if kind < 85:
        return _rule_deletion(dice, family, snapshot)
    if kind < 92:
        # Not one end of a veth: the other end's carrier is not predicted.
        name = random.choice([name for name in dice.links if name[0] != "v"] or ["lo"])
        return f"ip link set {name} {random.choice(('down', 'down', 'up'))}"
    if kind < 96:
        return _address(dice, snapshot)
    key, values = random.choice(SWITCHES4)
    name = random.choice(("all", *dice.links))
    return f"sysctl -w net.ipv4.conf.{name}.{key}={random.choice(values)}"


def _route(dice: Dice, family: Family) -> str:
    """A new route, or another one in its place."""
    words, ways = [dice.prefix(family)], list[str]()
    if dice.chance(15):
        words.insert(0, dice.random.choice(("blackhole", "unreachable", "prohibit", "throw")))
    elif dice.chance(10):
        ways = [f"nexthop {hop(dice, family)} weight {dice.random.choice((1, 2))}" for _ in "12"]
    else:
        words.append(hop(dice, family))
    if dice.chance(40):
        words.append(f"table {dice.random.choice(TABLES[:4])}")
    if dice.chance(30):
        words.append(f"metric {dice.random.choice((10, 20, 1024))}")
    if family == 4 and dice.chance(8):
        words.append(f"tos {dice.random.choice(('0x04', '0x10'))}")
    if dice.own[family] and dice.chance(10):
        words.append(f"src {dice.random.choice(dice.own[family])}")
    verb = dice.random.choice(("add", "add", "add", "replace", "append", "change", "prepend"))
    return f"ip -{family} route {verb} {' '.join([*words, *ways])}"


def _deletion(dice: Dice, family: Family, snapshot: Snapshot) -> str:
    """Mostly of a route that is there."""
    there = [route for (of, _), table in snapshot.routes.items() if of == family for route in table]
    there = [one for one in there if one.table != 255 and one.info.type.value != "multicast"]
    if not there or dice.chance(20):
        return f"ip -{family} route del {dice.prefix(family)} dev {dice.link()}"
    route = dice.random.choice(there)
    words = [str(route.destination), f"table {route.table}"]
    hops = route.info.next_hops
    if hops and hops[0].link in snapshot.links and dice.chance(50) and len(hops) == 1:
        words.append(f"dev {snapshot.link_name(hops[0].link)}")
    if route.info.metric and dice.chance(50):
        words.append(f"metric {route.info.metric}")
    if route.info.tos:
        words.append(f"tos {route.info.tos:#x}")
    if route.info.source is not None and dice.chance(75):
        words.append(f"from {route.info.source}")
    elif family == 6 and dice.chance(5):
        words.append(f"from {dice.prefix(6)}")
    if len(hops) > 1 and dice.chance(50):
        legs = dice.random.sample(hops, dice.random.choice((1, 1, 2)))
        ways = [_way(dice, family, snapshot, leg) for leg in legs]
        words += ways if len(ways) == 1 else [f"nexthop {way}" for way in ways]
    return f"ip -{family} route del {' '.join(words)}"


def _way(dice: Dice, family: Family, snapshot: Snapshot, leg: NextHop) -> str:
    """A leg, as it came or with words that may fit others, too."""
    inet6 = "inet6 " if family == 4 and leg.gateway is not None and leg.gateway.version == 6 else ""
    via = f"via {inet6}{leg.gateway}" if leg.gateway is not None else ""
    return via if via and dice.chance(30) else f"{via} dev {snapshot.link_name(leg.link)}".strip()


def _rule(dice: Dice, family: Family) -> Iterator[str]:
    """A rule as ``fuzz`` makes them, half of them without a priority."""
    for command in rule_commands(dice, family):
        if " rule add " in command and not MODERN.search(command):
            words = command.split()
            if dice.chance(40) and "goto" not in words:
                at = words.index("priority")
                words = [*words[:at], *words[at + 2 :]]
            yield " ".join(words)
    yield f"ip -{family} rule add fwmark 7 lookup 100"


def _rule_deletion(dice: Dice, family: Family, snapshot: Snapshot) -> str:
    """By priority, table, or both; sometimes of one that is not there."""
    rules = snapshot.rules[family]
    rule = dice.random.choice(rules) if rules else None
    if rule is None or dice.chance(15):
        return f"ip -{family} rule del priority {dice.random.choice((7, 10, 4711))}"
    words = [f"priority {rule.priority}"] if dice.chance(70) else []
    if rule.table is not None and (not words or dice.chance(50)):
        words.append(f"lookup {rule.table}")
    return f"ip -{family} rule del {' '.join(words) or f'priority {rule.priority}'}"


def _address(dice: Dice, snapshot: Snapshot) -> str:
    """An IPv4 address comes or goes."""
    name = dice.random.choice(dice.links)
    link = snapshot.links_by_name.get(name)
    mine = [one for one in (link.addresses if link else ()) if one.address.version == 4]
    if mine and dice.chance(40):
        one = dice.random.choice(mine)
        peer = f" peer {one.peer}/{one.prefix.length}" if one.peer is not None else ""
        length = "" if peer else f"/{one.prefix.length}"
        return f"ip address del {one.address}{length}{peer} dev {name}"
    return f"ip address add {dice.address(4)}/{dice.random.choice((24, 30, 32))} dev {name}"
