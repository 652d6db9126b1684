"""Which route wins in one table, and who lost to it? IPv4.

fib_trie.c:fib_table_lookup; S-B1 … S-B5. Candidates are visited longest prefix first; at one prefix
in dump order (tos descending, metric ascending, then list order). The first that nothing speaks
against wins; everything else that covers the address is a loser with a reason.

While IPv4's local and main tables are still one tree (S-A4), both are visited together: the longer
prefix first, local before main at the same prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from wgtui.engine.query import NO_LINK, Query
from wgtui.engine.selectors import LEGACY_TOS
from wgtui.model.network import LOCAL_TABLE, NextHop, Route, RouteInfo, RouteType, TableId
from wgtui.model.routes import RouteTable
from wgtui.model.trace import Loss, LostRoute, Refusal, TableStep

ERROR_TYPES: Final = frozenset(
    {
        RouteType.BLACKHOLE,
        RouteType.UNREACHABLE,
        RouteType.PROHIBIT,
        RouteType.THROW,
        RouteType.NAT,
        RouteType.XRESOLVE,
    }
)
"""Decided before next hops and oif are looked at (S-B3)."""


new_lost: Final = LostRoute.__new__
_new_step: Final = TableStep.__new__
"""At half the price; see ``prefix.new_prefix``."""


@cache
def shorter(wanted: int, got: int) -> Refusal:
    """Why a prefix of length ``got`` loses to a longer one."""
    return Refusal("prefix", f"/{wanted}", f"/{got}")


class Match(NamedTuple):
    """What one look into one table gave."""

    step: TableStep
    legs: tuple[NextHop, ...] = ()
    """The winner's usable next hops."""
    unknown: bool = False
    """Something of the winner cannot be understood."""


_new_match: Final = Match.__new__


def match4(table: TableId, tables: Sequence[RouteTable], query: Query, told: bool = True) -> Match:
    """Look the destination up in one table, or in the merged local and main tables; without
    ``told``, nobody asks who lost."""
    candidates = _candidates(tables, query.destination)
    if not candidates:
        return Match(TableStep(table, None))
    winner: Route | None = None
    legs: tuple[NextHop, ...] = ()
    lost: list[LostRoute] = []
    missed: int | None = None
    for routes, row in candidates:
        if winner is not None:
            lost.append(_after(routes[row], winner))
            continue
        route = routes[row]
        refused, legs = usable4(route.info, query)
        if missed is not None and route.destination.network == missed:
            refused = refused or (Loss.OIF, None)
        if refused is None:
            winner = route
            if not told:
                break
            continue
        lost.append(LostRoute(route, *refused))
        if (
            route.info.nexthop_id is not None
            and refused[0] in (Loss.OIF, Loss.DEAD)
            and route.info.scope >= query.scope
        ):
            # An object without a usable leg hides all routes to the same network address, whatever
            # their length: "goto miss" leaves the whole leaf of the trie. A scope that is too wide
            # is noticed before the object is looked at.
            missed = route.destination.network
    unknown = winner is not None and bool(winner.info.unknown)
    step = _new_step(TableStep, table, winner, tuple(lost) if told else ())
    return _new_match(Match, step, legs if winner else (), unknown)


def _candidates(tables: Sequence[RouteTable], address: int) -> Sequence[tuple[RouteTable, int]]:
    found: list[tuple[RouteTable, int]] = []
    for routes in tables:
        rows = routes.tree.covering_rows(address)
        if not rows:
            continue
        mixed = bool(found)
        found += [(routes, row) for row in rows]
        if mixed:
            found.sort(key=_longest_then_local)  # stable: equals of one table keep their order
    return found


def _longest_then_local(candidate: tuple[RouteTable, int]) -> int:
    routes, row = candidate
    return -2 * routes.tree.lengths[row] + (routes.table != LOCAL_TABLE)


def usable4(
    info: RouteInfo, query: Query
) -> tuple[tuple[Loss, Refusal | None] | None, tuple[NextHop, ...]]:
    """What speaks against a route, or None and its usable next hops (S-B2, S-B5)."""
    if info.tos and info.tos != query.tos & LEGACY_TOS:
        return (Loss.TOS, Refusal("tos", hex(info.tos), hex(query.tos & LEGACY_TOS))), ()
    if info.scope < query.scope:
        return (Loss.OIF, None), ()
    if info.nexthop_blackhole or (info.type is not RouteType.UNICAST and info.type in ERROR_TYPES):
        return None, ()
    alive = info.next_hops
    for leg in alive:
        if leg.dead:
            alive = tuple(leg for leg in info.next_hops if not leg.dead)
            break
    if info.next_hops and not alive:
        return (Loss.DEAD, None), ()
    if query.oif != NO_LINK:
        # With oif there is no hashing: the first leg on that link (S-B7).
        alive = tuple(leg for leg in alive if leg.link == query.oif)[:1]
        if not alive:
            return (Loss.OIF, None), ()
    return None, alive


def _after(route: Route, winner: Route) -> LostRoute:
    if route.destination.length < winner.destination.length:
        refusal = shorter(winner.destination.length, route.destination.length)
        return new_lost(LostRoute, route, Loss.SHORTER, refusal)
    if winner.table == LOCAL_TABLE != route.table:
        return LostRoute(route, Loss.LOCAL_FIRST)
    if winner.info.tos != route.info.tos:
        return LostRoute(route, Loss.TOS, Refusal("tos", hex(winner.info.tos), hex(route.info.tos)))
    metrics = Refusal("metric", str(winner.info.metric), str(route.info.metric))
    return LostRoute(route, Loss.METRIC, metrics)


def rotating_defaults(table: RouteTable, match: Match, query: Query) -> Match:
    """The match with all gateways that dead-gateway detection may choose instead of the first
    default route (S-B11).

    Several IPv4 defaults of one metric, each with a gateway: which one is used depends on the state
    of their neighbours, so all of them can win.
    """
    winner = match.step.winner
    if winner is None or winner.destination.length or len(match.legs) != 1:
        return match
    if query.oif != NO_LINK or query.input:
        return match  # arriving packets always take the first
    if len(winner.info.next_hops) > 1:
        return match  # of a multipath route the hash picks, though one leg be left
    if winner.info.type is not RouteType.UNICAST or match.legs[0].gateway is None:
        return match
    equals = table.tree.same(winner.row)
    if len(equals) == 1:
        return match
    legs = list(match.legs)
    for row in equals:
        info = table.info(row)
        if (
            row == winner.row
            or info.type is not RouteType.UNICAST
            or info.scope != winner.info.scope
        ):
            continue
        if (info.metric, info.tos) != (winner.info.metric, winner.info.tos):
            continue
        legs += [leg for leg in info.next_hops[:1] if not leg.dead and leg.gateway is not None]
    return match._replace(legs=tuple(legs))
