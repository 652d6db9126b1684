"""How does a world become real? In a namespace of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count, groupby, pairwise
from os import getpid
from typing import Final

from tests.kernel.fuzz.rules import MODERN, add_rules
from tests.kernel.fuzz.worlds import World
from wgtui.errors import WgtuiError
from wgtui.model.snapshot import Snapshot
from wgtui.sources import netns
from wgtui.sources.links import IFNAME, REQUEST, RTM_GETLINK
from wgtui.sources.live import LiveSource
from wgtui.sources.nlsocket import NetlinkSocket, attribute

_numbers = count(1)
PATIENCE: Final = 60.0
"""Seconds until a host that does not come to rest is a mistake."""


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
                readable = _readable(list(lines), name)
                batch = "".join(f"{_words(line)}\n" for line in readable)
                argv = ("ip", "-n", name, *option.split(), "-force", "-batch", "-")
                done = subprocess.run(argv, input=batch, text=True, capture_output=True)
                # ip goes on after what the kernel refuses, but ends where it cannot read a word.
                if done.returncode not in (0, 1):
                    raise WgtuiError(f"ip did not read all of a batch: {done.stderr.strip()}")
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


def _readable(lines: Sequence[str], name: str) -> Sequence[str]:
    """Without next hops by links that this kernel could not make: ip would end there."""
    if not any(" nexthop " in line for line in lines):
        return lines
    there = {link for _, link in netns.inside(name, socket.if_nameindex)}
    return [line for line in lines if " nexthop " not in line or there.issuperset(_links(line))]


def _links(command: str) -> Iterator[str]:
    words = command.split()
    return (after for word, after in pairwise(words) if word == "dev")


def _words(command: str) -> str:
    return " ".join(word for word in command.split()[1:] if word not in ("-4", "-6"))


def settled(source: LiveSource) -> Snapshot:
    """The facts, when nothing of what was done to the host is still under way.

    Carriers reach the tables up to a second late (S-B5), and IPv6 addresses after them, by the
    kernel's workers. Asked about one link (and not about all of them) the kernel finishes what it
    owes that link first (dev.c: rtnl_getlink, linkwatch_sync_dev; Linux 6.8): what is then still to
    come can be seen, and nothing depends on how long it takes.
    """
    until = time.monotonic() + PATIENCE
    before, late = source.read(), list[str]()
    while time.monotonic() < until:
        netns.inside(before.namespace, partial(_finish, list(before.links_by_name)))
        snapshot = source.read()
        late = list(_late(snapshot))
        if not late and same_facts(before, snapshot):
            return snapshot
        before = snapshot
        if late:
            time.sleep(0.01)
    raise TimeoutError(f"{source.spec}: after {PATIENCE:.0f} seconds still {late or 'changing'}")


def _finish(links: Sequence[str]) -> None:
    with NetlinkSocket() as sock:
        for name in links:
            sock.ask(RTM_GETLINK, REQUEST + attribute(IFNAME, os.fsencode(name) + b"\0"))


def _late(snapshot: Snapshot) -> Iterator[str]:
    """What the kernel has not come to yet."""
    for link in snapshot.links.values():
        if link.up and link.carrier is (link.state in ("down", "lowerlayerdown")):
            yield f"carrier of {link.name}"
        for entry in link.addresses:
            if entry.tentative and link.up:
                yield f"{entry.address} on {link.name}"


def same_facts(one: Snapshot, other: Snapshot) -> bool:
    """Did nothing that routing depends on change? Clocks and counters do not count."""
    return _bare(one) == _bare(other)


def _bare(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        [replace(link, counters=None) for link in snapshot.links.values()],
        snapshot.rules,
        {key: [route._replace(row=0) for route in table] for key, table in snapshot.routes.items()},
        snapshot.neighbours,
        snapshot.sysctls,
        snapshot.local_in_main,
    )
