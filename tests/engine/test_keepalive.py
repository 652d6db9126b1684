"""A keepalive needs somebody to be sent to, and a key to be sent with (S-E43)."""

from dataclasses import replace

import pytest

from tests.engine.worlds import world
from wgtui.engine.checks import check
from wgtui.model.snapshot import Snapshot


def host(words: str) -> Snapshot:
    """A tunnel whose last handshake is an hour old."""
    made = world(
        "eth0 UP 192.0.2.10/24\nwg0 UNKNOWN 10.7.0.1/24",
        routes4="default via 192.0.2.1 dev eth0\n10.7.0.0/24 dev wg0",
        wireguard=f"wg0\npeer ANNA allowed-ips 10.7.0.2/32 {words}",
    )
    [device] = made.devices.values()
    [peer] = device.peers
    old = replace(peer, last_handshake=made.taken_at - 3600)
    return replace(made, devices={device.link: replace(device, peers=(old,))})


@pytest.mark.parametrize(
    ("words", "key", "stale"),
    [
        ("endpoint 203.0.113.4:51820 persistent-keepalive 25", True, True),
        ("endpoint 203.0.113.4:51820 persistent-keepalive 25", False, False),
        ("persistent-keepalive 25", True, False),
        ("endpoint 203.0.113.4:51820", True, False),
    ],
)
def test_an_old_handshake_is_a_fault_only_where_keepalives_are_sent(
    words: str, key: bool, stale: bool
) -> None:
    """Sent with an endpoint and a private key, they force a new handshake (S-E42, S-E43)."""
    snapshot = host(words)
    if not key:
        devices = {n: replace(one, public_key=None) for n, one in snapshot.devices.items()}
        snapshot = replace(snapshot, devices=devices)
    codes = {finding.code.value for finding in check(snapshot)}
    assert ("stale-handshake" in codes) is stale
