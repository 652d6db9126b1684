"""What can be said about one Snapshot? Its panes' rows, and answers to questions about it.

The reader's thread makes it: engine and netaddr are imported after the first frame, and what is
work per snapshot is done before the screen hears of it. The screen, and whoever it imports at its
top, name this module for type checking only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Final

from wgtui.engine.checks.concern import Concerns
from wgtui.engine.history import AnswerChange
from wgtui.engine.lookup import lookup
from wgtui.errors import QueryError
from wgtui.model.change import JournalEntry
from wgtui.model.flow import Flow, place_of
from wgtui.model.kernel import KernelAnswer
from wgtui.model.prefix import Family, Prefix
from wgtui.model.range_flow import is_range
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report.change_words import before_line
from wgtui.report.explain import explain
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.sentences import answer, kernel_line
from wgtui.report.welcome import doubt, state_line, welcome
from wgtui.tui.allowed_rows import DeviceTreeRows, PeersRows
from wgtui.tui.filtering import filtered
from wgtui.tui.findings_rows import FindingsRows
from wgtui.tui.interfaces_rows import InterfacesRows
from wgtui.tui.line_rows import drift_rows, journal_rows
from wgtui.tui.map_rows import MapRows, first_range
from wgtui.tui.other_replies import command_in, command_reply, range_reply
from wgtui.tui.reply import GRAMMAR, Reply
from wgtui.tui.routes_rows import Folds, RoutesRows
from wgtui.tui.rows import RowModel
from wgtui.tui.watch import Mistakes

_OF_HOST: Final = attrgetter("own_addresses", "links_by_name")
_OF_DEVICE: Final = attrgetter("owners", "peer_numbers")
"""What facts work out when they are first asked, and then keep."""


class View:
    """One Snapshot, and the one before it: counters that rise are told by both."""

    def __init__(
        self,
        snapshot: Snapshot,
        before: Snapshot | None = None,
        journal: tuple[JournalEntry, ...] = (),
    ) -> None:
        self.snapshot: Final = snapshot
        self.before: Final = before
        self.journal: Final = journal
        """What has changed until then, the newest first."""
        self.mistakes: Mistakes | None = None
        """Of these facts, or a moment older; None: nobody has looked yet."""
        self._welcome: Final = Reply(tuple(welcome(snapshot)))
        self._links: Final = InterfacesRows(snapshot, before)
        self._routes: Final = RoutesRows(snapshot)
        self._peers: Final = PeersRows(snapshot)
        self._trees: DeviceTreeRows | None = None
        self._filtered: dict[tuple[RowModel, str], RowModel] = {}
        self._sheets: dict[str, RowModel] = {}
        self._maps: dict[Prefix, MapRows] = {}
        self.state = state_line(snapshot)
        """What is seen, in one line."""
        self.doubt: Final = doubt(snapshot)
        """What to know about the moment that is shown; empty: nothing."""
        _OF_HOST(snapshot)
        for device in snapshot.devices.values():
            _OF_DEVICE(device)

    # -------------------------------------------------------------------------------------- panes

    def take_over(self, other: View) -> None:
        """What somebody folded in the view before this one stays folded; what was found wrong
        there holds until somebody has looked again."""
        self._routes.fold_as(other.folds)
        if self.mistakes is None and other.mistakes is not None:
            self.find(other.mistakes)

    @property
    def folds(self) -> Folds:
        """The tables that were folded or unfolded."""
        return self._routes.folds

    def panes(self, *, device_tree: bool) -> tuple[RowModel, ...]:
        """The models of the panes, in their order."""
        return (self._links, self._routes, self._device_trees() if device_tree else self._peers)

    def _device_trees(self) -> DeviceTreeRows:
        if self._trees is None:
            self._trees = DeviceTreeRows(self.snapshot)
        return self._trees

    def filtered(self, model: RowModel, text: str) -> RowModel:
        """A pane's rows that match the text; the same text is looked for once."""
        if not text.strip():
            return model
        key = model, text
        if key not in self._filtered:
            self._filtered = {
                kept: rows for kept, rows in self._filtered.items() if kept[0] != model
            }
            self._filtered[key] = filtered(model, text)
        return self._filtered[key]

    def find(self, mistakes: Mistakes) -> None:
        """Somebody has looked for known mistakes."""
        self.mistakes = mistakes
        self.state = state_line(self.snapshot, mistakes.counted)
        self._sheets.clear()

    def map(self, text: str, family: Family) -> MapRows:
        """The map of a prefix; of none: where a look begins."""
        within = Prefix.parse(text) if text else first_range(self.snapshot, family)
        if within not in self._maps:
            self._maps = {within: MapRows(self.snapshot, within)}
        return self._maps[within]

    def sheet(self, name: str) -> RowModel:
        """The rows of a sheet."""
        if name not in self._sheets:
            self._sheets[name] = SHEET_ROWS[name](self)
        return self._sheets[name]

    # ------------------------------------------------------------------------------------ answers

    def reply(self, text: str, answered: str = "") -> Reply:
        """Look the text up; quick enough for every key press.

        ``answered`` is the last text that was a question: until the word is finished its answer
        and its marks stay.
        """
        if not text.strip():
            return self._welcome
        try:
            command = command_in(text)
            if command is not None:
                return command_reply(self.snapshot, text, command)
            if is_range(text):
                return range_reply(self.snapshot, text)
            trace = lookup(self.snapshot, Flow.parse(text))
        except QueryError as error:
            problem = printable(error.problem)
            if error.unfinished:
                lines = (Line(f"not yet a question: {problem}"), *GRAMMAR)
                return self._unfinished(lines, answered)
            caret = error.position if error.text == text else place_of(error.text, text)
            return Reply((Line(problem, Tone.NOTE),), caret=caret)
        known = self.mistakes.concerns.of(self.snapshot, trace) if self.mistakes else ()
        return Reply(tuple(answer(self.snapshot, trace, self.before, known)), trace)

    def _unfinished(self, lines: tuple[Line, ...], answered: str) -> Reply:
        old = self.reply(answered) if answered else None
        if old is None or old.trace is None:
            return Reply(lines)
        head = Line(f"still the answer to {printable(answered.strip())}:", Tone.NOTE)
        quiet = (replace(line, tone=Tone.PLAIN) for line in old.lines)
        return Reply((*lines, head, *quiet), kept=old.trace)

    def with_kernel(
        self, reply: Reply, asked: KernelAnswer | None, changed: AnswerChange | None = None
    ) -> tuple[Line, ...]:
        """The answer, what it was before, and what the running kernel says to the same question."""
        if reply.trace is None:
            return reply.lines
        lines = reply.lines
        if changed is not None:
            now = self.snapshot.taken_at
            lines = (*lines, before_line(now, changed.at, changed.before, changed.trace))
        line = kernel_line(self.snapshot, reply.trace, asked) if asked is not None else None
        return (*lines, line) if line is not None else lines

    def explanation(self, trace: Trace) -> tuple[Line, ...]:
        """The verdict in a few sentences, with the commands that prove it."""
        return tuple(explain(self.snapshot, trace))


def _findings_rows(view: View) -> FindingsRows:
    known = view.mistakes
    if known is None:
        return FindingsRows(view.snapshot, None, Concerns(()))
    return FindingsRows(view.snapshot, known.findings, known.concerns)


SHEET_ROWS: Final[dict[str, Callable[[View], RowModel]]] = {
    "findings": _findings_rows,
    "journal": lambda view: journal_rows(view.snapshot, view.journal),
    "drift": lambda view: drift_rows(view.snapshot),
}
"""What is on each of the sheets, by its name."""
