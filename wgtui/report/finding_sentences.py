"""What does a finding say, in one or two sentences? What happens to packets because of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from wgtui.model.finding import Finding
from wgtui.model.finding_facts import (
    Asymmetric,
    Away,
    Down,
    Drift,
    DriftKind,
    Duplicate,
    Elsewhere,
    Filtered,
    ForwardingOff,
    Gateway,
    HostBits,
    Loop,
    ManyUplinks,
    Moved,
    Mtu,
    NoEndpoint,
    NoHandshake,
    Overlap,
    Ownerless,
    OwnKey,
    OwnsNothing,
    Shadowed,
    SharedInConfig,
    StaleHandshake,
    Unseen,
    ViaTunnel,
    Who,
    Written,
)
from wgtui.model.network import LinkIndex, Route, RouteType
from wgtui.model.prefix import BITS, Prefix, address_text
from wgtui.model.snapshot import Snapshot
from wgtui.report.finding_names import who
from wgtui.report.printable import printable
from wgtui.report.silence_words import never_answered, no_longer_answers
from wgtui.report.welcome import gap_sentence
from wgtui.report.words import (
    destination_text,
    endpoint_text,
    table_name,
    via_text,
)

_SHOWN: Final = 3
"""So many names or prefixes in one sentence."""


def finding_text(snapshot: Snapshot, finding: Finding) -> str:
    """One or two sentences; what came from outside is printable."""
    device = printable(finding.device or "")
    peer = who(finding.peer) if finding.peer else "the peer"
    prefix = str(finding.prefix) if finding.prefix else "some addresses"
    match finding.facts:
        case Moved() as moved:
            return _moved(device, peer, moved)
        case OwnsNothing(others):
            return (
                f"{peer} owns no address on {device}: nothing is sent to it, and all it sends is "
                f"dropped, however healthy its handshakes. A prefix has one owner on a device; "
                f"what it was given, another peer was given later ({_names(others)})."
            )
        case SharedInConfig(winner, written, spelled):
            return (
                f"{_place(written)} gives {spelled} to {peer}, and later to {who(winner)} too. On "
                f"one device a prefix has one owner: {who(winner)}; {peer} silently loses it."
            )
        case HostBits(spelled, written, host_meant):
            meant = f" Was {spelled.partition('/')[0]} alone meant?" if host_meant else ""
            return (
                f"{_place(written)}: {spelled} of {peer} means all of {prefix}, whatever its last "
                f"bits say.{meant}"
            )
        case Shadowed(takers):
            return (
                f"{peer} never gets a packet by {prefix} on {device}: longer prefixes own all of "
                f"it ({_taken(takers)}), and the longest wins."
            )
        case Overlap(takers, count):
            more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
            return (
                f"{prefix} is {peer}'s on {device}, but for longer prefixes of others: "
                f"{_taken(takers)}{more}. Packets to and from those are theirs alone; where that "
                f"is meant, nothing needs doing."
            )
        case Down(elsewhere, prefixes, count):
            more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
            goes = _goes(snapshot, elsewhere, plural=count > 1)
            own = f"{peer} owns" if finding.peer else "its peers own"
            return (
                f"{device} is down, and its routes are gone: {_parts(prefixes[:_SHOWN])}{more}, "
                f"which {own} there, {goes}."
            )
        case Elsewhere() as elsewhere:
            return _unrouted(snapshot, device, peer, prefix, elsewhere)
        case Filtered() as filtered:
            return _filtered(snapshot, device, peer, filtered)
        case Asymmetric(elsewhere, source):
            out = f"from {source} " if source is not None else ""
            return (
                f"{peer} may send from {_parts(elsewhere.parts)} into {device}; the replies {out}"
                f"{_goes(snapshot, elsewhere)}."
            )
        case ManyUplinks() as many:
            return _uplinks(snapshot, device, peer, many)
        case Ownerless(route, parts, whole):
            what = "no peer owns any of it" if whole else f"no peer owns {_parts(parts)}"
            return (
                f"{_route(snapshot, route)} leads into {device}, and {what}: such packets are "
                f"refused there (ENOKEY)."
            )
        case Gateway() as gateway:
            return _gateway(device, prefix, gateway)
        case NoEndpoint(meant=str() as meant):
            return (
                f"The configuration says that {peer} is at {printable(meant)}, and {device} has "
                f"no endpoint for it: packets to it are refused until it calls."
            )
        case NoEndpoint():
            return f"{device} does not know where {peer} is: until it calls, nothing can be sent."
        case Loop(endpoint=endpoint):
            return (
                f"The encrypted packet to {peer} ({endpoint_text(endpoint)}) is routed into "
                f"{device} and comes back to {peer}: it is encrypted again and again, and nothing "
                f"ever leaves."
            )
        case ViaTunnel(endpoint, through, owner, overhead):
            return (
                f"The encrypted packets of {device} to {peer} ({endpoint_text(endpoint)}) leave "
                f"through {who(owner)} on {printable(through)}: encrypted twice, {overhead} bytes "
                f"of MTU less."
            )
        case OwnKey(written, prefixes):
            owns = f" Nobody owns {_parts(prefixes)}." if prefixes else ""
            return (
                f"{_place(written)} gives {peer} the public key of {device} itself: the kernel "
                f"ignores such a peer without a word.{owns}"
            )
        case Drift() as drift:
            return _drift(device, peer, drift)
        case NoHandshake() as never:
            return never_answered(snapshot, device, peer, never)
        case StaleHandshake() as silent:
            return no_longer_answers(snapshot, device, peer, silent)
        case ForwardingOff() as off:
            return _forwarding(device, off)
        case Mtu(mtu, fits, outer_mtu, link, endpoint, tunnel):
            # A route says one of its own, or a message on the way did (PMTU).
            leaves = snapshot.links.get(link)
            of_path = "path " if leaves is not None and leaves.mtu != outer_mtu else ""
            where = f"{_link(snapshot, link)} ({of_path}MTU {outer_mtu})"
            end = "each is cut in two there" if tunnel else "they are fragmented or lost there"
            return (
                f"{device} has MTU {mtu}, but the encrypted packets to {peer} "
                f"({endpoint_text(endpoint)}) leave by {where}: more than {fits} does not fit, and "
                f"{end}."
            )
        case Duplicate(table, winner, loser):
            return (
                f"{prefix} is twice in table {table_name(table)}: {_how(snapshot, winner)} wins "
                f"over {_how(snapshot, loser)}, {_why(winner, loser)}; no packet takes that one."
            )
        case Unseen(gap):
            of = f" of {device}" if device and gap.link is None else ""
            told = gap_sentence(snapshot, gap)
            return f"Could not be read{of}: {told}. What it hides is not checked."


def _moved(device: str, peer: str, moved: Moved) -> str:
    prefixes, owner = _parts(moved.prefixes), who(moved.owner)
    halves = " (all addresses, in two halves)" if len(moved.prefixes) > 1 else ""
    was = f"was meant for {peer}" if moved.written else f"was {peer}'s before"
    both = (
        f" {_place(moved.written)} gives it to both, and the last one wins."
        if (moved.shared and moved.written)
        else ""
    )
    return (
        f"{prefixes}{halves} {was} and belongs to {owner} on {device} now: packets to it go to "
        f"{owner}, and what {peer} sends from it is dropped.{both}"
    )


def _unrouted(snapshot: Snapshot, device: str, peer: str, prefix: str, elsewhere: Elsewhere) -> str:
    goes = _goes(snapshot, elsewhere, plural=False)
    if elsewhere.whole:
        return f"{peer} owns {prefix} on {device}, but no route leads there: it {goes}."
    parts = _parts(elsewhere.parts)
    if elsewhere.exception:
        return f"{peer} owns {prefix} on {device}, but a longer route takes {parts}: it {goes}."
    return f"{peer} owns {prefix} on {device}, but only some of it is routed there: {parts} {goes}."


def _goes(snapshot: Snapshot, elsewhere: Elsewhere, plural: bool = True) -> str:
    """``leaves by eth0 (default via 192.0.2.1)``."""
    match elsewhere.away:
        case Away.OTHER_LINK:
            how = ""
            if elsewhere.route is not None:
                how = f" ({_route(snapshot, elsewhere.route, short=True)})"
            leave = "leave" if plural else "leaves"
            return f"{leave} by {_link(snapshot, elsewhere.link)}{how}"
        case Away.NO_ROUTE:
            return "have no route" if plural else "has no route"
        case Away.LOCAL:
            return "stay on this host" if plural else "stays on this host"
        case Away.REFUSED:
            by = elsewhere.route
            how = f" ({_route(snapshot, by, short=True)})" if by is not None else " by a rule"
            return f"{'are' if plural else 'is'} refused{how}"


def _filtered(snapshot: Snapshot, device: str, peer: str, filtered: Filtered) -> str:
    link = _link(snapshot, filtered.link)
    if filtered.endpoint is not None:
        back = f" leads by {_link(snapshot, filtered.back)}" if filtered.back else " is another"
        return (
            f"Encrypted packets from {peer} ({filtered.endpoint.address}) are dropped by strict "
            f"rp_filter on {link}: the unmarked way back to it{back}."
        )
    elsewhere = filtered.elsewhere
    parts = _parts(elsewhere.parts) if elsewhere is not None else "some addresses"
    goes = (
        f", because the way back to it {_goes(snapshot, elsewhere, plural=False)}"
        if (elsewhere is not None)
        else ""
    )
    how = (
        "rp_filter, strict where a link has no IPv4 address,"
        if filtered.addressless
        else ("strict rp_filter")
    )
    return f"What {peer} sends from {parts} is dropped by {how} on {device}{goes}."


def _gateway(device: str, prefix: str, gateway: Gateway) -> str:
    more = f" (and {gateway.count - 1:,} routes like it)" if gateway.count > 1 else ""
    owner = "nobody owns it" if gateway.owner is None else f"{who(gateway.owner)} gets it"
    beside = ""
    if gateway.gateway_owner is None:
        beside = "; the gateway itself is nobody's"
    elif gateway.gateway_owner != gateway.owner:
        beside = f", not {who(gateway.gateway_owner)}, whose address the gateway is"
    return (
        f"The route to {prefix}{more} names the gateway {gateway.gateway}, which {device} ignores: "
        f"AllowedIPs alone pick the peer, and {owner}{beside}."
    )


def _drift(device: str, peer: str, drift: Drift) -> str:
    file = printable(drift.file)
    match drift.kind:
        case DriftKind.PEER_MISSING:
            return f"{peer} is in {file} and not on {device}: its addresses are nobody's there."
        case DriftKind.PEER_EXTRA:
            return f"{peer} is on {device} and not in {file}: it is gone with the next restart."
        case DriftKind.ALLOWED_MISSING:
            return (
                f"{file} gives {_parts(drift.prefixes)} to {peer}, and on {device} it does not "
                f"have it: packets to it are refused, or another peer gets them."
            )
        case DriftKind.ALLOWED_EXTRA:
            return f"{peer} has {_parts(drift.prefixes)} on {device}, which {file} does not say."
        case DriftKind.ENDPOINT:
            return (
                f"{file} says that {peer} is at {printable(drift.meant)}; its last packet came "
                f"from {printable(drift.found)}, so that is where answers go."
            )
        case DriftKind.ROUTES:
            return (
                f"{file} says that {_parts(drift.prefixes)} is routed into {device}, and no route "
                f"leads there."
            )
        case DriftKind.PORT:
            return f"{file} says that {device} listens on port {drift.meant}; it is {drift.found}."
        case DriftKind.MARK:
            return (
                f"{file} gives the encrypted packets of {device} the mark {drift.meant}; they have "
                f"{drift.found}, and rules that look for it do not see them."
            )


def _uplinks(snapshot: Snapshot, device: str, peer: str, many: ManyUplinks) -> str:
    told = [f"{_link(snapshot, link)} from {source}" for link, source in many.ways]
    by, others = told[: many.chosen][:_SHOWN], told[many.chosen :][:_SHOWN]
    where = f"Encrypted packets of {device} to {peer} ({endpoint_text(many.endpoint)})"
    if not others:
        return (
            f"{where} may leave by {' or '.join(by)}. What stands between may know only one of "
            f"these sources, and drop the others."
        )
    return (
        f"{where} leave by {' or '.join(by)}. If {peer} calls another address of this host "
        f"({', '.join(others)}), it is answered from this one, and may not take it."
    )


def _forwarding(device: str, off: ForwardingOff) -> str:
    where = "this host" if off.everywhere else device
    drops = f"IPv{off.family} forwarding is off on {where}"
    if off.networks:
        return (
            f"{drops}: what comes in by {device}, {_parts(off.networks)} for one, reaches this "
            f"host and nothing behind it."
        )
    return (
        f"{drops}: what comes in by {device} reaches this host only, not other peers or networks."
    )


# ------------------------------------------------------------------------------------------- pieces


def _names(peers: Sequence[Who]) -> str:
    return ", ".join(who(peer) for peer in peers[:_SHOWN])


def _parts(prefixes: Sequence[Prefix]) -> str:
    told = ", ".join(
        address_text(one.family, one.network) if one.length == BITS[one.family] else str(one)
        for one in prefixes[:_SHOWN]
    )
    return f"{told} and more" if len(prefixes) > _SHOWN else told


def _taken(takers: Iterable[tuple[Prefix, Who]]) -> str:
    return ", ".join(f"{prefix} of {who(owner)}" for prefix, owner in list(takers)[:_SHOWN])


def _place(written: Written) -> str:
    return f"{printable(written.file)}{f', line {written.line}' if written.line else ''}"


def _link(snapshot: Snapshot, link: LinkIndex | None) -> str:
    return printable(snapshot.link_name(link)) or "another link"


def _route(snapshot: Snapshot, route: Route, short: bool = False) -> str:
    """``10.44.0.0/16 dev wg1``; ``short`` leaves the link out."""
    words = [] if route.info.type is RouteType.UNICAST else [route.info.type.value]
    words.append(destination_text(route.destination))
    if route.info.next_hops:
        hop = route.info.next_hops[0]
        words.append(via_text(hop, route.destination.family))
        if not short:
            words.append(f"dev {_link(snapshot, hop.link)}")
    if short and route.table != 254:
        words.append(f"in table {table_name(route.table)}")
    return " ".join(word for word in words if word)


def _how(snapshot: Snapshot, route: Route) -> str:
    if not route.info.next_hops:
        return route.info.type.value
    hop = route.info.next_hops[0]
    via = via_text(hop, route.destination.family)
    return f"{via} dev {_link(snapshot, hop.link)}".strip()


def _why(winner: Route, loser: Route) -> str:
    if winner.info.metric != loser.info.metric:
        return f"metric {winner.info.metric} against {loser.info.metric}"
    return "first of equals"
