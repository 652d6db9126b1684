"""Is the screen instant on a full-table router, and quiet on a slow line? In real ptys.

The router: 1,000,000 IPv4 routes, 10,000 peers with four AllowedIPs each, 1,000 links; the small
host: five routes and two peers. Both are network namespaces, looked at live.
"""

from __future__ import annotations

import base64
import compileall
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import textual

import wgtui
from benchmarks.table import Row, at_most
from benchmarks.terminal import Painted, Terminal
from tests.kernel import many_routes
from tests.kernel.hosts import SOCKETS, Host, Kind, Network

ROUTES: Final = 1_000_000
PEERS: Final = 10_000
LINKS: Final = 1_000
STARTS: Final = 15
SIZES: Final = ((80, 24, 16.0), (160, 45, 30.0))
"""Columns, rows, and how many ms a key may take."""
QUESTIONS: Final = ("8.8.8.8", "10.5.7.9", "100.64.3.4", "10.5.7.130", "203.7.11.1")
STATIC: Final = """
from textual.app import App
from textual.widgets import Static
class One(App):
    def compose(self):
        yield Static("Hello")
One().run()
"""
PAGE_DOWN, DELETE = "\x1b[6~", "\x7f"
FACTS: Final = "seen"
"""On the screen once there are facts and no question."""


def wgtui_on(source: str) -> Terminal:
    """The program as it is started by hand."""
    command = (sys.executable, "-m", "wgtui", "--source", source)
    return Terminal(*command, PYTHONPATH=str(Path.cwd()))


def wgtui_in(host: Host, *, size: tuple[int, int] = (80, 24), rate: int = 0) -> Terminal:
    """The program in that namespace, where its userspace devices can be seen."""
    bind = f'mount --bind "$0" {SOCKETS} && exec "$@"'
    there = ("ip", "netns", "exec", host.namespace, "sh", "-c", bind, str(host.sockets))
    command = (*there, sys.executable, "-m", "wgtui")
    return Terminal(*command, size=size, rate=rate, PYTHONPATH=str(Path.cwd()))


def rows() -> Iterator[Row]:
    """Everything; the namespaces are gone afterwards."""
    for package in (wgtui, textual):  # who installs a package compiles it
        compileall.compile_dir(package.__path__[0], quiet=1)
    if os.geteuid() == 0:
        # Before whatever else runs here; nice counts only among processes of one session.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    yield from _starts()
    yield from _quiet()
    with Network() as network:
        small, large = network.host("small"), network.host("large")
        _populate(small, 5, 2, 2, "wgfew")
        _populate(large, ROUTES, PEERS, LINKS, "wgmany")
        yield from _small(small)
        for columns, lines, limit in SIZES:
            yield from _keys(small, large, (columns, lines), limit)
        yield from _slow_lines(large)
        yield _loading(large)


# ------------------------------------------------------------------------------------------- hosts


def _populate(host: Host, routes: int, peers: int, links: int, device: str) -> None:
    link = many_routes.prepare(host)
    many_routes.fill(host, 4, many_routes.prefixes(4, routes), link)
    host.ip(*(f"link add v{n} type veth peer name w{n}" for n in range(links // 2 - 1)))
    wireguard = host.wireguard(device, Kind.USERSPACE)
    host.ip(f"link set {device} up", f"route add 10.0.0.0/12 dev {device}")
    host.run("wg", "addconf", device, "/dev/stdin", stdin="\n".join(_peers(peers)))
    assert wireguard.dump()


def _peers(count: int) -> Iterator[str]:
    dice = random.Random(1)
    for n in range(count):
        high, low = n >> 8 & 0xFF, n & 0xFF
        yield f"[Peer]\nPublicKey={base64.b64encode(dice.randbytes(32)).decode()}"
        yield f"Endpoint=198.51.{high}.{low}:51820"
        yield f"AllowedIPs=10.{high}.{low}.0/24,10.{high}.{low}.128/25"
        yield f"AllowedIPs=172.{16 + (n >> 12)}.{n >> 4 & 0xFF}.{(n & 15) << 4}/28,fd00:{n:x}::/48"


# -------------------------------------------------------------------------------------------- rows


def _starts() -> Iterator[Row]:
    """The first complete frame, beside the least that Textual can do."""
    static: list[float] = []
    demo: list[float] = []
    live: list[float] = []
    sizes = []
    for _ in range(STARTS):
        with Terminal(sys.executable, "-c", STATIC) as terminal:
            static.append(terminal.until_bytes("Hello"))
        for source, times in (("demo", demo), ("live", live)):
            with wgtui_on(source) as terminal:
                times.append(terminal.until_bytes("Lookup"))
                sizes.append(len(terminal.raw))
    floor = statistics.median(static) * 1000
    said = f"1.25 × {floor:.0f} ms, one Static"
    how = f"medians of {STARTS}, taken in turns; to the last piece of the first frame"
    for name, times in (("--demo", demo), ("live", live)):
        measured = statistics.median(times) * 1000
        yield at_most(f"first frame, {name}", measured, 1.25 * floor, "ms", how, said)
    yield at_most("first frame, 80x24", max(sizes), 4096, "bytes", "the largest of all of them")


def _quiet() -> Iterator[Row]:
    """Bytes, which are the same in every run."""
    with wgtui_on("demo") as terminal:
        terminal.until_bytes("edge-1")
        terminal.quiet(0.5)
        painted = terminal.keys("10.30.5.9")
        sizes = [one.size for one in painted]
        how = f"typing 10.30.5.9: {', '.join(map(str, sizes))}; the last one brings the answer"
        yield at_most("bytes a typed character", statistics.median(sizes), 150, "bytes", how)


def _small(host: Host) -> Iterator[Row]:
    with wgtui_in(host) as terminal:
        terminal.until_bytes(FACTS)
        terminal.quiet(1.0)
        terminal.keys("10.0.0.7")
        yield at_most(
            "resident memory, small host", terminal.resident(), 50, "MB", "live, a question"
        )
        terminal.quiet(1.0)
        before, cpu = len(terminal.raw), terminal.processor_time()
        terminal.quiet(20.0)
        share = (terminal.processor_time() - cpu) / 20 * 100
        yield at_most("idle, small host", share, 0.5, "% of a core", "20 s, live, looks every 2 s")
        sent = len(terminal.raw) - before
        yield Row("idle bytes", f"{sent}", "0 (nothing changes)", None, sent == 0, "the same 20 s")


def _slow_lines(host: Host) -> Iterator[Row]:
    """A held key in the large table."""
    for rate, limit in ((10_000, 0.5), (1_200, 2.0)):
        with wgtui_in(host, rate=rate) as terminal:
            terminal.until_bytes(FACTS)
            terminal.quiet(2.0)
            terminal.send("\t\t")
            terminal.quiet(2.0)
            before = len(terminal.raw)
            behind = terminal.held(PAGE_DOWN, 2.0)
            how = f"80x24, 30 a second, in the million routes; {len(terminal.raw) - before:,} bytes"
        yield at_most(f"behind after 2 s of PageDown, {rate:,} B/s", behind, limit, "s", how)


def _typed(terminal: Terminal) -> list[Painted]:
    """Every question, character by character, and away again: each key is another answer."""
    painted = []
    for question in QUESTIONS:
        painted += terminal.keys(question)
        painted += terminal.keys([DELETE] * len(question))
    return painted


def _ms(painted: Sequence[Painted]) -> tuple[float, float]:
    """Median and 95 of 100."""
    times = sorted(one.seconds * 1000 for one in painted if one.size)
    return statistics.median(times), times[int(len(times) * 0.95)]


def _keys(small: Host, large: Host, size: tuple[int, int], limit: float) -> Iterator[Row]:
    """Both hosts in turns, so that a busy moment of the machine meets both."""
    name = f"{size[0]}x{size[1]}"
    on_small, on_large = [], []
    with wgtui_in(small, size=size) as few:
        few.until_bytes(FACTS)
        with wgtui_in(large, size=size) as many:
            many.until_bytes(FACTS)
            many.quiet(3.0)
            few.quiet(1.0)
            for _ in range(3):
                on_small += _typed(few)
                on_large += _typed(many)
    median_small, p95_small = _ms(on_small)
    median_large, p95_large = _ms(on_large)
    how = (
        f"{len(on_large)} keys; medians {median_large:.1f} ms and {median_small:.1f} ms; "
        f"five routes: p95 {p95_small:.1f} ms"
    )
    yield at_most(f"key to last byte, {name}, 1M routes, p95", p95_large, limit, "ms", how)
    yield at_most(
        f"the same, median, beside five routes, {name}",
        median_large,
        1.5 * median_small,
        "ms",
        how,
        "1.5 × the small host",
    )


def _loading(host: Host) -> Row:
    """Keys while the table is read. The state line counts the routes meanwhile, so a key is painted
    when something is on the line of the question."""
    times: list[float] = []
    with wgtui_in(host) as terminal:
        terminal.until_bytes("❯")
        moves = re.findall(rb"\x1b\[([0-9]+)[;H]", terminal.raw.partition("❯".encode())[0])
        question = re.compile(rb"\x1b\[%s[;H]" % moves[-1])
        terminal.quiet()
        while FACTS.encode() not in terminal.raw:
            before, sent = len(terminal.raw), time.monotonic()
            terminal.send(DELETE if len(times) % 2 else "1")
            terminal.until(lambda at=before: question.search(terminal.raw, at))  # type: ignore[misc]
            times.append((terminal.last - sent) * 1000)
            terminal.quiet()
    how = f"{len(times)} keys typed meanwhile, median {statistics.median(times):.1f} ms"
    return at_most("longest key while 1M routes load", max(times), 50, "ms", how)
