"""How does it end? One sentence per outcome: the line that is read first, and often alone."""

from __future__ import annotations

from typing import Final

from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, ReversePath, RpWhy, Trace
from wgtui.model.wireguard import Backend
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import birthplace_text, endpoint_text, peer_name, rule_text

MODES: Final = {0: "off", 1: "strict", 2: "loose", None: "(mode not seen)"}
"""rp_filter, in words."""

ANY_MODE: Final = frozenset({RpWhy.OWN_SOURCE, RpWhy.NOT_UNICAST})
"""What drops a packet whatever rp_filter is set to, and is no matter of it."""

REASONS: Final[dict[Reason, str]] = {
    Reason.SOURCE_NOT_LOCAL: "the source is not an address of this host",
    Reason.SOURCE_INVALID: "nothing may be sent from such an address",
    Reason.SOURCE_IS_OWN: "the source is an address of this host",
    Reason.LOOPBACK_ADDRESS: "loopback addresses do not travel on links",
    Reason.DESTINATION_INVALID: "such a destination is not accepted from a link",
    Reason.NO_MULTICAST_LISTENER: "nobody here listens to that group",
    Reason.RULE: "a rule refuses it",
    Reason.NO_RULE_LEFT: "no rule leads to one",
    Reason.OIF_DOWN: "the link it is bound to is down",
    Reason.IIF_HAS_NO_ADDRESS: "the link it arrives on has no address of the family",
    Reason.IPV6_OFF: "IPv6 is off (disable_ipv6, or MTU < 1280) on the link it arrives on",
    Reason.NO_CARRIER: "the link has no carrier",
    Reason.LINK_ADMIN_DOWN: "the link is down",
    Reason.NO_PRIVATE_KEY: "the device has no private key, so it can encrypt nothing",
    Reason.NOBODY_OWNS_SOURCE: "no AllowedIPs cover the source",
    Reason.OTHER_PEER_OWNS_SOURCE: "the source belongs to another peer",
    Reason.FORWARDING_OFF: "forwarding is off",
    Reason.UNKNOWN_SELECTOR: "a rule has a condition that this version of wgtui does not know",
    Reason.UNKNOWN_ACTION: "a rule has an action that this version of wgtui does not know",
    Reason.UNKNOWN_ROUTE_ATTRIBUTE: "this version of wgtui does not know all that the route says",
    Reason.UNKNOWN_ROUTE_TYPE: "the route is of a type that this version of wgtui does not know",
    Reason.UNKNOWN_NEXTHOP: "the route's next hop could not be seen",
    Reason.RULES_UNREADABLE: "the rules could not be read",
    Reason.ROUTES_UNREADABLE: "the routes could not be read",
    Reason.LINKS_UNREADABLE: "the links could not be read, so this one may be anything",
    Reason.ADDRESSES_UNREADABLE: "the addresses of this host could not be read",
    Reason.WIREGUARD_UNREADABLE: "the peers of the device could not be read",
    Reason.SYSCTL_UNREADABLE: "the kernel settings (sysctl) that decide it could not be read",
    Reason.MARK_MAY_CHANGE: "a firewall may set the packet's mark, which decides it",
    Reason.FOREIGN_NAMESPACE: "the device's socket lives in another network namespace",
    Reason.NEIGHBOUR_DEPENDENT: "it depends on which gateway answers",
    Reason.ENCAP: "the route wraps the packet (encap), and wgtui does not follow that",
    Reason.MULTICAST_ROUTING: "wgtui does not follow multicast",
    Reason.LEGS_DIFFER: "several next hops can win, and they do not end the same way",
    Reason.OTHER_VRF: "the table of the VRF could not be seen",
    Reason.TOO_DEEP: "it would be encrypted more often than a packet can be",
}


def verdict(snapshot: Snapshot, trace: Trace) -> Line:
    """The first line of every answer."""
    tone = Tone.GOOD if trace.outcome.good else Tone.BAD
    if trace.outcome is Outcome.UNKNOWN:
        tone = Tone.UNKNOWN
    return Line(f"{trace.outcome.value.upper()}  {_sentence(snapshot, trace)}.", tone)


def _sentence(snapshot: Snapshot, trace: Trace) -> str:
    """Begins with the address, so that it can also follow "its endpoint"; no full stop."""
    to = str(trace.flow.destination)
    route, ownership = trace.route, trace.ownership
    dev = printable(snapshot.link_name(route.link)) if route is not None else ""
    device = printable(ownership.device.name) if ownership is not None else dev
    owner = ownership.owner if ownership is not None else None
    peer = f"peer {peer_name(owner.peer)} on {device}" if owner is not None else ""
    why = REASONS[trace.reason] if trace.reason is not None else ""
    match trace.outcome:
        case Outcome.LOCAL:
            return f"{to} is delivered on this host"
        case Outcome.SENT:
            return f"{to} leaves in clear by {dev}{_gateway(trace)}"
        case Outcome.ENCRYPTED:
            return f"{to} goes to {_encrypted(snapshot, trace)}"
        case Outcome.NO_ROUTE:
            if trace.reason is Reason.SOURCE_NOT_LOCAL:
                return (
                    f"{to} cannot be sent from {trace.flow.source}: this host has no such address"
                )
            if trace.reason is Reason.SOURCE_INVALID:
                return f"{to} cannot be sent from {trace.flow.source}: {why}"
            return f"{to} has no route: {why}" if why else f"{to} has no route"
        case Outcome.UNREACHABLE | Outcome.PROHIBITED | Outcome.BLACKHOLED:
            return f"{to} is refused by {_refuser(trace)}"
        case Outcome.LINK_DOWN:
            link = dev or printable(trace.flow.oif or "")
            return f"{to} would leave by {link}, but {why or 'the link is down'}"
        case Outcome.NO_PEER:
            told = _told(trace, "ENOKEY")
            return f"{to} is routed into {device}, but no AllowedIPs there cover it ({told})"
        case Outcome.NO_ENDPOINT:
            return f"{to} belongs to {peer}, which has no endpoint ({_told(trace, 'EDESTADDRREQ')})"
        case Outcome.OUTER_FAILED:
            if trace.outer is None:
                return f"{to} belongs to {peer}, but {why or 'its encrypted packet cannot leave'}"
            return f"{to} belongs to {peer}, but its endpoint {_outer_sentence(snapshot, trace)}"
        case Outcome.LOOP:
            if not peer:
                return f"{to} goes back to a peer it has already left through"
            again = f"its encrypted packet to {endpoint_text(trace.endpoint)} goes back into"
            return f"{to} goes to {peer}, and {again} {_loop(snapshot, trace)}"
        case Outcome.NOT_ALLOWED:
            return _not_allowed(trace)
        case Outcome.RPF_DROPPED:
            return f"{_came(trace)} is dropped by {_rp_why(snapshot, trace)}"
        case Outcome.MARTIAN:
            what = _came(trace) if trace.flow.iif is not None else to
            cause = "" if trace.reason is Reason.IPV6_OFF else " for its addresses"
            return f"{what} is refused{cause}: {why}"
        case Outcome.NOT_FORWARDED:
            where = f" on {printable(trace.flow.iif or '')}" if trace.flow.family == 4 else ""
            return f"{_came(trace)} is not for this host, and {why}{where}"
        case Outcome.UNKNOWN:
            if peer and trace.outer is not None and trace.outer.outcome is Outcome.UNKNOWN:
                return f"{to} goes to {peer}; its endpoint {_sentence(snapshot, trace.outer)}"
            return f"{to} cannot be followed: {why}{_remedy(snapshot, trace)}"


def _outer_sentence(snapshot: Snapshot, trace: Trace) -> str:
    """How the encrypted packet ends, and where that is."""
    if trace.outer is None or trace.ownership is None:
        return "?"
    said = _sentence(trace.outer_host(snapshot), trace.outer)
    return f"{said}{birthplace_text(trace.ownership.device)}"


_HIDDEN: Final = {
    Reason.WIREGUARD_UNREADABLE: (Subject.WIREGUARD,),
    Reason.RULES_UNREADABLE: (Subject.RULES4, Subject.RULES6),
    Reason.ROUTES_UNREADABLE: (Subject.ROUTES4, Subject.ROUTES6),
    Reason.LINKS_UNREADABLE: (Subject.LINKS,),
    Reason.ADDRESSES_UNREADABLE: (Subject.ADDRESSES,),
    Reason.SYSCTL_UNREADABLE: (Subject.SYSCTL,),
}


def _remedy(snapshot: Snapshot, trace: Trace) -> str:
    """What to do so that it can be seen: ``; run as root (sudo wgtui)``."""
    subjects = _HIDDEN.get(trace.reason, ()) if trace.reason is not None else ()
    for gap in snapshot.gaps:
        if gap.subject in subjects and gap.hint:
            return f"; {printable(gap.hint)}"
    return ""


def _gateway(trace: Trace) -> str:
    route = trace.route
    if route is None:
        return ""
    if route.route is not None and len(route.next_hops) > max(1, len(route.route.info.next_hops)):
        via = ", ".join(str(leg.gateway) for leg in route.next_hops if leg.gateway is not None)
        return f" via {via}, or past it: that was settled when the route was added, and is not seen"
    if len(route.next_hops) > 1:
        return f", or another of {len(route.next_hops)} next hops (a hash picks)"
    return f" via {route.gateway}" if route.gateway is not None else ""


def _encrypted(snapshot: Snapshot, trace: Trace) -> str:
    """``peer fra1 on wg0, encrypted to 198.51.100.4:51820 by eth0``; and where that packet goes."""
    ownership, outer = trace.ownership, trace.outer
    if ownership is None or ownership.owner is None or outer is None:
        return "nowhere"
    peer = f"peer {peer_name(ownership.owner.peer)} on {printable(ownership.device.name)}"
    text = f"{peer}, encrypted to {endpoint_text(trace.endpoint)}"
    there, where = trace.outer_host(snapshot), birthplace_text(ownership.device)
    if outer.ownership is not None:
        return f"{text}{where}; that packet goes to {_encrypted(there, outer)}"
    if outer.outcome is Outcome.LOCAL:
        return f"{text}, which is this host"
    route = outer.route
    link = printable(there.link_name(route.link)) if route is not None else "?"
    return f"{text} by {link}{where}"


def _refuser(trace: Trace) -> str:
    decided, route = trace.decided, trace.route
    if route is not None and route.route is not None:
        kind = route.route.info.type.value
        if route.route.info.nexthop_blackhole:
            kind = "blackhole next hop's"
        return f"the {kind} route {route.route.destination}"
    if decided is not None and decided.rule is not None:
        return f"rule {rule_text(decided.rule)}"
    return "a rule"


def _told(trace: Trace, error: str) -> str:
    """What the sender is told: an errno by the kernel, nothing by userspace (S-E10 … S-E12)."""
    ownership = trace.ownership
    if ownership is not None and ownership.device.backend is Backend.USERSPACE:
        return "userspace: dropped silently"
    return error


def _loop(snapshot: Snapshot, trace: Trace) -> str:
    outer = trace.outer
    route, there = (outer.route if outer is not None else None), trace.outer_host(snapshot)
    return printable(there.link_name(route.link)) if route is not None else "the same peer"


def _came(trace: Trace) -> str:
    return f"{trace.flow.destination} from {trace.flow.source} on {printable(trace.flow.iif or '')}"


def _not_allowed(trace: Trace) -> str:
    arrival = trace.arrival
    what = f"{_came(trace)} is dropped after decryption"
    if arrival is None or arrival.owner is None:
        return f"{what}: no AllowedIPs cover the source"
    owner = f"{peer_name(arrival.owner.peer)} ({arrival.owner.prefix})"
    other = f", not to {peer_name(arrival.sender)}" if arrival.sender is not None else ""
    return f"{what}: the source belongs to {owner}{other}"


def _rp_why(snapshot: Snapshot, trace: Trace) -> str:
    path = trace.arrival.reverse_path if trace.arrival is not None else None
    if path is None:
        return "rp_filter"
    if path.why in ANY_MODE:
        return f"the source check: {rp_reason(snapshot, path)}"
    return f"{rp_mode(path)}: {rp_reason(snapshot, path)}"


def rp_mode(path: ReversePath) -> str:
    """``rp_filter strict``."""
    return f"rp_filter {MODES.get(path.mode, str(path.mode))}"


def rp_reason(snapshot: Snapshot, path: ReversePath) -> str:
    """Why the reverse path filter said what it said."""
    link = printable(snapshot.link_name(path.back.link)) if path.back is not None else ""
    other = f"the way back is {link or 'another link'}"
    return {
        RpWhy.OFF: "it is off",
        RpWhy.OWN_LINK: "the way back is the same link",
        RpWhy.LOOSE: "there is a way back",
        RpWhy.STRICT_OTHER_LINK: other,
        RpWhy.NO_ROUTE_BACK: "there is no way back",
        RpWhy.NO_ADDRESS: f"the link has no IPv4 address, so it counts as strict, and {other}",
        RpWhy.OWN_SOURCE: "the source is an address of this host",
        RpWhy.NOT_UNICAST: "the source is no unicast address",
        RpWhy.UNKNOWN: "what decides it could not be seen",
    }[path.why]
