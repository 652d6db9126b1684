"""Is a whole range asked about? A flow whose address is a prefix: ``10.0.0.0/16 mark 0x1``."""

from __future__ import annotations

import re
from typing import NamedTuple

from wgtui.errors import QueryError
from wgtui.model.flow import Flow, check_length
from wgtui.model.prefix import Prefix, address_text


class RangeFlow(NamedTuple):
    """The packets to every address of a range."""

    within: Prefix
    flow: Flow
    """To the first of them."""


def is_range(text: str) -> bool:
    """Is its first word a prefix, or going to be one?"""
    first = text.split(maxsplit=1)[:1]
    return bool(first) and "/" in first[0]


def parse_range(text: str) -> RangeFlow:
    """Understand the words; host bits mean nothing.

    Raises ``QueryError`` naming the word and its position.
    """
    check_length(text)
    found = re.match(r"\s*(\S+)", text)
    if found is None:
        raise QueryError("type a prefix", text, 0, unfinished=True)
    word, position = found[1], found.start(1)
    try:
        within = Prefix.parse(word)
    except ValueError:
        unfinished = word.endswith("/") and found.end() == len(text)
        raise QueryError(f"{word!r} is not a prefix", text, position, unfinished) from None
    address = address_text(within.family, within.network)
    try:
        flow = Flow.parse(f"{text[:position]}{address}{text[found.end() :]}")
    except QueryError as error:
        moved = len(word) - len(address) if error.position > position else 0
        at = error.position + moved
        raise QueryError(error.problem, text, at, error.unfinished) from None
    return RangeFlow(within, flow)
