"""Are tables that follow events the same as tables that are read anew? The kernel makes the events.

The judge is a second source that reads everything after the last change.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.kernel import many_routes
from tests.kernel.hosts import CommandError, Host, Network
from wgtui.model.network import RouteInfo, TableId
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot
from wgtui.sources import following, gather, live
from wgtui.sources.live import LiveSource

Rows = dict[tuple[Family, TableId], tuple[list[int], list[int], list[RouteInfo]]]


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with eth0 and 200 neighbours in each family, as ``many_routes`` wants them."""
    with Network() as network:
        host = network.host("host")
        many_routes.prepare(host)
        host.ip("link add eth1 type veth peer name peer1", "link set eth1 up", "link set peer1 up")
        host.ip("address add 10.10.0.1/16 dev eth1")
        yield host


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which complete readings there have been."""
    seen: list[str] = []
    original = gather.gather

    def counted(namespace: str, source: str, *rest: object) -> Snapshot:
        seen.append("again" if len(rest) < 2 else "but for the routes")
        return original(namespace, source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(live, "gather", counted)
    return seen


def rows(snapshot: Snapshot) -> Rows:
    """Every route of every table: networks, lengths, and what else they say."""
    return {
        key: (
            list(table.tree.networks),
            list(table.tree.lengths),
            [table.infos[value] for value in table.tree.values],
        )
        for key, table in snapshot.routes.items()
    }


def fresh(host: Host) -> Rows:
    """The routes as somebody sees them who comes now."""
    with closing(LiveSource(host.namespace)) as source:
        return rows(source.read())


def still(source: LiveSource, snapshot: Snapshot) -> Snapshot:
    """The snapshot after which nothing moves any more."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        following = source.refresh(snapshot, 0.3)
        if following.routes is snapshot.routes:
            return following
        snapshot = following
    raise AssertionError("it never becomes quiet")


def attempt(host: Host, line: str, family: str) -> None:
    """A line of iproute2's, which the kernel may refuse."""
    try:
        host.run("ip", family, "route", *line.split())
    except CommandError:
        return


WAYS4 = (
    "via 10.9.0.2 dev eth0",
    "via 10.9.0.3 dev eth0",
    "via 10.10.0.2 dev eth1",
    "dev eth1",
    "nexthop via 10.9.0.2 dev eth0 nexthop via 10.10.0.2 dev eth1 weight 3",
)
WAYS6 = (
    "via fd09::2 dev eth0",
    "via fd09::3 dev eth0",
    "dev eth1",
    "nexthop via fd09::2 dev eth0 nexthop via fd09::3 dev eth0",
)


def random_line(dice: random.Random, family: str) -> str:
    """Few prefixes, few metrics: rivals are frequent."""
    prefixes = ["10.1.0.0/16", "10.1.0.0/24", "10.1.2.0/24", "default", "11.0.0.0/8"]
    if family == "-6":
        prefixes = ["2001:db8:1::/48", "2001:db8:1::/64", "2001:db8::/32", "default"]
    verb = dice.choice(("add", "add", "append", "prepend", "replace", "delete", "delete"))
    words = [verb, dice.choice(prefixes), dice.choice(WAYS4 if family == "-4" else WAYS6)]
    if dice.random() < 0.7:
        words.append(f"metric {dice.choice((5, 6))}")
    if dice.random() < 0.2:
        words.append("table 77")
    if family == "-4" and dice.random() < 0.2:
        words.append("tos 0x10")
    return " ".join(words)


@pytest.mark.parametrize("seed", range(4))
def test_any_change_leaves_what_a_new_reading_finds(host: Host, seed: int) -> None:
    """Routes added, prepended, appended, replaced and deleted among rivals, in both families: every
    table is, row by row, what the kernel tells to somebody who asks anew (S-B1)."""
    dice = random.Random(seed)
    with closing(LiveSource(host.namespace)) as source:
        snapshot = still(source, source.read())
        for _ in range(6):
            for _ in range(12):
                family = dice.choice(("-4", "-4", "-6"))
                attempt(host, random_line(dice, family), family)
            snapshot = still(source, snapshot)
            assert rows(snapshot) == fresh(host)


def test_routes_are_followed_without_reading_everything(host: Host, readings: list[str]) -> None:
    """Plain routes that come, are replaced and go cost no reading of the tables; neither do rules;
    snapshots handed out before stay as they were."""
    with closing(LiveSource(host.namespace)) as source:
        first = still(source, source.read())
        before = rows(first)
        readings.clear()
        host.ip(
            "route add 10.1.0.0/16 via 10.9.0.2",
            "route add 10.1.2.0/24 via 10.9.0.3 metric 7",
            "route append 10.1.2.0/24 via 10.9.0.4 metric 7",
            "route replace 10.1.0.0/16 via 10.9.0.9",
            "route add default via 10.9.0.2 table 99",
        )
        host.ip("route add 2001:db8::/32 via fd09::2", family="-6")
        second = still(source, first)
        assert readings == []
        assert rows(second) == fresh(host) != before
        readings.clear()
        host.ip("route delete default table 99", "rule add pref 9 from 10.0.0.1 table 99")
        third = still(source, second)
        assert set(readings) == {"but for the routes"}
        assert third.rules[4] != second.rules[4]
        assert (4, TableId(99)) not in third.routes
        assert rows(first) == before
        assert rows(third) == fresh(host)


def test_a_burst_is_followed_in_parts(
    host: Host, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No snapshot waits for more events than can be applied at once; the next ones come without
    anything new, and the last is that of a new reading."""
    monkeypatch.setattr(following, "_MOST", 10)
    with closing(LiveSource(host.namespace)) as source:
        snapshot = still(source, source.read())
        readings.clear()
        host.ip(
            *(f"route add 10.{number}.0.0/16 via 10.9.0.2" for number in range(100, 125)),
            *(f"route del 10.{number}.0.0/16 via 10.9.0.2" for number in range(100, 105)),
        )
        found = []
        for _ in range(3):
            snapshot = source.refresh(snapshot, 60)
            found.append(sum(map(len, snapshot.routes.values())))
        assert found == [found[0], found[0] + 10, found[0] + 10]
        assert readings == []
        assert rows(snapshot) == fresh(host)
        assert source.refresh(snapshot, 0.0).routes is snapshot.routes


def test_what_goes_silently_is_found_missing(host: Host, readings: list[str]) -> None:
    """The kernel tells nothing of the IPv4 routes that a link takes with it (S-G5): after an event
    of a link everything is read again, whatever routes said meanwhile."""
    host.ip("route add 10.1.0.0/16 via 10.10.0.2", "route add 10.2.0.0/16 via 10.9.0.2")
    with closing(LiveSource(host.namespace)) as source:
        before = still(source, source.read())
        readings.clear()
        host.ip("route add 10.3.0.0/16 via 10.9.0.2", "link set eth1 down")
        after = still(source, before)
        assert "again" in readings
        assert rows(after) == fresh(host)
        assert len(after.routes[4, TableId(254)]) < len(before.routes[4, TableId(254)])


def test_a_hundred_thousand_routes(host: Host, readings: list[str]) -> None:
    """They are read with progress, then half as many changes are followed while they come, without
    another reading, and at the end the tables are those of a new reading."""
    [link] = [entry["ifindex"] for entry in host.ip_json("link", "show", "eth0")]
    chosen = many_routes.prefixes(4, 100_000)
    many_routes.fill(host, 4, chosen, link)
    told: list[int] = []
    with closing(LiveSource(host.namespace)) as source:
        snapshot = source.read(told.append)
        assert len(told) >= 10
        assert 90_000 < max(told) <= 100_100
        snapshot = still(source, snapshot)
        main = snapshot.routes[4, TableId(254)]
        columns = main.tree.columns
        assert set(zip(columns.networks, columns.lengths, strict=True)) >= set(chosen)
        readings.clear()
        with closing(many_routes.route_socket(host)) as sock:
            for number in range(5):
                many_routes.churn(sock, 4, chosen, link, 10_000, seed=number)
                snapshot = source.refresh(snapshot, 5)
        snapshot = still(source, snapshot)
        assert readings == []
        assert rows(snapshot) == fresh(host)
