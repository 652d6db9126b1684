"""``wgtui check``: which known mistakes does this host have? As text or JSON."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, FOUND, JSON, OK, Arguments, terminal_columns
from wgtui.engine.checks import check
from wgtui.errors import QueryError
from wgtui.report.findings import findings_json, findings_text
from wgtui.sources import open_source

OPTIONS: Final = (JSON,)


def run(arguments: Arguments) -> int:
    """Look once; what is only worth knowing is no failure."""
    if arguments.words:
        raise QueryError(f"check takes no words: {' '.join(arguments.words)!r}")
    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    findings = check(snapshot)
    if arguments.has(JSON):
        print(json.dumps(findings_json(snapshot, findings)))
    else:
        print(findings_text(snapshot, findings, arguments.has(ASCII), terminal_columns()), end="")
    return FOUND if any(finding.severity.alarming for finding in findings) else OK
