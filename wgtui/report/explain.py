"""Why, in a few plain sentences, and which commands prove it? (key ``e``)"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from wgtui.model.flow import Flow
from wgtui.model.network import LOCAL_TABLE, MAIN_TABLE
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import (
    BackOutcome,
    Outcome,
    OwnerStep,
    Reason,
    RuleResult,
    RuleStep,
    Trace,
)
from wgtui.model.wireguard import Backend
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.verdict import REASONS, rp_mode, rp_reason, verdict
from wgtui.report.words import (
    birthplace_text,
    destination_text,
    endpoint_text,
    mark_text,
    peer_name,
    table_name,
)


def explain(snapshot: Snapshot, trace: Trace) -> list[Line]:
    """The verdict, why it is so, and how to see for oneself; nothing is ever run."""
    return [
        verdict(snapshot, trace),
        *_labelled("why", _why(snapshot, trace)),
        *_labelled("do", _advice(snapshot, trace), Tone.NOTE),
        *_labelled("prove", dict.fromkeys(commands(snapshot, trace))),
    ]


def _labelled(label: str, texts: Iterable[str], tone: Tone = Tone.PLAIN) -> Iterator[Line]:
    for number, text in enumerate(texts):
        yield Line(text, tone, label="" if number else label)


def _why(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    yield from _why_in(snapshot, trace)
    yield from _why_rules(trace)
    if trace.ownership is not None:
        yield from _why_owner(trace, trace.ownership)
    if trace.outer is not None:
        yield _why_outer(snapshot, trace, trace.outer)
    yield from _why_back(snapshot, trace)


def _why_in(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    arrival = trace.arrival
    if arrival is None:
        return
    device = printable(snapshot.link_name(arrival.link))
    if arrival.outcome is BackOutcome.NOT_ALLOWED and arrival.link in snapshot.devices:
        yield (
            f"{device} decrypts, then asks whose the source is: the longest AllowedIPs entry for "
            "it must be the sender's own."
        )
    elif arrival.reverse_path is not None and arrival.outcome is BackOutcome.RPF_DROPPED:
        yield (
            f"rp_filter looks up the way back to {trace.flow.source}: strict wants {device} "
            "itself, loose wants any route."
        )


def _why_rules(trace: Trace) -> Iterator[str]:
    for step in trace.rules:
        if step.rule is None:
            continue
        found = step.found.winner if step.found is not None else None
        if step.result is RuleResult.SUPPRESSED and found is not None:
            limit = step.rule.suppress_prefix_length
            by = "its suppressor" if limit is None else f"suppress_prefixlength {limit}"
            yield (
                f"Rule {step.rule.priority} found {destination_text(found.destination)} in table "
                f"{table_name(found.table)}, and {by} discards it."
            )
        elif step.result is RuleResult.UNKNOWN:
            yield (
                f"Rule {step.rule.priority} may or may not match, so nothing after it is certain."
            )
    decided, route = trace.decided, trace.route
    if decided is None or decided.rule is None:
        return
    if route is not None and route.route is not None:
        table, prefix = table_name(route.route.table), destination_text(route.route.destination)
        yield (
            f"Rule {decided.rule.priority} decides: the longest prefix for "
            f"{trace.flow.destination} in table {table} is {prefix}."
        )
    else:
        yield f"Rule {decided.rule.priority} decides by itself: {decided.rule.action.value}."


def _why_owner(trace: Trace, step: OwnerStep) -> Iterator[str]:
    device, owner, to = printable(step.device.name), step.owner, trace.flow.destination
    route = trace.route
    if route is not None and route.gateway is not None:
        yield f"The gateway {route.gateway} means nothing to WireGuard."
    if owner is None:
        yield f"{device} picks the peer by destination alone, and no AllowedIPs entry covers {to}."
        yield from _told(trace, step, "Required key not available", "ENOKEY")
        return
    yield (
        f"{device} picks the peer by destination alone: the longest AllowedIPs entry is "
        f"{peer_name(owner.peer)}'s {owner.prefix}."
    )
    if owner.peer.endpoint is None:
        yield f"Where {peer_name(owner.peer)} is, nobody knows until it calls."
        yield from _told(trace, step, "Destination address required", "EDESTADDRREQ")


def _told(trace: Trace, step: OwnerStep, words: str, error: str) -> Iterator[str]:
    """What ping prints, for whoever knows no more than that (S-E10, S-E11)."""
    if trace.flow.iif is None and step.device.backend is Backend.KERNEL:
        yield f'A program that sends it from this host is told "{words}" ({error}).'


def _why_outer(snapshot: Snapshot, trace: Trace, outer: Trace) -> str:
    there = trace.outer_host(snapshot)
    link = printable(there.link_name(outer.route.link)) if outer.route is not None else ""
    what = f"The encrypted packet to {endpoint_text(trace.endpoint)} is routed like any other"
    if trace.ownership is not None and outer.steps:
        what += birthplace_text(trace.ownership.device)
    if outer.flow.mark:
        what += f", with mark {mark_text(outer.flow.mark)}"
        excluded = [step for step in outer.rules if _excludes_mark(step)]
        if excluded and excluded[0].rule is not None:
            what += f" (which rule {excluded[0].rule.priority} excludes)"
    if Outcome.LOOP in (outer.outcome, trace.outcome):
        return f"{what}, and comes back to the same peer: it would be encrypted for ever."
    if outer.outcome.good and outer.ownership is not None:
        return f"{what}, and {link} encrypts it again: 60 (IPv4) or 80 (IPv6) bytes less MTU."
    if outer.outcome.good:
        return f"{what}, and leaves by {link}." if link else f"{what}."
    why = REASONS[outer.reason] if outer.reason is not None else outer.outcome.value
    return f"{what}, and does not leave: {why}."


def _excludes_mark(step: RuleStep) -> bool:
    """``not fwmark M`` met the mark M: what keeps wg-quick's own packets out (S-F3)."""
    return any(refusal.field == "not mark" for refusal in step.refusals)


def _why_back(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    """Who else may send from there; the owner of a default may always, and is left out."""
    for step in trace.back:
        if step.owner is None or not step.owner.prefix.length:
            continue
        peer = f"{peer_name(step.owner.peer)} on {printable(snapshot.link_name(step.link))}"
        path = step.reverse_path
        if step.outcome is BackOutcome.ASYMMETRIC:
            reply = printable(snapshot.link_name(step.reply_link))
            where = f"by {reply}" if reply else "nowhere"
            yield (
                f"{peer} ({step.owner.prefix}) may send from {trace.flow.destination}; "
                f"the reply would leave {where}."
            )
        elif step.outcome is BackOutcome.RPF_DROPPED and path is not None:
            yield (
                f"{peer} ({step.owner.prefix}) owns {trace.flow.destination}, but what it sends "
                f"from there is dropped by {rp_mode(path)}: {rp_reason(snapshot, path)}."
            )


def _advice(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    yield from _repair(snapshot, trace)
    for entrance in trace.back:
        owner = entrance.owner
        elsewhere = entrance.outcome is BackOutcome.ASYMMETRIC
        if elsewhere and owner is not None and owner.prefix.length:
            device, peer = printable(owner.device.name), peer_name(owner.peer)
            yield f"ip route add {owner.prefix} dev {device}, if {peer} shall get these"


def _repair(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    to, iif = trace.flow.destination, printable(trace.flow.iif or "")
    ownership, route = trace.ownership, trace.route
    device = printable(ownership.device.name) if ownership is not None else ""
    link = printable(snapshot.link_name(route.link)) if route is not None else ""
    endpoint = trace.endpoint.address if trace.endpoint is not None else "the endpoint"
    match trace.outcome:
        case Outcome.NO_PEER:
            bits = 32 if trace.flow.family == 4 else 128
            yield f"add {to}/{bits} or its network to the AllowedIPs of its peer on {device}"
            yield "or route it elsewhere"
        case Outcome.NO_ENDPOINT:
            yield "let the peer call first (PersistentKeepalive there), or set its endpoint here"
        case Outcome.LOOP:
            yield f"route {endpoint} by another link"
            yield f"or set a fwmark on {device}, and a rule that keeps marked packets out of it"
        case Outcome.OUTER_FAILED if trace.outer is not None:
            yield f"give {endpoint} a route that leaves this host"
        case Outcome.NOT_FORWARDED:
            key = f"ipv4/conf/{iif}" if trace.flow.family == 4 else "ipv6/conf/all"
            yield f"sysctl -w net/{key}/forwarding=1, if this host shall be a router"
        case Outcome.NOT_ALLOWED:
            yield f"add the source to the AllowedIPs of its sender on {iif}"
            yield "or correct the source at the sender"
        case Outcome.RPF_DROPPED:
            yield f"route the source back by {iif}, or set rp_filter=2 (loose) there and on all"
        case Outcome.NO_ROUTE if trace.reason is Reason.SOURCE_NOT_LOCAL:
            yield "ask with iif LINK, if the packet arrives from another host"
        case Outcome.LINK_DOWN if link:
            yield f"bring {link} up, or remove its route: a route by a dead link can still win"
        case _:
            return


# ---------------------------------------------------------------------------------------- commands


def commands(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    """Read-only commands that show the same facts."""
    ip, enter = _entering(snapshot.namespace)
    family = "-6 " if trace.flow.family == 6 else ""
    yield f"{ip} {family}route get {_get_words(trace.flow)}"
    yield f"{ip} {family}rule show"
    route = trace.route.route if trace.route is not None else None
    if route is not None and route.table != LOCAL_TABLE:
        table = "" if route.table == MAIN_TABLE else f" table {route.table}"
        yield f"{ip} {family}route show{table} match {trace.flow.destination}"
    if trace.ownership is not None:
        yield f"{enter}wg show {_name(trace.ownership.device.name)} allowed-ips"
    if trace.arrival is not None and trace.arrival.link in snapshot.devices:
        yield f"{enter}wg show {_name(snapshot.link_name(trace.arrival.link))} allowed-ips"
    if trace.outer is not None:
        outer6 = "-6 " if trace.outer.flow.family == 6 else ""
        device = trace.ownership.device if trace.ownership is not None else None
        elsewhere = device.birth_namespace if device is not None else None
        outer_ip = ip if elsewhere is None else _entering(elsewhere)[0]
        yield f"{outer_ip} {outer6}route get {_get_words(trace.outer.flow)}"
    filtered = [step.reverse_path for step in trace.back]
    filtered.append(trace.arrival.reverse_path if trace.arrival is not None else None)
    links = dict.fromkeys(snapshot.link_name(path.link) for path in filtered if path is not None)
    if links:
        keys = (f"net/ipv4/conf/{_name(link)}/rp_filter" for link in ("all", *links))
        yield f"{enter}sysctl {' '.join(keys)}"


def _entering(namespace: str) -> tuple[str, str]:
    """``ip`` there, and what to write before other commands."""
    if not namespace:
        return "ip", ""
    name = shlex.quote(printable(namespace))
    if "/" in namespace:
        return f"nsenter --net={name} ip", f"nsenter --net={name} "
    return f"ip -n {name}", f"ip netns exec {name} "


def _name(link: str) -> str:
    return shlex.quote(printable(link))


def _get_words(flow: Flow) -> str:
    """The flow for ``ip route get``: what that command does not know is left out."""
    words = [str(flow.destination)]
    words += ["from", str(flow.source)] if flow.source is not None else []
    words += ["iif", _name(flow.iif)] if flow.iif is not None else []
    words += ["oif", _name(flow.oif)] if flow.oif is not None else []
    words += ["mark", mark_text(flow.mark)] if flow.mark else []
    words += ["tos", hex(flow.tos)] if flow.tos else []
    words += ["uid", str(flow.uid)] if flow.uid is not None else []
    names = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}
    if flow.protocol in names:
        words += ["ipproto", names[flow.protocol]]
        words += ["sport", str(flow.sport)] if flow.sport else []
        words += ["dport", str(flow.dport)] if flow.dport else []
    return " ".join(words)
