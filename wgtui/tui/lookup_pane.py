"""Where does one ask, and where is the answer? The question line, and the lines below it.

The lookup happens inside the question's watcher, so the typed character, the answer and the marks
in all panes are one frame. The verdict's lines do not scroll; the others do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from wgtui.report.line import Line
from wgtui.tui import keys
from wgtui.tui.ascii_only import to_ascii
from wgtui.tui.drawn import Drawn
from wgtui.tui.inks import ANSWER_INKS
from wgtui.tui.row_layout import wrap
from wgtui.tui.row_list import RowList
from wgtui.tui.row_strip import MARGIN
from wgtui.tui.rows import Lit, Picture, Span

if TYPE_CHECKING:
    from wgtui.model.trace import Trace

_BEGINS_QUESTION: Final = frozenset("0123456789abcdefABCDEF:i")
"""Of an address, of ``if …`` and of ``ip …``."""
_IN_NO_QUESTION: Final = frozenset("?!")

PROMPT: Final = " 4 Lookup ❯ "


class AnswerRows:
    """Lines wrapped at a width, as rows: glyph | label | text with a hanging indent."""

    title = "Lookup"

    def __init__(self, lines: Sequence[Line], width: int, caret: int | None = None) -> None:
        self.pictures: list[Picture] = []
        self.texts: list[str] = []
        """The whole line that each row belongs to."""
        self.head = 0
        """Rows of the first line."""
        labels = min(16, max((cell_len(line.label) for line in lines), default=0))
        for number, line in enumerate(lines):
            if number == 0 and caret is not None:
                rows = list(_under_caret(line, width - MARGIN, caret - MARGIN))
            else:
                column = 0 if not labels or (number == 0 and not line.label) else labels + 1
                rows = list(_rows_of(line, width - MARGIN, column))
            for at, spans in enumerate(rows):
                self.pictures.append(Picture(spans, line.tone, continued=at > 0))
                self.texts.append(line.text)
            if number == 0:
                self.head = len(rows)

    def __len__(self) -> int:
        return len(self.pictures) - self.head

    def spans(self, row: int, width: int) -> tuple[Span, ...]:
        """Already wrapped at this width."""
        return self.pictures[row + self.head].spans

    def question(self, row: int) -> str | None:
        """An answer asks nothing."""
        return None

    def copy_text(self, row: int) -> str:
        """The whole line, however it is wrapped."""
        return self.texts[row + self.head]

    def lit(self, trace: Trace) -> Lit:
        """The answer says it all itself."""
        return Lit()


def _rows_of(line: Line, width: int, labels: int) -> Iterator[tuple[Span, ...]]:
    margin = " " * (2 * line.indent)
    room = max(16, width - len(margin) - labels)
    for number, text in enumerate(wrap(line.text, room)):
        label = (line.label if number == 0 else "").ljust(labels)
        yield Span(margin), Span(label, "label"), Span(text)


def _under_caret(line: Line, width: int, caret: int) -> Iterator[tuple[Span, ...]]:
    """``^`` under the word that is wrong, the problem behind it or below."""
    caret = max(0, min(caret, width - 1))
    if caret + 2 + cell_len(line.text) <= width:
        yield Span(" " * caret + "^ "), Span(line.text)
        return
    yield (Span(" " * caret + "^"),)
    for text in wrap(line.text, width):
        yield (Span(text),)


class AnswerList(RowList):
    """The lines of an answer; those of the first one stay where they are."""

    BINDINGS = keys.ANSWER
    INKS = ANSWER_INKS

    def __init__(
        self,
        *,
        ascii_only: bool = False,
        name: str = "answer",
        on_more: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(ascii_only=ascii_only, name=name)
        self._on_more = on_more
        self.lines: tuple[Line, ...] = ()
        self.rows = AnswerRows((), 80)
        self._caret: int | None = None

    def show(
        self, lines: tuple[Line, ...], caret: int | None = None, *, keep: bool = False
    ) -> None:
        """Another answer, from its top; ``keep``: the same one, told anew."""
        if not keep:
            self.top = self.cursor = 0
        if (lines, caret) != (self.lines, self._caret):
            self.lines, self._caret = lines, caret
            self._wrap()
        else:
            self.redraw()

    def _wrap(self) -> None:
        self.rows = AnswerRows(self.lines, max(24, self.size.width), self._caret)
        self.model = self.rows
        self._stay_inside()
        self.redraw()

    def redraw(self) -> None:
        """As every list, and say how much is still below."""
        super().redraw()
        if self._on_more is not None:
            self._on_more(max(0, len(self.rows) - self.top - self.rows_visible))

    @property
    def fixed(self) -> int:
        """The verdict, unless the pane is so low that nothing else would be seen."""
        return min(self.rows.head, max(0, self.size.height - 1))

    def _fixed_picture(self, y: int) -> Picture:
        return self.rows.pictures[y]

    def _row_lines(self, row: int) -> Sequence[tuple[Span, ...]]:
        return (self.rows.spans(row, 0),)

    def _row_pictures(self, row: int) -> list[Picture]:
        picture = self.rows.pictures[row + self.rows.head]
        return [picture._replace(cursor=self.has_focus and row == self.cursor)]

    def on_resize(self, _: events.Resize) -> None:
        """Wrap again."""
        self._pictures.clear()
        self._wrap()


class Question(Input):
    """The question line. While it is empty, or all of it is selected so that typing replaces it,
    letters that cannot begin a question are commands."""

    BINDINGS = keys.QUESTION

    virtual_size = Reactive(Size(0, 0), layout=False)
    """Textual lays the whole screen out again when this changes, at every character."""

    def __init__(self, on_typed: Callable[[str], None]) -> None:
        super().__init__(placeholder="type an address", id="question", select_on_focus=False)
        self.cursor_blink = False
        self._on_typed = on_typed

    def validate_value(self, value: str) -> str:
        """Pasted control characters are not part of any question."""
        return "".join(char if char.isprintable() else " " for char in value)

    def watch_value(self, old: str, value: str) -> None:
        """Ask before this line itself is drawn."""
        if self.is_mounted:
            self._on_typed(value)
            if bool(old) != bool(value):
                self.refresh_bindings()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Tells Textual which bindings are in force while this line has the focus."""
        character = "/" if key == "slash" else character  # Textual knows no character for it
        return super().check_consume_key(key, character) and not self._is_command(character)

    def _is_command(self, character: str | None) -> bool:
        if character in _IN_NO_QUESTION:
            return True
        return self._replaced(self.selection) and character not in _BEGINS_QUESTION

    def _replaced(self, selection: Selection) -> bool:
        """Would the next character begin a new question?"""
        first, last = sorted(selection)
        return first == 0 and last >= len(self.value)

    def watch_selection(self, old: Selection, new: Selection) -> None:
        """Other keys are commands: the key bar says so."""
        if self.is_mounted and self._replaced(old) != self._replaced(new):
            self.refresh_bindings()

    def column_of(self, position: int) -> int:
        """Where on this line a character is now."""
        return cell_len(self.value[:position]) - self.scroll_offset.x


class More(Drawn):
    """At the right of the question: how many lines of the answer are below the last one shown."""

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(id="more")
        self._arrow = "" if ascii_only else "↓ "
        self.count = 0

    def show(self, count: int) -> None:
        """So many."""
        if count != self.count:
            self.count = count
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """``↓ 8 more``, or nothing."""
        text = f"{self._arrow}{self.count} more " if self.count else ""
        return Strip([Segment(text.rjust(self.size.width), self.base)])


class LookupPane(Vertical):
    """Question and answer, always on the screen."""

    def __init__(self, on_typed: Callable[[str], None], *, ascii_only: bool) -> None:
        super().__init__(id="lookup")
        self._prompt = to_ascii(PROMPT) if ascii_only else PROMPT
        self._label = Static(Content(self._prompt), id="prompt")
        self.question = Question(on_typed)
        self.more = More(ascii_only=ascii_only)
        self.answer = AnswerList(ascii_only=ascii_only, on_more=self.more.show)

    def compose(self) -> ComposeResult:
        """Prompt and question in one line, the answer below."""
        with Horizontal(id="question-line"):
            yield self._label
            yield self.question
            yield self.more
        yield self.answer

    def on_descendant_focus(self) -> None:
        """The label shows, as the panes' headings do, where the keys go."""
        self._label.set_class(self.question.has_focus, "-focus")

    def on_descendant_blur(self) -> None:
        """They go elsewhere."""
        self._label.set_class(self.question.has_focus, "-focus")

    def show(
        self, lines: tuple[Line, ...], caret: int | None = None, *, keep: bool = False
    ) -> None:
        """Say this; a caret stands under that position of the question."""
        column = None if caret is None else cell_len(self._prompt) + self.question.column_of(caret)
        self.answer.show(lines, column, keep=keep)
