"""What links and addresses do ``ip -j -d -s link`` and ``ip -j address`` list? Text in, model out.

Rules and routes: ``iproute_rules``, ``iproute_routes``. Any field may be absent, and what is not
named here is passed over, for no other field of a link or an address changes a lookup.
"""

from __future__ import annotations

from netaddr import IPAddress

from wgtui.model.network import Counters, Link, LinkAddress, LinkIndex, Scope, TableId
from wgtui.model.prefix import BITS, Family, Prefix, parse_address_value
from wgtui.sources.fields import Fields, parse_objects
from wgtui.sources.links_builder import LinksBuilder
from wgtui.sources.names import group_number, scope_number, table_id

_ANY_NUMBER = 1 << 64


def parse_links(text: str, file: str = "link.json") -> LinksBuilder:
    """The output of ``ip -j -d -s link show``. Raises ``FormatError``."""
    entries = list(parse_objects(text, file))
    # Only -d tells kinds; it also tells this of every link.
    detailed = any("linkinfo" in entry or "promiscuity" in entry for entry in entries)
    links = LinksBuilder(map(_link, entries), kinds_told=detailed)
    for entry in entries:
        master = entry.text("master")
        if master is not None:
            links.set_master(entry.needed_text("ifname"), master)
    return links


def _link(entry: Fields) -> Link:
    index = entry.number("ifindex")
    if not index:
        raise entry.wrong("ifindex", "is missing")
    flags = entry.texts("flags")
    info = entry.object("linkinfo")
    kind = info.text("info_kind") if info else None
    data = info.object("info_data") if info and kind == "vrf" else None
    vrf_table = data.text("table") if data else None
    group = entry.text("group")
    return Link(
        index=LinkIndex(index),
        name=entry.needed_text("ifname"),
        kind=kind,
        up="UP" in flags if "flags" in entry else None,
        carrier="LOWER_UP" in flags if "flags" in entry else None,
        state=(entry.text("operstate") or "unknown").lower(),
        mtu=entry.number("mtu") or 0,
        group=group_number(group) if group is not None else 0,
        loopback="LOOPBACK" in flags,
        point_to_point="POINTOPOINT" in flags,
        multicast="MULTICAST" in flags,
        noarp="NOARP" in flags,
        alias=entry.text("ifalias") or "",
        vrf_table=TableId(table_id(vrf_table)) if vrf_table is not None else None,
        peer_namespace=entry.number("link_netnsid"),
        xdp=entry.flag("xdp"),
        counters=_counters(entry),
    )


def _counters(entry: Fields) -> Counters | None:
    stats = entry.object("stats64") or entry.object("stats")
    if stats is None:
        return None
    counted = {
        f"{way}_{what}": part.number(what, _ANY_NUMBER) or 0
        for way in ("rx", "tx")
        if (part := stats.object(way))
        for what in ("bytes", "packets", "errors", "dropped")
    }
    received = stats.object("rx")
    frame_errors = received.number("frame_errors", _ANY_NUMBER) if received else None
    return Counters(**counted, rx_frame_errors=frame_errors or 0)


def add_addresses(text: str, links: LinksBuilder, file: str = "address.json") -> None:
    """Put the output of ``ip -j address show`` on its links. Raises ``FormatError``."""
    found = [
        (
            entry.needed_text("ifname"),
            tuple(_address(info) for info in entry.objects("addr_info") if info.values),
        )
        for entry in parse_objects(text, file)
    ]
    for name, addresses in found:
        links.add_addresses(name, addresses)


def _address(info: Fields) -> LinkAddress:
    family: Family = 6 if info.text("family") == "inet6" else 4
    local = family_address(info, "local", family)
    if local is None:
        raise info.wrong("local", "is missing")
    peer = family_address(info, "address", family)
    length = info.number("prefixlen", BITS[family])
    scope = info.text("scope")
    number = scope_number(scope) if scope is not None else Scope.UNIVERSE
    return LinkAddress(
        address=local,
        prefix=Prefix.of(family, int(peer or local), BITS[family] if length is None else length),
        scope=Scope.UNIVERSE if number is None else number,
        peer=peer,
        secondary=info.flag("secondary") or info.flag("temporary"),
        deprecated=info.flag("deprecated"),
        tentative=info.flag("tentative") or info.flag("dadfailed"),
        label=info.text("label") or "",
    )


def family_address(entry: Fields, key: str, family: Family) -> IPAddress | None:
    """An address of one family; None when absent. Raises ``FormatError``."""
    text = entry.text(key)
    if text is None:
        return None
    try:
        return IPAddress(parse_address_value(text, family), family)
    except ValueError as error:
        raise entry.wrong(key, str(error)) from None
