"""Which short word stands behind a mark? Why a rule was refused, why a route lost, how it ended."""

from __future__ import annotations

from typing import Final

from wgtui.model.network import Route
from wgtui.model.trace import BackOutcome, Loss, LostRoute, Outcome, RuleResult, RuleStep
from wgtui.report.line import WORD_CELLS
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
    Outcome.OUTER_FAILED: "outer fails",
    Outcome.LOOP: "loop",
    Outcome.NOT_ALLOWED: "not allowed",
    Outcome.RPF_DROPPED: "rp_filter",
    Outcome.MARTIAN: "martian",
    Outcome.NOT_FORWARDED: "not for us",
    Outcome.UNKNOWN: "unknown",
}
"""The word behind a mark."""

WAY_WORDS: Final = {
    Outcome.LOCAL: "local",
    Outcome.SENT: "sends",
    Outcome.ENCRYPTED: "encrypts",
}
"""What the link does with a packet that arrives; the one of the encrypted packet is ``outer``."""

RESULT_WORDS: Final[dict[RuleResult, str]] = {
    RuleResult.REFUSED: "refused",
    RuleResult.DETACHED: "no link",
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


_FIELD_WORDS: Final = {"uidrange": "uid", "l3mdev": "VRF", "flowlabel": "label"}
"""Of selectors that ``ip rule`` calls otherwise than a packet's owner would."""

_NOTHING: Final = frozenset({"none", "0", "0x0"})


def rule_mark_text(step: RuleStep) -> str:
    """What came of a rule that was asked, beside the rule, which says itself what it wanted:
    ``no mark``, ``not to it``, ``suppressed``."""
    if step.result is not RuleResult.REFUSED or not step.refusals:
        return RESULT_WORDS[step.result]
    refusal = step.refusals[0]
    field, got = refusal.field, refusal.got
    if field.startswith("not"):
        return "never" if field == "not" else "excepted"
    if field == "from" and got == "none":
        return "no source"
    if field in ("from", "to"):
        return f"not {field} it"
    name = _FIELD_WORDS.get(field, field)
    if got in _NOTHING:
        return f"no {name}"
    said = printable(f"{name} {got}")
    return said if len(said) <= WORD_CELLS else f"other {name}"[:WORD_CELLS].rstrip()


def loss_text(lost: LostRoute, winner: Route | None = None) -> str:
    """Why a route lost: ``shorter``, ``metric 100``, ``dead`` …"""
    if lost.loss is Loss.METRIC and (
        winner is None or winner.info.metric != lost.route.info.metric
    ):
        return f"metric {lost.route.info.metric}"
    return LOSS_WORDS[lost.loss]


def loss_mark_text(lost: LostRoute, winner: Route | None = None) -> str:
    """The same beside the route, which says itself what its metric is."""
    said = loss_text(lost, winner)
    return said if len(said) <= WORD_CELLS else "metric"
