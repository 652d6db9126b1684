"""What do the shorthand's lines of ``ip rule`` and ``ip route show table all`` say?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from wgtui.model.flow import PROTOCOLS
from wgtui.model.network import (
    LOCAL_TABLE,
    MAIN_TABLE,
    LinkIndex,
    Masked,
    NextHop,
    Preference,
    Range,
    RouteInfo,
    RouteType,
    Rule,
    RuleAction,
    Scope,
    TableId,
)
from wgtui.model.prefix import Family, Prefix
from wgtui.sources.shorthand_words import Words, lines

SCOPES: Final = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
ACTIONS: Final = {
    action.value: action
    for action in (
        RuleAction.NOP,
        RuleAction.BLACKHOLE,
        RuleAction.UNREACHABLE,
        RuleAction.PROHIBIT,
    )
}
TYPES: Final = {kind.value: kind for kind in RouteType}
PREFERENCES: Final = {choice.name.lower(): choice for choice in Preference}
EVERY_BIT: Final = 0xFFFFFFFF


class Entry(NamedTuple):
    """A route as the table builder takes it."""

    table: TableId
    destination: Prefix
    info: RouteInfo


# ------------------------------------------------------------------------------------------- rules


def read_rules(text: str, family: Family) -> tuple[Rule, ...]:
    """``ip rule``: in the order of the lines, which is the order of evaluation (S-A1)."""
    return tuple(_rule(words, family) for words in lines(text, f"rules{family}"))


def _rule(words: Words, family: Family) -> Rule:
    rule = Rule(words.to_number(words.take("a priority").rstrip(":"), "a priority"), family)
    selector = rule.selector
    while words:
        match word := words.take("a word"):
            case "not":
                selector = replace(selector, inverted=True)
            case "from":
                selector = replace(selector, source=_some(words.prefix(family)))
            case "to":
                selector = replace(selector, destination=_some(words.prefix(family)))
            case "iif":
                selector = replace(selector, iif=words.take("a link"))
            case "oif":
                selector = replace(selector, oif=words.take("a link"))
            case "[detached]":
                pass
            case "fwmark":
                mark = _masked(words, EVERY_BIT)
                # "fwmark 0" without a mask gets mask 0 and matches everything (S-A16).
                bare = mark == Masked(0, EVERY_BIT)
                selector = replace(selector, mark=None if bare else mark)
            case "tos":
                selector = replace(selector, tos=words.number("tos") or None)
            case "dscp":
                selector = replace(selector, dscp=_masked(words, 0x3F))
            case "ipproto":
                selector = replace(selector, protocol=words.one_of(PROTOCOLS, "ipproto"))
            case "sport":
                selector = replace(selector, source_port=_range(words))
            case "dport":
                selector = replace(selector, destination_port=_range(words))
            case "uidrange":
                selector = replace(selector, uids=_range(words))
            case "flowlabel":
                selector = replace(selector, flowlabel=_masked(words, 0xFFFFF))
            case "lookup" | "table":
                if words.next_is("[l3mdev-table]"):
                    selector = replace(selector, l3mdev=True)
                else:
                    rule = replace(rule, table=words.table())
            case "suppress_prefixlength":
                rule = replace(rule, suppress_prefix_length=words.number(word))
            case "suppress_ifgroup":
                rule = replace(rule, suppress_group=words.number(word))
            case "goto":
                rule = replace(rule, action=RuleAction.GOTO, goto=words.number("goto"))
                words.next_is("[unresolved]")
            case "proto" | "protocol":
                rule = replace(rule, protocol=words.take("a protocol"))
            case "unknown":
                rule = replace(rule, unknown=(*rule.unknown, words.take("a word")))
            case _ if word in ACTIONS:
                rule = replace(rule, action=ACTIONS[word])
            case _:
                raise words.wrong(f"a rule has no {word!r}")
    if rule.action is RuleAction.TABLE and rule.table is None and not selector.l3mdev:
        raise words.wrong("the rule does nothing: lookup TABLE is missing")
    return replace(rule, selector=selector)


def _some(prefix: Prefix) -> Prefix | None:
    """``from all`` asks nothing."""
    return prefix if prefix.length else None


def _masked(words: Words, full: int) -> Masked:
    value, slash, mask = words.take("a value").partition("/")
    return Masked(
        words.to_number(value, "a value"), words.to_number(mask, "a mask") if slash else full
    )


def _range(words: Words) -> Range:
    first, _, last = words.take("a range").partition("-")
    return Range(words.to_number(first, "a range"), words.to_number(last or first, "a range"))


# ------------------------------------------------------------------------------------------ routes


def read_routes(text: str, family: Family, links: Mapping[str, LinkIndex]) -> Iterator[Entry]:
    """``ip route show table all``: the legs of a multipath route stand on lines of their own."""
    entry: Entry | None = None
    for words in lines(text, f"routes{family}"):
        if words.next_is("nexthop"):
            if entry is None:
                raise words.wrong("nexthop without a route")
            leg = _route(words, entry, links).info.next_hops
            info = replace(entry.info, scope=Scope.UNIVERSE, next_hops=entry.info.next_hops + leg)
            entry = entry._replace(info=info)
            continue
        if entry is not None:
            yield entry
        kind = RouteType(words.take("a type")) if words.peek() in TYPES else RouteType.UNICAST
        table = LOCAL_TABLE if kind in (RouteType.LOCAL, RouteType.BROADCAST) else MAIN_TABLE
        # iproute2 leaves "proto boot" out, and IPv6's kernel fills in metric 1024.
        info = RouteInfo(kind, protocol="boot", metric=1024 if family == 6 else 0)
        entry = _route(words, Entry(table, words.prefix(family), info), links)
    if entry is not None:
        yield entry


def _route(words: Words, entry: Entry, links: Mapping[str, LinkIndex]) -> Entry:
    """The words after the destination, or after ``nexthop``."""
    table, destination, info = entry
    hop, scope = NextHop(None), None
    while words:
        match word := words.take("a word"):
            case "dev":
                name = words.take("a link")
                if name not in links:
                    raise words.wrong(f"there is no link {name!r}")
                hop = replace(hop, link=links[name])
            case "via":
                words.next_is("inet6")
                hop = replace(hop, gateway=words.address())
            case "weight":
                hop = replace(hop, weight=words.number("weight"))
            case "dead":
                hop = replace(hop, dead=True)
            case "linkdown":
                hop = replace(hop, linkdown=True)
            case "onlink":
                hop = replace(hop, onlink=True)
            case "encap":
                hop = replace(hop, encap=words.take("an encapsulation"))
            case "table":
                table = words.table()
            case "proto":
                info = replace(info, protocol=words.take("a protocol"))
            case "scope":
                scope = words.one_of(SCOPES, "a scope")
            case "src":
                info = replace(info, preferred_source=words.address())
            case "from":
                info = replace(info, source=words.prefix(destination.family))
            case "metric":
                info = replace(info, metric=words.number(word))
            case "tos":
                info = replace(info, tos=words.number(word))
            case "mtu":
                info = replace(info, mtu=words.number(word))
            case "pref":
                info = replace(info, preference=PREFERENCES[words.take("low, medium or high")])
            case "expires":
                info = replace(
                    info, expires=words.to_number(words.take("expires").rstrip("sec"), word)
                )
            case "error":
                words.take("a number")
            case "unknown":
                info = replace(info, unknown=(*info.unknown, words.take("a word")))
            case _:
                raise words.wrong(f"a route has no {word!r}")
    if scope is None:
        scope = _scope(destination.family, info.type, hop)
    hops = () if hop.link is None and hop.gateway is None else (hop,)
    return Entry(table, destination, replace(info, scope=scope, next_hops=hops))


def _scope(family: Family, kind: RouteType, hop: NextHop) -> int:
    """What ``ip route add`` chooses (iproute2, iproute_modify)."""
    if family == 6:
        return Scope.UNIVERSE
    if kind is RouteType.LOCAL:
        return Scope.HOST
    on_link = kind is RouteType.UNICAST and hop.gateway is None and hop.link is not None
    return Scope.LINK if on_link or kind is RouteType.BROADCAST else Scope.UNIVERSE
