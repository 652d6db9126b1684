"""Where do the addresses of a range go? Asked with ``lookup PREFIX`` and ``territory PREFIX``."""

from __future__ import annotations

import json
from contextlib import closing

from wgtui.commands import ASCII, JSON, NOT_DELIVERED, OK, Arguments, terminal_columns
from wgtui.commands.flow_words import range_understood
from wgtui.engine.territory import partition
from wgtui.report.territory import partition_lines
from wgtui.report.territory_json import partition_json
from wgtui.report.text import render
from wgtui.sources import open_source


def answer_range(arguments: Arguments, words: str) -> int:
    """Print the partition. 0: all of it arrives; 1: some does not, or nobody can know."""
    asked = range_understood(words)
    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    found = partition(snapshot, asked.within, asked.flow)
    if arguments.has(JSON):
        print(json.dumps(partition_json(found)))
    else:
        print(render(partition_lines(found), arguments.has(ASCII), terminal_columns()), end="")
    good = found.whole and all(part.answer.outcome.good for part in found.parts)
    return OK if good else NOT_DELIVERED
