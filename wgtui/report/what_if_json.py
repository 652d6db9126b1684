"""A prediction as stable JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wgtui.engine.what_if.difference import Change, Difference
from wgtui.engine.what_if.verdict import WhatIf
from wgtui.model.finding import Finding
from wgtui.report.as_json import Json, flow_json, lookup_json
from wgtui.report.territory_json import answer_json, set_json

WHAT_IF_SCHEMA: Final = "wgtui.whatif/1"


def what_if_json(texts: Sequence[str], found: WhatIf) -> Json:
    """Commands, changes, findings, and the flow's answers before and after."""
    traces = found.traces
    return {
        "schema": WHAT_IF_SCHEMA,
        "commands": [
            {
                "command": text,
                "refused": step.objection.value if step.objection is not None else None,
                "by_kernel": step.objection is not None and step.objection.by_kernel,
                "about": step.word or None,
                "notes": [note.value for note in step.notes],
            }
            for text, step in zip(texts, found.steps, strict=True)
        ],
        "whole": found.whole,
        "changes": [_difference(one) for one in found.differences if one.changes],
        "findings": {
            "new": [_finding(one) for one in found.new],
            "gone": [_finding(one) for one in found.gone],
        },
        "before": lookup_json(found.before, traces[0]) if traces is not None else None,
        "after": lookup_json(found.after, traces[1]) if traces is not None else None,
    }


def _difference(one: Difference) -> Json:
    return {
        "family": one.flow.family,
        "flow": flow_json(one.flow),
        "rule": one.rule.priority if one.rule is not None else None,
        "whole": one.whole,
        "ranges": [_change(change) for change in one.changes],
    }


def _change(change: Change) -> Json:
    return {
        **set_json(change.addresses),
        "before": answer_json(change.before),
        "after": answer_json(change.after),
    }


def _finding(finding: Finding) -> Json:
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "device": finding.device,
        "peer": None if finding.peer is None else finding.peer.public_key,
        "prefix": None if finding.prefix is None else str(finding.prefix),
    }
