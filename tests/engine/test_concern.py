"""Which of many findings concern a packet: the same as asking each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wgtui.engine.checks import check
from wgtui.engine.checks.concern import Concerns
from wgtui.engine.lookup import lookup
from wgtui.model.finding import Finding
from wgtui.model.flow import Flow
from wgtui.model.prefix import Prefix
from wgtui.sources.demo import DemoSource

FLOWS = ("10.30.5.9", "10.31.0.7", "10.44.0.1", "8.8.8.8", "fd00::1", "192.0.2.1")


@pytest.mark.parametrize("text", FLOWS)
def test_findings_of_prefixes_are_those_that_hold_the_destination(text: str) -> None:
    """Of every length, in their order, against asking one after the other."""
    snapshot = DemoSource().read()
    trace = lookup(snapshot, Flow.parse(text))
    pattern, value = check(snapshot)[0], int(trace.flow.destination)
    family = 4 if trace.flow.destination.version == 4 else 6
    findings: list[Finding] = [
        replace(pattern, prefix=Prefix.of(of, value ^ flipped, length))
        for length in range(32, -1, -3)
        for flipped in (0, 1 << 6, 1 << 29)
        for of in (4, 6)
        if of == family or value < 1 << 32
    ]
    expected = [
        number
        for number, finding in enumerate(findings)
        if finding.prefix is not None
        and finding.prefix.family == family
        and finding.prefix.covers(value)
    ]
    assert Concerns(findings).numbers(snapshot, trace) == expected
    assert expected


def test_findings_of_peers_and_devices_are_those_on_the_way() -> None:
    """Without a prefix the peer counts; without a peer, the device."""
    snapshot = DemoSource().read()
    trace = lookup(snapshot, Flow.parse("10.30.5.9"))
    assert trace.ownership is not None
    assert trace.ownership.owner is not None
    owner = trace.ownership.owner
    pattern = next(one for one in check(snapshot) if one.peer is not None)
    assert pattern.peer is not None
    own = pattern.peer._replace(public_key=owner.peer.public_key)
    other = pattern.peer._replace(public_key="B" * 43 + "=")
    findings = [
        replace(pattern, prefix=None, peer=other, device=owner.device.name),
        replace(pattern, prefix=None, peer=own, device=None),
        replace(pattern, prefix=None, peer=None, device="elsewhere0"),
        replace(pattern, prefix=None, peer=None, device=owner.device.name),
        replace(pattern, prefix=None, peer=None, device=None),
    ]
    assert Concerns(findings).of(snapshot, trace) == (findings[1], findings[3])
