"""The Interfaces pane: every link, its addresses, its WireGuard half."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.tui import worlds
from tests.tui.worlds import ETH0, WG0, lines, marked, row_with
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import Link, LinkAddress, LinkIndex
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.wireguard import Birth
from wgtui.report.printable import printable
from wgtui.tui.interfaces_rows import InterfacesRows
from wgtui.tui.row_layout import lines_of, text_of, width_of


def with_link(host: Snapshot, **changes: object) -> Snapshot:
    """The host with an eth0 that differs."""
    changed = replace(host.links[ETH0], **changes)  # type: ignore[arg-type]
    return replace(host, links={**host.links, ETH0: changed})


def with_device(host: Snapshot, **changes: object) -> Snapshot:
    """The host with a wg0 that differs."""
    changed = replace(host.devices[WG0], **changes)  # type: ignore[arg-type]
    return replace(host, devices={WG0: changed})


def test_every_link_and_every_address_has_a_row() -> None:
    """Kernel order; addresses below their link; WireGuard's facts below its addresses."""
    assert lines(InterfacesRows(worlds.host())) == [
        "lo    up  loopback  mtu 1500",
        "  127.0.0.1/8",
        "  ::1/128",
        "eth0  up  mtu 1500",
        "  192.0.2.10/24",
        "  2001:db8::10/64",
        "wg0   up  wireguard  mtu 1500",
        "  10.20.0.1/16",
        "  port 51820  fwmark 0xca6c  3 peers",
        "  handshake 1m12s ago  rx 0 B  tx 0 B",
    ]


def test_a_state_is_a_word() -> None:
    """Down, without carrier, and only mentioned by others are told apart."""
    host = worlds.host()
    said = [
        lines(InterfacesRows(with_link(host, **change)))[3]
        for change in ({"up": False}, {"carrier": False}, {"seen": False}, {"up": None})
    ]
    for line, state in zip(
        said, ("down", "no carrier", "not listed", "state unknown"), strict=True
    ):
        assert line.startswith(f"eth0  {state}  ")


def test_rates_are_the_difference_of_two_snapshots() -> None:
    """Bytes of all peers over the seconds between."""
    before, peers = worlds.host(), list(worlds.host().devices[WG0].peers)
    peers[0] = replace(peers[0], received=20_480, sent=2_000)
    after = replace(with_device(before, peers=tuple(peers)), taken_at=worlds.NOW + 2)
    assert lines(InterfacesRows(after, before))[-1] == (
        "  handshake 1m14s ago  rx 10 KiB/s  tx 1000 B/s"
    )
    assert lines(InterfacesRows(before, after))[-1].endswith("rx 0 B  tx 0 B"), "time ran backwards"


def test_a_counter_that_starts_again_gives_no_rate() -> None:
    """A new device of the same name counts from nothing."""
    peers = (replace(worlds.FRA1, received=5_000),)
    before = with_device(worlds.host(), peers=peers)
    after = replace(with_device(before, peers=(worlds.FRA1,)), taken_at=worlds.NOW + 2)
    assert "/s" not in lines(InterfacesRows(after, before))[-1]


def test_peers_that_may_not_be_seen_are_not_no_peers() -> None:
    """The gap stands where the peers would, with what to do about it."""
    host = replace(worlds.host(), devices={}, gaps=(worlds.hidden(),))
    said = lines(InterfacesRows(host))
    assert said[-1] == "  peers not visible: Operation not permitted — run as root"
    assert lines(InterfacesRows(host), 38)[-1] == (
        "  peers not visible: Operation not\n  permitted — run as root"
    )
    assert not any("peers" in line for line in said[:-1])


def test_a_gap_of_the_whole_host_is_said_without_a_device_to_hang_it_on() -> None:
    """No WireGuard link in sight: the gap has a row of its own."""
    host = worlds.host()
    links = {index: link for index, link in host.links.items() if index != WG0}
    gaps = (worlds.hidden(), Gap(Subject.ADDRESSES, "no file address.json"))
    model = InterfacesRows(replace(host, links=links, devices={}, gaps=gaps))
    assert lines(model)[0] == "addresses not visible: no file address.json"
    assert lines(model)[-1].startswith("WireGuard not visible: Operation not permitted")
    assert model.question(0) is None
    assert model.copy_text(0) == lines(model)[0]


def test_a_socket_that_lives_elsewhere_is_named() -> None:
    """S-E20: the namespace a device was made in."""
    host = with_device(worlds.host(), birth=Birth.ELSEWHERE, birth_namespace="outside")
    assert lines(InterfacesRows(host))[-1] == "  socket in namespace outside"


def test_master_vrf_alias_and_key_are_told() -> None:
    """What a link belongs to, and what somebody calls it."""
    host = worlds.host()
    vrf = worlds.link(9, "blue", kind="vrf")
    host = replace(host, links={**host.links, LinkIndex(9): vrf})
    host = with_link(host, master=LinkIndex(9), alias="uplink to the world")
    host = with_device(host, public_key=None, fwmark=0, peers=())
    said = lines(InterfacesRows(host))
    assert said[3] == "eth0  up  mtu 1500  vrf blue  uplink to the world"
    assert "  no key  port 51820  fwmark off  no peers" in said


def test_a_question_is_the_address_of_the_row() -> None:
    """A link asks about its first address, an address about itself; fe80:: names the link."""
    host = worlds.host()
    local = worlds.address("fe80::1/64")
    host = with_link(host, addresses=(*host.links[ETH0].addresses, local))
    model = InterfacesRows(host)
    assert model.question(row_with(model, "eth0")) == "192.0.2.10"
    assert model.question(row_with(model, "2001:db8::10")) == "2001:db8::10"
    assert model.question(row_with(model, "fe80::1")) == "fe80::1%eth0"
    assert model.question(row_with(model, "port 51820")) == "10.20.0.1"
    assert model.copy_text(row_with(model, "port 51820")) == worlds.key("D")


def test_both_links_of_a_tunnelled_packet_light_up() -> None:
    """The device the packet enters, and the link the encrypted one leaves by."""
    host = worlds.host()
    model = InterfacesRows(host)
    lit = model.lit(lookup(host, Flow.parse("10.20.3.7")))
    assert [(tone, line[:4].strip(), word) for tone, line, word in marked(model, lit)] == [
        ("also", "eth0", "outer"),
        ("won", "wg0", "encrypts"),
    ]
    assert lit.show == row_with(model, "wg0")


def test_a_packet_that_stops_at_a_link_marks_it_bad() -> None:
    """No endpoint, said at the device; own addresses are marked at their link."""
    host = worlds.host()
    model = InterfacesRows(host)
    stopped = marked(model, model.lit(lookup(host, Flow.parse("8.8.8.8"))))
    assert [(tone, word) for tone, _, word in stopped] == [("bad", "no endpoint")]
    own = marked(model, model.lit(lookup(host, Flow.parse("192.0.2.10"))))
    assert [(tone, line[:4], word) for tone, line, word in own] == [("won", "eth0", "local")]


def test_the_way_in_is_marked() -> None:
    """A flow with iif marks its link; a peer that may not send from there marks it bad."""
    host = worlds.host()
    model = InterfacesRows(host)
    flow = Flow.parse("10.20.0.1 from 10.20.3.200 iif wg0 peer fra1")
    assert ("bad", "not allowed") in [
        (tone, word) for tone, _, word in marked(model, model.lit(lookup(host, flow)))
    ]


def test_point_to_point_and_secondary_addresses_say_so() -> None:
    """``peer`` as in ``ip address``; flags in words."""
    far = LinkAddress(
        IPAddress("10.9.0.1"), Prefix.parse("10.9.0.2/32"), peer=IPAddress("10.9.0.2")
    )
    second = worlds.address("192.0.2.11/24", secondary=True)
    temporary = worlds.address("2001:db8::77/64", secondary=True, deprecated=True)
    host = with_link(worlds.host(), addresses=(far, second, temporary))
    assert lines(InterfacesRows(host))[4:7] == [
        "  10.9.0.1  peer 10.9.0.2/32",
        "  192.0.2.11/24  secondary",
        "  2001:db8::77/64  temporary  deprecated",
    ]


@given(
    name=st.text(max_size=15),
    alias=st.text(max_size=40),
    value=st.integers(0, 2**128 - 1),
    width=st.integers(24, 120),
)
def test_no_row_is_too_wide_and_no_address_is_cut(
    name: str, alias: str, value: int, width: int
) -> None:
    """Whatever the names; an address that fits the pane at all is whole."""
    address = LinkAddress(IPAddress(value, 6), Prefix.of(6, value, 64))
    link = Link(ETH0, name, alias=alias, addresses=(address,), kind="veth", mtu=1500)
    model = InterfacesRows(replace(worlds.host(), links={ETH0: link}))
    for row in range(len(model)):
        spans = model.spans(row, width)
        for line in lines_of(spans):
            assert width_of(line) <= width
            assert printable(text_of(line)) == text_of(line)
    said = "".join(text_of(line).strip() for line in lines_of(model.spans(1, width)))
    assert said == f"{address.address}/64"
