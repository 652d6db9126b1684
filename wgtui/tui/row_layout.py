"""How do the pieces of a row share its width?

A row is what must be there, then what may be: the most telling first, each piece whole or not at
all. A piece may have shorter ways to say the same. What must be there and is wider than the pane
goes on in the next line: no prefix is ever cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from rich.cells import cell_len, chop_cells

from wgtui.report.line import WORD_CELLS
from wgtui.tui.rows import Span

Cells: TypeAlias = tuple[Span, ...]
"""A piece of a row: spans that stay together."""

Choice: TypeAlias = Sequence[Cells]
"""The same said at several lengths, the longest first."""

GAP: Final = "  "
"""Between two pieces."""

MANY_CELLS: Final = 10_000
"""A width at which nothing is left out."""

WORD_ROOM: Final = WORD_CELLS + 2
"""Kept free at the right of a row for the word of its mark, so that nothing moves when it comes."""

SHORT_WORD_ROOM: Final = len(" shorter ")
"""The same, where a prefix needs the room: what wins or loses by length is told in so much. For
the few longer words a row gives up its last piece."""

LEAST: Final = 24
"""Cells that a row has at least, whatever is kept free."""

NEW_LINE: Final = Span("\n")
"""What comes after it stands in the next line of the screen, and is of the same row."""


def text_of(cells: Iterable[Span]) -> str:
    """The row without its styles."""
    return "".join(span.text for span in cells)


def width_of(cells: Iterable[Span]) -> int:
    """How many cells it takes, of its last line."""
    width = 0
    for span in cells:
        width = 0 if span == NEW_LINE else width + cell_len(span.text)
    return width


def lines_of(cells: Iterable[Span]) -> list[Cells]:
    """The lines of a row: one, or more if something in it is wider than the pane."""
    lines: list[list[Span]] = [[]]
    for span in cells:
        if span == NEW_LINE:
            lines.append([])
        else:
            lines[-1].append(span)
    return [tuple(line) for line in lines]


def without_tail(line: Cells, width: int) -> Cells:
    """The line with as many of its pieces as fit; never without its first one."""
    while width_of(line) > width:
        gaps = [place for place, span in enumerate(line) if span.text == GAP and place]
        if not gaps:
            return line
        line = line[: gaps[-1]]
    return line


def beside(width: int, word_room: int) -> int:
    """The width that a row has beside the word of its mark."""
    return max(width - word_room, min(width, LEAST))


def say(text: str, style: str = "") -> Choice:
    """A piece that can be said in one way only."""
    return ((Span(text, style),),)


def fit(width: int, required: Cells, *optional: Choice) -> Cells:
    """The required piece and every optional one for which there is still room, in their order."""
    row = list(required)
    room = width - width_of(required)
    for choice in optional:
        for cells in choice:
            need = width_of(cells)
            if need and need + len(GAP) <= room:
                row += [Span(GAP), *cells]
                room -= need + len(GAP)
                break
    return tuple(row)


def add(width: int, row: Cells, cells: Cells, hang: int) -> Cells:
    """The row and one more piece that must be there: in the next line, if this one is full."""
    if not width_of(cells):
        return row
    if width_of(row) + len(GAP) + width_of(cells) <= width:
        return (*row, Span(GAP), *cells)
    return (*row, NEW_LINE, Span(" " * hang), *cells)


def clip(text: str, width: int) -> str:
    """Free text (a name, an alias) in at most ``width`` cells; a cut one ends in ``…``."""
    if cell_len(text) <= width:
        return text
    kept, room = [], width - 1
    for char in text:
        room -= cell_len(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + "…" if width > 0 else ""


def clip_words(text: str, width: int) -> str:
    """Words in at most ``width`` cells: none is cut, the last ones are left out."""
    if cell_len(text) <= width:
        return text
    kept = ""
    for word in text.split(" "):
        longer = f"{kept} {word}".strip()
        if cell_len(longer) > width - 2:
            break
        kept = longer
    return f"{kept} …" if kept else clip(text, width)


def wrap(text: str, width: int) -> list[str]:
    """Break between words; only a word longer than a line is broken inside.

    Of such a word the prefixes of a list stay whole: behind a comma it is broken first.
    """
    rows = [""]
    for word in text.split(" "):
        if rows[-1] and cell_len(rows[-1]) + 1 + cell_len(word) <= width:
            rows[-1] += f" {word}"
        elif not rows[-1] and cell_len(word) <= width:
            rows[-1] = word
        else:
            pieces = _pieces(word, max(1, width)) or [""]
            rows += pieces if rows[-1] else []
            if not rows[-1]:
                rows[-1:] = pieces
    return rows


def _pieces(word: str, width: int) -> list[str]:
    pieces = [""]
    for part in re.findall(r"[^,]*,|[^,]+", word):
        if cell_len(pieces[-1]) + cell_len(part) <= width:
            pieces[-1] += part
        else:
            pieces += chop_cells(part, width)
    return [piece for piece in pieces if piece]


def paragraph(text: str, width: int, indent: int, style: str) -> Cells:
    """A sentence in as many lines as it takes."""
    cells: list[Span] = []
    for line in wrap(text, max(1, width - indent)):
        cells += [NEW_LINE] if cells else []
        cells += [Span(" " * min(indent, width)), Span(line, style)]
    return tuple(cells)


def broken(text: str, first: int, width: int) -> list[str]:
    """An address or prefix in lines, the first of at most ``first`` cells, the others of ``width``.

    Broken behind a colon or dot, so that no group of digits is taken apart, wherever that is
    possible; one that fits is one line.
    """
    lines, room = [], max(1, first)
    while len(text) > room:
        at = max(text.rfind(":", 0, room), text.rfind(".", 0, room)) + 1
        at = at if at > room // 2 else room
        lines.append(text[:at])
        text, room = text[at:], max(1, width)
    return [*lines, text]
