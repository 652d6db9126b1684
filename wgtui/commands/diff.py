"""``wgtui diff A B``: what changed between two snapshots, facts folders, or this host now?"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, OK, Arguments, terminal_columns
from wgtui.engine.changes import changes
from wgtui.errors import QueryError
from wgtui.model.snapshot import Snapshot
from wgtui.report.change_json import diff_json
from wgtui.report.change_words import difference
from wgtui.report.text import render
from wgtui.sources import open_source

OPTIONS: Final = (JSON,)

CHANGED: Final = 1
MOST: Final = 1000
"""So many changes of one kind in one place are told one by one."""


def run(arguments: Arguments) -> int:
    """0: nothing changed, 1: something did."""
    if len(arguments.words) != 2:
        raise QueryError("diff takes two sources: snapshot files, facts folders, live, live:NETNS")
    before, after = map(_read, arguments.words)
    found = changes(before, after, MOST)
    if arguments.has(JSON):
        print(json.dumps(diff_json(before, after, found)))
    else:
        print(render(difference(found), arguments.has(ASCII), terminal_columns()), end="")
    return CHANGED if found else OK


def _read(spec: str) -> Snapshot:
    with closing(open_source(spec)) as source:
        return source.read()
