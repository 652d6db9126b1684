"""Does what really changes on a host stand in the journal, once, as what it was?"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from tests.kernel.hosts import Pair
from wgtui.engine.drift import drift
from wgtui.engine.history import History
from wgtui.model.change import (
    AddressChange,
    Change,
    EndpointChange,
    EntryChange,
    JournalEntry,
    LinkChange,
    PeerChange,
    RouteChange,
    RuleChange,
    SessionChange,
    SettingChange,
    SysctlChange,
)
from wgtui.model.drift import EntryState
from wgtui.model.flow import Flow
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.report.change_words import change_text
from wgtui.sources.live import LiveSource
from wgtui.sources.wgconf import parse_config

OTHER = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
"""The key of a peer that never calls."""


class Watched:
    """A host that is looked at, as the reader's thread does it."""

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        self.history = History()
        self.snapshot = self.history.take(source.read())

    def until(self, seen: Callable[[tuple[JournalEntry, ...]], bool]) -> tuple[JournalEntry, ...]:
        """Look again and again until the journal says so; fails after a long while."""
        end = time.monotonic() + 60
        while not seen(self.history.entries):
            assert time.monotonic() < end, list(map(text_of, self.history.entries))
            newer = self.source.refresh(self.snapshot, 0.2)
            if newer is not self.snapshot:
                self.snapshot = self.history.take(newer)
        return self.history.entries

    def until_told(self, kind: type, text: str) -> Change:
        """The first change of this kind whose sentence contains the text."""

        def found(entries: tuple[JournalEntry, ...]) -> list[Change]:
            changes = (entry.change for entry in entries)
            return [one for one in changes if isinstance(one, kind) and text in change_text(one)]

        return found(self.until(lambda entries: bool(found(entries))))[0]


def text_of(entry: JournalEntry) -> str:
    """For failures."""
    return f"{entry.count} × {change_text(entry.change)}"


def test_changes_of_a_host_stand_in_its_journal(pair: Pair) -> None:
    """Routes, rules, links, addresses, settings of the kernel: each by the command that made it."""
    alice = pair.alice
    with closing(LiveSource(alice.namespace)) as source:
        watched = Watched(source)
        assert watched.history.entries == ()
        alice.ip("route add 10.99.0.0/16 dev wg0")
        watched.until_told(RouteChange, "route added to main: 10.99.0.0/16 dev wg0")
        alice.ip("route replace 10.99.0.0/16 dev eth0")
        watched.until_told(RouteChange, "route in main: 10.99.0.0/16 dev eth0")
        alice.ip("route del 10.99.0.0/16 dev eth0")
        watched.until_told(RouteChange, "route removed from main: 10.99.0.0/16 dev eth0")
        alice.ip("rule add to 10.98.0.0/16 lookup 98 priority 98", family="-4")
        watched.until_told(RuleChange, "rule added: 98: from all to 10.98.0.0/16 lookup 98")
        alice.ip("address add 192.0.2.77/32 dev eth0")
        watched.until_told(AddressChange, "address 192.0.2.77/32 added to eth0")
        alice.ip("link add extra type veth peer name extra2")
        watched.until_told(LinkChange, "link extra (veth) is there")
        alice.ip("link set extra mtu 1300")
        watched.until_told(SettingChange, "extra: mtu 1300, was 1500")
        alice.ip("link del extra")
        watched.until_told(LinkChange, "link extra (veth) is gone")
        alice.sysctl("net.ipv4.conf.eth0.rp_filter", 1)
        watched.until_told(SysctlChange, "net.ipv4.conf.eth0.rp_filter is 1")


def test_a_prefix_that_is_taken_with_wg_set_has_moved(pair: Pair) -> None:
    """From whom to whom, without any event (S-E2, S-G20); and the answer says what it was."""
    wg0, bob = pair.alice_wg0, pair.bob_wg0.keys.public
    with closing(LiveSource(pair.alice.namespace)) as source:
        watched = Watched(source)
        wg0.add_peer(OTHER, endpoint="192.0.2.99:1")
        watched.until_told(PeerChange, "was added to wg0")
        wg0.add_peer(bob, "10.99.0.0/16", endpoint="192.0.2.2:51820")
        gained = watched.until_told(EntryChange, "10.99.0.0/16 on wg0 belongs to")
        assert isinstance(gained, EntryChange)
        assert gained.before is None
        pair.alice.ip("route add 10.99.0.0/16 dev wg0")
        watched.until_told(RouteChange, "10.99.0.0/16")
        wg0.add_peer(OTHER, "10.99.0.0/16", endpoint="192.0.2.99:1")
        moved = watched.until_told(EntryChange, "10.99.0.0/16 on wg0 moved")
        assert isinstance(moved, EntryChange)
        assert moved.before is not None
        assert moved.after is not None
        assert (moved.before.public_key, moved.after.public_key) == (bob, OTHER)
        change = watched.history.last_change(Flow.parse("10.99.1.2"))
        assert change is not None
        owned = change.trace.ownership
        assert owned is not None
        assert owned.owner is not None
        assert owned.owner.peer.public_key == bob
        wg0.set("peer", OTHER, "remove")
        watched.until_told(PeerChange, "was removed from wg0 with 10.99.0.0/16")


def test_a_prefix_that_goes_to_and_fro_is_flapping(pair: Pair) -> None:
    """Two daemons that each claim it (C09): one line with a count."""
    wg0, bob = pair.alice_wg0, pair.bob_wg0.keys.public
    prefix = Prefix.parse("10.99.0.0/16")
    with closing(LiveSource(pair.alice.namespace)) as source:
        watched = Watched(source)
        for turn in range(4):
            owner = (bob, OTHER)[turn % 2]
            wg0.add_peer(owner, str(prefix))
            watched.until(lambda entries, owner=owner: _owner(entries, prefix) == owner)  # type: ignore[misc]
        moves = [
            entry
            for entry in watched.history.entries
            if isinstance(entry.change, EntryChange)
            and (entry.change.prefix, entry.change.before is None) == (prefix, False)
        ]
        [entry] = moves
        assert entry.count == 3
        assert entry.since < entry.at


def _owner(entries: tuple[JournalEntry, ...], prefix: Prefix) -> str | None:
    for entry in entries:
        match entry.change:
            case EntryChange(_, found, _, after) if found == prefix:
                return after and after.public_key
            case PeerChange(_, peer, True, found) if prefix in found:
                return peer.public_key
    return None


def test_a_peer_that_calls_from_elsewhere_has_roamed(pair: Pair) -> None:
    """Its session begins with the first handshake, and its endpoint follows it (S-E30)."""
    alice, bob = pair.alice, pair.bob
    with closing(LiveSource(alice.namespace)) as source:
        watched = Watched(source)
        assert bob.ping("10.77.0.1")
        watched.until_told(SessionChange, "has shaken hands")
        pair.bob_wg0.set("listen-port", "41641")
        assert bob.ping("10.77.0.1")
        watched.until_told(EndpointChange, ":41641, was ")


def test_what_the_kernel_has_is_compared_with_what_was_meant(pair: Pair) -> None:
    """A prefix that `wg set` took from a peer has drifted from the configuration (S-E2)."""
    wg0, bob = pair.alice_wg0, pair.bob_wg0.keys.public
    wg0.add_peer(bob, "10.77.0.2/32", "10.99.0.0/16")
    wg0.add_peer(OTHER, "10.99.0.0/16")
    snapshot = _with_config(pair, f"[Peer]\nPublicKey={bob}\nAllowedIPs=10.77.0.2/32,10.99.0.0/16")
    [found] = drift(snapshot)
    assert found.drifted
    states = {str(e.prefix): e.state for peer in found.peers for e in peer.entries if peer.meant}
    assert states == {"10.77.0.2/32": EntryState.SAME, "10.99.0.0/16": EntryState.MOVED}


def _with_config(pair: Pair, text: str) -> Snapshot:
    with closing(LiveSource(pair.alice.namespace)) as source:
        snapshot = source.read()
    return replace(snapshot, meant=(parse_config(f"[Interface]\n{text}\n", "wg0", "wg0.conf"),))
