"""Which network namespace is looked at? Work inside is done by a thread that ends there.

Entering moves one thread only, and that thread never comes back: it ends, so nothing else can find
itself in the wrong namespace. Sockets and child processes keep the namespace they were made in, and
``/proc/thread-self/net`` and ``/proc/sys/net`` show the one of the thread that reads them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from wgtui.errors import SourceError

T = TypeVar("T")

NAMED: Final = Path("/run/netns")
"""Where ``ip netns`` keeps the names."""


def names() -> list[str]:
    """The named namespaces; empty when there are none or they cannot be listed."""
    try:
        return sorted(entry.name for entry in NAMED.iterdir())
    except OSError:
        return []


def inside(name: str, work: Callable[[], T]) -> T:
    """Do ``work`` in the namespace ``name`` ("" is our own) and give its result or exception.

    Raises ``SourceError`` when the namespace cannot be entered.
    """
    if not name:
        return work()

    def there() -> T:
        _enter(name)
        return work()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"netns {name}") as thread:
        return thread.submit(there).result()


def _enter(name: str) -> None:
    from pyroute2.netns import setns

    source = f"live:{name}"
    if "/" in name or name in ("", ".", ".."):
        raise SourceError(source, "a namespace is a name under /run/netns")
    try:
        place = os.open(NAMED / name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        known = ", ".join(names())
        hint = f"there are: {known}" if known else "there are no named namespaces (ip netns list)"
        raise SourceError(f"{source}: no such network namespace", hint) from None
    except OSError as error:
        raise SourceError(f"{source}: {error.strerror}") from error
    try:
        # By descriptor: given a name, pyroute2 would make the namespace if it is missing.
        setns(place)
    except OSError as error:
        # pyroute2 does not always keep the errno; without privilege there is only one reason.
        if error.errno == errno.EINVAL:
            raise SourceError(f"{source}: not a network namespace") from error
        raise SourceError(
            f"{source}: not permitted to enter it", "run as root (sudo wgtui)"
        ) from error
    finally:
        os.close(place)
