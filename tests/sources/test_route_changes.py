"""Do events turn the tables of one moment into those of a later one, or is it said that not?

The twin is a kernel of a few lines: a list of routes per prefix, changed as fib_table_insert does.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.test_route_dump import NEWROUTE, message, u32
from wgtui.model.routes import RouteTables
from wgtui.sources.nlsocket import attribute
from wgtui.sources.route_changes import RTM_DELROUTE, RouteChanges, UnclearError
from wgtui.sources.route_dump import parse_routes
from wgtui.sources.route_message import BODY

DST, OIF, PRIORITY, TABLE = 1, 4, 6, 15
REPLACE, CREATE, APPEND = 0x100, 0x400, 0x800


@dataclass(frozen=True)
class Plain:
    """A route of the twin; two of them are rivals if TOS and metric agree."""

    tos: int
    metric: int
    link: int

    @property
    def rank(self) -> tuple[int, int]:
        """Where the kernel puts it."""
        return -self.tos, self.metric

    def message(self, network: int, length: int, kind: int = NEWROUTE, flags: int = 0) -> bytes:
        """As in a dump, or in an event."""
        body = BODY.pack(2, length, 0, self.tos, 254, 4, 0, 1, 0) + u32(TABLE, 254)
        body += attribute(DST, struct.pack(">I", network)) if length else b""
        body += u32(PRIORITY, self.metric) + u32(OIF, self.link)
        return message(kind, body, flags)


PREFIXES = ((0, 0), (10 << 24, 8), (10 << 24, 16))
Routes = dict[tuple[int, int], list[Plain]]


@dataclass
class Kernel:
    """The twin: what it has, what it told, and what it had after each thing it told."""

    routes: Routes = field(default_factory=lambda: {prefix: [] for prefix in PREFIXES})
    events: list[bytes] = field(default_factory=list)
    history: list[Routes] = field(default_factory=list)

    def do(self, how: str, prefix: tuple[int, int], route: Plain) -> None:
        """Something `ip route` can do; refused where the kernel refuses it."""
        have = self.routes[prefix]
        rivals = [at for at, other in enumerate(have) if other.rank == route.rank]
        if how == "delete":
            if route in have:
                have.remove(route)
                self._tell(route.message(*prefix, RTM_DELROUTE))
            return
        if route in have or (how == "add" and rivals):
            return
        flags = CREATE
        if how == "replace" and rivals:
            have[rivals[0]] = route
            flags = REPLACE
        elif rivals:
            have.insert(rivals[-1] + 1 if how == "append" else rivals[0], route)
            flags |= APPEND if how == "append" else 0
        else:
            have.insert(sum(other.rank < route.rank for other in have), route)
        self._tell(route.message(*prefix, flags=flags))

    def _tell(self, event: bytes) -> None:
        self.events.append(event)
        self.history.append({prefix: list(have) for prefix, have in self.routes.items()})


def dump(routes: Routes) -> RouteTables:
    """What somebody reads who comes at that moment."""
    chunk = b"".join(
        route.message(*prefix, flags=2) for prefix, have in routes.items() for route in have
    )
    return parse_routes([chunk])[0]


def plain(tables: RouteTables) -> list[tuple[object, object]]:
    """Prefixes and infos, row by row."""
    return [(route.destination, route.info) for table in tables.values() for route in table]


@st.composite
def kernels(draw: st.DrawFn) -> Kernel:
    """After up to twenty changes; rivals are frequent."""
    kernel = Kernel()
    hows = st.sampled_from(("add", "append", "prepend", "replace", "replace", "delete", "delete"))
    plains = st.builds(Plain, st.sampled_from((0, 8)), st.integers(0, 1), st.integers(1, 3))
    for how, prefix, route in draw(
        st.lists(st.tuples(hows, st.sampled_from(PREFIXES), plains), max_size=20)
    ):
        kernel.do(how, prefix, route)
    return kernel


@given(kernels(), st.data())
def test_followed_from_one_moment_to_the_end(kernel: Kernel, data: st.DataObject) -> None:
    """From any moment on, in any batches, events give exactly what is read at the end (S-B1)."""
    start = data.draw(st.integers(0, len(kernel.events)))
    then = kernel.history[start - 1] if start else Kernel().routes
    changes = RouteChanges(dump(then))
    before = plain(changes.tables)
    first, tables = changes.tables, changes.tables
    while start < len(kernel.events):
        end = data.draw(st.integers(start + 1, len(kernel.events)))
        tables = changes.apply(kernel.events[start:end])
        start = end
    assert plain(tables) == plain(dump(kernel.routes))
    assert plain(first) == before


@given(kernels(), st.data())
def test_what_came_during_a_reading_may_be_in_it_already(
    kernel: Kernel, data: st.DataObject
) -> None:
    """Each prefix was read at another moment; all events since the first of them give what is read
    at the end, or it is said that they cannot: never something else."""
    moments = {
        prefix: data.draw(st.integers(0, len(kernel.events)), label=str(prefix))
        for prefix in PREFIXES
    }
    seen = {
        prefix: kernel.history[moment - 1][prefix] if moment else []
        for prefix, moment in moments.items()
    }
    start = data.draw(st.integers(0, min(moments.values())))
    try:
        tables = RouteChanges(dump(seen)).apply(kernel.events[start:], again=True)
    except UnclearError:
        return
    assert plain(tables) == plain(dump(kernel.routes))


def test_plain_changes_during_a_reading_are_never_unclear() -> None:
    """Routes that come, go, and are replaced, one at a time: nothing to be read again."""
    kernel = Kernel()
    one, two = Plain(0, 0, 1), Plain(0, 0, 2)
    kernel.do("add", PREFIXES[1], one)
    kernel.do("add", PREFIXES[2], one)
    kernel.do("replace", PREFIXES[2], two)
    kernel.do("delete", PREFIXES[1], one)
    for moment in (Kernel().routes, *kernel.history):
        tables = RouteChanges(dump(moment)).apply(kernel.events, again=True)
        assert plain(tables) == plain(dump(kernel.routes))


def test_what_should_be_there_and_is_not_makes_it_unclear() -> None:
    """Deleting or replacing what was never seen is no change but a doubt, and changes nothing."""
    one = Plain(0, 0, 1)
    for event in (
        one.message(*PREFIXES[1], RTM_DELROUTE),
        one.message(*PREFIXES[1], flags=REPLACE),
    ):
        changes = RouteChanges(dump({PREFIXES[2]: [one]}))
        with pytest.raises(UnclearError):
            changes.apply([one.message(*PREFIXES[0], flags=CREATE), event])
        assert plain(changes.tables) == plain(dump({PREFIXES[2]: [one]}))
