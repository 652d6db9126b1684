"""Who owns an address on a device, and whom do the words mean (S-E1)?"""

from __future__ import annotations

import pytest

from tests.engine.worlds import world
from wgtui.engine.cryptokey import find_peer, owner_step
from wgtui.errors import QueryError
from wgtui.model.prefix import parse_address
from wgtui.model.wireguard import Device

PEERS = """
wg0
peer ANNA allowed-ips 10.7.0.2/32,10.20.0.0/16,fd20::/16
peer ANNE allowed-ips 10.20.5.0/24
peer BERT allowed-ips 0.0.0.0/0
"""


@pytest.fixture
def device() -> Device:
    """Three peers whose prefixes nest; two of their keys begin alike."""
    snapshot = world("wg0 UP 10.7.0.1/24", wireguard=PEERS)
    return snapshot.devices[snapshot.links_by_name["wg0"].index]


def test_the_owner_comes_first_then_who_lost_by_length(device: Device) -> None:
    """Longest prefix first; positions name the peers (S-E1)."""
    step = owner_step(device, 4, int(parse_address("10.20.5.1")))
    assert step.owner is not None
    owners = [(one.peer.label, one.peer_position) for one in (step.owner, *step.lost)]
    assert owners == [("ANNE", 1), ("ANNA", 0), ("BERT", 2)]


def test_each_family_has_its_own_tree(device: Device) -> None:
    """0.0.0.0/0 owns no IPv6 address (S-E1)."""
    assert owner_step(device, 6, int(parse_address("fd99::1"))).owner is None
    assert owner_step(device, 4, int(parse_address("99.9.9.9"))).owner is not None


def test_a_peer_is_meant_by_name_key_or_the_beginning_of_its_key(device: Device) -> None:
    """Whatever is unambiguous (contract §2)."""
    anna, _, bert = device.peers
    assert find_peer(device, "ANNA") is anna
    assert find_peer(device, bert.public_key) is bert
    assert find_peer(device, bert.public_key[:5]) is bert


@pytest.mark.parametrize(("words", "problem"), [("ANN", "several"), ("CARL", "no peer")])
def test_words_that_mean_nobody_or_several_are_refused(
    device: Device, words: str, problem: str
) -> None:
    """The error names the words (contract §2)."""
    with pytest.raises(QueryError, match=problem) as caught:
        find_peer(device, words)
    assert words in caught.value.problem
