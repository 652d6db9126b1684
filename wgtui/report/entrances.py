"""Is it let in? A line for the packet that arrives, one for each entrance of the reverse check."""

from __future__ import annotations

from typing import Final

from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import (
    ArrivalStep,
    BackOutcome,
    Ownership,
    Reason,
    ReversePath,
    ReverseStep,
    RpResult,
    Trace,
)
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.verdict import ANY_MODE, REASONS, rp_mode, rp_reason
from wgtui.report.words import peer_name

_TONES: Final = {
    BackOutcome.ACCEPTED: Tone.GOOD,
    BackOutcome.NOT_ALLOWED: Tone.BAD,
    BackOutcome.RPF_DROPPED: Tone.BAD,
    BackOutcome.ASYMMETRIC: Tone.NOTE,
    BackOutcome.UNKNOWN: Tone.UNKNOWN,
}


def arrival_line(snapshot: Snapshot, trace: Trace, step: ArrivalStep) -> Line:
    """``accepted on wg1: 10.30.5.7 belongs to lon3 (10.30.5.0/24), rp_filter strict``."""
    return Line(_arrival(snapshot, trace, step), _TONES[step.outcome], 0, "in")


def back_line(snapshot: Snapshot, step: ReverseStep) -> Line:
    """``accepted on wg1 only from lon3 (10.30.5.0/24), rp_filter strict``."""
    tone = _TONES[step.outcome]
    if step.owner is not None and not step.owner.prefix.length and tone is Tone.NOTE:
        tone = Tone.REFUSED  # who owns everything owns this too: nothing to look into
    return Line(_back(snapshot, step), tone, 0, "back")


def _arrival(snapshot: Snapshot, trace: Trace, step: ArrivalStep) -> str:
    where = f"on {printable(snapshot.link_name(step.link))}"
    owner, path = step.owner, step.reverse_path
    belongs = f": {trace.flow.source} belongs to {_by(owner)}" if owner is not None else ""
    why = REASONS[step.reason] if step.reason is not None else _filter(snapshot, path)
    match step.outcome:
        case BackOutcome.ACCEPTED | BackOutcome.ASYMMETRIC:
            return f"accepted {where}{belongs}{_mode(path)}"
        case BackOutcome.NOT_ALLOWED:
            others = owner is not None and step.sender is not None and owner.peer != step.sender
            return f"dropped {where}{belongs}" if others else f"dropped {where}: {why}"
        case BackOutcome.RPF_DROPPED:
            return f"dropped {where}{_even(owner)}: {_filter(snapshot, path)}"
        case BackOutcome.UNKNOWN:
            return f"not known {where}: {why}"


def _back(snapshot: Snapshot, step: ReverseStep) -> str:
    where = f"on {printable(snapshot.link_name(step.link))}"
    path, outer = step.reverse_path, step.outer_reverse_path
    only = f" only from {_by(step.owner)}" if step.owner is not None else ""
    failed = _filter(snapshot, path)
    if outer is not None and outer.result is not RpResult.PASS:
        device = step.owner.device if step.owner is not None else None
        there = snapshot.birthplace(device) if device is not None else None
        link = printable((there or snapshot).link_name(outer.link))
        failed = f"its encrypted packet meets {_filter(snapshot, outer)} on {link}"
    match step.outcome:
        case BackOutcome.ACCEPTED:
            return f"accepted {where}{only}{_mode(path)}"
        case BackOutcome.ASYMMETRIC:
            reply = printable(snapshot.link_name(step.reply_link))
            but = f"the reply leaves by {reply}" if reply else "there is no way to reply"
            if step.owner is None or not step.owner.prefix.length:
                return f"accepted {where}{only}{_mode(path)}, but {but}"
            return f"accepted {where}{only}{_mode(path)}, but no route leads there: {but}"
        case BackOutcome.NOT_ALLOWED if step.reason is Reason.SOURCE_INVALID:
            return f"dropped {where}{_even(step.owner)}: {REASONS[step.reason]}"
        case BackOutcome.NOT_ALLOWED:
            return f"dropped {where}: no peer owns the address"
        case BackOutcome.RPF_DROPPED:
            return f"dropped {where}{_even(step.owner)}: {failed}"
        case BackOutcome.UNKNOWN:
            seen = path is not None and path.mode is not None and path.result is RpResult.UNKNOWN
            why = failed if seen or step.reason is None else REASONS[step.reason]
            return f"not known {where}{_even(step.owner)}: {why}"


def _by(owner: Ownership) -> str:
    return f"{peer_name(owner.peer)} ({owner.prefix})"


def _even(owner: Ownership | None) -> str:
    return f", even from {_by(owner)}" if owner is not None else ""


def _mode(path: ReversePath | None) -> str:
    return f", {rp_mode(path)}" if path is not None else ""


def _filter(snapshot: Snapshot, path: ReversePath | None) -> str:
    if path is None:
        return "rp_filter"
    if path.why in ANY_MODE:
        return rp_reason(snapshot, path)
    return f"{rp_mode(path)} ({rp_reason(snapshot, path)})"
