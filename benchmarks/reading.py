"""What does a process that reads a namespace go through? Run by ``routes`` in a process of its own.

    python -m benchmarks.reading NAMESPACE            reads once
    python -m benchmarks.reading NAMESPACE follow     and follows until its stdin ends

Answers are lines of JSON.
"""

from __future__ import annotations

import json
import re
import select
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from wgtui.model.snapshot import Snapshot
from wgtui.sources import gather, live
from wgtui.sources.live import LiveSource

_TICK: Final = 0.001


def memory() -> int:
    """Bytes that are this process's alone."""
    own = re.findall(r"Private_\w+:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text())
    return sum(map(int, own)) << 10


def resident(name: str) -> int:
    """Bytes: ``VmRSS`` now, ``VmHWM`` at most since ``forget_peak``."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def forget_peak() -> None:
    """proc(5), clear_refs: 5 resets the peak."""
    Path("/proc/self/clear_refs").write_text("5")


class Ticking(threading.Thread):
    """Stands for the thread of the screen: how long does it not get its turn?"""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        """Until told to stop. On a busy machine other programs make everybody wait: what counts is
        at most the processor time that this one used meanwhile."""
        before, used_before = time.perf_counter(), time.process_time()
        while not self._over.is_set():
            time.sleep(_TICK)
            now, used = time.perf_counter(), time.process_time()
            self.longest = max(self.longest, min(now - before - _TICK, used - used_before))
            before, used_before = now, used

    def stop(self) -> float:
        """The longest that it was kept waiting, in seconds."""
        self._over.set()
        self.join()
        return self.longest


def say(**facts: float) -> None:
    """A line for whoever started this."""
    print(json.dumps(facts), flush=True)


def columns(snapshot: Snapshot) -> object:
    """All routes, to be compared."""
    return {
        key: (table.tree.columns[:2], [table.infos[value] for value in table.tree.values])
        for key, table in snapshot.routes.items()
    }


def follow(source: LiveSource, snapshot: Snapshot) -> Snapshot:
    """Refresh until stdin ends and nothing moves any more."""
    asked, over = select.poll(), False
    asked.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while True:
        over = over or bool(asked.poll(0))
        following = source.refresh(snapshot, 0.5)
        if over and following.routes is snapshot.routes:
            return following
        snapshot = following


def main(namespace: str, *more: str) -> None:
    """Read, and say what it took."""
    readings = 0
    original = gather.gather

    def counted(*words: Any) -> Snapshot:
        nonlocal readings
        readings += 1
        return original(*words)

    setattr(live, "gather", counted)  # noqa: B010  it is not one of the names that live exports
    with closing(LiveSource(namespace)) as source:
        forget_peak()
        before, resident_before = memory(), resident("VmRSS")
        ticking = Ticking()
        ticking.start()
        started = time.perf_counter()
        snapshot = source.read()
        seconds = time.perf_counter() - started
        after = memory()
        say(
            seconds=seconds,
            routes=sum(map(len, snapshot.routes.values())),
            kept=after - before,
            peak=resident("VmHWM") - resident_before,
            stall=ticking.stop(),
        )
        if not more:
            return
        readings = 0
        ticking = Ticking()
        ticking.start()
        processor, started = time.process_time(), time.perf_counter()
        snapshot = follow(source, snapshot)
        processor, seconds = time.process_time() - processor, time.perf_counter() - started
        stall, again, grown = ticking.stop(), readings, memory()
    with closing(LiveSource(namespace)) as other:
        same = columns(snapshot) == columns(other.read())
    say(
        seconds=seconds,
        processor=processor,
        stall=stall,
        readings=again,
        grown=grown - after,
        lost=snapshot.events_lost,
        same=same,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
