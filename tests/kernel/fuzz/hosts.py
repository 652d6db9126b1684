"""How does a world become real? In a namespace of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count, groupby
from os import getpid

from tests.kernel.fuzz.rules import MODERN, add_rules
from tests.kernel.fuzz.worlds import World
from wgtui.model.snapshot import Snapshot
from wgtui.sources import netns
from wgtui.sources.live import LiveSource

_numbers = count(1)


@contextmanager
def host(world: World) -> Iterator[LiveSource]:
    """The world in a namespace of its own; hosts.sweep knows the name if we are killed."""
    name = f"wgtui-{getpid()}-{next(_numbers)}-fuzz"
    subprocess.run(("ip", "netns", "add", name), check=True)
    try:
        for (tool, option), lines in groupby(world.commands, _batch):
            if tool == "netlink":
                netns.inside(name, partial(add_rules, list(lines)))
            elif tool == "sysctl":
                words = [line.removeprefix("sysctl -w ") for line in lines]
                argv: Sequence[str] = (
                    "ip",
                    "netns",
                    "exec",
                    name,
                    "sysctl",
                    "-q",
                    "-e",
                    "-w",
                    *words,
                )
                subprocess.run(argv, stderr=subprocess.DEVNULL)
            else:
                batch = "".join(f"{_words(line)}\n" for line in lines)
                argv = ("ip", "-n", name, *option.split(), "-force", "-batch", "-")
                subprocess.run(
                    argv,
                    input=batch,
                    text=True,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        source = LiveSource(name)
        try:
            yield source
        finally:
            source.close()
    finally:
        subprocess.run(("ip", "netns", "delete", name), check=True)


def _batch(command: str) -> tuple[str, str]:
    """What can go into one process: the tool and its option."""
    tool, first = command.split()[:2]
    if MODERN.search(command):
        return "netlink", ""
    return tool, first if first.startswith("-") and tool == "ip" else ""


def _words(command: str) -> str:
    return " ".join(word for word in command.split()[1:] if word not in ("-4", "-6"))


def settled(source: LiveSource) -> Snapshot:
    """The facts, as soon as every link's carrier has reached the tables (S-B5)."""
    until = time.monotonic() + 5
    while True:
        snapshot = source.read()
        late = [
            link.name
            for link in snapshot.links.values()
            if link.up and link.carrier is (link.state in ("down", "lowerlayerdown"))
        ]
        if not late or time.monotonic() > until:
            return snapshot
        time.sleep(0.02)


def same_facts(one: Snapshot, other: Snapshot) -> bool:
    """Did nothing that routing depends on change? Clocks and counters do not count."""
    return all(_bare(one)[n] == part for n, part in enumerate(_bare(other)))


def _bare(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        [replace(link, counters=None) for link in snapshot.links.values()],
        snapshot.rules,
        {key: [route._replace(row=0) for route in table] for key, table in snapshot.routes.items()},
        snapshot.neighbours,
        snapshot.sysctls,
        snapshot.local_in_main,
    )
