"""Where does a Trace pass through the Interfaces pane?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from wgtui.model.network import LinkIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import ArrivalStep, BackOutcome, Outcome, Trace
from wgtui.report.line import Tone
from wgtui.report.mark_words import BACK_WORDS, OUTCOME_WORDS, WAY_WORDS
from wgtui.tui.marks import Marks
from wgtui.tui.rows import Lit

RowOf: TypeAlias = Callable[[LinkIndex | None], int | None]
"""The row of a link; None: it has none."""

_AT_THE_LINK: Final = frozenset(
    {
        Outcome.LINK_DOWN,
        Outcome.NO_PEER,
        Outcome.NO_ENDPOINT,
        Outcome.OUTER_FAILED,
        Outcome.LOOP,
    }
)
"""Outcomes of a packet that was routed to a link and got no further."""


def lit_links(snapshot: Snapshot, trace: Trace, row_of: RowOf) -> Lit:
    """The ways in and out, and those of the encrypted packets."""
    marks = Marks()
    if trace.arrival is not None:
        _arrival(marks, trace, trace.arrival, row_of)
    elif trace.flow.iif is not None:
        came_by = snapshot.links_by_name.get(trace.flow.iif)
        marks.put(row_of(came_by.index if came_by else None), Tone.ALSO, "in")
    for link in _ways_out(snapshot, trace):
        row = row_of(link)
        if trace.outcome in _AT_THE_LINK:
            marks.put(row, Tone.BAD, OUTCOME_WORDS[trace.outcome])
        elif trace.outcome is Outcome.UNKNOWN:
            marks.put(row, Tone.UNKNOWN, OUTCOME_WORDS[trace.outcome])
        elif trace.outcome.good:
            marks.put(row, Tone.WON, WAY_WORDS[trace.outcome])
        marks.point(row)
    for outer in trace.outers_here:
        sure = outer.outcome.good or outer.outcome is Outcome.UNKNOWN
        for link in _ways_out(snapshot, outer):
            marks.put(row_of(link), Tone.ALSO if sure else Tone.BAD, "outer")
    return marks.lit()


def _ways_out(snapshot: Snapshot, trace: Trace) -> Iterator[LinkIndex]:
    """The link it leaves by, or all that can win; the one whose own address it is."""
    if trace.outcome is Outcome.LOCAL:
        home = snapshot.own_addresses.get((trace.flow.family, int(trace.flow.destination)))
        if home is not None:
            yield home
            return
    step = trace.route
    if step is None:
        return
    if step.link is not None:
        yield step.link
    for hop in step.next_hops:
        if hop.link is not None and hop.link != step.link:
            yield hop.link


def _arrival(marks: Marks, trace: Trace, arrival: ArrivalStep, row_of: RowOf) -> None:
    row = row_of(arrival.link)
    word = BACK_WORDS[arrival.outcome]
    if trace.outcome in (Outcome.MARTIAN, Outcome.NOT_FORWARDED):
        marks.put(row, Tone.BAD, OUTCOME_WORDS[trace.outcome])
        marks.point(row)
        return
    match arrival.outcome:
        case BackOutcome.ACCEPTED | BackOutcome.ASYMMETRIC:
            marks.put(row, Tone.ALSO, "in")
        case BackOutcome.UNKNOWN:
            marks.put(row, Tone.UNKNOWN, word)
            marks.point(row)
        case BackOutcome.NOT_ALLOWED | BackOutcome.RPF_DROPPED:
            marks.put(row, Tone.BAD, word)
            marks.point(row)
