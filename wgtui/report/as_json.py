"""The answer as stable JSON: contract §4, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wgtui.model.finding import Finding
from wgtui.model.flow import Flow
from wgtui.model.network import LinkIndex, NamedTable, NextHop, RouteType, Rule
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import (
    ArrivalStep,
    BackOutcome,
    Outcome,
    Ownership,
    Reason,
    ReversePath,
    ReverseStep,
    RouteStep,
    TableStep,
    Trace,
)
from wgtui.report.may_change import chains_json, changes_json

LOOKUP_SCHEMA: Final = "wgtui.lookup/1"

Json = dict[str, object]

_NOT_ROUTED: Final = frozenset({Outcome.NOT_ALLOWED, Outcome.MARTIAN, Outcome.RPF_DROPPED})
"""Refused before routing had a say."""


def lookup_json(
    snapshot: Snapshot,
    trace: Trace,
    kernel_agrees: bool | None = None,
    findings: Sequence[Finding] = (),
) -> Json:
    """One answer as an object, with the findings that concern it; ``kernel_agrees`` is None where
    no kernel was asked."""
    return {
        "schema": LOOKUP_SCHEMA,
        "flow": flow_json(trace.flow),
        "outcome": trace.outcome.value,
        "reason": reason_code(trace.reason),
        "out": out_json(snapshot, trace),
        "back": [_back_json(snapshot, step) for step in trace.back],
        "in": _in_json(snapshot, trace),
        "findings": _findings_json(snapshot, findings),
        "connected": _connected_json(snapshot, trace.connected),
        "exactness": trace.exactness.value,
        "may_be_changed_by": changes_json(snapshot, trace),
        "unseen": [subject.value for subject in trace.unseen],
        "kernel": None if kernel_agrees is None else {"agrees": kernel_agrees},
    }


def _findings_json(snapshot: Snapshot, findings: Sequence[Finding]) -> list[Json]:
    if not findings:
        return []
    from wgtui.report.findings import finding_json  # many words, and most packets have none

    return [finding_json(snapshot, finding) for finding in findings]


def _table(rule: Rule, found: TableStep | None) -> int | str | None:
    """The table that the rule leads to; an l3mdev rule leads to the VRF's that was asked."""
    table = rule.table if rule.table is not None or found is None else found.table
    return table_json(table)


def table_json(table: int | None) -> int | str | None:
    """Its number; the name of one that facts only name."""
    return table.name if isinstance(table, NamedTable) else table


def _connected_json(snapshot: Snapshot, trace: Trace | None) -> Json | None:
    """What a connecting socket gets instead; None: the same."""
    if trace is None:
        return None
    return {
        "from": None if trace.route is None else str(trace.route.source),
        "outcome": trace.outcome.value,
        "reason": reason_code(trace.reason),
        "out": out_json(snapshot, trace),
    }


def error_json(problem: str) -> Json:
    """A line that could not be understood."""
    return {"error": problem}


def flow_json(flow: Flow) -> Json:
    """The packet asked about."""
    return {
        "to": str(flow.destination),
        "from": None if flow.source is None else str(flow.source),
        "iif": flow.iif,
        "oif": flow.oif,
        "mark": flow.mark,
        "tos": flow.tos,
        "uid": flow.uid,
        "ipproto": flow.protocol,
        "sport": flow.sport,
        "dport": flow.dport,
        "flowlabel": flow.flowlabel,
        "peer": flow.peer,
    }


def reason_code(reason: Reason | None) -> str | None:
    """The stable code."""
    return None if reason is None else reason.value


def out_json(snapshot: Snapshot, trace: Trace) -> Json | None:
    """How the packet leaves; None when it was refused before routing."""
    if trace.outcome in _NOT_ROUTED or not trace.steps:
        return None
    decided = trace.decided
    rule = decided.rule if decided is not None else None
    found = decided.found if decided is not None else None
    outer = trace.outer
    ownership, there = trace.ownership, trace.outer_host(snapshot)
    return {
        "rule": None if rule is None else {"priority": rule.priority, "table": _table(rule, found)},
        "route": None if trace.route is None else _route_json(snapshot, trace, trace.route),
        "owner": None
        if ownership is None or ownership.owner is None
        else _owner_json(ownership.owner),
        "endpoint": None if trace.endpoint is None else str(trace.endpoint),
        "outer": None
        if outer is None
        else {
            "outcome": outer.outcome.value,
            "reason": reason_code(outer.reason),
            "flow": flow_json(outer.flow),
            "out": out_json(there, outer),
            "namespace": ownership.device.birth_namespace if ownership is not None else None,
            "may_be_changed_by": changes_json(there, outer),
        },
    }


def _route_json(snapshot: Snapshot, trace: Trace, step: RouteStep) -> Json | None:
    source = None if step.source is None else str(step.source)
    via = None if step.gateway is None else str(step.gateway)
    dev = snapshot.link_name(step.link) or None
    route = step.route
    if route is None:
        # On-link because the flow is bound to a link: no table had a say (S-B15).
        return {
            "table": None,
            "to": None,
            "type": RouteType.UNICAST.value,
            "dev": dev,
            "via": via,
            "metric": None,
            "src": source,
        }
    answer: Json = {
        "table": table_json(route.table),
        "to": str(route.destination),
        "type": route.info.type.value,
        "dev": dev,
        "via": via,
        "metric": route.info.metric,
        "src": source,
    }
    if len(step.next_hops) > 1:
        answer["next_hops"] = [_leg_json(snapshot, leg) for leg in step.next_hops]
    return answer


def _leg_json(snapshot: Snapshot, leg: NextHop) -> Json:
    return {
        "dev": snapshot.link_name(leg.link) or None,
        "via": None if leg.gateway is None else str(leg.gateway),
        "weight": leg.weight,
    }


def _owner_json(owner: Ownership | None) -> Json | None:
    if owner is None:
        return None
    return {
        "device": owner.device.name,
        "peer": owner.peer.public_key,
        "name": owner.peer.label or None,
        "allowed_ip": str(owner.prefix),
    }


def _rp_json(snapshot: Snapshot, path: ReversePath | None) -> Json | None:
    if path is None:
        return None
    return {
        "device": snapshot.link_name(path.link),
        "mode": path.mode,
        "result": path.result.value,
        "why": path.why.value,
    }


def _back_json(snapshot: Snapshot, step: ReverseStep) -> Json:
    there = snapshot.birthplace(step.owner.device) if step.owner is not None else None
    return {
        "device": snapshot.link_name(step.link),
        "outcome": step.outcome.value,
        "reason": reason_code(step.reason),
        "owner": _owner_json(step.owner),
        "rp_filter": _rp_json(snapshot, step.reverse_path),
        "outer_rp_filter": _rp_json(there or snapshot, step.outer_reverse_path),
        "may_be_changed_by": chains_json(step.hooks),
        "outer_may_be_changed_by": chains_json(step.outer_hooks),
    }


def _in_json(snapshot: Snapshot, trace: Trace) -> Json | None:
    step = trace.arrival
    if step is None and trace.flow.iif is not None:  # by a link that could not be seen
        step = ArrivalStep(LinkIndex(0), BackOutcome.UNKNOWN, trace.reason)
    if step is None:
        return None
    return {
        "device": trace.flow.iif,
        "outcome": step.outcome.value,
        "reason": reason_code(step.reason),
        "owner": _owner_json(step.owner),
        "rp_filter": _rp_json(snapshot, step.reverse_path),
    }
