"""Which userspace WireGuard devices are there, and what do their sockets say? (S-G30)

wireguard-go and its like listen on ``/run/wireguard/NAME.sock``. That directory is usually one for
all network namespaces, so a device is claimed only where ``/proc/net/unix`` shows its socket: in
the namespace its daemon was started in. Nothing is ever unlinked, not even a socket nobody listens
on.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Link
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.wireguard import Device
from wgtui.sources.procfs import read_udp_ports, read_unix_paths
from wgtui.sources.uapi_answer import parse_device

DIRECTORIES: Final = ("/var/run/wireguard", "/run/wireguard")
"""Usually one and the same; daemons are told either."""
PATIENCE: Final = 1.0
"""Seconds: a daemon that hangs must not hang us."""
LONGEST: Final = 256 << 20
"""Bytes of an answer; a million allowed IPs are a tenth of that."""


def read_devices(links: Iterable[Link]) -> tuple[list[Device], list[Gap]]:
    """The userspace devices among the links of this thread's namespace, and who did not answer."""
    devices: list[Device] = []
    gaps: list[Gap] = []
    tuns = [link for link in links if link.kind == "tun"]
    if not tuns:
        return devices, gaps
    bound, ports = read_unix_paths(), read_udp_ports()
    for link in tuns:
        try:
            device = _read(link, bound, ports)
        except (FormatError, OSError) as error:
            gaps.append(_gap(link, error))
        else:
            if device is not None:
                devices.append(device)
    return devices, gaps


def _read(link: Link, bound: set[str] | None, ports: set[int] | None) -> Device | None:
    """The device of a tun link; None when it is not WireGuard's, as far as anybody can tell."""
    paths = [f"{place}/{link.name}.sock" for place in DIRECTORIES]
    here = [path for path in paths if path in bound] if bound is not None else paths[:1]
    if not here:
        for path in paths:
            # Somebody else's, or left behind? Only a connection tells; nothing is asked.
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                _connect(path, time.monotonic() + PATIENCE).close()
                raise _ElsewhereError
        return None
    for path in _views(here[0]):
        try:
            device = parse_device(link, ask(path))
        except FileNotFoundError:
            continue
        if not (link.up and device.listen_port) or ports is None or device.listen_port in ports:
            return device
    if bound is None:
        return None
    raise _ElsewhereError


def _views(path: str) -> Iterator[str]:
    """The path as we see it, then as processes of this namespace do: each may have its own /run."""
    yield path
    name = Path(path).name
    ours = Path("/proc/thread-self/ns/net").stat().st_ino
    seen: set[tuple[int, int]] = set()
    for process in Path("/proc").glob("[0-9]*"):
        # Not the path itself: /var/run is a link to our /run, wherever one meets it.
        view = process / "root/run/wireguard" / name
        with suppress(OSError):  # it ended, or is none of our business
            if (process / "ns/net").stat().st_ino == ours:
                found = view.stat()
                if (found.st_dev, found.st_ino) not in seen:
                    seen.add((found.st_dev, found.st_ino))
                    yield str(view)


class _ElsewhereError(OSError):
    """A socket of that name answers for another namespace."""


def _gap(link: Link, error: FormatError | OSError) -> Gap:
    why, hint = str(error), ""
    match error:
        case _ElsewhereError():
            why = "the WireGuard socket of that name belongs to another network namespace"
        case ConnectionRefusedError():
            why, hint = "nobody listens on its WireGuard socket", "was its daemon killed?"
        case PermissionError():
            why, hint = "reading its WireGuard socket is not permitted", "run as root (sudo wgtui)"
        case TimeoutError():
            why, hint = "its WireGuard daemon does not answer", "is the daemon stopped?"
        case OSError():
            why = f"its WireGuard socket: {error.strerror or error}"
    return Gap(Subject.WIREGUARD, why, hint, link.index)


def _connect(path: str, deadline: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        connection.connect(path)
    except BlockingIOError:
        connection.close()
        raise TimeoutError(path) from None  # its backlog is full
    except BaseException:
        connection.close()
        raise
    return connection


def ask(path: str) -> str:
    """The answer to ``get=1``. It holds secrets: for ``parse_device`` only. Raises ``OSError``."""
    deadline = time.monotonic() + PATIENCE
    answer = bytearray()
    with _connect(path, deadline) as connection:
        connection.sendall(b"get=1\n\n")
        while not answer.endswith(b"\n\n"):
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            part = connection.recv(1 << 16)
            answer += part
            if not part or len(answer) > LONGEST:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(path)
    return answer.decode("utf-8", "surrogateescape")
