"""What follows from a snapshot alone is worked out once: how, without a word at every use?

Lookups ask the same things of a snapshot again and again: are IPv4's local and main one tree,
what do the rules compare, which filter has this link. A function of the snapshot alone that is
marked ``@once`` answers from ``Snapshot.worked_out`` the second time. What it returns must not hold
the snapshot itself: a circle of references would keep a million routes alive until the next garbage
collection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from wgtui.model.snapshot import Snapshot

T = TypeVar("T")


def once(work: Callable[[Snapshot], T]) -> Callable[[Snapshot], T]:
    """The same function, asked once a snapshot."""

    @wraps(work)
    def asked(snapshot: Snapshot) -> T:
        known = snapshot.worked_out
        if work not in known:
            known[work] = work(snapshot)
        return cast(T, known[work])

    return asked
