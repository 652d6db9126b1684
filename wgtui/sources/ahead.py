"""How is a long dump received while what came before is still being understood? By a second thread.

Half of the time for a full table is the kernel's, which fills the next 32 KiB while it hands over
the last: there is a processor for it if somebody else does the parsing. Short dumps end before the
thread is started.
"""

from __future__ import annotations

import os
import select
from collections.abc import Generator
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Final

from wgtui.sources.nlsocket import NetlinkSocket

_ALONE: Final = 16
"""Portions until help comes: half a megabyte, some thousand routes."""
_MOST: Final = 64
"""Portions that may wait."""


def received(sock: NetlinkSocket, kind: int, body: bytes) -> Generator[bytes, None, None]:
    """``sock.chunks``; to be closed by whoever has seen the end of the dump."""
    chunks = sock.chunks(kind, body)
    for _ in range(_ALONE):
        yield next(chunks)
    stop = os.eventfd(0, os.EFD_CLOEXEC)
    waiting: SimpleQueue[bytes | OSError] = SimpleQueue()
    room = Semaphore(_MOST)

    def receive() -> None:
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLIN)
        poller.register(stop, select.POLLIN)
        while True:
            room.acquire()
            if any(number == stop for number, _ in poller.poll()):
                return
            try:
                waiting.put(next(chunks))
            except OSError as error:
                waiting.put(error)
                return

    thread = Thread(target=receive, name="wgtui-receiver", daemon=True)
    thread.start()
    try:
        while True:
            found = waiting.get()
            room.release()
            if isinstance(found, OSError):
                raise found
            yield found
    finally:
        os.eventfd_write(stop, 1)
        room.release()
        thread.join()
        os.close(stop)
