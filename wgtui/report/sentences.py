"""What is the answer, step by step, in words? And what is the state of the host?

The verdict first, then the way in kernel order: rule, route, peer, the encrypted packet (indented), the
reverse check. What was refused or lost stands in one line behind what won: complete, but short.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgtui.engine.agreement import differences
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import (
    ArrivalStep,
    BackOutcome,
    Outcome,
    OwnerStep,
    ReversePath,
    ReverseStep,
    RouteStep,
    RpResult,
    RuleResult,
    RuleStep,
    TableStep,
    Trace,
)
from wgtui.report.explain import explain
from wgtui.report.line import Line, Tone
from wgtui.report.mark_words import loss_text, rule_result_text
from wgtui.report.printable import printable
from wgtui.report.verdict import REASONS, rp_reason, verdict
from wgtui.report.welcome import state_line, welcome
from wgtui.report.words import (
    destination_text,
    mark_text,
    next_hop_flags,
    next_hop_text,
    peer_name,
    rule_text,
    table_name,
)

__all__ = ["answer", "explain", "kernel_line", "state_line", "welcome"]

MODES = {0: "off", 1: "strict", 2: "loose", None: "mode not known"}
"""rp_filter, in words."""


def answer(snapshot: Snapshot, trace: Trace) -> list[Line]:
    """The whole answer; the first line is the verdict."""
    lines = [verdict(snapshot, trace)]
    lines += _way(snapshot, trace, 0)
    lines += [_back(snapshot, step) for step in trace.back]
    lines += _may_change(snapshot, trace)
    return lines


def kernel_line(snapshot: Snapshot, trace: Trace, asked: KernelAnswer) -> Line | None:
    """What the running kernel says to the same question; None: it cannot be compared."""
    found = differences(snapshot, trace, asked)
    if found is None:
        return None
    if not found:
        return Line("the running kernel agrees about rule table, route and source", Tone.GOOD, label="kernel")
    told = "; ".join(f"{item.field}: wgtui {item.wanted}, kernel {item.got}" for item in found)
    return Line(f"THE KERNEL DISAGREES  {printable(told)}", Tone.BAD, label="kernel")


# ---------------------------------------------------------------------------------------- the way out


def _way(snapshot: Snapshot, trace: Trace, indent: int) -> Iterator[Line]:
    if trace.arrival is not None:
        yield _arrival(snapshot, trace, trace.arrival)
    yield from _rules(trace.rules, indent)
    if trace.route is not None:
        yield from _route(snapshot, trace, trace.route, indent)
    if trace.ownership is not None:
        yield from _owner(trace.ownership, indent)
    if trace.outer is not None:
        yield _outer(trace, trace.outer, indent)
        yield from _way(snapshot, trace.outer, indent + 1)


def _rules(steps: tuple[RuleStep, ...], indent: int) -> Iterator[Line]:
    passed: list[str] = []
    for step in steps:
        if step.result is RuleResult.DECIDED:
            yield Line(_rule(step), Tone.WON, indent, "rule")
        elif step.result is RuleResult.UNKNOWN:
            yield Line(f"{_rule(step)}: cannot be evaluated", Tone.UNKNOWN, indent, "rule")
        else:
            priority = step.rule.priority if step.rule is not None else "?"
            passed.append(f"{priority} ({_passed(step)})")
    if passed:
        yield Line(f"passed over: {', '.join(passed)}", Tone.REFUSED, indent, "")


def _rule(step: RuleStep) -> str:
    if step.rule is None:
        return f"no rule is asked: table {table_name(step.found.table if step.found else None)}"
    return rule_text(step.rule)


def _passed(step: RuleStep) -> str:
    found = step.found.winner if step.found is not None else None
    if step.result is RuleResult.SUPPRESSED and found is not None:
        return f"{destination_text(found.destination)} suppressed"
    if step.result is RuleResult.NO_MATCH and step.found is not None:
        return f"nothing in {table_name(step.found.table)}"
    return rule_result_text(step)


def _route(snapshot: Snapshot, trace: Trace, step: RouteStep, indent: int) -> Iterator[Line]:
    family = trace.flow.family
    if step.route is None:
        yield Line(
            f"on link by {printable(snapshot.link_name(step.link))}, because the flow is bound to it",
            Tone.WON,
            indent,
            "route",
        )
        return
    info = step.route.info
    words = [] if info.type.value == "unicast" else [info.type.value]
    words.append(destination_text(step.route.destination))
    words += [f"from {info.source}"] if info.source is not None else []
    if len(step.next_hops) == 1:
        leg = step.next_hops[0]
        words += [next_hop_text(leg, snapshot, family), *next_hop_flags(leg)]
    words += [f"metric {info.metric}"] if info.metric else []
    words += [f"src {step.source}"] if step.source is not None and trace.flow.source is None else []
    words.append(f"(table {table_name(step.route.table)})")
    yield Line(" ".join(words), Tone.WON, indent, "route")
    if len(step.next_hops) > 1:
        legs = ", ".join(
            f"{next_hop_text(leg, snapshot, family)} weight {leg.weight}" for leg in step.next_hops
        )
        yield Line(f"any of {len(step.next_hops)}: {legs}", Tone.NOTE, indent, "")
    found = trace.decided.found if trace.decided is not None else None
    if found is not None and found.lost:
        yield Line(f"lost: {_lost(snapshot, found)}", Tone.LOST, indent, "")


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
    device = printable(step.device.name)
    if step.owner is None:
        prefixes = sum(len(peer.allowed_ips) for peer in step.device.peers)
        text = f"none of {device}'s {prefixes} AllowedIPs covers it, and WireGuard has no default"
        yield Line(text, Tone.BAD, indent, "peer")
        return
    owner = step.owner
    text = f"{peer_name(owner.peer)} owns it on {device} by {owner.prefix}"
    if owner.peer.endpoint is None:
        yield Line(f"{text}; no endpoint: it must call first", Tone.BAD, indent, "peer")
    else:
        yield Line(text, Tone.WON, indent, "peer")
    if step.lost:
        lost = ", ".join(f"{peer_name(item.peer)} {item.prefix} (shorter)" for item in step.lost)
        yield Line(f"lost: {lost}", Tone.LOST, indent, "")


def _outer(trace: Trace, outer: Trace, indent: int) -> Line:
    tone = Tone.GOOD if outer.outcome.good else Tone.BAD
    if outer.outcome is Outcome.UNKNOWN:
        tone = Tone.UNKNOWN
    mark = f" mark {mark_text(outer.flow.mark)}" if outer.flow.mark else ""
    why = f": {REASONS[outer.reason]}" if outer.reason is not None else ""
    if outer.outcome is Outcome.LOOP:
        why = ": the same peer of the same device again"
    text = f"encrypted packet to {printable(str(trace.endpoint))}{mark}: {outer.outcome.value}{why}"
    return Line(text, tone, indent, "outer")


# ------------------------------------------------------------------------------------------ the way in


def _arrival(snapshot: Snapshot, trace: Trace, step: ArrivalStep) -> Line:
    link = printable(snapshot.link_name(step.link))
    words = [f"{trace.flow.source} on {link}: {step.outcome.value}"]
    if step.owner is not None:
        words.append(f"{peer_name(step.owner.peer)} owns the source by {step.owner.prefix}")
    elif step.outcome is BackOutcome.NOT_ALLOWED and step.link in snapshot.devices:
        words.append("no peer owns the source")
    if step.reverse_path is not None:
        words.append(_filter(snapshot, step.reverse_path))
    tone = {BackOutcome.ACCEPTED: Tone.GOOD, BackOutcome.UNKNOWN: Tone.UNKNOWN}.get(
        step.outcome, Tone.BAD
    )
    return Line("; ".join(words), tone, 0, "in")


_BACK_WORDS = {
    BackOutcome.ACCEPTED: "let in",
    BackOutcome.ASYMMETRIC: "let in, but the reply leaves elsewhere",
    BackOutcome.NOT_ALLOWED: "dropped: no peer owns it",
    BackOutcome.RPF_DROPPED: "dropped by rp_filter",
    BackOutcome.UNKNOWN: "cannot be known",
}
_BACK_TONES = {
    BackOutcome.ACCEPTED: Tone.GOOD,
    BackOutcome.ASYMMETRIC: Tone.NOTE,
    BackOutcome.UNKNOWN: Tone.UNKNOWN,
}


def _back(snapshot: Snapshot, step: ReverseStep) -> Line:
    link = printable(snapshot.link_name(step.link))
    words = [f"from there on {link}: {_BACK_WORDS[step.outcome]}"]
    if step.outcome is BackOutcome.ASYMMETRIC:
        reply = printable(snapshot.link_name(step.reply_link))
        words = [
            f"from there on {link}: let in, but the reply leaves by {reply}"
            if reply
            else f"from there on {link}: let in, but there is no way to reply"
        ]
    if step.owner is not None:
        words.append(f"only from {peer_name(step.owner.peer)} ({step.owner.prefix})")
    if step.outcome is BackOutcome.UNKNOWN and step.reason is not None:
        words.append(REASONS[step.reason])
    if step.reverse_path is not None:
        words.append(_filter(snapshot, step.reverse_path))
    outer = step.outer_reverse_path
    if outer is not None and outer.result is not RpResult.PASS:
        words.append(f"its encrypted packet on {printable(snapshot.link_name(outer.link))}: {_filter(snapshot, outer)}")
    return Line("; ".join(words), _BACK_TONES.get(step.outcome, Tone.BAD), 0, "back")


def _filter(snapshot: Snapshot, path: ReversePath) -> str:
    mode = MODES.get(path.mode, str(path.mode))
    if path.mode == 0 and path.result is RpResult.PASS:
        return "rp_filter off"
    verb = {RpResult.PASS: "passes", RpResult.DROP: "drops it", RpResult.UNKNOWN: "may drop it"}
    text = f"rp_filter {mode} {verb[path.result]}"
    if path.result is RpResult.PASS:
        return text
    return f"{text}: {rp_reason(snapshot, path)}"


def _may_change(snapshot: Snapshot, trace: Trace) -> Iterator[Line]:
    if trace.hooks:
        chains = ", ".join(
            printable(f"{hook.family} {hook.table} {hook.chain} ({', '.join(sorted(hook.does))})")
            for hook in trace.hooks
        )
        yield Line(f"may be changed by nft chain {chains}", Tone.NOTE, 0, "but")
    gap = snapshot.gap(Subject.FIREWALL)
    if gap is not None and snapshot.hooks is None:
        yield Line(f"firewall rules were not seen ({gap_words(gap)}): they may change this", Tone.NOTE, 0, "but")


def gap_words(gap: Gap) -> str:
    """Why something could not be seen and what to do: ``Operation not permitted — run as root``."""
    hint = f" — {printable(gap.hint)}" if gap.hint else ""
    return f"{printable(gap.why)}{hint}"
