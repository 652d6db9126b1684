"""Where does a Trace pass through the Interfaces pane?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wgtui.model.network import LinkIndex
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import ArrivalStep, BackOutcome, Outcome, Trace
from wgtui.report.line import Tone
from wgtui.report.mark_words import BACK_WORDS, OUTCOME_WORDS
from wgtui.tui.marks import Marks
from wgtui.tui.rows import Lit

_AT_THE_LINK = frozenset(
    {
        Outcome.LINK_DOWN,
        Outcome.NO_PEER,
        Outcome.NO_ENDPOINT,
        Outcome.OUTER_FAILED,
        Outcome.LOOP,
    }
)
"""Outcomes of a packet that was routed to a link and got no further."""


def lit_links(
    snapshot: Snapshot, trace: Trace, row_of: Callable[[LinkIndex | None], int | None]
) -> Lit:
    """Marks the rows of links; ``row_of`` knows where they are."""
    marks = Marks()
    if trace.arrival is not None:
        _arrival(marks, trace, trace.arrival, row_of)
    elif trace.flow.iif is not None:
        link = snapshot.links_by_name.get(trace.flow.iif)
        marks.put(row_of(link.index if link else None), Tone.NOTE, "in")
    out = list(_ways_out(trace))
    for link in out:
        row = row_of(link)
        if trace.outcome in _AT_THE_LINK:
            marks.put(row, Tone.BAD, OUTCOME_WORDS[trace.outcome])
        elif trace.outcome is Outcome.UNKNOWN:
            marks.put(row, Tone.UNKNOWN, OUTCOME_WORDS[trace.outcome])
        elif trace.outcome.good:
            marks.put(row, Tone.WON, "local" if trace.outcome is Outcome.LOCAL else "out")
        marks.point(row)
    outer = trace.outer
    while outer is not None:
        failed = not outer.outcome.good and outer.outcome is not Outcome.UNKNOWN
        for link in _ways_out(outer):
            marks.put(row_of(link), Tone.BAD if failed else Tone.NOTE, "outer")
        outer = outer.outer
    return marks.lit()


def _ways_out(trace: Trace) -> Iterator[LinkIndex]:
    step = trace.route
    if step is None:
        return
    if step.link is not None:
        yield step.link
    yield from (
        hop.link for hop in step.next_hops if hop.link not in (None, step.link) and hop.link
    )


def _arrival(
    marks: Marks,
    trace: Trace,
    arrival: ArrivalStep,
    row_of: Callable[[LinkIndex | None], int | None],
) -> None:
    row = row_of(arrival.link)
    match arrival.outcome:
        case BackOutcome.ACCEPTED | BackOutcome.ASYMMETRIC:
            marks.put(row, Tone.NOTE, "in")
        case BackOutcome.UNKNOWN:
            marks.put(row, Tone.UNKNOWN, BACK_WORDS[arrival.outcome])
            marks.point(row)
        case _:
            marks.put(row, Tone.BAD, BACK_WORDS[arrival.outcome])
            marks.point(row)
    if trace.outcome in (Outcome.MARTIAN, Outcome.NOT_FORWARDED):
        marks.put(row, Tone.BAD, OUTCOME_WORDS[trace.outcome])
        marks.point(row)
