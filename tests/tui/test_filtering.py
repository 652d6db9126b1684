"""Filtering a pane: an address leaves what covers it, other words what contains them."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui import worlds
from tests.tui.worlds import lines
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import MAIN_TABLE, RouteInfo
from wgtui.model.prefix import Prefix, address_text
from wgtui.model.routes import RouteTable
from wgtui.model.wireguard import PeerConfig
from wgtui.tui.allowed_rows import DeviceTreeRows, PeersRows
from wgtui.tui.filtering import MOST_HITS, Filterable, FilteredRows, filtered
from wgtui.tui.interfaces_rows import InterfacesRows
from wgtui.tui.routes_rows import RoutesRows
from wgtui.tui.rows import RowModel

MODELS = (InterfacesRows, RoutesRows, PeersRows, DeviceTreeRows)


def test_an_address_leaves_the_routes_that_cover_it_and_their_headers() -> None:
    """Also in tables that are folded away."""
    model = RoutesRows(worlds.host())
    assert lines(filtered(model, "192.0.2.10")) == [
        "IPv4  5 rules  11 routes",
        "0      from all lookup local",
        "  ▾ table local: 3 routes",
        "    192.0.2.10/32  local  dev eth0",
        "32764  from all lookup main suppress_prefixlength 0  wg-quick",
        "  ▾ table main: 6 routes",
        "    default  via 192.0.2.1 dev eth0  proto static",
        "    └ 192.0.2.0/24  dev eth0  src 192.0.2.10  proto kernel",
        "32765  not from all fwmark 0xca6c lookup 51820  wg-quick",
        "  ▾ table 51820: 1 route",
        "    default  dev wg0",
    ]
    assert "▸ table local" in lines(model)[2], "the model itself stays as it was"


def test_a_prefix_leaves_what_covers_it_and_what_lies_in_it() -> None:
    """Both directions: who else is concerned?"""
    said = lines(filtered(RoutesRows(worlds.host()), "172.16.0.0/15"))
    assert sum("172.16.0.0/12" in line for line in said) == 2
    said = lines(filtered(RoutesRows(worlds.host()), "10.0.0.0/8"))
    assert "    │ └ 10.20.0.0/16  dev wg0  src 10.20.0.1  proto kernel" in said


def test_a_stray_table_keeps_its_header() -> None:
    """The context of a table that no rule leads to is that heading, not the rule before it."""
    assert lines(filtered(RoutesRows(worlds.host()), "198.18.0.0/15"))[-3:] == [
        "tables no rule leads to",
        "  ▾ table 77: 1 route",
        "    198.18.0.0/15  dev eth0",
    ]


def test_an_address_leaves_its_owners_and_who_is_met_there() -> None:
    """AllowedIPs that cover it, those that were meant to, and peers whose endpoint it is."""
    mine = PeerConfig(worlds.key("A"), allowed_ips=worlds.prefixes("10.20.3.128/25"))
    host = replace(worlds.host(), meant=worlds.meant(mine))
    assert lines(filtered(PeersRows(host), "10.20.3.200"), 70) == [
        "wg0  3 peers",
        "fra1  198.51.100.4:51820  handshake 1m12s ago  AAAAAAAA…",
        "  10.20.0.0/16",
        "  └ 10.20.3.0/24",
        "  10.20.3.128/25  meant for it, now owned by ams2",
        "ams2  no endpoint  no handshake yet  BBBBBBBB…",
        "  0.0.0.0/0",
        "  └ 10.20.3.128/25",
    ]
    assert lines(filtered(PeersRows(host), "2001:db8::9"), 70) == [
        "wg0  3 peers",
        "CCCCCCCC…  [2001:db8::9]:51820  handshake 5m00s ago, stale",
        "  (none)",
    ]


def test_a_device_tree_keeps_the_line_of_ancestors() -> None:
    """What covers the address, from the root down."""
    assert lines(filtered(DeviceTreeRows(worlds.host()), "10.20.3.7")) == [
        "wg0  3 peers",
        "  0.0.0.0/0  → ams2",
        "  └ 10.20.0.0/16  → fra1",
        "    └ 10.20.3.0/24  → fra1",
    ]


def test_an_address_leaves_the_links_on_its_network() -> None:
    """The whole link, so that it is clear what is on it."""
    assert lines(filtered(InterfacesRows(worlds.host()), "192.0.2.77")) == [
        "eth0  up  mtu 1500",
        "  192.0.2.10/24",
        "  2001:db8::10/64",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (InterfacesRows, "wireguard", "wg0   up  wireguard  mtu 1500"),
        (RoutesRows, "BLACKHOLE", "    ├ 10.0.0.0/8  blackhole"),
        (RoutesRows, "default", "    default  dev wg0"),
        (RoutesRows, "dev wg0", "    default  dev wg0"),
        (RoutesRows, "172.16.", "    ├ 172.16.0.0/12  via 192.0.2.2 dev eth0  metric 100"),
        (PeersRows, "fra1", "  └ 10.20.3.0/24"),
        (PeersRows, "20.3.128", "  └ 10.20.3.128/25"),
        (DeviceTreeRows, "AMS", "      └ 10.20.3.128/25  → ams2"),
        (DeviceTreeRows, "fd20", "  fd20::/64  → fra1"),
    ],
)
def test_other_text_is_searched_in_what_the_rows_say(
    kind: type[RoutesRows], text: str, expected: str
) -> None:
    """Case does not matter; headers and covering prefixes stay."""
    said = lines(filtered(kind(worlds.host()), text))
    assert expected in said
    assert len(said) < len(lines(kind(worlds.host()).unfolded()))


def test_nothing_left_is_said() -> None:
    """An empty pane would look broken; what was typed is shown harmlessly."""
    model = filtered(RoutesRows(worlds.host()), "no\x1bsuch")
    assert lines(model) == [r"nothing matches no\x1bsuch"]
    assert model.question(0) is None
    assert model.copy_text(0) == lines(model)[0]
    assert len(lines(model, 10)[0]) <= 10


def test_blank_text_filters_nothing() -> None:
    """The model itself comes back."""
    model = RoutesRows(worlds.host())
    assert filtered(model, "  ") is model


def test_marks_move_with_their_rows() -> None:
    """The winner is shown where it now stands; a hidden one is not."""
    host = worlds.host()
    trace = lookup(host, Flow.parse("10.20.3.7"))
    model = filtered(RoutesRows(host), "10.20.0.0/16")
    lit = model.lit(trace)
    assert lit.show is not None
    assert "10.20.0.0/16" in lines(model)[lit.show]
    assert lit.words[lit.show] == "wins"
    assert filtered(RoutesRows(host), "172.16.").lit(trace).show is None


def test_every_model_can_be_filtered() -> None:
    """None of the three panes is forgotten."""
    for kind in MODELS:
        model = kind(worlds.host())
        assert isinstance(model, Filterable)
        assert isinstance(filtered(model, "10"), FilteredRows)


@given(st.integers(0, 2**32 - 1))
def test_the_index_finds_what_a_stupid_search_finds(value: int) -> None:
    """Every row whose prefix covers the address, and no other, is a hit."""
    host = worlds.host()
    for kind in (RoutesRows, DeviceTreeRows):
        model: RowModel = kind(host).unfolded()
        expected = 0
        for row in range(len(model)):
            copied = model.copy_text(row)
            if model.question(row) and "/" in copied and ":" not in copied:
                expected += Prefix.parse(copied).covers(value)
        found = filtered(model, address_text(4, value))
        assert isinstance(found, FilteredRows)
        assert found.hits == expected


def test_a_huge_table_is_filtered_in_bounds() -> None:
    """An address by the index; a text among the first rows, with that said; hits up to a limit."""
    rows = [(0, 0, 0), *(((1 << 24) + (number << 8), 24, 0) for number in range(400_000))]
    table = RouteTable(4, MAIN_TABLE, rows, (RouteInfo(),))
    model = RoutesRows(replace(worlds.host(), routes={(4, MAIN_TABLE): table}))
    found = filtered(model, "1.2.3.4")
    taken = []
    for _ in range(5):
        start = time.thread_time()  # what other processes do is not counted
        filtered(model, "1.2.3.4")
        taken.append(time.thread_time() - start)
    assert min(taken) < 0.05
    assert isinstance(found, FilteredRows)
    assert found.hits == 2
    many = filtered(model, "1.0.0.0/8")
    assert isinstance(many, FilteredRows)
    assert many.hits == MOST_HITS
    assert lines(many)[0] == "only the first 2,000 matches are shown"
    rare = filtered(model, "1.0.77.0/24 ")
    assert len(rare) == 5
    text = filtered(model, "nowhere")
    assert lines(text) == ["nothing matches nowhere; only the first 100,000 rows were searched"]
