"""Which short word stands behind a mark? Why a rule was refused, why a route lost, how it ended."""

from __future__ import annotations

from typing import Final

from wgtui.model.network import Route
from wgtui.model.trace import BackOutcome, Loss, LostRoute, Outcome, Refusal, RuleResult, RuleStep
from wgtui.report.printable import printable

OUTCOME_WORDS: Final[dict[Outcome, str]] = {
    Outcome.LOCAL: "local",
    Outcome.SENT: "sent",
    Outcome.ENCRYPTED: "encrypted",
    Outcome.NO_ROUTE: "no route",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.PROHIBITED: "prohibited",
    Outcome.BLACKHOLED: "blackholed",
    Outcome.LINK_DOWN: "link down",
    Outcome.NO_PEER: "no peer",
    Outcome.NO_ENDPOINT: "no endpoint",
    Outcome.OUTER_FAILED: "outer failed",
    Outcome.LOOP: "loop",
    Outcome.NOT_ALLOWED: "not allowed",
    Outcome.RPF_DROPPED: "rp_filter",
    Outcome.MARTIAN: "martian",
    Outcome.NOT_FORWARDED: "not forwarded",
    Outcome.UNKNOWN: "unknown",
}
"""The word behind a mark, at most 13 cells."""

RESULT_WORDS: Final[dict[RuleResult, str]] = {
    RuleResult.REFUSED: "refused",
    RuleResult.DETACHED: "no such link",
    RuleResult.UNRESOLVED: "no target",
    RuleResult.JUMPED: "jumps",
    RuleResult.NOP: "nop",
    RuleResult.TABLE_MISSING: "no table",
    RuleResult.NO_MATCH: "no match",
    RuleResult.THROW: "throw",
    RuleResult.SUPPRESSED: "suppressed",
    RuleResult.DECIDED: "decides",
    RuleResult.UNKNOWN: "unknown",
}

LOSS_WORDS: Final[dict[Loss, str]] = {
    Loss.SHORTER: "shorter",
    Loss.METRIC: "later",
    Loss.TOS: "tos",
    Loss.DEAD: "dead",
    Loss.OIF: "oif",
    Loss.SCORE: "lower score",
    Loss.SOURCE: "source",
    Loss.EXPIRED: "expired",
    Loss.LOCAL_FIRST: "local first",
    Loss.NEIGHBOUR: "neighbour",
}

BACK_WORDS: Final[dict[BackOutcome, str]] = {
    BackOutcome.ACCEPTED: "accepted",
    BackOutcome.NOT_ALLOWED: "not allowed",
    BackOutcome.RPF_DROPPED: "rp_filter",
    BackOutcome.ASYMMETRIC: "asymmetric",
    BackOutcome.UNKNOWN: "unknown",
}


def refusal_text(refusal: Refusal) -> str:
    """Which selector said no: ``mark 0x0 ≠ 0xca6c``; a ``not`` rule refuses what matches."""
    field, inverted = refusal.field.removeprefix("not "), refusal.field.startswith("not")
    if field == "not":
        return "matches nothing"
    return printable(f"{field} {'is' if inverted else refusal.got + ' ≠'} {refusal.wanted}")


def rule_result_text(step: RuleStep) -> str:
    """The word behind a rule that was asked: what refused it, or what came of it."""
    if step.result is RuleResult.REFUSED and step.refusals:
        return refusal_text(step.refusals[0])
    return RESULT_WORDS[step.result]


def rule_mark_text(step: RuleStep) -> str:
    """The same beside the rule, which says itself what it wanted: ``mark 0x0``, ``no source``."""
    if step.result is not RuleResult.REFUSED or not step.refusals:
        return rule_result_text(step)
    refusal = step.refusals[0]
    match refusal.field:
        case "not":
            return "never"
        case "not from" | "not to":
            return "excepted"
        case "to":
            return "elsewhere"
        case "from":
            return "no source" if refusal.got == "none" else "other source"
        case field:
            return printable(f"{field.removeprefix('not ')} {refusal.got}")


def loss_text(lost: LostRoute, winner: Route | None = None) -> str:
    """Why a route lost: ``shorter``, ``metric 100``, ``dead`` …"""
    if lost.loss is Loss.METRIC and (
        winner is None or winner.info.metric != lost.route.info.metric
    ):
        return f"metric {lost.route.info.metric}"
    return LOSS_WORDS[lost.loss]
