"""Counters and handshakes beside the verdict say what they prove, and no more."""

from dataclasses import replace
from typing import Any

import pytest

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import Counters
from wgtui.model.snapshot import Snapshot
from wgtui.report.evidence import evidence
from wgtui.report.line import Tone
from wgtui.sources.demo import DemoSource

DEMO = DemoSource().read()


def told(flow: str, snapshot: Snapshot = DEMO, previous: Snapshot | None = None) -> list[str]:
    """The lines of evidence for a flow, as text."""
    trace = lookup(snapshot, Flow.parse(flow))
    return [line.text for line in evidence(snapshot, trace, previous)]


def changed(peer: str, **fields: Any) -> Snapshot:
    """The demo with other facts of one peer."""
    devices = {
        index: replace(
            device,
            peers=tuple(
                replace(one, **fields) if one.label == peer else one for one in device.peers
            ),
        )
        for index, device in DEMO.devices.items()
    }
    return replace(DEMO, devices=devices)


def counted(link: str, **counters: int) -> Snapshot:
    """The demo with other counters of one link."""
    index = DEMO.links_by_name[link].index
    links = {**DEMO.links, index: replace(DEMO.links[index], counters=Counters(**counters))}
    return replace(DEMO, links=links)


@pytest.mark.parametrize(
    ("ago", "keepalive", "sent", "words"),
    [
        (41, 0, 9, "41s ago: the session is usable"),
        (150, 25, 9, "late for one with PersistentKeepalive"),
        (400, 0, 9, "no usable session, normal when idle"),
        (400, 25, 9, "does not answer any more"),
        (None, 0, 4096, "has never answered: 4.0 KiB sent"),
        (None, 0, 0, "nothing sent"),
    ],
)
def test_a_handshake_is_read_by_age_keepalive_and_traffic(
    ago: int | None, keepalive: int, sent: int, words: str
) -> None:
    """180 s is usable, older is normal when idle and broken with keepalive (S-E42)."""
    when = None if ago is None else DEMO.taken_at - ago
    snapshot = changed("lon3", last_handshake=when, keepalive=keepalive, sent=sent)
    [line] = told("10.30.5.1", snapshot)
    assert words in line
    assert "lon3" in line


def test_a_peer_without_endpoint_has_no_handshake_to_speak_of() -> None:
    """The verdict says already that nobody knows where it is; only the counter is evidence."""
    lines = told("10.20.0.50", counted("wg1", tx_errors=7))
    assert lines == [
        "wg1 has counted 7 tx_errors: packets refused for want of a peer or an endpoint"
    ]


def test_a_rising_counter_is_told_from_an_old_one() -> None:
    """With the snapshot before, what is happening right now stands out (S-E10)."""
    before, now = counted("wg1", tx_errors=7), counted("wg1", tx_errors=9)
    [line] = told("10.44.0.1", now, before)
    assert line.startswith("wg1 has counted 9 tx_errors, 2 more just now")
    trace = lookup(now, Flow.parse("10.44.0.1"))
    assert [line.tone for line in evidence(now, trace, before)] == [Tone.BAD]
    assert [line.tone for line in evidence(now, trace, now)] == [Tone.NOTE]


def test_a_foreign_source_shows_in_frame_errors() -> None:
    """What is dropped after decryption raises rx_frame_errors (S-E31)."""
    flow = "192.168.10.20 from 10.30.5.7 iif wg1 peer ams2"
    [line] = told(flow, counted("wg1", rx_frame_errors=3))
    assert line == "wg1 has counted 3 rx_frame_errors: decrypted packets dropped for their source"
    [none] = told(flow, counted("wg1"))
    assert none == "wg1 has counted no rx_frame_errors: it has not happened yet"


def test_userspace_counts_no_such_errors() -> None:
    """wireguard-go drops without counting there, so its zeros prove nothing (S-E12)."""
    from wgtui.model.wireguard import Backend

    devices = {
        index: replace(device, backend=Backend.USERSPACE) for index, device in DEMO.devices.items()
    }
    assert told("10.44.0.1", replace(DEMO, devices=devices)) == []
