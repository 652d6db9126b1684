"""Why does nobody answer? A finding about a silent peer, in words."""

from __future__ import annotations

from typing import Final

from wgtui.model.finding_facts import (
    Away,
    Filtered,
    Loop,
    NoHandshake,
    StaleHandshake,
    Undelivered,
)
from wgtui.model.snapshot import Snapshot
from wgtui.report.printable import printable
from wgtui.report.words import age, bytes_text, destination_text, endpoint_text

_SHOWN: Final = 3
"""So many chains in one sentence."""


def never_answered(snapshot: Snapshot, device: str, peer: str, silent: NoHandshake) -> str:
    """There never was a handshake; ``device`` and ``peer`` are printable."""
    where = f" at {endpoint_text(silent.endpoint)}" if silent.endpoint is not None else ""
    after = f", after {bytes_text(silent.sent)} sent to it" if silent.sent else ""
    why = _unanswered(snapshot, device, silent)
    return f"{peer}{where} has never answered {device}{after}: {why}."


def no_longer_answers(snapshot: Snapshot, device: str, peer: str, silent: StaleHandshake) -> str:
    """The last handshake is too old; ``device`` and ``peer`` are printable."""
    keepalive = silent.keepalive
    now = f", and {device} goes on sending a keepalive every {keepalive}s" * bool(keepalive)
    why = _unanswered(snapshot, device, silent)
    return (
        f"The last handshake with {peer} was {age(silent.seconds)} ago{now}: no key is left to "
        f"encrypt with. {why[0].upper()}{why[1:]}."
    )


def _unanswered(snapshot: Snapshot, device: str, silent: NoHandshake | StaleHandshake) -> str:
    """Why nobody answers, as far as this side can tell."""
    match silent.cause:
        case Loop():
            return f"the encrypted packets to it come back into {device} and never leave"
        case Filtered(link=link):
            where = printable(snapshot.link_name(link)) or "another link"
            return f"what it answers is dropped by strict rp_filter on {where}, where it arrives"
    if silent.outer is not None:
        return _undelivered(silent.outer)
    if silent.chains:
        told = ", ".join(
            f"{printable(hook.chain)} (nft table {hook.family} {printable(hook.table)}, priority "
            f"{hook.priority})"
            for hook in silent.chains[:_SHOWN]
        )
        return (
            f"its encrypted answers pass {told}, which drops by the way back and may take them for "
            f"misrouted; else a wrong endpoint, port or key, or a firewall on the way"
        )
    return "a wrong endpoint, port or key, or a firewall on the way"


def _undelivered(outer: Undelivered) -> str:
    match outer.away:
        case Away.NO_ROUTE:
            return "the encrypted packets to it have no route"
        case Away.LOCAL:
            return "its endpoint is an address of this very host"
        case _:
            by = "a rule" if outer.rule is None else f"rule {outer.rule}"
            if outer.route is not None:
                by = f"{outer.route.info.type.value} {destination_text(outer.route.destination)}"
            return f"the encrypted packets to it are refused here by {by}"
