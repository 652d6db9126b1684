"""What host do these few lines describe? The short notation of the demo and of the scenario files.

Lines as a person pastes them: ``ip -br address``, ``ip rule``, ``ip route show table all``,
``wg set``, ``sysctl``. What a kernel adds by itself is added here too, so the lines stay few:

* ``lo`` with its addresses, when there is no line for it;
* the local table of a family that has no ``table local`` line (``ip route`` does not show it);
* every sysctl the answer may depend on, with the kernel's default, for every link;
* ``wg set`` moves a prefix from whoever had it (S-E2) and ignores a peer with the device's own key
  (S-E5).

A word that is not understood is a ``FormatError``: these lines are written by hand. What a future
kernel may say is written ``unknown WORD``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from netaddr import IPAddress

from wgtui.model.fact import dataclass
from wgtui.model.network import (
    LOCAL_TABLE,
    LOOPBACK,
    Link,
    LinkAddress,
    LinkIndex,
    Scope,
    TableId,
)
from wgtui.model.prefix import BITS, FAMILIES, Family, Prefix, family_of
from wgtui.model.routes import RouteTables, RouteTablesBuilder
from wgtui.model.snapshot import Gap, Hook, Snapshot
from wgtui.sources.shorthand_fib import SCOPES, read_routes, read_rules
from wgtui.sources.shorthand_local import local_table
from wgtui.sources.shorthand_wireguard import read_configs, read_devices
from wgtui.sources.shorthand_words import Words, lines

RULES4: Final = (
    "0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default"
)
RULES6: Final = "0: from all lookup local\n32766: from all lookup main"

LINK_SYSCTLS: Final[dict[Family, dict[str, int]]] = {
    4: {
        "forwarding": 0,
        "rp_filter": 0,
        "src_valid_mark": 0,
        "accept_local": 0,
        "route_localnet": 0,
        "send_redirects": 1,
        "log_martians": 0,
        "ignore_routes_with_linkdown": 0,
        "mc_forwarding": 0,
    },
    6: {
        "forwarding": 0,
        "disable_ipv6": 0,
        "use_tempaddr": 0,
        "accept_ra": 1,
        "ignore_routes_with_linkdown": 0,
        "mc_forwarding": 0,
    },
}
"""With the kernel's defaults."""

SYSCTLS: Final = {
    "net/ipv4/ip_forward": 0,
    "net/ipv4/fib_multipath_hash_policy": 0,
    "net/ipv4/fib_multipath_use_neigh": 0,
    "net/ipv4/nexthop_compat_mode": 1,
    "net/ipv6/fib_multipath_hash_policy": 0,
}


@dataclass(frozen=True, slots=True)
class HostLines:
    """A host in shorthand, one field for what one command prints."""

    links: str = ""
    """``eth0 UP 192.0.2.10/24 2001:db8::10/64 [mtu N] [kind K] [master L] [<FLAGS>]``"""
    rules4: str = RULES4
    rules6: str = RULES6
    routes4: str = ""
    """Of every table; where ``scope`` or ``metric`` is missing, what ``ip route add`` chooses."""
    routes6: str = ""
    wireguard: str = ""
    """``wg0 listen-port N fwmark M``, then ``peer NAME endpoint E allowed-ips A,B …`` lines."""
    meant: str = ""
    """The same words for the configuration files: nothing moves there."""
    sysctls: str = ""
    """``net.ipv4.conf.eth0.rp_filter = 1``"""


def read_host(
    text: HostLines,
    *,
    taken_at: float = 0.0,
    host: str = "",
    kernel: str = "",
    source: str = "",
    local_in_main: bool | None = None,
    hooks: tuple[Hook, ...] | None = (),
    gaps: tuple[Gap, ...] = (),
) -> Snapshot:
    """The whole host; raises ``FormatError``."""
    links = _read_links(text.links)
    names = {link.name: link.index for link in links}
    devices = read_devices(text.wireguard, names, taken_at)
    links = [
        replace(link, kind="wireguard") if link.index in devices and not link.kind else link
        for link in links
    ]
    links = [
        link if link.mtu else replace(link, mtu=1420 if link.index in devices else 1500)
        for link in links
    ]
    sysctls = _read_sysctls(text.sysctls, links)
    return Snapshot(
        taken_at=taken_at,
        host=host,
        kernel=kernel,
        source=source,
        links={link.index: link for link in links},
        rules={4: read_rules(text.rules4, 4), 6: read_rules(text.rules6, 6)},
        routes=_read_tables(text, links, names, sysctls),
        neighbours=(),
        devices=devices,
        meant=read_configs(text.meant),
        sysctls=sysctls,
        hooks=hooks,
        influences=(),
        local_in_main=local_in_main,
        gaps=gaps,
    )


# ------------------------------------------------------------------------------------------- links


def _read_links(text: str) -> list[Link]:
    links = [
        _link(words, LinkIndex(number)) for number, words in enumerate(lines(text, "links"), 2)
    ]
    if not any(link.loopback for link in links):
        lo = _link(Words("lo UNKNOWN 127.0.0.1/8 ::1/128", "links", 0), LOOPBACK)
        links.insert(0, lo)
    indexes = {link.name: link.index for link in links}
    return [
        replace(link, master=indexes.get(link.alias.removeprefix("master ")), alias="")
        if link.alias.startswith("master ")
        else link
        for link in links
    ]


def _link(words: Words, index: LinkIndex) -> Link:
    name = words.take("a link").partition("@")[0]
    state = words.take("a state").lower()
    lo = name == "lo"
    link = Link(
        index=LOOPBACK if lo else index,
        name=name,
        up=state != "down",
        carrier=state not in ("down", "no-carrier", "lowerlayerdown"),
        state="down" if state == "no-carrier" else state,
        mtu=65536 if lo else 0,
        loopback=lo,
        multicast=not lo,
    )
    addresses: list[LinkAddress] = []
    while words:
        word = words.take("a word")
        match word:
            case "mtu":
                link = replace(link, mtu=words.number("mtu"))
            case "group":
                link = replace(link, group=words.number("group"))
            case "kind":
                link = replace(link, kind=words.take("a kind"))
            case "vrf-table":
                link = replace(link, kind="vrf", vrf_table=TableId(words.number("vrf-table")))
            case "master":
                link = replace(link, alias=f"master {words.take('a link')}")
            case "deprecated" if addresses:
                addresses[-1] = replace(addresses[-1], deprecated=True)
            case "tentative" if addresses:
                addresses[-1] = replace(addresses[-1], tentative=True)
            case "scope" if addresses:
                addresses[-1] = replace(addresses[-1], scope=words.one_of(SCOPES, "a scope"))
            case "point-to-point":
                link = replace(link, point_to_point=True, noarp=True, multicast=False)
            case _:
                addresses.append(_address(word, words, addresses))
    return replace(link, addresses=tuple(addresses))


def _address(word: str, words: Words, before: Iterable[LinkAddress]) -> LinkAddress:
    local, _, length = word.partition("/")
    address = words.address(local)
    peer: IPAddress | None = None
    if words.next_is("peer"):
        far, _, length = words.take("an address").partition("/")
        peer = words.address(far)
    family = family_of(address)
    prefix = Prefix.of(
        family, int(peer if peer is not None else address), int(length or BITS[family])
    )
    value, scope = int(address), Scope.UNIVERSE
    if value >> 24 == 127 or (family == 6 and value == 1):
        scope = Scope.HOST
    elif family == 6 and value >> 118 == 0xFE80 >> 6:
        scope = Scope.LINK
    # Of several IPv4 addresses in one subnet all but the first are secondary (net/ipv4/devinet.c).
    secondary = family == 4 and any(entry.prefix == prefix for entry in before)
    return LinkAddress(address, prefix, scope, peer, secondary)


def _read_sysctls(text: str, links: list[Link]) -> dict[str, int]:
    """In /proc/sys's spelling; sysctl(8) writes a dot in a link's name as ``/``."""
    found = dict(SYSCTLS)
    for family, keys in LINK_SYSCTLS.items():
        for name in ("all", "default", *(link.name for link in links)):
            for key, value in keys.items():
                found[f"net/ipv{family}/conf/{name}/{key}"] = value
    for words in lines(text, "sysctls"):
        dotted = words.take("a sysctl").split(".")
        words.take("=")
        if dotted[2] == "conf":
            dotted[3:-1] = [".".join(dotted[3:-1]).replace("/", ".")]
        path = "/".join(dotted)
        if path not in found:
            raise words.wrong(f"no such sysctl: {path}")
        found[path] = words.number(path)
    return found


# ------------------------------------------------------------------------------------------ routes


def _read_tables(
    text: HostLines, links: list[Link], names: dict[str, LinkIndex], sysctls: dict[str, int]
) -> RouteTables:
    builder = RouteTablesBuilder()
    forwards = frozenset(name for name in names if sysctls[f"net/ipv6/conf/{name}/forwarding"])
    for family in FAMILIES:
        entries = list(read_routes(text.routes4 if family == 4 else text.routes6, family, names))
        if not any(entry.table == LOCAL_TABLE for entry in entries):
            entries += local_table(family, links, forwards)
        # A dump shows the routes of one prefix in the order the kernel tries them (S-B1).
        for entry in sorted(entries, key=lambda entry: (-entry.info.tos, entry.info.metric)):
            builder.add(*entry)
    return builder.build()
