"""Which addresses of an AllowedIPs entry does routing send to its device? Judged one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.worlds import ask, rules, world
from wgtui.engine.routed import Extent, Routed, routed
from wgtui.model.network import RouteType
from wgtui.model.prefix import Prefix, address_text
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome
from wgtui.model.wireguard import Device

LINKS = """
eth0 UP 192.0.2.10/24
wg0 UNKNOWN 10.8.0.1/32
wg1 UNKNOWN 10.8.0.2/32
"""


def device(snapshot: Snapshot, name: str = "wg0") -> Device:
    """The device of that name."""
    return snapshot.devices[snapshot.links_by_name[name].index]


def look(allowed: str, routes: str, rules4: str = rules(), entry: str = "") -> Routed:
    """What becomes of the first entry (or ``entry``) of wg0's peer A; B has what stands behind
    ``|``."""
    mine, _, others = allowed.partition("|")
    peers = f"\n peer A allowed-ips {mine}" + (f"\n peer B allowed-ips {others}" if others else "")
    snapshot = world(LINKS, routes4=routes, rules4=rules4, wireguard=f"wg0{peers}\nwg1")
    return routed(snapshot, device(snapshot), Prefix.parse(entry or mine.split(",")[0]))


def pieces(found: Routed) -> list[tuple[str, str]]:
    """First and last address of every piece that goes elsewhere."""
    return [
        (address_text(4, piece.first), address_text(4, piece.last)) for piece in found.elsewhere
    ]


def test_a_covering_route_is_enough() -> None:
    """Compared by lookup, not by text: wg-quick itself leaves such routes out (S-F2)."""
    assert look("10.1.2.0/24", "10.0.0.0/8 dev wg0").extent is Extent.ALL


def test_what_has_no_route_here_goes_elsewhere_or_nowhere() -> None:
    """The link it takes instead is named; without any route the reason is (S-E6)."""
    found = look("10.1.0.0/16", "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0")
    assert found.extent is Extent.NOTHING
    assert [piece.outcome for piece in found.elsewhere] == [None]
    found = look("10.1.0.0/16", "192.0.2.0/24 dev eth0")
    assert [piece.outcome for piece in found.elsewhere] == [Outcome.NO_ROUTE]


def test_a_part_that_goes_elsewhere_is_told_with_its_ends() -> None:
    """A more specific route takes its part away."""
    found = look("10.1.0.0/16", "10.1.0.0/16 dev wg0\n10.1.4.0/23 dev wg1\n10.1.6.0/24 dev wg1")
    assert found.extent is Extent.SOME
    assert pieces(found) == [("10.1.4.0", "10.1.6.255")]


def test_a_rules_destination_cuts_as_well() -> None:
    """Policy rules are asked for every piece."""
    found = look(
        "10.1.0.0/16",
        "10.1.0.0/16 dev wg0\n10.0.0.0/8 dev wg1 table 7",
        rules("100: from all to 10.1.128.0/17 lookup 7"),
    )
    assert pieces(found) == [("10.1.128.0", "10.1.255.255")]


def test_what_another_peer_decides_does_not_count() -> None:
    """Only the addresses that the entry itself decides are asked about (S-E1)."""
    routes = "10.1.0.0/16 dev wg0\n10.1.4.0/24 dev wg1"
    assert look("10.1.0.0/16|10.1.4.0/24", routes).extent is Extent.ALL
    assert look("10.1.0.0/16|10.1.0.0/17,10.1.128.0/17", routes).extent is Extent.SHADOWED


def test_the_hosts_own_addresses_do_not_count() -> None:
    """The device's address inside a peer's prefix is delivered here, as it should be."""
    assert look("10.8.0.0/24", "10.8.0.0/24 dev wg0").extent is Extent.ALL


def test_a_full_tunnel_beside_the_local_network() -> None:
    """Everything but what has a more specific route: what a full tunnel means (S-F3)."""
    routes = "default dev wg0 table 51820\n192.0.2.0/24 dev eth0\ndefault via 192.0.2.1 dev eth0"
    found = look(
        "0.0.0.0/0",
        routes,
        rules(
            "32764: from all lookup main suppress_prefixlength 0",
            "32765: not from all fwmark 0xca6c lookup 51820",
        ),
    )
    assert found.extent is Extent.DEFAULT
    assert pieces(found) == [("192.0.2.0", "192.0.2.9"), ("192.0.2.11", "192.0.2.254")]
    halves = look("0.0.0.0/1,128.0.0.0/1", f"{routes}\n0.0.0.0/1 dev wg0\n128.0.0.0/1 dev wg0")
    assert halves.extent is Extent.ALL


def test_a_prefix_that_nobody_has_can_be_asked_about() -> None:
    """What was meant for a peer and is lost still has a route or has none."""
    routes = "10.1.0.0/16 dev wg0\n10.2.0.0/16 dev wg1"
    assert look("10.9.0.0/16", routes, entry="10.1.0.0/16").extent is Extent.ALL
    assert look("10.9.0.0/16", routes, entry="10.2.0.0/16").extent is Extent.NOTHING


def test_several_next_hops_are_a_part() -> None:
    """Of two legs one leads here: a hash picks (S-B8)."""
    found = look(
        "10.1.0.0/16", "10.1.0.0/16\n    nexthop dev wg0 weight 1\n    nexthop dev wg1 weight 1"
    )
    assert found.extent is Extent.SOME


# ------------------------------------------------------------------------------------- stupid twin

BLOCK = 10 << 24


def small(lengths: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    """Prefixes inside 10.0.0.0/27."""
    return st.builds(
        lambda address, length: str(Prefix.of(4, BLOCK + address, length)),
        st.integers(0, 31),
        lengths,
    )


@settings(max_examples=40)
@given(
    mine=st.lists(small(st.integers(27, 32)), min_size=1, max_size=4, unique=True),
    others=st.lists(small(st.integers(28, 32)), max_size=3, unique=True),
    routes=st.lists(
        st.tuples(small(st.integers(26, 32)), st.sampled_from(["wg0", "wg1", "eth0", ""])),
        max_size=6,
        unique_by=lambda route: route[0],
    ),
    table7=st.lists(small(st.integers(27, 32)), max_size=2, unique=True),
    rule=small(st.integers(28, 32)),
)
def test_a_stupid_twin_agrees(
    mine: list[str], others: list[str], routes: list[tuple[str, str]], table7: list[str], rule: str
) -> None:
    """Every address alone is looked up, and the pieces say exactly what came of it."""
    entry = mine[0]
    theirs = [prefix for prefix in others if prefix not in mine]
    peers = f"\n peer A allowed-ips {','.join(mine)}"
    peers += f"\n peer B allowed-ips {','.join(theirs)}" if theirs else ""
    lines = [f"{to} dev {dev}" if dev else f"blackhole {to}" for to, dev in routes]
    lines += [f"{to} dev wg1 table 7" for to in table7]
    snapshot = world(
        LINKS.replace("10.8.0.2/32", "10.0.0.3/32"),
        routes4="\n".join(lines),
        rules4=rules(f"100: from all to {rule} lookup 7"),
        wireguard=f"wg0{peers}\nwg1",
    )
    found = routed(snapshot, device(snapshot), Prefix.parse(entry))
    expected = _one_by_one(snapshot, Prefix.parse(entry))
    here = [address for address, link in expected.items() if link == "wg0"]
    elsewhere = {address: link for address, link in expected.items() if link != "wg0"}
    extent = Extent.SOME if here and elsewhere else Extent.ALL if here else Extent.NOTHING
    assert found.extent is (extent if expected else Extent.SHADOWED)
    told = {
        address: snapshot.link_name(piece.link)
        for piece in found.elsewhere
        for address in range(piece.first, piece.last + 1)
    }
    if len(found.elsewhere) < 8:
        assert told == elsewhere


def _one_by_one(snapshot: Snapshot, entry: Prefix) -> dict[int, str]:
    """The link of every address that the entry decides and that counts; "" for none."""
    links: dict[int, str] = {}
    for address in range(entry.network, entry.last + 1):
        owner = device(snapshot).owners.owner(4, address)
        if owner is None or owner[1] != entry:
            continue
        trace = ask(snapshot, address_text(4, address))
        route = trace.route
        kind = route.route.info.type if route is not None and route.route is not None else None
        if kind in (RouteType.LOCAL, RouteType.BROADCAST):
            continue
        refused = trace.outcome in (Outcome.NO_ROUTE, Outcome.BLACKHOLED)
        links[address] = "" if refused or route is None else snapshot.link_name(route.link)
    return links
