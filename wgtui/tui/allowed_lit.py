"""Where does a Trace pass through the AllowedIPs pane?"""

from __future__ import annotations

from typing import Final, Protocol

from wgtui.model.network import LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import ArrivalStep, BackOutcome, Outcome, Ownership, Reason, Trace
from wgtui.report.line import Tone
from wgtui.report.mark_words import BACK_WORDS, OUTCOME_WORDS
from wgtui.tui.marks import Marks
from wgtui.tui.rows import Lit


class Places(Protocol):
    """Which row something is on; None: on none."""

    def device_row(self, link: LinkIndex) -> int | None:
        """A device's header."""

    def peer_row(self, link: LinkIndex, peer: int) -> int | None:
        """A peer, by its place in ``device.peers``."""

    def prefix_row(self, link: LinkIndex, peer: int, prefix: Prefix) -> int | None:
        """An AllowedIPs entry of a peer."""


_AT_THE_PEER: Final = frozenset({Outcome.NO_ENDPOINT, Outcome.OUTER_FAILED, Outcome.LOOP})
"""Outcomes for which somebody owns the destination, and it still does not leave."""


def lit_owners(places: Places, snapshot: Snapshot, trace: Trace) -> Lit:
    """Owner and losers, on the way out and on the way in, and the peers below."""
    marks = Marks()
    if trace.arrival is not None:
        _arrival(marks, places, snapshot, trace.arrival)
    _out(marks, places, snapshot, trace)
    for outer in trace.outers_here:
        step = outer.ownership
        if step is not None and step.owner is not None:
            _put(marks, places, step.owner, Tone.ALSO, "outer", "outer")
    return marks.lit()


def _out(marks: Marks, places: Places, snapshot: Snapshot, trace: Trace) -> None:
    step = trace.ownership
    word = OUTCOME_WORDS[trace.outcome]
    if step is None:
        link = trace.route.link if trace.route else None
        hidden = trace.reason in (Reason.WIREGUARD_UNREADABLE, Reason.NO_PRIVATE_KEY)
        if link is not None and hidden:
            row = places.device_row(link)
            marks.put(row, Tone.UNKNOWN if trace.outcome is Outcome.UNKNOWN else Tone.BAD, word)
            marks.point(row)
        return
    for lost in step.lost:
        row = places.prefix_row(lost.device.link, lost.peer_position, lost.prefix)
        marks.put(row, Tone.LOST, "shorter")
    if step.owner is None:
        row = places.device_row(step.device.link)
        marks.put(row, Tone.BAD, word)
        marks.point(row)
        return
    _put(marks, places, step.owner, Tone.WON, "owner", "wins")
    marks.point(_prefix_row(places, step.owner))
    if trace.outcome in _AT_THE_PEER:
        row = places.peer_row(step.device.link, step.owner.peer_position)
        row = _prefix_row(places, step.owner) if row is None else row
        marks.put(row, Tone.BAD, word)
        marks.point(row)


def _arrival(marks: Marks, places: Places, snapshot: Snapshot, step: ArrivalStep) -> None:
    refused = step.outcome is BackOutcome.NOT_ALLOWED
    if step.owner is not None:
        _put(marks, places, step.owner, Tone.ALSO, "in", "source")
        marks.point(_prefix_row(places, step.owner))
    if not refused:
        return
    row = places.device_row(step.link)
    device = snapshot.devices.get(step.link)
    if step.sender is not None and device is not None:
        number = device.peer_numbers.get(step.sender.public_key)
        row = (places.peer_row(step.link, number) if number is not None else None) or row
    marks.put(row, Tone.BAD, BACK_WORDS[step.outcome])
    marks.point(row)


def _prefix_row(places: Places, owner: Ownership) -> int | None:
    return places.prefix_row(owner.device.link, owner.peer_position, owner.prefix)


def _put(
    marks: Marks, places: Places, owner: Ownership, tone: Tone, peer_word: str, word: str
) -> None:
    marks.put(places.peer_row(owner.device.link, owner.peer_position), tone, peer_word)
    marks.put(_prefix_row(places, owner), tone, word)
