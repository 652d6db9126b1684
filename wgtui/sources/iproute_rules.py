"""What rules does ``ip -j rule`` list? Text in, model out, in evaluation order (ip-rule(8), S-A1).

A key that is not known here may be a selector of a later kernel: it is named in ``Rule.unknown``,
and so is a known selector whose value cannot be understood. Neither is ever passed over.
"""

from __future__ import annotations

from typing import Final

from wgtui.model.network import Masked, Range, Rule, RuleAction, Selector, TableId
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.sources.fields import U32, Fields, parse_objects
from wgtui.sources.names import (
    dsfield,
    group_number,
    protocol_name,
    route_type,
    table_id,
    to_number,
    transport_number,
)

_ACTIONS: Final = {
    "blackhole": RuleAction.BLACKHOLE,
    "unreachable": RuleAction.UNREACHABLE,
    "prohibit": RuleAction.PROHIBIT,
}

_SELECTORS: Final = frozenset(
    {"src", "srclen", "dst", "dstlen", "iif", "oif", "fwmark", "fwmask", "tos", "dscp", "dscp_mask"}
    | {"ipproto", "sport", "sport_start", "sport_end", "sport_mask"}
    | {"dport", "dport_start", "dport_end", "dport_mask", "uid_start", "uid_end", "tun_id"}
    | {"flowlabel", "flowlabel_mask"}
)
_OTHERS: Final = frozenset(
    {"priority", "not", "l3mdev", "iif_detached", "oif_detached"}
    | {"table", "suppress_prefixlen", "suppress_ifgroup", "goto", "unresolved", "nop", "action"}
    | {"nat_gateway", "masquerade"}
    # No selectors (S-A24, S-A25).
    | {"protocol", "flow_from", "flow_to"}
)


def parse_rules(text: str, family: Family, file: str | None = None) -> tuple[Rule, ...]:
    """The output of ``ip [-N] -j -4 rule show``, or of ``-6``. Raises ``FormatError``."""
    entries = parse_objects(text, file or f"rule{family}.json")
    # By priority, as the kernel keeps them (S-A1); a folder put together by hand may not be.
    return tuple(sorted((_rule(entry, family) for entry in entries), key=lambda r: r.priority))


def _rule(entry: Fields, family: Family) -> Rule:
    unknown = [key for key in entry.values if not _understood(entry, key)]
    action, table, goto = _action(entry)
    if action is RuleAction.TABLE and table is None and not entry.flag("l3mdev"):
        unknown.append("table")
    group = entry.text("suppress_ifgroup")
    protocol = entry.text("protocol")
    return Rule(
        priority=entry.number("priority") or 0,
        family=family,
        selector=_selector(entry, family, unknown),
        action=action,
        table=table,
        goto=goto,
        suppress_prefix_length=entry.number("suppress_prefixlen"),
        suppress_group=group_number(group) if group is not None else None,
        protocol=protocol_name(protocol) if protocol is not None else "",
        unknown=tuple(unknown),
    )


def _understood(entry: Fields, key: str) -> bool:
    return key in _OTHERS or (key in _SELECTORS and entry.values[key] is not None)


def _action(entry: Fields) -> tuple[RuleAction, TableId | None, int | None]:
    if "goto" in entry:
        # "none" stands there for a goto that the kernel gave no target.
        return RuleAction.GOTO, None, None if entry.text("goto") == "none" else entry.number("goto")
    if entry.flag("nop"):
        return RuleAction.NOP, None, None
    if "nat_gateway" in entry or "masquerade" in entry:
        return RuleAction.UNKNOWN, None, None
    action = entry.text("action")
    if action is not None:
        return _ACTIONS.get(route_type(action).value, RuleAction.UNKNOWN), None, None
    table = entry.text("table")
    if table is None or entry.flag("l3mdev"):
        return RuleAction.TABLE, None, None
    return RuleAction.TABLE, table_id(table), None


def _selector(entry: Fields, family: Family, unknown: list[str]) -> Selector:
    def named(key: str, number: int | None) -> int | None:
        """What the key's name means; a name nobody knows makes the rule unknown."""
        if key in entry and number is None:
            unknown.append(key)
        return number

    tos = named("tos", dsfield(entry.text("tos") or ""))
    return Selector(
        inverted=entry.flag("not"),
        source=_prefix(entry, "src", family),
        destination=_prefix(entry, "dst", family),
        iif=entry.text("iif"),
        oif=entry.text("oif"),
        mark=_masked(entry, "fwmark", "fwmask", U32),
        tos=tos or None,
        dscp=_dscp(entry, named("dscp", _dscp_value(entry.text("dscp")))),
        protocol=named("ipproto", transport_number(entry.text("ipproto") or "")),
        source_port=_range(entry, "sport", "sport_start", "sport_end", 0xFFFF),
        source_port_mask=_number_or(entry, "sport_mask", 0xFFFF),
        destination_port=_range(entry, "dport", "dport_start", "dport_end", 0xFFFF),
        destination_port_mask=_number_or(entry, "dport_mask", 0xFFFF),
        uids=_range(entry, "uid", "uid_start", "uid_end", U32),
        tunnel_id=entry.number("tun_id", 1 << 64),
        l3mdev=entry.flag("l3mdev"),
        flowlabel=_masked(entry, "flowlabel", "flowlabel_mask", 0xFFFFF),
    )


def _prefix(entry: Fields, key: str, family: Family) -> Prefix | None:
    text = entry.text(key)
    if text is None or text == "all":
        return None
    length = entry.number(f"{key}len", BITS[family])
    if text == "0" and length is not None:
        # What iproute2 prints for a length without an address.
        text = "0.0.0.0" if family == 4 else "::"
    try:
        prefix = Prefix.parse(text if length is None else f"{text}/{length}", family)
    except ValueError as error:
        raise entry.wrong(key, str(error)) from None
    return prefix if prefix.length else None


def _masked(entry: Fields, key: str, mask_key: str, full: int) -> Masked | None:
    if key not in entry and mask_key not in entry:
        return None
    mask = _number_or(entry, mask_key, full)
    # The kernel says nothing of a mask of zero: such a selector asks for nothing (S-A16).
    return Masked(entry.number(key, full) or 0, mask) if mask else None


def _dscp_value(text: str | None) -> int | None:
    """Decimal or 0x six bits; a name is one of a whole dsfield."""
    number = to_number(text or "")
    if number is not None:
        return number
    named = dsfield(text or "")
    return None if named is None else named >> 2


def _dscp(entry: Fields, value: int | None) -> Masked | None:
    return None if value is None else Masked(value, _number_or(entry, "dscp_mask", 0x3F))


def _number_or(entry: Fields, key: str, default: int) -> int:
    number = entry.number(key)
    return default if number is None else number


def _range(entry: Fields, key: str, first_key: str, last_key: str, limit: int) -> Range | None:
    one = entry.number(key, limit)
    if one is not None:
        return Range(one, one)
    first, last = entry.number(first_key, limit), entry.number(last_key, limit)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise entry.wrong(first_key if first is None else last_key, "is missing")
    return Range(first, last)
