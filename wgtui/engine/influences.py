"""What else could change this answer? What is on the packet's way, and named instead of simulated.

Netfilter chains (S-H1 … S-H5), IPsec policies whose selector may match (S-H6), filters of traffic
control on its links (S-H7), and XDP programs where it, or the answer to it, comes in (S-H8). The
encrypted packet is a packet too: what could change it stands in its own trace (S-E18, S-H20).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from wgtui.engine.once import once
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind, PolicySelector
from wgtui.model.network import LinkIndex, Masked
from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Hook, Snapshot, Subject
from wgtui.model.trace import BackOutcome, Outcome, Trace

_PLACES: Final[dict[bool, dict[str, frozenset[str]]]] = {
    False: {
        "output": frozenset({"mark", "restore-mark", "dnat", "drop", "fib-drop"}),
        "postrouting": frozenset({"snat"}),
    },
    True: {
        "prerouting": frozenset({"mark", "restore-mark", "dnat", "drop", "fib-drop"}),
        "input": frozenset({"drop"}),
        "forward": frozenset({"drop"}),
        "postrouting": frozenset({"snat"}),
    },
}
"""By "it arrives on a link": the hooks it passes and what they may do to it that matters."""


_DROPS: Final = frozenset({"drop", "fib-drop"})
_MARKS: Final = frozenset({"mark", "restore-mark"})


class Considered(NamedTuple):
    """The fields of a Trace that say what could change it."""

    hooks: tuple[Hook, ...]
    influences: tuple[Influence, ...]
    unseen: tuple[Subject, ...]


def considered(snapshot: Snapshot, trace: Trace, entrances: Iterable[LinkIndex]) -> Considered:
    """What could change it; ``entrances`` are where answers to it come in."""
    nothing = _nothing_there(snapshot)
    if nothing is not None:
        return nothing
    found = dict.fromkeys((*_on_links(snapshot, trace, entrances), *_policies(snapshot, trace)))
    return Considered(_hooks(snapshot, trace), tuple(found), _unseen(snapshot))


@once
def _nothing_there(snapshot: Snapshot) -> Considered | None:
    """What holds for every packet of a host where nothing at all was seen on any way."""
    if snapshot.hooks or snapshot.influences or any(link.xdp for link in snapshot.links.values()):
        return None
    return Considered((), (), _unseen(snapshot))


def _hooks(snapshot: Snapshot, trace: Trace) -> tuple[Hook, ...]:
    """The chains that a packet of this flow passes and that may change or drop it."""
    places = _PLACES[trace.flow.iif is not None]
    flow = trace.flow
    found = []
    for hook in snapshot.hooks or ():
        does = hook.does & places.get(hook.hook, frozenset())
        if flow.iif is not None and not hook.may_drop(flow.iif, int(flow.destination)):
            does -= _DROPS
        if does and hook.meets(flow.family):
            found.append(hook)
    return tuple(found)


def before_routing(
    snapshot: Snapshot, family: Family, link: LinkIndex, destination: int
) -> tuple[Hook, ...]:
    """The chains that may drop a packet that comes in before routing sees it, in their order.

    A firewall's own check of the way back is such (S-D9, S-H5); it may ask with the packet's mark,
    so those that set it there are among them: what comes later is too late.
    """
    if not snapshot.hooks:
        return ()
    name = snapshot.link_name(link)
    here = [hook for hook in snapshot.hooks if hook.hook == "prerouting" and hook.meets(family)]
    drop = [hook for hook in here if hook.may_drop(name, destination)]
    if any("fib-drop" in hook.does for hook in drop):
        drop += [hook for hook in here if hook.does & _MARKS and hook not in drop]
    return tuple(sorted(drop, key=lambda hook: hook.priority))


@once
def _unseen(snapshot: Snapshot) -> tuple[Subject, ...]:
    firewall = (Subject.FIREWALL,) if snapshot.hooks is None else ()
    others = tuple(
        subject
        for subject in (Subject.XFRM, Subject.TC)
        if snapshot.influences is None or snapshot.gap(subject)
    )
    return firewall + others


# ------------------------------------------------------------------------------------------- links


def _on_links(
    snapshot: Snapshot, trace: Trace, entrances: Iterable[LinkIndex]
) -> Iterator[Influence]:
    """XDP and tc where the packet leaves, and where it or its answer comes in."""
    came = _came_by(snapshot, trace)
    arriving = tuple(dict.fromkeys((*came, *entrances)))
    leaving = _exits(trace)
    for index in arriving:
        link = snapshot.links.get(index)
        if link is not None and link.xdp:
            yield Influence(InfluenceKind.XDP, Direction.IN, Effect.PROGRAM, index)
    for influence in snapshot.influences or ():
        links = leaving if influence.direction is Direction.OUT else arriving
        if influence.kind is InfluenceKind.TC and influence.link in links:
            yield influence


def _came_by(snapshot: Snapshot, trace: Trace) -> tuple[LinkIndex, ...]:
    link = snapshot.links_by_name.get(trace.flow.iif) if trace.flow.iif is not None else None
    return () if link is None else (link.index,)


def _exits(trace: Trace) -> tuple[LinkIndex, ...]:
    """The links it can leave by; none when it is delivered here, or goes nowhere."""
    route = trace.route
    if route is None or trace.outcome is Outcome.LOCAL:
        return ()
    found = (route.link, *(leg.link for leg in route.next_hops))
    return tuple(dict.fromkeys(link for link in found if link is not None))


# --------------------------------------------------------------------------------------- policies


def _policies(snapshot: Snapshot, trace: Trace) -> Iterator[Influence]:
    """What xfrm_lookup and xfrm_policy_check may find for the packet (net/xfrm/xfrm_policy.c)."""
    directions = _directions(trace)
    for influence in snapshot.influences or ():
        if influence.kind is InfluenceKind.XFRM and influence.direction in directions:
            selector = influence.selector
            if selector is None or _may_match(snapshot, trace, selector):
                yield influence


def _directions(trace: Trace) -> frozenset[Direction]:
    """Forwarded packets are asked about twice: ip_forward checks them, then routes them again."""
    leaves = bool(_exits(trace))
    if trace.flow.iif is None:
        return frozenset({Direction.OUT} if leaves else ())
    if trace.arrival is not None and trace.arrival.outcome is not BackOutcome.ACCEPTED:
        return frozenset()
    if trace.outcome is Outcome.LOCAL:
        return frozenset({Direction.IN})
    return frozenset({Direction.FORWARD, Direction.OUT} if leaves else ())


def _may_match(snapshot: Snapshot, trace: Trace, selector: PolicySelector) -> bool:
    """Could the packet be one of those? What is not known of it counts as a match."""
    flow, route = trace.flow, trace.route
    source = flow.source
    if source is None and route is not None:
        source = route.source
    links = {*_came_by(snapshot, trace), *_exits(trace)}
    kinds = {snapshot.links[link].kind for link in links if link in snapshot.links}
    return (
        selector.family == flow.family
        and _covers(selector.destination, int(flow.destination))
        and (source is None or _covers(selector.source, int(source)))
        and (flow.protocol is None or selector.protocol in (None, flow.protocol))
        and (flow.sport is None or _matches(selector.source_port, flow.sport))
        and (flow.dport is None or _matches(selector.destination_port, flow.dport))
        and _matches(selector.mark, flow.mark)
        and (selector.link is None or selector.link in links)
        and (not selector.interface_id or "xfrm" in kinds)
    )


def _covers(prefix: Prefix | None, address: int) -> bool:
    return prefix is None or prefix.covers(address)


def _matches(wanted: Masked | None, value: int) -> bool:
    return wanted is None or wanted.matches(value)
