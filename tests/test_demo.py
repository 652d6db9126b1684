"""Does the invented host show one of everything?"""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wgtui.engine.checks import check
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.prefix import FAMILIES
from wgtui.model.trace import Outcome
from wgtui.report.finding_names import who_text
from wgtui.sources import open_source
from wgtui.sources.demo import TOUR, DemoSource

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("flow", "outcome", "why"), TOUR, ids=[flow for flow, _, _ in TOUR])
def test_every_stop_of_the_tour_ends_as_announced(flow: str, outcome: str, why: str) -> None:
    """The demo's questions get the outcomes that its tour promises."""
    assert lookup(DemoSource().read(), Flow.parse(flow)).outcome.value == outcome, why


def test_the_tour_shows_every_outcome() -> None:
    """No outcome code of the contract is missing from the tour, and none is invented."""
    assert {outcome for _, outcome, _ in TOUR} == {outcome.value for outcome in Outcome}


def test_the_demo_is_wg_quick_down_to_the_rules() -> None:
    """The full tunnel has the two rules, the mark and the table that wg-quick makes (S-F3)."""
    snapshot = DemoSource().read()
    wg0 = snapshot.devices[snapshot.links_by_name["wg0"].index]
    assert wg0.fwmark == 51820
    for family in FAMILIES:
        by_priority = {rule.priority: rule for rule in snapshot.rules[family]}
        assert (by_priority[32764].table, by_priority[32764].suppress_prefix_length) == (254, 0)
        tunnel = by_priority[32765]
        assert tunnel.selector.inverted
        assert tunnel.selector.mark is not None
        assert (tunnel.selector.mark.value, tunnel.table) == (51820, 51820)


def test_the_demo_keys_are_well_formed_and_begin_with_the_name() -> None:
    """A key is 32 bytes in canonical base64, and a person recognises whose it is."""
    for device in DemoSource().read().devices.values():
        for peer in device.peers:
            raw = base64.b64decode(peer.public_key, validate=True)
            assert len(raw) == 32
            assert base64.b64encode(raw).decode() == peer.public_key
            assert peer.public_key.startswith(peer.name)


def test_the_demo_knows_every_sysctl_of_every_link() -> None:
    """No lookup in the demo has to say that a sysctl could not be seen."""
    snapshot = DemoSource().read()
    for name in ("all", "default", *snapshot.links_by_name):
        for key in ("rp_filter", "forwarding", "src_valid_mark", "accept_local", "route_localnet"):
            assert snapshot.conf(4, name, key) is not None
        assert snapshot.conf(6, name, "forwarding") is not None


def test_the_demo_stands_still() -> None:
    """The moment is fixed, a refresh brings the same snapshot, and there is no kernel to ask."""
    source = open_source("demo")
    snapshot = source.read()
    assert (source.spec, source.live, snapshot.host) == ("demo", False, "edge-1")
    assert snapshot.taken_at == 1795341600.0
    assert source.refresh(snapshot, 0.0) is snapshot
    assert source.ask(Flow.parse("10.0.0.1")) is None
    source.close()
    source.close()


def test_a_waiting_demo_can_be_woken() -> None:
    """Quitting never has to wait for the refresh interval."""
    source = DemoSource()
    begun = time.monotonic()
    threading.Timer(0.05, source.wake).start()
    source.refresh(source.read(), 30.0)
    assert time.monotonic() - begun < 10.0


def test_the_demo_needs_neither_pyroute2_nor_textual() -> None:
    """A first look costs no slow import and works where nothing is installed but netaddr."""
    program = (
        "import sys; from wgtui.sources import open_source; open_source('demo').read();"
        "slow = {'pyroute2', 'textual', 'rich', 'subprocess'} & set(sys.modules);"
        "sys.exit(', '.join(slow) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_the_demo_has_one_of_every_mistake_that_a_file_can_show() -> None:
    """What ``wgtui check --demo`` finds, in its order: all that the tour and the pictures show."""
    found = check(DemoSource().read())
    assert [f"{one.severity.value} {one.code.value} {who_text(one)}" for one in found] == [
        "error own-key-peer wg1  wg1  10.20.0.11/32",
        "error moved-prefix wg1  ams2  10.31.0.0/24",
        "error moved-prefix wg1  par6  10.33.0.0/24",
        "error same-prefix-in-config wg1  par6  10.33.0.0/24",
        "error endpoint-loop wg1  osl4",
        "warning ownerless-route wg1  10.44.0.0/16",
        "warning ownerless-route wg1  2001:db8:44::/48",
        "warning unrouted-prefix wg1  bru5  172.30.7.0/24",
        "warning unrouted-prefix wg1  bru5  fd72:7::/48",
        "warning rp-filter wg1  bru5  172.30.7.0/24",
        "warning forwarding-off wg0",
        "warning shadowed-prefix wg1  ams2  10.37.0.0/24",
        "warning ignored-gateway wg1  lon3  10.35.0.0/16",
        "warning host-bits wg1  lon3  10.30.5.0/24",
        "warning no-handshake wg1  osl4",
        "warning stale-handshake wg1  par6",
        "info duplicate-route 192.168.40.0/24",
        "info mtu wg1  ams2",
        "info asymmetric wg1  bru5  fd72:7::/48",
        "info endpoint-via-tunnel wg1  ams2",
        "info no-endpoint wg1  laptop",
        "info overlap wg1  ams2  10.30.0.0/16",
        "info overlap wg1  lon3  10.30.5.0/24",
        "info overlap wg1  ams2  fd30::/48",
    ]
