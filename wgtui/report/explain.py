"""Why, in a few plain sentences, and which commands prove it? (key ``e``)"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from wgtui.model.flow import Flow
from wgtui.model.network import LOCAL_TABLE, MAIN_TABLE
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import BackOutcome, Outcome, RuleResult, Trace
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.verdict import verdict
from wgtui.report.words import destination_text, mark_text, peer_name, table_name


def explain(snapshot: Snapshot, trace: Trace) -> list[Line]:
    """The verdict, why it is so, and how to see for oneself; nothing is ever run."""
    lines = [verdict(snapshot, trace)]
    lines += [Line(sentence, label="why" if n == 0 else "") for n, sentence in enumerate(_why(snapshot, trace))]
    lines += [Line(advice, Tone.NOTE, label="do") for advice in _advice(snapshot, trace)]
    lines += [
        Line(command, label="prove" if n == 0 else "")
        for n, command in enumerate(dict.fromkeys(commands(snapshot, trace)))
    ]
    return lines


def _why(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    to = trace.flow.destination
    if trace.arrival is not None:
        yield from _why_in(trace)
    for step in trace.rules:
        found = step.found.winner if step.found is not None else None
        if step.result is RuleResult.SUPPRESSED and found is not None and step.rule is not None:
            yield (
                f"Rule {step.rule.priority} found {destination_text(found.destination)} in table "
                f"{table_name(found.table)}, but may not use prefixes that short, so the walk went on."
            )
    decided = trace.decided
    if decided is not None and decided.rule is not None:
        rule, route = decided.rule, trace.route
        if route is not None and route.route is not None:
            yield (
                f"Rule {rule.priority} decides: in table {table_name(route.route.table)} "
                f"{destination_text(route.route.destination)} is the most specific route for {to}."
            )
        else:
            yield f"Rule {rule.priority} decides by its own action: {rule.action.value}."
    if trace.ownership is not None:
        device = printable(trace.ownership.device.name)
        owner = trace.ownership.owner
        yield f"On {device} only the destination counts: the longest AllowedIPs entry that covers it names the peer."
        if owner is None:
            yield "No entry covers it, so the packet is refused; AllowedIPs know no default unless one is set."
        elif owner.peer.endpoint is None:
            yield f"That is {peer_name(owner.peer)} by {owner.prefix}, but nobody knows where that peer is until it calls."
        else:
            yield f"That is {peer_name(owner.peer)} by {owner.prefix}."
    if trace.outer is not None:
        yield from _why_outer(snapshot, trace, trace.outer)
    for entrance in trace.back:
        if entrance.outcome is BackOutcome.ASYMMETRIC and entrance.owner is not None:
            yield (
                f"{peer_name(entrance.owner.peer)} on {printable(snapshot.link_name(entrance.link))} also owns {to} "
                f"and may send from it, but no route leads there: the answer takes another way."
            )


def _why_in(trace: Trace) -> Iterator[str]:
    arrival = trace.arrival
    if arrival is None:
        return
    if arrival.outcome is BackOutcome.NOT_ALLOWED and arrival.owner is not None:
        yield (
            "After decryption the source must belong to exactly the peer that sent it; "
            f"{trace.flow.source} belongs to {peer_name(arrival.owner.peer)} by {arrival.owner.prefix}."
        )
    elif arrival.reverse_path is not None and arrival.outcome is BackOutcome.RPF_DROPPED:
        yield "rp_filter looks up the way back to the source and wants it to leave by the link the packet came in on."


def _why_outer(snapshot: Snapshot, trace: Trace, outer: Trace) -> Iterator[str]:
    mark = f" with mark {mark_text(outer.flow.mark)}" if outer.flow.mark else ""
    route = outer.route
    link = printable(snapshot.link_name(route.link)) if route is not None else ""
    text = f"The encrypted packet to {trace.endpoint} is routed again from the top{mark}"
    if outer.outcome is Outcome.LOOP or trace.outcome is Outcome.LOOP:
        yield f"{text} and comes back into the same tunnel, again and again."
    elif outer.outcome.good and outer.ownership is not None:
        yield f"{text} and rides inside {link}: that costs another 60 (IPv4) or 80 (IPv6) bytes of MTU."
    elif outer.outcome.good:
        yield f"{text} and leaves by {link}."
    else:
        yield f"{text} and does not leave: {outer.outcome.value}."


def _advice(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    to = trace.flow.destination
    bits = 32 if trace.flow.family == 4 else 128
    ownership = trace.ownership
    device = ownership.device.name if ownership is not None else ""
    match trace.outcome:
        case Outcome.NO_PEER:
            yield f"add {to}/{bits} (or its network) to the AllowedIPs of the right peer of {printable(device)}, or route it elsewhere"
        case Outcome.NO_ENDPOINT:
            yield "let that peer call first (PersistentKeepalive on its side), or set its endpoint here"
        case Outcome.LOOP:
            yield f"route {trace.endpoint.address if trace.endpoint else 'the endpoint'} outside the tunnel, or mark the device's packets (fwmark) and exclude the mark by a rule"
        case Outcome.NOT_FORWARDED:
            link = printable(trace.flow.iif or "")
            key = f"net.ipv4.conf.{link}.forwarding" if trace.flow.family == 4 else "net.ipv6.conf.all.forwarding"
            yield f"sysctl -w {key}=1, if this host shall be a router"
        case Outcome.NOT_ALLOWED:
            yield "give the source to the peer that sends it (AllowedIPs on this side), or correct the sender's source"
        case Outcome.RPF_DROPPED:
            yield f"route the source back through {printable(trace.flow.iif or '')}, or make rp_filter loose (2) there"
        case _:
            return


# ------------------------------------------------------------------------------------------ commands


def commands(snapshot: Snapshot, trace: Trace) -> Iterator[str]:
    """Read-only commands that show the same facts."""
    name = snapshot.namespace
    ip = f"ip -n {shlex.quote(name)}" if name else "ip"
    enter = f"ip netns exec {shlex.quote(name)} " if name else ""
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
        yield f"{ip} {outer6}route get {_get_words(trace.outer.flow)}"
    filtered = [step.reverse_path for step in trace.back]
    filtered.append(trace.arrival.reverse_path if trace.arrival is not None else None)
    links = dict.fromkeys(snapshot.link_name(path.link) for path in filtered if path is not None)
    if links:
        keys = (f"net/ipv4/conf/{_name(link)}/rp_filter" for link in ("all", *links))
        yield f"{enter}sysctl {' '.join(keys)}"


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
