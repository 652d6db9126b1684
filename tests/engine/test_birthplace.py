"""Is the encrypted packet followed where the device was made, and nowhere else? (S-E20)

inside   wg0 (2, born outside)  10.0.0.0/8, peer FAR at 198.51.100.4
outside  wan (2)  192.0.2.10/24, default route; wg1 (3)
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, outcome, rules, world
from wgtui.model.snapshot import Hook, Snapshot
from wgtui.model.trace import Outcome
from wgtui.report.explain import explain
from wgtui.report.sentences import answer

INSIDE = "wg0 UNKNOWN 10.9.0.1/24"
DEVICE = """
wg0 listen-port 51820 born-in outside
peer FAR endpoint 198.51.100.4:51820 allowed-ips 10.0.0.0/8
"""
OUTSIDE = "wan UP 192.0.2.10/24\nwg1 UNKNOWN 10.8.0.1/24"
UPLINK = "default via 192.0.2.1 dev wan\n192.0.2.0/24 dev wan proto kernel src 192.0.2.10\n"


def moved(outside: Snapshot | None, device: str = DEVICE) -> Snapshot:
    """The namespace that the device was moved to, and the one it comes from where it was seen."""
    inside = world(INSIDE, routes4="10.0.0.0/8 dev wg0", wireguard=device)
    found = {} if outside is None else {"outside": replace(outside, namespace="outside")}
    return replace(inside, elsewhere=found)


def outside(more: str = "", wireguard: str = "wg1") -> Snapshot:
    """Where it was made."""
    return world(OUTSIDE, routes4=UPLINK + more, wireguard=wireguard)


def test_it_leaves_by_the_birthplaces_link() -> None:
    """Rules, routes and links of the other namespace decide, and the answer names it."""
    snapshot = moved(outside())
    trace = ask(snapshot, "10.1.1.1")
    assert trace.outcome is Outcome.ENCRYPTED
    first, *rest = (line.text for line in answer(snapshot, trace))
    assert first.endswith("encrypted to 198.51.100.4:51820 by wan in namespace outside.")
    assert "encrypted packet to 198.51.100.4:51820 in namespace outside: sent" in rest
    assert "default via 192.0.2.1 dev wan src 192.0.2.10" in rest
    why = [line.text for line in explain(snapshot, trace)]
    assert any("like any other in namespace outside, and leaves by wan" in text for text in why)
    assert any(text.startswith("ip -n outside route get 198.51.100.4") for text in why)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, "unknown/foreign-namespace"),
        (outside("prohibit 198.51.100.4"), "outer-failed"),
        (world("wan UP 192.0.2.10/24"), "outer-failed/no-rule-left"),
    ],
)
def test_what_stops_it_there_stops_it(there: Snapshot | None, expected: str) -> None:
    """And where the other namespace could not be seen, nothing is guessed."""
    assert outcome(moved(there), "10.1.1.1") == expected


def test_the_own_namespace_of_the_program_has_no_name() -> None:
    """ "" is a namespace like any other; nobody knowing which one it is, is something else."""
    snapshot = moved(outside())
    [device] = snapshot.devices.values()
    there = snapshot.elsewhere["outside"]
    ours = replace(device, birth_namespace="")
    found = replace(snapshot, devices={device.link: ours}, elsewhere={"": there})
    assert "in the namespace wgtui was started in." in answer(found, ask(found, "10.1.1.1"))[0].text
    nobody = replace(device, birth_namespace=None)
    lost = replace(found, devices={device.link: nobody})
    assert outcome(lost, "10.1.1.1") == "unknown/foreign-namespace"


def test_a_tunnel_with_the_same_number_and_peer_there_is_another_one() -> None:
    """Links of two namespaces share numbers: an onion is no loop (S-E17, S-E20)."""
    namesake = "wan listen-port 9\npeer FAR endpoint 192.0.2.7:51820 allowed-ips 198.51.100.4/32"
    there = world(
        "wan UNKNOWN 10.8.0.1/24\neth0 UP 192.0.2.10/24",
        routes4="198.51.100.4 dev wan\n192.0.2.0/24 dev eth0 proto kernel src 192.0.2.10",
        wireguard=namesake,
    )
    snapshot = moved(there)
    [here] = snapshot.devices.values()
    [other] = there.devices.values()
    assert (here.link, here.peers[0].public_key) == (other.link, other.peers[0].public_key)
    trace = ask(snapshot, "10.1.1.1")
    assert trace.outcome is Outcome.ENCRYPTED
    assert trace.outer is not None
    assert trace.outer.outcome is Outcome.ENCRYPTED


def test_a_loop_there_is_found() -> None:
    """wg1's own encrypted packet goes back into wg1 (S-E17)."""
    loop = "wg1\npeer NEAR endpoint 198.51.100.5:9 allowed-ips 198.51.100.0/24"
    assert outcome(moved(outside("198.51.100.0/24 dev wg1", loop)), "10.1.1.1") == "loop"


def test_from_there_it_is_followed_no_further() -> None:
    """A device there that comes from a third namespace (or from here) is unknown."""
    third = "wg1 born-in inside\npeer NEAR endpoint 198.51.100.5:9 allowed-ips 198.51.100.0/24"
    snapshot = moved(outside("198.51.100.0/24 dev wg1", third))
    assert outcome(snapshot, "10.1.1.1") == "unknown/foreign-namespace"


def test_the_encrypted_reply_meets_the_filter_there() -> None:
    """Modes, routes and chains of the birthplace, and its link's name in the answer (S-D1)."""
    marked = DEVICE.replace("51820 born-in", "51820 fwmark 0x5 born-in", 1)
    strict = "net.ipv4.conf.wan.rp_filter = 1\nnet.ipv4.conf.all.src_valid_mark = 1"
    there = world(
        OUTSIDE,
        routes4="default via 192.0.2.1 dev wan table 7\ndefault dev wg1\n"
        "192.0.2.0/24 dev wan proto kernel src 192.0.2.10\n",
        rules4=rules("100: from all fwmark 0x5 lookup 7"),
        wireguard="wg1",
        sysctls=strict,
    )
    snapshot = moved(there, marked)
    trace = ask(snapshot, "10.1.1.1")
    [entrance] = trace.back
    assert entrance.outcome.value == "rpf-dropped"
    texts = [line.text for line in answer(snapshot, trace) if line.label == "back"]
    assert "on wan" in texts[0]
    restoring = Hook("ip", "t", "pre", "prerouting", does=frozenset({"restore-mark"}))
    [entrance] = ask(moved(replace(there, hooks=(restoring,)), marked), "10.1.1.1").back
    assert entrance.outcome.value == "accepted"


def test_only_packets_of_this_namespace_light_up_its_rows() -> None:
    """Rows of the panes are this namespace's: what happens elsewhere is not shown on them."""
    assert list(ask(moved(outside()), "10.1.1.1").outers_here) == []
    home = DEVICE.replace(" born-in outside", "")
    inside = world(INSIDE, routes4="10.0.0.0/8 dev wg0\n198.51.100.4 dev wg0", wireguard=home)
    trace = ask(inside, "10.1.1.1")
    assert list(trace.outers_here) == [trace.outer]
