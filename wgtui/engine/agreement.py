"""Does the running kernel give the same answer? What can be compared of a Trace and a RTM_GETROUTE
reply.

The kernel knows links, gateways, tables, sources and errnos; it does not know WireGuard, losers or
which rule it was (S-C9). Where several legs can win, any of them agrees (S-B8).
"""

from __future__ import annotations

import errno
from typing import Final

from netaddr import IPAddress

from wgtui.engine.local_tree import merged
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import LOCAL_TABLE, LinkIndex, RouteType
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import BackOutcome, Outcome, Reason, Refusal, RouteStep, Trace

_ERRNOS: Final[dict[Outcome, frozenset[int]]] = {
    Outcome.NO_ROUTE: frozenset({errno.ENETUNREACH}),
    Outcome.PROHIBITED: frozenset({errno.EACCES}),
    Outcome.BLACKHOLED: frozenset({errno.EINVAL}),
    Outcome.MARTIAN: frozenset({errno.EINVAL}),
    # EXDEV before Linux 6.13, EINVAL since (S-C4).
    Outcome.RPF_DROPPED: frozenset({errno.EINVAL, errno.EXDEV}),
    Outcome.NOT_FORWARDED: frozenset({errno.EHOSTUNREACH}),
}
_DELIVERED: Final = (RouteType.LOCAL, RouteType.ANYCAST, RouteType.BROADCAST, RouteType.MULTICAST)


def differences(
    snapshot: Snapshot, trace: Trace, answer: KernelAnswer
) -> tuple[Refusal, ...] | None:
    """Where the two answers differ (wanted: ours, got: the kernel's); empty: they agree.

    None: there is nothing to compare, because wgtui does not know, or refuses before routing does.
    """
    let_in = trace.arrival is None or trace.arrival.outcome is BackOutcome.ACCEPTED
    if trace.outcome is Outcome.NOT_ALLOWED:
        return None
    if trace.outcome is Outcome.UNKNOWN and not (trace.reason is Reason.LEGS_DIFFER and let_in):
        return None
    if trace.outcome is Outcome.MARTIAN and trace.flow.family == 6:
        return None  # the query checks no addresses, only real packets are refused (S-B70)
    expected = _expected_errnos(snapshot, trace)
    if expected is not None:
        if answer.errno in expected:
            return ()
        wanted = " or ".join(_name(number) for number in sorted(expected))
        return (Refusal("answer", wanted, _answer_text(snapshot, answer)),)
    if answer.errno is not None:
        return (Refusal("answer", _own_text(snapshot, trace), _name(answer.errno)),)
    route = trace.route
    if trace.outcome is Outcome.LOCAL:
        if answer.type in _DELIVERED:
            return tuple(_same_entry(snapshot, trace, route, answer)) if route else ()
        return (Refusal("answer", "local", _answer_text(snapshot, answer)),)
    if route is None:
        return None
    return tuple(_differences(snapshot, trace, route, answer))


def _differences(
    snapshot: Snapshot, trace: Trace, route: RouteStep, answer: KernelAnswer
) -> list[Refusal]:
    found: list[Refusal] = []
    legs = [(leg.link, leg.gateway) for leg in route.next_hops] or [(route.link, route.gateway)]
    if len(legs) == 1:
        legs = [(route.link, route.gateway)]
    if (answer.link, answer.gateway) not in legs:
        wanted = " or ".join(_leg_text(snapshot, link, gateway) for link, gateway in legs)
        found.append(Refusal("way", wanted, _leg_text(snapshot, answer.link, answer.gateway)))
    return found + _same_entry(snapshot, trace, route, answer)


def _same_entry(
    snapshot: Snapshot, trace: Trace, route: RouteStep, answer: KernelAnswer
) -> list[Refusal]:
    """Table, prefix and source of the route that both name."""
    found: list[Refusal] = []
    winner = route.route
    if winner is not None and trace.flow.family == 6 and winner.info.nexthop_id is not None:
        # The kernel's cached answer hangs on the next-hop object: it may name, and have the source
        # of, another route that shares the object (route.c:rt6_get_pcpu_route).
        return found
    table = answer.table if winner is not None else None
    if winner is not None and table not in (None, winner.table):
        one_tree = winner.table == LOCAL_TABLE and merged(snapshot)
        if not one_tree:
            found.append(Refusal("table", str(winner.table), str(answer.table)))
    if winner is not None and answer.prefix is not None and winner.destination != answer.prefix:
        found.append(Refusal("prefix", str(winner.destination), str(answer.prefix)))
    single = len(route.next_hops) < 2 and trace.flow.source is None and trace.flow.iif is None
    if winner is not None and trace.flow.family == 6 and len(winner.info.next_hops) > 1:
        single = False  # siblings may differ in "src"; a dump names that of the first only
    if single and answer.source is not None and answer.source != route.source:
        found.append(Refusal("source", str(route.source), str(answer.source)))
    return found


def _expected_errnos(snapshot: Snapshot, trace: Trace) -> frozenset[int] | None:
    """The errnos that mean the same as our outcome; None: we expect a route."""
    arriving, family = trace.flow.iif is not None, trace.flow.family
    if trace.outcome is Outcome.NOT_FORWARDED and family == 6:
        return None  # the query answers although a real packet would be dropped (S-B70)
    if trace.outcome is Outcome.LINK_DOWN and trace.route is None:
        return frozenset({errno.ENETUNREACH, errno.ENETDOWN})
    if trace.outcome is Outcome.UNREACHABLE:
        by_rule = trace.reason is Reason.RULE
        expected = frozenset({errno.ENETUNREACH if by_rule else errno.EHOSTUNREACH})
    elif trace.reason is Reason.SOURCE_NOT_LOCAL:
        expected = frozenset({errno.ENETUNREACH, errno.EINVAL})
    else:
        found = _ERRNOS.get(trace.outcome)
        if found is None:
            return None
        expected = found
    routing = (Outcome.MARTIAN, Outcome.RPF_DROPPED, Outcome.NOT_FORWARDED)
    failed = arriving and family == 4 and trace.outcome not in routing
    if failed and not snapshot.conf(4, trace.flow.iif or "", "forwarding"):
        # A failed lookup says EHOSTUNREACH where forwarding is off (S-B40).
        expected = frozenset({errno.EHOSTUNREACH})
    return expected


def _name(number: int) -> str:
    return errno.errorcode.get(number, str(number))


def _leg_text(snapshot: Snapshot, link: LinkIndex | None, gateway: IPAddress | None) -> str:
    name = snapshot.link_name(link) or "no link"
    return f"via {gateway} dev {name}" if gateway is not None else f"dev {name}"


def _own_text(snapshot: Snapshot, trace: Trace) -> str:
    route = trace.route
    if route is None:
        return trace.outcome.value
    return _leg_text(snapshot, route.link, route.gateway)


def _answer_text(snapshot: Snapshot, answer: KernelAnswer) -> str:
    if answer.errno is not None:
        return _name(answer.errno)
    kind = answer.type.value if answer.type else "a route"
    return f"{kind} {_leg_text(snapshot, answer.link, answer.gateway)}"
