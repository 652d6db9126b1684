"""Ten thousand peers with four AllowedIPs each: read, merged, and whose is which address."""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.table import Row, at_most
from tests.kernel.hosts import Host, Kind, Network, missing

_RUNS: Final = 5
_PEERS: Final = 10_000
_READ: Final = """
import json, sys, time
from wgtui.model.network import Link, LinkIndex
from wgtui.sources.devices import read_devices
link = Link(LinkIndex(int(sys.argv[1])), "wg0", kind=sys.argv[2])
started = time.perf_counter()
devices, gaps = read_devices({link.index: link}, {})
device = devices[link.index]
assert not gaps and len(device.peers) == 10_000 and len(device.owners.tree(4)) == 40_000
print(json.dumps(time.perf_counter() - started))
"""


def rows() -> Iterator[Row]:
    """The kernel's own where there is one (the lab), otherwise wireguard-go."""
    for kind in (Kind.USERSPACE if missing("wireguard") else Kind.KERNEL,):
        with Network() as network:
            host = network.host("hub")
            device = host.wireguard("wg0", kind)
            with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
                file.writelines(_configuration())
                file.flush()
                host.run("wg", "addconf", device.name, file.name)
            [link] = host.ip_json("-d", "link", "show", device.name)
            yield _reading(host, link, kind)


def _configuration() -> Iterator[str]:
    for number in range(_PEERS):
        allowed = ", ".join(f"10.{number >> 6}.{(number & 63) << 2 | n}.0/24" for n in range(4))
        key = b64encode(secrets.token_bytes(32)).decode()
        endpoint = f"198.51.{number >> 8 & 255}.{number & 255}:51820"
        yield f"[Peer]\nPublicKey = {key}\nAllowedIPs = {allowed}\nEndpoint = {endpoint}\n"


def _reading(host: Host, link: dict[str, Any], kind: Kind) -> Row:
    what = link["linkinfo"]["info_kind"]
    words = [sys.executable, "-c", _READ, str(link["ifindex"]), what]

    def show() -> float:
        started = time.perf_counter()
        subprocess.run(["wg", "show", "all", "dump"], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - started

    def look() -> float:
        there = Path(__file__).parents[1]
        answer = subprocess.run(words, cwd=there, capture_output=True, check=True).stdout
        return float(json.loads(answer))

    shown, read = [], []
    for _ in range(_RUNS):
        shown.append(host.inside(show))
        read.append(host.inside(look))
    return at_most(
        f"{_PEERS:,} peers with 4 AllowedIPs ({kind.value}): read, merged, indexed",
        statistics.median(read),
        2 * statistics.median(shown),
        "s",
        f"median of {_RUNS} `read_devices` and `Device.owners`, each in a process of its own",
        "twice `wg show all dump` to a null device",
    )
