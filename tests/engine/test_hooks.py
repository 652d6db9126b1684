"""Which netfilter chains may change an answer (S-H1 … S-H5, S-H20)?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.worlds import ask, world
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Hook

ARRIVING = "8.8.8.8 from 192.0.2.7 iif eth0"


def concerned(flow: str, hook: str, does: str, family: str = "inet") -> bool:
    """Does a chain at this hook concern the packet?"""
    chain = Hook(family, "filter", "chain", hook, does=frozenset({does}))
    forwards = "net.ipv4.conf.eth0.forwarding = 1\nnet.ipv6.conf.all.forwarding = 1"
    snapshot = replace(world(sysctls=forwards), hooks=(chain,))
    return ask(snapshot, flow).hooks == (chain,)


@pytest.mark.parametrize(
    ("hook", "does", "made_here", "arriving"),
    [
        ("output", "mark", True, False),
        ("output", "dnat", True, False),
        ("postrouting", "snat", True, True),
        ("prerouting", "mark", False, True),
        ("prerouting", "restore-mark", False, True),
        ("prerouting", "fib-drop", False, True),
        ("forward", "drop", False, True),
        ("postrouting", "mark", False, False),
        ("prerouting", "log", False, False),
    ],
)
def test_a_chain_concerns_packets_that_pass_its_hook_and_that_it_may_change(
    hook: str, does: str, made_here: bool, arriving: bool
) -> None:
    """Output chains see what is made here, prerouting ones what arrives (S-H1 … S-H5)."""
    assert concerned("8.8.8.8", hook, does) is made_here
    assert concerned(ARRIVING, hook, does) is arriving


def test_chains_of_the_other_family_do_not_concern_a_packet() -> None:
    """ip is IPv4, ip6 is IPv6, inet both (S-H1)."""
    for family, four, six in (("ip", True, False), ("ip6", False, True), ("inet", True, True)):
        assert concerned("8.8.8.8", "output", "mark", family) is four
        assert concerned("fd00::1", "output", "mark", family) is six


def test_an_arriving_packet_does_not_meet_what_spares_it() -> None:
    """A chain that drops only what comes in by other links, or goes elsewhere (S-H5)."""
    plain = Hook("ip", "t", "c", "prerouting", does=frozenset({"drop"}))
    for spares, met in (
        ({"not_from": ("eth0",)}, False),
        ({"not_from": ("eth1",)}, True),
        ({"not_beside": (Prefix.parse("8.8.0.0/16"),)}, True),
        ({"not_beside": (Prefix.parse("9.9.0.0/16"),)}, False),
    ):
        hook = replace(plain, **spares)
        assert bool(ask(replace(world(), hooks=(hook,)), ARRIVING).hooks) is met
        marks = replace(hook, does=frozenset({"drop", "mark"}))
        assert ask(replace(world(), hooks=(marks,)), ARRIVING).hooks == (marks,)


def test_no_chains_seen_means_none_named() -> None:
    """Not looked at is said elsewhere; nothing is invented (S-H20)."""
    assert ask(replace(world(), hooks=None), "8.8.8.8").hooks == ()
