"""Is what the kernel says of a WireGuard device understood, whole, and without its secrets?

data/wireguard.netlink.gz is what Linux 6.12 sent about a device with four peers, one of which has
1300 AllowedIPs and so came in three pieces; data/wireguard.dump is what `wg show wg0 dump` said of
the same. Its private key is 0x55…, its preshared key 0x66….
"""

import gzip
import random
import struct
from collections.abc import Iterable
from pathlib import Path

import pytest

from wgtui.errors import FormatError
from wgtui.model.network import Link, LinkIndex, Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import Device
from wgtui.sources.nlsocket import HEADER, NetlinkError, attribute, messages
from wgtui.sources.wg_dump import DeviceDump

DATA = Path(__file__).parent / "data"
WG0 = Link(LinkIndex(2), "wg0", "wireguard")
ZONES = {LinkIndex(1): "lo"}
ENDPOINT = 4


def recorded() -> bytes:
    """The answer of a real kernel."""
    return gzip.decompress((DATA / "wireguard.netlink.gz").read_bytes())


def parse(chunks: Iterable[bytes]) -> Device:
    """The device that the answer is about."""
    dump = DeviceDump(WG0, ZONES)
    for chunk in chunks:
        if dump.feed(chunk):
            break
    return dump.device()


def message(peers: bytes, flags: int = 2) -> bytes:
    """One message of a dump, about peers only."""
    body = struct.pack("=BBxx", 0, 1) + attribute(8, peers)
    return HEADER.pack(HEADER.size + len(body), 30, flags, 1, 0) + body


def peer(number: int, *attributes: bytes) -> bytes:
    """A nested peer."""
    return attribute(0, attribute(1, bytes([number]) * 32) + b"".join(attributes))


def allowed(*prefixes: str) -> bytes:
    """WGPEER_A_ALLOWEDIPS."""
    nests = b""
    for text in prefixes:
        prefix = Prefix.parse(text)
        family, size = (2, 4) if prefix.family == 4 else (10, 16)
        nests += attribute(
            0,
            attribute(1, struct.pack("=H", family))
            + attribute(2, prefix.network.to_bytes(size, "big"))
            + attribute(3, bytes([prefix.length])),
        )
    return attribute(9, nests)


def test_the_recorded_device_is_what_wg_shows() -> None:
    """Key, port, mark and every field of every peer equal `wg show dump`."""
    device = parse([recorded()])
    first, *rest = [line.split("\t") for line in (DATA / "wireguard.dump").read_text().splitlines()]
    assert device.public_key == first[1]
    assert str(device.listen_port) == first[2]
    assert device.fwmark == Mark(0xCA6C)
    assert len(device.peers) == len(rest) == 4
    for found, line in zip(device.peers, rest, strict=True):
        assert found.public_key == line[0]
        assert found.has_preshared_key == (line[1] != "(none)")
        assert str(found.endpoint or "(none)") == line[2]
        assert ",".join(map(str, found.allowed_ips)) or line[3] == "(none)"
        assert (found.last_handshake or 0) == int(line[4])
        assert (found.received, found.sent) == (int(line[5]), int(line[6]))
        assert found.keepalive == (0 if line[7] == "off" else int(line[7]))


def test_a_split_peer_is_one_again() -> None:
    """The peer whose AllowedIPs came in three messages has all 1300 of them, in order."""
    device = parse([recorded()])
    assert [len(found.allowed_ips) for found in device.peers] == [2, 1300, 2, 0]


def test_unusual_layouts_are_understood() -> None:
    """Allowed IPs whose parts come in another order than the kernel's are read all the same."""
    chunk = message(peer(1, allowed("10.0.0.0/8", "fd00::/8")))
    assert [str(prefix) for prefix in parse([chunk]).peers[0].allowed_ips] == [
        "10.0.0.0/8",
        "fd00::/8",
    ]


def test_only_neighbours_are_joined() -> None:
    """A key that comes again in the next entry goes on with it; its other fields are not there."""
    chunk = message(peer(1, allowed("10.0.0.0/8"))) + message(
        peer(1, allowed("11.0.0.0/8")) + peer(2, allowed("fd00::/8"))
    )
    found = parse([chunk]).peers
    assert [list(map(str, entry.allowed_ips)) for entry in found] == [
        ["10.0.0.0/8", "11.0.0.0/8"],
        ["fd00::/8"],
    ]


def test_no_secret_is_kept() -> None:
    """Nothing that was made holds the private or the preshared key, in any spelling."""
    assert b"\x55" * 32 in recorded()
    said = repr(parse([recorded()]))
    for secret in ("VVVVVVVV", "ZmZmZmZm", "55555555", "66666666", "UUUUUUUU", "ffffffff"):
        assert secret not in said


def test_a_scope_is_in_the_byte_order_of_the_host() -> None:
    """The zone of a link-local endpoint is the link's name, or its number when it has none."""

    def zone(scope: int) -> str | None:
        address = bytes.fromhex("fe80") + bytes(13) + b"\1"
        sockaddr = struct.pack("=H", 10) + struct.pack(">HI", 51820, 0) + address
        chunk = message(peer(1, attribute(ENDPOINT, sockaddr + struct.pack("=I", scope))))
        endpoint = parse([chunk]).peers[0].endpoint
        assert endpoint is not None
        return endpoint.zone

    assert [zone(1), zone(7), zone(0)] == ["lo", "7", None]


def test_an_interruption_is_noticed() -> None:
    """NLM_F_DUMP_INTR on any message says that the pieces may not belong together."""
    dump = DeviceDump(WG0, ZONES)
    dump.feed(message(peer(1)))
    assert not dump.interrupted
    dump.feed(message(peer(1), flags=0x12))
    assert dump.interrupted


def test_truncated_answers_are_refused() -> None:
    """Bytes that end in the middle of a message are a FormatError."""
    data = recorded()
    whole = {0, *(end for _, _, _, end in messages(data))}
    for length in range(0, len(data), 61):
        if length not in whole:
            with pytest.raises(FormatError):
                parse([data[:length]])


def test_garbage_is_refused_or_read_but_never_a_crash() -> None:
    """Flipped bytes give another device or a FormatError (or what a netlink error says)."""
    first = recorded()[:4000]
    data = first[: HEADER.unpack_from(first)[0]]
    dice = random.Random(3)
    for _ in range(1000):
        broken = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            parse([bytes(broken)])
        except (FormatError, NetlinkError):
            continue
