"""Which packet do the words of the command line ask about?"""

from __future__ import annotations

from collections.abc import Sequence

from wgtui.errors import QueryError
from wgtui.model.flow import Flow, quoted


def joined(words: Sequence[str]) -> str:
    """The flow as one text; a peer's name with spaces, one word to the shell, stays one."""
    before = ("", *words)
    return " ".join(quoted(word) if before[n] == "peer" else word for n, word in enumerate(words))


def understood(words: str) -> Flow:
    """The flow; raises ``QueryError`` with the one line that names the word and its place."""
    try:
        return Flow.parse(words)
    except QueryError as error:
        where = f" (at character {error.position + 1} of {words!r})" if words.strip() else ""
        raise QueryError(f"{error.problem}{where}") from None
