"""What waits for a terminal's answers, and for how long."""

from __future__ import annotations

import pytest

from wgtui.tui.backlog import (
    AHEAD,
    ASK,
    FIRST_ANSWER,
    LEAST,
    LOST,
    SLOWEST,
    TRIES,
    WINDOW,
    Backlog,
)


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_frames_wait_while_too_much_is_unanswered() -> None:
    """Until the answer comes."""
    backlog = Backlog(_Clock())
    backlog.ask(1)
    backlog.answered()
    assert backlog.ask(WINDOW) == ASK
    assert backlog.pause() == 0.0
    backlog.ask(1)
    assert backlog.pause() > LOST
    backlog.answered()
    assert backlog.pause() == 0.0


def test_a_terminal_that_never_answers_is_not_waited_for() -> None:
    """It is asked a few times, and the end waits only while it could be its first answer."""
    backlog = Backlog(_Clock())
    assert backlog.farewell() == 0.0
    assert [backlog.ask(WINDOW) for _ in range(TRIES - 1)] == [ASK] * (TRIES - 1)
    assert backlog.farewell() == FIRST_ANSWER
    assert backlog.ask(WINDOW) == ASK
    assert backlog.ask(WINDOW) == b""
    assert backlog.pause() == backlog.farewell() == 0.0


def test_a_terminal_that_falls_silent_is_given_up_until_it_answers_again() -> None:
    """A frozen terminal must not freeze the program."""
    clock = _Clock()
    backlog = Backlog(clock)
    backlog.ask(0)
    backlog.answered()
    backlog.ask(WINDOW + 1)
    patience = LOST + (WINDOW + 1) / SLOWEST
    assert backlog.pause() == backlog.farewell() == pytest.approx(patience)
    clock.now += patience
    assert backlog.pause() == backlog.farewell() == 0.0
    assert backlog.ask(WINDOW + 1) == ASK
    assert backlog.pause() == 0.0
    backlog.answered()
    backlog.ask(WINDOW + 1)
    assert backlog.pause() == pytest.approx(patience)


def test_a_slow_line_is_not_taken_for_a_lost_one() -> None:
    """A whole screen at 9600 baud takes longer than ``LOST``; each answer renews the patience."""
    clock = _Clock()
    backlog = Backlog(clock)
    backlog.ask(0)
    backlog.answered()
    backlog.ask(6000)
    backlog.ask(6000)
    for _ in range(2):
        clock.now += 6000 / SLOWEST
        assert backlog.farewell() > 0.0
        backlog.answered()
    assert backlog.farewell() == 0.0


def test_a_slow_line_is_told_from_a_long_one() -> None:
    """By the time between the answers before and after a frame, not by that from asking."""
    clock = _Clock()
    backlog = Backlog(clock)
    for seconds, most in ((0.1, None), (1.0, int(1500 * AHEAD)), (100.0, LEAST), (0.0, None)):
        assert backlog.around(b"x" * 1500) == ASK + b"x" * 1500 + ASK
        clock.now += 2.0  # to the terminal and back
        backlog.answered()
        clock.now += seconds
        backlog.answered()
        assert backlog.most == most


def test_on_a_slow_line_little_is_on_its_way() -> None:
    """The next rows go when half of what may be on its way has arrived."""
    clock = _Clock()
    backlog = Backlog(clock)
    backlog.around(b"x" * 1000)
    backlog.answered()
    clock.now += 1.0
    backlog.answered()
    assert backlog.most == 200
    backlog.around(b"x" * 101)
    assert backlog.pause() > 0.0
    backlog.answered()
    assert backlog.pause() > 0.0
    backlog.answered()
    backlog.around(b"x" * 100)
    assert backlog.pause() == 0.0
