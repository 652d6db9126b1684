"""How do the pieces of several tools make one Snapshot? What shows only when they meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from wgtui.model.network import (
    DEFAULT_TABLE,
    LOCAL_TABLE,
    MAIN_TABLE,
    Link,
    LinkIndex,
    Rule,
    RuleAction,
    TableId,
)
from wgtui.model.routes import RouteTables
from wgtui.model.wireguard import Backend, Device
from wgtui.sources.names import may_be_the_same

_DEFAULT_RULES4: Final = ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, DEFAULT_TABLE))
_WELL_KNOWN: Final = frozenset({TableId(0), LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE})


def one_tree(rules: tuple[Rule, ...]) -> bool:
    """Are IPv4's local and main assumed to be one tree? Yes, while nobody changed a rule (S-A4)."""
    # Who installed a rule is told by some versions only.
    told = tuple(replace(rule, protocol="") for rule in rules)
    return told == tuple(Rule(priority, 4, table=table) for priority, table in _DEFAULT_RULES4)


def with_backends(
    devices: Mapping[LinkIndex, Device], links: Mapping[LinkIndex, Link]
) -> dict[LinkIndex, Device]:
    """The devices, those on a tun link known for userspace ones (S-E12)."""
    return {
        index: replace(device, backend=Backend.USERSPACE) if links[index].kind == "tun" else device
        for index, device in devices.items()
    }


def moved_here(device: Device, links: Mapping[LinkIndex, Link]) -> bool:
    """Was the device surely made in another namespace (S-E20)? Its peers were heard from, and no
    link here can have carried that: but for loopback all are made in the same way."""
    heard = any(
        peer.last_handshake is not None
        and peer.endpoint is not None
        and not peer.endpoint.address.is_loopback()
        for peer in device.peers
    )
    return heard and all(link.loopback or link.index == device.link for link in links.values())


def hidden_devices(
    links: Mapping[LinkIndex, Link], devices: Mapping[LinkIndex, Device], listed: bool
) -> list[LinkIndex]:
    """The links that are WireGuard, or may be, and whose peers nobody told.

    ``listed``: the devices were asked for. Then a tun link not among them is something else, unless
    the list is seen to be incomplete (made without privilege).
    """
    others = [link for link in links.values() if link.index not in devices]
    sure = [link.index for link in others if link.kind in ("wireguard", "amneziawg")]
    if listed and not sure:
        return []
    return sure + [link.index for link in others if link.kind == "tun"]


def doubt_mixed_names(
    rules: tuple[Rule, ...], routes: RouteTables, links: Iterable[Link]
) -> tuple[Rule, ...]:
    """Mark the rules that may mean a table (or link group) that other facts spell the other way.

    ``ip -N`` prints 100 where ``ip`` prints the name that /etc/iproute2/rt_tables has for it;
    taking them for two tables would send the packet on to the next rule. The routes are those of
    the rules' family.
    """
    links = tuple(links)
    tables = [table for _, table in routes]
    groups = [link.group for link in links]
    vrf_tables = [link.vrf_table for link in links if link.vrf_table is not None]
    return tuple(_doubted(rule, tables, groups, vrf_tables) for rule in rules)


def _doubted(
    rule: Rule, tables: list[TableId], groups: list[int], vrf_tables: list[TableId]
) -> Rule:
    doubts = []
    asked: list[TableId] = []
    if rule.action is RuleAction.TABLE:
        asked = vrf_tables if rule.selector.l3mdev else [rule.table] if rule.table else []
    if any(may_be_the_same(table, tables, _WELL_KNOWN) for table in asked):
        doubts.append("table")
    group = rule.suppress_group
    if group is not None and may_be_the_same(group, groups, {0}):
        doubts.append("suppress_ifgroup")
    return replace(rule, unknown=(*rule.unknown, *doubts)) if doubts else rule
