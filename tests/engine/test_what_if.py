"""Predicted hosts, and which addresses change their answer on them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.engine.random_hosts import PEERS, SPACE, hosts, prefixes
from tests.engine.worlds import ROUTES4, rules, world
from wgtui.engine.answer import answer_of
from wgtui.engine.lookup import lookup
from wgtui.engine.what_if import Applied, Objection, apply, predict
from wgtui.engine.what_if.applied import Note
from wgtui.engine.what_if.difference import Difference, differences, reached
from wgtui.engine.what_if.verdict import what_if
from wgtui.model.flow import Flow
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device
from wgtui.sources.commands import parse_command
from wgtui.sources.demo import DemoSource
from wgtui.sources.shorthand_wireguard import vanity_key

WIREGUARD = """wg0 listen-port 51820
    peer anna endpoint 203.0.113.1:51820 allowed-ips 10.1.0.0/16,10.9.0.0/24
    peer bert endpoint 203.0.113.2:51820 allowed-ips 10.2.0.0/16,fd02::/16
    peer cleo allowed-ips 10.3.0.0/16"""
WG_LINKS = """
eth0 UP 192.0.2.10/24 2001:db8::10/64
eth1 DOWN 198.51.100.10/24
wg0 UNKNOWN 10.64.0.1/24
"""
WG_ROUTES = f"""{ROUTES4}
10.0.0.0/8 dev wg0
10.64.0.0/24 dev wg0 proto kernel src 10.64.0.1
""".replace("198.51.100.0/24 dev eth1 proto kernel src 198.51.100.10\n", "")


def host(**lines: str) -> Snapshot:
    """A host with one tunnel."""
    return world(WG_LINKS, routes4=WG_ROUTES, wireguard=WIREGUARD, **lines)  # type: ignore[arg-type]


def after(snapshot: Snapshot, *commands: str) -> Applied:
    """The last of these commands applied."""
    steps = predict(snapshot, [parse_command(command) for command in commands])
    return steps[-1]


def owned(applied: Applied, name: str = "wg0") -> dict[str, set[str]]:
    """Whose AllowedIPs are what, by name or key."""
    device = applied.snapshot.devices[applied.snapshot.links_by_name[name].index]
    return {
        peer.label or peer.public_key: {str(prefix) for prefix in peer.allowed_ips}
        for peer in device.peers
    }


def the_device(applied: Applied) -> Device:
    """The only one."""
    [device] = applied.snapshot.devices.values()
    return device


# ----------------------------------------------------------------------------------- differences


@st.composite
def commands(draw: st.DrawFn) -> str:
    """One of those that matter in the small spaces."""
    family = draw(st.sampled_from(FAMILIES))
    prefix = draw(prefixes(family))
    kind = draw(st.sampled_from(("wg", "wg", "route", "route", "rule", "link")))
    if kind == "wg":
        device = draw(st.sampled_from(("wg0", "wg1")))
        peer = draw(st.sampled_from(PEERS))
        words = draw(
            st.sampled_from(
                (
                    f"allowed-ips {prefix}",
                    f"allowed-ips +{prefix}",
                    "remove",
                    "endpoint 10.0.0.7:51820",
                    "endpoint 203.0.113.77:51820",
                )
            )
        )
        return f"wg set {device} peer {vanity_key(peer + device)} {words}"
    if kind == "route":
        verb = draw(st.sampled_from(("add", "replace", "del", "append")))
        table = draw(st.sampled_from(("", " table 100")))
        hop = draw(st.sampled_from((" dev eth1", " dev wg0", " dev wg1")))
        blackhole = draw(st.integers(0, 4)) == 0
        what = f"blackhole {prefix}" if blackhole else f"{prefix}{hop}"
        return f"ip -{family} route {verb} {what}{table}"
    if kind == "rule":
        selector = draw(
            st.sampled_from(
                (f"to {prefix}", f"from {prefix}", "fwmark 1", "not fwmark 1", "iif eth1")
            )
        )
        action = draw(st.sampled_from(("lookup 100", "unreachable")))
        return f"ip -{family} rule add {selector} {action}"
    return f"ip link set {draw(st.sampled_from(('wg0', 'eth1')))} down"


def one_by_one(before: Snapshot, later: Snapshot, found: Difference, family: Family) -> None:
    """Ask every address of the small space by itself."""
    space = SPACE[family]
    for address in range(space.network, space.last + 1):
        flow = found.flow._replace(destination=IPAddress(address, family))
        old = answer_of(before, lookup(before, flow))
        new = answer_of(later, lookup(later, flow))
        told = [change for change in found.changes if address in change.addresses]
        assert [(one.before, one.after) for one in told] == ([] if old == new else [(old, new)])


@settings(max_examples=40)
@given(hosts(), commands(), commands())
def test_what_changes_is_told_and_nothing_else(before: Snapshot, one: str, two: str) -> None:
    """Random hosts, random commands: the ranges are the difference of every single answer."""
    steps = [apply(before, parse_command(one))]
    steps.append(apply(steps[0].snapshot, parse_command(two)))
    touched = steps[0].touched | steps[1].touched
    later = steps[1].snapshot
    for found in differences(before, later, touched):
        assert found.whole
        one_by_one(before, later, found, found.flow.family)


@settings(max_examples=20)
@given(hosts(), commands(), st.sampled_from(("10.0.0.0 mark 0x1", "10.0.0.0 from 192.0.2.10")))
def test_outside_of_what_is_touched_nothing_changes(
    before: Snapshot, command: str, words: str
) -> None:
    """Also for packets that nobody thought of: addresses that no range reaches stay as they are."""
    applied = apply(before, parse_command(command))
    if applied.touched.everything:
        return
    reach = reached(before, applied.snapshot, applied.touched, 4)
    flow = Flow.parse(words)
    for address in range(SPACE[4].network, SPACE[4].last + 1):
        if address not in reach:
            asked = flow._replace(destination=IPAddress(address, 4))
            old = answer_of(before, lookup(before, asked))
            assert old == answer_of(applied.snapshot, lookup(applied.snapshot, asked))


def test_an_endpoint_in_the_changed_range_changes_all_that_its_peer_owns() -> None:
    """Tunnel in tunnel: a route for one endpoint changes what three peers' packets do (S-E17)."""
    demo = DemoSource().read()
    found = what_if(demo, [parse_command("ip route del 203.0.113.0/26")])
    [bare] = [one for one in found.differences if one.rule is None and one.flow.family == 4]
    owners = {one.after.holder.name for one in bare.changes if one.after.holder is not None}
    assert owners == {"lon3", "bru5", "nas9", "fra1"}
    assert {finding.code.value for finding in found.new} >= {"endpoint-via-tunnel"}


def test_a_rule_that_bare_packets_pass_by_has_a_witness() -> None:
    """``from`` and ``fwmark`` rules are shown by packets that they match (S-A16, S-A17)."""
    plain = world(routes4="default via 198.51.100.1 dev eth1 table 100\n")
    for selector, words in (
        ("fwmark 0x5", "mark 0x5"),
        ("from 192.0.2.10", "from 192.0.2.10"),
        ("from 192.0.2.77", "from 192.0.2.77 iif eth0"),
        ("iif eth1", "iif eth1"),
        ("dport 53", "dport 53"),
    ):
        found = what_if(plain, [parse_command(f"ip rule add {selector} lookup 100")])
        [bare] = [one for one in found.differences if one.rule is None and one.flow.family == 4]
        [seen] = [one for one in found.differences if one.rule is not None]
        assert not bare.changes
        assert words in str(seen.flow)
        if "iif" not in words:
            assert seen.changes


# -------------------------------------------------------------------------------------- wireguard


def test_a_prefix_moves_to_whom_it_is_given() -> None:
    """One prefix, one owner; a list replaces, ``+`` adds (S-E2, S-E3)."""
    key = vanity_key("bert")
    assert owned(after(host(), f"wg set wg0 peer {key} allowed-ips 10.1.0.0/16")) == {
        "anna": {"10.9.0.0/24"},
        "bert": {"10.1.0.0/16"},
        "cleo": {"10.3.0.0/16"},
    }
    added = after(host(), f"wg set wg0 peer {key} allowed-ips +10.9.0.77/24")
    assert owned(added)["anna"] == {"10.1.0.0/16"}
    assert owned(added)["bert"] == {"10.2.0.0/16", "fd02::/16", "10.9.0.0/24"}


def test_minus_takes_only_what_the_peer_has() -> None:
    """Of others, and of covering prefixes, nothing is taken (S-E4)."""
    own = after(host(), "wg set wg0 peer anna allowed-ips -10.9.0.0/24")
    assert owned(own)["anna"] == {"10.1.0.0/16"}
    for other in ("-10.2.0.0/16", "-10.1.0.0/24"):
        same = after(host(), f"wg set wg0 peer anna allowed-ips {other}")
        assert owned(same) == owned(after(host(), "wg set wg0 fwmark 0"))
        assert Note.NOTHING_CHANGES in same.notes


def test_a_removed_peer_leaves_its_prefixes_to_nobody() -> None:
    """Nobody inherits them (S-E3)."""
    found = what_if(host(), [parse_command("wg set wg0 peer bert remove")], None)
    [bare] = [one for one in found.differences if one.flow.family == 4]
    [change] = bare.changes
    assert [str(prefix) for prefix in change.addresses.prefixes()] == ["10.2.0.0/16"]
    assert (change.before.outcome.value, change.after.outcome.value) == ("encrypted", "no-peer")


def test_new_peers_need_a_whole_key() -> None:
    """A name or a beginning means a peer that is there; a key may be new; the own key is ignored
    (S-E5)."""
    new = vanity_key("dora")
    assert owned(after(host(), f"wg set wg0 peer {new} allowed-ips 10.4.0.0/16"))[new] == {
        "10.4.0.0/16"
    }
    nobody = after(host(), "wg set wg0 peer nobody allowed-ips 10.4.0.0/16")
    assert (nobody.objection, nobody.word) == (Objection.NO_SUCH_PEER, "nobody")
    mine = the_device(after(host(), "wg set wg0 fwmark 0")).public_key
    own = after(host(), f"wg set wg0 peer {mine} allowed-ips 10.4.0.0/16")
    assert Note.OWN_KEY in own.notes
    assert "10.4.0.0/16" not in set().union(*owned(own).values())


def test_what_is_no_wireguard_device_is_refused() -> None:
    """No such link, or another kind of it."""
    assert after(host(), "wg set wg7 fwmark 1").objection is Objection.NO_SUCH_LINK
    assert after(host(), "wg set eth0 fwmark 1").objection is Objection.NOT_WIREGUARD


CONF = f"""
[Interface]
ListenPort = 51820
PrivateKey = {"A" * 43}=
[Peer]
PublicKey = {vanity_key("bert")}
AllowedIPs = 10.2.0.0/16, 10.1.0.0/16
[Peer]
PublicKey = {vanity_key("cleo")}
AllowedIPs = 10.2.0.0/16
"""


def test_setconf_makes_everything_anew_and_syncconf_does_not(
    tmp_path: pytest.TempPathFactory,
) -> None:
    """Peers that are not in the file go; with setconf endpoints are forgotten too (S-G44)."""
    file = f"{tmp_path}/wg0.conf"
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123  # pytest's path is typed loosely
        out.write(CONF)
    wanted = {"bert": {"10.1.0.0/16"}, "cleo": {"10.2.0.0/16"}}
    for verb, endpoint in (("setconf", None), ("syncconf", "203.0.113.2:51820")):
        applied = after(host(), f"wg {verb} wg0 {file}")
        assert owned(applied) == wanted
        [bert, _] = the_device(applied).peers
        assert (str(bert.endpoint) if bert.endpoint else None) == endpoint
        assert (Note.ENDPOINT_FORGOTTEN in applied.notes) == (verb == "setconf")
    added = after(host(), f"wg addconf wg0 {file}")
    assert owned(added) == {**wanted, "anna": {"10.9.0.0/24"}}
    assert "A" * 43 not in repr(parse_command(f"wg setconf wg0 {file}"))


# ----------------------------------------------------------------------------------------- routes


@pytest.mark.parametrize(
    ("command", "objection"),
    [
        ("ip route add 10.0.0.0/8 dev wg0", Objection.FILE_EXISTS),
        ("ip route del 10.5.0.0/16 dev wg0", Objection.NO_SUCH_PROCESS),
        ("ip route del 10.0.0.0/8 dev eth0", Objection.NO_SUCH_PROCESS),
        ("ip route change 10.5.0.0/16 dev wg0", Objection.NO_SUCH_FILE),
        ("ip route add 10.5.0.0/16 via 203.0.113.9", Objection.INVALID_GATEWAY),
        ("ip route add 10.5.0.0/16 via 192.0.2.1 dev wg0", Objection.INVALID_GATEWAY),
        ("ip route add 10.5.0.0/16 dev eth1", Objection.LINK_DOWN),
        ("ip route add 10.5.0.0/16 dev wg7", Objection.NO_SUCH_LINK),
        ("ip route add 10.5.0.1/16 dev wg0", Objection.HOST_BITS),
        ("ip route add 10.5.0.0/16 dev wg0 src 10.64.0.9", Objection.SOURCE_NOT_LOCAL),
        ("ip rule del priority 4711", Objection.NO_SUCH_FILE),
        ("ip rule add priority 32766 lookup main", Objection.FILE_EXISTS),
        ("ip rule add priority 100 goto 50", Objection.GOTO_BACKWARDS),
        ("ip address del 192.0.2.11/24 dev eth0", Objection.NO_SUCH_ADDRESS),
        ("ip address add 192.0.2.10/24 dev eth0", Objection.FILE_EXISTS),
        ("sysctl -w net.ipv4.conf.eth7.rp_filter=1", Objection.NO_SUCH_LINK),
        ("sysctl -w vm.swappiness=1", Objection.NO_SUCH_SETTING),
    ],
)
def test_what_the_kernel_would_refuse(command: str, objection: Objection) -> None:
    """Told as such, and the host stays what it is."""
    before = host()
    applied = apply(before, parse_command(command))
    assert applied.objection is objection
    assert applied.snapshot is before


def test_replace_append_and_metric() -> None:
    """``replace`` takes the first of a metric, another metric stands beside it (S-B1)."""

    def routes(applied: Applied) -> list[tuple[str, int]]:
        table = applied.snapshot.table(4, 254)  # type: ignore[arg-type]
        assert table is not None
        return [
            (applied.snapshot.link_name(one.info.next_hops[0].link), one.info.metric)
            for one in table
            if str(one.destination) == "10.0.0.0/8"
        ]

    assert routes(after(host(), "ip route replace 10.0.0.0/8 dev eth0")) == [("eth0", 0)]
    assert routes(after(host(), "ip route append 10.0.0.0/8 dev eth0")) == [("wg0", 0), ("eth0", 0)]
    assert routes(after(host(), "ip route prepend 10.0.0.0/8 dev eth0")) == [
        ("eth0", 0),
        ("wg0", 0),
    ]
    assert routes(after(host(), "ip route add 10.0.0.0/8 dev eth0 metric 9")) == [
        ("wg0", 0),
        ("eth0", 9),
    ]


def test_a_rule_without_a_priority_comes_before_the_second() -> None:
    """S-A3: 32765 on a virgin host, just before a user's own rule elsewhere; and the trees of local
    and main are split (S-A4)."""
    first = after(host(), "ip rule add fwmark 1 lookup 100")
    assert [rule.priority for rule in first.snapshot.rules[4]] == [0, 32765, 32766, 32767]
    assert first.snapshot.local_in_main is False
    other = after(host(rules4=rules("100: from all lookup 7")), "ip rule add fwmark 1 lookup 100")
    assert [rule.priority for rule in other.snapshot.rules[4]] == [0, 99, 100, 32766, 32767]


def test_a_link_that_goes_down_takes_its_routes_along() -> None:
    """Own addresses stay own (S-B6)."""
    found = what_if(host(), [parse_command("ip link set wg0 down")], Flow.parse("10.64.0.1"))
    assert found.traces is not None
    assert [trace.outcome.value for trace in found.traces] == ["local", "local"]
    [bare] = [one for one in found.differences if one.flow.family == 4]
    gone = {str(prefix) for change in bare.changes for prefix in change.addresses.prefixes()}
    assert "10.1.0.0/16" in gone
    assert bare.changes[0].after.legs[0].link == "eth0"


def test_what_is_like_that_already_changes_nothing() -> None:
    """An empty difference, and that is said."""
    for command in ("ip link set wg0 up", "ip route replace 10.0.0.0/8 dev wg0"):
        found = what_if(host(), [parse_command(command)])
        assert found.carried_out
        assert found.steps[0].notes == (Note.NOTHING_CHANGES,)
        assert not any(one.changes for one in found.differences)
