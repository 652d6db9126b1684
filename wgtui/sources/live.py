"""What does this host (or one of its network namespaces) look like now, and when does it change?

One consistent Snapshot: subscribe first, read everything, and see whether an event came meanwhile;
if so, read again (S-G7). A refresh waits for events. When none comes, only what changes without
any is read anew: counters, handshakes, peers, sysctls, and configurations if a file was written.
Events of single routes are applied to the tables there are. Anything else makes it read
*everything*: the kernel takes IPv4 routes and next-hop objects away silently when a link goes down
(S-G5), so such an event never tells the whole story.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar

from wgtui.errors import SourceError
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.sources import Progress, netns, oracle
from wgtui.sources.config_stamp import Stamp, stamp
from wgtui.sources.configs import places_of
from wgtui.sources.firewall import read_generation
from wgtui.sources.following import Following
from wgtui.sources.gather import gather, poll
from wgtui.sources.nlsocket import GET_STRICT_CHK, NetlinkSocket

T = TypeVar("T")

_TRIES: Final = 3
_QUIET: Final = 0.05
"""Seconds without an event before everything is read: changes come in bursts."""
_LONGEST: Final = 0.5
"""Seconds to wait for that quiet at most."""
_STEP: Final = 500
"""Routes between two words about the progress: a few milliseconds, for it is the moment in which a
screen may be let go first."""


class LiveSource:
    """This host, or the namespace ``netns`` of it.

    One thread reads; ``wake``, ``close`` and ``ask`` may be called from others.
    """

    live: Final = True

    def __init__(self, netns: str = "") -> None:
        """Raises ``SourceError`` when there is no such namespace, or it may not be entered."""
        self._netns = netns
        self._closed = threading.Event()
        self._stale = False
        """Something changed while it was read the last time."""
        self._took = 0.0
        """Seconds for reading everything, the last time."""
        self._rulesets: list[int | None] = []
        """The generations of netfilter's rulesets that were read."""
        self._reading = threading.Lock()
        self._following = self._inside(Following)
        self._configs: Stamp = frozenset()
        """Of the configuration files that were read."""
        self._last: Snapshot | None = None
        """What the next events will be applied to."""
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    @property
    def spec(self) -> str:
        """The words that open it again."""
        return f"live:{self._netns}" if self._netns else "live"

    def _inside(self, work: Callable[[], T]) -> T:
        try:
            return netns.inside(self._netns, work)
        except OSError as error:
            raise SourceError(f"{self.spec}: {error.strerror or error}") from error

    # ----------------------------------------------------------------------------------- reading

    def read(self, progress: Progress | None = None) -> Snapshot:
        """Everything, now."""
        return self._guarded(lambda: self._inside(lambda: self._consistent(progress)))

    def refresh(self, previous: Snapshot, seconds: float) -> Snapshot:
        """Wait at most ``seconds`` for something to move, then read what may have."""
        return self._guarded(lambda: self._refresh(previous, seconds))

    def _refresh(self, previous: Snapshot, seconds: float) -> Snapshot:
        if not (self._stale or self._following.news):
            poller = select.poll()
            for number in (*self._following.events.filenos(), self._woken):
                poller.register(number, select.POLLIN)
            ready = [number for number, _ in poller.poll(max(0.0, seconds) * 1000)]
            if not ready and self._is_last(previous):
                return self._inside(lambda: self._polled(previous))
        if self._closed.is_set():
            return previous
        if not self._following.is_behind:
            self._settle()
        if self._stale or self._is_woken() or not self._is_last(previous):
            return self._inside(self._consistent)
        return self._inside(lambda: self._followed(previous))

    def _polled(self, previous: Snapshot) -> Snapshot:
        """What changes without an event; everything, if that is more than a poll can tell."""
        if self._generations() != self._rulesets:
            return self._consistent()
        if self._written():
            return self._followed(previous)
        return self._remember(poll(previous) or self._consistent())

    def _followed(self, previous: Snapshot) -> Snapshot:
        """The routes after what was told of them, and what changes without an event."""
        routes = self._following.routes()
        if routes is None or self._generations() != self._rulesets:
            return self._consistent()
        current = replace(previous, routes=routes, taken_at=time.time())
        if not self._following.news.other and not self._written():
            return self._remember(poll(current) or self._consistent())
        self._following.news.other = False
        self._configs = self._stamp()
        current = gather(self._netns, self.spec, lambda _: self._following.collect(), current)
        news = self._following.news
        if self._following.events.follow(current.elsewhere) or news.other or news.silent:
            return self._consistent()
        return self._remember(self._following.said(current))

    def _is_last(self, previous: Snapshot) -> bool:
        """Is it what was given out last? Equal tables may have been replaced by older equals."""
        return self._last is not None and previous.taken_at == self._last.taken_at

    def _remember(self, snapshot: Snapshot) -> Snapshot:
        """What the next events will be applied to."""
        self._last = snapshot
        return snapshot

    def _settle(self) -> None:
        """Wait for the end of a burst of changes, but not for ever.

        Where there is always something, as on a large router, half of the time is spent waiting if
        everything must be read.
        """
        started = time.monotonic()
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        following = self._following
        while following.collect() and not poller.poll(_QUIET * 1000):
            everything = following.news.silent or following.news.lost
            longest = max(_LONGEST, self._took) if everything else _LONGEST
            if time.monotonic() - started >= longest:
                return

    def _consistent(self, progress: Progress | None = None) -> Snapshot:
        """Read until nothing but routes moved meanwhile, ``_TRIES`` times."""
        self._forget_wakes()
        snapshot = self._once(progress)
        for _ in range(_TRIES - 1):
            if snapshot.gap(Subject.CONSISTENCY) is not None:
                snapshot = self._once(progress)
        return self._remember(snapshot)

    def _once(self, progress: Progress | None = None) -> Snapshot:
        """Read everything; a gap says when something moved meanwhile."""
        started = time.monotonic()
        following, told = self._following, 0

        def meanwhile(count: int) -> None:
            nonlocal told
            following.collect()
            if progress is not None and count - told >= _STEP:
                told = count
                progress(count)

        following.events.watch_policies()
        following.begin()
        self._last = None
        self._rulesets = self._generations()
        self._configs = self._stamp()
        snapshot = gather(self._netns, self.spec, meanwhile)
        self._took = time.monotonic() - started
        unheard = following.events.follow(snapshot.elsewhere)
        whole = following.completed(snapshot)
        self._stale = unheard or whole is None
        if whole is not None and not unheard:
            return whole
        gap = Gap(Subject.CONSISTENCY, f"something changed each of the {_TRIES} times it was read")
        return following.said(replace(snapshot, gaps=(*snapshot.gaps, gap)))

    def _stamp(self) -> Stamp:
        return stamp(places_of(self._netns).all)

    def _written(self) -> bool:
        """Have configurations been written since they were read? Of that there is no event."""
        return self._stamp() != self._configs

    def _generations(self) -> list[int | None]:
        found = [read_generation()]
        for place in self._following.events.places:
            try:
                found.append(netns.visiting(place, read_generation))
            except SourceError:
                found.append(None)
        return found

    def _guarded(self, work: Callable[[], T]) -> T:
        """Sockets are let go of by whoever holds the lock when it is time."""
        with self._reading:
            if self._closed.is_set():
                raise SourceError(f"{self.spec}: closed")
            result = work()
        if self._closed.is_set():
            self._let_go()
        return result

    # ------------------------------------------------------------------------ from other threads

    def wake(self) -> None:
        """Make a waiting ``refresh`` return after a complete read."""
        if not self._closed.is_set():
            os.eventfd_write(self._woken, 1)

    def _is_woken(self) -> bool:
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        return bool(poller.poll(0))

    def _forget_wakes(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._woken)

    def ask(self, flow: Flow) -> KernelAnswer | None:
        """Put the question to the running kernel, on a socket of its own."""

        def put() -> KernelAnswer | None:
            with NetlinkSocket(timeout=1.0) as sock:
                sock.option(GET_STRICT_CHK)
                return oracle.ask(sock, flow)

        return self._inside(put)

    def close(self) -> None:
        """Let go of sockets; safe to call twice. A reading thread does it on its way out."""
        if not self._closed.is_set():
            self._closed.set()
            os.eventfd_write(self._woken, 1)
            self._let_go()

    def _let_go(self) -> None:
        if self._reading.acquire(blocking=False):
            try:
                self._following.close()
                if self._woken >= 0:
                    os.close(self._woken)
                    self._woken = -1
            finally:
                self._reading.release()
