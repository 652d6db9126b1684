"""What do ``ip route``, ``ip rule`` and ``ip address`` commands say? (ip-route(8), ip-rule(8))

Defaults are iproute2's own: table main (local for local routes), protocol boot, ``from all``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from netaddr import IPAddress

from wgtui.model.command import AddressCommand, LegWords, RouteCommand, RuleCommand, Verb
from wgtui.model.network import (
    MAIN_TABLE,
    Masked,
    Preference,
    Range,
    RouteType,
    Rule,
    RuleAction,
    Selector,
)
from wgtui.model.prefix import BITS, Family, Prefix, family_of, parse_address
from wgtui.sources.command_words import CommandWords
from wgtui.sources.names import dsfield, scope_number, to_number, transport_number

_VERBS: Final = {
    "add": Verb.ADD,
    "change": Verb.CHANGE,
    "replace": Verb.REPLACE,
    "prepend": Verb.PREPEND,
    "append": Verb.APPEND,
    "delete": Verb.DELETE,
}
"""In iproute2's order: of an abbreviation the first counts."""
_ADD_OR_DELETE: Final = ("add", "delete")
_TYPES: Final = {kind.value: kind for kind in RouteType if kind is not RouteType.UNKNOWN}
_ACTIONS: Final = {
    action.value: action
    for action in (
        RuleAction.NOP,
        RuleAction.BLACKHOLE,
        RuleAction.UNREACHABLE,
        RuleAction.PROHIBIT,
    )
}
_EVERY_BIT: Final = 0xFFFFFFFF


# ------------------------------------------------------------------------------------------ routes


def route_command(words: CommandWords, family: Family | None) -> RouteCommand:
    """``[TYPE] PREFIX [via …] [dev …] …``, or ``nexthop …`` for each leg."""
    verb = _VERBS[words.one_of("add or del", tuple(_VERBS))]
    kind = _TYPES.get(words.peek())
    if kind is not None:
        words.take("a type")
    words.next_is("to")
    written = words.take("a destination")
    if written in ("default", "all"):
        family = family or (6 if ":" in words.behind("via") else 4)
    try:
        destination = Prefix.parse(written, family)
    except ValueError:
        raise words.wrong(f"{written!r} is not a destination") from None
    host_bits = "/" in written and not written.startswith(("default", "all"))
    if host_bits:
        address = int(parse_address(written.partition("/")[0]))
        host_bits = address != destination.network
    command = RouteCommand(verb, destination, kind, host_bits=host_bits)
    return _route_words(words, command)


def _route_words(words: CommandWords, command: RouteCommand) -> RouteCommand:
    family = command.destination.family
    single = LegWords()
    legs: list[LegWords] = []
    while words:
        word = words.take("a word")
        match word:
            case "nexthop":
                legs.append(_leg(words, family))
                if words and words.peek() != "nexthop":
                    raise words.wrong("behind a nexthop only another nexthop may stand", here=True)
            case "via" | "dev" | "onlink" | "oif":
                single = _leg_word(words, word, single, family)
            case "table":
                command = replace(command, table=words.table() or MAIN_TABLE)
            case "metric" | "preference" | "priority":
                command = replace(command, metric=words.number("a metric"))
            case "tos" | "dsfield":
                command = replace(command, tos=_tos(words))
            case "scope":
                command = replace(command, scope=_scope(words))
            case "proto" | "protocol":
                command = replace(command, protocol=words.protocol())
            case "src":
                source = words.address("a source", family)
                command = replace(command, preferred_source=source)
            case "from" if family == 6:
                prefix = words.prefix("a source prefix", 6)
                command = replace(command, source=prefix if prefix.length else None)
            case "mtu":
                words.next_is("lock")
                command = replace(command, mtu=words.number("an MTU"))
            case "pref" if family == 6:
                command = replace(command, preference=_preference(words))
            case _:
                raise words.unknown(word, str(command.destination))
    if legs and single != LegWords():
        raise words.wrong("a route has either nexthops, or one via and dev")
    if single != LegWords():
        legs = [single]
        return replace(command, legs=tuple(legs))
    return replace(command, legs=tuple(legs), multipath=bool(legs))


def _leg(words: CommandWords, family: Family) -> LegWords:
    leg = LegWords()
    while words.peek() in ("via", "dev", "weight", "onlink", "oif"):
        leg = _leg_word(words, words.take("a word"), leg, family)
    if leg == LegWords():
        raise words.wrong("a nexthop needs via or dev", here=True)
    return leg


def _leg_word(words: CommandWords, word: str, leg: LegWords, family: Family) -> LegWords:
    match word:
        case "via":
            other = words.next_is("inet6")
            words.next_is("inet")
            gateway = words.address("a gateway", 6 if other else family)
            return replace(leg, gateway=gateway)
        case "weight":
            return replace(leg, weight=words.number("a weight", 256, least=1))
        case "onlink":
            return replace(leg, onlink=True)
        case _:
            return replace(leg, link=words.take("a link"))


def _tos(words: CommandWords) -> int:
    word = words.take("a tos")
    try:
        number = int(word, 16)  # iproute2 reads these in hexadecimal, with or without 0x
    except ValueError:
        number = dsfield(word) or 256
    if not 0 <= number <= 255:
        raise words.wrong(f"{word!r} is not a tos")
    return number


def _scope(words: CommandWords) -> int:
    word = words.take("a scope")
    number = scope_number(word)
    if number is None or number > 255:
        raise words.wrong(f"{word!r} is not a scope")
    return number


def _preference(words: CommandWords) -> Preference:
    word = words.take("low, medium or high")
    try:
        return Preference[word.upper()]
    except KeyError:
        raise words.wrong(f"{word!r} is not low, medium or high") from None


# ------------------------------------------------------------------------------------------- rules


def rule_command(words: CommandWords, family: Family) -> RuleCommand:
    """``[not] [SELECTORS] [lookup TABLE | goto N | unreachable …]``."""
    verb = _VERBS[words.one_of("add or del", _ADD_OR_DELETE)]
    if not words:
        raise words.wrong("a rule needs at least one word", here=True)
    rule, given = Rule(0, family, table=None), set[str]()
    while words:
        word = words.take("a word")
        rule, what = _rule_word(words, word, rule)
        given.add(what)
    given.discard("")
    if verb is Verb.ADD and rule.action is RuleAction.TABLE and rule.table is None:
        # iproute2 adds the table main; the l3mdev table is the VRF's.
        rule = rule if rule.selector.l3mdev else replace(rule, table=MAIN_TABLE)
    return RuleCommand(verb, rule, frozenset(given))


def _rule_word(words: CommandWords, word: str, rule: Rule) -> tuple[Rule, str]:
    selected = _selector_word(words, word, rule.selector, rule.family)
    if selected is not None:
        return replace(rule, selector=selected[0]), selected[1]
    match word:
        case "priority" | "pref" | "preference" | "order":
            return replace(rule, priority=words.number("a priority")), "priority"
        case "lookup" | "table":
            return replace(rule, table=words.table()), "table"
        case "goto":
            number = words.number("a priority")
            return replace(rule, action=RuleAction.GOTO, goto=number, table=None), "action"
        case "suppress_prefixlength" | "sup_pl":
            return replace(rule, suppress_prefix_length=words.number(word, 128)), "suppress"
        case "suppress_ifgroup":
            return replace(rule, suppress_group=words.number(word)), "group"
        case "proto" | "protocol":
            return replace(rule, protocol=words.protocol()), "protocol"
        case "l3mdev":
            selector = replace(rule.selector, l3mdev=True)
            return replace(rule, selector=selector), "l3mdev"
        case "type":
            return rule, ""
        case _ if word in _ACTIONS:
            return replace(rule, action=_ACTIONS[word]), "action"
        case _:
            raise words.unknown(word, "ip rule")


def _selector_word(
    words: CommandWords, word: str, selector: Selector, family: Family
) -> tuple[Selector, str] | None:
    match word:
        case "not":
            return replace(selector, inverted=True), "not"
        case "from":
            prefix = words.prefix("a prefix", family)
            return replace(selector, source=_some(prefix)), "from" if prefix.length else ""
        case "to":
            prefix = words.prefix("a prefix", family)
            return replace(selector, destination=_some(prefix)), "to" if prefix.length else ""
        case "iif":
            return replace(selector, iif=words.take("a link")), "iif"
        case "oif":
            return replace(selector, oif=words.take("a link")), "oif"
        case "fwmark":
            # Said twice, the last mark counts, and the last mask that was said.
            mark = _masked(words, selector.mark.mask if selector.mark else _EVERY_BIT)
            # "fwmark 0" without a mask gets mask 0 and matches everything (S-A16).
            bare = mark == Masked(0, _EVERY_BIT)
            return replace(selector, mark=None if bare else mark), "" if bare else "fwmark"
        case "tos" | "dsfield":
            return replace(selector, tos=_tos(words) or None), "tos"
        case "ipproto":
            name = words.take("a protocol")
            number = transport_number(name)
            if number is None:
                raise words.wrong(f"{name!r} is not a protocol")
            return replace(selector, protocol=number or None), "ipproto"
        case "sport":
            return replace(selector, source_port=_range(words, 65535)), "sport"
        case "dport":
            return replace(selector, destination_port=_range(words, 65535)), "dport"
        case "uidrange":
            if "-" not in words.peek():
                raise words.wrong("a uidrange is FIRST-LAST", here=True)
            return replace(selector, uids=_range(words, _EVERY_BIT)), "uidrange"
        case _:
            return None


def _some(prefix: Prefix) -> Prefix | None:
    """``from all`` asks nothing."""
    return prefix if prefix.length else None


def _masked(words: CommandWords, every: int) -> Masked:
    word = words.take("a mark")
    value, slash, mask = word.partition("/")
    return Masked(words.mark(value, "a mark"), words.mark(mask, "a mask") if slash else every)


def _range(words: CommandWords, limit: int) -> Range:
    word = words.take("a range")
    first, dash, last = word.partition("-")
    one, two = to_number(first), to_number(last if dash else first)
    if one is None or two is None or not one <= two <= limit:
        raise words.wrong(f"{word!r} is not a range of numbers up to {limit}")
    return Range(one, two)


# --------------------------------------------------------------------------------------- addresses


def address_command(words: CommandWords) -> AddressCommand:
    """``add|del ADDRESS[/LENGTH] [peer ADDRESS[/LENGTH]] dev LINK …``, in any order."""
    verb = _VERBS[words.one_of("add or del", _ADD_OR_DELETE)]
    address: IPAddress | None = None
    peer: IPAddress | None = None
    link, broadcast = "", ""
    length, scope, metric, prefix_route = 0, 0, 0, True
    while words:
        word = words.take("a word")
        match word:
            case "dev":
                link = words.take("a link")
            case "peer" | "remote":
                peer, length = _address(words, words.take("an address"))
            case "brd" | "broadcast":
                broadcast = words.take("+")
            case "scope":
                scope = _scope(words)
            case "metric" | "priority" | "preference":
                metric = words.number("a metric")
            case "noprefixroute":
                prefix_route = False
            case "nodad":
                pass
            case "label" | "valid_lft" | "preferred_lft":
                if words.take("a value") != "forever" and word != "label":
                    raise words.wrong(f"'{word}': only 'forever' is understood")
            case _ if address is None:
                word = words.take("an address") if word == "local" else word
                address, own_length = _address(words, word)
                length = length if peer is not None else own_length
            case _:
                raise words.unknown(word, str(address))
    if address is None:
        raise words.wrong("an address is missing", here=True)
    if not link:
        raise words.wrong("'dev LINK' is missing", here=True)
    prefix = Prefix.of(family_of(address), int(peer if peer is not None else address), length)
    if broadcast and not _usual_broadcast(prefix, broadcast):
        raise words.wrong(f"'brd {broadcast}': only 'brd +' is understood, up to /30")
    return AddressCommand(verb, link, address, prefix, peer, scope, prefix_route, metric)


def _usual_broadcast(prefix: Prefix, broadcast: str) -> bool:
    """The one that the kernel makes a route for anyway (fib_frontend.c:fib_add_ifaddr)."""
    usual = broadcast in ("+", str(IPAddress(prefix.last, prefix.family)))
    return usual and prefix.family == 4 and prefix.length < 31


def _address(words: CommandWords, written: str) -> tuple[IPAddress, int]:
    text, slash, length = written.partition("/")
    try:
        address = parse_address(text)
    except ValueError:
        raise words.wrong(f"{written!r} is not an address") from None
    bits = BITS[family_of(address)]
    number = to_number(length) if slash else bits
    if number is None or number > bits:
        raise words.wrong(f"{written!r}: a length is a number from 0 to {bits}")
    return address, number
