"""Does this rule match this packet; if not, which selector said no?

fib_rules.c:fib_rule_match, fib4_rule_match, fib6_rule_match; ip-rule(8); S-A7, S-A13 … S-A23,
S-A61, S-A62.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wgtui.engine.query import NO_LINK, Query, vrf_of
from wgtui.model.network import Masked, Range, Rule
from wgtui.model.prefix import Prefix, address_text
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Refusal

LEGACY_TOS = 0x1C
"""The bits of tos that IPv4 rules and routes compare (S-A18)."""


class Verdict(NamedTuple):
    """What a rule's selectors say of a packet."""

    matches: bool | None
    """None: it cannot be known."""
    refusals: tuple[Refusal, ...] = ()
    detached: bool = False
    """It names a link that does not exist (S-A13)."""


class _Condition(NamedTuple):
    ok: bool
    field: str
    wanted: str
    got: str


def judge(snapshot: Snapshot, rule: Rule, query: Query) -> Verdict:
    """Ask every selector; ``not`` negates the whole conjunction (S-A7)."""
    selector = rule.selector
    failed = [condition for condition in _conditions(snapshot, rule, query) if not condition.ok]
    if selector.inverted:
        if failed:
            return Verdict(
                True
            )  # one false condition makes the negated conjunction true, whatever the rest
        if rule.unknown:
            return Verdict(None)
        return Verdict(False, tuple(_negated(snapshot, rule, query)))
    if failed:
        refusals = tuple(Refusal(field, wanted, got) for _, field, wanted, got in failed)
        return Verdict(False, refusals, any(refusal.got == "no such link" for refusal in refusals))
    return Verdict(None) if rule.unknown else Verdict(True)


def _negated(snapshot: Snapshot, rule: Rule, query: Query) -> Iterator[Refusal]:
    conditions = list(_conditions(snapshot, rule, query))
    for _, field, wanted, got in conditions:
        yield Refusal(f"not {field}", wanted, got)
    if not conditions:
        yield Refusal("not", "nothing", "everything")


def _conditions(snapshot: Snapshot, rule: Rule, query: Query) -> Iterator[_Condition]:
    selector = rule.selector
    if selector.source is not None:
        yield _prefix("from", selector.source, query.source, query.family == 6)
    if selector.destination is not None:
        yield _prefix("to", selector.destination, query.destination, False)
    for field, name, actual in (("iif", selector.iif, query.iif), ("oif", selector.oif, query.oif)):
        if name is not None:
            link = snapshot.links_by_name.get(name)
            if link is None or not link.seen:
                yield _Condition(False, field, name, "no such link")
            else:
                got = snapshot.link_name(actual) if actual != NO_LINK else "none"
                yield _Condition(link.index == actual, field, name, got)
    if selector.mark is not None:
        yield _Condition(
            selector.mark.matches(query.mark),
            "mark",
            _masked(selector.mark, 0xFFFFFFFF),
            hex(query.mark),
        )
    if selector.tos:
        tos = query.tos & (LEGACY_TOS if query.family == 4 else 0xFC)
        yield _Condition(tos == selector.tos & 0xFC, "tos", hex(selector.tos), hex(tos))
    if selector.dscp is not None:
        dscp = query.tos >> 2
        yield _Condition(
            dscp & selector.dscp.mask == selector.dscp.value,
            "dscp",
            _masked(selector.dscp, 0x3F),
            hex(dscp),
        )
    if selector.protocol is not None:
        wanted = selector.protocol
        yield _Condition(wanted == query.protocol, "ipproto", str(wanted), str(query.protocol))
    yield from _ports(rule, query)
    if selector.uids is not None:
        yield _Condition(query.uid in selector.uids, "uidrange", str(selector.uids), str(query.uid))
    if selector.tunnel_id is not None:
        yield _Condition(False, "tun_id", str(selector.tunnel_id), "none")
    if selector.l3mdev:
        yield _l3mdev(snapshot, query)
    if selector.flowlabel is not None:
        yield _Condition(
            selector.flowlabel.matches(query.flowlabel),
            "flowlabel",
            _masked(selector.flowlabel, 0xFFFFF),
            hex(query.flowlabel),
        )


def _prefix(field: str, prefix: Prefix, address: int, needs_address: bool) -> _Condition:
    """IPv6 ``from`` never matches a packet without a source, not even ``from ::/128`` (S-A61)."""
    ok = prefix.covers(address) and not (needs_address and address == 0)
    return _Condition(
        ok, field, str(prefix), address_text(prefix.family, address) if address else "none"
    )


def _ports(rule: Rule, query: Query) -> Iterator[_Condition]:
    selector = rule.selector
    for field, wanted, mask, port in (
        ("sport", selector.source_port, selector.source_port_mask, query.sport),
        ("dport", selector.destination_port, selector.destination_port_mask, query.dport),
    ):
        if wanted is not None:
            yield _Condition(_port_ok(wanted, mask, port), field, str(wanted), str(port))


def _port_ok(wanted: Range, mask: int, port: int) -> bool:
    if mask != 0xFFFF:
        return (wanted.first ^ port) & mask == 0
    return port in wanted


def _l3mdev(snapshot: Snapshot, query: Query) -> _Condition:
    vrf = vrf_of(snapshot, query.oif) or vrf_of(snapshot, query.iif)
    return _Condition(vrf is not None, "l3mdev", "a VRF", vrf.name if vrf else "none")


def _masked(wanted: Masked, whole: int) -> str:
    return hex(wanted.value) if wanted.mask == whole else f"{wanted.value:#x}/{wanted.mask:#x}"
