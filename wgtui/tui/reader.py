"""Who reads the facts while the screen stays alive? Three threads, which speak only in messages.

They are daemons: leaving the program never waits for a long read. What the threads share with the
screen is a queue and two events; the Snapshots they deliver are frozen.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from textual.message import Message

from wgtui.errors import SourceError
from wgtui.report.mistake import as_bug
from wgtui.sources import Source, open_source
from wgtui.tui.messages import (
    FindingsArrived,
    KernelAnswered,
    ReadingOn,
    SnapshotArrived,
    SourceFailed,
)
from wgtui.tui.sharing import WAIT, Collections, Turns, pause

if TYPE_CHECKING:
    from wgtui.engine.history import History
    from wgtui.model.flow import Flow
    from wgtui.model.snapshot import Snapshot
    from wgtui.tui.view import View

TELL: Final = 0.25
"""Seconds between two words about the progress of a long read."""

AGAIN: Final = 5.0
"""Seconds until a source that failed is tried again."""

SETTLED: Final = 0.15
"""Seconds without another question before the kernel is asked: never while somebody types."""


class Reader:
    """Reads one source until it is stopped."""

    def __init__(
        self,
        spec: str,
        post: Callable[[Message], object],
        opener: Callable[[str], Source] = open_source,
    ) -> None:
        self.spec = spec
        self._post = post
        self._open = opener
        self._source: Source | None = None
        self._again = threading.Event()
        self._stopped = threading.Event()
        self._questions: SimpleQueue[Flow] = SimpleQueue()
        self._told: Snapshot | None = None
        self._view: View | None = None
        self._news = threading.Event()
        """Has anything been seen since the last look for mistakes?"""
        self.turns: Final = Turns(self._stopped)
        """Tell it of each key."""
        self._collections: Final = Collections()
        self._history: History | None = None
        """What was seen so far; made when there is something."""

    def start(self) -> None:
        """From now on messages arrive."""
        for name, work in (
            ("wgtui-reader", self._read_all),
            ("wgtui-asker", self._ask_all),
            ("wgtui-checker", self._check_all),
        ):
            threading.Thread(target=self._keep_on, args=(work,), name=name, daemon=True).start()

    def _keep_on(self, work: Callable[[], None]) -> None:
        """A mistake of ours is shown, the last snapshot stays, and it goes on."""
        while not self._stopped.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001  a thread would end without a word
                self._failed(as_bug(error))

    def read_again(self) -> None:
        """Read everything anew, now."""
        self._again.set()
        if self._source is not None:
            self._source.wake()

    def ask_kernel(self, flow: Flow) -> None:
        """Put this question to the running kernel, when nothing else is asked for a moment."""
        self._questions.put(flow)

    def stop(self) -> None:
        """Say nothing any more and let go of the source; waits for nobody."""
        self._stopped.set()
        self._news.set()
        self.read_again()

    def _say(self, message: Message) -> None:
        if not self._stopped.is_set():
            with contextlib.suppress(RuntimeError):  # the screen's event loop has just been closed
                self._post(message)

    # ------------------------------------------------------------------------------------ reading

    def _read_all(self) -> None:
        while not self._stopped.is_set():
            try:
                self._read_one()
            except SourceError as error:
                self._failed(error)
        if self._source is not None:
            self._source.close()

    def _read_one(self) -> None:
        """Open the source if need be, read it, and follow it while it changes."""
        source = self._source
        if source is None:
            source = self._source = self._open(self.spec)
        with self._collections.held_off(for_good=True):
            snapshot = self._tell(source.read(self._progress()))
        wait = WAIT
        while source.live and not self._stopped.is_set():
            self._again.clear()
            before = time.thread_time()
            with self._collections.held_off():
                newer = source.refresh(snapshot, wait)
                if newer is not snapshot:
                    snapshot = self._tell(newer)
            wait = pause(time.thread_time() - before)
        if not self._stopped.is_set():
            self._again.wait()
            self._again.clear()

    def _progress(self) -> Callable[[int], None]:
        """Says now and then how far a read has come, and lets keys pass; ends the read when nobody
        waits for it any more."""
        told = time.monotonic()

        def tell(routes: int) -> None:
            nonlocal told
            if self._stopped.is_set():
                raise SourceError(f"{self.spec}: nobody waits for it")
            self.turns.let_pass()
            if time.monotonic() - told >= TELL:
                told = time.monotonic()
                self._say(ReadingOn(routes))

        return tell

    def _tell(self, snapshot: Snapshot) -> Snapshot:
        from wgtui.engine.history import History
        from wgtui.tui.view import View

        self._history = self._history or History()
        snapshot = self._history.take(snapshot)
        self._view = View(snapshot, self._told, self._history.entries)
        self._say(SnapshotArrived(self._view))
        self._news.set()
        self._told = snapshot
        return snapshot

    def _failed(self, error: SourceError) -> None:
        self._say(SourceFailed(error))
        self._again.wait(AGAIN)
        self._again.clear()

    # ----------------------------------------------------------------------------------- checking

    def _check_all(self) -> None:
        """Apart from the reading, which must keep up with events while this takes its time."""
        self._news.wait()
        if self._stopped.is_set():
            return
        from wgtui.tui.watch import Mistakes, Watch, mistakes

        watch = Watch(self.turns.give_way)
        told: Mistakes | None = None
        while not self._stopped.is_set():
            self._news.clear()
            view = self._view
            with self._collections.held_off():
                found = None if view is None else watch.look(view.snapshot)
                news = found is not None and (told is None or told.findings != found)
                told = mistakes(found) if found is not None and news else told
            if view is not None and told is not None and news:
                self._say(FindingsArrived(view, told))
            self._news.wait()
            while (early := watch.early()) and not self._stopped.wait(early):
                pass

    # ------------------------------------------------------------------------------------- asking

    def _ask_all(self) -> None:
        while not self._stopped.is_set():
            flow = self._settled()
            source, history = self._source, self._history
            if source is None or not source.live:
                continue
            changed = None if history is None else history.last_change(flow)
            try:
                self._say(KernelAnswered(flow, source.ask(flow), changed))
            except SourceError:
                self._say(KernelAnswered(flow, None, changed))

    def _settled(self) -> Flow:
        """The last question of a burst."""
        flow = self._questions.get()
        with contextlib.suppress(Empty):
            while True:
                flow = self._questions.get(timeout=SETTLED)
        return flow
