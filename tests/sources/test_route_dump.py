"""Do raw route messages become the routes that the kernel has, however many and however odd?

data/*.netlink is what Linux 6.18 sent about a host with one of every kind; what is not there is
packed by hand below.
"""

import random
import struct
from pathlib import Path

import pytest
from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import (
    LinkIndex,
    NextHop,
    NextHopObject,
    Preference,
    Route,
    RouteInfo,
    RouteType,
    RuleAction,
    TableId,
)
from wgtui.model.prefix import Family, Prefix
from wgtui.model.routes import RouteTables
from wgtui.sources import nexthops, rules
from wgtui.sources.nlsocket import HEADER, NetlinkError, attribute, messages
from wgtui.sources.route_dump import RouteDump, parse_routes
from wgtui.sources.route_message import BODY, decode

DATA = Path(__file__).parent / "data"
NEWROUTE, DONE = 24, 3
DST, OIF, GATEWAY, PRIORITY, MULTIPATH, CACHEINFO, TABLE, NH_ID = 1, 4, 5, 6, 9, 12, 15, 30
V0, V2 = LinkIndex(3), LinkIndex(5)
"""Two links of the recorded host."""


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    """A netlink message, padded."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, 1, 0) + body + bytes(-len(body) % 4)


def route(prefix: str, *attributes: bytes, kind: int = 1, flags: int = 0, tos: int = 0) -> bytes:
    """An RTM_NEWROUTE message of table main."""
    to = Prefix.parse(prefix)
    family, size = (2, 4) if to.family == 4 else (10, 16)
    body = BODY.pack(family, to.length, 0, tos, 254, 4, 0, kind, flags)
    body += attribute(TABLE, struct.pack("=I", 254))
    if to.length:
        body += attribute(DST, to.network.to_bytes(size, "big"))
    return message(NEWROUTE, body + b"".join(attributes))


def u32(kind: int, value: int) -> bytes:
    """An attribute with a number."""
    return attribute(kind, struct.pack("=I", value))


def cacheinfo(expires: int, counter: int) -> bytes:
    """RTA_CACHEINFO: everything but expires is a counter."""
    return attribute(CACHEINFO, struct.pack("=IIiIIIII", *[counter] * 2, expires, *[counter] * 5))


def recorded(family: Family) -> RouteTables:
    """The tables of the recorded host."""
    objects = nexthops.parse_nexthops(split("nexthop.netlink"))
    return parse_routes([(DATA / f"route{family}.netlink").read_bytes()], objects)[0]


def split(name: str) -> list[bytes]:
    """The messages of a recorded dump but for the last, which says that it is over."""
    data = (DATA / name).read_bytes()
    return [data[start:end] for kind, _, start, end in messages(data) if kind != DONE]


def find(tables: RouteTables, prefix: str, table: int = 254) -> list[Route]:
    """The routes to exactly this prefix, in their order."""
    wanted = Prefix.parse(prefix)
    return [found for found in tables[wanted.family, TableId(table)] if found.destination == wanted]


def one(tables: RouteTables, prefix: str, table: int = 254) -> RouteInfo:
    """What the only route to a prefix says."""
    [found] = find(tables, prefix, table)
    return found.info


# ─── real ones ───────────────────────────────────────────────────────────────────────────────────


def test_an_ordinary_route_is_read_whole() -> None:
    """A default route keeps its gateway, link, metric, source and who installed it."""
    assert one(recorded(4), "0.0.0.0/0") == RouteInfo(
        protocol="dhcp",
        metric=100,
        preferred_source=IPAddress("192.0.2.9"),
        next_hops=(NextHop(V0, IPAddress("192.0.2.254")),),
    )


@pytest.mark.parametrize(
    ("prefix", "table", "kind"),
    [
        ("10.3.0.0/16", 254, RouteType.BLACKHOLE),
        ("10.4.0.0/16", 254, RouteType.UNREACHABLE),
        ("10.5.0.0/16", 254, RouteType.PROHIBIT),
        ("10.6.0.0/16", 1000, RouteType.THROW),
        ("10.10.0.0/16", 255, RouteType.LOCAL),
        ("192.0.2.255/32", 255, RouteType.BROADCAST),
        ("2001:db8:12::/48", 254, RouteType.BLACKHOLE),
        ("2001:db8:13::/48", 1000, RouteType.PROHIBIT),
    ],
)
def test_every_type_has_its_name(prefix: str, table: int, kind: RouteType) -> None:
    """rtm_type is named, and tables above 255 are found by RTA_TABLE (S-G9)."""
    assert one(recorded(4 if "." in prefix else 6), prefix, table).type is kind


def test_legs_keep_their_weights() -> None:
    """A multipath route has a leg for each next hop, weight = hops + 1, in both families."""
    assert one(recorded(4), "10.1.0.0/16").next_hops == (
        NextHop(V0, IPAddress("192.0.2.2"), weight=3),
        NextHop(V2),
    )
    assert [leg.weight for leg in one(recorded(6), "2001:db8:10::/48").next_hops] == [2, 1]


def test_odd_ways_out_are_understood() -> None:
    """onlink, an IPv6 gateway of an IPv4 route, an encapsulation, an MTU."""
    tables = recorded(4)
    assert one(tables, "10.2.0.0/16", 1000).next_hops == (
        NextHop(V0, IPAddress("203.0.113.1"), onlink=True),
    )
    assert one(tables, "10.7.0.0/16").next_hops == (NextHop(V0, IPAddress("fe80::7")),)
    assert one(tables, "10.9.0.0/16").next_hops == (NextHop(V0, encap="ip"),)
    assert one(tables, "10.0.0.0/8").mtu == 1300


def test_equal_prefixes_keep_the_order_of_the_dump() -> None:
    """The route with a TOS comes before the one without, as the kernel tries them (S-B1)."""
    assert [found.info.tos for found in find(recorded(4), "10.8.0.0/16")] == [0x10, 0]


def test_routes_say_what_their_object_means() -> None:
    """A route by a next-hop object has its legs, its number, and whether it is a blackhole."""
    tables = recorded(4)
    group = one(tables, "10.20.0.0/16")
    assert (group.nexthop_id, [leg.weight for leg in group.next_hops]) == (10, [3, 1])
    assert one(tables, "10.21.0.0/16").nexthop_blackhole
    assert one(recorded(6), "2001:db8:15::/48").nexthop_id == 30


def test_what_only_ipv6_has() -> None:
    """Router preference, remaining lifetime, source-specific routes, default metrics."""
    tables = recorded(6)
    default = one(tables, "::/0")
    assert default.preference is Preference.HIGH
    assert default.expires is not None
    assert 0 < default.expires <= 3000
    assert one(tables, "2001:db8:11::/48").source == Prefix.parse("2001:db8:ffff::/48")
    assert one(tables, "2001:db8:14::/48").metric == 1024


def test_recorded_rules_and_objects() -> None:
    """The same host's rules and next-hop objects are understood, and nothing in them is unknown."""
    found = {rule.priority: rule for rule in rules.parse_rules(4, split("rule4.netlink"))}
    assert found[600].action is RuleAction.GOTO
    assert found[500].selector.inverted
    assert found[500].suppress_prefix_length == 0
    assert not any(rule.unknown for rule in found.values())
    objects = nexthops.parse_nexthops(split("nexthop.netlink"))
    assert objects[10].group
    assert objects[20].blackhole
    assert not any(entry.unknown for entry in objects.values())


# ─── packed by hand ──────────────────────────────────────────────────────────────────────────────


def test_a_route_that_names_only_its_object() -> None:
    """Without nexthop_compat_mode the legs come from the object; no such object is "unknown"."""
    object_ = NextHopObject(7, (NextHop(LinkIndex(3)),))
    tables, _ = parse_routes([route("10.0.0.0/8", u32(NH_ID, 7))], {7: object_})
    assert one(tables, "10.0.0.0/8").next_hops == object_.next_hops
    tables, _ = parse_routes([route("10.0.0.0/8", u32(NH_ID, 7))])
    assert one(tables, "10.0.0.0/8").unknown == ("nexthop 7",)


def test_flags_of_a_leg() -> None:
    """dead and linkdown are told of a single next hop by the message, of several by each leg."""
    single = route("10.0.0.0/8", u32(OIF, 3), flags=0x11)
    leg = struct.pack("=HBBi", 8, 0x10, 4, 5)
    several = route("11.0.0.0/8", attribute(MULTIPATH, leg))
    tables, _ = parse_routes([single + several])
    assert one(tables, "10.0.0.0/8").next_hops == (NextHop(V0, dead=True, linkdown=True),)
    assert one(tables, "11.0.0.0/8").next_hops == (NextHop(V2, weight=5, linkdown=True),)


def test_counters_do_not_tell_routes_apart() -> None:
    """IPv6 routes that differ in RTA_CACHEINFO share one RouteInfo, but for "expires"."""
    dump = RouteDump()
    for number, expires in enumerate([0, 0, 0, 1, 6000, -50]):
        dump.feed(route(f"2001:db8:{number}::/48", u32(OIF, 3), cacheinfo(expires, number)))
    tables = dump.tables()
    found = [one(tables, f"2001:db8:{number}::/48").expires for number in range(6)]
    assert found == [None, None, None, 1, 60, 0]
    assert len(tables[6, TableId(254)].infos) == 4


def test_exceptions_are_no_routes() -> None:
    """RTM_F_CLONED entries are in no table; they are given separately (S-A63, S-B14)."""
    clones = route("2001:db8::7/128", u32(OIF, 3), flags=0x200) + route(
        "10.0.0.7/32", u32(OIF, 3), flags=0x200
    )
    tables, exceptions = parse_routes([clones + route("10.0.0.0/8", u32(OIF, 3))])
    assert [key for key, table in tables.items() if len(table)] == [(4, 254)]
    assert [(one.table, one.destination, one.link) for one in exceptions] == [
        (254, IPAddress("2001:db8::7"), V0),
        (254, IPAddress("10.0.0.7"), V0),
    ]


def test_what_is_not_understood_is_said() -> None:
    """An attribute or type of a later kernel is named, never dropped."""
    tables, _ = parse_routes([route("10.0.0.0/8", u32(99, 1)) + route("11.0.0.0/8", kind=77)])
    assert one(tables, "10.0.0.0/8").unknown == ("attribute 99",)
    assert one(tables, "11.0.0.0/8").type is RouteType.UNKNOWN


def test_ra_routes_are_router_advertised() -> None:
    """Netlink does not show RTF_ADDRCONF; protocol ra stands for it."""
    body = BODY.pack(10, 0, 0, 0, 254, 9, 0, 1, 0) + u32(OIF, 3)
    tables, _ = parse_routes([message(NEWROUTE, body)])
    assert one(tables, "::/0").router_advertised


def test_the_end_and_interruptions_are_seen() -> None:
    """DONE ends a dump, NLM_F_DUMP_INTR on any message is noticed, a refusal is raised."""
    dump = RouteDump()
    assert not dump.feed(route("10.0.0.0/8"))
    assert not dump.interrupted
    other = RouteDump()
    assert other.feed(message(DONE, bytes(4), flags=0x12))
    assert other.interrupted
    with pytest.raises(NetlinkError) as refused:
        RouteDump().feed(message(2, struct.pack("=i", -1) + bytes(16)))
    assert refused.value.errno == 1


# ─── twins and garbage ───────────────────────────────────────────────────────────────────────────


def naive(chunk: bytes) -> list[tuple[TableId, Prefix, RouteInfo]]:
    """Every message decoded by itself, nothing remembered."""
    found = []
    for kind, _, start, end in messages(chunk):
        if kind == NEWROUTE:
            entry = decode(chunk, start, end)
            found.append((entry.table, entry.destination, entry.info))
    return found


def random_route(dice: random.Random) -> bytes:
    """A route with attributes in any order, and payloads that look like headers."""
    six = dice.random() < 0.5
    size, bits = (16, 128) if six else (4, 32)
    length = dice.choice([0, 8, 16, 24, bits])
    network = dice.getrandbits(bits) >> (bits - length) << (bits - length)
    trap = struct.pack("=HH", size + 4, DST)
    parts = [u32(TABLE, dice.choice([254, 300])), u32(PRIORITY, dice.randrange(3))]
    if length:
        parts.append(attribute(DST, network.to_bytes(size, "big")))
    if dice.random() < 0.5:
        parts.append(cacheinfo(dice.choice([0, 500]), dice.randrange(1 << 31)))
    if dice.random() < 0.5:
        parts.append(attribute(GATEWAY, (trap * 4)[:size] if dice.random() < 0.5 else bytes(size)))
    if dice.random() < 0.7:
        parts.append(u32(OIF, dice.randrange(1, 4)))
    dice.shuffle(parts)
    family = 10 if six else 2
    body = BODY.pack(family, length, 0, 0, 0, dice.choice([2, 4]), 0, 1, 0)
    return message(NEWROUTE, body + b"".join(parts))


def test_nothing_is_mistaken_by_remembering() -> None:
    """However messages are laid out, the tables are those of decoding each one by itself."""
    dice = random.Random(1)
    chunk = b"".join(random_route(dice) for _ in range(3000))
    tables, _ = parse_routes([chunk])
    quick = [
        (table, found.destination, found.info)
        for (_, table), rows in tables.items()
        for found in rows
    ]
    slow = naive(chunk)
    assert len(quick) == len(slow) == 3000
    assert sorted(map(repr, quick)) == sorted(map(repr, slow))


def run_of_routes(dice: random.Random) -> bytes:
    """Messages of one layout, as a router's kernel sends them by the thousand, or nearly."""
    family = dice.choice([2, 2, 10])
    size, bits = (4, 32) if family == 2 else (16, 128)
    tables, links = dice.choice([[254], [254, 300]]), dice.choice([[3], [3, 4, 5]])
    metric, gateway = dice.random() < 0.7, dice.random() < 0.7
    counters, odd = family == 10 or dice.random() < 0.2, dice.random() < 0.3
    many = []
    for _ in range(dice.randrange(1, 40)):
        length = dice.choice([8, 9, 16, 24, bits])
        network = dice.getrandbits(bits) >> (bits - length) << (bits - length)
        parts = [u32(TABLE, dice.choice(tables)), attribute(DST, network.to_bytes(size, "big"))]
        if metric:
            parts.append(u32(PRIORITY, dice.choice([7, 8])))
        if gateway:
            parts.append(attribute(GATEWAY, bytes(size - 1) + bytes([dice.randrange(3)])))
        parts.append(u32(OIF, dice.choice(links)))
        if counters:
            parts.append(cacheinfo(dice.choice([0, 0, 0, 100]), dice.randrange(1 << 31)))
        if odd and dice.random() < 0.1:  # another layout of the same length
            parts[-2:] = parts[:-3:-1]
        tos = 8 if odd and dice.random() < 0.1 else 0
        cloned = 0x200 if odd and dice.random() < 0.1 else 0
        body = BODY.pack(family, length, 0, tos, 254, 4, 0, 1, cloned)
        many.append(message(NEWROUTE, body + b"".join(parts)))
    if dice.random() < 0.5:
        many.sort(key=lambda one: one[40:44])
    return b"".join(many)


@pytest.mark.parametrize("seed", range(40))
def test_many_at_once_are_what_one_by_one_they_are(seed: int) -> None:
    """Runs of messages of one layout, and runs broken by others, give the routes that decoding each
    by itself gives, in the order of the tree and of equal prefixes in the order of the dump."""
    dice = random.Random(seed)
    chunks = [b"".join(run_of_routes(dice) for _ in range(4)) for _ in range(6)]
    tables, exceptions = parse_routes(chunks)
    slow: dict[tuple[int, TableId], list[tuple[Prefix, RouteInfo]]] = {}
    cloned = []
    for table, prefix, info in (entry for chunk in chunks for entry in naive(chunk)):
        if info.cached:
            cloned.append(prefix.network)
        else:
            slow.setdefault((prefix.family, table), []).append((prefix, info))
    quick = {
        key: [(found.destination, found.info) for found in table] for key, table in tables.items()
    }
    assert quick == {key: sorted(rows, key=lambda row: row[0]) for key, rows in slow.items()}
    assert [int(one.destination) for one in exceptions] == cloned


def test_truncated_messages_are_refused() -> None:
    """Bytes that end in the middle of a message are a FormatError, never a guess or a crash."""
    data = (DATA / "route4.netlink").read_bytes()
    whole = {end for _, _, _, end in messages(data)}
    for length in range(1, len(data)):
        if length not in whole:
            with pytest.raises(FormatError):
                RouteDump().feed(data[:length])


@pytest.mark.parametrize("name", ["route4.netlink", "route6.netlink"])
def test_garbage_is_refused_or_read_but_never_a_crash(name: str) -> None:
    """Flipped bytes give other routes or a FormatError (or what a netlink error says)."""
    data = (DATA / name).read_bytes()
    dice = random.Random(2)
    for _ in range(2000):
        broken = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            parse_routes([bytes(broken)])
        except (FormatError, NetlinkError):
            continue
