"""Which source does a packet without one get (S-B30 … S-B32, S-B68)?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.engine.worlds import source, world
from wgtui.engine import source_address
from wgtui.engine.lookup import lookup
from wgtui.engine.source_address import scope6, select6
from wgtui.model.flow import Flow
from wgtui.model.network import (
    LOCAL_TABLE,
    AddressLabel,
    Link,
    LinkAddress,
    LinkIndex,
    NextHop,
    RouteInfo,
    Scope,
)
from wgtui.model.prefix import Prefix, parse_address
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.sources.shorthand import HostLines, read_host

# ─── IPv4 ────────────────────────────────────────────────────────────────────────────────────────


def test_the_routes_own_source_comes_first() -> None:
    """``src`` of the route, when it has one (S-B30)."""
    assert source(world(routes4="20.0.0.0/8 dev eth0 src 198.51.100.10"), "20.0.0.1") == (
        "198.51.100.10"
    )


def test_the_address_whose_subnet_holds_the_gateway_comes_next() -> None:
    """Of several addresses of the link the one that reaches the gateway (S-B30)."""
    links = "eth0 UP 10.0.0.1/24 10.1.0.1/24"
    assert source(world(links, routes4="default via 10.1.0.9 dev eth0"), "8.8.8.8") == "10.1.0.1"
    assert source(world(links, routes4="default via 10.2.0.9 dev eth0"), "8.8.8.8") == "10.0.0.1"
    assert source(world(links, routes4="default dev eth0"), "8.8.8.8") == "10.0.0.1"


def test_secondary_addresses_are_never_chosen() -> None:
    """Not even when nothing else is there to reach the gateway (S-B31)."""
    links = "eth0 UP 10.0.0.1/24 10.0.0.2/24"
    snapshot = world(links, routes4="default via 10.0.0.9 dev eth0")
    assert snapshot.links_by_name["eth0"].addresses[1].secondary
    assert source(snapshot, "8.8.8.8") == "10.0.0.1"


def test_addresses_of_a_narrower_scope_are_skipped() -> None:
    """A link-scope address serves link-scope routes only (S-B30)."""
    links = "eth0 UP 169.254.7.7/16 scope link 10.0.0.1/24"
    assert source(world(links, routes4="default via 10.0.0.9 dev eth0"), "8.8.8.8") == "10.0.0.1"
    assert source(world(links, routes4="default dev eth0"), "8.8.8.8") == "169.254.7.7"


def test_host_scope_addresses_leave_with_route_localnet_only() -> None:
    """inet_select_addr: route_localnet counts them as link scope (S-D8)."""
    links = "eth0 UP 10.9.9.9/32 scope host\neth1 UP 10.0.0.1/24"
    routes = "default dev eth0"
    assert source(world(links, routes4=routes), "8.8.8.8") == "10.0.0.1"
    allowed = world(links, routes4=routes, sysctls="net.ipv4.conf.eth0.route_localnet = 1")
    assert source(allowed, "8.8.8.8") == "10.9.9.9"


def test_a_link_without_an_address_borrows_one() -> None:
    """lo first, then the other links in their order; never a link-scope address (S-B30)."""
    links = "wg0 UP\neth0 UP 169.254.1.1/16 scope link 192.0.2.10/24\neth1 UP 198.51.100.10/24"
    routes = "default dev wg0"
    assert source(world(links, routes4=routes), "8.8.8.8") == "192.0.2.10"
    lo = "lo UNKNOWN 127.0.0.1/8 192.168.7.7/32\n"
    assert source(world(lo + links, routes4=routes), "8.8.8.8") == "192.168.7.7"


def test_without_any_address_there_is_no_source() -> None:
    """It goes out from 0.0.0.0 (S-B32)."""
    snapshot = world("lo UNKNOWN 127.0.0.1/8\neth0 UP", routes4="default dev eth0")
    assert source(snapshot, "8.8.8.8") is None


def test_of_a_peer_address_the_local_side_is_used() -> None:
    """10.5.0.1 peer 10.5.0.2/32: we are 10.5.0.1 (S-B31)."""
    snapshot = world("ppp0 UP 10.5.0.1 peer 10.5.0.2/32", routes4="default dev ppp0")
    assert source(snapshot, "8.8.8.8") == "10.5.0.1"


# ─── IPv6: each rule of RFC 6724 decides, everything above it being equal ────────────────────────


def chosen(addresses: str, destination: str, *, other: str = "", sysctls: str = "") -> str | None:
    """The source on a host with eth0 (the outgoing link) and eth1."""
    links = f"lo UNKNOWN 127.0.0.1/8\neth0 UP {addresses}\neth1 UP {other}"
    snapshot = world(links, sysctls=sysctls)
    found = select6(snapshot, LinkIndex(3), int(parse_address(destination)))
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("rule", "addresses", "other", "destination", "expected"),
    [
        ("1 same address", "2001:db8::1/64", "2001:db8::2/64", "2001:db8::2", "2001:db8::2"),
        ("2 scope", "fe80::1/64 2001:db8::1/64", "", "2001:db8:9::9", "2001:db8::1"),
        ("2 scope", "2001:db8::1/64 fe80::1/64", "", "fe80::9", "fe80::1"),
        (
            "3 deprecated",
            "2001:db8::1/64 deprecated 2001:db8::2/64",
            "",
            "2001:db8::9",
            "2001:db8::2",
        ),
        ("3 deprecated", "2001:db8::1/64 deprecated", "fd00::1/64", "2001:db8::9", "fd00::1"),
        ("5 outgoing link", "fd00::1/64", "2001:db8::1/64", "2001:db8::9", "fd00::1"),
        ("6 label", "fd00::1/64 2001:db8::1/64", "", "2a00::9", "2001:db8::1"),
        ("6 label", "2001:db8::1/64 fd00::1/64", "", "fd77::9", "fd00::1"),
        ("8 longest prefix", "2001:db8::1/64 2a00::1/64", "", "2a00::9", "2a00::1"),
        (
            "8 capped at the length",
            "2001:db8::1/64 2001:db8::8/64",
            "",
            "2001:db8::9",
            "2001:db8::1",
        ),
    ],
)
def test_each_rule_decides_where_those_above_are_equal(
    rule: str, addresses: str, other: str, destination: str, expected: str
) -> None:
    """ipv6_dev_get_saddr, rule by rule (S-B68)."""
    assert chosen(addresses, destination, other=other) == expected, rule


def test_temporary_addresses_are_preferred_by_sysctl_only() -> None:
    """Rule 7: use_tempaddr of the link decides (S-B68)."""
    snapshot = world("eth0 UP 2001:db8::1/64 2001:db8::7/64")
    eth0 = snapshot.links_by_name["eth0"]
    public, temporary = eth0.addresses
    links = {
        **snapshot.links,
        eth0.index: replace(eth0, addresses=(public, replace(temporary, secondary=True))),
    }
    for value, expected in ((0, "2001:db8::1"), (1, "2001:db8::1"), (2, "2001:db8::7")):
        sysctls = {**snapshot.sysctls, "net/ipv6/conf/eth0/use_tempaddr": value}
        asked = replace(snapshot, links=links, sysctls=sysctls)
        found = select6(asked, eth0.index, int(parse_address("2a00::9")))
        assert str(found) == expected


def test_tentative_addresses_are_no_sources() -> None:
    """Duplicate address detection has not finished (S-B68)."""
    assert chosen("2001:db8::1/64 tentative", "2001:db8::9", other="fd00::1/64") == "fd00::1"


@pytest.mark.parametrize("destination", ["fe80::9", "ff02::1", "ff0e::1", "::"])
def test_link_local_and_multicast_destinations_use_the_outgoing_link_only(destination: str) -> None:
    """No address of another link is a candidate (S-B68)."""
    assert chosen("", destination, other="2001:db8::1/64 fe80::2/64") is None
    assert chosen("fe80::1/64", destination, other="2001:db8::1/64") == "fe80::1"


def test_the_unspecified_destination_takes_the_smallest_scope() -> None:
    """To :: a link-local address is preferred (ipv6_dev_get_saddr: scope invalid)."""
    assert chosen("2001:db8::1/64 fe80::1/64", "::") == "fe80::1"


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("::", -1),
        ("::1", 2),
        ("fe80::1", 2),
        ("fec0::1", 5),
        ("fd00::1", 14),
        ("ff05::2", 5),
        ("2001:db8::1", 14),
    ],
)
def test_the_scope_of_an_address(address: str, scope: int) -> None:
    """As multicast addresses write it (RFC 4291)."""
    assert scope6(int(parse_address(address))) == scope


def test_the_routes_source_comes_first_for_ipv6_too() -> None:
    """RTA_PREFSRC beats RFC 6724 (S-B68)."""
    snapshot = world(routes6="fd00::/16 dev eth0 src 2001:db8:1::10")
    assert source(snapshot, "fd00::1") == "2001:db8:1::10"


def test_a_nexthop_object_to_an_own_address_takes_sources_of_its_scope() -> None:
    """The way to such a gateway has scope host, so the object's source may be link-scope
    (S-B30)."""
    snapshot = read_host(
        HostLines(
            links="v0 UP 10.0.1.1/32", sysctls="net.ipv4.conf.all.route_localnet = 1", routes4=""
        )
    )
    link = snapshot.links_by_name["v0"]
    addresses = tuple(replace(entry, scope=Scope.HOST) for entry in link.addresses)
    local = snapshot.routes[4, LOCAL_TABLE]
    leg = NextHop(link.index, parse_address("10.0.1.1"))
    info = RouteInfo(next_hops=(leg,), nexthop_id=402, metric=1024)
    far = Prefix.parse("192.128.0.0/9")
    entries = [(one.destination[1], one.destination[2], n) for n, one in enumerate(local)]
    infos = (*(route.info for route in local), info)
    entries.append((far.network, far.length, len(infos) - 1))
    snapshot = replace(
        snapshot,
        links={**snapshot.links, link.index: replace(link, addresses=addresses)},
        routes={**snapshot.routes, (4, LOCAL_TABLE): RouteTable(4, LOCAL_TABLE, entries, infos)},
    )
    trace = lookup(snapshot, Flow.parse("192.168.1.10"))
    assert trace.route is not None
    assert str(trace.route.source) == "10.0.1.1"


# ─── the twin ────────────────────────────────────────────────────────────────────────────────────

SOURCES = (
    "2001:db8::1", "2001:db8::2", "2001:db8:1::1", "2001:10::5", "2002:a00:1::1", "fd00::1",
    "fd00:1::1", "fec0::1", "fe80::1", "fe80::2", "::1", "ff02::1", "::ffff:10.0.0.1", "3ffe::1",
)  # fmt: skip
PLACES = (*SOURCES, "2a00::9", "fd00::9", "fe80::9", "ff05::2", "ff0e::1", "fec0::9", "::")


@st.composite
def hosts(draw: st.DrawFn) -> Snapshot:
    """Up to four links, two of them perhaps in a VRF, with addresses that meet."""
    entries = st.builds(
        lambda text, length, *flags: LinkAddress(
            IPAddress(text), Prefix.of(6, int(IPAddress(text)), length), 0, None, *flags
        ),
        st.sampled_from(SOURCES),
        st.sampled_from((32, 64, 128)),
        st.booleans(),
        st.booleans(),
        st.sampled_from((False, False, True)),
    )
    links = {}
    for index in range(1, draw(st.integers(1, 4)) + 1):
        kind, master = draw(st.sampled_from(((None, None), (None, LinkIndex(1)), ("vrf", None))))
        addresses = tuple(draw(st.lists(entries, max_size=4)))
        links[LinkIndex(index)] = Link(
            LinkIndex(index), f"v{index}", kind, master=master, addresses=addresses
        )
    temporary = draw(st.sampled_from((0, 2)))
    return Snapshot(0.0, links=links, sysctls={"net/ipv6/conf/v1/use_tempaddr": temporary})


def plain_select6(snapshot: Snapshot, index: LinkIndex | None, to: int) -> IPAddress | None:
    """Every address gets its rank by all rules at once; the first of the highest is it."""

    def vrf(link: Link | None) -> Link | None:
        if link is not None and link.kind != "vrf":
            link = snapshot.links.get(link.master) if link.master is not None else None
        return link if link is not None and link.kind == "vrf" else None

    bound = snapshot.links.get(index) if index is not None else None
    links = [link for link in snapshot.links.values() if vrf(link) is vrf(bound)]
    links.sort(key=lambda link: link.kind != "vrf")
    near: list[IPAddress] = []
    if (master := vrf(bound)) is not None and not (to >> 120 == 0xFF or scope6(to) <= 2):
        nearest = [bound, *([] if master is bound else [master])]
        near = [
            entry.address
            for link in nearest
            for entry in (link.addresses if link is not None else ())
            if not entry.tentative and int(entry.address) >> 120 != 0xFF
        ]
    if len(near) == 1:
        return near[0]
    if Prefix.parse("ff00::/8").covers(to) or scope6(to) <= 2:
        links = [bound] if bound else []
    label, ranked = source_address._label, []
    for link in links:
        for entry in link.addresses:
            value, scope = int(entry.address), scope6(int(entry.address))
            if entry.tentative or value >> 120 == 0xFF:
                continue
            temporary = (snapshot.conf(6, link.name, "use_tempaddr") or 0) >= 2
            orchid = Prefix.parse("2001:10::/28").covers
            rank = (
                value == to,
                -scope if scope >= scope6(to) else scope - 128,
                not entry.deprecated,
                index is None or link.index == index,
                label(snapshot, link.index, value) == label(snapshot, index, to),
                entry.secondary == temporary,
                orchid(value) == orchid(to),
                min(128 - (value ^ to).bit_length(), entry.prefix.length),
            )
            ranked.append((rank, entry.address))
    return max(ranked, key=lambda entry: entry[0])[1] if ranked else None


@given(hosts(), st.none() | st.integers(1, 5).map(LinkIndex), st.sampled_from(PLACES))
def test_candidates_in_heaps_give_the_same_as_ranking_all(
    snapshot: Snapshot, index: LinkIndex | None, to: str
) -> None:
    """What is sorted once for a snapshot chooses as if every address were looked at (S-B68)."""
    destination = int(IPAddress(to, 6))
    assert select6(snapshot, index, destination) == plain_select6(snapshot, index, destination)


def test_the_hosts_own_address_labels_count() -> None:
    """``ip addrlabel``: a source labelled as the destination comes first; an entry of a link is
    for that link alone, and without any entry all labels are alike (S-B68)."""
    host = world("eth0 UP 2001:db8::1/64 fd00::1/64", routes6="default dev eth0")

    def labelled(*entries: tuple[str, int, int | None]) -> str | None:
        labels = tuple(
            AddressLabel(Prefix.parse(prefix), label, None if link is None else LinkIndex(link))
            for prefix, label, link in entries
        )
        return source(replace(host, address_labels=labels), "3fff::1")

    eth0 = int(host.links_by_name["eth0"].index)
    assert source(host, "3fff::1") == "2001:db8::1"
    assert labelled(("fd00::/8", 99, None), ("3fff::/16", 99, None)) == "fd00::1"
    assert labelled(("fd00::/8", 99, eth0), ("3fff::/16", 99, eth0)) == "fd00::1"
    assert labelled(("fd00::/8", 99, eth0 + 1), ("3fff::/16", 99, None)) == "2001:db8::1"
    assert labelled() == "2001:db8::1"
