"""How does a namespace get a million routes in seconds? Raw messages, many in one send, no answers.

The prefixes look like the internet's: most are /24, the rest /8 … /32, some inside others. The same
seed gives the same ones.
"""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Final, Literal, TypeAlias

from tests.kernel.hosts import Host

Family: TypeAlias = Literal[4, 6]
Prefix: TypeAlias = tuple[int, int]
"""Network and length."""

NEWROUTE, DELROUTE = 24, 25
REQUEST, REPLACE, EXCL, CREATE, APPEND = 0x01, 0x100, 0x200, 0x400, 0x800
GATEWAYS: Final = 200
"""Neighbours on eth0 that the routes lead to."""
_METRIC: Final = 100
_MAIN: Final = 254
_AT_ONCE: Final = 64
"""Messages in one send."""
_LENGTHS4: Final = (*range(8, 24), *[22] * 10, *[23] * 8, *[24] * 58, *range(25, 33))
_LENGTHS6: Final = (*range(19, 48), *[32] * 20, *[40] * 10, *[48] * 60, 64, 128)


def prefixes(family: Family, count: int, seed: int = 1) -> list[Prefix]:
    """Different prefixes in no order; few are shorter than /16 (or /32)."""
    dice = random.Random(seed)
    bits, lengths = (32, _LENGTHS4) if family == 4 else (128, _LENGTHS6)
    found: dict[Prefix, None] = {}
    while len(found) < count:
        length = dice.choice(lengths)
        if family == 4:
            network = dice.randrange(1 << 24, 224 << 24)
            if network >> 24 in (10, 127) or (length < 16 and dice.random() < 0.9):
                continue
        else:
            network = 0x2 << 124 | dice.getrandbits(36) << 88 | dice.getrandbits(88)
        found[network >> bits - length << bits - length, length] = None
    return list(found)


def prepare(host: Host) -> int:
    """eth0 with an address of each family and a wide net of neighbours; its index."""
    host.ip(
        "link add eth0 type veth peer name peer0",
        "link set eth0 up",
        "link set peer0 up",
        "address add 10.9.0.1/16 dev eth0",
        "address add fd09::1/64 dev eth0",
    )
    [link] = host.ip_json("link", "show", "eth0")
    return int(link["ifindex"])


def message(
    family: Family,
    prefix: Prefix,
    link: int,
    gateway: int,
    flags: int = CREATE,
) -> bytes:
    """One request: a route by the ``gateway``-th neighbour on a link."""
    number, size, base = (2, 4, 10 << 24 | 9 << 16) if family == 4 else (10, 16, 0xFD09 << 112)
    network, length = prefix
    via = (base + 2 + gateway % GATEWAYS).to_bytes(size, "big")
    body = struct.pack(
        f"=BBBBBBBBI HH{size}s HH{size}s HHI HHI HHI",
        *(number, length, 0, 0, 0, 4, 0, 1, 0),
        *(4 + size, 1, network.to_bytes(size, "big")),
        *(4 + size, 5, via),
        *(8, 4, link),
        *(8, 6, _METRIC),
        *(8, 15, _MAIN),
    )
    return struct.pack("=IHHII", 16 + len(body), NEWROUTE, REQUEST | flags, 0, 0) + body


def deletion(family: Family, prefix: Prefix) -> bytes:
    """One request: away with it."""
    number, size = (2, 4) if family == 4 else (10, 16)
    network, length = prefix
    body = struct.pack(
        f"=BBBBBBBBI HH{size}s HHI HHI",
        *(number, length, 0, 0, 0, 0, 255, 0, 0),  # RT_SCOPE_NOWHERE: of any scope
        *(4 + size, 1, network.to_bytes(size, "big")),
        *(8, 6, _METRIC),
        *(8, 15, _MAIN),
    )
    return struct.pack("=IHHII", 16 + len(body), DELROUTE, REQUEST, 0, 0) + body


def fill(host: Host, family: Family, chosen: Sequence[Prefix], link: int, seed: int = 1) -> None:
    """Add a route to each of the prefixes, by random neighbours."""
    dice = random.Random(seed)
    with closing(route_socket(host)) as sock:
        send(sock, (message(family, one, link, dice.randrange(GATEWAYS)) for one in chosen))


def route_socket(host: Host) -> socket.socket:
    """A netlink socket on that host, to be sent requests that nobody answers."""

    def make() -> socket.socket:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sock.bind((0, 0))
        return sock

    return host.inside(make)


def send(sock: socket.socket, messages: Iterable[bytes]) -> None:
    """Send requests, and see to it that none of them was refused."""
    for batch in _batches(messages):
        sock.send(batch)
        _no_refusal(sock)


def _batches(messages: Iterable[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    for one in messages:
        batch.append(one)
        if len(batch) == _AT_ONCE:
            yield b"".join(batch)
            batch.clear()
    if batch:
        yield b"".join(batch)


def _no_refusal(sock: socket.socket) -> None:
    """Without NLM_F_ACK the kernel answers errors alone, before ``send`` returns."""
    try:
        answer = sock.recv(1 << 16, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    raise OSError(-struct.unpack_from("=i", answer, 16)[0], "a route was refused")


def churn(
    sock: socket.socket,
    family: Family,
    chosen: Sequence[Prefix],
    link: int,
    count: int,
    seed: int = 1,
) -> None:
    """``count`` changes of routes that ``fill`` made: another neighbour, or gone and back again."""
    dice = random.Random(seed)

    def changes() -> Iterator[bytes]:
        made = 0
        while made < count:
            prefix, gateway = dice.choice(chosen), dice.randrange(GATEWAYS)
            if dice.random() < 0.5 or made + 1 == count:
                yield message(family, prefix, link, gateway, flags=CREATE | REPLACE)
                made += 1
            else:
                yield deletion(family, prefix)
                yield message(family, prefix, link, gateway)
                made += 2

    send(sock, changes())
