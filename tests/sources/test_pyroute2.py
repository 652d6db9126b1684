"""Do our few structs read what pyroute2 reads? It is their twin here, and nothing else."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from wgtui.model.network import Range
from wgtui.model.prefix import Prefix
from wgtui.sources import rules
from wgtui.sources.nlsocket import HEADER, NetlinkSocket, attribute
from wgtui.sources.rules import (
    ADDRESS_REQUEST,
    RTM_GETADDR,
    RTM_GETRULE,
    parse_addresses,
    rule_message,
    rules_request,
)

SIZES = {"uint32": 4, "uint16": 2, "uint8": 1, "be64": 8, "uid_range": 8, "port_range": 4}
KNOWN = {name: (number, kind) for number, name, kind in fibmsg.nla_map if kind in SIZES}


@st.composite
def rule_messages(draw: st.DrawFn) -> bytes:
    """Any numbers, ranges, names and addresses, in any order."""
    parts = []
    for number, kind in draw(st.lists(st.sampled_from(sorted(KNOWN.values())), unique=True)):
        size = SIZES[kind]
        parts.append(attribute(number, draw(st.binary(min_size=size, max_size=size))))
    parts += [
        attribute(number, draw(st.binary(min_size=4, max_size=4)))
        for number in draw(st.lists(st.sampled_from((1, 2)), unique=True))
    ]
    for number in draw(st.lists(st.sampled_from((3, 17)), unique=True)):
        name = draw(st.text("abz0-.", min_size=1, max_size=15))
        parts.append(attribute(number, name.encode() + b"\0"))
    body = bytes([2]) + draw(st.binary(min_size=11, max_size=11))
    body += b"".join(draw(st.permutations(parts)))
    return HEADER.pack(HEADER.size + len(body), 32, 2, 1, 0) + body


@given(rule_messages())
def test_a_rule_message_says_the_same_to_both(raw: bytes) -> None:
    """Every field of the header, every number, range, name and address."""
    twin = fibmsg(raw)
    twin.decode()
    ours = rule_message(raw)
    assert (ours.to, ours.source, ours.tos) == (twin["dst_len"], twin["src_len"], twin["tos"])
    assert (ours.table, ours.action, ours.flags) == (twin["table"], twin["action"], twin["flags"])
    for name, (number, kind) in KNOWN.items():
        theirs = twin.get_attr(name)
        if kind.endswith("_range"):
            found = getattr(rules, name)
            span = None if theirs is None else Range(*map(int, theirs.split(":")))
            assert ours.range(found) == span
        elif hasattr(rules, name):
            assert getattr(rules, name) == number
            assert ours.number(number) == theirs
    for name in ("FRA_IIFNAME", "FRA_OIFNAME"):
        assert ours.name(getattr(rules, name)) == twin.get_attr(name)
    for name in ("FRA_SRC", "FRA_DST"):
        theirs = twin.get_attr(name)
        said = None if theirs is None else IPAddress(theirs)
        assert ours.address(getattr(rules, name)) == said


@st.composite
def address_messages(draw: st.DrawFn) -> bytes:
    """Of either family, with a far side, a label and long flags, or without."""
    family, size = draw(st.sampled_from(((socket.AF_INET, 4), (socket.AF_INET6, 16))))
    body = struct.pack(
        "=4BI",
        family,
        draw(st.integers(0, size * 8)),
        draw(st.integers(0, 255)),
        draw(st.sampled_from((0, 253, 254))),
        draw(st.integers(1, 0xFFFFFFFF)),
    )
    addresses = st.binary(min_size=size, max_size=size)
    body += attribute(1, draw(addresses))
    if draw(st.booleans()):
        body += attribute(2, draw(addresses))
    if draw(st.booleans()):
        body += attribute(3, b"eth0:1\0")
    if draw(st.booleans()):
        body += attribute(8, struct.pack("=I", draw(st.integers(0, 0xFFFF))))
    body += attribute(6, bytes(16))
    return HEADER.pack(HEADER.size + len(body), 20, 2, 1, 0) + body


@given(st.lists(address_messages(), max_size=3))
def test_an_address_message_says_the_same_to_both(messages: list[bytes]) -> None:
    """Own address, far side, prefix, scope, label and the flags that matter."""
    assert_same(messages)


def assert_same(messages: Sequence[bytes]) -> None:
    """Our addresses of every link, against pyroute2's attributes one by one."""
    found = parse_addresses(messages)
    ours = {index: iter(entries) for index, entries in found.items()}
    assert sum(map(len, found.values())) == len(messages)
    for raw in messages:
        twin = ifaddrmsg(raw)
        twin.decode()
        entry = next(ours[twin["index"]])
        far = IPAddress(twin.get_attr("IFA_ADDRESS"))
        local = twin.get_attr("IFA_LOCAL")
        own = far if local is None else IPAddress(local)
        flags = twin.get_attr("IFA_FLAGS")
        flags = twin["flags"] if flags is None else flags
        assert (entry.address, entry.peer) == (own, None if far == own else far)
        assert entry.prefix == Prefix.of(4 if far.version == 4 else 6, int(far), twin["prefixlen"])
        assert (entry.scope, entry.label) == (twin["scope"], twin.get_attr("IFA_LABEL") or "")
        assert (entry.secondary, entry.deprecated) == (bool(flags & 1), bool(flags & 0x20))
        assert entry.tentative == bool(flags & 8 or flags & 0x44 == 0x40)


@pytest.mark.parametrize("family", [4, 6])
def test_what_this_host_has_reads_the_same(family: int) -> None:
    """Its own rules and addresses, as the kernel sends them."""
    with NetlinkSocket() as sock:
        messages = sock.dump(RTM_GETRULE, rules_request(4 if family == 4 else 6))
        for raw in messages:
            twin, ours = fibmsg(bytes(raw)), rule_message(raw)
            twin.decode()
            assert ours.number(rules.FRA_PRIORITY) == twin.get_attr("FRA_PRIORITY")
            assert ours.number(rules.FRA_TABLE) == twin.get_attr("FRA_TABLE")
        assert messages
        assert_same([bytes(raw) for raw in sock.dump(RTM_GETADDR, ADDRESS_REQUEST)])
