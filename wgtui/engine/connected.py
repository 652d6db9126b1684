"""What does a connecting socket get, where that differs from ``ip route get``?

IPv4: connect() (TCP, connected UDP) looks up twice when the source is unset: the first walk picks
the source, the second repeats it with that source, so ``from`` rules apply and may move the flow to
another link while it keeps the source (S-A40). sendto() on an unconnected socket and ``ip route
get`` look up once. IPv6: one walk, and a second with the source that would be chosen only if the
first ended in an error (S-A41).
"""

from __future__ import annotations

from wgtui.engine.leaving import build, leave
from wgtui.engine.output import Way, send
from wgtui.engine.query import NO_LINK, Query
from wgtui.engine.source_address import select6
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Trace


def connected_trace(snapshot: Snapshot, flow: Flow, query: Query, first: Trace) -> Trace | None:
    """The second walk's trace, when it ends differently; None: sockets get the same answer."""
    bound = query.oif != NO_LINK
    if query.source or (bound and query.family == 4) or not _asks_for_source(snapshot, query):
        return None
    source = _chosen(snapshot, query, first)
    if source == 0:
        return None
    # ip6_output.c:ip6_dst_lookup_tail: still by that link alone, though there is a source now.
    query = query._replace(source=source, strict=bound)
    way = send(snapshot, query)
    if _same(first, way):
        return None
    return build(flow, way, leave(snapshot, way, query, frozenset()))


def _asks_for_source(snapshot: Snapshot, query: Query) -> bool:
    """Can the answer depend on the source at all?"""
    rules = snapshot.rules.get(query.family, ())
    return any(rule.selector.source is not None or rule.unknown for rule in rules)


def _chosen(snapshot: Snapshot, query: Query, first: Trace) -> int:
    """The source of the second walk; 0: there is no second walk."""
    if query.family == 4:
        route = first.route
        failed = route is None or route.link is None or first.outcome is Outcome.LOCAL
        return 0 if failed or route is None or route.source is None else int(route.source)
    errors = (
        Outcome.NO_ROUTE,
        Outcome.UNREACHABLE,
        Outcome.PROHIBITED,
        Outcome.BLACKHOLED,
    )
    if first.outcome not in errors:
        return 0
    source = select6(snapshot, None, query.destination)
    return 0 if source is None else int(source)


def _same(first: Trace, way: Way) -> bool:
    """Does the second walk leave the same way?"""
    one, two = first.route, way.route
    if one is None or two is None:
        return one is two and first.outcome is way.error
    if way.error is not None:
        return way.error is first.outcome
    return one.route == two.route and one.link == two.link and one.gateway == two.gateway
