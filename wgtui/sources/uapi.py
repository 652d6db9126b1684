"""Which userspace WireGuard devices are there, and what do their sockets say? (S-G30)

wireguard-go and its like listen on ``/run/wireguard/NAME.sock``. That directory is usually one for
all network namespaces, so a device is claimed only where ``/proc/net/unix`` shows its socket: in
the namespace its daemon was started in. Nothing is ever unlinked, not even a socket nobody listens
on.
"""

from __future__ import annotations

import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Link, Mark
from wgtui.model.prefix import Prefix, parse_address
from wgtui.model.snapshot import Gap, Subject
from wgtui.model.wireguard import Backend, Device, Endpoint, Peer
from wgtui.sources import x25519
from wgtui.sources.procfs import read_udp_ports, read_unix_paths

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


def parse_device(link: Link, answer: str) -> Device:
    """Understand an answer; keys become base64, secrets are passed over. Raises ``FormatError``."""
    device = Device(link.index, link.name, backend=Backend.USERSPACE)
    peers: list[_PeerLines] = []
    status = 0
    if "\nerrno=" not in f"\n{answer}":
        raise FormatError(f"WireGuard socket of {link.name}", "the answer breaks off")
    for number, line in enumerate(answer.splitlines(), 1):
        key, equals, value = line.partition("=")
        if not line:
            continue
        try:
            if not equals:
                raise ValueError("not KEY=VALUE")
            match key:
                case "errno":
                    status = int(value)
                case "private_key":
                    device = replace(device, public_key=_public_key(value))
                case "listen_port":
                    device = replace(device, listen_port=int(value))
                case "fwmark":
                    device = replace(device, fwmark=Mark(int(value)))
                case "public_key":
                    peers.append(_PeerLines(_base64(value)))
                case _ if peers:
                    peers[-1].take(key, value)
        except ValueError as error:
            # Never the line itself: it may be a key.
            raise FormatError(
                f"WireGuard socket of {link.name}", f"{key}: {error}", number
            ) from None
    if status:
        raise FormatError(f"WireGuard socket of {link.name}", os.strerror(abs(status)))
    # wireguard-go tells them in a new order every time.
    found = sorted((peer.peer() for peer in peers), key=lambda peer: peer.public_key)
    return replace(device, peers=tuple(found))


class _PeerLines:
    """The lines about one peer, as they come."""

    def __init__(self, public_key: str) -> None:
        self._public_key = public_key
        self._endpoint: Endpoint | None = None
        self._allowed: list[Prefix] = []
        self._has_preshared_key = False
        self._numbers: dict[str, int] = {}

    def take(self, key: str, value: str) -> None:
        """One line. Raises ``ValueError``."""
        match key:
            case "allowed_ip":
                self._allowed.append(Prefix.parse(value))
            case "endpoint":
                self._endpoint = _endpoint(value)
            case "preshared_key":
                self._has_preshared_key = bool(value.strip("0"))
            case (
                "last_handshake_time_sec"
                | "last_handshake_time_nsec"
                | "rx_bytes"
                | "tx_bytes"
                | "persistent_keepalive_interval"
            ):
                self._numbers[key] = int(value)

    def peer(self) -> Peer:
        """All of it."""
        number = self._numbers.get
        handshake = (
            number("last_handshake_time_sec", 0) + number("last_handshake_time_nsec", 0) / 1e9
        )
        return Peer(
            public_key=self._public_key,
            endpoint=self._endpoint,
            allowed_ips=tuple(self._allowed),
            last_handshake=handshake or None,
            received=number("rx_bytes", 0),
            sent=number("tx_bytes", 0),
            keepalive=number("persistent_keepalive_interval", 0),
            has_preshared_key=self._has_preshared_key,
        )


def _base64(digits: str) -> str:
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise ValueError("not hexadecimal") from None
    if len(key) != 32:
        raise ValueError(f"a key of {len(key)} bytes")
    return b64encode(key).decode()


def _public_key(digits: str) -> str:
    try:
        private = bytes.fromhex(digits)
    except ValueError:
        raise ValueError("not hexadecimal") from None
    return b64encode(x25519.public_key(private)).decode()


def _endpoint(value: str) -> Endpoint:
    """``192.0.2.1:51820`` or ``[fe80::1%eth0]:51820``."""
    host, colon, port = value.rpartition(":")
    if not colon:
        raise ValueError(f"{value!r} is no endpoint")
    address, _, zone = host.removeprefix("[").removesuffix("]").partition("%")
    return Endpoint(parse_address(address), int(port), zone or None)
