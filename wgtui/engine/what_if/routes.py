"""What does ``ip route add|del|replace …`` do to a table?

IPv4: fib_trie.c:fib_table_insert, fib_table_delete. IPv6: ip6_fib.c:fib6_add_rt2node,
route.c:ip6_route_del. What makes a route the same one: IPv4 prefix, tos and metric; IPv6 prefix,
source prefix and metric, and of those with a gateway all are legs of one (S-B1, S-B66).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from wgtui.engine.fib import ERROR_TYPES
from wgtui.engine.what_if.applied import Applied, Note, Objection, RefusedError, Touched
from wgtui.engine.what_if.next_hops import check_source, resolve
from wgtui.model.command import LegWords, RouteCommand, Verb
from wgtui.model.network import (
    LOCAL_TABLE,
    LOOPBACK,
    MAIN_TABLE,
    NextHop,
    RouteInfo,
    RouteType,
    Scope,
    TableId,
)
from wgtui.model.prefix import Family
from wgtui.model.prefix_columns import edited
from wgtui.model.prefix_index import NONE
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot, Subject

IPV6_METRIC: Final = 1024
"""IP6_RT_PRIO_USER: what the kernel takes for none."""
_OF_LOCAL: Final = (RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.NAT)


def apply_route(snapshot: Snapshot, command: RouteCommand) -> Applied:
    """The host after the route came or went; raises ``RefusedError``."""
    family = command.destination.family
    if snapshot.gap(Subject.ROUTES4 if family == 4 else Subject.ROUTES6) is not None:
        raise RefusedError(Objection.UNSEEN)
    for words in command.legs:
        if words.link is not None and words.link not in snapshot.links_by_name:
            raise RefusedError(Objection.NO_SUCH_LINK, words.link)
    if command.host_bits:
        raise RefusedError(Objection.HOST_BITS, str(command.destination))
    table = table_of(command)
    old = snapshot.table(family, table)
    node = node_of(old, command)
    if command.verb is Verb.DELETE:
        if _is_null_entry(old, node, command):
            raise RefusedError(Objection.NO_SUCH_FILE)
        rows = _without(node, command, snapshot)
    elif family == 4:
        rows = _with4(node, _info(snapshot, command, table), command.verb)
    else:
        rows = node
        for part, verb in _one_by_one(_info(snapshot, command, table), command.verb):
            rows = _with6(rows, part, verb)
    after = replace(
        snapshot, routes=with_node(snapshot, family, table, command.destination[1:], rows)
    )
    notes = () if list(rows) != list(node) else (Note.NOTHING_CHANGES,)
    if family == 6 and may_uncover(node, rows):
        notes = (*notes, Note.BETWEEN_LEGS)
    # Own addresses decide about sources and gateways, too.
    local = table == LOCAL_TABLE or command.type is RouteType.LOCAL
    touched = Touched((command.destination,), everything=local, tables=((family, table),))
    return Applied(after, touched=touched, notes=notes)


def table_of(command: RouteCommand) -> TableId:
    """iproute2 puts what is local into table local."""
    if command.table is not None:
        return command.table
    return LOCAL_TABLE if command.type in _OF_LOCAL else MAIN_TABLE


def node_of(table: RouteTable | None, command: RouteCommand) -> list[RouteInfo]:
    """All routes of exactly this prefix, in the kernel's order."""
    row = table.tree.find(command.destination) if table is not None else NONE
    if table is None or row == NONE:
        return []
    return [table.info(one) for one in table.tree.same(row)]


def with_node(
    snapshot: Snapshot,
    family: Family,
    table: TableId,
    prefix: tuple[int, int],
    node: Sequence[RouteInfo],
) -> dict[tuple[Family, TableId], RouteTable]:
    """All tables, with these routes of one prefix instead of the ones that were there."""
    return with_nodes(snapshot, family, table, {prefix: node})


def with_nodes(
    snapshot: Snapshot,
    family: Family,
    table: TableId,
    nodes: Mapping[tuple[int, int], Sequence[RouteInfo]],
) -> dict[tuple[Family, TableId], RouteTable]:
    """The same for several prefixes of a table."""
    old = snapshot.table(family, table) or RouteTable(family, table)
    infos = list(old.infos)
    edits: dict[tuple[int, int], list[int]] = {}
    for prefix, node in nodes.items():
        edits[prefix] = list(range(len(infos), len(infos) + len(node)))
        infos += node
    columns = edited(family, old.tree.columns, edits)
    tables = dict(snapshot.routes)
    tables.pop((family, table), None)
    if columns.lengths:
        tables[family, table] = RouteTable(family, table, infos=tuple(infos), columns=columns)
    return dict(sorted(tables.items()))


# ------------------------------------------------------------------------------------ the new route


def _info(snapshot: Snapshot, command: RouteCommand, table: TableId) -> RouteInfo:
    family = command.destination.family
    kind = command.type or RouteType.UNICAST
    if family == 4 and command.tos & 3:
        raise RefusedError(Objection.INVALID_TOS, hex(command.tos))
    if family == 6 and command.tos:
        raise RefusedError(Objection.INVALID_TOS, hex(command.tos))
    if kind in (RouteType.NAT, RouteType.XRESOLVE):
        raise RefusedError(Objection.NOT_PREDICTED, kind.value)
    scope = _scope(command, kind)
    source = command.preferred_source
    if kind in ERROR_TYPES:
        if command.legs and family == 4:
            raise RefusedError(Objection.NOT_PREDICTED, kind.value)
        legs: tuple[NextHop, ...] = () if family == 4 else (NextHop(LOOPBACK),)
    else:
        legs = resolve(snapshot, command, table, scope)
    if source is not None and (family == 6 or kind not in ERROR_TYPES):
        check_source(snapshot, source)
    metric = command.metric or (IPV6_METRIC if family == 6 else 0)
    return RouteInfo(
        type=kind,
        scope=scope,
        protocol=command.protocol or "boot",
        metric=metric,
        tos=command.tos,
        source=command.source,
        preferred_source=source,
        next_hops=legs,
        mtu=command.mtu,
        preference=command.preference,
    )


def _scope(command: RouteCommand, kind: RouteType) -> int:
    """iproute2's iproute_modify."""
    if command.destination.family == 6:
        return Scope.UNIVERSE
    if command.scope is not None:
        return command.scope
    if kind is RouteType.LOCAL:
        return Scope.HOST
    if kind in (RouteType.BROADCAST, RouteType.MULTICAST, RouteType.ANYCAST):
        return Scope.LINK
    gateway = command.multipath or any(leg.gateway is not None for leg in command.legs)
    if kind is RouteType.UNICAST and not gateway:
        return Scope.LINK
    return Scope.UNIVERSE


# -------------------------------------------------------------------------------------------- IPv4


def _same_route4(one: RouteInfo, other: RouteInfo) -> bool:
    """Same type and fib_info: what the kernel calls a perfect match."""
    return _bare4(one) == _bare4(other)


def _bare4(info: RouteInfo) -> RouteInfo:
    """Without the flags that come and go with carriers."""
    legs = tuple(replace(leg, dead=False, linkdown=False) for leg in info.next_hops)
    return replace(info, next_hops=legs)


def _with4(node: list[RouteInfo], info: RouteInfo, verb: Verb) -> list[RouteInfo]:
    """Ordered by tos descending, then metric; equal ones by the verb (S-B1)."""
    alike = [at for at, one in enumerate(node) if (one.tos, one.metric) == (info.tos, info.metric)]
    if not alike:
        if verb is Verb.CHANGE:
            raise RefusedError(Objection.NO_SUCH_FILE)
        before = [one for one in node if (-one.tos, one.metric) < (-info.tos, info.metric)]
        return [*before, info, *node[len(before) :]]
    first, last = alike[0], alike[-1]
    match = next((at for at in alike if _same_route4(node[at], info)), None)
    if verb in (Verb.REPLACE, Verb.CHANGE):
        if match is not None and match != first:
            raise RefusedError(Objection.FILE_EXISTS)
        if match == first:
            return node
        return [*node[:first], info, *node[first + 1 :]]
    if verb is Verb.ADD or match is not None:
        raise RefusedError(Objection.FILE_EXISTS)
    at = last + 1 if verb is Verb.APPEND else first
    return [*node[:at], info, *node[at:]]


# -------------------------------------------------------------------------------------------- IPv6


def _one_by_one(info: RouteInfo, verb: Verb) -> list[tuple[RouteInfo, Verb]]:
    """A route with several legs is added leg by leg (route.c:ip6_route_multipath_add)."""
    legs = info.next_hops
    if len(legs) < 2:
        return [(info, verb)]
    parts = [replace(info, next_hops=(leg,)) for leg in legs]
    return [(parts[0], verb), *((part, Verb.APPEND) for part in parts[1:])]


def _may_share(info: RouteInfo) -> bool:
    """rt6_qualify_for_ecmp: it has a gateway and comes from no router."""
    has_gateway = any(leg.gateway is not None for leg in info.next_hops)
    return has_gateway and not info.router_advertised and info.nexthop_id is None


def _with6(node: list[RouteInfo], info: RouteInfo, verb: Verb) -> list[RouteInfo]:
    """Ordered by metric; a route with a gateway joins the others of its metric as a leg."""
    subtree = [at for at, one in enumerate(node) if one.source == info.source]
    alike = [at for at in subtree if node[at].metric == info.metric]
    if alike and verb is Verb.ADD:
        raise RefusedError(Objection.FILE_EXISTS)
    if verb in (Verb.REPLACE, Verb.CHANGE):
        return _replaced6(node, info, alike, verb)
    leg = info.next_hops[0]
    same_leg = (leg.link, leg.gateway)
    for at in alike:
        # A next-hop object equals none but itself (ip6_fib.h:rt6_duplicate_nexthop).
        theirs = node[at].next_hops if node[at].nexthop_id is None else ()
        if same_leg in ((one.link, one.gateway) for one in theirs):
            raise RefusedError(Objection.FILE_EXISTS)
    shared = next((at for at in alike if _may_share(node[at])), None)
    if shared is not None and _may_share(info):
        joined = replace(node[shared], next_hops=(*node[shared].next_hops, leg))
        return [*node[:shared], joined, *node[shared + 1 :]]
    at = sum(one.metric <= info.metric for one in node)
    return [*node[:at], info, *node[at:]]


def _replaced6(
    node: list[RouteInfo], info: RouteInfo, alike: list[int], verb: Verb
) -> list[RouteInfo]:
    if not alike:
        if verb is Verb.CHANGE:
            raise RefusedError(Objection.NO_SUCH_FILE)
        at = sum(one.metric <= info.metric for one in node)
        return [*node[:at], info, *node[at:]]
    like_it = [at for at in alike if _may_share(node[at]) == _may_share(info)]
    at = (like_it or alike)[0]
    return [*node[:at], info, *node[at + 1 :]]


def may_uncover(before: Sequence[RouteInfo], after: Sequence[RouteInfo]) -> bool:
    """Do routes of one IPv6 prefix become fewer that a dump tells as one of several legs, or more
    that it will tell so?

    The kernel keeps one list for each prefix, by metric, and what is added last at the end of its
    metric. Legs with a gateway are one route; one without a gateway, which is none of them, may
    stand between two that were added before and after it. A dump goes on behind the last leg
    (ip6_fib.c:fib6_dump_node), and so it is left out, and comes to light when a leg goes. Lookups
    see it all the time: it is the next in the list if the first leg does not qualify (S-B62).
    """
    joined, left = _joined(before), _joined(after)
    gone = any(len(left.get(metric, ())) < len(legs) for metric, legs in joined.items())
    alone = {info.metric for info in after if not _may_share(info)}
    return gone or any(
        metric in alone for metric, legs in left.items() if legs != joined.get(metric)
    )


def _joined(node: Sequence[RouteInfo]) -> dict[int, tuple[NextHop, ...]]:
    return {
        info.metric: info.next_hops
        for info in node
        if len(info.next_hops) > 1 and info.nexthop_id is None
    }


# ---------------------------------------------------------------------------------------- deleting


def _is_null_entry(
    table: RouteTable | None, node: Sequence[RouteInfo], command: RouteCommand
) -> bool:
    """Does this delete what stands for "no default route" in an IPv6 table? It hangs on lo, fits
    words that say no more than that, and cannot be deleted (ip6_fib.c:fib6_null_entry,
    route.c:ip6_route_del). Tables main and local have one from the start, others from their first
    route on, and for good: of an empty one no dump tells."""
    if command.destination[1:] != (0, 0) or command.destination.family == 4:
        return False
    there = table is not None or table_of(command) in (MAIN_TABLE, LOCAL_TABLE)
    if not there or command.metric or command.protocol is not None:
        return False
    if any(info.source is None or command.source is not None for info in node):
        return False
    return all(words.gateway is None and words.link in (None, "lo") for words in command.legs[-1:])


def _without(
    node: list[RouteInfo], command: RouteCommand, snapshot: Snapshot
) -> Sequence[RouteInfo]:
    if command.destination.family == 4 or not command.multipath:
        return _without_one(node, command, snapshot)
    rows: Sequence[RouteInfo] = node
    missing: LegWords | None = None
    for words in command.legs:  # each goes by itself (route.c:ip6_route_multipath_del)
        try:
            rows = _without_one(rows, replace(command, legs=(words,)), snapshot)
        except RefusedError:
            missing = words
    if missing is None:
        return rows
    if rows is node:
        raise RefusedError(Objection.NO_SUCH_PROCESS)
    raise RefusedError(Objection.SOME_LEGS, _leg_text(missing))


def _leg_text(words: LegWords) -> str:
    via = f"via {words.gateway} " if words.gateway is not None else ""
    return f"{via}dev {words.link}" if words.link is not None else via.strip()


def _without_one(
    node: Sequence[RouteInfo], command: RouteCommand, snapshot: Snapshot
) -> Sequence[RouteInfo]:
    if command.destination.family == 6 and all(info.source is None for info in node):
        # Where no route asks for a source "from" is not looked at (ip6_fib.c:fib6_locate).
        command = replace(command, source=None)
    for at, info in enumerate(node):
        if not _described(info, command):
            continue
        legs = _legs_to_delete(snapshot, info, command)
        if legs is None:
            continue
        kept = tuple(leg for leg in info.next_hops if leg not in legs)
        if command.destination.family == 6 and kept:
            return [*node[:at], replace(info, next_hops=kept), *node[at + 1 :]]
        return [*node[:at], *node[at + 1 :]]
    raise RefusedError(Objection.NO_SUCH_PROCESS)


def _described(info: RouteInfo, command: RouteCommand) -> bool:
    """Everything that was given beside the next hops; the rest is not compared."""
    if command.metric and command.metric != info.metric:
        return False
    if command.protocol is not None and command.protocol != info.protocol:
        return False
    if command.destination.family == 6:
        return command.source == info.source
    if command.preferred_source is not None and command.preferred_source != info.preferred_source:
        return False
    if command.scope is not None and command.scope not in (info.scope, Scope.NOWHERE):
        return False
    kind = command.type
    return info.tos == command.tos and (kind is None or kind is info.type)


def _legs_to_delete(
    snapshot: Snapshot, info: RouteInfo, command: RouteCommand
) -> tuple[NextHop, ...] | None:
    """The legs that go; None: it is another route. IPv4 takes the whole route, IPv6 one leg when a
    gateway was given (route.c:ip6_route_del)."""
    if info.nexthop_id is not None and command.legs and command.destination.family == 4:
        return None
    if not command.legs or info.nexthop_id is not None:
        return info.next_hops  # IPv6 compares no words with a next-hop object
    wanted = []
    for words in command.legs:
        link = snapshot.links_by_name.get(words.link) if words.link is not None else None
        wanted.append((link.index if link is not None else None, words.gateway))
    if command.destination.family == 4:
        legs = info.next_hops if command.multipath else info.next_hops[:1]
        if len(legs) != len(wanted):
            return None
        fits = all(_fits(leg, *want) for leg, want in zip(legs, wanted, strict=True))
        return info.next_hops if fits else None
    found = tuple(leg for leg in info.next_hops if any(_fits(leg, *want) for want in wanted))
    if not found:
        return None
    by_gateway = any(gateway is not None for _, gateway in wanted)
    return found[:1] if by_gateway or command.multipath else info.next_hops


def _fits(leg: NextHop, link: int | None, gateway: object) -> bool:
    return link in (None, leg.link) and gateway in (None, leg.gateway)
