"""What would this host be after these commands? A Snapshot after each, predicted, never run.

One module for each kind of thing that changes; each knows what the kernel does and what it refuses.
What cannot be predicted is an objection like a refusal: the command then changes nothing here, and
that is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from wgtui.engine.what_if.applied import Applied, Objection, RefusedError, Touched
from wgtui.engine.what_if.links import apply_address, apply_link, apply_sysctl
from wgtui.engine.what_if.routes import apply_route
from wgtui.engine.what_if.rules import apply_rule
from wgtui.engine.what_if.wireguard import apply_wireguard
from wgtui.model.command import (
    AddressCommand,
    Command,
    LinkCommand,
    RouteCommand,
    RuleCommand,
    SysctlCommand,
)
from wgtui.model.snapshot import Snapshot

__all__ = ["Applied", "Objection", "Touched", "apply", "predict"]


def apply(snapshot: Snapshot, command: Command) -> Applied:
    """The host after one command, or the same host and why the command would do nothing."""
    try:
        match command:
            case RouteCommand():
                return apply_route(snapshot, command)
            case RuleCommand():
                return apply_rule(snapshot, command)
            case LinkCommand():
                return apply_link(snapshot, command)
            case AddressCommand():
                return apply_address(snapshot, command)
            case SysctlCommand():
                return apply_sysctl(snapshot, command)
            case _:
                return apply_wireguard(snapshot, command)
    except RefusedError as refused:
        return Applied(snapshot, refused.objection, refused.word, Touched())


def predict(snapshot: Snapshot, commands: Iterable[Command]) -> list[Applied]:
    """The host after each command, one after the other."""
    found: list[Applied] = []
    for command in commands:
        found.append(apply(found[-1].snapshot if found else snapshot, command))
    return found
