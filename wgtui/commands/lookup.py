"""``wgtui lookup``: one answer as text or JSON, or one for every line on stdin."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, NOT_DELIVERED, OK, USAGE, Arguments
from wgtui.commands.flow_words import joined, understood
from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.errors import QueryError
from wgtui.model.flow import Flow
from wgtui.model.range_flow import is_range
from wgtui.model.snapshot import Snapshot
from wgtui.report.as_json import error_json, lookup_json
from wgtui.report.printable import printable
from wgtui.report.sentences import answer, kernel_line
from wgtui.report.text import render
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
            return _answer(arguments, source, source.read(), flow)
    with closing(open_source(arguments.source)) as source:
        # Python has no stdin object at all where the shell closed it.
        return _answer_lines(arguments, source, source.read(), sys.stdin or ())


def _answer(arguments: Arguments, source: Source, snapshot: Snapshot, flow: Flow) -> int:
    trace = lookup(snapshot, flow)
    asked = source.ask(flow)
    if arguments.has(JSON):
        found = differences(snapshot, trace, asked) if asked is not None else None
        print(json.dumps(lookup_json(snapshot, trace, None if found is None else not found)))
    else:
        lines = answer(snapshot, trace)
        told = kernel_line(snapshot, trace, asked) if asked is not None else None
        print(render([*lines, *([told] if told else [])], arguments.has(ASCII)), end="")
    return OK if trace.outcome.good else NOT_DELIVERED


def _answer_lines(
    arguments: Arguments, source: Source, snapshot: Snapshot, lines: Iterable[str]
) -> int:
    """One answer a line, in order, about the same snapshot; the exit code is the worst of them."""
    worst = OK
    for line in lines:
        try:
            code = _answer(arguments, source, snapshot, understood(line.strip()))
        except QueryError as error:
            code = USAGE
            if arguments.has(JSON):
                print(json.dumps(error_json(error.problem)))
            else:
                print(f"wgtui: {printable(error.problem)}", file=sys.stderr)
        worst = max(worst, code)
        sys.stdout.flush()
    return worst
