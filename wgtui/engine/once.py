"""What follows from a snapshot alone is worked out once: how, without a word at every use?

Lookups ask the same things of a snapshot again and again: are IPv4's local and main one tree,
what do the rules compare, which filter has this link. A function of the snapshot alone that is
marked ``@once`` answers from ``Snapshot.worked_out`` the second time. What it returns must not hold
the snapshot itself: a circle of references would keep a million routes alive until the next garbage
collection.

What follows from a snapshot and a little more (a peer, an address) may be remembered too, as long
as there is not too much of it: ``remember``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

from wgtui.model.snapshot import Snapshot

K = TypeVar("K")
T = TypeVar("T")

MANY: Final = 1024
"""How many answers are remembered of one kind: some megabytes at most."""


def once(work: Callable[[Snapshot], T]) -> Callable[[Snapshot], T]:
    """The same function, asked once a snapshot."""

    @wraps(work)
    def asked(snapshot: Snapshot) -> T:
        known = snapshot.worked_out
        try:
            return known[work]  # type: ignore[return-value]  # kept there by the line below
        except KeyError:
            found = known[work] = work(snapshot)
            return found

    return asked


def remember(known: dict[K, T], key: K, answer: T) -> T:
    """Keep an answer for the next time; when there are ``MANY``, those before it are forgotten."""
    if len(known) >= MANY:
        known.clear()
    known[key] = answer
    return answer
