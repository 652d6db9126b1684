"""What does the sheet of findings show? A row each; unfolded, what happens and the repair.

error    moved-prefix          wg1  ams2  10.31.0.0/24
         10.31.0.0/24 was meant for ams2 and belongs to lon3 on wg1 now …
         fix  wg set wg1 peer … allowed-ips …
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.engine.checks.concern import Concerns
from wgtui.model.finding import Finding, Severity
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report.finding_names import who_text
from wgtui.report.finding_sentences import finding_text
from wgtui.report.findings import NO_FINDINGS, NOT_YET, finding_lines, finding_question
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.repairs import repair
from wgtui.tui.row_layout import NEW_LINE, Cells, clip, clip_words, fit, say, width_of, wrap
from wgtui.tui.rows import Lit, Span

OPEN_AT_FIRST: Final = 60
"""So many findings are shown unfolded; of more, only their first lines."""

_STYLES: Final = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "dim"}
_INDENT: Final = Span(" " * 9)
_MOST_LINES: Final = 6
"""Of one command: a list of AllowedIPs may be long, and is copied whole."""


class FindingsRows:
    """The findings of one snapshot; nothing is worded for those nobody looks at."""

    title = "Findings"

    def __init__(
        self, snapshot: Snapshot, findings: tuple[Finding, ...] | None, concerns: Concerns
    ) -> None:
        self._snapshot = snapshot
        self._concerns = concerns
        self._findings = findings or ()
        self._nothing = NOT_YET if findings is None else NO_FINDINGS
        self._open = len(self._findings) <= OPEN_AT_FIRST
        self._toggled: set[int] = set()

    # --------------------------------------------------------------------------------------- rows

    def __len__(self) -> int:
        return len(self._findings) or 1

    def spans(self, row: int, width: int) -> Cells:
        """One finding, in as many lines as it takes."""
        if not self._findings:
            return (Span(clip(self._nothing, width)),)
        finding = self._findings[row]
        head = (
            Span(f"{finding.severity.value:<9}", _STYLES[finding.severity]),
            Span(f"{finding.code.value:<22}", "strong"),
            Span(who_text(finding)),
        )
        if self._folded(row):
            room = width - width_of(head) - 2
            text = finding_text(self._snapshot, finding)
            return fit(width, head, say(clip_words(text, room) if room >= 24 else "", "dim"))
        return (*head, *self._told(finding, width - len(_INDENT.text)))

    def _told(self, finding: Finding, width: int) -> Iterator[Span]:
        for line in wrap(finding_text(self._snapshot, finding), width):
            yield from (NEW_LINE, _INDENT, Span(line))
        for number, command in enumerate(repair(self._snapshot, finding)):
            lines = wrap(command, width - 5)
            shown = lines[:_MOST_LINES]
            if len(lines) > len(shown):
                shown[-1] = clip(shown[-1] + " …", width - 5)
            for at, line in enumerate(shown):
                label = "fix  " if number == at == 0 else "     "
                yield from (NEW_LINE, _INDENT, Span(label, "label"), Span(line, "strong"))

    def question(self, row: int) -> str | None:
        """An address that the finding is about."""
        if not self._findings:
            return None
        return finding_question(self._snapshot, self._findings[row])

    def told(self, row: int) -> tuple[Line, ...]:
        """The finding in full, for below the answer's first line."""
        if not self._findings:
            return ()
        return tuple(finding_lines(self._snapshot, self._findings[row]))

    def copy_text(self, row: int) -> str:
        """The commands that would repair it; without any, what it says."""
        if not self._findings:
            return ""
        finding = self._findings[row]
        commands = repair(self._snapshot, finding)
        return "\n".join(commands) or finding_text(self._snapshot, finding)

    def lit(self, trace: Trace) -> Lit:
        """The findings that concern the packet."""
        marks = dict.fromkeys(self._concerns.numbers(self._snapshot, trace), Tone.NOTE)
        return Lit(marks, {}, min(marks, default=None))

    # ------------------------------------------------------------------------------------ folding

    def _folded(self, row: int) -> bool:
        return self._open is (row in self._toggled)

    def toggle(self, row: int) -> bool:
        """Fold or unfold a finding."""
        self._toggled ^= {row}
        return bool(self._findings)

    # ---------------------------------------------------------------------------------- filtering

    def unfolded(self) -> FindingsRows:
        """As they are: a search must not word ten thousand findings."""
        return self

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Findings about a prefix that covers this one or lies in it."""
        for row, finding in enumerate(self._findings):
            found = finding.prefix
            if found is not None and (found.contains(prefix) or prefix.contains(found)):
                yield row

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Findings with the text in their severity, code, device, peer or prefix."""
        for row, finding in enumerate(self._findings[:limit]):
            said = f"{finding.severity.value} {finding.code.value} {who_text(finding)}"
            if needle in printable(said).lower():
                yield row

    def context(self, row: int) -> Iterator[int]:
        """None: a finding stands alone."""
        yield from ()
