"""What is this host, what is seen of it, what is missing, and what does one do next?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from wgtui.model.finding import Finding, Severity
from wgtui.model.network import LinkIndex
from wgtui.model.prefix import FAMILIES
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import count_text

SUBJECTS: Final[dict[Subject, str]] = {
    Subject.LINKS: "links",
    Subject.ADDRESSES: "addresses",
    Subject.RULES4: "IPv4 rules",
    Subject.RULES6: "IPv6 rules",
    Subject.ROUTES4: "IPv4 routes",
    Subject.ROUTES6: "IPv6 routes",
    Subject.NEXTHOPS: "next-hop objects",
    Subject.WIREGUARD: "WireGuard peers",
    Subject.SYSCTL: "kernel settings (sysctl)",
    Subject.CONFIG: "configuration files",
    Subject.FIREWALL: "firewall rules",
    Subject.XFRM: "IPsec",
    Subject.TC: "traffic control (tc)",
    Subject.NEIGHBOURS: "neighbours",
    Subject.NAMESPACE: "other namespaces",
    Subject.CONSISTENCY: "one consistent moment",
}

MORE: Final = "w what if?   m map   = drift   J journal   ? all keys"
"""What the line of keys below has no room for; each is a key of the empty question."""


def welcome(snapshot: Snapshot) -> list[Line]:
    """The first screen's lines, shown while the question line is empty."""
    lines = [
        Line("Type an address: who gets it, by which rule, route and peer; may it answer?"),
        Line(_seen(snapshot), label="seen"),
    ]
    if not snapshot.devices and not _hidden(snapshot):
        lines.append(
            Line("no WireGuard device here; to see one at work: wgtui --demo", Tone.NOTE, label="")
        )
    examples = _examples(snapshot)
    if examples:
        lines.append(Line(examples, label="try"))
    for number, gap in enumerate(shown_gaps(snapshot)):
        lines.append(
            Line(gap_sentence(snapshot, gap), Tone.UNKNOWN, label="" if number else "unseen")
        )
    lines.append(Line(MORE, label="more"))
    return lines


def state_line(snapshot: Snapshot, wrong: str = "") -> str:
    """One line: which host, which source, known mistakes, how many gaps, how much is seen."""
    host = printable(snapshot.host) or "this host"
    where = f"{host} · {printable(snapshot.source)}" if snapshot.source else host
    if snapshot.namespace and snapshot.namespace not in snapshot.source:
        where += f" · namespace {printable(snapshot.namespace)}"
    gaps = len(shown_gaps(snapshot))
    missing = f" · {count_text(gaps, 'gap')}" if gaps else ""
    mistakes = f" · ! {wrong}" if wrong else ""
    return f"{where}{mistakes}{missing} · {_counts(snapshot)}"


def doubt(snapshot: Snapshot) -> str:
    """What to know about the moment that is shown, in a few words; empty: nothing."""
    if snapshot.gap(Subject.CONSISTENCY):
        return "it changed while it was read"
    times = snapshot.events_lost
    if not times:
        return ""
    return f"events lost {'once' if times == 1 else f'{times} times'}: all was read again"


def counts_text(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning``; notes are only counted when there is nothing worse."""
    found = [finding.severity for finding in findings]
    told = [
        count_text(found.count(severity), word)
        for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"))
        if severity in found
    ]
    if told or not found:
        return ", ".join(told)
    return count_text(len(found), "note")


def shown_gaps(snapshot: Snapshot) -> list[Gap]:
    """Every gap once, in the order they were met."""
    return list(dict.fromkeys(snapshot.gaps))


def gap_sentence(snapshot: Snapshot, gap: Gap) -> str:
    """``WireGuard peers of wg0: Operation not permitted — run as root``."""
    of = f" of {printable(snapshot.link_name(gap.link))}" if gap.link is not None else ""
    hint = f" — {printable(gap.hint)}" if gap.hint else ""
    return f"{SUBJECTS[gap.subject]}{of}: {printable(gap.why)}{hint}"


def _hidden(snapshot: Snapshot) -> bool:
    return any(link.kind == "wireguard" for link in snapshot.links.values()) or any(
        gap.subject is Subject.WIREGUARD for gap in snapshot.gaps
    )


def _counts(snapshot: Snapshot) -> str:
    routes = sum(len(table) for table in snapshot.routes.values())
    peers = sum(len(device.peers) for device in snapshot.devices.values())
    parts = [count_text(len(snapshot.links), "link"), count_text(routes, "route")]
    if snapshot.devices:
        parts.append(f"{len(snapshot.devices)} WireGuard, {count_text(peers, 'peer')}")
    return " · ".join(parts)


def _seen(snapshot: Snapshot) -> str:
    host = printable(snapshot.host) or "this host"
    kernel = f" (Linux {printable(snapshot.kernel)})" if snapshot.kernel else ""
    rules = sum(len(snapshot.rules.get(family, ())) for family in FAMILIES)
    devices = ", ".join(
        f"{printable(device.name)} {count_text(len(device.peers), 'peer')}"
        for device in list(snapshot.devices.values())[:4]
    )
    more = f" and {len(snapshot.devices) - 4} more" if len(snapshot.devices) > 4 else ""
    wireguard = f"; WireGuard: {devices}{more}" if devices else ""
    routes = sum(len(table) for table in snapshot.routes.values())
    return (
        f"{host}{kernel}: {count_text(len(snapshot.links), 'link')}, {count_text(rules, 'rule')}, "
        f"{count_text(routes, 'route')}{wireguard}"
    )


def _examples(snapshot: Snapshot) -> str:
    return "   ".join(_suggestions(snapshot))


def _suggestions(snapshot: Snapshot) -> Iterator[str]:
    """A destination in the first tunnel, and the same from the other side."""
    for device in snapshot.devices.values():
        for peer in device.peers:
            for prefix in peer.allowed_ips:
                if prefix.family == 4 and prefix.length:
                    address = prefix.to_netaddr()[1 if prefix.length < 31 else 0]
                    yield str(address)
                    own = _own_address(snapshot, device.link)
                    if own and " " not in device.name:
                        yield f"{own} from {address} iif {printable(device.name)}"
                    return


def _own_address(snapshot: Snapshot, device: LinkIndex) -> str | None:
    """The IPv4 address of the device itself, or else of any link."""
    links = sorted(snapshot.links.values(), key=lambda link: link.index != device)
    for link in links:
        for entry in link.addresses:
            if entry.address.version == 4 and not link.loopback:
                return str(entry.address)
    return None
