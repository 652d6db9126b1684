"""Which entries of table local do addresses bring with them? What the kernel adds by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netaddr import IPAddress

from wgtui.model.network import LOCAL_TABLE, LOOPBACK, Link, NextHop, RouteInfo, RouteType, Scope
from wgtui.model.prefix import BITS, Family, Prefix, family_of
from wgtui.sources.shorthand_fib import Entry


def local_table(family: Family, links: Iterable[Link], anycast: frozenset[str]) -> Iterator[Entry]:
    """The entries that addresses bring with them; ``anycast``: the links that forward."""
    for link in links:
        mine = [entry for entry in link.addresses if family_of(entry.address) == family]
        for entry in mine:
            address, length = int(entry.address), entry.prefix.length
            source = entry.address if family == 4 else None
            yield _local(family, RouteType.LOCAL, link, address, BITS[family], source)
            if link.loopback and family == 4 and length < 32:
                yield _local(4, RouteType.LOCAL, link, entry.prefix.network, length, source)
            if family == 4 and link.up and length < 31:
                yield _local(4, RouteType.BROADCAST, link, entry.prefix.last, 32, source)
            if family == 6 and link.name in anycast and length < 127:
                yield _local(6, RouteType.ANYCAST, link, entry.prefix.network, 128, None)
        if family == 6 and mine and link.up and link.index != LOOPBACK:
            yield _local(6, RouteType.MULTICAST, link, 0xFF << 120, 8, None, metric=256)


def _local(
    family: Family,
    kind: RouteType,
    link: Link,
    network: int,
    length: int,
    source: IPAddress | None,
    metric: int = 0,
) -> Entry:
    scope = Scope.UNIVERSE
    if family == 4:
        scope = Scope.HOST if kind is RouteType.LOCAL else Scope.LINK
    info = RouteInfo(kind, scope, "kernel", metric, 0, None, source, (NextHop(link.index),))
    return Entry(LOCAL_TABLE, Prefix.of(family, network, length), info)
