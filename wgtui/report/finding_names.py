"""What is a finding called: device, peer and prefix, and in the one line of an answer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wgtui.model.finding import Finding, Severity
from wgtui.model.finding_facts import Who
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import short_key

TONES: Final = {
    Severity.ERROR: Tone.BAD,
    Severity.WARNING: Tone.NOTE,
    Severity.INFO: Tone.PLAIN,
}
"""What a line about it means."""


def who(peer: Who) -> str:
    """A peer's name, or the beginning of its key."""
    return printable(peer.label) or short_key(peer.public_key)


def who_text(finding: Finding) -> str:
    """Device, peer and prefix, as far as there are any: ``wg1  ams2  10.31.0.0/24``."""
    parts = [printable(finding.device) if finding.device else ""]
    parts.append(who(finding.peer) if finding.peer else "")
    parts.append(str(finding.prefix) if finding.prefix else "")
    return "  ".join(part for part in parts if part)


def concern_line(findings: Sequence[Finding]) -> Iterator[Line]:
    """That known mistakes concern a packet, in one line; none when there are none."""
    if not findings:
        return
    told = dict.fromkeys(
        finding.code.value + (f" ({who_text(finding)})" if finding.severity.alarming else "")
        for finding in findings
    )
    yield Line(", ".join(told), TONES[findings[0].severity], label="finding")
