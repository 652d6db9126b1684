"""How much is on its way to the terminal? Its answers tell.

After every frame the terminal is asked where its cursor is (``CSI 6n``). It answers when it has
drawn what came before, however many kernels, ssh processes and modems hold bytes in between; a
``write`` that returns says nothing, they take megabytes. While more than ``WINDOW`` bytes are
unanswered, further frames should wait and merge.

A terminal that has never answered is asked a few times and not waited for. One that does no longer
answer (``LOST``) is not waited for either, until it answers again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

ASK: Final = b"\x1b[6n"
WINDOW: Final = 1024
TRIES: Final = 8
"""Questions to a terminal that has never answered one."""
LOST: Final = 3.0
"""Seconds without an answer, beyond those that its bytes take at ``SLOWEST``."""
SLOWEST: Final = 900.0
"""Bytes a second: a serial console at 9600 baud."""
FIRST_ANSWER: Final = 0.3
"""Seconds that the end waits for the first answer of a terminal that has never answered."""


class Backlog:
    """Questions that are not answered yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is on its way, and nobody has ever answered."""
        self._clock = clock
        self._unanswered: deque[int] = deque()  # bytes before each question
        self._has_answered = False
        self._last_news = 0.0

    def ask(self, size: int) -> bytes:
        """So many bytes are sent now: what to send after them."""
        if not self._has_answered and len(self._unanswered) >= TRIES:
            return b""
        if not self._unanswered:
            self._last_news = self._clock()
        self._unanswered.append(size)
        return ASK

    def answered(self) -> None:
        """The terminal has drawn all that came before the oldest question."""
        self._has_answered = True
        self._last_news = self._clock()
        if self._unanswered:
            self._unanswered.popleft()

    def pause(self) -> float:
        """Seconds that the next frame should wait, unless an answer comes before."""
        return self._patience() if sum(self._unanswered) > WINDOW else 0.0

    def farewell(self) -> float:
        """Seconds that the end should wait: who reads after us would take answers for keys."""
        if self._has_answered:
            return self._patience()
        return FIRST_ANSWER if 0 < len(self._unanswered) < TRIES else 0.0

    def _patience(self) -> float:
        if not self._has_answered or not self._unanswered:
            return 0.0
        due = self._last_news + self._unanswered[0] / SLOWEST + LOST
        left = due - self._clock()
        if left <= 0.0:
            self._has_answered = False
            self._unanswered.clear()
        return max(left, 0.0)
