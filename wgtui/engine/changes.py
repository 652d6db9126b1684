"""What moved between two looks at a host? An AllowedIPs entry with another owner is one change.

What counts by itself does not: bytes, ages, handshakes that are renewed in time, seconds a route
has left. What could not be seen in one of the two looks has not changed: that it is hidden, or
visible again, is the change. Links are the same when they are called the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from wgtui.engine.device_changes import device_changes
from wgtui.engine.table_changes import Sameness, differences
from wgtui.model.change import (
    AddressChange,
    Change,
    Flood,
    LinkChange,
    NextHopChange,
    PlaceChange,
    RouteChange,
    RouteWay,
    RuleChange,
    SettingChange,
    SightChange,
    SubjectChange,
    SysctlChange,
)
from wgtui.model.network import (
    LOCAL_TABLE,
    Link,
    LinkAddress,
    LinkIndex,
    NextHopObject,
    RouteType,
    TableId,
)
from wgtui.model.prefix import FAMILIES, Family, Prefix
from wgtui.model.prefix_index import NONE
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot, Subject

MOST: Final = 50
"""So many changes of one kind in one place are told one by one."""

_RULES: Final = {4: Subject.RULES4, 6: Subject.RULES6}
_ROUTES: Final = {4: Subject.ROUTES4, 6: Subject.ROUTES6}
_UNTOLD: Final = (Subject.CONSISTENCY, Subject.CONFIG, Subject.NEIGHBOURS)
"""Gaps that say nothing of the host, or whose content is told otherwise."""


def changes(before: Snapshot, after: Snapshot, most: int = MOST) -> tuple[Change, ...]:
    """All of it, what concerns WireGuard first; more than ``most`` of a kind and place are one
    ``Flood``."""
    if before is after:
        return ()
    found: list[Change] = []
    found += _sights(before, after)
    found += _calmed(device_changes(before, after), most)
    found += _calmed(_links(before, after), most)
    for family in FAMILIES:
        found += _calmed(_rules(before, after, family), most)
        found += _routes(before, after, family, most)
    found += _calmed(_nexthops(before, after), most)
    found += _calmed(_sysctls(before, after), most)
    found += _others(before, after)
    for place, there in after.elsewhere.items():
        was = before.elsewhere.get(place)
        if was is not None:
            # Configurations are the host's, whichever namespace they are read in.
            told = (one for one in changes(was, there, most) if one not in found)
            found += [PlaceChange(place, one) for one in told]
    return tuple(found)


def _calmed(found: Iterable[Change], most: int) -> list[Change]:
    """One flood instead of too many of a kind in one place."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in found:
        groups.setdefault(_place(change), []).append(change)
    told: list[Change] = []
    for (what, where), group in groups.items():
        if len(group) <= most:
            told += group
            continue
        sides = [_sides(change) for change in group]
        told.append(
            Flood(
                what,
                where,
                added=sides.count((False, True)),
                removed=sides.count((True, False)),
                changed=sides.count((True, True)) + sides.count((False, False)),
            )
        )
    return told


def _place(change: Change) -> tuple[str, str]:
    match change:
        case LinkChange() | SysctlChange() | RuleChange() | NextHopChange():
            where = ""
        case SettingChange(link=link) | AddressChange(link=link):
            where = link
        case SubjectChange() | SightChange() | Flood() | RouteChange() | PlaceChange():
            where = ""
        case _:
            where = change.device
    what = change.key
    return (str(what[0]) if isinstance(what, tuple) else ""), where


def _sides(change: Change) -> tuple[bool, bool]:
    """Was there something before, is there something after?"""
    before, after = change.states or (True, True)
    return before not in (None, False), after not in (None, False)


# ------------------------------------------------------------------------------------------- sight


def _sights(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    old, new = (_hidden(snapshot) for snapshot in (before, after))
    for place, why in new.items():
        if place not in old:
            yield SightChange(*place, seen=False, why=why)
    for place in old:
        if place not in new:
            yield SightChange(*place, seen=True)


def _hidden(snapshot: Snapshot) -> dict[tuple[Subject, str], str]:
    return {
        (gap.subject, snapshot.link_name(gap.link)): gap.why
        for gap in snapshot.gaps
        if gap.subject not in _UNTOLD
    }


def _both_saw(before: Snapshot, after: Snapshot, *subjects: Subject) -> bool:
    return not any(snapshot.gap(subject) for snapshot in (before, after) for subject in subjects)


# ------------------------------------------------------------------------------------------- links


def _links(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.links == after.links or not _both_saw(before, after, Subject.LINKS):
        return
    old, new = (
        {link.name: link for link in snapshot.links.values() if link.seen}
        for snapshot in (before, after)
    )
    renamed = _renamed(old, new)
    addresses = _both_saw(before, after, Subject.ADDRESSES)
    for name, link in old.items():
        now = new.get(renamed.get(name, name))
        if now is None:
            yield LinkChange(name, added=False, kind=link.kind or "")
            continue
        for setting, read in _SETTINGS.items():
            was, is_now = read(link, before), read(now, after)
            if was != is_now:
                yield SettingChange(now.name, setting, was, is_now)
        if addresses:
            yield from _addresses(now.name, link.addresses, now.addresses)
    for name, link in new.items():
        if name not in old and name not in renamed.values():
            yield LinkChange(name, added=True, kind=link.kind or "")
            if addresses:
                yield from _addresses(name, (), link.addresses)


def _renamed(old: Mapping[str, Link], new: Mapping[str, Link]) -> dict[str, str]:
    """Old name to new name, of links that kept their index and changed their name."""
    by_index = {link.index: name for name, link in new.items() if name not in old}
    return {
        name: by_index[link.index]
        for name, link in old.items()
        if name not in new and link.index in by_index
    }


def _state(link: Link, _: Snapshot) -> str:
    if link.up is None:
        return ""
    return "down" if not link.up else "no-carrier" if link.carrier is False else "up"


_SETTINGS: Final[dict[str, Callable[[Link, Snapshot], str]]] = {
    "name": lambda link, _: link.name,
    "index": lambda link, _: str(link.index) if link.index > 0 else "",
    "state": _state,
    "mtu": lambda link, _: str(link.mtu),
    "master": lambda link, snapshot: snapshot.link_name(link.master),
    "group": lambda link, _: str(link.group),
    "alias": lambda link, _: link.alias,
    "vrf-table": lambda link, _: "" if link.vrf_table is None else str(link.vrf_table),
    "xdp": lambda link, _: "on" if link.xdp else "off",
}
"""What of a link may change an answer, as text."""


def _addresses(
    link: str, old: tuple[LinkAddress, ...], new: tuple[LinkAddress, ...]
) -> Iterator[Change]:
    if old == new:
        return

    def keyed(entries: tuple[LinkAddress, ...]) -> dict[object, LinkAddress]:
        return {(int(e.address), e.prefix, e.peer and int(e.peer)): e for e in entries}

    was, now = keyed(old), keyed(new)
    for key, entry in was.items():
        then = now.get(key)
        if then is None or _use(then) != _use(entry):
            yield AddressChange(link, entry, then)
    for key, entry in now.items():
        if key not in was:
            yield AddressChange(link, None, entry)


def _use(entry: LinkAddress) -> tuple[bool, ...]:
    """Whether it may be chosen as a source (S-B30, S-B68)."""
    return entry.secondary, entry.deprecated, entry.tentative


# ----------------------------------------------------------------------------------- rules, routes


def _rules(before: Snapshot, after: Snapshot, family: Family) -> Iterator[Change]:
    old, new = before.rules.get(family), after.rules.get(family)
    if old is None or new is None or old == new:
        return
    was, now = Counter(old), Counter(new)
    for rule in (was - now).elements():
        yield RuleChange(rule, added=False)
    for rule in (now - was).elements():
        yield RuleChange(rule, added=True)


def _routes(before: Snapshot, after: Snapshot, family: Family, most: int) -> Iterator[Change]:
    if before.routes is after.routes or not _both_saw(before, after, _ROUTES[family]):
        return
    same = Sameness(_moved_links(before, after))
    for key in sorted({key for key in (*before.routes, *after.routes) if key[0] == family}):
        yield from _table(before, after, key, same, most)


def _moved_links(before: Snapshot, after: Snapshot) -> dict[LinkIndex, LinkIndex]:
    """Index before to index after, of links that were made anew under their name."""
    return {
        link.index: now.index
        for link in before.links.values()
        if (now := after.links_by_name.get(link.name)) is not None and now.index != link.index
    }


def _table(
    before: Snapshot, after: Snapshot, key: tuple[Family, TableId], same: Sameness, most: int
) -> Iterator[Change]:
    family, table = key
    old, new = before.routes.get(key), after.routes.get(key)
    told: list[Change] = []
    counted: Counter[tuple[bool, bool]] = Counter()
    for row_old, row_new in differences(old, new, same):
        if len(told) <= most or table == LOCAL_TABLE:
            was, now = _way(before, old, row_old), _way(after, new, row_new)
            if table == LOCAL_TABLE and _of_an_address(was, now):
                continue
            told.append(RouteChange(table, _destination(old, row_old, new, row_new), was, now))
        counted[row_old != NONE, row_new != NONE] += 1
    if counted.total() <= most:
        yield from told
        return
    yield Flood(
        "route",
        str(table),
        family,
        added=counted[False, True],
        removed=counted[True, False],
        changed=counted[True, True],
    )


_KERNELS: Final = (RouteType.LOCAL, RouteType.BROADCAST, RouteType.ANYCAST, RouteType.MULTICAST)


def _of_an_address(*ways: RouteWay | None) -> bool:
    """Is it what the kernel adds to the local table with an address? That is told already."""
    infos = [way.info for way in ways if way is not None]
    return all(info.protocol == "kernel" and info.type in _KERNELS for info in infos)


def _way(snapshot: Snapshot, table: RouteTable | None, row: int) -> RouteWay | None:
    if table is None or row == NONE:
        return None
    info = table.info(row)
    return RouteWay(info, tuple(snapshot.link_name(hop.link) for hop in info.next_hops))


def _destination(
    old: RouteTable | None, row_old: int, new: RouteTable | None, row_new: int
) -> Prefix:
    table, row = (old, row_old) if row_old != NONE else (new, row_new)
    return Prefix(4, 0, 0) if table is None else table.tree.prefix(row)


# ------------------------------------------------------------------------------------------ others


def _nexthops(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.nexthops == after.nexthops or not _both_saw(before, after, Subject.NEXTHOPS):
        return
    for number in sorted({*before.nexthops, *after.nexthops}):
        old, new = (_named(snapshot, snapshot.nexthops.get(number)) for snapshot in (before, after))
        if old != new:
            yield NextHopChange(number, old is not None, new is not None)


def _named(snapshot: Snapshot, found: NextHopObject | None) -> object:
    if found is None:
        return None
    links = tuple(snapshot.link_name(hop.link) for hop in found.next_hops)
    hops = tuple((hop.gateway, hop.weight, hop.dead, hop.linkdown) for hop in found.next_hops)
    return links, hops, found.blackhole, found.group, found.unknown


def _sysctls(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """Those that both have: a link brings its own, and takes them with it."""
    if before.sysctls == after.sysctls:
        return
    for path, value in before.sysctls.items():
        now = after.sysctls.get(path, value)
        if now != value:
            yield SysctlChange(path, value, now)


def _others(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if None not in (before.hooks, after.hooks) and before.hooks != after.hooks:
        yield SubjectChange(Subject.FIREWALL)
    if None not in (before.influences, after.influences) and before.influences != after.influences:
        yield SubjectChange(Subject.XFRM)
    old, new = (
        {(config.file, config.name): config for config in snapshot.meant}
        for snapshot in (before, after)
    )
    for file, name in dict.fromkeys((*old, *new)):
        if old.get((file, name)) != new.get((file, name)):
            yield SubjectChange(Subject.CONFIG, file)
