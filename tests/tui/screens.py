"""What the tests of the screen share: a source that does as it is told, waiting for facts, text."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable

from textual.pilot import Pilot
from textual.screen import Screen

from wgtui.errors import SourceError
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.sources import Progress
from wgtui.sources.demo import DemoSource
from wgtui.tui.app import WgtuiApp

NARROW, MIDDLE, WIDE = (80, 24), (110, 30), (160, 45)


class FakeSource:
    """Live: gives the snapshots that a test puts in, and fails when it is told to."""

    spec = "fake"

    def __init__(self, snapshot: Snapshot | None = None, *, live: bool = True) -> None:
        self.live = live
        self.snapshot = snapshot or DemoSource().read()
        self.error: SourceError | None = None
        self.asked: list[Flow] = []
        self.answer: KernelAnswer | None = None
        self.reads = 0
        self._moved = threading.Event()

    def read(self, progress: Progress | None = None) -> Snapshot:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.snapshot

    def refresh(self, previous: Snapshot, seconds: float) -> Snapshot:
        self._moved.wait(seconds)
        self._moved.clear()
        return self.read() if self.snapshot is not previous or self.error else previous

    def wake(self) -> None:
        self._moved.set()

    def ask(self, flow: Flow) -> KernelAnswer | None:
        self.asked.append(flow)
        return self.answer

    def close(self) -> None:
        self._moved.set()

    def change(self, **fields: object) -> Snapshot:
        """Another snapshot, as if something had moved."""
        self.snapshot = dataclasses.replace(self.snapshot, **fields)  # type: ignore[arg-type]
        self._moved.set()
        return self.snapshot

    def fail(self, error: SourceError | None) -> None:
        """From now on (not) readable."""
        self.error = error
        self._moved.set()


def app_on(source: FakeSource | None = None, question: str = "") -> WgtuiApp:
    """The app on a fake source, or on the demo."""
    if source is None:
        return WgtuiApp("demo", question)
    return WgtuiApp("fake", question, opener=lambda _: source)


async def until(pilot: Pilot[str], fact: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a fact, never for a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await pilot.pause()
        if fact():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never came true; the screen says:\n{text(pilot.app.screen)}")


async def ready(pilot: Pilot[str], app: WgtuiApp) -> None:
    """The first snapshot is on the screen, and what is wrong with it."""
    await until(pilot, lambda: app.view is not None and app.view.mistakes is not None)


def lines(screen: Screen[object]) -> list[str]:
    """The screen as text."""
    return [strip.text for strip in screen._compositor.render_strips()]


def text(screen: Screen[object]) -> str:
    """The screen as one text."""
    return "\n".join(lines(screen))
