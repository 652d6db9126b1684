"""Which network namespaces are there? Work inside one is done by a thread that ends there.

Entering moves one thread only, and that thread never comes back: it ends, so nothing else can find
itself in the wrong namespace. Sockets and child processes keep the namespace they were made in, and
``/proc/thread-self/net`` and ``/proc/sys/net`` show the one of the thread that reads them.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Final, TypeVar

from wgtui.errors import SourceError

T = TypeVar("T")

_PROC: Final = Path("/proc")
NAMED: Final = Path("/run/netns")
"""Where ``ip netns`` keeps the names."""


def names() -> list[str]:
    """The named namespaces; empty when there are none or they cannot be listed."""
    try:
        return sorted(entry.name for entry in NAMED.iterdir())
    except OSError:
        return []


def others() -> Iterator[str]:
    """Every namespace that can be found, once, but the one this thread is in.

    "" is the one the program was started in, a name stands for one under /run/netns, and
    ``/proc/PID/ns/net`` for one without a name: the init process's first.
    """
    seen = {_identity(_PROC / "thread-self/ns/net")}
    for place in ("", *names(), "/proc/1/ns/net", *_processes()):
        found = _identity(path_of(place))
        if found is not None and found not in seen:
            seen.add(found)
            yield place


def path_of(place: str) -> Path:
    """The file that stands for a namespace of ``others``."""
    # A path from the root stays what it is.
    return NAMED / place if place else _PROC / "self/ns/net"


def _processes() -> Iterator[str]:
    """Looked at only when whoever asks goes on so far."""
    for number in sorted(int(entry.name) for entry in _PROC.glob("[0-9]*")):
        yield f"/proc/{number}/ns/net"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:  # it ended, or is none of our business
        return None
    return found.st_dev, found.st_ino


def inside(name: str, work: Callable[[], T]) -> T:
    """Do ``work`` in the namespace ``name`` ("" is our own) and give its result or exception.

    Raises ``SourceError`` when the namespace cannot be entered.
    """
    if not name:
        return work()
    if "/" in name or name in (".", ".."):
        raise SourceError(f"live:{name}", "a namespace is a name under /run/netns")
    return visiting(name, work)


def visiting(place: str, work: Callable[[], T]) -> T:
    """Do ``work`` in a namespace of ``others``, wherever this thread is.

    Raises ``SourceError`` when the namespace cannot be entered.
    """

    def there() -> T:
        _enter(path_of(place), place or "our own")
        return work()

    # A daemon: Ctrl-C ends the waiting, and then the program, however long the work would take.
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(there())
        except BaseException as error:  # noqa: BLE001  it is raised where somebody waits for it
            future.set_exception(error)

    Thread(target=run, name=f"netns {place}", daemon=True).start()
    return future.result()


def _enter(path: Path, name: str) -> None:
    source = f"live:{name}"
    try:
        place = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        known = ", ".join(names())
        hint = f"there are: {known}" if known else "there are no named namespaces (ip netns list)"
        raise SourceError(f"{source}: no such network namespace", hint) from None
    except OSError as error:
        raise SourceError(f"{source}: {error.strerror}") from error
    try:
        _setns(place)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise SourceError(f"{source}: not a network namespace") from error
        raise SourceError(
            f"{source}: not permitted to enter it", "run as root (sudo wgtui)"
        ) from error
    finally:
        os.close(place)


_CLONE_NEWNET: Final = 0x40000000


def _setns(place: int) -> None:
    """setns(2) with a descriptor, for network namespaces only. Raises ``OSError``."""
    if sys.version_info >= (3, 12):
        os.setns(place, _CLONE_NEWNET)
        return
    import ctypes  # Python learnt it later

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(place, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
