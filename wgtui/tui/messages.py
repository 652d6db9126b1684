"""What do the parts of the screen say to each other? Only these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.widget import Widget

from wgtui.errors import SourceError
from wgtui.report.line import Line

if TYPE_CHECKING:
    from wgtui.engine.history import AnswerChange
    from wgtui.model.flow import Flow
    from wgtui.model.kernel import KernelAnswer
    from wgtui.tui.view import View
    from wgtui.tui.watch import Mistakes


class SnapshotArrived(Message):
    """The reader has seen the host (again)."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, SnapshotArrived)


class FindingsArrived(Message):
    """The reader has looked for known mistakes in what a view shows."""

    def __init__(self, view: View, mistakes: Mistakes) -> None:
        super().__init__()
        self.view = view
        self.mistakes = mistakes


class ReadingOn(Message):
    """A long read goes on: so many routes by now."""

    def __init__(self, routes: int) -> None:
        super().__init__()
        self.routes = routes

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, ReadingOn)


class SourceFailed(Message):
    """The reader could not; it goes on trying."""

    def __init__(self, error: SourceError) -> None:
        super().__init__()
        self.error = error


class KernelAnswered(Message):
    """The running kernel was asked the same question (None: there is none to ask), and so were
    earlier looks at the host (None: the answer was never another one)."""

    def __init__(
        self, flow: Flow, answer: KernelAnswer | None, changed: AnswerChange | None = None
    ) -> None:
        super().__init__()
        self.flow = flow
        self.answer = answer
        self.changed = changed


class RowChosen(Message):
    """Enter on a row: ask about it, and say this with the answer; "" where it asks nothing."""

    def __init__(self, question: str, told: tuple[Line, ...] = ()) -> None:
        super().__init__()
        self.question = question
        self.told = told


class RowsFolded(Message):
    """A list's model folded or unfolded something: its marks are on other rows now."""

    def __init__(self, sender: Widget) -> None:
        super().__init__()
        self.sender = sender

    @property
    def control(self) -> Widget:
        """The list."""
        return self.sender


class PaneShown(Message):
    """Other panes than before are on the screen."""
