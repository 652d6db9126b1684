"""The AllowedIPs pane: per peer, and as the one tree of a device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui import worlds
from tests.tui.worlds import WG0, lines, marked, row_with
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.wireguard import Device, Peer, PeerConfig
from wgtui.report.printable import printable
from wgtui.tui.allowed_rows import DeviceTreeRows, PeersRows
from wgtui.tui.row_layout import lines_of, text_of, width_of


def with_peers(*peers: Peer) -> Snapshot:
    """The host whose wg0 has these peers."""
    host = worlds.host()
    return replace(host, devices={WG0: replace(host.devices[WG0], peers=peers)})


def test_every_peer_stands_over_its_own_tree() -> None:
    """Name, endpoint, handshake; nested prefixes; nothing owned and no endpoint in words."""
    assert lines(PeersRows(worlds.host())) == [
        "wg0  3 peers",
        "fra1  198.51.100.4:51820  handshake 1m12s ago  AAAAAAAA…",
        "  10.20.0.0/16",
        "  └ 10.20.3.0/24",
        "  fd20::/64",
        "ams2  no endpoint  no handshake yet  BBBBBBBB…",
        "  0.0.0.0/0",
        "  └ 10.20.3.128/25",
        "CCCCCCCC…  [2001:db8::9]:51820  handshake 5m00s ago, stale",
        "  (none)",
    ]


def test_a_device_tree_nests_all_peers() -> None:
    """Overlap between peers is visible as nesting, with each one's owner."""
    assert lines(DeviceTreeRows(worlds.host())) == [
        "wg0  3 peers",
        "  0.0.0.0/0  → ams2",
        "  └ 10.20.0.0/16  → fra1",
        "    └ 10.20.3.0/24  → fra1",
        "      └ 10.20.3.128/25  → ams2",
        "  fd20::/64  → fra1",
    ]


def test_a_narrow_pane_keeps_endpoint_and_age() -> None:
    """At 38 cells the age is told in fewer words, and gives way when the row is marked."""
    assert lines(PeersRows(worlds.host()), 38)[1] == "fra1  198.51.100.4:51820  1m12s ago"


def test_traffic_is_told_when_there_is_some() -> None:
    """Bytes both ways before the key; a bare age would not say what it is the age of."""
    model = PeersRows(with_peers(replace(worlds.FRA1, received=2048, sent=1024)))
    assert lines(model)[1] == (
        "fra1  198.51.100.4:51820  handshake 1m12s ago  rx 2.0 KiB  tx 1.0 KiB  AAAAAAAA…"
    )
    assert lines(model, 62)[1] == "fra1  198.51.100.4:51820  handshake 1m12s ago"
    assert lines(model, 80)[1] == (
        "fra1  198.51.100.4:51820  handshake 1m12s ago  rx 2.0 KiB  tx 1.0 KiB"
    )


def test_a_prefix_that_went_to_another_peer_is_named() -> None:
    """The configuration means fra1 to have it; the kernel gave it to the last who asked (S-E2)."""
    mine = PeerConfig(
        worlds.key("A"), allowed_ips=worlds.prefixes("10.20.3.128/25", "10.20.0.0/16")
    )
    gone = PeerConfig(worlds.key("C"), allowed_ips=worlds.prefixes("172.31.0.0/16"))
    absent = PeerConfig(worlds.key("Z"), allowed_ips=worlds.prefixes("10.20.0.0/16"))
    model = PeersRows(replace(worlds.host(), meant=worlds.meant(mine, gone, absent)))
    assert lines(model)[2:6] == [
        "  10.20.0.0/16",
        "  └ 10.20.3.0/24",
        "  fd20::/64",
        "  10.20.3.128/25  meant for it, now owned by ams2",
    ]
    assert lines(model)[-2:] == ["  (none)", "  172.31.0.0/16  meant for it, nobody has it"]
    assert model.question(5) == "10.20.3.129"
    assert model.copy_text(5) == "10.20.3.128/25"
    assert lines(model, 38)[5] == "  10.20.3.128/25  now ams2"


def test_peers_that_may_not_be_seen_are_not_none() -> None:
    """The gap stands below the device's name; without any device the pane says so."""
    host = replace(worlds.host(), devices={}, gaps=(worlds.hidden(),))
    for model in (PeersRows(host), DeviceTreeRows(host)):
        assert lines(model) == [
            "wg0",
            "  peers not visible: Operation not permitted — run as root",
        ]
        assert model.question(1) is None
    bare = replace(host, links={}, gaps=())
    assert lines(PeersRows(bare)) == lines(DeviceTreeRows(bare)) == ["no WireGuard device here"]


def test_questions_and_copies_follow_the_row() -> None:
    """A peer asks about its first entry, an entry about an address that it decides."""
    model = PeersRows(worlds.host())
    asked = [model.question(row) for row in range(len(model))]
    assert asked == [
        None,
        "10.20.0.1",
        "10.20.0.1",
        "10.20.3.1",
        "fd20::1",
        "10.20.3.129",
        "8.8.8.8",
        "10.20.3.129",
        None,
        None,
    ]
    assert model.copy_text(0) == worlds.key("D")
    assert model.copy_text(1) == worlds.key("A")
    assert model.copy_text(2) == "10.20.0.0/16"
    tree = DeviceTreeRows(worlds.host())
    assert [tree.question(row) for row in range(1, 6)] == [
        "8.8.8.8",
        "10.20.0.1",
        "10.20.3.1",
        "10.20.3.129",
        "fd20::1",
    ]


def test_owner_and_losers_light_up_in_both_views() -> None:
    """The longest prefix wins; those that cover the address too are shorter."""
    host = worlds.host()
    trace = lookup(host, Flow.parse("10.20.3.7"))
    model = PeersRows(host)
    lit = model.lit(trace)
    assert marked(model, lit) == [
        ("won", "fra1  198.51.100.4:51820  handshake 1m12s ago  AAAAAAAA…", "owner"),
        ("lost", "10.20.0.0/16", "shorter"),
        ("won", "└ 10.20.3.0/24", "wins"),
        ("lost", "0.0.0.0/0", "shorter"),
    ]
    assert lit.show == 3
    tree = DeviceTreeRows(host)
    assert marked(tree, tree.lit(trace)) == [
        ("lost", "0.0.0.0/0  → ams2", "shorter"),
        ("lost", "└ 10.20.0.0/16  → fra1", "shorter"),
        ("won", "└ 10.20.3.0/24  → fra1", "wins"),
    ]


def test_where_it_fails_is_marked_bad_and_shown() -> None:
    """Nobody owns it: the device; no endpoint: the peer, or its entry where peers have no row."""
    host = worlds.host()
    trace = lookup(host, Flow.parse("10.20.3.200"))
    model, tree = PeersRows(host), DeviceTreeRows(host)
    lit = model.lit(trace)
    assert (lit.show, lit.words[5]) == (row_with(model, "ams2"), "no endpoint")
    assert lit.marks[5].value == "bad"
    lit = tree.lit(trace)
    assert (lit.show, lit.words[4]) == (row_with(tree, "10.20.3.128/25"), "no endpoint")
    alone = with_peers(worlds.NOBODY)
    trace = lookup(alone, Flow.parse("10.20.9.9"))
    for model_ in (PeersRows(alone), DeviceTreeRows(alone)):
        lit = model_.lit(trace)
        assert (lit.show, lit.words) == (0, {0: "no peer"})


def test_a_sender_that_does_not_own_the_source_is_marked() -> None:
    """Decrypted from fra1, but the source is ams2's."""
    host = worlds.host()
    trace = lookup(host, Flow.parse("10.20.0.1 from 10.20.3.200 iif wg0 peer fra1"))
    model = PeersRows(host)
    said = [(tone, line[:14].strip(), word) for tone, line, word in marked(model, model.lit(trace))]
    assert ("bad", "fra1  198.51.1", "not allowed") in said
    assert ("also", "└ 10.20.3.128/", "source") in said


@settings(deadline=None)
@given(
    label=st.text(max_size=30),
    entries=st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)), max_size=12),
    width=st.integers(12, 110),
)
def test_no_row_is_too_wide_and_no_prefix_is_cut(
    label: str, entries: list[tuple[int, int]], width: int
) -> None:
    """Whatever the labels; a prefix that fits the pane at all is whole."""
    owned = tuple(dict.fromkeys(Prefix.of(6, value, length) for value, length in entries))
    peer = replace(worlds.NOBODY, label=label, allowed_ips=owned)
    host = with_peers(peer, worlds.FRA1)
    for model in (PeersRows(host), DeviceTreeRows(host)):
        for row in range(len(model)):
            spans = model.spans(row, width)
            for line in lines_of(spans):
                assert width_of(line) <= width
                assert printable(text_of(line)) == text_of(line)
            copied = model.copy_text(row)
            if "::" in copied and "/" in copied:
                assert copied in "".join(text_of(line).strip(" ├└│⋯") for line in lines_of(spans))


def test_ten_thousand_peers_are_laid_out_at_once() -> None:
    """Construction counts, and builds no tree; a row is built when it is seen."""
    owned = [
        tuple(Prefix(4, number << 10 | part << 8, 24) for part in range(4))
        for number in range(10_000)
    ]
    peers = tuple(Peer(f"{n:043d}=", f"peer{n}", allowed_ips=own) for n, own in enumerate(owned))
    host = worlds.host()
    device = Device(WG0, "wg0", worlds.key("D"), peers=peers)
    host = replace(host, devices={WG0: device})
    assert device.owners.tree(4)
    for kind, rows in ((PeersRows, 50_001), (DeviceTreeRows, 40_001)):
        model = kind(host)
        assert _best(partial(kind, host)) < 0.05
        assert len(model) == rows
        seen = range(1, rows, 499)
        assert _best(lambda: [model.spans(row, 60) for row in seen]) / len(seen) < 0.0005  # noqa: B023


def _best(action: Callable[[], object]) -> float:
    """The least processor time of some runs, in seconds: what others do is not counted."""
    taken = []
    for _ in range(5):
        start = time.thread_time()
        action()
        taken.append(time.thread_time() - start)
    return min(taken)


def test_devices_that_could_not_be_read_are_not_called_absent() -> None:
    """A broken or missing file: the pane says so, whole, and not that there is no device."""
    gap = Gap(Subject.WIREGUARD, "wg.dump, line 1: is not a line of 'wg show all dump'", "make it")
    host = replace(worlds.host(), devices={}, links={}, gaps=(gap,))
    for model in (PeersRows(host), DeviceTreeRows(host)):
        said = lines(model, 40)
        assert " ".join(said[0].split()) == (
            "WireGuard not visible: wg.dump, line 1: is not a line of 'wg show all dump' — make it"
        )
        assert len(said) == 1
    assert lines(PeersRows(replace(host, gaps=())), 40) == ["no WireGuard device here"]
