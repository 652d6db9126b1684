"""What has changed while somebody watched? The newest first, and never more than fits.

The same thing back and forth three times is *flapping*: one entry with a count instead of many. A
thing that came to rest for ten minutes and moves again begins anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final

from wgtui.model.change import Change, JournalEntry

MOST: Final = 1000
"""Entries; older ones are forgotten."""

FLAPPING: Final = 3
"""So many times back and forth."""

CALM: Final = 600.0
"""Seconds without a change after which the next one has nothing to do with it."""


@dataclass(slots=True)
class _Run:
    """The last changes of one thing, each undoing the one before."""

    numbers: list[int] = field(default_factory=list)
    """Of its entries; one when it is flapping."""
    count: int = 0


class Journal:
    """Told of changes in the order they were seen."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._entries: dict[int, JournalEntry] = {}
        """By running number, the oldest first."""
        self._runs: dict[Hashable, _Run] = {}
        self._next = 0
        self.forgotten = 0
        """How many entries had to go."""

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> tuple[JournalEntry, ...]:
        """All of them, the newest first."""
        return tuple(reversed(self._entries.values()))

    def add(self, at: float, changes: Iterable[Change]) -> None:
        """What was seen to have changed at this moment (Unix time), the most telling first."""
        for change in reversed(tuple(changes)):
            self._add(at, change)
        while len(self._entries) > self._most:
            self._forget()

    def _add(self, at: float, change: Change) -> None:
        run = self._runs.get(change.key)
        last = self._entries.get(run.numbers[-1]) if run is not None else None
        if run is None or last is None or not _undone(last, at, change):
            run = self._runs[change.key] = _Run()
            last = None
        run.count += 1
        since, count = at, 1
        if run.count >= FLAPPING:
            since, count = at if last is None else last.since, run.count
            for number in run.numbers:
                first = self._entries.pop(number, None)
                since = min(since, first.since) if first is not None else since
            run.numbers.clear()
        self._entries[self._next] = JournalEntry(at, change, count, since)
        run.numbers.append(self._next)
        self._next += 1

    def _forget(self) -> None:
        number = next(iter(self._entries))
        entry = self._entries.pop(number)
        self.forgotten += 1
        run = self._runs.get(entry.change.key)
        if run is not None and run.numbers[-1] == number:
            del self._runs[entry.change.key]


def _undone(last: JournalEntry, at: float, change: Change) -> bool:
    """Does the change take back what the last one did?"""
    was, now = last.change.states, change.states
    return was is not None and now is not None and at - last.at <= CALM and was == now[::-1]
