"""Does IPv4 source validation let a packet in (S-D1 … S-D6)?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import LINKS, rules, world
from wgtui.engine.query import Query
from wgtui.engine.reverse_path import effective_mode, validate
from wgtui.model.prefix import parse_address
from wgtui.model.snapshot import Snapshot

SPLIT = rules("10: from all nop")


def conf(**values: int) -> str:
    """``eth0__rp_filter=1`` becomes ``net.ipv4.conf.eth0.rp_filter = 1``."""
    return "\n".join(
        f"net.ipv4.conf.{key.replace('__', '.')} = {value}" for key, value in values.items()
    )


def judged(
    snapshot: Snapshot,
    source: str,
    *,
    link: str = "eth0",
    to: str = "192.0.2.10",
    out: str | None = None,
    mark: int = 0,
    dport: int = 0,
) -> str:
    """``pass/own-link``: what becomes of a packet from ``source`` on ``link``."""
    names = snapshot.links_by_name
    packet = Query(
        4,
        int(parse_address(to)),
        int(parse_address(source)),
        iif=names[link].index,
        mark=mark,
        protocol=17,
        dport=dport,
    )
    path = validate(snapshot, packet, names[out].index if out else None)
    return f"{path.result.value}/{path.why.value}"


# ─── the mode ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("everywhere", [0, 1, 2])
@pytest.mark.parametrize("here", [0, 1, 2])
def test_the_mode_is_the_larger_of_all_and_the_link(everywhere: int, here: int) -> None:
    """max(all, link): loose beats strict, strict beats off (S-D1)."""
    snapshot = world(sysctls=conf(all__rp_filter=everywhere, eth0__rp_filter=here))
    assert effective_mode(snapshot, snapshot.links_by_name["eth0"]) == max(everywhere, here)


def test_a_mode_that_could_not_be_read_is_unknown_unless_the_other_is_loose() -> None:
    """Nothing is larger than 2 (S-D1)."""
    snapshot = world(sysctls=conf(all__rp_filter=1))
    known = dict(snapshot.sysctls)
    del known["net/ipv4/conf/eth0/rp_filter"]
    blind = replace(snapshot, sysctls=known)
    assert effective_mode(blind, blind.links_by_name["eth0"]) is None
    assert judged(blind, "8.8.8.8") == "pass/own-link"
    assert judged(blind, "198.51.100.7") == "unknown/unknown"
    # On it is in any case, and nowhere back is nowhere back.
    nowhere = world("eth0 UP 192.0.2.10/24", sysctls=conf(all__rp_filter=1))
    del (settings := dict(nowhere.sysctls))["net/ipv4/conf/eth0/rp_filter"]
    assert judged(replace(nowhere, sysctls=settings), "8.8.8.8") == "drop/no-route-back"
    settings["net/ipv4/conf/all/rp_filter"] = 0
    assert judged(replace(nowhere, sysctls=settings), "8.8.8.8") == "unknown/unknown"
    known["net/ipv4/conf/all/rp_filter"] = 2
    assert effective_mode(blind, blind.links_by_name["eth0"]) == 2


# ─── strict and loose ────────────────────────────────────────────────────────────────────────────


def test_strict_wants_the_way_back_on_the_same_link() -> None:
    """Only the best route counts (S-D5, S-D6)."""
    routes = "198.51.100.0/24 dev eth0 metric 100"
    snapshot = world(routes4=routes, sysctls=conf(all__rp_filter=1))
    assert judged(snapshot, "8.8.8.8") == "pass/own-link"
    assert judged(snapshot, "198.51.100.7") == "drop/strict-other-link"


def test_loose_wants_any_unicast_way_back() -> None:
    """A default route suffices; a blackhole does not (S-D6)."""
    snapshot = world(routes4="blackhole 20.0.0.0/8", sysctls=conf(all__rp_filter=2))
    assert judged(snapshot, "198.51.100.7") == "pass/loose"
    assert judged(snapshot, "20.0.0.1") == "drop/no-route-back"


def test_any_leg_on_the_link_counts_even_a_dead_one() -> None:
    """Multipath: one leg by the input link is enough in strict mode (S-D6)."""
    legs = "20.0.0.0/8\n nexthop dev eth1\n nexthop dev eth0 dead"
    snapshot = world(routes4=legs, sysctls=conf(all__rp_filter=1))
    assert judged(snapshot, "20.0.0.1") == "pass/own-link"


def test_on_a_link_without_an_ipv4_address_loose_is_strict() -> None:
    """A WireGuard link with only IPv6 addresses (S-D6)."""
    links = "eth0 UP 192.0.2.10/24\nwg0 UP fd00::1/64"
    routes = "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0\n10.0.0.0/8 dev wg0"
    snapshot = world(links, routes4=routes, sysctls=conf(all__rp_filter=2))
    assert judged(snapshot, "8.8.8.8", link="wg0") == "drop/no-address"
    assert judged(snapshot, "10.0.0.1", link="wg0") == "pass/own-link"


def test_off_lets_everything_pass_that_is_not_our_own() -> None:
    """Even a blackholed source, or one by another link (S-D3)."""
    snapshot = world(routes4="blackhole 20.0.0.0/8")
    for source in ("20.0.0.1", "198.51.100.7", "8.8.8.8"):
        assert judged(snapshot, source) == "pass/off"


# ─── our own addresses as a source ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("rules4", [rules(), SPLIT])
def test_an_own_address_as_source_is_dropped_in_every_mode(mode: int, rules4: str) -> None:
    """ "martian source", with the filter off too (S-D3, S-D5)."""
    snapshot = world(rules4=rules4, sysctls=conf(all__rp_filter=mode))
    assert judged(snapshot, "198.51.100.10") == "drop/own-source"


def test_accept_local_lets_own_sources_in() -> None:
    """With the filter off or loose; strict still sees another link (S-D6)."""
    for mode, expected in ((0, "pass/off"), (1, "drop/strict-other-link"), (2, "pass/loose")):
        snapshot = world(sysctls=conf(all__rp_filter=mode, eth0__accept_local=1))
        assert judged(snapshot, "198.51.100.10") == expected


def test_the_fast_path_knows_only_addresses_on_links() -> None:
    """127/8 or a broadcast source passes there; in the full check it does not (S-D3)."""
    assert judged(world(), "192.0.2.255") == "pass/off"
    assert judged(world(rules4=SPLIT), "192.0.2.255") == "drop/not-unicast"


def test_custom_local_routes_and_rules_take_the_fast_path_away() -> None:
    """Then the table says what is local (S-D3)."""
    assert judged(world(routes4="20.0.0.0/8 dev eth1"), "20.0.0.1") == "pass/off"
    ours = "local 20.0.0.0/8 dev eth1 table 100"
    assert judged(world(routes4=ours), "20.0.0.1") == "pass/own-link"
    reached = rules("10: from all lookup 100")
    assert judged(world(routes4=ours, rules4=reached), "20.0.0.1") == "drop/own-source"


def test_going_back_out_of_the_same_link_is_checked_in_full() -> None:
    """With send_redirects the fast path is not taken for packets that turn round (S-D3)."""
    routes = "broadcast 20.0.0.9/32 dev eth1 table main"
    on = world(routes4=routes, sysctls=conf(eth0__send_redirects=1))
    off = world(routes4=routes, sysctls=conf(eth0__send_redirects=0, all__send_redirects=0))
    assert judged(on, "20.0.0.9", to="8.8.8.8", out="eth0") == "drop/not-unicast"
    assert judged(on, "20.0.0.9", to="8.8.8.8", out="eth1") == "pass/off"
    assert judged(off, "20.0.0.9", to="8.8.8.8", out="eth0") == "pass/off"


# ─── what the reverse lookup carries ─────────────────────────────────────────────────────────────

STRICT = conf(all__rp_filter=1)
AWAY = "default via 198.51.100.1 dev eth1 table 100"


def strict(*lines: str, sysctls: str = STRICT) -> Snapshot:
    """Strict everywhere; table 100 leads away from eth0."""
    return world(LINKS, routes4=AWAY, rules4=rules(*lines), sysctls=sysctls)


def test_delivered_packets_ask_with_iif_lo_forwarded_ones_with_the_output_link() -> None:
    """The real input link never matches an ``iif`` rule there (S-D4)."""
    for line, delivered, forwarded in (
        ("10: from all iif lo lookup 100", "drop", "pass"),
        ("10: from all iif eth1 lookup 100", "pass", "drop"),
        ("10: from all iif eth0 lookup 100", "pass", "pass"),
        ("10: from all oif eth0 lookup 100", "pass", "pass"),
    ):
        snapshot = strict(line)
        assert judged(snapshot, "8.8.8.8").startswith(delivered), line
        assert judged(snapshot, "8.8.8.8", to="9.9.9.9", out="eth1").startswith(forwarded), line


def test_from_rules_see_the_packets_destination() -> None:
    """Source and destination are swapped (S-D4)."""
    assert judged(strict("10: from 192.0.2.10 lookup 100"), "8.8.8.8").startswith("drop")
    assert judged(strict("10: from 8.8.8.8 lookup 100"), "8.8.8.8").startswith("pass")
    assert judged(strict("10: from all to 8.8.8.8 lookup 100"), "8.8.8.8").startswith("drop")


def test_ports_are_swapped() -> None:
    """The packet's destination port is the reverse lookup's source port (S-D4)."""
    assert judged(strict("10: from all sport 53 lookup 100"), "8.8.8.8", dport=53).startswith(
        "drop"
    )
    assert judged(strict("10: from all dport 53 lookup 100"), "8.8.8.8", dport=53).startswith(
        "pass"
    )


def test_the_mark_counts_with_src_valid_mark_only() -> None:
    """Otherwise the reverse lookup has mark 0 (S-D4)."""
    line = "10: from all fwmark 0x1 lookup 100"
    assert judged(strict(line), "8.8.8.8", mark=1).startswith("pass")
    for name in ("all", "eth0"):
        seen = f"{STRICT}\nnet.ipv4.conf.{name}.src_valid_mark = 1"
        assert judged(strict(line, sysctls=seen), "8.8.8.8", mark=1).startswith("drop")


def test_the_reverse_lookup_belongs_to_root() -> None:
    """uid 0 (S-A21)."""
    line = "10: from all uidrange 0-0 lookup 100"
    assert judged(strict(line), "8.8.8.8").startswith("drop")
