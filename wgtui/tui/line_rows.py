"""What does a sheet of lines show? Each line a row, in as many lines of the screen as it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from wgtui.engine.drift import drift
from wgtui.model.change import Change, EntryChange, JournalEntry, PeerChange, RouteChange
from wgtui.model.prefix import Prefix, address_text
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report.change_words import journal
from wgtui.report.drift_words import drift_told
from wgtui.report.line import GLYPHS, Line, Tone
from wgtui.tui.row_layout import NEW_LINE, Cells, wrap
from wgtui.tui.rows import Lit, Span

_STYLES: Final = {Tone.GOOD: "good", Tone.BAD: "bad", Tone.NOTE: "warn", Tone.UNKNOWN: "warn"}
_INDENT: Final = 2
"""Cells for each level."""


class LineRow(NamedTuple):
    """A line, and the prefix it is about."""

    line: Line
    prefix: Prefix | None = None


class LineRows:
    """Lines under a title: glyph, label, text."""

    def __init__(self, title: str, rows: Sequence[LineRow], *, pointed: bool = True) -> None:
        """``pointed``: a line that a packet lights up is looked for."""
        self.title = title
        self._pointed = pointed
        self._rows = rows
        self._labels = max((len(row.line.label) + 1 for row in rows if row.line.label), default=0)

    def __len__(self) -> int:
        return len(self._rows)

    def spans(self, row: int, width: int) -> Cells:
        """One line, wrapped between words."""
        line = self._rows[row].line
        margin = " " * (_INDENT * line.indent)
        label = line.label.ljust(self._labels) if line.label or line.indent else ""
        room = width - len(margin) - len(label) - 2
        head = (Span(f"{GLYPHS[line.tone]} ", _STYLES.get(line.tone, "")), Span(margin))
        spans: list[Span] = [*head, Span(label, "label")]
        hang = " " * (2 + len(margin) + len(label))
        for number, text in enumerate(_lines(line, max(16, room))):
            spans += [NEW_LINE, Span(hang)] if number else []
            spans.append(Span(text))
        return tuple(spans)

    def question(self, row: int) -> str | None:
        """An address of the prefix that the line is about."""
        prefix = self._rows[row].prefix
        return None if prefix is None else address_text(prefix.family, prefix.network)

    def copy_text(self, row: int) -> str:
        """The prefix that the line is about, or all it says."""
        prefix, line = self._rows[row].prefix, self._rows[row].line
        return line.text if prefix is None else str(prefix)

    def lit(self, trace: Trace) -> Lit:
        """The lines about prefixes that cover the destination."""
        to = trace.flow.destination
        marks = {
            number: Tone.NOTE
            for number, (_, prefix) in enumerate(self._rows)
            if prefix is not None and prefix.family == to.version and prefix.covers(int(to))
        }
        return Lit(marks, {}, min(marks, default=None) if self._pointed else None)

    # ---------------------------------------------------------------------------------- filtering

    def unfolded(self) -> LineRows:
        """Nothing is folded."""
        return self

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Lines about a prefix that covers this one or lies in it."""
        for number, (_, found) in enumerate(self._rows):
            if found is not None and (found.contains(prefix) or prefix.contains(found)):
                yield number

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Lines with the text."""
        for number, (line, _) in enumerate(self._rows[:limit]):
            if needle in f"{line.label} {line.text}".lower():
                yield number

    def context(self, row: int) -> Iterator[int]:
        """The lines it stands below."""
        depth = self._rows[row].line.indent
        for above in range(row - 1, -1, -1):
            if depth == 0:
                return
            if self._rows[above].line.indent < depth:
                depth = self._rows[above].line.indent
                yield above


def journal_rows(snapshot: Snapshot, entries: tuple[JournalEntry, ...]) -> LineRows:
    """What has changed, the newest first."""
    lines = journal(entries, snapshot.taken_at)
    prefixes = [_prefix_of(entry.change) for entry in entries] or [None]
    return LineRows("Journal", list(map(LineRow, lines, prefixes)), pointed=False)


def _prefix_of(change: Change) -> Prefix | None:
    """What to ask about it."""
    match change:
        case EntryChange(prefix=prefix) | RouteChange(destination=prefix):
            return prefix
        case PeerChange(entries=(prefix, *_)):
            return prefix
    return None


def drift_rows(snapshot: Snapshot) -> LineRows:
    """What was meant, what the kernel has, what is routed there."""
    told = drift_told(snapshot, drift(snapshot))
    return LineRows("Drift", [LineRow(line, prefix) for line, prefix in told])


def _lines(line: Line, room: int) -> list[str]:
    # Columns are kept as they are while they fit.
    return [line.text] if len(line.text) <= room else wrap(line.text, room)
