"""What does the text in the question line mean now? An answer, a hint, or a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wgtui.engine.lookup import lookup
from wgtui.errors import QueryError, SourceError
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report.explain import explain
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.sentences import answer, kernel_line
from wgtui.report.welcome import welcome

GRAMMAR: Final = (
    Line("ADDRESS", label="ask"),
    Line("from ADDRESS   mark N[/MASK]   oif LINK   uid N   tos N", label="local"),
    Line("from ADDRESS iif LINK   …and after decryption: peer NAME-OR-KEY", label="arrives"),
    Line("ipproto tcp|udp|icmp|N   sport N   dport N   flowlabel N", label="ports"),
)
"""The words of a flow (contract §2), shown while a question is half typed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the lookup pane shows for a text."""

    lines: tuple[Line, ...]
    """The first one stays on the screen."""
    trace: Trace | None = None
    """None: nothing was looked up."""
    caret: int | None = None
    """Where in the text the mistake is."""


def before_facts(spec: str, failure: SourceError | None) -> tuple[Line, ...]:
    """What there is to say while nothing has been read, or cannot be."""
    if failure is None:
        return (Line(f"reading {printable(spec)} …"),)
    lines = (Line(printable(failure.what), Tone.BAD),)
    return (*lines, Line(printable(failure.hint), Tone.NOTE)) if failure.hint else lines


def reply_to(snapshot: Snapshot | None, text: str, previous: Snapshot | None = None) -> Reply:
    """Look the text up; quick enough for every key press."""
    if snapshot is None:
        return Reply(())
    if not text.strip():
        return Reply(tuple(welcome(snapshot)))
    try:
        trace = lookup(snapshot, Flow.parse(text))
    except QueryError as error:
        problem = printable(error.problem)
        if error.unfinished:
            return Reply((Line(f"not yet a question: {problem}"), *GRAMMAR))
        caret = error.position if error.text == text else None
        return Reply((Line(problem, Tone.NOTE),), caret=caret)
    return Reply(tuple(answer(snapshot, trace, previous)), trace)


def with_kernel(snapshot: Snapshot, reply: Reply, asked: KernelAnswer | None) -> tuple[Line, ...]:
    """The answer, and what the running kernel says to the same question."""
    if asked is None or reply.trace is None:
        return reply.lines
    line = kernel_line(snapshot, reply.trace, asked)
    return (*reply.lines, line) if line is not None else reply.lines


def explanation(snapshot: Snapshot, trace: Trace) -> tuple[Line, ...]:
    """The verdict in a few sentences, with the commands that prove it."""
    return tuple(explain(snapshot, trace))
