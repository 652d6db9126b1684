"""Small hosts built by hand, for tests of the panes.

         eth0 192.0.2.10/24, 2001:db8::10/64   gateway 192.0.2.1
host ────┤
         wg0  10.20.0.1/16, port 51820, mark 0xca6c
              fra1  198.51.100.4:51820   10.20.0.0/16 10.20.3.0/24 fd20::/64
              ams2  no endpoint          10.20.3.128/25 0.0.0.0/0
              (unnamed)                  nothing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from netaddr import IPAddress

from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkAddress,
    LinkIndex,
    Mark,
    Masked,
    NextHop,
    RouteInfo,
    RouteType,
    Rule,
    RuleAction,
    Selector,
    TableId,
)
from wgtui.model.prefix import Family, Prefix
from wgtui.model.routes import RouteTables, RouteTablesBuilder
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.wireguard import Device, DeviceConfig, Endpoint, Peer, PeerConfig
from wgtui.tui.row_layout import text_of
from wgtui.tui.rows import Lit, RowModel

NOW = 1_700_000_000.0
LO, ETH0, WG0 = LinkIndex(1), LinkIndex(2), LinkIndex(3)
TUNNEL = TableId(51820)


def key(letter: str) -> str:
    """A public key that can be told from others."""
    return letter * 43 + "="


def address(text: str, **more: object) -> LinkAddress:
    """``192.0.2.10/24`` on a link."""
    host, _, length = text.partition("/")
    found = IPAddress(host)
    family: Family = 4 if found.version == 4 else 6
    made = LinkAddress(found, Prefix.of(family, int(found), int(length)))
    return replace(made, **more)  # type: ignore[arg-type]


def link(index: int, name: str, *addresses: str, kind: str | None = None, **more: object) -> Link:
    """A link that is up."""
    found = tuple(address(text) for text in addresses)
    made = Link(LinkIndex(index), name, kind=kind, mtu=1500, state="up", addresses=found)
    return replace(made, **more)  # type: ignore[arg-type]


def prefixes(*texts: str) -> tuple[Prefix, ...]:
    """Parsed."""
    return tuple(Prefix.parse(text) for text in texts)


def peer(letter: str, label: str, endpoint: str | None, *allowed: str, age: float | None) -> Peer:
    """A peer whose key is one letter repeated; ``age`` of its last handshake in seconds."""
    met = None
    if endpoint is not None:
        host, _, port = endpoint.rpartition(":")
        met = Endpoint(IPAddress(host.strip("[]")), int(port))
    handshake = None if age is None else NOW - age
    return Peer(key(letter), label, met, prefixes(*allowed), handshake)


def routes(*lines: str) -> RouteTables:
    """``table main 10.0.0.0/8 via 192.0.2.1 dev 2 metric 100 type blackhole`` and the like."""
    builder = RouteTablesBuilder()
    for line in lines:
        table, destination, *rest = line.split()
        given = dict(zip(rest[::2], rest[1::2], strict=True))
        family: Family = 6 if ":" in destination or given.get("family") == "6" else 4
        via = IPAddress(given["via"]) if "via" in given else None
        hops = (NextHop(LinkIndex(int(given["dev"])), via),) if "dev" in given else ()
        source = IPAddress(given["src"]) if "src" in given else None
        info = RouteInfo(
            RouteType(given.get("type", "unicast")),
            protocol=given.get("proto", ""),
            metric=int(given.get("metric", 0)),
            preferred_source=source,
            next_hops=hops,
        )
        builder.add(TableId(int(table)), Prefix.parse(destination, family), info)
    return builder.build()


def rule(priority: int, table: int = MAIN_TABLE, **more: object) -> Rule:
    """An IPv4 rule; what is no field of a rule is a selector."""
    selector = more.pop("selector", Selector())
    return Rule(priority, 4, selector, table=TableId(table), **more)  # type: ignore[arg-type]


RULES = (
    rule(0, LOCAL_TABLE),
    rule(32764, suppress_prefix_length=0),
    rule(32765, TUNNEL, selector=Selector(inverted=True, mark=Masked(0xCA6C, 0xFFFFFFFF))),
    rule(32766),
    rule(32767, 253),
)
"""What wg-quick makes of the defaults for a full tunnel."""

ROUTES = (
    "255 127.0.0.0/8 dev 1 type local",
    "255 192.0.2.10/32 dev 2 type local",
    "255 10.20.0.1/32 dev 3 type local",
    "254 default via 192.0.2.1 dev 2 proto static",
    "254 10.0.0.0/8 type blackhole",
    "254 10.20.0.0/16 dev 3 src 10.20.0.1 proto kernel",
    "254 172.16.0.0/12 via 192.0.2.2 dev 2 metric 100",
    "254 172.16.0.0/12 via 192.0.2.3 dev 2 metric 200",
    "254 192.0.2.0/24 dev 2 src 192.0.2.10 proto kernel",
    "51820 default dev 3",
    "77 198.18.0.0/15 dev 2",
    "254 2001:db8::/64 dev 2 metric 256",
    "254 fe80::/64 dev 2 metric 256",
)

FRA1 = peer(
    "A",
    "fra1",
    "198.51.100.4:51820",
    "10.20.0.0/16",
    "10.20.3.0/24",
    "fd20::/64",
    age=72,
)
AMS2 = peer("B", "ams2", None, "10.20.3.128/25", "0.0.0.0/0", age=None)
NOBODY = peer("C", "", "[2001:db8::9]:51820", age=300)


def host(**more: object) -> Snapshot:
    """The host of the picture above; any field can be another one."""
    links = (
        link(1, "lo", "127.0.0.1/8", "::1/128", loopback=True),
        link(2, "eth0", "192.0.2.10/24", "2001:db8::10/64"),
        link(3, "wg0", "10.20.0.1/16", kind="wireguard"),
    )
    device = Device(WG0, "wg0", key("D"), 51820, Mark(0xCA6C), (FRA1, AMS2, NOBODY))
    sysctls: Mapping[str, int] = {
        f"net/ipv4/conf/{name}/{word}": 0
        for name in ("all", "lo", "eth0", "wg0")
        for word in ("rp_filter", "src_valid_mark", "forwarding", "ignore_routes_with_linkdown")
    }
    snapshot = Snapshot(
        NOW,
        host="edge",
        links={entry.index: entry for entry in links},
        rules={4: RULES, 6: (Rule(0, 6, table=LOCAL_TABLE), Rule(32766, 6, table=MAIN_TABLE))},
        routes=routes(*ROUTES),
        devices={WG0: device},
        sysctls=sysctls,
        hooks=(),
        local_in_main=False,
    )
    return replace(snapshot, **more)  # type: ignore[arg-type]


def meant(*peers: PeerConfig) -> tuple[DeviceConfig, ...]:
    """A configuration of wg0."""
    return (DeviceConfig("wg0", "/etc/wireguard/wg0.conf", peers=peers),)


def hidden(link_index: LinkIndex | None = None) -> Gap:
    """WireGuard may not be looked at."""
    return Gap(Subject.WIREGUARD, "Operation not permitted", "run as root", link_index)


def terminal_rule() -> Rule:
    """``unreachable`` for everybody."""
    return rule(100, action=RuleAction.UNREACHABLE)


def lines(model: RowModel, width: int = 100) -> list[str]:
    """Every row as text."""
    return [text_of(model.spans(row, width)) for row in range(len(model))]


def row_with(model: RowModel, text: str) -> int:
    """The first row that has this text."""
    for row, line in enumerate(lines(model)):
        if text in line:
            return row
    raise LookupError(f"no row with {text!r} in:\n" + "\n".join(lines(model)))


def marked(model: RowModel, lit: Lit) -> list[tuple[str, str, str]]:
    """Tone, first words and mark's word of every marked row, from top to bottom."""
    said = lines(model)
    return [(lit.marks[row].value, said[row].strip(), lit.words[row]) for row in sorted(lit.marks)]
