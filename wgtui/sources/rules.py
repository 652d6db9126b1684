"""What addresses and policy rules does a host have? RTM_NEWADDR, RTM_NEWRULE → model.

A rule attribute or flag that is not understood here is named in ``Rule.unknown``: such a rule
cannot be evaluated, and that is said instead of guessed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from netaddr import IPAddress

from wgtui.errors import FormatError
from wgtui.model.network import (
    AddressLabel,
    LinkAddress,
    LinkIndex,
    Masked,
    Range,
    Rule,
    RuleAction,
    Selector,
    TableId,
)
from wgtui.model.prefix import BITS, Family, Prefix, family_of
from wgtui.sources.nlsocket import HEADER, Buffer, text
from wgtui.sources.route_message import (
    AF_INET,
    AF_INET6,
    Values,
    address,
    protocol_name,
    u32,
    values_of,
)

RTM_GETADDR, RTM_GETRULE = 22, 34
ADDRESS_REQUEST: Final = bytes(8)

RTM_GETADDRLABEL: Final = 74
ADDRESS_LABEL_REQUEST: Final = bytes([AF_INET6]) + bytes(11)
_ADDRESS_LABEL: Final = struct.Struct("=2xBxI4x")
"""ifaddrlblmsg: family, reserved, prefix length, flags, link, sequence number."""
_IFAL_ADDRESS, _IFAL_LABEL = 1, 2
_SECONDARY, _OPTIMISTIC, _DADFAILED, _DEPRECATED, _TENTATIVE = 0x01, 0x04, 0x08, 0x20, 0x40
"""IFA_F_…; for IPv6 the first one means temporary."""

_PERMANENT, _INVERT, _UNRESOLVED, _IIF_DETACHED, _OIF_DETACHED = 0x01, 0x02, 0x04, 0x08, 0x10
"""FIB_RULE_…. Detached: no link has that name, which the names themselves tell (S-A13)."""
_FLAGS: Final = _PERMANENT | _INVERT | _UNRESOLVED | _IIF_DETACHED | _OIF_DETACHED

_ACTIONS: Final = {
    1: RuleAction.TABLE,
    2: RuleAction.GOTO,
    3: RuleAction.NOP,
    6: RuleAction.BLACKHOLE,
    7: RuleAction.UNREACHABLE,
    8: RuleAction.PROHIBIT,
}
_NOTHING: Final = 0xFFFFFFFF
"""suppress_…: −1."""


FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK = 1, 2, 3, 4, 6, 10
FRA_TUN_ID, FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK = 12, 13, 14, 15, 16
FRA_OIFNAME, FRA_L3MDEV, FRA_UID_RANGE, FRA_PROTOCOL, FRA_IP_PROTO = 17, 19, 20, 21, 22
FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_DSCP, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK = 23, 24, 25, 26, 27
FRA_SPORT_MASK, FRA_DPORT_MASK, FRA_DSCP_MASK = 28, 29, 30
"""linux/fib_rules.h, up to Linux 6.16."""
_U8, _U16, _U32 = struct.Struct("=B"), struct.Struct("=H"), struct.Struct("=I")
_BE32, _BE64 = struct.Struct(">I"), struct.Struct(">Q")
_NUMBERS: Final = {
    **dict.fromkeys((FRA_GOTO, FRA_PRIORITY, FRA_FWMARK, FRA_FWMASK, FRA_TABLE), _U32),
    **dict.fromkeys((FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN), _U32),
    **dict.fromkeys((FRA_L3MDEV, FRA_PROTOCOL, FRA_IP_PROTO, FRA_DSCP, FRA_DSCP_MASK), _U8),
    **dict.fromkeys((FRA_SPORT_MASK, FRA_DPORT_MASK), _U16),
    **dict.fromkeys((FRA_FLOWLABEL, FRA_FLOWLABEL_MASK), _BE32),
    FRA_TUN_ID: _BE64,
}
_RANGES: Final = {
    FRA_UID_RANGE: struct.Struct("=II"),
    FRA_SPORT_RANGE: struct.Struct("=HH"),
    FRA_DPORT_RANGE: struct.Struct("=HH"),
}
_NO_SELECTORS: Final = (0, 11, 18)
"""FRA_UNSPEC, FRA_FLOW (realms, S-A25), FRA_PAD."""
_UNDERSTOOD: Final = frozenset(
    (FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_OIFNAME, *_NUMBERS, *_RANGES, *_NO_SELECTORS)
)

_RULE: Final = struct.Struct("=5B2xBI")
"""fib_rule_hdr: family, lengths of to and from, tos, table, action, flags."""
_ADDRESS: Final = struct.Struct("=4BI")
"""ifaddrmsg: family, prefix length, flags, scope, link."""
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_FLAGS = 1, 2, 3, 8


class RuleMessage(NamedTuple):
    """One RTM_NEWRULE message, its attributes by number."""

    to: int
    source: int
    tos: int
    table: int
    action: int
    flags: int
    values: Values

    def number(self, name: int) -> int | None:
        if name not in self.values:
            return None
        return int(_NUMBERS[name].unpack_from(self.values[name])[0])

    def name(self, name: int) -> str | None:
        return text(self.values[name]) if name in self.values else None

    def address(self, name: int) -> IPAddress | None:
        return address(self.values[name]) if name in self.values else None

    def range(self, name: int) -> Range | None:
        if name not in self.values:
            return None
        return Range(*_RANGES[name].unpack_from(self.values[name]))


def parse_addresses(messages: Iterable[Buffer]) -> dict[LinkIndex, list[LinkAddress]]:
    """The addresses of every link, in the kernel's order (it matters, S-B30)."""
    found: dict[LinkIndex, list[LinkAddress]] = {}
    try:
        for message in messages:
            index, entry = _address(message)
            if entry is not None:
                found.setdefault(index, []).append(entry)
    except struct.error as error:
        raise FormatError("netlink", f"an address message that is too short ({error})") from error
    return found


def _address(message: Buffer) -> tuple[LinkIndex, LinkAddress | None]:
    family, length, flags, scope, index = _ADDRESS.unpack_from(message, HEADER.size)
    if family not in (AF_INET, AF_INET6):
        return LinkIndex(index), None
    values = values_of(message, HEADER.size + _ADDRESS.size, len(message))
    # IFA_ADDRESS is the far side's when there is one (rtnetlink(7)).
    far = address(values[IFA_ADDRESS]) if IFA_ADDRESS in values else None
    own = address(values[IFA_LOCAL]) if IFA_LOCAL in values else far
    if own is None or far is None:
        raise FormatError("netlink", "an address message without an address")
    flags = u32(values, IFA_FLAGS, flags)
    return LinkIndex(index), LinkAddress(
        address=own,
        prefix=Prefix.of(family_of(far), int(far), length),
        scope=scope,
        peer=far if far != own else None,
        secondary=bool(flags & _SECONDARY),
        deprecated=bool(flags & _DEPRECATED),
        # RFC 4429: an optimistic address may be used before DAD has finished.
        tentative=bool(flags & _DADFAILED) or (flags & (_TENTATIVE | _OPTIMISTIC)) == _TENTATIVE,
        label=text(values[IFA_LABEL]) if IFA_LABEL in values else "",
    )


def parse_address_labels(messages: Iterable[Buffer]) -> tuple[AddressLabel, ...]:
    """The table of ip-addrlabel(8), most specific first, as the kernel goes through it."""
    found = []
    try:
        for message in messages:
            length, index = _ADDRESS_LABEL.unpack_from(message, HEADER.size)
            values = values_of(message, HEADER.size + _ADDRESS_LABEL.size, len(message))
            of = address(values[_IFAL_ADDRESS]) if _IFAL_ADDRESS in values else None
            prefix = Prefix.of(6, 0 if of is None else int(of), length)
            link = LinkIndex(index) if index else None
            found.append(AddressLabel(prefix, u32(values, _IFAL_LABEL), link))
    except struct.error as error:
        raise FormatError("netlink", f"an address label that is too short ({error})") from error
    return tuple(found)


def rules_request(family: Family) -> bytes:
    """fib_rule_hdr: all rules of one family."""
    return bytes([AF_INET if family == 4 else AF_INET6]) + bytes(11)


def parse_rules(family: Family, messages: Iterable[Buffer]) -> tuple[Rule, ...]:
    """All rules of a family, in evaluation order, which is the order of the dump (S-A1)."""
    try:
        return tuple(_rule(family, message) for message in messages)
    except struct.error as error:
        raise FormatError("netlink", f"a rule message that is too short ({error})") from error


def rule_message(raw: Buffer) -> RuleMessage:
    """One message (with its header), taken apart."""
    _, to, source, tos, table, action, flags = _RULE.unpack_from(raw, HEADER.size)
    values = values_of(raw, HEADER.size + _RULE.size, len(raw))
    return RuleMessage(to, source, tos, table, action, flags, values)


def _rule(family: Family, raw: Buffer) -> Rule:
    message = rule_message(raw)
    flags = message.flags
    action = _ACTIONS.get(message.action, RuleAction.UNKNOWN)
    unknown = [f"attribute {name}" for name in message.values if name not in _UNDERSTOOD]
    if flags & ~_FLAGS:
        unknown.append(f"flags {flags & ~_FLAGS:#x}")
    l3mdev = bool(message.number(FRA_L3MDEV))
    table = message.number(FRA_TABLE)
    if table is None:
        table = message.table
    protocol = message.number(FRA_PROTOCOL)
    selector = Selector(
        inverted=bool(flags & _INVERT),
        source=_prefix(family, message.address(FRA_SRC), message.source),
        destination=_prefix(family, message.address(FRA_DST), message.to),
        iif=message.name(FRA_IIFNAME),
        oif=message.name(FRA_OIFNAME),
        mark=_masked(message, FRA_FWMARK, FRA_FWMASK, 0xFFFFFFFF),
        tos=message.tos or None,
        dscp=_masked(message, FRA_DSCP, FRA_DSCP_MASK, 0x3F),
        protocol=message.number(FRA_IP_PROTO) or None,
        source_port=message.range(FRA_SPORT_RANGE),
        source_port_mask=message.number(FRA_SPORT_MASK) or 0xFFFF,
        destination_port=message.range(FRA_DPORT_RANGE),
        destination_port_mask=message.number(FRA_DPORT_MASK) or 0xFFFF,
        uids=message.range(FRA_UID_RANGE),
        tunnel_id=message.number(FRA_TUN_ID) or None,
        l3mdev=l3mdev,
        flowlabel=_masked(message, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, 0xFFFFF),
    )
    return Rule(
        priority=message.number(FRA_PRIORITY) or 0,
        family=family,
        selector=selector,
        action=action,
        table=TableId(table) if action is RuleAction.TABLE and not l3mdev else None,
        goto=message.number(FRA_GOTO) if action is RuleAction.GOTO else None,
        suppress_prefix_length=_unless_nothing(message.number(FRA_SUPPRESS_PREFIXLEN)),
        suppress_group=_unless_nothing(message.number(FRA_SUPPRESS_IFGROUP)),
        protocol=protocol_name(protocol) if protocol else "",
        unknown=tuple(unknown),
    )


def _prefix(family: Family, address: IPAddress | None, length: int) -> Prefix | None:
    if length == 0 and address is None:
        return None
    if length > BITS[family]:
        raise FormatError("netlink", f"a rule with a prefix of {length} bits")
    return Prefix.of(family, int(address) if address is not None else 0, length)


def _masked(message: RuleMessage, name: int, mask: int, everything: int) -> Masked | None:
    """A value and its mask; the kernel leaves out a value of 0 and a mask of all ones (S-G9)."""
    value, under = message.number(name), message.number(mask)
    if value is None and under is None:
        return None
    return Masked(value or 0, everything if under is None else under)


def _unless_nothing(value: int | None) -> int | None:
    return None if value == _NOTHING else value
