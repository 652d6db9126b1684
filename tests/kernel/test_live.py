"""Does the live source see what is really there, notice what changes, and admit what it cannot see?

`ip -j` in the same namespace is the judge.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernel.hosts import Host, Network, run
from wgtui.errors import SourceError
from wgtui.model.flow import Flow
from wgtui.model.network import MAIN_TABLE, Link, RouteInfo
from wgtui.model.prefix import FAMILIES, Prefix
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.sources import gather
from wgtui.sources.facts import FactsSource
from wgtui.sources.live import LiveSource


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with two cables to itself: eth0-peer0 and eth1-peer1, all up."""
    with Network() as network:
        host = network.host("host")
        for number in (0, 1):
            host.ip(
                f"link add eth{number} type veth peer name peer{number}",
                f"link set eth{number} up",
                f"link set peer{number} up",
                f"address add 192.0.{number}.1/24 dev eth{number}",
                f"address add 2001:db8:{number}::1/64 dev eth{number}",
            )
        yield host


def look(host: Host) -> Snapshot:
    """The host as the live source sees it from outside."""
    with closing(LiveSource(host.namespace)) as source:
        return source.read()


def routes_to(snapshot: Snapshot, text: str) -> list[RouteInfo]:
    """What the routes of main to exactly this prefix say."""
    prefix = Prefix.parse(text)
    table = snapshot.table(prefix.family, MAIN_TABLE)
    return [route.info for route in table or () if route.destination == prefix]


def tell(host: Host, folder: Path) -> FactsSource:
    """The host as iproute2 prints it (contract §3)."""
    for name, question in {
        "link.json": "-j -d -s link show",
        "address.json": "-j address show",
        "rule4.json": "-N -j -4 rule show",
        "rule6.json": "-N -j -6 rule show",
        "route4.json": "-N -j -d -4 route show table all",
        "route6.json": "-N -j -d -6 route show table all",
        "nexthop.json": "-N -j -d nexthop show",
    }.items():
        (folder / name).write_text(run("ip", "-n", host.namespace, *question.split()))
    (folder / "sysctl.txt").write_text(host.run("sysctl", "-a", "-r", r"^net\.ipv[46]\.conf"))
    return FactsSource(folder)


# ─── seeing ──────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_ip_shows_is_seen(host: Host, tmp_path: Path) -> None:
    """Links, addresses, rules, routes and next-hop objects equal what `ip -j` tells of them."""
    host.ip(
        "address add 192.0.0.9/24 dev eth0",
        "address add 198.51.100.1 peer 198.51.100.2/32 dev eth1",
        "link set peer1 alias somebody's down mtu 1400 group 7",
        "route add default via 192.0.0.254 metric 100 proto dhcp src 192.0.0.9",
        "route add 10.1.0.0/16 nexthop via 192.0.0.2 weight 3 nexthop dev eth1",
        "route add 10.2.0.0/16 via 203.0.113.1 dev eth0 onlink table 1000 proto bird",
        "route add blackhole 10.3.0.0/16",
        "route add unreachable 10.4.0.0/16 metric 5",
        "route add throw 10.6.0.0/16 table 1000",
        "route add 10.7.0.0/16 via inet6 fe80::7 dev eth0 mtu 1300",
        "route add 10.8.0.0/16 tos 0x10 dev eth0",
        "route add 10.8.0.0/16 dev eth1",
        "nexthop add id 1 via 192.0.0.2 dev eth0",
        "nexthop add id 2 dev eth0",
        "nexthop add id 10 group 1,3/2",
        "nexthop add id 20 blackhole",
        "route add 10.20.0.0/16 nhid 10",
        "route add 10.21.0.0/16 nhid 20",
        "rule add pref 500 not from 10.0.0.0/8 fwmark 0/0xff ipproto udp dport 53-54 "
        "uidrange 0-99 iif nosuch table 77 suppress_prefixlength 0",
        "rule add pref 600 goto 32766",
        "rule add pref 700 oif eth0 sport 7 prohibit",
        "rule add pref 710 fwmark 5 tos 0x10 unreachable",
        "rule add pref 720 table main suppress_ifgroup 7",
    )
    host.ip(
        "route add default via 2001:db8:0::fe metric 7",
        "route add 2001:db8:10::/48 nexthop via 2001:db8::2 weight 2 nexthop via 2001:db8:0::3",
        "route add 2001:db8:11::/48 from 2001:db8:ffff::/48 via 2001:db8::3",
        "route add prohibit 2001:db8:13::/48 table 1000",
        "rule add pref 600 from 2001:db8::/32 to 2001:db8:1::1 lookup 9",
        family="-6",
    )
    seen, told = look(host), tell(host, tmp_path).read()
    assert seen.gaps == ()
    assert [uncounted(link) for link in seen.links.values()] == [
        uncounted(link) for link in told.links.values()
    ]
    for family in FAMILIES:
        # `ip rule` leaves out who installed it unless asked for details.
        assert [replace(rule, protocol="") for rule in seen.rules[family]] == list(
            told.rules[family]
        )
    assert seen.nexthops == told.nexthops
    assert seen.routes.keys() == told.routes.keys()
    for key, table in seen.routes.items():
        assert list(table) == list(told.routes[key])
    for name, value in told.sysctls.items():
        assert seen.sysctls.get(name, value) == value
    assert seen.conf(4, "eth0", "rp_filter") is not None
    assert seen.conf(4, "all", "src_valid_mark") is not None


def uncounted(link: Link) -> Link:
    """The link without what changes all the time."""
    return replace(link, counters=None)


def test_sysctls_are_those_of_the_namespace(host: Host) -> None:
    """Values of all links and of single ones, dots in names and all, are the namespace's own."""
    host.ip("link add eth0.1 type veth peer name other", "link set eth0.1 up")
    host.sysctl("net.ipv4.conf.all.rp_filter", 2)
    host.sysctl("net.ipv4.conf.eth0/1.rp_filter", 1)
    host.sysctl("net.ipv4.conf.eth0.src_valid_mark", 1)
    host.sysctl("net.ipv6.conf.all.forwarding", 1)
    snapshot = look(host)
    assert snapshot.conf(4, "all", "rp_filter") == 2
    assert snapshot.conf(4, "eth0.1", "rp_filter") == 1
    assert snapshot.conf(4, "eth0", "src_valid_mark") == 1
    assert snapshot.conf(4, "eth1", "src_valid_mark") == 0
    assert snapshot.conf(6, "all", "forwarding") == 1
    assert snapshot.conf(6, "eth0", "forwarding") == 1


def test_local_and_main_are_one_tree_until_a_rule_is_added(host: Host) -> None:
    """The kernel itself says whether its IPv4 tables have been split (S-A5)."""
    assert look(host).local_in_main is True
    host.ip("rule add pref 7 blackhole", "rule delete pref 7")
    assert look(host).local_in_main is False


def test_netfilter_is_looked_at(host: Host) -> None:
    """No chains are no hooks; a chain that sets marks is one; neither is a gap."""
    assert look(host).hooks == ()
    chain = "add chain ip t c { type route hook output priority mangle; }"
    rules = f"add table ip t\n{chain}\nadd rule ip t c meta mark set 7\n"
    host.run("nft", "-f", "-", stdin=rules)
    hooks = look(host).hooks
    assert hooks is not None
    assert [(hook.chain, hook.hook, hook.type) for hook in hooks] == [("c", "output", "route")]


def test_this_thread_stays_where_it_is(host: Host) -> None:
    """Reading another namespace moves no thread that was there before."""
    before = Path("/proc/thread-self/ns/net").readlink(), Path("/proc/self/ns/net").readlink()
    assert look(host).namespace == host.namespace
    after = Path("/proc/thread-self/ns/net").readlink(), Path("/proc/self/ns/net").readlink()
    assert before == after


def test_a_namespace_that_is_not_there(host: Host) -> None:
    """The error names those that are."""
    with pytest.raises(SourceError) as missing:
        LiveSource("no-such-namespace")
    assert host.namespace in missing.value.hint
    with pytest.raises(SourceError):
        LiveSource("../../proc/1/ns/net")


# ─── noticing ────────────────────────────────────────────────────────────────────────────────────


def test_nothing_new_is_the_same_snapshot(host: Host) -> None:
    """A refresh in which nothing moved gives back the very snapshot it was given."""
    with closing(LiveSource(host.namespace)) as source:
        settled(source)


def test_time_goes_by_where_nothing_happens(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same facts a newer moment is told now and then: no handshake is 12s old for ever."""
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        monkeypatch.setattr(gather, "AGEING", 0.0)
        after = source.refresh(before, 0.0)
        assert after.taken_at > before.taken_at
        # A new link sends a packet now and then.
        assert replace(after, taken_at=before.taken_at, links=before.links) == before
        assert after.routes is before.routes


def test_equal_tables_put_in_place_are_no_reason_to_read_again(host: Host) -> None:
    """Whoever keeps the older of two equal tables is not made to read all of them at each look."""
    with closing(LiveSource(host.namespace)) as source:
        snapshot = settled(source)
        mine = replace(snapshot, routes=dict(snapshot.routes))
        assert source.refresh(mine, 0.0).routes is mine.routes


def settled(source: LiveSource) -> Snapshot:
    """A snapshot after which nothing moves any more: new links send a few packets at first."""
    until = time.monotonic() + 20
    snapshot = source.read()
    while time.monotonic() < until:
        following = source.refresh(snapshot, 0.3)
        if following is snapshot:
            return snapshot
        snapshot = following
    raise AssertionError("the host never comes to rest")


@pytest.mark.parametrize(
    ("change", "family"),
    [
        ("route add 10.9.0.0/16 dev eth0", None),
        ("route add 2001:db8:99::/48 dev eth0", "-6"),
        ("rule add pref 9 from 10.0.0.0/8 lookup 9", "-4"),
        ("rule add pref 9 from 2001:db8::/32 lookup 9", "-6"),
        ("address add 192.0.9.1/24 dev eth1", None),
        ("link set eth1 mtu 1300", None),
        ("nexthop add id 9 blackhole", None),
    ],
)
def test_changes_are_noticed_at_once(host: Host, change: str, family: str | None) -> None:
    """A waiting refresh returns soon after something changed, long before its time is over."""
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        words = [family] if family else []
        timer = threading.Timer(
            0.1, lambda: run("ip", "-n", host.namespace, *words, *change.split())
        )
        timer.start()
        started = time.monotonic()
        after = before
        while facts(after) == facts(before) and time.monotonic() - started < 20:
            after = source.refresh(after, 20)
        timer.join()
        assert time.monotonic() - started < 10


def facts(snapshot: Snapshot) -> object:
    """Everything but what is counted, as something to compare."""
    routes = {key: list(table) for key, table in snapshot.routes.items()}
    links = [uncounted(link) for link in snapshot.links.values()]
    return links, routes, snapshot.rules, snapshot.nexthops


def test_routes_that_go_away_silently_are_missed(host: Host) -> None:
    """A link that goes down takes its IPv4 routes without a word (S-G5); the refresh sees it."""
    host.ip("route add 10.9.0.0/16 via 192.0.0.2")
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        assert routes_to(before, "10.9.0.0/16")
        host.ip("link set eth0 down")
        after = source.refresh(before, 5)
        assert routes_to(after, "10.9.0.0/16") == []
        assert after.links_by_name["eth0"].up is False


def test_a_lost_carrier_is_seen_on_the_routes(host: Host) -> None:
    """When the other end goes down, link and route say so, though no route event comes."""
    host.ip("route add 10.9.0.0/16 via 192.0.0.2")
    with closing(LiveSource(host.namespace)) as source:
        snapshot = settled(source)
        host.ip("link set peer0 down")
        until = time.monotonic() + 10  # carrier changes reach the FIB up to a second late (S-B5)
        while not is_linkdown(snapshot, "10.9.0.0/16") and time.monotonic() < until:
            snapshot = source.refresh(snapshot, 0.5)
        assert is_linkdown(snapshot, "10.9.0.0/16")
        assert snapshot.links_by_name["eth0"].carrier is False


def is_linkdown(snapshot: Snapshot, text: str) -> bool:
    """Does the only route to this prefix say that its link has no carrier?"""
    [info] = routes_to(snapshot, text)
    return info.next_hops[0].linkdown


def test_quiet_sysctls_are_noticed(host: Host) -> None:
    """src_valid_mark changes without an event (S-G3); the next poll sees it all the same."""
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        host.sysctl("net.ipv4.conf.all.src_valid_mark", 1)
        host.sysctl("net.ipv4.conf.eth0.accept_local", 1)
        after = source.refresh(before, 0.1)
        assert after.conf(4, "all", "src_valid_mark") == 1
        assert after.conf(4, "eth0", "accept_local") == 1
        assert after.routes is before.routes


def test_written_configurations_are_noticed(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no event of it: a file that comes, that is rewritten, and that goes away."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    names = tmp_path / "wgtui" / "names"
    key = "A" * 43 + "="
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        assert before.names == {}
        names.parent.mkdir()
        for name in ("fra1", "a longer name"):
            names.write_text(f"{key} {name}\n")
            after = source.refresh(before, 0.0)
            assert after.names == {key: name}
            assert all(after.routes[one] is table for one, table in before.routes.items())
            before = after
            # Not the very same: a new link sends a packet now and then.
            assert source.refresh(before, 0.0).names is before.names
        names.unlink()
        assert source.refresh(before, 0.0).names == {}


def test_new_netfilter_chains_are_noticed(host: Host) -> None:
    """nft tells rtnetlink nothing; the next poll sees that the ruleset is another one."""
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        chain = "add chain ip t c { type nat hook prerouting priority dstnat; }"
        rules = f"add table ip t\n{chain}\nadd rule ip t c dnat to 192.0.2.9\n"
        host.run("nft", "-f", "-", stdin=rules)
        after = source.refresh(before, 0.1)
        assert after.hooks
        assert source.refresh(after, 0.1).hooks == after.hooks


def test_lost_events_are_said_and_read_again(host: Host) -> None:
    """When more happens than the socket can hold (ENOBUFS, S-G6), everything is read again, and the
    snapshot says how often that was so; the next time, too."""
    with closing(LiveSource(host.namespace)) as source:
        before = settled(source)
        assert before.events_lost == 0
        # SO_RCVBUFFORCE: room for a few events
        source._following.events._routing._socket.setsockopt(1, 33, 2048)
        for time_, net in enumerate((8, 9), start=1):
            host.ip(*(f"route add 10.{net}.{number}.0/24 dev eth0" for number in range(100)))
            after = source.refresh(before, 5)
            assert routes_to(after, f"10.{net}.99.0/24")
            assert after.gap(Subject.CONSISTENCY) is None
            assert after.events_lost == time_
            before = settled(source)
            assert before.events_lost == time_


def test_wake_and_close_end_a_wait(host: Host) -> None:
    """From another thread, wake makes the refresh return with a full read, close just return."""
    source = LiveSource(host.namespace)
    before = settled(source)
    for action in (source.wake, source.close):
        timer = threading.Timer(0.1, action)
        timer.start()
        started = time.monotonic()
        after = source.refresh(before, 60)
        assert time.monotonic() - started < 30
        assert (after is before) == (action == source.close)
        timer.join()
    source.close()
    with pytest.raises(SourceError):
        source.read()


def test_nothing_is_left_open(host: Host) -> None:
    """Reading, refreshing, asking and closing leave no file descriptor behind."""
    look(host)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with closing(LiveSource(host.namespace)) as source:
            source.refresh(source.read(), 0)
            source.ask(Flow.parse("192.0.0.2"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_ctrl_c_ends_a_long_reading_at_once(host: Host) -> None:
    """Whoever waits for work in another namespace can be interrupted: the process ends, though the
    work would go on for an hour, and nothing stays behind."""
    script = """
import sys, time
from wgtui.sources import netns
def work():
    print("working", flush=True)
    time.sleep(3600)
netns.inside(sys.argv[1], work)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script, host.namespace],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Who starts the tests in the background of a script has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no threads here
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "working\n"
        child.send_signal(signal.SIGINT)
        try:
            assert child.wait(60) in (1, 130, -signal.SIGINT)
        finally:
            child.kill()
