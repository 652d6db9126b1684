"""What can go wrong before there is an answer.

A packet that does not arrive is *not* an error: it is an answer (``model.trace.Outcome``).
Exceptions are only for "there is no snapshot at all" and "the words cannot be understood".

    WgtuiError
    ├── SourceError     a source cannot be read: what, and what to do about it
    │   └── FormatError a text or file is not what it should be: which file, which line
    └── QueryError      the words typed cannot be understood: which word, where
"""

from __future__ import annotations


class WgtuiError(Exception):
    """Everything wgtui raises on purpose; ``str()`` is one line for a user."""


class SourceError(WgtuiError):
    """A source of facts cannot be read at all (exit code 3)."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what}: {hint}" if hint else what)
        self.what = what
        """What could not be read, and why."""
        self.hint = hint
        """What the user can do about it; empty when nothing helps."""


class FormatError(SourceError):
    """A file or a tool's output is not in the format it should have."""

    def __init__(self, file: str, problem: str, line: int | None = None, hint: str = "") -> None:
        where = f"{file}, line {line}" if line is not None else file
        super().__init__(f"{where}: {problem}", hint)
        self.file = file
        self.line = line
        """Counted from 1; None when the problem is not in one line."""
        self.problem = problem


class QueryError(WgtuiError):
    """The words of a flow cannot be understood (exit code 2); nothing was looked up."""

    def __init__(
        self, problem: str, text: str = "", position: int = 0, unfinished: bool = False
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        """One line naming the word and what is wrong with it."""
        self.text = text
        """The whole flow as it was typed."""
        self.position = position
        """Where in ``text`` the word begins, counted from 0."""
        self.unfinished = unfinished
        """The words may become a flow when more is typed ("10.0.", "10.0.0.1 from"): not yet a
        mistake."""
