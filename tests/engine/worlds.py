"""Small hosts, tersely: what every engine test stands on.

    eth0  192.0.2.10/24     2001:db8::10/64      eth1  198.51.100.10/24  2001:db8:1::10/64

Lines are those of ``wgtui.sources.shorthand``: connected routes must be written, the local table
need not.
"""

from __future__ import annotations

from dataclasses import replace

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import Link, LinkAddress
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import RuleStep, Trace
from wgtui.sources.shorthand import HostLines, read_host

LINKS = """
eth0 UP 192.0.2.10/24 2001:db8::10/64
eth1 UP 198.51.100.10/24 2001:db8:1::10/64
"""
ROUTES4 = """
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel src 192.0.2.10
198.51.100.0/24 dev eth1 proto kernel src 198.51.100.10
"""
ROUTES6 = """
default via 2001:db8::1 dev eth0
2001:db8::/64 dev eth0 proto kernel metric 256
2001:db8:1::/64 dev eth1 proto kernel metric 256
"""


def rules(*lines: str, family: Family = 4) -> str:
    """These rules, the default ones around them."""
    last = ["32767: from all lookup default"] if family == 4 else []
    every = ["0: from all lookup local", *lines, "32766: from all lookup main", *last]
    return "\n".join(every)


def world(
    links: str = LINKS,
    *,
    routes4: str = "",
    routes6: str = "",
    rules4: str = rules(),
    rules6: str = rules(family=6),
    sysctls: str = "",
    wireguard: str = "",
    local_in_main: bool | None = None,
) -> Snapshot:
    """A host; the usual routes are there, ``routes4`` and ``routes6`` come on top."""
    lines = HostLines(
        links=links,
        rules4=rules4,
        rules6=rules6,
        routes4=(ROUTES4 if links == LINKS else "") + routes4,
        routes6=(ROUTES6 if links == LINKS else "") + routes6,
        sysctls=sysctls,
        wireguard=wireguard,
    )
    return read_host(lines, local_in_main=local_in_main)


def ask(snapshot: Snapshot, flow: str) -> Trace:
    """What happens to this packet?"""
    return lookup(snapshot, Flow.parse(flow))


def outcome(snapshot: Snapshot, flow: str) -> str:
    """How it ends, and why where there is a reason: ``martian/source-invalid``."""
    trace = ask(snapshot, flow)
    return f"{trace.outcome.value}/{trace.reason.value}" if trace.reason else trace.outcome.value


def way(snapshot: Snapshot, flow: str) -> str:
    """Where it goes: ``TABLE PREFIX [via GATEWAY] dev LINK``; several legs are joined by ``or``."""
    trace = ask(snapshot, flow)
    step = trace.route
    if step is None:
        return trace.outcome.value
    won = f"{step.route.table} {step.route.destination} " if step.route else "on-link "
    hops = [(leg.link, leg.gateway) for leg in step.next_hops]
    if len(hops) < 2:
        hops = [(step.link, step.gateway)]
    ways = [
        (f"via {gateway} " if gateway is not None else "") + f"dev {snapshot.link_name(link)}"
        for link, gateway in hops
    ]
    return won + " or ".join(ways)


def table(snapshot: Snapshot, flow: str) -> int | None:
    """The table the winning route is in."""
    step = ask(snapshot, flow).route
    return step.route.table if step is not None and step.route is not None else None


def source(snapshot: Snapshot, flow: str) -> str | None:
    """The source it is given."""
    step = ask(snapshot, flow).route
    return None if step is None or step.source is None else str(step.source)


def said(trace: Trace) -> list[tuple[int, str]]:
    """Priority and result of every rule that was asked."""
    return [(step.rule.priority, step.result.value) for step in trace.rules if step.rule]


def rule_step(trace: Trace, priority: int) -> RuleStep:
    """What the rule of this priority said."""
    [step] = [step for step in trace.rules if step.rule and step.rule.priority == priority]
    return step


def with_link(snapshot: Snapshot, name: str, changed: Link) -> Snapshot:
    """The same host with another link of that name."""
    index = snapshot.links_by_name[name].index
    return replace(snapshot, links={**snapshot.links, index: changed})


def with_addresses(snapshot: Snapshot, name: str, *addresses: LinkAddress) -> Snapshot:
    """The same host with these addresses on a link, and no other."""
    link = snapshot.links_by_name[name]
    return with_link(snapshot, name, replace(link, addresses=addresses))
