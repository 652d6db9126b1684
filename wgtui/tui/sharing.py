"""How does one thread read for seconds while another answers each key in milliseconds?

All threads of a Python program take turns. Four things keep the turns of the others short: the
interpreter changes hands quickly, nobody collects garbage while a million objects are being made,
what is looked at again and again is looked at less often where that costs much, and what can wait
gives way to keys.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SLICE: Final = 0.0005
"""Seconds that a thread may go on when another one wants to. Python's own 0.005 are waited for
several times for every key."""

WAIT: Final = 2.0
"""Seconds between two looks at what has no events (WireGuard), at least."""

LONGEST: Final = 30.0
"""At most, however much a look costs."""

SHARE: Final = 0.005
"""Of one processor: what the looks may take of it."""


TYPING: Final = 0.5
"""Seconds after a key in which the next one is expected."""

KEY: Final = 0.015
"""Seconds that a key takes, from its byte to the screen."""

STEP_ASIDE: Final = 5.0
"""Seconds of typing after which work goes on all the same."""


MANY: Final = 20_000
"""Objects made and still there: a collection among so many would be felt."""


class Turns:
    """Who has the processor? Keys come first, and what can wait gives way to them."""

    def __init__(self, stopped: threading.Event) -> None:
        """Nobody waits any more when ``stopped`` is set."""
        self._stopped = stopped
        self._last_key = self._let_passed = float("-inf")

    def key(self) -> None:
        """There was one, just now."""
        self._last_key = time.monotonic()

    def let_pass(self) -> None:
        """Wait for the key that is being carried out, once for each: a long read ends even while a
        key is held."""
        last = self._last_key
        if last != self._let_passed and (left := last + KEY - time.monotonic()) > 0:
            self._let_passed = last
            self._stopped.wait(left)

    def give_way(self) -> None:
        """Wait until nobody types."""
        end = time.monotonic() + STEP_ASIDE
        while (left := min(self._last_key + TYPING, end) - time.monotonic()) > 0:
            if self._stopped.wait(left):
                return


def take_short_turns() -> None:
    """For the whole program, once."""
    sys.setswitchinterval(SLICE)


class Collections:
    """When is garbage collected? Never while a thread makes very many objects.

    A collection among a million new objects would stop all threads for a second.
    """

    def __init__(self) -> None:
        """As ever, for now."""
        self._lock = threading.Lock()
        self._held_off = 0

    @contextmanager
    def held_off(self, *, for_good: bool = False) -> Iterator[None]:
        """By this thread too: they go on when none holds them off any more.

        What was made is, ``for_good`` or if it is much, left out of all collections to come.
        """
        with self._lock:
            self._held_off += 1
            gc.disable()
        try:
            yield
        finally:
            with self._lock:
                self._held_off -= 1
                if for_good or gc.get_count()[0] > MANY:
                    gc.freeze()
                if not self._held_off:
                    gc.enable()


def pause(cost: float) -> float:
    """Seconds until the next look when the last one took so many of a processor."""
    return min(LONGEST, max(WAIT, cost / SHARE))
