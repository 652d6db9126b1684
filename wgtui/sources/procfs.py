"""What do /proc/sys and /proc/net say of the namespace of the thread that reads them?

Of every link, netlink tells most (``links``); here is what it does not: the values that hold for
all links, and for the host. ``/proc/self/net`` would be the main thread's namespace,
``/proc/thread-self/net`` is ours; ``/proc/sys/net`` follows the reading thread by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SYS: Final = "/proc/sys"
_NET: Final = Path("/proc/thread-self/net")

NEEDED: Final = (
    "net/ipv4/ip_forward",
    *(
        f"net/ipv4/conf/{name}/{key}"
        for name in ("all", "default")
        for key in (
            "accept_local",
            "forwarding",
            "ignore_routes_with_linkdown",
            "route_localnet",
            "rp_filter",
            "send_redirects",
            "src_valid_mark",
        )
    ),
)
"""Without one of these an answer may be wrong."""

OPTIONAL: Final = (
    "net/ipv4/fib_multipath_hash_policy",
    "net/ipv4/fib_multipath_use_neigh",
    "net/ipv4/nexthop_compat_mode",
    "net/ipv6/fib_multipath_hash_policy",
    *(
        f"net/ipv6/conf/{name}/{key}"
        for name in ("all", "default")
        for key in ("disable_ipv6", "forwarding", "ignore_routes_with_linkdown", "use_tempaddr")
    ),
)
"""Not in every kernel."""


def read_sysctls() -> tuple[dict[str, int], list[str]]:
    """The values that are not one link's, and which of the needed ones could not be read."""
    found: dict[str, int] = {}
    missing: list[str] = []
    for path in (*NEEDED, *OPTIONAL):
        try:
            found[path] = int(_value(f"{_SYS}/{path}").split()[0])
        except (OSError, ValueError, IndexError):
            if path in NEEDED:
                missing.append(path)
    return found, missing


def _value(path: str) -> bytes:
    """Asked for every two seconds, for each value: without file objects it costs a third."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 64)
    finally:
        os.close(descriptor)


def read_udp_ports(net: Path = _NET) -> set[int] | None:
    """The local ports of all UDP sockets; None when that cannot be read."""
    ports: set[int] = set()
    for name in ("udp", "udp6"):
        try:
            ports.update(int(line.split()[1].rpartition(":")[2], 16) for line in _lines(net / name))
        except OSError:
            if name == "udp":
                return None  # a kernel without IPv6 has no udp6
    return ports


def read_unix_paths() -> set[str] | None:
    """The paths of all bound Unix sockets; None when that cannot be read."""
    paths: set[str] = set()
    try:
        for line in _lines(_NET / "unix"):
            words = line.rstrip("\n").split(None, 7)
            if len(words) == 8:
                paths.add(words[7])
    except OSError:
        return None
    return paths


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        next(file, None)  # the heading
        yield from file


def read_netlink_protocols() -> set[int] | None:
    """The netlink protocols that somebody in the kernel serves; None when that cannot be read."""
    try:
        return {int(line.split()[1]) for line in _lines(_NET / "netlink")}
    except (OSError, ValueError, IndexError):
        return None


def read_legacy_tables() -> list[str]:
    """iptables-legacy tables that can change where a packet goes. Raises ``PermissionError``."""
    found: list[str] = []
    for name in ("ip_tables_names", "ip6_tables_names"):
        try:
            lines = (_NET / name).read_text().split()
        except FileNotFoundError:
            continue  # no such module
        found += [
            table for table in lines if table in ("mangle", "nat", "raw") and table not in found
        ]
    return found


def has_ipv6() -> bool:
    """Has this kernel IPv6 at all? Without it, dumps of its routes would give those of IPv4."""
    return (_NET / "if_inet6").exists() or not _NET.exists()
