"""Corners that several rooms of the engine share, one statement each."""

import errno
from dataclasses import replace

from netaddr import IPAddress

from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import RouteType
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, RpResult
from wgtui.sources.demo import DemoSource
from wgtui.sources.shorthand import HostLines, read_host

DEMO = DemoSource().read()


def two_uplinks(routes4: str = "", routes6: str = "") -> Snapshot:
    """A host with two uplinks and the routes given."""
    return read_host(
        HostLines(
            links="""
eth0 UP 192.0.2.10/24 2001:db8:1::10/64
eth1 UP 198.51.100.10/24 2001:db8:2::10/64
""",
            routes4=routes4,
            routes6=routes6,
        )
    )


MULTIPATH = """
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10
198.51.100.0/24 dev eth1 proto kernel scope link src 198.51.100.10
203.0.113.0/24
    nexthop via 192.0.2.1 dev eth0 weight 1
    nexthop via 198.51.100.1 dev eth1 weight 1{flags}
"""


def legs(snapshot: Snapshot, words: str) -> list[str]:
    """The links by which the flow may leave."""
    route = lookup(snapshot, Flow.parse(words)).route
    assert route is not None
    return [snapshot.link_name(leg.link) for leg in route.next_hops]


def test_a_source_picks_its_own_leg_since_linux_6_16() -> None:
    """Before, and where the kernel's version is not known, all legs stay possible (S-B9)."""
    snapshot = two_uplinks(MULTIPATH.format(flags=""))
    words = "203.0.113.9 from 198.51.100.10"
    for kernel, taken in {
        "": ["eth0", "eth1"],
        "?": ["eth0", "eth1"],
        "6.15.11-arch1-1": ["eth0", "eth1"],
        "5.20.0": ["eth0", "eth1"],
        "6.16.0-rc1": ["eth1"],
        "10.0": ["eth1"],
    }.items():
        assert legs(replace(snapshot, kernel=kernel), words) == taken
    new = replace(snapshot, kernel="6.18.44")
    assert legs(new, "203.0.113.9") == ["eth0", "eth1"]
    asks_neighbours = replace(new, sysctls={"net/ipv4/fib_multipath_use_neigh": 1})
    assert legs(asks_neighbours, words) == ["eth0", "eth1"]


def test_a_leg_that_the_kernel_calls_dead_is_not_possible() -> None:
    """The dump folds carrier and settings into `dead`; that flag is what counts (S-B5, S-B10)."""
    snapshot = two_uplinks(MULTIPATH.format(flags=" dead linkdown"))
    assert legs(snapshot, "203.0.113.9") == ["eth0"]


def test_a_mapped_address_is_routed_by_the_ipv6_tables() -> None:
    """::ffff:192.0.2.77 as an IPv6 question has nothing to do with IPv4's routes (S-B69)."""
    routes6 = "default via 2001:db8:2::1 dev eth1 metric 1024"
    snapshot = two_uplinks(MULTIPATH.format(flags=""), routes6)
    trace = lookup(snapshot, Flow.parse("::ffff:192.0.2.77"))
    assert trace.route is not None
    assert snapshot.link_name(trace.route.link) == "eth1"


def test_either_errno_of_rp_filter_agrees() -> None:
    """EXDEV before Linux 6.13 and EINVAL since mean the same refusal (S-C4)."""
    trace = lookup(DEMO, Flow.parse("192.168.10.20 from 172.30.7.9 iif wg1 peer bru5"))
    assert trace.outcome is Outcome.RPF_DROPPED
    for number in (errno.EXDEV, errno.EINVAL):
        assert differences(DEMO, trace, KernelAnswer(errno=number)) == ()
    assert differences(DEMO, trace, KernelAnswer(errno=errno.EACCES)) != ()


def test_the_kernel_is_not_asked_about_wireguard() -> None:
    """It answers with the route into wg1 although no peer owns the address: that agrees (S-C9)."""
    trace = lookup(DEMO, Flow.parse("10.44.0.1"))
    assert trace.outcome is Outcome.NO_PEER
    link = DEMO.links_by_name["wg1"].index
    source = IPAddress("10.20.0.1")
    answer = KernelAnswer(type=RouteType.UNICAST, link=link, source=source)
    assert differences(DEMO, trace, answer) == ()


def test_a_packet_without_a_session_is_still_encrypted() -> None:
    """Without a key it waits for the handshake; where it goes does not change (S-E13)."""
    trace = lookup(DEMO, Flow.parse("10.30.5.1"))
    devices = {
        index: replace(
            device, peers=tuple(replace(peer, last_handshake=None) for peer in device.peers)
        )
        for index, device in DEMO.devices.items()
    }
    never = lookup(replace(DEMO, devices=devices), Flow.parse("10.30.5.1"))
    assert trace.outcome is never.outcome is Outcome.ENCRYPTED
    assert trace.outer == never.outer


def test_the_encrypted_packet_carries_the_devices_mark() -> None:
    """Its own walk is asked with the fwmark, from the first rule to the last (S-E14, S-E18)."""
    trace = lookup(DEMO, Flow.parse("198.51.100.99"))
    assert trace.flow.mark == 0
    assert trace.outer is not None
    assert trace.outer.flow.mark == 0xCA6C


def test_a_decrypted_packet_has_no_mark() -> None:
    """The outer packet's mark is not inherited: rp_filter on the device sees 0 (S-E32, S-D4)."""
    trace = lookup(DEMO, Flow.parse("198.51.100.99 mark 0xca6c"))
    paths = [step.reverse_path for step in trace.back]
    assert paths
    assert all(path is not None and path.mark == 0 for path in paths)
    assert any(path is not None and path.result is RpResult.PASS for path in paths)


def test_without_the_addresses_loose_is_not_judged() -> None:
    """Whether a link has an IPv4 address decides there (S-D6): unseen is not the same as none."""
    words = "192.168.10.20 from 172.30.7.9 iif wg1 peer bru5"
    loose = {**DEMO.sysctls, "net/ipv4/conf/wg1/rp_filter": 2}
    assert lookup(replace(DEMO, sysctls=loose), Flow.parse(words)).outcome is Outcome.SENT
    bare = {index: replace(link, addresses=()) for index, link in DEMO.links.items()}
    gap = Gap(Subject.ADDRESSES, "no file address.json")
    hidden = replace(DEMO, sysctls=loose, links=bare, gaps=(gap,))
    trace = lookup(hidden, Flow.parse(words))
    assert (trace.outcome, trace.reason) == (Outcome.UNKNOWN, Reason.ADDRESSES_UNREADABLE)


def test_a_link_local_source_is_not_forwarded() -> None:
    """Such a source means nothing on another link: martian, whatever the route says (S-B70)."""
    words = "2001:db8:30::9 from fe80::99 iif eth1"
    assert lookup(DEMO, Flow.parse(words)).outcome is Outcome.MARTIAN
