"""What may be kept of the findings while only counters, handshakes and the time move on?"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from netaddr import IPAddress

from tests.scenario import read_host_of
from wgtui.engine.checks import CHECKS, OF_THE_MOMENT, check, each, in_order
from wgtui.engine.checks.same_ground import same_ground
from wgtui.model.network import Counters
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Endpoint

HOSTS = sorted(Path(__file__).parent.glob("*/*.toml"))


def moved_on(snapshot: Snapshot, seconds: float) -> Snapshot:
    """The host later: all that is counted has risen, and every other peer was met anew, or for the
    first time."""
    now = snapshot.taken_at + seconds
    links = {
        index: replace(link, counters=Counters(*range(1, len(Counters.__match_args__) + 1)))
        for index, link in snapshot.links.items()
    }
    devices = {
        index: replace(
            device,
            peers=tuple(
                replace(
                    peer,
                    sent=peer.sent + 148,
                    received=peer.received + 92,
                    last_handshake=now if number % 2 else None,
                )
                for number, peer in enumerate(device.peers)
            ),
        )
        for index, device in snapshot.devices.items()
    }
    return replace(snapshot, taken_at=now, links=links, devices=devices)


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_what_does_not_depend_on_the_moment_says_the_same_later(path: Path) -> None:
    """Every check that is not looked through again, on every host there is a mistake of."""
    before = read_host_of(path, tomllib.loads(path.read_text(encoding="utf-8"))["host"])
    after = moved_on(before, 1000)
    assert same_ground(before, after)
    known = each(before)
    for one, kept, anew in zip(CHECKS, known, each(after, before), strict=True):
        assert one in OF_THE_MOMENT or kept == anew, one.__name__
    assert in_order(each(after, before, known=known)) == check(after, before)


@pytest.mark.parametrize("path", HOSTS[:1])
def test_anything_else_is_other_ground(path: Path) -> None:
    """An endpoint, an entry, a link that is down, a rule, a gap."""
    host = read_host_of(path, tomllib.loads(path.read_text(encoding="utf-8"))["host"])
    [(at, device)] = host.devices.items()
    peer, *rest = device.peers
    link = host.links[at]

    def other(**more: object) -> Snapshot:
        changed = replace(device, peers=(replace(peer, **more), *rest))  # type: ignore[arg-type]
        return replace(host, devices={at: changed})

    for after in (
        other(endpoint=Endpoint(IPAddress("192.0.2.250"), 1)),
        other(allowed_ips=peer.allowed_ips[1:]),
        other(label=f"{peer.label}x"),
        replace(host, devices={at: replace(device, peers=tuple(rest))}),
        replace(host, devices={}),
        replace(host, links=dict(host.links) | {at: replace(link, up=not link.up)}),
        replace(host, rules={}),
        replace(host, routes={}),
        replace(host, events_lost=1),
    ):
        assert after != host
        assert not same_ground(host, after)
