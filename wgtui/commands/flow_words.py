"""Which packet do the words of the command line ask about?"""

from __future__ import annotations

from collections.abc import Sequence

from wgtui.errors import QueryError
from wgtui.model.flow import LONGEST, Flow, place_of, quoted
from wgtui.model.range_flow import RangeFlow, parse_range


def joined(words: Sequence[str]) -> str:
    """The flow as one text; a peer's name with spaces, one word to the shell, stays one."""
    before = ("", *words)
    return " ".join(quoted(word) if before[n] == "peer" else word for n, word in enumerate(words))


def understood(words: str) -> Flow:
    """The flow; raises ``QueryError`` with the one line that names the word and its place."""
    try:
        return Flow.parse(words)
    except QueryError as error:
        raise _placed(error, words) from None


def range_understood(words: str) -> RangeFlow:
    """The flow to a whole range; raises ``QueryError`` likewise."""
    try:
        return parse_range(words)
    except QueryError as error:
        raise _placed(error, words) from None


def known_here(error: QueryError, words: str) -> QueryError:
    """What this host does not have (a link, a peer), with its place in the words."""
    place = place_of(error.text, words) if error.text else None
    return error if place is None else _placed(QueryError(error.problem, words, place), words)


def _placed(error: QueryError, words: str) -> QueryError:
    quotable = words.strip() and len(words) <= LONGEST
    where = f" (at character {error.position + 1} of {words!r})" if quotable else ""
    return QueryError(f"{error.problem}{where}")
