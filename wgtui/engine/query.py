"""What does one lookup carry? The kernel's flowi4 / flowi6, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from wgtui.model.flow import Flow
from wgtui.model.network import LOOPBACK, Link, LinkIndex
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Snapshot

NO_LINK = LinkIndex(0)
UDP = 17
WITH_PORTS = frozenset({6, 17, 33, 132, 136})
"""Protocols whose packets have ports: TCP, UDP, DCCP, SCTP, UDP-Lite."""


class Query(NamedTuple):
    """One packet as the rules and tables see it."""

    family: Family
    destination: int
    source: int = 0
    """0: no source yet. IPv4 rules compare it all the same (S-A17), IPv6 rules do not (S-A61)."""
    iif: LinkIndex = LOOPBACK
    """lo for packets made here (S-A14)."""
    oif: LinkIndex = NO_LINK
    mark: int = 0
    tos: int = 0
    uid: int = 0
    protocol: int = 0
    sport: int = 0
    dport: int = 0
    flowlabel: int = 0
    scope: int = 0
    """IPv4: routes of a wider scope are passed over (S-B2); asked only to look a gateway up."""
    input: bool = False
    """It arrived on ``iif``: IPv6 then prefers routes through that link (S-B64); IPv4 does not
    let the source pick a leg (S-B9), and takes the first of several defaults (S-B11)."""
    strict: bool = False
    """IPv6: only routes through ``oif`` will do (S-B63)."""
    vrf: LinkIndex = NO_LINK
    """The VRF it belongs to; filled by ``in_vrf`` when the rules are asked."""
    vrf_of_oif: bool = False
    """It belongs there for the sake of ``oif``, not of ``iif``."""


new_query: Final = Query.__new__
"""``Query(…)`` at half the price; see ``prefix.new_prefix``."""


def query_of(snapshot: Snapshot, flow: Flow, iif: LinkIndex, oif: LinkIndex) -> Query:
    """The flow with what it leaves out, as RTM_GETROUTE fills it (S-C3, S-A21, S-A65)."""
    family = flow.family
    uid = flow.uid if flow.uid is not None else snapshot.uid
    if flow.iif is not None and (family == 4 or flow.uid is None):
        uid = 0  # packets from outside belong to nobody here
    protocol = flow.protocol if flow.protocol is not None else UDP if family == 4 else 0
    sport, dport = flow.sport or 0, flow.dport or 0
    if flow.iif is not None and family == 4 and protocol not in WITH_PORTS:
        sport = dport = 0  # taken from the packet, which has none (S-A20)
    return new_query(
        Query,
        family=family,
        destination=int(flow.destination),
        source=int(flow.source) if flow.source is not None else 0,
        iif=iif,
        oif=oif,
        mark=flow.mark,
        tos=flow.tos,
        uid=uid,
        protocol=protocol,
        sport=sport,
        dport=dport,
        flowlabel=flow.flowlabel,
    )


def in_vrf(snapshot: Snapshot, query: Query) -> Query:
    """The packet as rules and tables see it where there are VRFs (S-A23).

    l3mdev.c:l3mdev_update_flow: a VRF as ``oif`` only says which table, and asks for no link.
    """
    if not snapshot.vrfs:
        return query
    vrf, oif = query.vrf, query.oif
    if oif == NO_LINK:
        if vrf == NO_LINK and query.iif != LOOPBACK:
            query = query._replace(vrf=_index(vrf_of(snapshot, query.iif)))
        return query
    if vrf == NO_LINK:
        query = query._replace(vrf=_index(vrf_of(snapshot, oif)), vrf_of_oif=True)
    return query._replace(oif=NO_LINK) if oif in snapshot.vrfs else query


def _index(link: Link | None) -> LinkIndex:
    return NO_LINK if link is None else link.index


def vrf_of(snapshot: Snapshot, index: LinkIndex) -> Link | None:
    """The VRF a link is, or is a member of (S-A23)."""
    return vrf_among(snapshot.links, index)


def vrf_among(links: Mapping[LinkIndex, Link], index: LinkIndex) -> Link | None:
    """The same, where nobody may hold the snapshot (see ``engine.once``)."""
    link = links.get(index)
    if link is not None and link.kind != "vrf":
        link = links.get(link.master) if link.master is not None else None
    return link if link is not None and link.kind == "vrf" else None
