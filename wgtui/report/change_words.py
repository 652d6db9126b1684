"""What changed, in one line each? And what has a journal to say?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from wgtui.model.change import (
    AddressChange,
    Change,
    EndpointChange,
    EntryChange,
    Flood,
    JournalEntry,
    LinkChange,
    NextHopChange,
    PeerChange,
    PlaceChange,
    RouteChange,
    RuleChange,
    SessionChange,
    SettingChange,
    SightChange,
    SubjectChange,
    SysctlChange,
)
from wgtui.model.finding_facts import Who
from wgtui.model.network import LinkAddress, TableId
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Trace
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.verdict import verdict
from wgtui.report.words import (
    age,
    endpoint_text,
    link_address_text,
    namespace_text,
    rule_text,
    short_key,
    table_name,
    way_text,
)

NOTHING_CHANGED: Final = "nothing changed"

_SUBJECTS: Final = {
    Subject.LINKS: "the links",
    Subject.ADDRESSES: "the addresses",
    Subject.RULES4: "the IPv4 rules",
    Subject.RULES6: "the IPv6 rules",
    Subject.ROUTES4: "the IPv4 routes",
    Subject.ROUTES6: "the IPv6 routes",
    Subject.NEXTHOPS: "the next-hop objects",
    Subject.WIREGUARD: "the peers",
    Subject.SYSCTL: "the kernel settings",
    Subject.CONFIG: "the configurations",
    Subject.FIREWALL: "the firewall",
    Subject.XFRM: "IPsec and traffic control",
    Subject.TC: "traffic control",
    Subject.NEIGHBOURS: "the neighbours",
    Subject.NAMESPACE: "a namespace",
    Subject.CONSISTENCY: "a consistent state",
}
_FLOODS: Final = {
    "entry": ("AllowedIPs entries", "on"),
    "peer": ("peers", "on"),
    "endpoint": ("endpoints", "on"),
    "session": ("sessions", "on"),
    "setting": ("settings", "of"),
    "link": ("links", ""),
    "address": ("addresses", "on"),
    "route": ("routes", "in table"),
    "rule": ("rules", ""),
    "nexthop": ("next-hop objects", ""),
    "sysctl": ("kernel settings", ""),
}


def change_text(change: Change) -> str:
    """One sentence, without a full stop."""
    match change:
        case EntryChange():
            return _entry(change)
        case PeerChange(device, peer, added, entries):
            owns = f" with {', '.join(map(str, entries))}" if entries else ""
            verb = "was added to" if added else "was removed from"
            return f"peer {_name(peer)} {verb} {printable(device)}{owns}"
        case EndpointChange(device, peer, before, after):
            was, now = endpoint_text(before), endpoint_text(after)
            return f"peer {_name(peer)} on {printable(device)}: endpoint {now}, was {was}"
        case SessionChange(device, peer, fresh):
            verb = "has shaken hands" if fresh else "has not shaken hands for 3 minutes"
            return f"peer {_name(peer)} on {printable(device)} {verb}"
        case SettingChange(link, setting, before, after, who):
            of = f"peer {_name(who)} on {printable(link)}" if who else printable(link)
            now, was = printable(after) or "(none)", printable(before) or "(none)"
            return f"{of}: {setting} {now}, was {was}"
        case LinkChange(link, added, kind):
            what = f"link {printable(link)}" + (f" ({printable(kind)})" if kind else "")
            return f"{what} is there" if added else f"{what} is gone"
        case AddressChange(link, before, after):
            return _address(printable(link), before, after)
        case RouteChange():
            return _route(change)
        case RuleChange(rule, added):
            family = f"IPv{rule.family} rule"
            return f"{family} {'added' if added else 'removed'}: {rule_text(rule)}"
        case NextHopChange(number, before, after):
            verb = "was changed" if before and after else "was added" if after else "is gone"
            return f"next-hop object {number} {verb}"
        case SysctlChange(path, before, after):
            return f"{printable(sysctl_name(path))} is {after}, was {before}"
        case SubjectChange(Subject.CONFIG, name):
            return f"configuration {printable(name)} says something else"
        case SubjectChange(subject):
            return f"{_SUBJECTS[subject]} changed"
        case SightChange(subject, link, seen, why):
            of = f" of {printable(link)}" if link else ""
            if seen:
                return f"{_SUBJECTS[subject]}{of} can be seen again"
            return f"{_SUBJECTS[subject]}{of} cannot be seen any more: {printable(why)}"
        case PlaceChange(place, inner):
            return f"in {namespace_text(place)}: {change_text(inner)}"
        case Flood():
            return _flood(change)


def sysctl_name(path: str) -> str:
    """As sysctl(8) writes it: dots for slashes, and slashes for the dots of a link's name."""
    return path.translate(str.maketrans("/.", "./"))


def _name(who: Who) -> str:
    return printable(who.label) or short_key(who.public_key)


def _entry(change: EntryChange) -> str:
    device = printable(change.device)
    match change.before, change.after:
        case None, Who() as after:
            return f"{change.prefix} on {device} belongs to {_name(after)}, was nobody's"
        case Who() as before, None:
            return f"{change.prefix} on {device} belongs to nobody, was {_name(before)}'s"
        case Who() as before, Who() as after:
            return f"{change.prefix} on {device} moved from {_name(before)} to {_name(after)}"
    return f"{change.prefix} on {device}"


def _address(link: str, before: LinkAddress | None, after: LinkAddress | None) -> str:
    if before is None or after is None:
        entry = after or before
        text = link_address_text(entry) if entry is not None else "?"
        return f"address {text} {'added to' if after else 'removed from'} {link}"
    words = _flags(after) or "in use"
    return f"address {link_address_text(after)} on {link} is {words}, was {_flags(before) or 'not'}"


def _flags(entry: LinkAddress) -> str:
    flags = (
        ("deprecated", entry.deprecated),
        ("tentative", entry.tentative),
        ("secondary", entry.secondary),
    )
    return ", ".join(word for word, is_set in flags if is_set)


def _route(change: RouteChange) -> str:
    table = table_name(change.table)
    texts = [
        None if way is None else way_text(change.destination, way.info, way.links)
        for way in (change.before, change.after)
    ]
    match texts:
        case [None, str(now)]:
            return f"route added to {table}: {now}"
        case [str(was), None]:
            return f"route removed from {table}: {was}"
    return f"route in {table}: {texts[1]}, was {texts[0]}"


def _flood(change: Flood) -> str:
    what, where = _FLOODS.get(change.what, (change.what, "of"))
    family = f"IPv{change.family} " if change.family else ""
    place = change.where
    if change.what == "route":
        place = table_name(TableId(int(change.where)))
    text = f"{change.count:,} {family}{what} changed"
    text += f" {where} {printable(place)}" if place and where else ""
    sides = (("added", change.added), ("removed", change.removed), ("changed", change.changed))
    counts = [f"{count:,} {word}" for word, count in sides if count]
    return f"{text}: {', '.join(counts)}"


def tone_of(change: Change) -> Tone:
    """What takes something from somebody is worth a mark."""
    match change:
        case PlaceChange(change=inner):
            return tone_of(inner)
        case EntryChange(before=Who()) | Flood() | SightChange(seen=False):
            return Tone.NOTE
        case PeerChange(added=False) | LinkChange(added=False) | SessionChange(fresh=False):
            return Tone.NOTE
    return Tone.PLAIN


# ------------------------------------------------------------------------------- diff and journal


def difference(found: Sequence[Change]) -> list[Line]:
    """What changed between two looks; the first line counts."""
    if not found:
        return [Line(NOTHING_CHANGED, Tone.GOOD)]
    count = sum(change.count if isinstance(change, Flood) else 1 for change in found)
    head = f"{count:,} change{'' if count == 1 else 's'}"
    return [Line(head), *map(_labelled, found)]


def _labelled(change: Change) -> Line:
    label = _label(change)
    text = change_text(change).removeprefix(f"{label} ")
    return Line(text, tone_of(change), label=label)


def _label(change: Change) -> str:
    """What it is about, in one short word."""
    if isinstance(change, PlaceChange):
        return _label(change.change)
    kind = str(change.key[0]) if isinstance(change.key, tuple) else ""
    return {"entry": "owner", "endpoint": "roamed", "subject": "other"}.get(kind, kind)


def journal(entries: Iterable[JournalEntry], now: float) -> list[Line]:
    """What changed while somebody watched, the newest first, each with its time."""
    lines = [
        Line(
            _entry_text(entry),
            Tone.NOTE if entry.count > 1 else tone_of(entry.change),
            label=clock_text(entry.at, now),
        )
        for entry in entries
    ]
    return lines or [Line("Nothing has changed since wgtui was started.")]


def _entry_text(entry: JournalEntry) -> str:
    text = change_text(entry.change)
    if entry.count == 1:
        return text
    return f"flapping, {entry.count} times in {age(entry.at - entry.since)}: {text}"


def clock_text(at: float, now: float) -> str:
    """``14:02:11`` here; with the day in front when it is another one."""
    moment, today = (datetime.fromtimestamp(time, tz=UTC).astimezone() for time in (at, now))
    same = moment.date() == today.date()
    return moment.strftime("%H:%M:%S" if same else "%Y-%m-%d %H:%M:%S")


def before_line(now: float, at: float, before: Snapshot, trace: Trace) -> Line:
    """What the answer was before it became what it is."""
    return Line(
        f"until {clock_text(at, now)}: {verdict(before, trace).text}", Tone.NOTE, label="before"
    )
