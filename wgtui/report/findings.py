"""How is a finding shown: in lines, in one line, and which address does one ask about?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wgtui.model.finding import Finding, Severity
from wgtui.model.finding_facts import (
    Asymmetric,
    Down,
    Elsewhere,
    Filtered,
    Loop,
    Mtu,
    Overlap,
    Ownerless,
    Shadowed,
    ViaTunnel,
)
from wgtui.model.prefix import Prefix, address_text
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Endpoint
from wgtui.report.finding_names import TONES, who_text
from wgtui.report.finding_sentences import finding_text
from wgtui.report.line import ASCII_GLYPHS, GLYPHS, Line
from wgtui.report.repairs import repair
from wgtui.report.text import broken
from wgtui.report.words import count_text

CHECK_SCHEMA: Final = "wgtui.check/1"

Json = dict[str, object]

NO_FINDINGS: Final = "no known mistake found"
NOT_YET: Final = "looking for known mistakes …"


def finding_lines(snapshot: Snapshot, finding: Finding) -> Iterator[Line]:
    """A finding in full: what it says, and the commands that would repair it."""
    tone = TONES[finding.severity]
    head = f"{finding.severity.value} {finding.code.value}"
    yield Line(f"{head}: {finding_text(snapshot, finding)}", tone, label="finding")
    for number, command in enumerate(repair(snapshot, finding)):
        yield Line(command, label="" if number else "fix")


def findings_text(
    snapshot: Snapshot,
    findings: Sequence[Finding],
    ascii_only: bool = False,
    columns: int | None = None,
) -> str:
    """All of them, for a terminal or a mail: what it is, what happens, what would repair it.

    With ``columns`` sentences are broken between words; commands, which are copied, never.
    """
    if not findings:
        return f"{NO_FINDINGS}\n"
    glyphs = ASCII_GLYPHS if ascii_only else GLYPHS
    rows: list[str] = []
    for finding in findings:
        glyph = glyphs[TONES[finding.severity]].strip() or "-"
        head = f"{finding.severity.value:<8} {finding.code.value:<22} {who_text(finding)}"
        rows.append(f"{glyph} {head}".rstrip())
        rows += broken("    ", finding_text(snapshot, finding), columns)
        rows += [f"    $ {command}" for command in repair(snapshot, finding)]
    return "".join(f"{row}\n" for row in (*rows, "", summary(findings)))


def summary(findings: Sequence[Finding]) -> str:
    """``2 errors, 1 warning, 3 notes``."""
    found = [finding.severity for finding in findings]
    told = [
        count_text(found.count(severity), word)
        for severity, word in (
            (Severity.ERROR, "error"),
            (Severity.WARNING, "warning"),
            (Severity.INFO, "note"),
        )
        if severity in found
    ]
    return ", ".join(told)


def findings_json(snapshot: Snapshot, findings: Iterable[Finding]) -> Json:
    """Contract §5, word for word."""
    return {
        "schema": CHECK_SCHEMA,
        "findings": [finding_json(snapshot, finding) for finding in findings],
    }


def finding_json(snapshot: Snapshot, finding: Finding) -> Json:
    """One finding; keys that do not apply are null."""
    peer = finding.peer
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "device": finding.device,
        "peer": None if peer is None else peer.public_key,
        "name": None if peer is None else peer.label or None,
        "prefix": None if finding.prefix is None else str(finding.prefix),
        "text": finding_text(snapshot, finding),
        "fix": repair(snapshot, finding),
    }


def finding_question(snapshot: Snapshot, finding: Finding) -> str | None:
    """The flow to ask about: an address that the finding concerns."""
    match finding.facts:
        case Elsewhere(parts=(first, *_)) | Ownerless(parts=(first, *_)):
            return _address_in(snapshot, first)
        case Down(prefixes=(first, *_)):
            return _address_in(snapshot, first)
        case Filtered(endpoint=Endpoint() as endpoint):
            return str(endpoint.address)
        case Loop(endpoint=endpoint) | ViaTunnel(endpoint=endpoint) | Mtu(endpoint=endpoint):
            return _owned_by(snapshot, finding) or str(endpoint.address)
        case Filtered(elsewhere=Elsewhere(parts=(first, *_))):
            return _address_in(snapshot, first)
        case Asymmetric(elsewhere=Elsewhere(parts=(first, *_))):
            return _address_in(snapshot, first)
        case Overlap(takers=(first, *_)) | Shadowed(takers=(first, *_)):
            return _address_in(snapshot, first.prefix)
        case _:
            pass
    if finding.prefix is not None:
        return _address_in(snapshot, finding.prefix)
    return _owned_by(snapshot, finding)


def _owned_by(snapshot: Snapshot, finding: Finding) -> str | None:
    """An address of the peer."""
    for device in snapshot.devices.values():
        for peer in device.peers if device.name == finding.device else ():
            mine = finding.peer is None or peer.public_key == finding.peer.public_key
            if mine and peer.allowed_ips:
                return _address_in(snapshot, peer.allowed_ips[0])
    return None


def _address_in(snapshot: Snapshot, prefix: Prefix) -> str:
    """One that is nobody's network or gateway address, as far as there is room, and not our own."""
    if prefix.length == 0:
        return "198.51.100.99" if prefix.family == 4 else "2001:db8:ffff::99"
    last = min(prefix.size - 1, 9)
    for offset in range(1 if prefix.size > 2 else 0, last + 1):
        address = prefix.network + offset
        if (prefix.family, address) not in snapshot.own_addresses:
            return address_text(prefix.family, address)
    return address_text(prefix.family, prefix.network)
