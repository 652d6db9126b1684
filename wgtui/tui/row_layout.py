"""How do the pieces of a row share its width?

A row is what must be there, then what may be: the most telling first, each piece whole or not at
all. A piece may have shorter ways to say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from rich.cells import cell_len

from wgtui.tui.rows import Span

Cells: TypeAlias = tuple[Span, ...]
"""A piece of a row: spans that stay together."""

Choice: TypeAlias = Sequence[Cells]
"""The same said at several lengths, the longest first."""

GAP: Final = "  "
"""Between two pieces."""

MANY_CELLS: Final = 10_000
"""A width at which nothing is left out."""


def text_of(cells: Iterable[Span]) -> str:
    """The row without its styles."""
    return "".join(span.text for span in cells)


def width_of(cells: Iterable[Span]) -> int:
    """How many cells it takes."""
    return sum(cell_len(span.text) for span in cells)


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


def whole(text: str, width: int) -> str:
    """An address or prefix, uncut wherever it fits at all.

    Only where a pane is narrower than the address itself its middle is left out, visibly.
    """
    if len(text) <= width:
        return text
    head = max(0, (width - 1) // 2)
    tail = max(0, width - 1 - head)
    return f"{text[:head]}…{text[len(text) - tail :]}" if width > 0 else ""
