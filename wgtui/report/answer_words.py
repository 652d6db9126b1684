"""Where do addresses go, in few words? Ranges, counts, and answers without their explanation."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import log2

from wgtui.engine.answer import Answer, AnswerLeg, Way
from wgtui.model.address_set import AddressSet, Span, span_prefixes
from wgtui.model.prefix import Family, address_text
from wgtui.model.trace import Outcome
from wgtui.report.line import Tone
from wgtui.report.printable import printable
from wgtui.report.verdict import REASONS
from wgtui.report.words import destination_text, endpoint_text, host_text, table_name

__all__ = ["address_text", "endpoint_text"]


def span_text(family: Family, span: Span) -> str:
    """``10.0.0.0/24`` where one prefix says it, otherwise ``10.0.0.1-10.0.0.9``."""
    first, last = span
    prefix = next(span_prefixes(family, span))
    if prefix.last == last:
        return host_text(prefix)
    return f"{address_text(family, first)}-{address_text(family, last)}"


def addresses_count(count: int) -> str:
    """``1 address``, ``65,536 addresses``, ``2^80 addresses``."""
    if count == 1:
        return "1 address"
    if count < 1 << 33:
        return f"{count:,} addresses" if count else "no addresses"
    if count & (count - 1) == 0:
        return f"2^{count.bit_length() - 1} addresses"
    return f"about 2^{log2(count):.1f} addresses".replace(".0 ", " ")


def prefixes_text(addresses: AddressSet, most: int = 6) -> str:
    """``10.0.0.0/24, 10.2.0.0/16``; where too many prefixes would say it, ranges, and how many
    more."""
    prefixes = list(islice(addresses.prefixes(), most + 1))
    if len(prefixes) <= most:
        return ", ".join(host_text(prefix) for prefix in prefixes)
    return spans_text(addresses, most)


def spans_text(addresses: AddressSet, most: int = 6) -> str:
    """``0.0.0.0-9.255.255.255, 11.0.0.0/8``: every unbroken range, and how many more."""
    shown = [span_text(addresses.family, span) for span in addresses.spans[:most]]
    return joined(shown, max(0, len(addresses.spans) - most))


def joined(shown: Iterable[str], more: int) -> str:
    """``a, b and 3 more``."""
    text = ", ".join(shown)
    return f"{text} and {more:,} more" if more else text


def tone_of(outcome: Outcome) -> Tone:
    """Good, bad, or nobody knows."""
    if outcome is Outcome.UNKNOWN:
        return Tone.UNKNOWN
    return Tone.GOOD if outcome.good else Tone.BAD


def legs_text(legs: tuple[AnswerLeg, ...]) -> str:
    """``eth0 via 192.0.2.1``; several are joined by ``or``."""
    ways = []
    for leg in legs:
        via = f" via {leg.gateway}" if leg.gateway is not None else ""
        ways.append(f"{printable(leg.link)}{via}")
    return " or ".join(ways)


def way_text(way: Way, name: str | None = None) -> str:
    """``encrypted: fra1 on wg0``; ``name`` is what the peer is called."""
    device = printable(way.device) if way.device is not None else ""
    peer = printable(name) if name else f"{(way.public_key or '')[:8]}…"
    owner = f"{peer} on {device}" if way.public_key is not None else device
    legs = legs_text(way.legs)
    why = REASONS[way.reason] if way.reason is not None else ""
    match way.outcome:
        case Outcome.LOCAL:
            words = "delivered on this host"
        case Outcome.SENT:
            words = f"in clear by {legs}"
        case Outcome.ENCRYPTED | Outcome.LOOP:
            words = owner
        case Outcome.NO_PEER:
            words = f"into {device}, where nobody owns it"
        case Outcome.NO_ENDPOINT:
            words = f"{owner}, whose endpoint is not known"
        case Outcome.OUTER_FAILED:
            words = f"{owner}, whose endpoint cannot be reached"
        case _:
            words = owner or legs
    told = f"{words} ({why})" if words and why else words or why
    return f"{way.outcome.value}: {told}" if told else way.outcome.value


def way_short(way: Way, name: str | None = None) -> str:
    """``encrypted fra1``, ``no-peer wg1``, ``sent eth0``: where there is little room."""
    if way.public_key is not None:
        where = printable(name) if name else f"{way.public_key[:8]}…"
    elif way.outcome is Outcome.NO_PEER:
        where = printable(way.device or "")
    else:
        where = ", ".join(dict.fromkeys(printable(leg.link) for leg in way.legs))
    return f"{way.outcome.value} {where}".strip() if where else way.outcome.value


def answer_text(answer: Answer) -> str:
    """``encrypted: fra1 on wg0``."""
    return way_text(answer.way, answer.holder.name if answer.holder is not None else None)


def because_text(answer: Answer) -> str:
    """``10.30.0.0/16, route default table 51820``: the prefixes that decide."""
    parts = []
    if answer.holder is not None:
        parts.append(f"AllowedIPs {answer.holder.prefix}")
    if answer.destination is not None:
        kind = answer.type.value if answer.type is not None else ""
        shown = "" if kind == "unicast" else f"{kind} "
        metric = f" metric {answer.metric}" if answer.metric else ""
        route = f"{shown}{destination_text(answer.destination)}{metric}"
        parts.append(f"route {route} in {table_name(answer.table)}")
    elif answer.priority is not None:
        parts.append(f"rule {answer.priority}")
    return ", ".join(parts)
