"""What comes of some commands, all told: the host after them, changed answers, changed findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wgtui.engine.checks import check
from wgtui.engine.lookup import lookup
from wgtui.engine.territory import LIMIT
from wgtui.engine.what_if import predict
from wgtui.engine.what_if.applied import Applied, Note, Touched
from wgtui.engine.what_if.difference import Difference, differences
from wgtui.model.command import Command
from wgtui.model.finding import Finding
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The whole prediction."""

    before: Snapshot
    steps: tuple[Applied, ...]
    """One for each command."""
    differences: tuple[Difference, ...]
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    traces: tuple[Trace, Trace] | None = None
    """A flow's answer before and after, where one was asked about."""

    @property
    def after(self) -> Snapshot:
        """The host after all commands."""
        return self.steps[-1].snapshot if self.steps else self.before

    @property
    def whole(self) -> bool:
        """Was every address looked at?"""
        return all(one.whole for one in self.differences)

    @property
    def carried_out(self) -> bool:
        """Would every command do something, as far as is known?"""
        return all(step.objection is None for step in self.steps)


def what_if(
    before: Snapshot,
    commands: Sequence[Command],
    flow: Flow | None = None,
    limit: int = LIMIT,
    findings: bool = True,
) -> WhatIf:
    """Predict the commands one after the other; without ``findings`` nobody looks for mistakes.

    Raises ``QueryError`` for a flow that names what is not there.
    """
    steps = predict(before, commands)
    after = steps[-1].snapshot if steps else before
    touched = Touched()
    for step in steps:
        if step.objection is None and Note.NOTHING_CHANGES not in step.notes:
            touched |= step.touched
    found = differences(before, after, touched, limit)
    old: tuple[Finding, ...] = ()
    new: tuple[Finding, ...] = ()
    if findings and after is not before:
        old, new = check(before), check(after)
    known, later = ({one.identity for one in some} for some in (old, new))
    traces = None
    if flow is not None:
        traces = lookup(before, flow), lookup(after, flow)
    return WhatIf(
        before,
        tuple(steps),
        found,
        tuple(one for one in new if one.identity not in known),
        tuple(one for one in old if one.identity not in later),
        traces,
    )
