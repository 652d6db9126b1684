"""What is a user told of a mistake of ours? One line, no traceback."""

from __future__ import annotations

import os
from typing import Final

from wgtui.errors import SourceError

TRACEBACK: Final = "WGTUI_TRACEBACK"
"""Set in the environment, Python's own report is shown instead."""


def as_bug(error: Exception) -> SourceError:
    """What, where and what to do.

    Only where the program or one of its threads would end; raises ``error`` itself where the
    environment asks for it.
    """
    if os.environ.get(TRACEBACK):
        raise error
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        file = "/".join(trace.tb_frame.f_code.co_filename.split("/")[-3:])
        where = f" ({file}, line {trace.tb_lineno})"
    return SourceError(
        f"a mistake in wgtui itself: {type(error).__name__}: {error}{where}",
        f"please report it, with what {TRACEBACK}=1 shows",
    )
