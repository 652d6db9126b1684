"""A full table: is it read, kept and followed at the price the kernel asks for it anyway?"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

from benchmarks.table import Row, at_most
from tests.kernel import many_routes
from tests.kernel.hosts import Host, Network

_RUNS: Final = 5
_MANY: Final = {4: 1_000_000, 6: 200_000}
_SLOW: Final = (2_000, 30)
"""Changes a second, seconds."""
_QUICK: Final = (50_000, 5)
_SLICE: Final = 0.02
"""Seconds between two sends."""


def rows() -> Iterator[Row]:
    """Reading, memory and stalls; then churn."""
    with Network() as network:
        for family in (4, 6):
            host = network.host(f"full{family}")
            link = many_routes.prepare(host)
            chosen = many_routes.prefixes(family, _MANY[family])
            many_routes.fill(host, family, chosen, link)
            yield from _reading(host, family)
            if family == 4:
                yield from _churn(host, chosen, link)


def _reading(host: Host, family: int) -> Iterator[Row]:
    there = ["ip", "-n", host.namespace, "route", "show", "table", "all"]
    there[1:1] = ["-6"] if family == 6 else []
    shown, read = [], []
    for _ in range(_RUNS):
        shown.append(_seconds(lambda: subprocess.run(there, stdout=subprocess.DEVNULL, check=True)))
        read.append(_child(host))
    many = f"{_MANY[family]:,} IPv{family} routes"
    ours = statistics.median(one["seconds"] for one in read)
    yield at_most(
        f"reading {many}: everything, indexed, ready to answer and to draw",
        ours,
        statistics.median(shown),
        "s",
        f"median of {_RUNS} `LiveSource.read()`, each in a process of its own, in turns with ip",
        "`ip route show table all` to a null device",
    )
    yield at_most(
        f"the longest that another thread waits while {many} are read",
        1000 * statistics.median(one["stall"] for one in read),
        50,
        "ms",
        "a thread that sleeps for 1 ms again and again, at most the processor time used; median of "
        "the longest in each run",
    )
    if family == 4:
        for what, key in (("kept", "kept"), ("at the peak", "peak")):
            yield at_most(
                f"memory for {many}, {what}",
                statistics.median(one[key] / one["routes"] for one in read),
                40,
                "bytes a route",
                "private memory after over before, everything imported"
                if key == "kept"
                else "largest resident size over that before (clear_refs, VmHWM)",
            )


def _churn(host: Host, chosen: list[many_routes.Prefix], link: int) -> Iterator[Row]:
    words = [sys.executable, "-m", "benchmarks.reading", host.namespace, "follow"]
    with (
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child,
        closing(many_routes.route_socket(host)) as sock,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        done = [_send(sock, chosen, link, rate, length) for rate, length in (_SLOW, _QUICK)]
        child.stdin.close()
        found = json.loads(child.stdout.readline())
    said = " + ".join(
        f"{count:,.0f} changes a second for {length} s"
        for count, (_, length) in zip(done, (_SLOW, _QUICK), strict=True)
    )
    how = f"replaced, deleted and added again, {said}, on a million routes"
    ratio = found["processor"] / found["seconds"]
    yield at_most("route churn: processor time of who follows it", ratio, 1, "of a core", how)
    yield at_most("route churn: readings of everything", found["readings"], 0, "readings", how)
    same = f"{'equal' if found['same'] else 'different'}, {found['lost']} losses"
    yield Row(
        "route churn: the tables at the end beside those read anew",
        same,
        "equal",
        None,
        bool(found["same"]),
        how,
    )
    yield at_most(
        "route churn: memory more than before", found["grown"] / 1e6, 40, "MB", how, "one copy"
    )
    yield at_most(
        "route churn: the longest that another thread waits",
        1000 * found["stall"],
        120,
        "ms",
        how,
        "keys within 120 ms",
    )


def _send(sock: Any, chosen: list[many_routes.Prefix], link: int, rate: int, length: int) -> float:
    """Changes at a rate; how many a second there really were."""
    started = time.monotonic()
    made = 0
    while (now := time.monotonic() - started) < length:
        due = int(now * rate) - made
        if due > 0:
            many_routes.churn(sock, 4, chosen, link, due, seed=made)
            made += due
        time.sleep(_SLICE)
    return made / length


def _child(host: Host) -> dict[str, float]:
    words = [sys.executable, "-m", "benchmarks.reading", host.namespace]
    return dict(json.loads(subprocess.run(words, capture_output=True, check=True).stdout))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
