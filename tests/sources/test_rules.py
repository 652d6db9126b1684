"""Are rules understood down to the attributes that iproute2 and pyroute2 do not know yet?"""

import struct

import pytest

from wgtui.model.network import Masked, Range, Rule, RuleAction, Selector, TableId
from wgtui.model.prefix import Prefix
from wgtui.sources.nlsocket import HEADER, attribute
from wgtui.sources.rules import parse_rules

DST, SRC, IIFNAME, PRIORITY, FWMARK, FLOW, SUPPRESS, TABLE, FWMASK = 1, 2, 3, 6, 10, 11, 14, 15, 16
L3MDEV, UIDS, DPORTS, DSCP, FLOWLABEL, FLOWLABEL_MASK, SPORT_MASK, DSCP_MASK = (
    *(19, 20, 24, 25),
    *(26, 27, 28, 30),
)


def u32(kind: int, value: int) -> bytes:
    """An attribute with a number."""
    return attribute(kind, struct.pack("=I", value))


def rule(*attributes: bytes, action: int = 1, flags: int = 0, lengths: bytes = bytes(2)) -> Rule:
    """The rule from an RTM_NEWRULE message with these attributes; ``lengths`` of to and from."""
    body = struct.pack("=B2sBBxxBI", 2, lengths, 0, 254, action, flags) + b"".join(attributes)
    [found] = parse_rules(4, [HEADER.pack(HEADER.size + len(body), 32, 2, 1, 0) + body])
    return found


def test_a_rule_without_attributes_takes_everything() -> None:
    """What is absent is no selector (S-G9): priority 0, table main."""
    assert rule() == Rule(0, 4, Selector(), RuleAction.TABLE, TableId(254))


def test_masks_are_whole_when_absent() -> None:
    """A mark without a mask is compared whole, a mask without a mark with 0."""
    assert rule(u32(FWMARK, 5)).selector.mark == Masked(5, 0xFFFFFFFF)
    assert rule(u32(FWMASK, 0xFF)).selector.mark == Masked(0, 0xFF)


def test_new_selectors_are_understood() -> None:
    """DSCP (6.12), flow label (6.14), port and DSCP masks (6.15), though pyroute2 knows none."""
    found = rule(
        attribute(DSCP, b"\x00"),
        attribute(DSCP_MASK, b"\x38"),
        attribute(FLOWLABEL, struct.pack(">I", 0x12345)),
        attribute(FLOWLABEL_MASK, struct.pack(">I", 0xFF)),
        attribute(DPORTS, struct.pack("=HH", 53, 54)),
        attribute(SPORT_MASK, struct.pack("=H", 0xFF)),
    )
    assert found.selector == Selector(
        dscp=Masked(0, 0x38),
        flowlabel=Masked(0x12345, 0xFF),
        destination_port=Range(53, 54),
        source_port_mask=0xFF,
    )
    assert found.unknown == ()


def test_prefixes_names_and_ranges() -> None:
    """from and to with their lengths, odd link names, uid ranges, the inverted flag."""
    found = rule(
        attribute(DST, bytes([10, 1, 2, 3])),
        attribute(SRC, bytes(4)),
        attribute(IIFNAME, b"w\xff\0"),
        attribute(UIDS, struct.pack("=II", 7, 9)),
        lengths=bytes([8, 32]),
        flags=2,
    )
    assert found.selector == Selector(
        inverted=True,
        source=Prefix.parse("0.0.0.0/32"),
        destination=Prefix.parse("10.0.0.0/8"),
        iif="w\udcff",
        uids=Range(7, 9),
    )


def test_the_vrf_decides_the_table() -> None:
    """A rule with l3mdev names no table of its own."""
    found = rule(attribute(L3MDEV, b"\1"), u32(TABLE, 9))
    assert found.selector.l3mdev
    assert found.table is None


def test_suppress_minus_one_suppresses_nothing() -> None:
    """The kernel sends -1 for "unset"; 0 is a real length."""
    assert rule(u32(SUPPRESS, 0xFFFFFFFF)).suppress_prefix_length is None
    assert rule(u32(SUPPRESS, 0)).suppress_prefix_length == 0


@pytest.mark.parametrize(
    ("found", "unknown"),
    [
        (rule(attribute(77, b"\1")), ("attribute 77",)),
        (rule(flags=0x10000), ("flags 0x10000",)),
        (rule(u32(FLOW, 5), u32(PRIORITY, 1)), ()),
    ],
)
def test_what_is_not_understood_is_named(found: Rule, unknown: tuple[str, ...]) -> None:
    """A later kernel's attribute or flag makes the rule unknown; realms are no selector (S-A25)."""
    assert found.unknown == unknown


def test_a_later_kernels_action() -> None:
    """An action without a name here cannot be evaluated."""
    assert rule(action=9).action is RuleAction.UNKNOWN
