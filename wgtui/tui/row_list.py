"""How is a list of a million rows drawn? Only what is visible, and of that only what changed.

A RowList holds no rows: a ``RowModel`` says them one by one. It is a plain Widget with a scroll
position of its own, because Textual's scrolling would make every new length a layout of the whole
screen. ``redraw`` compares what each visible line should say with what it says and refreshes the
lines that differ; everything (cursor, marks, new facts, scrolling) goes through it.

A row is one line, or more where something in it that may not be cut is wider than the pane. Which
lines there are is only worked out for rows near the window: positions are counted in rows.

    2 System routes ··············· 3/17    the heading (not in tabs: there the tab bar says it)
    ▶ 10.20.0.0/16 dev wg0          wins    margin with the mark's glyph, spans, the mark's word
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip

from wgtui.report.line import Line
from wgtui.tui import keys
from wgtui.tui.drawn import Drawn
from wgtui.tui.inks import INKS, Ink
from wgtui.tui.messages import RowChosen, RowsFolded
from wgtui.tui.row_layout import lines_of, without_tail
from wgtui.tui.row_strip import MARGIN, Drawing
from wgtui.tui.rows import Lit, NoRows, Picture, RowModel, Span

MOST_LINES: Final = 1_000
"""Rows whose lines are kept: a few screens."""


def _nobody() -> None:
    """Nobody shows the position but the heading."""


class RowList(Drawn, can_focus=True):
    """The rows of a model, with a cursor, marks and its own scrolling."""

    BINDINGS = keys.ROWS
    INKS: ClassVar[Mapping[str, Ink]] = INKS
    """What the words look like in lists of this kind."""

    def __init__(
        self, number: str = "", title: str = "", *, ascii_only: bool = False, name: str
    ) -> None:
        super().__init__(id=name)
        self.number = number
        """The key that goes to this pane, shown in its heading; "" has no heading."""
        self.model: RowModel = NoRows(title)
        self.lit = Lit()
        self.cursor = 0
        self.top = 0
        """The first row that is visible."""
        self.note = ""
        """What the heading adds: the filter in force."""
        self.heading = True
        self.beyond = ""
        """What the heading says of a pane that has no room."""
        self.on_moved: Callable[[], None] = _nobody
        """Called when ``position`` may have changed: not a message, it would be a second frame."""
        self._pictures: dict[int, Picture] = {}
        self._lines: dict[int, list[tuple[Span, ...]]] = {}
        """Of rows of the model that were looked at in this width."""
        self._text_width = 1
        self._revealed = ""
        self._fitted = (Size(0, 0), 0)
        """The space that ``top`` was chosen for, and how much of it does not scroll."""
        self._drawing = Drawing(self.INKS, ascii_only=ascii_only)

    # ------------------------------------------------------------------------------ what it shows

    def set_model(self, model: RowModel, lit: Lit, *, reveal: bool = False) -> None:
        """Other facts or other marks. ``reveal``: go to the winner even if it is the same."""
        kept = self.model.copy_text(self.cursor) if self.cursor < len(self.model) else ""
        moved = model is not self.model
        self.model, self.lit = model, lit
        self._settle_width()
        if moved:
            self._lines.clear()
            self.cursor = self._find(kept)
        self._stay_inside()
        shown = "" if lit.show is None else model.copy_text(lit.show)
        if lit.show is not None and (reveal or shown != self._revealed):
            self._reveal(lit.show)
        self._revealed = shown
        self.redraw()
        self.on_moved()

    def _find(self, text: str) -> int:
        """Where the row under the cursor went: near its old place, or it is gone."""
        rows = range(len(self.model))
        for distance in range(64):
            for row in {self.cursor - distance, self.cursor + distance}:
                if row in rows and self.model.copy_text(row) == text:
                    return row
        return self.cursor

    def _reveal(self, row: int) -> None:
        """A pane somebody works in keeps its cursor, and scrolls only if that stays visible."""
        if not self.has_focus or self.cursor == row:
            self.cursor = row
            first, last = self._around(row)
            spare = max(0, self.rows_visible - 1 - (last - first))
            if first < self.top:
                self.top = first - min(2, spare)
            elif self.top < self._page_up_to(last):
                self.top = self._page_up_to(last) + min(5, spare)
            self._bring(row)
        elif abs(row - self.cursor) < self.rows_visible:
            self._bring(row)
            self._bring(self.cursor)

    def _around(self, row: int) -> tuple[int, int]:
        """From the first to the last marked row that fit on the screen together with this one."""
        height, marked = self.rows_visible, sorted(self.lit.marks)
        first = last = row
        for other in reversed(marked[: bisect_left(marked, row)]):
            if row - other >= height:
                break
            first = other
        for other in marked[bisect_right(marked, row) :]:
            if other - first >= height:
                break
            last = other
        return first, last

    def show_row(self, row: int) -> None:
        """Scroll at once so that the row is visible, with some rows around it."""
        self._bring(row)
        self.redraw()

    def _bring(self, row: int) -> None:
        around = self.rows_visible // 3
        if row < self.top:
            self.top = row - around
        elif self.top < self._page_up_to(row):
            self.top = min(row, self._page_up_to(row) + around)
        self._stay_inside()

    @property
    def fixed(self) -> int:
        """Lines above the rows that do not scroll."""
        return 1 if self.number and self.heading else 0

    @property
    def space(self) -> Size:
        """The room it has, or will have when it is shown: keys come before the layout."""
        return self.size

    @property
    def rows_visible(self) -> int:
        """How many rows fit, if each is one line."""
        return max(1, self.space.height - self.fixed)

    def _page_up_to(self, row: int) -> int:
        """The first row of the page that this one is the last of."""
        if not len(self.model):
            return 0
        first, room = row, self.rows_visible - len(self._row_lines(row))
        while first > 0 and room > 0:
            room -= len(self._row_lines(first - 1))
            first -= room >= 0
        return first

    def _page_from(self, row: int) -> int:
        """The last row that is whole on the page that begins with this one."""
        if not len(self.model):
            return 0
        last, room = row, self.rows_visible - len(self._row_lines(row))
        while last + 1 < len(self.model) and room > 0:
            room -= len(self._row_lines(last + 1))
            last += room >= 0
        return last

    @property
    def position(self) -> str:
        """``3/17``, or nothing when there is nothing."""
        if isinstance(self.model, NoRows):
            return ""  # not read yet is not the same as nothing there
        if not len(self.model) or not getattr(self.model, "hits", True):
            return "none"  # the one row that is there says that none matches
        return f"{self.cursor + 1:,}/{len(self.model):,}"

    @property
    def filter_text(self) -> str:
        """The filter in force, and whether it leaves out what the answer is about."""
        hides = ", hides the winner" if self.lit.hidden else ""
        return f"/{self.note}{hides}" if self.note else ""

    def _stay_inside(self) -> None:
        last = max(0, len(self.model) - 1)
        self.cursor = max(0, min(self.cursor, last))
        if self.top > last - self.rows_visible:
            self.top = min(self.top, self._page_up_to(last))
        self.top = max(0, self.top)

    # ------------------------------------------------------------------------------------ drawing

    def redraw(self) -> None:
        """Refresh the lines that no longer say what they should."""
        size = self.size
        self._settle_width()
        changed = []
        for y, picture in enumerate(self._window(size.height)):
            if self._pictures.get(y) != picture:
                self._pictures[y] = picture
                changed.append(Region(0, y, size.width, 1))
        if changed:
            self.refresh(*changed)

    def _window(self, height: int) -> list[Picture]:
        """Every line of the pane, as it should be."""
        pictures = [self._fixed_picture(y) for y in range(min(self.fixed, height))]
        row = self.top
        while len(pictures) < height and row < len(self.model):
            pictures += self._row_pictures(row)
            row += 1
        return pictures[:height] + [Picture()] * (height - len(pictures))

    def _row_lines(self, row: int) -> Sequence[tuple[Span, ...]]:
        """What a row says, in as many lines as it takes; kept as long as it says the same."""
        lines = self._lines.get(row)
        if lines is None:
            if len(self._lines) >= MOST_LINES:
                self._lines.clear()
            lines = self._lines[row] = lines_of(self.model.spans(row, self._text_width))
        return lines

    def _settle_width(self) -> None:
        width = max(1, self.space.width - MARGIN)
        if width != self._text_width:
            self._text_width = width
            self._lines.clear()

    def _row_pictures(self, row: int) -> list[Picture]:
        tone, word = self.lit.marks.get(row), self.lit.words.get(row, "")
        cursor = self.has_focus and row == self.cursor
        first, *more = self._row_lines(row)
        if word:
            first = without_tail(first, self._text_width - cell_len(word) - 2)
        return [
            Picture(first, tone, word, cursor),
            *(Picture(line, tone, "", cursor, continued=True) for line in more),
        ]

    def _fixed_picture(self, y: int) -> Picture:
        title = f"{self.number} {self.model.title}{self.beyond}"
        return Picture(
            (Span(title), Span(f"  {self.filter_text}")),
            None,
            self.position,
            self.has_focus,
            heading=True,
        )

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        if y not in self._pictures:
            self._pictures = dict(enumerate(self._window(self.size.height))) | self._pictures
        picture = self._pictures.get(y, Picture())
        return self._drawing.strip(picture, self.size.width, self.base, self.app.theme_variables)

    def on_resize(self, _: events.Resize) -> None:
        """Another width, other lines."""
        self._pictures.clear()
        self.fit()
        self.redraw()

    def fit(self) -> None:
        """In another space the winner or the cursor stays on the screen."""
        fitted, self._fitted = self._fitted, (self.space, self.fixed)
        if fitted == self._fitted:
            return
        self._settle_width()
        self._stay_inside()
        if self.lit.show is not None and (not self.has_focus or self.cursor == self.lit.show):
            self.top = 0  # the same size shows the same rows, however it came to it
            self._reveal(self.lit.show)
        else:
            self.show_row(self.cursor)

    def watch_has_focus(self, focus: bool) -> None:
        """The cursor is only there for the pane that gets the keys."""
        super().watch_has_focus(focus)
        self.redraw()

    # ------------------------------------------------------------------------------------- cursor

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, scrolling no more than needed."""
        self.cursor = row
        self._stay_inside()
        self.top = max(min(self.top, self.cursor), self._page_up_to(self.cursor))
        self.redraw()
        self.on_moved()

    def scroll_rows(self, by: int) -> None:
        """Move the window, taking the cursor along."""
        self.top += by
        self._stay_inside()
        self.move_to(max(self.top, min(self.cursor, self._page_from(self.top))))

    def action_move(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        shown = self._page_from(self.top) if by > 0 else self._page_up_to(self.top)
        page = abs(shown - self.top) or self.rows_visible - 1 or 1
        self.top += by * page
        self.move_to(self.cursor + by * page)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self.model) - 1)

    def action_choose(self) -> None:
        """Ask about the row; one that asks nothing is folded, if that can be."""
        if self.cursor >= len(self.model):
            return
        question = self.model.question(self.cursor)
        if question:
            self.post_message(RowChosen(question, self._told()))
        elif not self._fold():
            self.post_message(RowChosen("", ()))

    def _told(self) -> tuple[Line, ...]:
        """Models with more to say of a row than fits on it have ``told(row)``."""
        told = getattr(self.model, "told", None)
        return told(self.cursor) if told is not None else ()

    def action_fold(self) -> None:
        self._fold()

    def _fold(self) -> bool:
        """Models with something to fold have ``toggle(row)``; the marks are then on other rows."""
        toggle = getattr(self.model, "toggle", None)
        if toggle is None or self.cursor >= len(self.model) or not toggle(self.cursor):
            return False
        self._lines.clear()
        self.post_message(RowsFolded(self))
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only models with something to fold have the key for it."""
        return action != "fold" or hasattr(self.model, "toggle")

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there."""
        row, y = self.top, self.fixed
        while row < len(self.model) and event.y >= y:
            y += len(self._row_lines(row))
            if event.y < y:
                self.move_to(row)
                return
            row += 1

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the window."""
        event.stop()
        self.scroll_rows(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the window."""
        event.stop()
        self.scroll_rows(-3)
