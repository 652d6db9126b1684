"""Does this rule match this packet; if not, which selector said no?

fib_rules.c:fib_rule_match, fib4_rule_match, fib6_rule_match; ip-rule(8); S-A7, S-A13 … S-A23,
S-A61, S-A62.

What a rule compares is found out once (``prepared``): a rule without selectors then costs nothing,
and a refusal is put into words only when somebody wants to hear it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from wgtui.engine.query import NO_LINK, Query, in_vrf
from wgtui.model.network import Link, LinkIndex, Masked, Range, Rule
from wgtui.model.prefix import BITS, Family, Prefix, address_text
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Refusal

_RULES_KNOW_MEMBERS: Final = (6, 15)

LEGACY_TOS: Final = 0x1C
"""The bits of tos that IPv4 rules and routes compare (S-A18)."""


class Verdict(NamedTuple):
    """What a rule's selectors say of a packet."""

    matches: bool | None
    """None: it cannot be known."""
    refusals: tuple[Refusal, ...] = ()
    detached: bool = False
    """It names a link that does not exist (S-A13)."""


class _Condition(NamedTuple):
    """One selector."""

    holds: Callable[[Query], bool]
    field: str
    wanted: str
    got: Callable[[Query], str]
    detached: bool = False

    def refusal(self, query: Query) -> Refusal:
        return Refusal(self.field, self.wanted, self.got(query))


class Prepared(NamedTuple):
    """A rule of one snapshot, ready to be asked."""

    rule: Rule
    conditions: tuple[_Condition, ...]
    always: bool
    """It matches every packet."""
    unknown: bool
    """What no false condition decides cannot be known."""

    def matches(self, query: Query) -> bool | None:
        """``not`` negates the whole conjunction (S-A7); one false condition decides it, whatever
        the rest. None: it cannot be known."""
        rule = self.rule
        for condition in self.conditions:
            if not condition.holds(query):
                return rule.selector.inverted
        return None if self.unknown else not rule.selector.inverted

    def refused(self, query: Query) -> Verdict:
        """Why it does not match."""
        if self.rule.selector.inverted:
            return Verdict(False, tuple(self._negated(query)))
        failed = [condition for condition in self.conditions if not condition.holds(query)]
        refusals = tuple(condition.refusal(query) for condition in failed)
        return Verdict(False, refusals, any(condition.detached for condition in failed))

    def _negated(self, query: Query) -> Iterator[Refusal]:
        for condition in self.conditions:
            field, wanted, got = condition.refusal(query)
            yield Refusal(f"not {field}", wanted, got)
        if not self.conditions:
            yield Refusal("not", "nothing", "everything")


def judge(snapshot: Snapshot, rule: Rule, query: Query) -> Verdict:
    """Ask every selector."""
    asked = prepared(snapshot, rule)
    query = in_vrf(snapshot, query)
    matches = asked.matches(query)
    return asked.refused(query) if matches is False else Verdict(matches)


def prepared(snapshot: Snapshot, rule: Rule) -> Prepared:
    """The rule with what it compares."""
    conditions = tuple(_conditions(snapshot, rule))
    unknown = bool(rule.unknown) or _depends_on_the_kernels_age(snapshot, rule)
    always = not conditions and not rule.selector.inverted and not unknown
    return Prepared(rule, conditions, always, unknown)


def _depends_on_the_kernels_age(snapshot: Snapshot, rule: Rule) -> bool:
    """``iif VRF`` and ``oif VRF`` mean the VRF's members since Linux 6.15; before, it depends on
    what was backported (S-A23)."""
    named = (rule.selector.iif, rule.selector.oif)
    links = (snapshot.links_by_name.get(name) for name in named if name is not None)
    names_vrf = any(link is not None and link.index in snapshot.vrfs for link in links)
    return names_vrf and snapshot.kernel_version < _RULES_KNOW_MEMBERS


def _conditions(snapshot: Snapshot, rule: Rule) -> Iterator[_Condition]:
    selector, family = rule.selector, rule.family
    if selector.source is not None:
        yield _source(selector.source)
    if selector.destination is not None:
        yield _destination(selector.destination)
    if selector.iif is not None:
        yield _link(snapshot, "iif", selector.iif, lambda query: query.iif)
    if selector.oif is not None:
        yield _link(snapshot, "oif", selector.oif, lambda query: query.oif)
    if selector.mark is not None:
        yield _masked("mark", selector.mark, 0xFFFFFFFF, lambda query: query.mark)
    if selector.tos:
        bits = LEGACY_TOS if family == 4 else 0xFC
        yield _equal("tos", selector.tos & 0xFC, hex(selector.tos), lambda q: q.tos & bits, hex)
    if selector.dscp is not None:
        yield _dscp(selector.dscp)
    if selector.protocol is not None:
        wanted = selector.protocol
        yield _equal("ipproto", wanted, str(wanted), lambda query: query.protocol, str)
    if selector.source_port is not None:
        mask = selector.source_port_mask
        yield _port("sport", selector.source_port, mask, lambda query: query.sport)
    if selector.destination_port is not None:
        mask = selector.destination_port_mask
        yield _port("dport", selector.destination_port, mask, lambda query: query.dport)
    if selector.uids is not None:
        uids = selector.uids
        yield _Condition(lambda q: q.uid in uids, "uidrange", str(uids), lambda q: str(q.uid))
    if selector.tunnel_id is not None:
        yield _Condition(lambda _: False, "tun_id", str(selector.tunnel_id), lambda _: "none")
    if selector.l3mdev:
        links = snapshot.links
        yield _Condition(
            lambda query: query.vrf != NO_LINK, "l3mdev", "a VRF", lambda q: _vrf_name(links, q)
        )
    if selector.flowlabel is not None:
        yield _masked("flowlabel", selector.flowlabel, 0xFFFFF, lambda query: query.flowlabel)


def _source(prefix: Prefix) -> _Condition:
    """IPv6 ``from`` never matches a packet without a source, not even ``from ::/128`` (S-A61)."""
    family, network, shift = prefix.family, prefix.network, BITS[prefix.family] - prefix.length

    def holds(query: Query) -> bool:
        source = query.source
        return (source ^ network) >> shift == 0 and not (family == 6 and source == 0)

    return _Condition(holds, "from", str(prefix), lambda query: _address(family, query.source))


def _destination(prefix: Prefix) -> _Condition:
    family, network, shift = prefix.family, prefix.network, BITS[prefix.family] - prefix.length
    return _Condition(
        lambda query: (query.destination ^ network) >> shift == 0,
        "to",
        str(prefix),
        lambda query: _address(family, query.destination),
    )


def _address(family: Family, address: int) -> str:
    return address_text(family, address) if address else "none"


def _link(
    snapshot: Snapshot, field: str, name: str, actual: Callable[[Query], LinkIndex]
) -> _Condition:
    link, links = snapshot.links_by_name.get(name), snapshot.links
    if link is None or not link.seen:
        return _Condition(lambda _: False, field, name, lambda _: "no such link", detached=True)
    wanted = link.index
    if wanted in snapshot.vrfs:
        by_oif = field == "oif"
        return _Condition(
            lambda query: query.vrf == wanted and query.vrf_of_oif is by_oif,
            field,
            name,
            lambda query: _vrf_name(links, query),
        )

    def got(query: Query) -> str:
        index = actual(query)
        found = links.get(index)
        return "none" if index == NO_LINK else found.name if found else f"if{index}"

    return _Condition(lambda query: actual(query) == wanted, field, name, got)


def _equal(
    field: str,
    wanted: int,
    said: str,
    actual: Callable[[Query], int],
    text: Callable[[int], str],
) -> _Condition:
    return _Condition(
        lambda query: actual(query) == wanted, field, said, lambda query: text(actual(query))
    )


def _masked(field: str, wanted: Masked, whole: int, actual: Callable[[Query], int]) -> _Condition:
    """((value XOR wanted) AND mask) == 0 (S-A16)."""
    value, mask = wanted.value, wanted.mask
    said = hex(value) if mask == whole else f"{value:#x}/{mask:#x}"
    return _Condition(
        lambda query: (actual(query) ^ value) & mask == 0,
        field,
        said,
        lambda query: hex(actual(query)),
    )


def _dscp(wanted: Masked) -> _Condition:
    """Six bits of tos; bits of the value outside the mask never match (S-A19)."""
    value, mask = wanted.value, wanted.mask
    condition = _masked("dscp", wanted, 0x3F, lambda query: query.tos >> 2)
    return condition._replace(holds=lambda query: query.tos >> 2 & mask == value)


def _port(field: str, wanted: Range, mask: int, actual: Callable[[Query], int]) -> _Condition:
    def holds(query: Query) -> bool:
        if mask != 0xFFFF:
            return (wanted.first ^ actual(query)) & mask == 0
        return actual(query) in wanted

    return _Condition(holds, field, str(wanted), lambda query: str(actual(query)))


def _vrf_name(links: Mapping[LinkIndex, Link], query: Query) -> str:
    found = links.get(query.vrf)
    return found.name if found is not None else "none"
