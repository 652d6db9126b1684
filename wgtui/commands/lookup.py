"""``wgtui lookup``: one answer as text or JSON, or one for every line on stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, NOT_DELIVERED, OK, USAGE, Arguments, terminal_columns
from wgtui.commands.flow_words import joined, known_here, understood
from wgtui.engine.checks import check
from wgtui.engine.checks.concern import Concerns
from wgtui.engine.lookup import lookup
from wgtui.errors import QueryError
from wgtui.model.finding import Finding
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.range_flow import is_range
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report.printable import printable
from wgtui.sources import Source, open_source

OPTIONS: Final = (JSON,)


def run(arguments: Arguments) -> int:
    """Answer the flow in the words, or, for ``-``, every line of stdin."""
    if not arguments.words:
        raise QueryError("lookup: which address? (see wgtui --help)")
    if arguments.words != ("-",):
        words = joined(arguments.words)
        if is_range(words):
            from wgtui.commands.range_answer import answer_range  # packets are asked more often

            return answer_range(arguments, words)
        flow = understood(words)  # before anything is read
        with closing(open_source(arguments.source)) as source:
            snapshot = source.read()
            try:
                return _answer(arguments, source, snapshot, Concerns(check(snapshot)), flow)
            except QueryError as error:
                raise known_here(error, words) from None
    with closing(open_source(arguments.source)) as source:
        # Python has no stdin object at all where the shell closed it.
        return _answer_lines(arguments, source, source.read(), sys.stdin or ())


def _answer(
    arguments: Arguments,
    source: Source,
    snapshot: Snapshot,
    concerns: Concerns,
    flow: Flow,
) -> int:
    trace = lookup(snapshot, flow)
    asked = source.ask(flow)
    known = concerns.of(snapshot, trace)
    if arguments.has(JSON):
        _print_json(snapshot, trace, asked, known)
    else:
        _print_text(snapshot, trace, asked, known, arguments.has(ASCII))
    return OK if trace.outcome.good else NOT_DELIVERED


def _print_json(
    snapshot: Snapshot, trace: Trace, asked: KernelAnswer | None, known: Sequence[Finding]
) -> None:
    # Here and below: whoever wants the one form does not wait for the words of the other.
    import json

    from wgtui.report.as_json import lookup_json

    agrees = None
    if asked is not None:
        from wgtui.engine.agreement import differences

        found = differences(snapshot, trace, asked)
        agrees = None if found is None else not found
    print(json.dumps(lookup_json(snapshot, trace, agrees, known)))


def _print_text(
    snapshot: Snapshot,
    trace: Trace,
    asked: KernelAnswer | None,
    known: Sequence[Finding],
    ascii_only: bool,
) -> None:
    from wgtui.report.sentences import answer, kernel_line
    from wgtui.report.text import render

    lines = answer(snapshot, trace, findings=known)
    told = kernel_line(snapshot, trace, asked) if asked is not None else None
    print(render([*lines, *([told] if told else [])], ascii_only, terminal_columns()), end="")


def _print_problem(problem: str, as_json: bool) -> None:
    if as_json:
        import json

        from wgtui.report.as_json import error_json

        print(json.dumps(error_json(problem)))
    else:
        print(f"wgtui: {printable(problem)}", file=sys.stderr)


def _answer_lines(
    arguments: Arguments, source: Source, snapshot: Snapshot, lines: Iterable[str]
) -> int:
    """One answer a line, in order, about the same snapshot; the exit code is the worst of them."""
    worst, concerns = OK, Concerns(check(snapshot))
    for line in lines:
        try:
            code = _answer(arguments, source, snapshot, concerns, understood(line.strip()))
        except QueryError as error:
            code = USAGE
            _print_problem(known_here(error, line.strip()).problem, arguments.has(JSON))
        worst = max(worst, code)
        sys.stdout.flush()
    return worst
