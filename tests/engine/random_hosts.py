"""Small random hosts on small spaces, for twins that look at every address.

All that matters lies in 10.0.0.0/26 and fd00::/122: 64 addresses each, few enough to ask them all.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.engine.worlds import rules, world
from wgtui.model.prefix import BITS, Family, Prefix, address_text
from wgtui.model.snapshot import Snapshot

SPACE: dict[Family, Prefix] = {4: Prefix.parse("10.0.0.0/26"), 6: Prefix.parse("fd00::/122")}
PEERS = ("anna", "bert", "cleo", "dora")

LINKS = """
eth0 UP 192.0.2.10/24 10.0.0.5/29 2001:db8::10/64 fd00::5/125
eth1 UP 198.51.100.10/24 2001:db8:1::10/64
wg0 UNKNOWN 10.9.0.1/32 fd09::1/128 point-to-point
wg1 UNKNOWN 10.9.0.2/32 fd09::2/128 point-to-point
"""
BASE: dict[Family, str] = {
    4: "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 proto kernel src 192.0.2.10\n",
    6: "default via 2001:db8::1 dev eth0\n2001:db8::/64 dev eth0 proto kernel metric 256\n",
}
HOPS: dict[Family, tuple[str, ...]] = {
    4: ("dev eth1", "via 198.51.100.1 dev eth1", "dev wg0", "dev wg1", "dev wg0", "dev wg1"),
    6: ("dev eth1", "via 2001:db8:1::1 dev eth1", "dev wg0", "dev wg1", "dev wg0", "dev wg1"),
}


@st.composite
def prefixes(draw: DrawFn, family: Family) -> str:
    """A prefix inside the space, now and then all of it."""
    space = SPACE[family]
    length = draw(st.integers(space.length, BITS[family]))
    address = space.network + draw(st.integers(0, space.size - 1))
    prefix = Prefix.of(family, address, length)
    return f"{address_text(family, prefix.network)}/{prefix.length}"


@st.composite
def route_lines(draw: DrawFn, family: Family) -> str:
    """Routes of main and of table 100."""
    lines = []
    for number in range(draw(st.integers(0, 7))):
        prefix = draw(prefixes(family))
        table = draw(st.sampled_from(("", "", " table 100")))
        if draw(st.integers(0, 5)) == 0:
            kind = draw(st.sampled_from(("blackhole", "unreachable", "throw")))
            lines.append(f"{kind} {prefix}{table} metric {number}")
        else:
            hop = draw(st.sampled_from(HOPS[family]))
            lines.append(f"{prefix} {hop}{table} metric {number}")
    return "\n".join((BASE[family] + "\n".join(lines)).splitlines())


@st.composite
def rule_lines(draw: DrawFn, family: Family) -> str:
    """None to three rules before main."""
    lines = []
    for number in range(draw(st.integers(0, 3))):
        selector = draw(st.sampled_from(("from all", "from all", "not from all")))
        keyword = draw(st.sampled_from(("to", "from", "fwmark", "iif", "")))
        if keyword in ("to", "from"):
            selector += f" {keyword} {draw(prefixes(family))}"
        elif keyword:
            selector += {"fwmark": " fwmark 0x1", "iif": " iif eth1"}[keyword]
        selector = selector.replace("from all from", "from")
        action = draw(
            st.sampled_from(
                ("lookup 100", "lookup 100 suppress_prefixlength 27", "unreachable", "lookup main")
            )
        )
        lines.append(f"{100 + number}: {selector} {action}")
    return rules(*lines, family=family)


@st.composite
def wireguard_lines(draw: DrawFn) -> str:
    """Two devices; endpoints are outside, inside the space, or missing."""
    lines = []
    for device in ("wg0", "wg1"):
        lines.append(f"{device} listen-port 51820 fwmark {draw(st.sampled_from(('0x0', '0x1')))}")
        for peer in PEERS:
            allowed = [draw(prefixes(4)) for _ in range(draw(st.integers(0, 3)))]
            allowed += [draw(prefixes(6)) for _ in range(draw(st.integers(0, 2)))]
            endpoint = draw(
                st.sampled_from(
                    ("", " endpoint 203.0.113.9:51820", f" endpoint 10.0.0.{len(lines)}:51820")
                )
            )
            words = f" allowed-ips {','.join(allowed)}" if allowed else ""
            lines.append(f"    peer {peer}{device}{endpoint}{words}")
    return "\n".join(lines)


@st.composite
def hosts(draw: DrawFn) -> Snapshot:
    """A host on which nearly everything interesting is in the small spaces."""
    return world(
        LINKS,
        routes4=draw(route_lines(4)),
        routes6=draw(route_lines(6)),
        rules4=draw(rule_lines(4)),
        rules6=draw(rule_lines(6)),
        wireguard=draw(wireguard_lines()),
        sysctls="net.ipv4.conf.eth1.forwarding = 1\nnet.ipv4.conf.eth1.rp_filter = 1\n"
        "net.ipv4.conf.all.rp_filter = 0\nnet.ipv6.conf.all.forwarding = 1\n"
        "net.ipv4.conf.all.accept_local = 0\nnet.ipv4.conf.eth1.accept_local = 0\n",
        local_in_main=False,
    )
