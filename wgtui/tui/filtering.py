"""Which rows of a pane does a text leave? An address: those that cover it; else substrings.

The result is a RowModel too: the rows that match, and around them what they need to be understood.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Protocol, runtime_checkable

from wgtui.model.prefix import Prefix
from wgtui.model.trace import Trace
from wgtui.report import words
from wgtui.report.line import Line
from wgtui.report.printable import printable
from wgtui.tui.row_layout import Cells, clip, clip_words
from wgtui.tui.rows import Lit, RowModel, Span

MOST_HITS: Final = 2_000
"""More matches than that nobody reads: the rest is left out, and that is said."""

MOST_ROWS: Final = 100_000
"""Rows that a text is looked for in (0.1 s); an address is found in any number of rows."""

_PREFIX_CHARACTERS: Final = frozenset("0123456789abcdef.:/")


@runtime_checkable
class Filterable(RowModel, Protocol):
    """A RowModel that can be filtered."""

    def unfolded(self) -> Filterable:
        """The same with nothing folded away."""

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Rows whose prefix covers this one or lies in it; by the index, not one by one."""

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Of the first ``limit`` rows those whose text contains the needle (lower case)."""

    def context(self, row: int) -> Iterable[int]:
        """The other rows that a matching row is shown with: its headers and covering prefixes."""


class FilteredRows:
    """The rows of another model that match a text."""

    def __init__(self, model: Filterable, text: str) -> None:
        """``text``: ``10.0.0.5``, ``10.0.0.0/8``, or any other words."""
        self._model = model.unfolded()
        self.text = text.strip()
        needle = self.text.lower()
        prefix = as_prefix(self.text)
        found = (
            self._model.covering(prefix)
            if prefix is not None
            else self._model.search(needle, MOST_ROWS)
        )
        hits = list(islice(found, MOST_HITS + 1))
        capped = len(hits) > MOST_HITS
        del hits[MOST_HITS:]
        rows = set(hits)
        for hit in hits:
            rows.update(islice(self._model.context(hit), MOST_HITS))
        self.hits: Final = len(hits)
        """How many rows match (their context not counted)."""
        self._rows: Final = array("q", sorted(rows))
        searched_all = prefix is not None or len(self._model) <= MOST_ROWS
        self._note = words.filter_note(
            printable(self.text), self.hits, capped, None if searched_all else MOST_ROWS
        )
        self._offset: Final = 1 if self._note else 0
        self.title = model.title

    def __len__(self) -> int:
        return len(self._rows) + self._offset

    def base(self, row: int) -> int | None:
        """The row of the unfolded model, or None for the note on top."""
        return None if row < self._offset else self._rows[row - self._offset]

    def spans(self, row: int, width: int) -> Cells:
        """One row, at most ``width`` cells."""
        base = self.base(row)
        if base is None:
            return (Span(clip(clip_words(self._note, width), width), "warn"),)
        return self._model.spans(base, width)

    def question(self, row: int) -> str | None:
        """As in the whole pane; the note asks nothing."""
        base = self.base(row)
        return None if base is None else self._model.question(base)

    def told(self, row: int) -> tuple[Line, ...]:
        """As in the whole pane, where that has something to tell."""
        base, told = self.base(row), getattr(self._model, "told", None)
        return told(base) if base is not None and told is not None else ()

    def copy_text(self, row: int) -> str:
        """As in the whole pane."""
        base = self.base(row)
        return self._note if base is None else self._model.copy_text(base)

    def lit(self, trace: Trace) -> Lit:
        """As in the whole pane, without the rows that are left out."""
        lit = self._model.lit(trace)
        place = {row: new for row in lit.marks if (new := self._place(row)) is not None}
        marks = {place[row]: tone for row, tone in lit.marks.items() if row in place}
        said = {place[row]: word for row, word in lit.words.items() if row in place}
        show = None if lit.show is None else self._place(lit.show)
        return Lit(marks, said, show, hidden=show is None and lit.show is not None)

    def _place(self, base: int) -> int | None:
        place = bisect_left(self._rows, base)
        found = place < len(self._rows) and self._rows[place] == base
        return place + self._offset if found else None


def filtered(model: RowModel, text: str) -> RowModel:
    """The rows that match, or the model itself when the text is blank."""
    if not text.strip() or not isinstance(model, Filterable):
        return model
    return FilteredRows(model, text)


def as_prefix(text: str) -> Prefix | None:
    """The address or prefix that the text is, or None."""
    try:
        return Prefix.parse(text)
    except ValueError:
        return None


def looks_like_prefix(needle: str) -> bool:
    """Could the needle be a part of a prefix? If not, no prefix needs to be written out."""
    return _PREFIX_CHARACTERS.issuperset(needle)
