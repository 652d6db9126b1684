"""``wgtui check``: which known mistakes are there? Not answered yet, and it says so."""

from __future__ import annotations

from typing import Final

from wgtui.commands import JSON, Arguments
from wgtui.errors import QueryError

OPTIONS: Final = (JSON,)


def run(_: Arguments) -> int:
    """Claim nothing."""
    raise QueryError("check arrives with a later version; wgtui lookup FLOW answers one question")
