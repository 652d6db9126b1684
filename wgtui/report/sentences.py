"""What is the answer, step by step, in words?

The verdict first, then the way in kernel order: rule, route, peer, the encrypted packet (indented),
the reverse check. What was skipped or lost stands in one line behind what won. Nothing is said
twice: a table that the rule names is not named by its route, and what the encrypted packet's walk
has in common with the walk around it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wgtui.model.finding import Finding
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import LOCAL_TABLE, RouteType
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import (
    Outcome,
    OwnerStep,
    RouteStep,
    RuleResult,
    RuleStep,
    TableStep,
    Trace,
)
from wgtui.report.entrances import arrival_line, back_line
from wgtui.report.evidence import evidence
from wgtui.report.finding_names import concern_line
from wgtui.report.line import Line, Tone
from wgtui.report.mark_words import loss_text
from wgtui.report.may_change import may_change_lines
from wgtui.report.printable import printable
from wgtui.report.rule_set_words import rule_set_text
from wgtui.report.verdict import REASONS, verdict
from wgtui.report.words import (
    birthplace_text,
    destination_text,
    endpoint_text,
    mark_text,
    next_hop_flags,
    next_hop_text,
    peer_name,
    rule_text,
    table_name,
)


def answer(
    snapshot: Snapshot,
    trace: Trace,
    previous: Snapshot | None = None,
    findings: Sequence[Finding] = (),
) -> list[Line]:
    """The whole answer; the first line is the verdict, then what was counted against the packet.

    With the snapshot before this one it also tells which counters are rising now. ``findings`` are
    the known mistakes that concern the packet.
    """
    counted = list(evidence(snapshot, trace, previous))
    lines = [verdict(snapshot, trace)]
    lines += [line for line in counted if line.tone is Tone.BAD]
    lines += _way(snapshot, trace, 0, None)
    lines += [back_line(snapshot, step) for step in trace.back]
    lines += _connected(snapshot, trace)
    lines += _as_sockets_take_it(trace)
    lines += _without_source(snapshot, trace)
    lines += [line for line in counted if line.tone is not Tone.BAD]
    lines += concern_line(findings)
    lines += may_change_lines(snapshot, trace)
    return lines


def kernel_line(snapshot: Snapshot, trace: Trace, asked: KernelAnswer) -> Line | None:
    """What the running kernel says to the same question; None: it cannot be compared."""
    from wgtui.engine.agreement import differences  # only where there is a kernel to compare with

    found = differences(snapshot, trace, asked)
    if found is None:
        return None
    if not found:
        return Line("the running kernel agrees", Tone.GOOD, label="kernel")
    told = "; ".join(f"{item.field}: wgtui {item.wanted}, kernel {item.got}" for item in found)
    return Line(f"THE KERNEL DISAGREES  {printable(told)}", Tone.BAD, label="kernel")


# -------------------------------------------------------------------------------------- the way out


def _way(snapshot: Snapshot, trace: Trace, indent: int, around: Trace | None) -> Iterator[Line]:
    if trace.arrival is not None:
        yield arrival_line(snapshot, trace, trace.arrival)
    yield from _rules(snapshot, trace, indent, around)
    if trace.route is not None:
        yield from _route(snapshot, trace, trace.route, indent)
    if trace.ownership is not None:
        yield from _owner(trace.ownership, indent)
    if trace.outer is not None:
        there = trace.outer_host(snapshot)
        yield _outer(trace, trace.outer, indent)
        yield from _way(there, trace.outer, indent + 1, trace if there is snapshot else None)


def _rules(snapshot: Snapshot, trace: Trace, indent: int, around: Trace | None) -> Iterator[Line]:
    for step in trace.rules:
        if step.result is RuleResult.DECIDED:
            whose = rule_set_text(snapshot, trace.flow.family, step.position)
            told = f"{_rule(step)} ({whose})" if whose else _rule(step)
            yield Line(told, Tone.WON, indent, "rule")
        elif step.result is RuleResult.UNKNOWN:
            yield Line(f"{_rule(step)}: cannot be evaluated", Tone.UNKNOWN, indent, "rule")
    known: set[tuple[int, str]] = set()
    if around is not None and around.flow.family == trace.flow.family:
        known = {(step.position, skipped_text(step)) for step in around.rules}
    ends_here = trace.decided is not None or trace.outcome is Outcome.UNKNOWN
    skipped = [
        f"{step.rule.priority} ({skipped_text(step)})"
        for step in trace.rules
        if step.rule is not None
        and step.result not in (RuleResult.DECIDED, RuleResult.UNKNOWN)
        and (step.position, skipped_text(step)) not in known
        and not (ends_here and _only_not_local(step))
    ]
    if skipped:
        also = "also " if known else ""
        yield Line(also + ", ".join(skipped), Tone.REFUSED, indent, "skipped")


def _rule(step: RuleStep) -> str:
    if step.rule is None:
        return f"none is asked: table {table_name(step.found.table if step.found else None)}"
    return rule_text(step.rule)


def _only_not_local(step: RuleStep) -> bool:
    """The rule for ``local`` found nothing there: so it is for nearly every packet."""
    found = step.found
    return step.result is RuleResult.NO_MATCH and found is not None and found.table == LOCAL_TABLE


def skipped_text(step: RuleStep) -> str:
    """Why a rule did not decide: the condition that was not met, or what its table said."""
    table = table_name(step.found.table) if step.found is not None else ""
    found = step.found.winner if step.found is not None else None
    prefix = destination_text(found.destination) if found is not None else "its route"
    match step.result:
        case RuleResult.REFUSED | RuleResult.DETACHED:
            words = [_condition(item.field, item.wanted) for item in step.refusals]
            if step.refusals and step.refusals[0].field.startswith("not"):
                return f"not {' '.join(words)}"
            gone = step.result is RuleResult.DETACHED
            return f"{words[0] if words else 'it never matches'}{': no such link' if gone else ''}"
        case RuleResult.UNRESOLVED:
            return f"goto {step.rule.goto if step.rule else ''}: no such rule"
        case RuleResult.JUMPED:
            return f"goto {step.rule.goto if step.rule else ''}"
        case RuleResult.NOP:
            return "nop"
        case RuleResult.TABLE_MISSING:
            rule_table = step.rule.table if step.rule is not None else None
            return f"table {table or table_name(rule_table)} is empty"
        case RuleResult.NO_MATCH:
            return f"nothing in {table}"
        case RuleResult.THROW:
            return f"throw {prefix} in {table}"
        case RuleResult.SUPPRESSED:
            return f"{prefix} suppressed"
        case RuleResult.DECIDED:
            return "decides"
        case RuleResult.UNKNOWN:
            return "cannot be evaluated"


def _condition(field: str, wanted: str) -> str:
    """A selector as ``ip rule`` prints it."""
    name = field.removeprefix("not").strip()
    if name == "l3mdev":
        return name
    if name == "":
        return "from all"
    if name in ("from", "to"):
        wanted = wanted.removesuffix("/128" if ":" in wanted else "/32")
    return printable(f"{'fwmark' if name == 'mark' else name} {wanted}")


def _route(snapshot: Snapshot, trace: Trace, step: RouteStep, indent: int) -> Iterator[Line]:
    if step.route is None:
        link = printable(snapshot.link_name(step.link))
        yield Line(
            f"none is asked: on link by {link}, which it is bound to", Tone.WON, indent, "route"
        )
        return
    family, info, decided = trace.flow.family, step.route.info, trace.decided
    words = [] if info.type.value == "unicast" else [info.type.value]
    words.append(destination_text(step.route.destination))
    words += [f"from {info.source}"] if info.source is not None else []
    if len(step.next_hops) == 1:
        leg = step.next_hops[0]
        words += [next_hop_text(leg, snapshot, family), *next_hop_flags(leg)]
    words += [f"metric {info.metric}"] if info.metric else []
    if step.cached is not None and step.cached.mtu:
        words.append(f"(cached for it: mtu {step.cached.mtu})")
    if trace.flow.source is None and info.type in (RouteType.UNICAST, RouteType.LOCAL):
        words += [f"src {step.source}"] if step.source is not None else []
    named = decided.rule.table if decided is not None and decided.rule is not None else None
    words += [f"(table {table_name(step.route.table)})"] if named != step.route.table else []
    yield Line(" ".join(words), Tone.WON, indent, "route")
    if len(step.next_hops) > 1:
        for leg in step.next_hops:
            text = f"nexthop {next_hop_text(leg, snapshot, family)} weight {leg.weight}"
            yield Line(" ".join([text, *next_hop_flags(leg)]), Tone.PLAIN, indent)
    found = trace.decided.found if trace.decided is not None else None
    if found is not None and found.lost:
        yield Line(_lost(snapshot, found), Tone.LOST, indent, "lost")


def _lost(snapshot: Snapshot, found: TableStep) -> str:
    parts = []
    for lost in found.lost:
        route = lost.route
        hop = route.info.next_hops[0] if route.info.next_hops else None
        way = f" {next_hop_text(hop, snapshot, route.destination.family)}" if hop else ""
        kind = "" if route.info.type.value == "unicast" else f"{route.info.type.value} "
        name = destination_text(route.destination)
        parts.append(f"{kind}{name}{way} ({loss_text(lost, found.winner)})")
    return ", ".join(parts)


def _owner(step: OwnerStep, indent: int) -> Iterator[Line]:
    owner = step.owner
    if owner is None:
        count = sum(len(peer.allowed_ips) for peer in step.device.peers)
        device = printable(step.device.name)
        text = f"none: no entry of {device}'s {count} AllowedIPs covers it"
        yield Line(text if count else f"none: {device} has no AllowedIPs", Tone.BAD, indent, "peer")
        return
    text = f"{peer_name(owner.peer)} owns it by {owner.prefix}"
    if owner.peer.endpoint is None:
        yield Line(f"{text}; no endpoint: it must call first", Tone.BAD, indent, "peer")
    else:
        yield Line(text, Tone.WON, indent, "peer")
    if step.lost:
        lost = ", ".join(f"{peer_name(item.peer)} {item.prefix} (shorter)" for item in step.lost)
        yield Line(lost, Tone.LOST, indent, "lost")


def _outer(trace: Trace, outer: Trace, indent: int) -> Line:
    tone = Tone.GOOD if outer.outcome.good else Tone.BAD
    if outer.outcome is Outcome.UNKNOWN:
        tone = Tone.UNKNOWN
    mark = f" mark {mark_text(outer.flow.mark)}" if outer.flow.mark else ""
    device = trace.ownership.device if trace.ownership is not None else None
    where = birthplace_text(device) if device is not None and outer.steps else ""
    end = outer.outcome.value
    if outer.outcome is Outcome.ENCRYPTED:
        end = "encrypted again"
    elif outer.outcome is Outcome.LOOP:
        end = "loop" if outer.steps else "the same peer again, a loop"
    elif outer.reason is not None:
        end = f"{end}, {REASONS[outer.reason]}"
    return Line(
        f"encrypted packet to {endpoint_text(trace.endpoint)}{mark}{where}: {end}",
        tone,
        indent,
        "outer",
    )


# ----------------------------------------------------------------------------------------- who else


def _connected(snapshot: Snapshot, trace: Trace) -> Iterator[Line]:
    """Rules that ask for a source see one when a socket connects (S-A40)."""
    if trace.connected is not None:
        told = verdict(snapshot, trace.connected).text
        if told != verdict(snapshot, trace).text:
            text = f"TCP and connected UDP ask once more, with their source, and then: {told}"
            yield Line(text, Tone.NOTE, 0, "but")


def _as_sockets_take_it(trace: Trace) -> Iterator[Line]:
    """IPv6 destinations that a socket takes for something else than routing does (S-B69, S-B71)."""
    flow, value = trace.flow, int(trace.flow.destination)
    if flow.family == 4 or flow.iif is not None:
        return
    if value >> 32 == 0xFFFF:
        mapped = flow.destination.ipv4()
        yield Line(
            f"sockets take IPv4 for such an address: ask about {mapped}", Tone.NOTE, 0, "but"
        )
    local = value >> 118 == 0xFE80 >> 6 or (value >> 120 == 0xFF and value >> 112 & 15 in (1, 2))
    if local and flow.oif is None:
        text = f"TCP and connected UDP want its link named: {flow.destination}%LINK"
        yield Line(text, Tone.NOTE, 0, "but")


def _without_source(snapshot: Snapshot, trace: Trace) -> Iterator[Line]:
    """IPv6 sockets need an address to send from, of the very link where the destination is
    multicast or link-local (S-B68); routing itself does not ask for one."""
    flow, route = trace.flow, trace.route
    if flow.family == 4 or flow.source is not None or flow.iif is not None:
        return
    link = snapshot.links.get(route.link) if route is not None and route.link is not None else None
    if route is None or route.source is not None or link is None or not link.seen:
        return
    if (
        trace.outcome.good
        and trace.outcome is not Outcome.LOCAL
        and snapshot.gap(Subject.ADDRESSES) is None
    ):
        text = "no IPv6 address to send from: sockets get 'Cannot assign requested address'"
        yield Line(text, Tone.BAD, 0, "but")
