"""What was the answer before, and when did it change? Looks at a host, the newest first.

Only looks between which something moved are kept, and tables that did not move are kept once, so
many looks at a million routes are little more than one.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple

from wgtui.engine.answer import Answer, answer_of
from wgtui.engine.changes import changes
from wgtui.engine.journal import Journal
from wgtui.engine.lookup import lookup
from wgtui.errors import QueryError
from wgtui.model.change import JournalEntry
from wgtui.model.fact import dataclass
from wgtui.model.flow import Flow
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace

MOST: Final = 64
"""Looks that are kept."""

MOST_ROWS: Final = 2_000_000
"""Routes in all of them together; the newest look is kept whatever it has."""


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """An answer that is another one now."""

    at: float
    """When the new one was first seen; Unix time."""
    before: Snapshot
    """The last look at which it was the old one."""
    trace: Trace
    """The old one."""


class _Look(NamedTuple):
    """A look, and when what it shows was first seen."""

    since: float
    snapshot: Snapshot


class History:
    """What a reader has seen so far. One thread takes; any may ask."""

    def __init__(self, most: int = MOST, most_rows: int = MOST_ROWS) -> None:
        self._most = most
        self._most_rows = most_rows
        self._journal = Journal()
        self._looks: tuple[_Look, ...] = ()
        """The newest first. Replaced as a whole, so that others may read it."""
        self.entries: tuple[JournalEntry, ...] = ()
        """What changed, the newest first."""

    def take(self, snapshot: Snapshot) -> Snapshot:
        """The next look; returns it with the tables of the one before where they are equal."""
        if not self._looks:
            self._looks = (_Look(snapshot.taken_at, snapshot),)
            return snapshot
        newest, *older = self._looks
        snapshot = sharing_tables(newest.snapshot, snapshot)
        found = changes(newest.snapshot, snapshot)
        if not found:
            # Newer counters; from here on it stands for the look it replaces.
            self._looks = (newest._replace(snapshot=snapshot), *older)
            return snapshot
        self._journal.add(snapshot.taken_at, found)
        self.entries = self._journal.entries()
        self._looks = self._within_bounds((_Look(snapshot.taken_at, snapshot), *self._looks))
        return snapshot

    def _within_bounds(self, looks: tuple[_Look, ...]) -> tuple[_Look, ...]:
        seen: set[int] = set()
        rows = 0
        for number, look in enumerate(looks[: self._most]):
            for table in look.snapshot.routes.values():
                if id(table) not in seen:
                    seen.add(id(table))
                    rows += len(table)
            if number and rows > self._most_rows:
                return looks[:number]
        return looks[: self._most]

    def last_change(self, flow: Flow) -> AnswerChange | None:
        """When did the answer to this last change, and from what? None: not since the first look
        that is kept, or the flow names what was not there."""
        looks = self._looks
        try:
            now = [_answer(look.snapshot, flow)[0] for look in looks[:1]]
            for later, look in pairwise(looks):
                answer, trace = _answer(look.snapshot, flow)
                if answer not in now:
                    return AnswerChange(later.since, look.snapshot, trace)
        except QueryError:
            return None
        return None


def _answer(snapshot: Snapshot, flow: Flow) -> tuple[Answer, Trace]:
    trace = lookup(snapshot, flow)
    return answer_of(snapshot, trace), trace


def sharing_tables(before: Snapshot, after: Snapshot) -> Snapshot:
    """``after`` with the tables of ``before`` where both are equal, row for row."""
    if before.routes is after.routes:
        return after
    routes = {
        key: old if (old := before.routes.get(key)) is not None and _equal(old, table) else table
        for key, table in after.routes.items()
    }
    return replace(after, routes=routes)


def _equal(old: RouteTable, new: RouteTable) -> bool:
    return (
        old.tree.lengths == new.tree.lengths
        and old.tree.values == new.tree.values
        and old.tree.networks == new.tree.networks
        and old.infos == new.infos
    )
