"""How does one thread read for seconds while another answers each key in milliseconds?

All threads of a Python program take turns. Three things keep the turns of the reader short: the
interpreter changes hands quickly, nobody collects garbage while a million objects are being made,
and what is looked at again and again is looked at less often where that costs much.
"""

from __future__ import annotations

import gc
import sys
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


def take_short_turns() -> None:
    """For the whole program, once."""
    sys.setswitchinterval(SLICE)


@contextmanager
def without_collections() -> Iterator[None]:
    """A full collection among a million new objects would stop all threads for a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def keep_for_good() -> None:
    """What there is now is left out of all collections to come."""
    gc.freeze()


def pause(cost: float) -> float:
    """Seconds until the next look when the last one took so many of a processor."""
    return min(LONGEST, max(WAIT, cost / SHARE))
