"""How does it end? One sentence per outcome: the line that is read first, and often alone."""

from __future__ import annotations

from typing import Final

from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Reason, ReversePath, RpWhy, Trace
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import peer_name, rule_text

REASONS: Final[dict[Reason, str]] = {
    Reason.SOURCE_NOT_LOCAL: "the source is not an address of this host",
    Reason.SOURCE_INVALID: "nothing may be sent from such an address",
    Reason.SOURCE_IS_OWN: "the source is one of this host's own addresses",
    Reason.LOOPBACK_ADDRESS: "loopback addresses do not travel on links",
    Reason.DESTINATION_INVALID: "such a destination is not accepted from a link",
    Reason.NO_MULTICAST_LISTENER: "nobody here listens to that group",
    Reason.NO_RULE_LEFT: "every rule was asked and none had a route",
    Reason.OIF_DOWN: "the link it is bound to is down",
    Reason.IIF_HAS_NO_ADDRESS: "the link it arrives on has no address of the family",
    Reason.NO_CARRIER: "the link has no carrier",
    Reason.LINK_ADMIN_DOWN: "the link is down",
    Reason.NO_PRIVATE_KEY: "the device has no private key, so it can encrypt nothing",
    Reason.NOBODY_OWNS_SOURCE: "no peer's AllowedIPs cover the source",
    Reason.OTHER_PEER_OWNS_SOURCE: "the source belongs to another peer",
    Reason.FORWARDING_OFF: "forwarding is switched off",
    Reason.UNKNOWN_SELECTOR: "a rule has a condition that this version of wgtui does not know",
    Reason.UNKNOWN_ACTION: "a rule has an action that this version of wgtui does not know",
    Reason.UNKNOWN_ROUTE_ATTRIBUTE: "the winning route says something wgtui does not understand",
    Reason.UNKNOWN_ROUTE_TYPE: "the winning route is of a type that wgtui does not know",
    Reason.UNKNOWN_NEXTHOP: "the winning route's next hop could not be seen",
    Reason.RULES_UNREADABLE: "the policy rules could not be read",
    Reason.ROUTES_UNREADABLE: "the routes could not be read",
    Reason.LINKS_UNREADABLE: "the links could not be read, so this one may be anything",
    Reason.ADDRESSES_UNREADABLE: "this host's addresses could not be read",
    Reason.WIREGUARD_UNREADABLE: "the device's peers could not be read",
    Reason.SYSCTL_UNREADABLE: "the kernel settings that decide it (sysctl) could not be read",
    Reason.MARK_MAY_CHANGE: "a firewall may set the packet's mark, which decides it",
    Reason.FOREIGN_NAMESPACE: "the device's socket lives in another network namespace",
    Reason.NEIGHBOUR_DEPENDENT: "it depends on which gateway answers",
    Reason.ENCAP: "the route wraps the packet (encap) and where that goes is not modelled",
    Reason.MULTICAST_ROUTING: "multicast memberships and multicast routing are not modelled",
    Reason.LEGS_DIFFER: "several next hops can win, and they do not end the same way",
    Reason.OTHER_VRF: "the table of the VRF could not be seen",
    Reason.TOO_DEEP: "more tunnels inside tunnels than a packet survives",
}


def verdict(snapshot: Snapshot, trace: Trace) -> Line:
    """The first line of every answer."""
    tone = Tone.GOOD if trace.outcome.good else Tone.BAD
    if trace.outcome is Outcome.UNKNOWN:
        tone = Tone.UNKNOWN
    word = trace.outcome.value.upper()
    return Line(f"{word}  {_sentence(snapshot, trace)}", tone)


def _sentence(snapshot: Snapshot, trace: Trace) -> str:
    to = str(trace.flow.destination)
    route, ownership = trace.route, trace.ownership
    dev = printable(snapshot.link_name(route.link)) if route is not None else ""
    device = printable(ownership.device.name) if ownership is not None else dev
    owner = ownership.owner if ownership is not None else None
    peer = peer_name(owner.peer) if owner is not None else ""
    why = REASONS.get(trace.reason, "") if trace.reason is not None else ""
    match trace.outcome:
        case Outcome.LOCAL:
            return f"{to} is delivered on this host."
        case Outcome.SENT:
            return f"{to} leaves in clear by {dev}{_gateway(trace)}."
        case Outcome.ENCRYPTED:
            return f"{to} goes to peer {peer} on {device}, then {_underlay(snapshot, trace)}."
        case Outcome.NO_ROUTE:
            return f"{to} has no route: {why}." if why else f"{to} has no route."
        case Outcome.UNREACHABLE | Outcome.PROHIBITED | Outcome.BLACKHOLED:
            return f"{to} is refused by {_refuser(trace)}."
        case Outcome.LINK_DOWN:
            link = dev or printable(trace.flow.oif or "")
            return f"{to} would leave by {link}, but {why or 'the link is down'}."
        case Outcome.NO_PEER:
            return f"{to} is routed into {device}, where no peer's AllowedIPs cover it (ENOKEY)."
        case Outcome.NO_ENDPOINT:
            return f"{to} belongs to peer {peer} on {device}, whose endpoint is not known (EDESTADDRREQ)."
        case Outcome.OUTER_FAILED:
            return f"{to} belongs to peer {peer} on {device}, but {_outer_failure(trace, why)}."
        case Outcome.LOOP:
            return f"{to} goes to peer {peer} on {device}, and its encrypted packet comes back into {_loop(snapshot, trace)}: a loop."
        case Outcome.NOT_ALLOWED:
            return _not_allowed(snapshot, trace)
        case Outcome.RPF_DROPPED:
            return f"{_came(snapshot, trace)} is dropped by rp_filter: {_rp_why(snapshot, trace)}."
        case Outcome.MARTIAN:
            return f"{to} is refused for its addresses: {why}."
        case Outcome.NOT_FORWARDED:
            return f"{_came(snapshot, trace)} is not for this host, and {why}."
        case Outcome.UNKNOWN:
            return f"what happens to {to} cannot be known: {why}."


def _gateway(trace: Trace) -> str:
    route = trace.route
    if route is None:
        return ""
    if len(route.next_hops) > 1:
        return f" (one of {len(route.next_hops)} next hops, picked by a hash)"
    return f" via {route.gateway}" if route.gateway is not None else ""


def _underlay(snapshot: Snapshot, trace: Trace) -> str:
    outer = trace.outer
    if outer is None:
        return "nowhere"
    route, ownership = outer.route, outer.ownership
    dev = printable(snapshot.link_name(route.link)) if route is not None else "?"
    if ownership is not None and ownership.owner is not None:
        inner = f"inside {printable(ownership.device.name)}'s tunnel to {peer_name(ownership.owner.peer)}"
        return f"{inner}, {_underlay(snapshot, outer)}"
    return f"encrypted out by {dev} to {trace.endpoint}"


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


def _outer_failure(trace: Trace, why: str) -> str:
    outer = trace.outer
    if outer is None:
        return why or "the encrypted packet cannot leave"
    text = f"the encrypted packet to {trace.endpoint} cannot leave: {outer.outcome.value}"
    return f"{text} ({_refuser(outer)})" if outer.decided and outer.route else text


def _loop(snapshot: Snapshot, trace: Trace) -> str:
    outer = trace.outer
    route = outer.route if outer is not None else None
    return printable(snapshot.link_name(route.link)) if route is not None else "the tunnel"


def _came(snapshot: Snapshot, trace: Trace) -> str:
    return f"the packet from {trace.flow.source} on {printable(trace.flow.iif or '')}"


def _not_allowed(snapshot: Snapshot, trace: Trace) -> str:
    arrival = trace.arrival
    source, device = trace.flow.source, printable(trace.flow.iif or "")
    sender = peer_name(arrival.sender) if arrival and arrival.sender else "any peer"
    if arrival is None or arrival.owner is None:
        return f"{device} drops {source} from {sender}: no peer's AllowedIPs cover it."
    owner = f"{peer_name(arrival.owner.peer)} (by {arrival.owner.prefix})"
    return f"{device} drops {source} from {sender} after decryption: it belongs to {owner}."


def _rp_why(snapshot: Snapshot, trace: Trace) -> str:
    path = trace.arrival.reverse_path if trace.arrival is not None else None
    return rp_reason(snapshot, path) if path is not None else ""


def rp_reason(snapshot: Snapshot, path: ReversePath) -> str:
    """Why the reverse path filter said what it said."""
    link = printable(snapshot.link_name(path.back.link)) if path.back is not None else ""
    return {
        RpWhy.OFF: "it is off",
        RpWhy.OWN_LINK: "the way back is the same link",
        RpWhy.LOOSE: "there is a way back",
        RpWhy.STRICT_OTHER_LINK: f"it is strict, and the way back is {link}",
        RpWhy.NO_ROUTE_BACK: "there is no way back",
        RpWhy.NO_ADDRESS: f"the link has no IPv4 address, so loose counts as strict, and the way back is {link}",
        RpWhy.OWN_SOURCE: "the source is an address of this host",
        RpWhy.NOT_UNICAST: "the source is no unicast address",
        RpWhy.UNKNOWN: "it could not be seen",
    }[path.why]

