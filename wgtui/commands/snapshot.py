"""``wgtui snapshot``: save what the source shows, to be opened elsewhere with ``--source``."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from wgtui.commands import OK, Arguments, Option
from wgtui.errors import QueryError
from wgtui.sources import open_source
from wgtui.sources.saved import save

OUTPUT: Final = Option("--output", "-o", takes_value=True)
OPTIONS: Final = (OUTPUT,)


def run(arguments: Arguments) -> int:
    """Read once, write to the file or to stdout."""
    if arguments.words:
        raise QueryError(f"snapshot takes no words: {' '.join(arguments.words)!r}")
    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    output = arguments.value(OUTPUT)
    save(snapshot, Path(output) if output else sys.stdout)
    return OK
