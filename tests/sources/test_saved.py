"""Does a saved snapshot come back as it was, and is any other file refused in one line?"""

import dataclasses
import io
import json
import os
import stat
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netaddr import IPAddress

from wgtui.errors import FormatError, SourceError
from wgtui.model.network import (
    Counters,
    Link,
    LinkAddress,
    LinkIndex,
    Masked,
    Neighbour,
    NextHop,
    NextHopObject,
    Range,
    RouteInfo,
    Rule,
    Selector,
    TableId,
)
from wgtui.model.prefix import BITS, FAMILIES, Family, Prefix
from wgtui.model.routes import RouteTables, RouteTablesBuilder
from wgtui.model.snapshot import Gap, Hook, Snapshot
from wgtui.model.wireguard import Device, DeviceConfig, Endpoint, Peer, PeerConfig
from wgtui.sources import open_source
from wgtui.sources.demo import DemoSource
from wgtui.sources.facts import FactsSource
from wgtui.sources.saved import SavedSource, dumps, loads, save

EDGE = Path(__file__).parent / "data" / "edge"


def meaning(snapshot: Snapshot) -> dict[str, object]:
    """Everything of a snapshot in a form that can be compared."""
    values: dict[str, object] = {
        field.name: getattr(snapshot, field.name) for field in dataclasses.fields(snapshot)
    }
    values["routes"] = [(key, list(table)) for key, table in snapshot.routes.items()]
    # The order of a mapping is the kernel's and has a meaning too.
    return {
        name: list(value.items()) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


# --------------------------------------------------------------------------------- random snapshots

NUMBERS = st.integers(0, (1 << 64) - 1)
TEXTS = st.text(max_size=8) | st.sampled_from(["\x1b[31m", "\udcff", "[bold]", "\u202e"])
FAMILY: st.SearchStrategy[Family] = st.sampled_from(FAMILIES)
PREFIXES = FAMILY.flatmap(
    lambda family: st.builds(
        Prefix.of, st.just(family), st.integers(0, (1 << BITS[family]) - 1), st.integers(0, BITS[family])
    )
)
ADDRESSES = PREFIXES.map(lambda prefix: IPAddress(prefix.network, prefix.family))
MOMENTS = st.floats(0, 1e10)

SIMPLE: dict[type, st.SearchStrategy[Any]] = {
    int: NUMBERS,
    str: TEXTS,
    float: MOMENTS,
    Prefix: PREFIXES,
    IPAddress: ADDRESSES,
}


@st.composite
def route_tables(draw: st.DrawFn) -> RouteTables:
    """A few tables whose rows share their infos, some with equal prefixes."""
    shared = draw(st.lists(st.from_type(RouteInfo), min_size=1, max_size=3))
    builder = RouteTablesBuilder()
    for prefix in draw(st.lists(PREFIXES, max_size=6)):
        for info in draw(st.lists(st.sampled_from(shared), min_size=1, max_size=2)):
            builder.add(TableId(draw(st.sampled_from([100, 254, 1 << 33]))), prefix, info)
    return builder.build()


@pytest.fixture(scope="module", autouse=True)
def types_of_the_model() -> None:
    """Tell hypothesis what addresses, prefixes, numbers and texts of the model look like."""
    for kind, strategy in SIMPLE.items():
        st.register_type_strategy(kind, strategy)


def snapshots() -> st.SearchStrategy[Snapshot]:
    """Anything a Snapshot can hold."""
    return st.builds(Snapshot, routes=route_tables())


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_snapshot_comes_back_as_it_was(data: st.DataObject) -> None:
    """Every field of every noun, every table, every row, in their order."""
    snapshot = data.draw(snapshots())
    again = loads(dumps(snapshot), "file")
    assert meaning(again) == meaning(snapshot)
    assert dumps(again) == dumps(snapshot)


def full_snapshot() -> Snapshot:
    """One with no field at its default."""
    address = IPAddress("192.0.2.1")
    prefix = Prefix.parse("192.0.2.0/24")
    return dataclasses.replace(
        FactsSource(EDGE).read(),
        namespace="blue",
        exceptions=((TableId(254), IPAddress("2001:db8::1"), LinkIndex(2)),),
        neighbours=(Neighbour(LinkIndex(2), address, "stale"),),
        rules={
            4: (
                Rule(
                    1,
                    4,
                    Selector(source=prefix, mark=Masked(1, 2), uids=Range(0, 5), inverted=True),
                    suppress_prefix_length=0,
                    unknown=("colour",),
                ),
            )
        },
        gaps=(Gap(next(iter(DemoSource().read().gaps), Gap).subject, "why", "hint", LinkIndex(-1)),)
        if DemoSource().read().gaps
        else (),
    )


def test_real_hosts_come_back_as_they_were() -> None:
    """The captured host, and the demo."""
    for snapshot in (full_snapshot(), FactsSource(EDGE).read(), DemoSource().read()):
        assert meaning(loads(dumps(snapshot), "file")) == meaning(snapshot)
