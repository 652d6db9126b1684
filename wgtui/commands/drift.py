"""``wgtui drift``: what of the devices is otherwise than their configurations meant?"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, OK, Arguments, terminal_columns
from wgtui.engine.drift import drift
from wgtui.errors import QueryError
from wgtui.report.drift_json import drift_json
from wgtui.report.drift_words import drift_lines
from wgtui.report.text import render
from wgtui.sources import open_source

OPTIONS: Final = (JSON,)

DRIFTED: Final = 1


def run(arguments: Arguments) -> int:
    """0: everything is as it was meant, 1: something is not."""
    if arguments.words:
        raise QueryError(f"drift takes no words: {' '.join(arguments.words)!r}")
    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    found = drift(snapshot)
    if arguments.has(JSON):
        print(json.dumps(drift_json(snapshot, found)))
    else:
        print(
            render(drift_lines(snapshot, found), arguments.has(ASCII), terminal_columns()), end=""
        )
    return DRIFTED if any(device.drifted for device in found) else OK
