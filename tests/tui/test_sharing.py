"""A long read leaves the screen its turns, and says how far it has come."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import pytest

from tests.tui.screens import FakeSource, app_on, lines, ready, until
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.sources import Progress
from wgtui.tui import reader, sharing
from wgtui.tui.sharing import (
    KEY,
    LONGEST,
    STEP_ASIDE,
    TYPING,
    WAIT,
    Collections,
    Turns,
    pause,
)


class SlowSource(FakeSource):
    """Reads until it is let go, and says how many routes there are so far."""

    def __init__(self) -> None:
        super().__init__()
        self.routes = 0
        self.go = threading.Event()
        self.stopped = threading.Event()
        self.collects = True

    def read(self, progress: Progress | None = None) -> Snapshot:
        assert progress is not None
        self.collects = gc.isenabled()
        try:
            while not self.go.wait(0.05):
                progress(self.routes)
        finally:
            self.stopped.set()
        return super().read()


async def test_a_long_read_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the state line, until the facts are there; keys are answered meanwhile."""
    monkeypatch.setattr(reader, "TELL", 0.0)
    source = SlowSource()
    app = app_on(source)
    async with app.run_test(size=(80, 24)) as pilot:
        source.routes = 412_000
        await until(pilot, lambda: "reading: 412,000 routes" in lines(app.screen)[0])
        await pilot.press(*"10.30.5.9")
        assert app.lookup.question.value == "10.30.5.9"
        source.go.set()
        await ready(pilot, app)
        await until(pilot, lambda: app.reply.trace is not None)
        assert "reading" not in lines(app.screen)[0]
        assert not source.collects


async def test_a_read_that_nobody_waits_for_ends() -> None:
    """Leaving in the middle of it: the thread does not go on for a million routes."""
    source = SlowSource()
    app = app_on(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: not source.collects)
        await pilot.press("q")
    assert source.stopped.wait(10)


async def test_facts_that_may_not_be_of_one_moment_are_told() -> None:
    """Whatever is asked, the state line says so."""
    source = FakeSource()
    source.change(gaps=(Gap(Subject.CONSISTENCY, "something changed"),))
    app = app_on(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        assert "changed while it was read" in lines(app.screen)[0]


def test_collections_come_back_after_a_failure() -> None:
    """A source that cannot be read does not leave garbage uncollected for ever."""
    with pytest.raises(ZeroDivisionError), Collections().held_off():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_a_thread_that_is_done_does_not_let_collections_into_the_work_of_another() -> None:
    """The screen would stand still while they go through what that one is making."""
    collections = Collections()
    with collections.held_off():
        with collections.held_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_very_many_new_objects_are_left_out_of_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few are not: garbage among them would stay for ever."""
    monkeypatch.setattr(sharing, "MANY", 5_000)
    gc.unfreeze()  # what tests before this one left may go at any moment
    gc.collect()
    collections = Collections()
    with collections.held_off():
        pass
    assert gc.get_freeze_count() == 0
    with collections.held_off():
        made = [[number] for number in range(6_000)]
    assert gc.get_freeze_count() > len(made)


@pytest.mark.parametrize(("cost", "seconds"), [(0.0, WAIT), (0.02, 4.0), (5.0, LONGEST)])
def test_what_costs_much_is_looked_at_less_often(cost: float, seconds: float) -> None:
    """Half a percent of a processor, but at least every half minute."""
    assert pause(cost) == pytest.approx(seconds)


class _Waits(threading.Event):
    """Says how long it was waited for; time passes only then."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.on_wait: Callable[[], object] = int

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timeout
        self.on_wait()
        return self.is_set()


def test_what_can_wait_gives_way_to_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until nobody has typed for a moment; not for ever, and not when the program ends."""
    clock = _Waits()
    monkeypatch.setattr("wgtui.tui.sharing.time.monotonic", lambda: clock.now)
    turns = Turns(clock)
    turns.give_way()
    assert clock.now == 100.0
    turns.key()
    turns.give_way()
    assert clock.now == 100.0 + TYPING
    clock.on_wait = turns.key
    turns.key()
    turns.give_way()
    assert clock.now == 100.0 + TYPING + STEP_ASIDE
    clock.set()
    turns.give_way()
    assert clock.now == 100.0 + 2 * TYPING + STEP_ASIDE


def test_a_long_read_lets_each_key_pass_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as a key takes, and no longer: a held key does not stop the reading."""
    clock = _Waits()
    monkeypatch.setattr("wgtui.tui.sharing.time.monotonic", lambda: clock.now)
    turns = Turns(clock)
    turns.let_pass()
    assert clock.now == 100.0
    turns.key()
    clock.now += KEY / 3
    turns.let_pass()
    assert clock.now == pytest.approx(100.0 + KEY)
    turns.key()
    clock.on_wait = turns.key
    for _ in range(3):
        turns.let_pass()
    assert clock.now == pytest.approx(100.0 + 4 * KEY)
