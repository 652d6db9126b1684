"""How much is on its way to the terminal? Its answers tell.

After every frame the terminal is asked where its cursor is (``CSI 6n``). It answers when it has
drawn what came before, however many kernels, ssh processes and modems hold bytes in between; a
``write`` that returns says nothing, they take megabytes. While more than ``WINDOW`` bytes are
unanswered, further frames should wait and merge.

A large frame has a question before it too. What lies between the two answers is the time its bytes
took, however long the way is: so a line that is really slow is told from one that is only long. On
a slow one a frame is sent a few rows at a time (``most``), and newer ones replace the rest of it.

    CSI 6n   frame of 1,400 bytes   CSI 6n
       └─ answer ───── 1.2 s ───── answer ─┘    1,200 bytes a second

A terminal that has never answered is asked a few times and not waited for. One that does no longer
answer (``LOST``) is not waited for either, until it answers again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

ASK: Final = b"\x1b[6n"
WINDOW: Final = 1024
SLOW: Final = 8000.0
"""Bytes a second; whole frames at once over all lines that take more."""
AHEAD: Final = 0.2
"""Seconds that bytes sent at once may take on a slow line."""
LEAST: Final = 128
"""Bytes: about two rows, which are sent at once over the slowest line."""
TRIES: Final = 8
"""Questions to a terminal that has never answered one."""
LOST: Final = 3.0
"""Seconds without an answer, beyond those that its bytes take at ``SLOWEST``."""
SLOWEST: Final = 900.0
"""Bytes a second: a serial console at 9600 baud."""
FIRST_ANSWER: Final = 0.3
"""Seconds that the end waits for the first answer of a terminal that has never answered."""


class _Question(NamedTuple):
    """Not answered yet."""

    size: int
    """Bytes before it that no other question is after."""
    timed: bool = False
    """Is there a question before those bytes too?"""


class Backlog:
    """Questions that are not answered yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is on its way, and nobody has ever answered."""
        self._clock = clock
        self._unanswered: deque[_Question] = deque()
        self._has_answered = False
        self._last_news = 0.0
        self._rate = SLOW

    @property
    def most(self) -> int | None:
        """So many bytes may be sent at once; None: all there are, the line is not slow."""
        return max(LEAST, int(self._rate * AHEAD)) if self._rate < SLOW else None

    def around(self, frame: bytes) -> bytes:
        """The frame is sent now, with a question before it and one after it."""
        return self.ask(0) + frame + self.ask(len(frame), timed=True)

    def ask(self, size: int, *, timed: bool = False) -> bytes:
        """So many bytes are sent now: what to send after them."""
        if not self._has_answered and len(self._unanswered) >= TRIES:
            return b""
        if not self._unanswered:
            self._last_news = self._clock()
        self._unanswered.append(_Question(size, timed))
        return ASK

    def answered(self) -> None:
        """The terminal has drawn all that came before the oldest question."""
        self._has_answered = True
        before, self._last_news = self._last_news, self._clock()
        if self._unanswered:
            question = self._unanswered.popleft()
            if question.timed:
                took = self._last_news - before
                self._rate = min(SLOW, question.size / took) if took > 0 else SLOW

    def pause(self) -> float:
        """Seconds that the next frame should wait, unless an answer comes before."""
        window = WINDOW if self.most is None else self.most // 2
        waiting = sum(question.size for question in self._unanswered)
        return self._patience() if waiting > window else 0.0

    def farewell(self) -> float:
        """Seconds that the end should wait: who reads after us would take answers for keys."""
        if self._has_answered:
            return self._patience()
        return FIRST_ANSWER if 0 < len(self._unanswered) < TRIES else 0.0

    def _patience(self) -> float:
        if not self._has_answered or not self._unanswered:
            return 0.0
        due = self._last_news + self._unanswered[0].size / SLOWEST + LOST
        left = due - self._clock()
        if left <= 0.0:
            self._has_answered = False
            self._unanswered.clear()
        return max(left, 0.0)
