"""Which few words name a thing? Rules and routes as ``ip`` prints them, ages, sizes, peers.

Sentences are made elsewhere; these are the nouns in them and the cells of the panes. Everything
that came from outside leaves here printable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from netaddr import IPAddress

from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkAddress,
    NextHop,
    Preference,
    Route,
    RouteInfo,
    RouteType,
    Rule,
    RuleAction,
    Scope,
    Selector,
    TableId,
)
from wgtui.model.prefix import BITS, Family, Prefix, address_text
from wgtui.model.snapshot import Gap, Snapshot
from wgtui.model.wireguard import FRESH, Birth, Device, Endpoint, Peer
from wgtui.report.printable import printable

TABLE_NAMES: Final = {LOCAL_TABLE: "local", MAIN_TABLE: "main", DEFAULT_TABLE: "default"}
"""The three that every host names alike; others are numbers."""

SCOPE_NAMES: Final = {
    Scope.SITE: "site",
    Scope.LINK: "link",
    Scope.HOST: "host",
    Scope.NOWHERE: "nowhere",
}

PROTOCOL_NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}
"""IP protocols that ``ipproto`` knows by name."""

MERGED: Final = (
    "local and main are one tree: the longest prefix of both wins",
    "local and main are one tree",
)
"""IPv4 before the first rule was ever added (S-A4)."""

NO_RULE_LEADS: Final = "tables no rule leads to"
NO_DEVICES: Final = "no WireGuard device here"
NO_ALLOWED_IPS: Final = "(none)"
"""As ``wg show`` prints it."""

DEFAULT: Final = "default"
"""A route's destination when it is everything."""

UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB")

# ------------------------------------------------------------------------------------ small numbers


def age(seconds: float | None) -> str:
    """``12s``, ``1m12s``, ``3h05m``, ``4d07h``; None is ``never``, the future ``0s``."""
    if seconds is None:
        return "never"
    whole = max(0, int(seconds))
    for limit, big, big_unit, small, small_unit in (
        (3600, 60, "m", 1, "s"),
        (86400, 3600, "h", 60, "m"),
        (100 * 86400, 86400, "d", 3600, "h"),
    ):
        if whole < 60:
            return f"{whole}s"
        if whole < limit:
            return f"{whole // big}{big_unit}{whole % big // small:02d}{small_unit}"
    return f"{whole // 86400}d"


def bytes_text(count: float) -> str:
    """``512 B``, ``1.5 KiB``, ``12 MiB``: two digits are enough to see."""
    if count < 1024:
        return f"{int(count)} B"
    power = 0
    while count >= 1023.5 and power < len(UNITS):
        count, power = count / 1024, power + 1
    return f"{count:.1f} {UNITS[power - 1]}" if count < 9.95 else f"{count:.0f} {UNITS[power - 1]}"


def rate_text(bytes_per_second: float) -> str:
    """``1.5 KiB/s``."""
    return f"{bytes_text(bytes_per_second)}/s"


def mark_text(mark: int) -> str:
    """``0xca6c``."""
    return hex(mark)


def count_text(count: int, one: str, many: str = "") -> str:
    """``1 route``, ``1,000,000 routes``, ``no routes``."""
    words = one if count == 1 else many or f"{one}s"
    return f"{count:,} {words}" if count else f"no {words}"


# ------------------------------------------------------------------------------ links and addresses


def link_name(name: str) -> str:
    """A link's name, safe to show."""
    return printable(name)


def link_state(link: Link) -> str:
    """``up``, ``down``, ``no carrier``; ``not listed`` for a link that is only mentioned."""
    if not link.seen:
        return "not listed"
    if link.up is None:
        return "state unknown"
    if not link.up:
        return "down"
    return "no carrier" if link.carrier is False else "up"


def link_kind(link: Link, device: Device | None = None) -> str:
    """``wireguard``, ``veth``, ``loopback``; empty for plain hardware."""
    if device is not None:
        return "wireguard"
    return printable(link.kind) if link.kind else ("loopback" if link.loopback else "")


def link_address_text(entry: LinkAddress) -> str:
    """``192.0.2.10/24``, or ``10.0.0.1 peer 10.0.0.2/32`` as ``ip address`` writes it."""
    if entry.peer is not None:
        return f"{entry.address} peer {entry.peer}/{entry.prefix.length}"
    return f"{entry.address}/{entry.prefix.length}"


def host_text(prefix: Prefix) -> str:
    """A prefix as ``ip`` writes it: one address without its length."""
    if prefix.length == BITS[prefix.family]:
        return address_text(prefix.family, prefix.network)
    return str(prefix)


def destination_text(prefix: Prefix) -> str:
    """A route's destination: ``default``, or the prefix with its length, always."""
    return str(prefix) if prefix.length else DEFAULT


def gap_text(what: str, gap: Gap | None) -> str:
    """``peers not visible: Operation not permitted — run as root``."""
    why = f": {printable(gap.why)}" if gap and gap.why else ""
    hint = f" — {printable(gap.hint)}" if gap and gap.hint else ""
    return f"{what} not visible{why}{hint}"


# -------------------------------------------------------------------------------------------- rules


def table_name(table: TableId | None) -> str:
    """``main``, ``51820``; without one it is the VRF's."""
    return "[l3mdev-table]" if table is None else TABLE_NAMES.get(table) or printable(str(table))


def selector_text(selector: Selector, short: bool = False) -> str:
    """A rule's conditions as ``ip rule`` prints them; ``short`` drops an idle ``from all``."""
    words = [f"from {host_text(selector.source)}"] if selector.source else []
    if selector.destination:
        words.append(f"to {host_text(selector.destination)}")
    if selector.tos is not None:
        words.append(f"tos {selector.tos:#x}")
    if selector.mark:
        words.append(f"fwmark {selector.mark.value:#x}{_mask(selector.mark.mask, 0xFFFFFFFF)}")
    words += [f"iif {printable(selector.iif)}"] if selector.iif is not None else []
    words += [f"oif {printable(selector.oif)}"] if selector.oif is not None else []
    words += ["l3mdev"] if selector.l3mdev else []
    words += [f"uidrange {selector.uids.first}-{selector.uids.last}"] if selector.uids else []
    if selector.protocol is not None:
        words.append(f"ipproto {PROTOCOL_NAMES.get(selector.protocol, selector.protocol)}")
    if selector.source_port:
        words.append(f"sport {selector.source_port}{_mask(selector.source_port_mask, 0xFFFF)}")
    if selector.destination_port:
        words.append(
            f"dport {selector.destination_port}{_mask(selector.destination_port_mask, 0xFFFF)}"
        )
    if selector.dscp:
        words.append(f"dscp {selector.dscp.value:#x}{_mask(selector.dscp.mask, 0x3F)}")
    words += [f"tun_id {selector.tunnel_id}"] if selector.tunnel_id is not None else []
    if selector.flowlabel:
        words.append(
            f"flowlabel {selector.flowlabel.value:#x}{_mask(selector.flowlabel.mask, 0xFFFFF)}"
        )
    if not selector.source and not (short and words):
        words.insert(0, "from all")
    if selector.inverted:
        words.insert(0, "not")
    return " ".join(words)


def _mask(mask: int, everything: int) -> str:
    return "" if mask == everything else f"/{mask:#x}"


def action_text(rule: Rule, short: bool = False) -> str:
    """What a rule does: ``lookup main suppress_prefixlength 0``; ``short`` says ``suppress /0``."""
    words: list[str] = []
    match rule.action:
        case RuleAction.TABLE:
            words.append(f"lookup {table_name(rule.table)}")
        case RuleAction.GOTO:
            words.append(f"goto {rule.goto}")
        case action:
            words.append(action.value)
    limit = rule.suppress_prefix_length
    if limit is not None:
        brief = "suppress /0" if limit == 0 else f"suppress /0-/{limit}"
        words.append(brief if short else f"suppress_prefixlength {limit}")
    if rule.suppress_group is not None:
        words.append(f"suppress_ifgroup {rule.suppress_group}")
    words += [f"unknown {printable(selector)}" for selector in rule.unknown]
    return " ".join(words)


def rule_text(rule: Rule) -> str:
    """A rule as ``ip rule`` prints it: ``32764: not from all fwmark 0xca6c lookup 51820``."""
    return f"{rule.priority}: {selector_text(rule.selector)} {action_text(rule)}"


# ------------------------------------------------------------------------------------------- routes


def via_text(hop: NextHop, family: Family) -> str:
    """``via 192.0.2.1``; the gateway of an IPv4 route may be ``via inet6 fe80::1``."""
    if hop.gateway is None:
        return ""
    return f"via {'' if hop.gateway.version == family else 'inet6 '}{hop.gateway}"


def next_hop_text(hop: NextHop, snapshot: Snapshot, family: Family) -> str:
    """``via 192.0.2.1 dev eth0``."""
    dev = f"dev {printable(snapshot.link_name(hop.link))}" if hop.link is not None else ""
    return f"{via_text(hop, family)} {dev}".strip()


def unknown_text(info: RouteInfo) -> list[str]:
    """What of a route this version does not understand."""
    return [printable(word) for word in info.unknown]


def next_hop_flags(hop: NextHop) -> list[str]:
    """``dead``, ``linkdown``, ``onlink``, ``encap mpls``."""
    words = [word for word, is_set in (("dead", hop.dead), ("linkdown", hop.linkdown)) if is_set]
    words += ["onlink"] if hop.onlink else []
    words += [f"encap {printable(hop.encap)}"] if hop.encap is not None else []
    return words


def route_details(info: RouteInfo) -> list[str]:
    """All but type and next hops, the most telling first: ``metric 100``, ``src 10.0.0.1`` …"""
    words = [f"tos {info.tos:#x}"] if info.tos else []
    words += [f"metric {info.metric}"] if info.metric else []
    words += [f"expires {info.expires}s"] if info.expires is not None else []
    words += (
        [f"pref {info.preference.name.lower()}"] if info.preference is not Preference.MEDIUM else []
    )
    words += [f"nhid {info.nexthop_id}"] if info.nexthop_id is not None else []
    words += ["cached"] if info.cached else []
    words += [f"src {info.preferred_source}"] if info.preferred_source is not None else []
    words += [f"mtu {info.mtu}"] if info.mtu is not None else []
    words += [f"proto {printable(info.protocol)}"] if info.protocol else []
    words += (
        [f"scope {SCOPE_NAMES.get(Scope(info.scope), '')}"] if info.scope in SCOPE_NAMES else []
    )
    return words


def route_text(route: Route, snapshot: Snapshot) -> str:
    """A route as ``ip route`` prints it: ``10.0.0.0/8 via 192.0.2.1 dev eth0 metric 100``."""
    links = [snapshot.link_name(hop.link) for hop in route.info.next_hops]
    return way_text(route.destination, route.info, links)


def way_text(destination: Prefix, info: RouteInfo, links: Sequence[str]) -> str:
    """The same of its parts; ``links`` are the names of the next hops' links."""
    words = [] if info.type is RouteType.UNICAST else [info.type.value]
    words.append(destination_text(destination))
    words += [f"from {host_text(info.source)}"] if info.source else []
    hops = [
        " ".join(
            [
                via_text(hop, destination.family),
                f"dev {printable(link)}" if hop.link is not None else "",
            ]
        ).strip()
        for hop, link in zip(info.next_hops, links, strict=True)
    ]
    if len(hops) == 1:
        words += [hops[0], *next_hop_flags(info.next_hops[0])]
    words += route_details(info)
    if len(hops) > 1:
        for text, hop in zip(hops, info.next_hops, strict=True):
            words += ["nexthop", text, f"weight {hop.weight}", *next_hop_flags(hop)]
    return " ".join(word for word in words if word)


# -------------------------------------------------------------------------------------------- peers


def key_text(public_key: str) -> str:
    """A public key, whole."""
    return printable(public_key)


def short_key(public_key: str) -> str:
    """The beginning of a key: ``aBcDeFgH…``."""
    return f"{printable(public_key[:8])}…"


def peer_name(peer: Peer) -> str:
    """What to call a peer: its label, or the beginning of its key."""
    return printable(peer.label) or short_key(peer.public_key)


def endpoint_text(endpoint: Endpoint | None) -> str:
    """``198.51.100.4:51820``, or ``no endpoint``."""
    return "no endpoint" if endpoint is None else printable(str(endpoint))


def handshake_age(peer: Peer, now: float) -> float | None:
    """Seconds since the last handshake, or None: never."""
    return None if peer.last_handshake is None else max(0.0, now - peer.last_handshake)


def handshake_text(seconds: float | None, short: bool = False) -> str:
    """``handshake 1m12s ago``; old ones are called stale, and never is never."""
    if seconds is None:
        return "never" if short else "no handshake yet"
    if seconds > FRESH:
        return f"stale {age(seconds)}" if short else f"handshake {age(seconds)} ago, stale"
    return f"{age(seconds)} ago" if short else f"handshake {age(seconds)} ago"


def lost_texts(owner: str) -> tuple[str, str]:
    """That a prefix was meant for a peer and whose it is ("" nobody's), at two lengths."""
    if not owner:
        return "meant for it, nobody has it", "meant, lost"
    return f"meant for it, now owned by {owner}", f"now {owner}"


def fwmark_text(device: Device) -> str:
    """``fwmark 0xca6c``, ``fwmark off``."""
    return f"fwmark {mark_text(device.fwmark)}" if device.fwmark else "fwmark off"


def birth_text(device: Device) -> str:
    """Where its sockets live, when that is not here (S-E20)."""
    return f"socket in {namespace_text(device.birth_namespace)}"


def birthplace_text(device: Device) -> str:
    """`` in namespace uplink`` for one that was made elsewhere, nothing for others."""
    return "" if device.birth is Birth.HERE else f" in {namespace_text(device.birth_namespace)}"


def namespace_text(place: str | None) -> str:
    """A namespace's name; some have none."""
    if place is None:
        return "another namespace"
    if place == "":
        return "the namespace wgtui was started in"
    if place.startswith("/proc/"):
        return f"the namespace of process {printable(place.split('/')[2])}"
    return f"namespace {printable(place)}"


def address_with_zone(address: IPAddress, link: str | None) -> str:
    """An address to ask about; an IPv6 one that every link has needs the link's name (S-B71)."""
    if link and address.version == 6 and (address.is_link_local() or address.is_multicast()):
        return f"{address}%{link}"
    return str(address)


def filter_note(text: str, hits: int, capped: bool, searched: int | None) -> str:
    """What has to be said about a filter: that nothing is left, or that not everything is shown."""
    limit = f"; only the first {searched:,} rows were searched" if searched is not None else ""
    if not hits:
        return f"nothing matches {text}{limit}"
    if capped:
        return f"only the first {hits:,} matches are shown"
    return limit.removeprefix("; ")
