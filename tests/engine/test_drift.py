"""Does what a device has, beside what was meant, show every difference and no imagined one?"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from wgtui.engine.drift import drift
from wgtui.model.drift import DeviceDrift, EntryState, Likeness, PeerDrift, Presence
from wgtui.model.network import LinkIndex, Mark
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device, DeviceConfig, Peer, PeerConfig, Program
from wgtui.sources.shorthand import HostLines, read_host
from wgtui.sources.shorthand_wireguard import vanity_key

WG0 = "wg0 UNKNOWN 10.8.0.1/24"


def host(wireguard: str, meant: str, links: str = WG0) -> Snapshot:
    """A host with these devices and these configurations."""
    return read_host(HostLines(links=links, wireguard=wireguard, meant=meant))


def only(snapshot: Snapshot) -> DeviceDrift:
    """Its one device."""
    [found] = drift(snapshot)
    return found


def peer(found: DeviceDrift, name: str) -> PeerDrift:
    """The peer of that name."""
    [one] = [one for one in found.peers if one.public_key == vanity_key(name)]
    return one


def states(found: PeerDrift) -> dict[str, EntryState]:
    """What became of each prefix."""
    return {str(entry.prefix): entry.state for entry in found.entries}


def test_a_device_that_is_as_meant_has_not_drifted() -> None:
    """Everything is said, and everything is so."""
    found = only(
        host(
            "wg0 listen-port 51820 fwmark 0x5\n"
            " peer A endpoint 192.0.2.7:51820 allowed-ips 10.1.0.0/16 persistent-keepalive 25",
            "wg0 listen-port 51820 fwmark 0x5\n"
            " peer A endpoint 192.0.2.7:51820 allowed-ips 10.1.0.9/16 persistent-keepalive 25",
        )
    )
    assert not found.drifted
    assert (found.listen_port, found.fwmark) == (Likeness.SAME, Likeness.SAME)
    [entry] = peer(found, "A").entries
    assert (entry.state, entry.written, entry.owner) == (EntryState.SAME, "10.1.0.9/16", 0)


def test_each_prefix_is_there_missing_extra_or_moved() -> None:
    """Moved is told from missing by who has it now (S-E2)."""
    found = only(
        host(
            "wg0\n peer A allowed-ips 10.1.0.0/16,10.9.0.0/16\n peer B allowed-ips 10.2.0.0/16",
            "wg0\n peer A allowed-ips 10.1.0.0/16,10.2.0.0/16,10.3.0.0/16\n peer B",
        )
    )
    assert states(peer(found, "A")) == {
        "10.1.0.0/16": EntryState.SAME,
        "10.2.0.0/16": EntryState.MOVED,
        "10.3.0.0/16": EntryState.MISSING,
        "10.9.0.0/16": EntryState.EXTRA,
    }
    assert states(peer(found, "B")) == {"10.2.0.0/16": EntryState.EXTRA}
    moved = peer(found, "A").entries[1]
    assert moved.owner == 1
    assert found.drifted


def test_what_the_file_itself_gives_away_is_no_drift() -> None:
    """One prefix for two peers is the configuration's mistake: the kernel did as it was told
    (S-E2)."""
    found = only(
        host(
            "wg0\n peer A allowed-ips 10.1.0.0/16\n peer B allowed-ips 10.2.0.0/16",
            "wg0\n peer A allowed-ips 10.1.0.0/16,10.2.0.0/16\n peer B allowed-ips 10.2.0.0/16",
        )
    )
    assert states(peer(found, "A"))["10.2.0.0/16"] is EntryState.GIVEN_AWAY
    assert not found.drifted


def test_peers_are_missing_or_extra() -> None:
    """Both directions, each with what it would own or owns."""
    found = only(
        host("wg0\n peer A allowed-ips 10.1.0.0/16", "wg0\n peer B allowed-ips 10.2.0.0/16")
    )
    assert peer(found, "A").presence is Presence.EXTRA
    assert peer(found, "B").presence is Presence.MISSING
    assert states(peer(found, "B")) == {"10.2.0.0/16": EntryState.MISSING}
    assert [one.drifted for one in found.peers] == [True, True]


def test_a_peer_with_the_devices_own_key_is_not_missing() -> None:
    """The kernel ignores it silently (S-E5): another finding, not drift."""
    found = only(host("wg0", "wg0\n peer wg0 allowed-ips 10.1.0.0/16"))
    assert peer(found, "wg0").presence is Presence.OWN_KEY
    assert not found.drifted


@pytest.mark.parametrize(
    ("meant", "actual", "whole", "port"),
    [
        ("endpoint 192.0.2.7:51820", "endpoint 192.0.2.7:51820", "same", "same"),
        ("endpoint 192.0.2.7:51820", "endpoint 192.0.2.8:51820", "different", "same"),
        ("endpoint 192.0.2.7:51820", "endpoint 192.0.2.7:4000", "different", "different"),
        ("endpoint 192.0.2.7:51820", "", "different", "different"),
        ("endpoint 2001:db8::7:51820", "endpoint [2001:db8::7]:51820", "same", "same"),
        ("endpoint vpn.example:51820", "endpoint 192.0.2.7:51820", "not-compared", "same"),
        ("endpoint vpn.example:70000", "endpoint 192.0.2.7:4464", "not-compared", "same"),
        ("endpoint vpn.example:51820", "endpoint 192.0.2.7:1", "not-compared", "different"),
        ("endpoint vpn.example:wg", "endpoint 192.0.2.7:1", "not-compared", "not-compared"),
        ("", "endpoint 192.0.2.7:1", "not-said", "not-said"),
    ],
)
def test_endpoints(meant: str, actual: str, whole: str, port: str) -> None:
    """Addresses are compared, host names are not resolved, ports wrap (S-G43); what the file does
    not say the peer may choose (S-E30)."""
    found = only(host(f"wg0\n peer A {actual}", f"wg0\n peer A {meant}"))
    one = peer(found, "A")
    assert (one.endpoint.value, one.endpoint_port.value) == (whole, port)


def test_what_is_not_said_is_not_compared() -> None:
    """A port the kernel picked, a mark somebody set: the file is silent about them."""
    found = only(host("wg0 listen-port 40000 fwmark 0x5", "wg0"))
    assert (found.listen_port, found.fwmark) == (Likeness.NOT_SAID, Likeness.NOT_SAID)
    assert not found.drifted


def test_settings_that_differ() -> None:
    """Port, mark and keepalive are told by name."""
    found = only(
        host(
            "wg0 listen-port 2 fwmark 0x5\n peer A persistent-keepalive 20",
            "wg0 listen-port 1 fwmark 0x6\n peer A",
        )
    )
    assert (found.listen_port, found.fwmark) == (Likeness.DIFFERENT, Likeness.DIFFERENT)
    assert peer(found, "A").keepalive is Likeness.DIFFERENT


def test_a_mark_that_wg_quick_picks_is_no_drift() -> None:
    """With FwMark off, a full tunnel gets a mark all the same (S-F3)."""
    peers = "\n peer A allowed-ips 0.0.0.0/0"
    found = only(host(f"wg0 fwmark 0xca6c{peers}", f"wg0 fwmark 0{peers}"))
    assert found.fwmark is Likeness.NOT_COMPARED
    split = "\n peer A allowed-ips 10.0.0.0/8"
    assert only(host(f"wg0 fwmark 0xca6c{split}", f"wg0 fwmark 0{split}")).drifted


def test_a_device_that_is_not_there_has_not_drifted() -> None:
    """A configuration that is not in use, and one whose device cannot be seen, are told apart."""
    down = only(host("", "wg9\n peer A allowed-ips 10.1.0.0/16", links="eth0 UP 192.0.2.10/24"))
    assert (down.name, down.link, down.hidden, down.drifted) == ("wg9", None, False, False)
    hidden = only(host("", "wg0\n peer A", links="wg0 UNKNOWN 10.8.0.1/24 kind wireguard"))
    assert (hidden.hidden, hidden.device, hidden.drifted) == (True, None, False)


def test_the_configuration_in_use_is_the_one_it_differs_least_from() -> None:
    """A file that was left behind by another program does not make a healthy device drift."""
    snapshot = host("wg0\n peer A allowed-ips 10.1.0.0/16", "wg0\n peer Z allowed-ips 10.9.0.0/16")
    key, prefix = vanity_key("A"), Prefix.parse("10.1.0.0/16")
    networkd = DeviceConfig(
        "wg0",
        "/etc/systemd/network/wg0.netdev",
        peers=(PeerConfig(key, allowed_ips=(prefix,), allowed_ips_written=("10.1.0.0/16",)),),
        program=Program.NETWORKD,
    )
    found = only(_with_meant(snapshot, *snapshot.meant, networkd))
    assert found.config == networkd
    assert found.others == snapshot.meant
    assert not found.drifted


def _with_meant(snapshot: Snapshot, *configs: DeviceConfig) -> Snapshot:
    return replace(snapshot, meant=configs)


def test_ten_thousand_peers_are_compared_within_a_second() -> None:
    """The time of a comparison grows with the peers, not with their square."""
    prefixes = [Prefix(4, 10 << 24 | n << 8, 24) for n in range(10_000)]
    keys = [vanity_key(f"peer{n}") for n in range(10_000)]
    device = Device(
        LinkIndex(1),
        "wg0",
        peers=tuple(
            Peer(key, allowed_ips=(prefix,)) for key, prefix in zip(keys, prefixes, strict=True)
        ),
    )
    config = DeviceConfig(
        "wg0",
        "/etc/wireguard/wg0.conf",
        fwmark=Mark(0),
        peers=tuple(
            PeerConfig(key, allowed_ips=(prefix,), allowed_ips_written=(str(prefix),))
            for key, prefix in zip(keys, prefixes[1:] + prefixes[:1], strict=True)
        ),
    )
    snapshot = Snapshot(taken_at=0, devices={LinkIndex(1): device}, meant=(config,))
    started = time.process_time()
    found = only(snapshot)
    assert time.process_time() - started < 1
    assert [entry.state for entry in found.peers[5].entries] == [
        EntryState.MOVED,
        EntryState.EXTRA,
    ]
