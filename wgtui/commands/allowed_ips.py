"""``wgtui allowed-ips``: the shortest list that means a sum of prefixes, and whom it takes from."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, OK, Arguments, Option
from wgtui.engine.taking import Taking, find_holder, taking
from wgtui.errors import QueryError
from wgtui.model.address_expression import parse_expression, prefixes_of
from wgtui.report.allowed_ips import calculated_json, calculated_lines
from wgtui.report.text import render
from wgtui.sources import open_source

PEER: Final = Option("--peer", takes_value=True)
OPTIONS: Final = (JSON, PEER)


def run(arguments: Arguments) -> int:
    """Calculate; a host is read only where a peer of it is named."""
    text = " ".join(arguments.words)
    try:
        sets = parse_expression(text)
    except QueryError as error:
        where = f" (at character {error.position + 1} of {text!r})" if text else ""
        raise QueryError(f"allowed-ips: {error.problem}{where}") from None
    taken: Taking | None = None
    words = arguments.value(PEER)
    if words is not None:
        with closing(open_source(arguments.source)) as source:
            snapshot = source.read()
        taken = taking(*find_holder(snapshot, words), tuple(prefixes_of(sets)))
    if arguments.has(JSON):
        print(json.dumps(calculated_json(sets, taken)))
    else:
        print(render(calculated_lines(sets, taken), arguments.has(ASCII)), end="")
    return OK
