"""How does a snapshot stay true without being read again for every route that changes?

Events of single routes are applied to the tables (``route_changes``); everything else that moves,
and every doubt, makes ``live`` read again. While tables are read or edited the events that come are
taken out of their socket, which has room for a second or two of them at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.routes import RouteTables
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.sources.events import Events, News
from wgtui.sources.route_changes import RouteChanges, UnclearError
from wgtui.sources.undisturbed import undisturbed

_AT_ONCE: Final = 2_000
"""Events to apply before looking for new ones."""
_MOST: Final = 30_000
"""Events between two snapshots: who looks at them should not fall behind by seconds, and what is
made of them needs room."""
_NEEDED: Final = (Subject.ROUTES4, Subject.ROUTES6, Subject.NEXTHOPS)
"""What must have been seen, or events cannot be applied to it."""


class Following:
    """The events that nobody has dealt with yet, and the tables they will change."""

    def __init__(self) -> None:
        """To be made in the namespace that is looked at. Raises ``OSError``."""
        self.events = Events()
        self.news = News()
        self.is_behind = False
        """Did more come than was applied at once?"""
        self._lost = 0
        self._changes: RouteChanges | None = None

    def collect(self) -> bool:
        """Take what waits; did anything happen?"""
        return self.events.collect(self.news)

    def begin(self) -> None:
        """What has happened so far is in what will be read now."""
        self.collect()
        self._dealt_with(self.news)
        self._changes = None

    def _dealt_with(self, news: News) -> None:
        self._lost += news.lost
        if news is self.news:
            self.news, self.is_behind = News(), False

    def completed(self, snapshot: Snapshot) -> Snapshot | None:
        """A snapshot that has been read since ``begin``, with the routes that changed meanwhile;
        None: something else has moved as well, or nobody can tell."""
        self.collect()
        news = self.news
        self._dealt_with(news)
        if any(snapshot.gap(subject) for subject in _NEEDED):
            return None if news else self.said(snapshot)
        self._changes = RouteChanges(snapshot.routes, snapshot.nexthops)
        if news.other or news.silent or news.lost:
            return None
        routes = self._apply(news.routes, again=True)
        return None if routes is None else self.said(replace(snapshot, routes=routes))

    def said(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot, with what it has to say about lost events."""
        return replace(snapshot, events_lost=self._lost) if self._lost else snapshot

    def routes(self) -> RouteTables | None:
        """The tables after the news, which must be of routes, or after the first ``_MOST`` of them;
        None: everything must be read."""
        news = self.news
        if news.silent or news.lost:
            return None
        self.news = News(news.routes[_MOST:], other=news.other)
        self.is_behind = bool(self.news.routes)
        return self._apply(news.routes[:_MOST], again=False)

    def _apply(self, events: Iterable[bytes], *, again: bool) -> RouteTables | None:
        if self._changes is None:
            return None
        try:
            with undisturbed():
                return self._changes.apply(self._rescuing(events), again=again)
        except (UnclearError, FormatError):
            self._changes = None
            return None

    def _rescuing(self, events: Iterable[bytes]) -> Iterator[bytes]:
        for number, event in enumerate(events):
            if number % _AT_ONCE == 0:
                self.collect()
            yield event

    def close(self) -> None:
        """Let go of sockets; safe to call twice."""
        self.events.close()
