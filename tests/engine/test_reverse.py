"""Would a packet from there be let in, and does the reply go back the same way (S-D11)?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, rules, world
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Gap, Hook, Snapshot, Subject
from wgtui.model.trace import BackOutcome, Exactness, Reason, ReverseStep, RpResult
from wgtui.report.entrances import back_line

LINKS = """
eth0 UP 192.0.2.10/24
eth1 UP 198.51.100.10/24
wg0 UNKNOWN 10.7.0.1/24
wg1 UNKNOWN 10.8.0.1/24
"""
ROUTES = """
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel src 192.0.2.10
198.51.100.0/24 dev eth1 proto kernel src 198.51.100.10
10.7.0.0/24 dev wg0 proto kernel src 10.7.0.1
10.8.0.0/24 dev wg1 proto kernel src 10.8.0.1
"""
PEERS = """
wg0
peer ANNA endpoint 203.0.113.4:51820 allowed-ips 10.7.0.2/32,10.20.0.0/16
wg1
peer BERT endpoint 203.0.113.5:51820 allowed-ips 10.20.0.0/16,fd20::/16
"""


def host(routes4: str = "", sysctls: str = "", wireguard: str = PEERS) -> Snapshot:
    """Two underlays and two devices that both own 10.20.0.0/16."""
    return world(LINKS, routes4=ROUTES + routes4, sysctls=sysctls, wireguard=wireguard)


def entrances(snapshot: Snapshot, flow: str) -> dict[str, ReverseStep]:
    """The entrances by the name of their link, in order."""
    return {snapshot.link_name(step.link): step for step in ask(snapshot, flow).back}


def outcomes(snapshot: Snapshot, flow: str) -> dict[str, str]:
    """What each entrance says."""
    return {name: step.outcome.value for name, step in entrances(snapshot, flow).items()}


def test_the_winning_link_is_the_first_entrance_then_every_device_with_an_owner() -> None:
    """Whoever could let it in is asked (contract §4)."""
    assert list(outcomes(host("10.20.0.0/16 dev wg1\n"), "10.20.1.1")) == ["wg1", "wg0"]
    assert list(outcomes(host(), "10.20.1.1")) == ["eth0", "wg0", "wg1"]
    assert list(outcomes(host(), "8.8.8.8")) == ["eth0"]


def test_the_only_peer_it_is_accepted_from_is_named() -> None:
    """The owner of the source (S-E31)."""
    found = entrances(host("10.20.0.0/16 dev wg0\n"), "10.20.1.1")
    owners = {name: step.owner.peer.label for name, step in found.items() if step.owner}
    assert owners == {"wg0": "ANNA", "wg1": "BERT"}


def test_let_in_elsewhere_than_the_reply_leaves_is_asymmetric() -> None:
    """With the filter off or loose it comes in, and the answer leaves by another link (S-E33)."""
    routes = "10.20.0.0/16 dev wg0\n"
    for loose in ("", "net.ipv4.conf.all.rp_filter = 2"):
        assert outcomes(host(routes, loose), "10.20.1.1") == {
            "wg0": "accepted",
            "wg1": "asymmetric",
        }
    found = entrances(host(routes), "10.20.1.1")["wg1"]
    assert found.reply_link == host().links_by_name["wg0"].index


def test_strict_filtering_drops_what_the_reply_leaves_elsewhere() -> None:
    """AllowedIPs permit it, the route back leads elsewhere (S-D11)."""
    strict = "net.ipv4.conf.wg1.rp_filter = 1"
    snapshot = host("10.20.0.0/16 dev wg0\n", strict)
    assert outcomes(snapshot, "10.20.1.1") == {"wg0": "accepted", "wg1": "rpf-dropped"}
    path = entrances(snapshot, "10.20.1.1")["wg1"].reverse_path
    assert path is not None
    assert (path.mode, path.result) == (1, RpResult.DROP)


def test_a_device_without_an_owner_lets_nobody_in() -> None:
    """Routed into the device, owned by nobody (S-E31)."""
    found = entrances(host("10.99.0.0/16 dev wg0\n"), "10.99.1.1")["wg0"]
    assert (found.outcome, found.reason) == (BackOutcome.NOT_ALLOWED, Reason.NOBODY_OWNS_SOURCE)


def test_a_hidden_device_is_unknown() -> None:
    """Nobody knows its AllowedIPs (contract §3)."""
    links = LINKS.replace("wg0 UNKNOWN", "wg0 UNKNOWN kind wireguard")
    snapshot = world(links, routes4=f"{ROUTES}10.20.0.0/16 dev wg0")
    found = entrances(snapshot, "10.20.1.1")["wg0"]
    assert (found.outcome, found.reason) == (BackOutcome.UNKNOWN, Reason.WIREGUARD_UNREADABLE)


def test_ipv6_has_no_filter() -> None:
    """rp_filter is null where the family has none (S-D9)."""
    snapshot = world(
        "eth0 UP 192.0.2.10/24 2001:db8::10/64\nwg1 UNKNOWN fd08::1/64",
        routes4="default via 192.0.2.1 dev eth0",
        routes6="fd20::/16 dev wg1",
        wireguard="wg1\npeer BERT endpoint 203.0.113.5:51820 allowed-ips fd20::/16",
        sysctls="net.ipv4.conf.wg1.rp_filter = 1",
    )
    found = entrances(snapshot, "fd20::1")["wg1"]
    assert (found.outcome, found.reverse_path) == (BackOutcome.ACCEPTED, None)


def test_delivered_packets_have_no_way_back() -> None:
    """Nothing comes back from here to here."""
    assert ask(host(), "192.0.2.10").back == ()


# ─── the underlay ────────────────────────────────────────────────────────────────────────────────

FULL = """
wg0 listen-port 51820 fwmark 0xca6c
peer EXIT endpoint 203.0.113.4:51820 allowed-ips 0.0.0.0/0
"""
STRICT = "net.ipv4.conf.eth0.rp_filter = 1"
VALID = "net.ipv4.conf.all.src_valid_mark = 1"
RESTORE = Hook("ip", "wg-quick-wg0", "premangle", "prerouting", does=frozenset({"restore-mark"}))
SETS = Hook("ip", "mangle", "PREROUTING", "prerouting", does=frozenset({"mark"}))
OUTPUT = Hook("ip", "mangle", "OUTPUT", "output", does=frozenset({"restore-mark"}))


def full_tunnel(sysctls: str, *hooks: Hook) -> Snapshot:
    """wg-quick's full tunnel (S-F3)."""
    snapshot = world(
        "eth0 UP 192.0.2.10/24\nwg0 UNKNOWN 10.64.0.2/32",
        routes4=(
            "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0\ndefault dev wg0 table 51820"
        ),
        rules4=rules(
            "32764: from all lookup main suppress_prefixlength 0",
            "32765: not from all fwmark 0xca6c lookup 51820",
        ),
        sysctls=sysctls,
        wireguard=FULL,
    )
    return replace(snapshot, hooks=hooks)


def underlay(snapshot: Snapshot) -> str:
    """Outcome of the entrance wg0 and of the encrypted packet's filter: ``accepted pass``."""
    step = entrances(snapshot, "8.8.8.8")["wg0"]
    assert step.outer_reverse_path is not None
    assert snapshot.link_name(step.outer_reverse_path.link) == "eth0"
    return f"{step.outcome.value} {step.outer_reverse_path.result.value}"


@pytest.mark.parametrize(
    ("sysctls", "hooks", "expected"),
    [
        ("", (), "accepted pass"),
        ("net.ipv4.conf.eth0.rp_filter = 2", (), "accepted pass"),
        (STRICT, (), "rpf-dropped drop"),
        (f"{STRICT}\n{VALID}", (), "rpf-dropped drop"),
        (STRICT, (RESTORE,), "rpf-dropped drop"),
        (f"{STRICT}\n{VALID}", (RESTORE,), "accepted pass"),
        (f"{STRICT}\n{VALID}", (OUTPUT,), "rpf-dropped drop"),
        (f"{STRICT}\n{VALID}", (SETS,), "unknown unknown"),
    ],
)
def test_strict_on_the_underlay_needs_the_mark_and_the_sysctl(
    sysctls: str, hooks: tuple[Hook, ...], expected: str
) -> None:
    """Strict drops the encrypted reply unless its mark is restored *and* counted (S-D11)."""
    assert underlay(full_tunnel(sysctls, *hooks)) == expected


def test_a_firewall_that_could_not_be_read_leaves_it_unknown() -> None:
    """Something may restore the mark (S-H2, S-H20)."""
    snapshot = replace(
        full_tunnel(f"{STRICT}\n{VALID}"),
        hooks=None,
        gaps=(Gap(Subject.FIREWALL, "Operation not permitted"),),
    )
    step = entrances(snapshot, "8.8.8.8")["wg0"]
    assert (step.outcome, step.reason) == (BackOutcome.UNKNOWN, Reason.MARK_MAY_CHANGE)


def test_without_an_endpoint_there_is_no_underlay() -> None:
    """Nor is there for a device whose sockets are elsewhere (S-E20)."""
    for words in (
        "wg0\npeer A allowed-ips 10.20.0.0/16",
        PEERS.replace("wg0\n", "wg0 born-in init\n"),
    ):
        snapshot = host("10.20.0.0/16 dev wg0\n", wireguard=words)
        assert entrances(snapshot, "10.20.1.1")["wg0"].outer_reverse_path is None


# ─── a firewall's own check of the way back ──────────────────────────────────────────────────────


def chain(name: str, priority: int, does: str, **more: object) -> Hook:
    """A chain in prerouting."""
    return Hook("inet", "fw", name, "prerouting", priority, does=frozenset({does}), **more)  # type: ignore[arg-type]


RPF = chain("rpf", -290, "fib-drop")
MARKS = chain("marks", -150, "mark")
EARLY = chain("early", -300, "restore-mark")


def test_a_firewalls_check_is_named_with_what_sets_the_mark_and_in_order() -> None:
    """It drops before routing, on the link and on the underlay, and asks with the mark (S-D9)."""
    snapshot = replace(host("10.20.0.0/16 dev wg0\n"), hooks=(MARKS, RPF, EARLY))
    found = entrances(snapshot, "10.20.1.1")["wg0"]
    assert found.outcome is BackOutcome.ACCEPTED
    assert [hook.chain for hook in found.hooks] == ["early", "rpf", "marks"]
    assert [hook.chain for hook in found.outer_hooks] == ["early", "rpf", "marks"]
    assert entrances(snapshot, "8.8.8.8")["eth0"].outer_hooks == ()


def test_what_only_sets_the_mark_drops_nothing() -> None:
    """Without a check that asks with it, the mark of what comes back is nobody's business here."""
    snapshot = replace(host("10.20.0.0/16 dev wg0\n"), hooks=(MARKS, EARLY))
    found = entrances(snapshot, "10.20.1.1")["wg0"]
    assert (found.hooks, found.outer_hooks) == ((), ())


@pytest.mark.parametrize(
    ("check", "inner", "outer"),
    [
        (chain("rpf", -290, "fib-drop", only=4), True, True),
        (chain("rpf", -290, "fib-drop", only=6), False, False),
        (replace(RPF, family="ip6"), False, False),
        (chain("rpf", -290, "fib-drop", not_from=("wg0",)), False, True),
        (chain("rpf", -290, "fib-drop", not_from=("eth0",)), True, False),
        (chain("rpf", -290, "fib-drop", not_beside=(Prefix.parse("10.7.0.1/32"),)), True, False),
        (chain("rpf", -290, "fib-drop", not_beside=(Prefix.parse("10.7.0.9/32"),)), False, False),
        (chain("rpf", -290, "drop"), True, True),
        (replace(RPF, hook="input"), False, False),
    ],
)
def test_only_what_may_drop_the_packet_is_named(check: Hook, inner: bool, outer: bool) -> None:
    """Of its family, from its link, to its address; wg-quick's own check spares the tunnel's
    link (S-F4, S-H5)."""
    snapshot = replace(host("10.20.0.0/16 dev wg0\n"), hooks=(check,))
    trace = ask(snapshot, "10.20.1.1")
    [found] = [step for step in trace.back if step.link == snapshot.links_by_name["wg0"].index]
    assert (found.hooks == (check,), found.outer_hooks == (check,)) == (inner, outer)
    assert trace.exactness is (Exactness.MAY_CHANGE if inner or outer else Exactness.EXACT)


def test_an_ipv6_underlay_is_looked_at_for_a_firewall_too() -> None:
    """It has no rp_filter, and all the same its answers may be dropped (S-D9)."""
    peers = PEERS.replace("203.0.113.4:51820", "[2001:db8:4::4]:51820")
    snapshot = world(
        LINKS.replace("192.0.2.10/24", "192.0.2.10/24 2001:db8::10/64"),
        routes4=ROUTES + "10.20.0.0/16 dev wg0\n",
        routes6="default via 2001:db8::1 dev eth0",
        wireguard=peers,
    )
    check = chain("rpf", -290, "fib-drop", only=6)
    found = entrances(replace(snapshot, hooks=(check,)), "10.20.1.1")["wg0"]
    assert found.outer_reverse_path is None
    assert (found.hooks, found.outer_hooks) == ((), (check,))


def test_the_answer_to_a_forwarded_packet_is_forwarded_too() -> None:
    """Then the kernel looks the way back up as if it came from the link it leaves by (S-D4)."""
    switches = ("eth1.forwarding = 1", "wg1.forwarding = 1", "wg1.rp_filter = 1")
    snapshot = world(
        LINKS,
        routes4=ROUTES + "9.9.9.0/24 dev wg1 table 9\n",
        rules4=rules("5: from all iif eth1 lookup 9"),
        sysctls="\n".join(f"net.ipv4.conf.{switch}" for switch in switches),
        wireguard=PEERS.replace("fd20::/16", "fd20::/16,9.9.9.0/24"),
    )
    assert outcomes(snapshot, "9.9.9.9 from 198.51.100.7 iif eth1") == {"wg1": "accepted"}
    assert outcomes(snapshot, "9.9.9.9") == {"eth0": "accepted", "wg1": "rpf-dropped"}


@pytest.mark.parametrize("address", ["224.0.0.5", "255.255.255.255", "ff02::5%eth0", "ff0e::5"])
def test_nobody_may_send_from_a_group(address: str) -> None:
    """Whoever owns everything owns these too, and they are dropped all the same (S-B40, S-B70)."""
    peers = "wg0\npeer ANNA endpoint 203.0.113.4:51820 allowed-ips 0.0.0.0/0,::/0\n"
    found = entrances(host(wireguard=peers), address)
    assert "wg0" in found
    for step in found.values():
        assert (step.outcome, step.reason) == (BackOutcome.NOT_ALLOWED, Reason.SOURCE_INVALID)
    assert found["wg0"].owner is not None
    said = back_line(host(wireguard=peers), found["wg0"]).text
    assert said.startswith("dropped on wg0, even from ANNA")
