"""What addresses and policy rules does a host have? RTM_NEWADDR, RTM_NEWRULE → model, by pyroute2.

A rule attribute or flag that is not understood here is named in ``Rule.unknown``: such a rule
cannot be evaluated, and that is said instead of guessed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from netaddr import IPAddress
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from wgtui.errors import FormatError
from wgtui.model.network import (
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
from wgtui.sources.route_message import AF_INET, AF_INET6, protocol_name

RTM_GETADDR, RTM_GETRULE = 22, 34
ADDRESS_REQUEST: Final = bytes(8)

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


class _RuleMessage(fibmsg):  # type: ignore[misc]  # pyroute2 has no types
    """With the attributes that pyroute2 0.9 does not know yet (Linux 6.12 … 6.16)."""

    nla_map = (
        *fibmsg.nla_map,
        (25, "FRA_DSCP", "uint8"),
        (26, "FRA_FLOWLABEL", "be32"),
        (27, "FRA_FLOWLABEL_MASK", "be32"),
        (28, "FRA_SPORT_MASK", "uint16"),
        (29, "FRA_DPORT_MASK", "uint16"),
        (30, "FRA_DSCP_MASK", "uint8"),
    )


_UNDERSTOOD: Final = frozenset(entry[1] for entry in _RuleMessage.nla_map)
"""FRA_FLOW (realms) and FRA_PROTOCOL are no selectors (S-A24, S-A25)."""


class _Values:
    """The attributes of a decoded message, as the types they should have."""

    def __init__(self, message: fibmsg) -> None:
        self.unknown: list[str] = []
        self._values: dict[str, object] = {}
        for name, value in message["attrs"]:
            if name == "UNKNOWN":
                self.unknown.append(f"attribute {value['header']['type'] & 0x3FFF}")
            else:
                self._values[name] = value

    def number(self, name: str) -> int | None:
        value = self._values.get(name)
        return value if isinstance(value, int) else None

    def name(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None:
            return None
        return os.fsdecode(value) if isinstance(value, bytes) else str(value)

    def address(self, name: str) -> IPAddress | None:
        value = self._values.get(name)
        return IPAddress(value) if isinstance(value, str) else None

    def range(self, name: str) -> Range | None:
        value = self._values.get(name)
        if not isinstance(value, str):
            return None
        first, _, last = value.partition(":")
        return Range(int(first), int(last))


def parse_addresses(messages: Iterable[bytes]) -> dict[LinkIndex, list[LinkAddress]]:
    """The addresses of every link, in the kernel's order (it matters, S-B30)."""
    found: dict[LinkIndex, list[LinkAddress]] = {}
    for raw in messages:
        message = ifaddrmsg(raw)
        message.decode()
        if message["family"] not in (AF_INET, AF_INET6):
            continue
        values = _Values(message)
        far = values.address("IFA_ADDRESS")
        # IFA_ADDRESS is the far side's when there is one (rtnetlink(7)).
        own = values.address("IFA_LOCAL") or far
        if own is None or far is None:
            raise FormatError("netlink", "an address message without an address")
        flags = values.number("IFA_FLAGS")
        if flags is None:
            flags = int(message["flags"])
        found.setdefault(LinkIndex(message["index"]), []).append(
            LinkAddress(
                address=own,
                prefix=Prefix.of(family_of(far), int(far), message["prefixlen"]),
                scope=message["scope"],
                peer=far if far != own else None,
                secondary=bool(flags & _SECONDARY),
                deprecated=bool(flags & _DEPRECATED),
                # RFC 4429: an optimistic address may be used before DAD has finished.
                tentative=bool(flags & _DADFAILED)
                or (flags & (_TENTATIVE | _OPTIMISTIC)) == _TENTATIVE,
                label=values.name("IFA_LABEL") or "",
            )
        )
    return found


def rules_request(family: Family) -> bytes:
    """fib_rule_hdr: all rules of one family."""
    return bytes([AF_INET if family == 4 else AF_INET6]) + bytes(11)


def parse_rules(family: Family, messages: Iterable[bytes]) -> tuple[Rule, ...]:
    """All rules of a family, in evaluation order, which is the order of the dump (S-A1)."""
    found = []
    for raw in messages:
        message = _RuleMessage(raw)
        message.decode()
        found.append(_rule(family, message, _Values(message)))
    return tuple(found)


def _rule(family: Family, message: fibmsg, values: _Values) -> Rule:
    flags = int(message["flags"])
    action = _ACTIONS.get(message["action"], RuleAction.UNKNOWN)
    unknown = values.unknown
    if flags & ~_FLAGS:
        unknown.append(f"flags {flags & ~_FLAGS:#x}")
    l3mdev = bool(values.number("FRA_L3MDEV"))
    table = values.number("FRA_TABLE")
    if table is None:
        table = int(message["table"])
    protocol = values.number("FRA_PROTOCOL")
    selector = Selector(
        inverted=bool(flags & _INVERT),
        source=_prefix(family, values.address("FRA_SRC"), message["src_len"]),
        destination=_prefix(family, values.address("FRA_DST"), message["dst_len"]),
        iif=values.name("FRA_IIFNAME"),
        oif=values.name("FRA_OIFNAME"),
        mark=_masked(values, "FRA_FWMARK", "FRA_FWMASK", 0xFFFFFFFF),
        tos=int(message["tos"]) or None,
        dscp=_masked(values, "FRA_DSCP", "FRA_DSCP_MASK", 0x3F),
        protocol=values.number("FRA_IP_PROTO") or None,
        source_port=values.range("FRA_SPORT_RANGE"),
        source_port_mask=values.number("FRA_SPORT_MASK") or 0xFFFF,
        destination_port=values.range("FRA_DPORT_RANGE"),
        destination_port_mask=values.number("FRA_DPORT_MASK") or 0xFFFF,
        uids=values.range("FRA_UID_RANGE"),
        tunnel_id=values.number("FRA_TUN_ID") or None,
        l3mdev=l3mdev,
        flowlabel=_masked(values, "FRA_FLOWLABEL", "FRA_FLOWLABEL_MASK", 0xFFFFF),
    )
    return Rule(
        priority=values.number("FRA_PRIORITY") or 0,
        family=family,
        selector=selector,
        action=action,
        table=TableId(table) if action is RuleAction.TABLE and not l3mdev else None,
        goto=values.number("FRA_GOTO") if action is RuleAction.GOTO else None,
        suppress_prefix_length=_unless_nothing(values.number("FRA_SUPPRESS_PREFIXLEN")),
        suppress_group=_unless_nothing(values.number("FRA_SUPPRESS_IFGROUP")),
        protocol=protocol_name(protocol) if protocol else "",
        unknown=tuple(unknown),
    )


def _prefix(family: Family, address: IPAddress | None, length: int) -> Prefix | None:
    if length == 0 and address is None:
        return None
    if length > BITS[family]:
        raise FormatError("netlink", f"a rule with a prefix of {length} bits")
    return Prefix.of(family, int(address) if address is not None else 0, length)


def _masked(values: _Values, name: str, mask: str, everything: int) -> Masked | None:
    """A value and its mask; the kernel leaves out a value of 0 and a mask of all ones (S-G9)."""
    value, under = values.number(name), values.number(mask)
    if value is None and under is None:
        return None
    return Masked(value or 0, everything if under is None else under)


def _unless_nothing(value: int | None) -> int | None:
    return None if value == _NOTHING else value
