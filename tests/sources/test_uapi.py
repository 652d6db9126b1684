"""Is what a userspace daemon's socket says understood, and is a broken one survived?"""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from wgtui.errors import FormatError
from wgtui.model.network import Link, LinkIndex
from wgtui.model.wireguard import Backend
from wgtui.sources import uapi, x25519
from wgtui.sources.uapi import read_devices
from wgtui.sources.uapi_answer import parse_device
from wgtui.sources.x25519 import public_key

TUN = Link(LinkIndex(7), "wg0", "tun", up=False)
ANSWER = """\
private_key=77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ac177fba51db92c2a
listen_port=51820
fwmark=51820
public_key=b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33
preshared_key=188515093e952f5f22e865cef3012e72f8b5f0b598ac0309d5dacce3b70fcf52
protocol_version=1
endpoint=[fe80::1%eth0]:51821
last_handshake_time_sec=1700000000
last_handshake_time_nsec=500000000
tx_bytes=38333
rx_bytes=2224
persistent_keepalive_interval=111
allowed_ip=192.168.4.4/32
allowed_ip=fd00::/64
public_key=58402e695ba1772b1cc9309755f043251ea77fdcf10fbe63989ceb7e19321376
preshared_key=0000000000000000000000000000000000000000000000000000000000000000
protocol_version=1
last_handshake_time_sec=0
last_handshake_time_nsec=0
tx_bytes=0
rx_bytes=0
persistent_keepalive_interval=0
a_key_of_next_year=7
errno=0

"""


def test_an_answer_is_read_whole() -> None:
    """Device and peers have what the lines say; what a peer does not have is None."""
    device = parse_device(TUN, ANSWER)
    assert (device.listen_port, device.fwmark, device.backend) == (51820, 51820, Backend.USERSPACE)
    quiet, busy = device.peers
    assert str(busy.endpoint) == "[fe80::1%eth0]:51821"
    assert [str(prefix) for prefix in busy.allowed_ips] == ["192.168.4.4/32", "fd00::/64"]
    assert busy.last_handshake == 1700000000.5
    assert (busy.received, busy.sent, busy.keepalive) == (2224, 38333, 111)
    assert busy.has_preshared_key
    assert (quiet.endpoint, quiet.last_handshake, quiet.has_preshared_key) == (None, None, False)


def test_keys_are_base64_and_peers_sorted_by_them() -> None:
    """wireguard-go tells peers in a new order each time; here it is always the same."""
    keys = [peer.public_key for peer in parse_device(TUN, ANSWER).peers]
    assert keys == sorted(keys)
    assert "uFmW/sycfx/G0lcqdu2hHVm80gvo5UOxXOS9hajnWjM=" in keys


def test_the_devices_own_key_is_the_public_one() -> None:
    """The daemon tells only its private key; what is kept is the public one (RFC 7748, 5.2)."""
    nine = bytes([9]) + bytes(31)
    public = bytes.fromhex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")
    assert public_key(nine) == public == public_key(nine)
    device = parse_device(TUN, f"private_key={nine.hex()}\nerrno=0\n\n")
    assert device.public_key == base64.b64encode(public).decode()


def test_what_was_computed_belongs_to_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key asked about again has the same public key, however many others came in between."""
    monkeypatch.setattr(x25519, "_MANY", 2)
    keys = [bytes([number]) * 32 for number in range(8, 40, 8)]
    first = [public_key(key) for key in keys]
    assert [public_key(key) for key in reversed(keys)] == first[::-1]
    assert len(set(first)) == len(keys)


def test_no_secret_is_kept() -> None:
    """Neither the private key nor the preshared key is anywhere in what was made."""
    said = repr(parse_device(TUN, ANSWER))
    for line in ANSWER.splitlines():
        key, _, value = line.partition("=")
        if key in ("private_key", "preshared_key"):
            assert value not in said
            assert base64.b64encode(bytes.fromhex(value)).decode() not in said


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "listen_port=51820\n",
        ANSWER.replace("errno=0\n\n", ""),
        ANSWER.replace("51821", "many"),
        ANSWER.replace("192.168.4.4/32", "192.168.4.4/33"),
        ANSWER.replace("b85996", "b859"),
        ANSWER.replace("private_key=7", "private_key=x"),
        "errno=-22\n\n",
        "what\nerrno=0\n\n",
    ],
)
def test_broken_answers_are_refused(answer: str) -> None:
    """An answer that breaks off or makes no sense is a FormatError, which never quotes a key."""
    with pytest.raises(FormatError) as refused:
        parse_device(TUN, answer)
    assert "7076d0a7318a" not in str(refused.value)


# ─── daemons ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of sockets instead of /run/wireguard."""
    monkeypatch.setattr(uapi, "DIRECTORIES", (str(tmp_path),))
    return tmp_path / "wg0.sock"


@contextmanager
def daemon(path: Path, answer: bytes | None) -> Iterator[None]:
    """Something that listens, and answers (None: never) with these bytes."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                assert client.recv(100) == b"get=1\n\n"
                client.sendall(answer or b"")

        if answer is not None:
            thread = threading.Thread(target=serve)
            thread.start()
            yield
            thread.join()
        else:
            yield


def test_a_daemon_is_asked(place: Path) -> None:
    """A tun link whose socket answers is a device."""
    with daemon(place, ANSWER.encode()):
        devices, gaps = read_devices([TUN])
    assert [device.name for device in devices] == ["wg0"]
    assert gaps == []


def test_other_links_are_nobodys_business(place: Path) -> None:
    """A link that is no tun, or has no socket, is neither a device nor a gap."""
    assert read_devices([TUN, Link(LinkIndex(8), "eth0")]) == ([], [])
    assert not place.exists()


def test_a_daemon_that_hangs_does_not_hang_us(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is a gap, soon."""
    monkeypatch.setattr(uapi, "PATIENCE", 0.1)
    with daemon(place, None):
        started = time.monotonic()
        devices, [gap] = read_devices([TUN])
    assert devices == []
    assert gap.link == TUN.index
    assert "does not answer" in gap.why
    assert time.monotonic() - started < 5


def test_an_answer_that_breaks_off_is_a_gap(place: Path) -> None:
    """A daemon that dies while it talks leaves a gap, not half a device."""
    with daemon(place, ANSWER.encode()[:300]):
        devices, [gap] = read_devices([TUN])
    assert devices == []
    assert "breaks off" in gap.why


def test_a_stale_socket_is_a_gap_and_stays(place: Path) -> None:
    """Nobody listens: that is said, and the socket is not unlinked (S-G31)."""
    with daemon(place, None):
        pass
    devices, [gap] = read_devices([TUN])
    assert devices == []
    assert "nobody listens" in gap.why
    assert place.is_socket()


def test_a_socket_of_another_namespace_is_not_claimed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What /proc/net/unix of this namespace does not list is somebody else's: it is not asked."""
    monkeypatch.setattr(uapi, "read_unix_paths", lambda: {"/somewhere/else.sock"})
    with daemon(place, None):
        devices, [gap] = read_devices([TUN])
    assert devices == []
    assert "another network namespace" in gap.why


def test_a_device_whose_port_is_open_elsewhere_is_not_claimed(place: Path) -> None:
    """A link that is up, and a daemon whose port nobody has open here, do not belong together."""
    answer = ANSWER.replace("listen_port=51820", "listen_port=1")
    with daemon(place, answer.encode()):
        devices, [gap] = read_devices([replace(TUN, up=True)])
    assert devices == []
    assert "another network namespace" in gap.why


def test_usual_peers_at_once_are_what_their_lines_say() -> None:
    """Peers as wireguard-go tells them are read in one go, any other line by line: a line that
    changes nothing makes the same peers, and errors name the same line."""
    usual = "".join(
        f"public_key={number:064x}\npreshared_key={number % 2:064x}\nprotocol_version=1\n"
        f"{f'endpoint=192.0.2.{number}:7{chr(10)}' if number % 3 else ''}"
        f"last_handshake_time_sec={number % 2}\nlast_handshake_time_nsec=5\ntx_bytes={number}\n"
        "rx_bytes=2\npersistent_keepalive_interval=25\n"
        + "".join(f"allowed_ip=10.{number}.{part}.7/24\n" for part in range(number % 4))
        for number in range(9)
    )
    link = Link(LinkIndex(7), "wg0")
    whole = parse_device(link, f"listen_port=7\n{usual}errno=0\n\n")
    lines = parse_device(link, f"listen_port=7\n{usual}errno=0\n\n".replace("\npre", "\nx=1\npre"))
    assert whole == lines
    assert [len(peer.allowed_ips) for peer in whole.peers] == [n % 4 for n in range(9)]
    for text in (usual, usual.replace("\npre", "\nx=1\npre")):
        broken = text.replace("10.7.1.7/24", "10.7.1.700/24")
        with pytest.raises(FormatError) as found:
            parse_device(link, f"{broken}errno=0\n\n")
        assert str(1 + broken[: broken.index("10.7.1.700")].count("\n")) in str(found.value)
