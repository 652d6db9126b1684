"""Does the oracle put the question that `ip route get` puts, and understand the answer?"""

import os
from contextlib import closing

from tests.kernel.hosts import CommandError, FullTunnel, Host, Network
from wgtui.model.flow import Flow
from wgtui.sources.live import LiveSource

FLOWS = (
    "192.0.2.1",
    "203.0.113.9",
    "127.0.0.1",
    "192.0.2.2",
    "10.77.0.2",
    "203.0.113.9 mark 0xca6c",
    "203.0.113.9 from 192.0.2.2",
    "203.0.113.9 from 198.18.0.1",
    "203.0.113.9 oif eth0",
    "203.0.113.9 uid 7",
    "203.0.113.9 ipproto tcp dport 22",
    "203.0.113.9 ipproto tcp sport 5 dport 22 tos 0x10",
    "203.0.113.9 from 192.0.2.77 iif eth0",
    "192.0.2.2 from 192.0.2.77 iif eth0",
    "198.18.7.7",
    "198.18.8.8",
    "224.0.0.1",
    "2001:db8:9::9",
    "fd77::2",
    "::1",
    "2001:db8:7::7",
    "fd77::2 from 2001:db8::7 iif eth0",
)


def test_the_oracle_answers_like_ip_route_get(full_tunnel: FullTunnel) -> None:
    """Link, gateway, source and errno are those of `ip route get` with the same words."""
    laptop = full_tunnel.laptop
    laptop.ip("route add blackhole 198.18.7.0/24", "route add unreachable 198.18.8.0/24")
    laptop.ip("rule add pref 50 uidrange 7-7 prohibit", family="-4")
    with closing(LiveSource(laptop.namespace)) as source:
        snapshot = source.read()
        for text in FLOWS:
            answer = source.ask(Flow.parse(text))
            assert answer is not None
            told = route_get(laptop, text)
            if isinstance(told, str):
                assert answer.errno is not None, text
                assert os.strerror(answer.errno) in told, text
                continue
            assert answer.errno is None, text
            assert snapshot.link_name(answer.link) == told["dev"], text
            assert str(answer.gateway or "") == told.get("gateway", ""), text
            assert str(answer.source or "") == told.get("prefsrc", ""), text


def route_get(host: Host, words: str) -> dict | str:
    """What `ip -j route get` prints, or what it says when the kernel refuses."""
    try:
        [told] = host.ip_json("route", "get", *words.split())
    except CommandError as error:
        return str(error)
    assert isinstance(told, dict)
    return told


def test_the_oracle_names_table_prefix_and_metric(full_tunnel: FullTunnel) -> None:
    """A second question with FIB_MATCH gives what the plain answer leaves out (S-C5)."""
    with closing(LiveSource(full_tunnel.laptop.namespace)) as source:
        tunnelled = source.ask(Flow.parse("203.0.113.9"))
        marked = source.ask(Flow.parse("203.0.113.9 mark 51820"))
        assert tunnelled is not None
        assert marked is not None
        assert (tunnelled.table, str(tunnelled.prefix)) == (51820, "0.0.0.0/0")
        assert (marked.table, str(marked.gateway)) == (254, "192.0.2.1")
        assert marked.metric == 0


def test_what_the_oracle_cannot_be_asked() -> None:
    """A protocol the kernel does not take is no answer; a link that is not there is ENODEV."""
    with Network() as network, closing(LiveSource(network.host("lonely").namespace)) as source:
        assert source.ask(Flow.parse("192.0.0.2 ipproto 47")) is None
        answer = source.ask(Flow.parse("192.0.0.2 oif nosuch"))
        assert answer is not None
        assert answer.errno == 19
