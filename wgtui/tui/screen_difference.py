"""What must be sent to a terminal that shows one picture so that it shows another?

Changed cells, from left to right and from top to bottom, starting and ending with the plain pen.
Terminals disagree about the width of wide and combining text: after such a cell the next one is
addressed absolutely, so that a disagreement never shifts the rest of a line.

    shown     10.30.5.9    via wg0
    wanted    10.30.5.91   via wg1
                       ↑         ↑    ESC [ 5;10 H  1  ESC [ 8 C  1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from wgtui.tui.screen_picture import PLAIN, Pen, Picture

CLEAR: Final = "\x1b[m\x1b[2J"
"""Makes a terminal of which nothing is known show a blank ``Picture``."""
GAP: Final = 4
"""So many unchanged cells are not dearer to repeat than to jump over (``ESC [ 4 C``)."""
ERASE: Final = 3
"""So many blanks are not dearer to write than to erase (``ESC [ K``)."""


class Part(NamedTuple):
    """Some of a difference."""

    text: str
    """What to send."""
    due: int | None
    """The line to go on with; None: that was all."""


def difference(shown: Picture, wanted: Picture) -> str:
    """What to send; afterwards ``shown`` is equal to ``wanted``. Both have the same size."""
    return part(shown, wanted).text


def part(shown: Picture, wanted: Picture, first: int = 0, most: int | None = None) -> Part:
    """The same, of the lines from ``first`` on and then from the top, whole ones, until they are
    ``most`` bytes or a little more; the other lines of ``shown`` stay as they are."""
    out = _Message(shown.cursor)
    height = wanted.size[1]
    for y in (*range(first, height), *range(min(first, height))):
        chars, pens = wanted.chars[y], wanted.pens[y]
        had_chars, had_pens = shown.chars[y], shown.pens[y]
        if chars == had_chars and pens == had_pens:
            continue
        if most is not None and out.size() >= most:
            out.use(PLAIN)
            shown.cursor = out.at
            return Part("".join(out.parts), y)
        blank = len(chars)  # from here on the line is blank
        while blank and chars[blank - 1] == " " and pens[blank - 1] == PLAIN:
            blank -= 1
        cells = zip(chars, had_chars, pens, had_pens, strict=True)
        changed = [x for x, (a, b, c, d) in enumerate(cells) if a != b or c != d]
        for start, end in _runs(changed, chars, pens):
            text_end = max(start, blank)
            if end - text_end > ERASE:
                out.write(y, start, text_end, chars, pens)
                out.erase_line(text_end, y)
                break
            out.write(y, start, end, chars, pens)
        shown.chars[y], shown.pens[y] = chars[:], pens[:]
    out.use(PLAIN)
    if wanted.cursor is not None:  # hidden, but an input method opens its window there
        out.go(*wanted.cursor)
    shown.cursor = out.at
    return Part("".join(out.parts), None)


def _runs(changed: list[int], chars: list[str], pens: list[Pen]) -> Iterator[tuple[int, int]]:
    """Stretches to send: whole characters, with the gaps that are cheaper to repeat."""
    start = end = -1
    for x in changed:
        if x < end:  # the second half of the character before
            continue
        first = x - (chars[x] == "")
        if start < 0:
            start = first
        elif first > end and not _is_cheap(chars[end:first], pens[end - 1 : first]):
            yield start, end
            start = first
        end = x + 1
        if end < len(chars) and chars[end] == "":
            end += 1
    if start >= 0:
        yield start, end


def _is_cheap(chars: list[str], pens: list[Pen]) -> bool:
    """A gap that is neither long nor dear in bytes and needs no other pen."""
    return len(chars) <= GAP and len(set(pens)) == 1 and "".join(chars).isascii()


class _Message:
    """What is being said to a terminal, and where its cursor and what its pen will be then."""

    def __init__(self, at: tuple[int, int] | None) -> None:
        self.parts: list[str] = []
        self.at = at
        """None: unknown, as after the last column."""
        self._pen = PLAIN

    def size(self) -> int:
        """Bytes so far."""
        return len("".join(self.parts).encode())

    def write(self, y: int, start: int, end: int, chars: list[str], pens: list[Pen]) -> None:
        """The cells from start to end."""
        x, width = start, len(chars)
        while x < end:
            stop = x + 1
            is_disputed = _is_disputed(chars, x)
            while stop < end and pens[stop] == pens[x] and not is_disputed:
                is_disputed = _is_disputed(chars, stop)
                stop += 1
            self.go(x, y)
            self.use(pens[x])
            self.parts.append("".join(chars[x:stop]))
            if stop < width and chars[stop] == "":
                stop += 1
            self.at = (stop, y) if stop < width and not is_disputed else None
            x = stop

    def erase_line(self, x: int, y: int) -> None:
        """Blank from there to the right edge."""
        self.go(x, y)
        self.use(PLAIN)
        self.parts.append("\x1b[K")

    def go(self, x: int, y: int) -> None:
        """Move the cursor there, if it is not there already."""
        if self.at is None or self.at[1] != y or self.at[0] > x:
            self.parts.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        elif steps := x - self.at[0]:
            self.parts.append(f"\x1b[{steps}C" if steps > 1 else "\x1b[C")
        self.at = (x, y)

    def use(self, pen: Pen) -> None:
        """Change the pen, if it is another one."""
        before, self._pen = self._pen, pen
        if pen.link != before.link:
            self.parts.append(f"\x1b]8;{pen.link or ';'}\x1b\\")
        if pen.sgr != before.sgr:
            reset = "0;" if before.sgr and pen.sgr else ""
            self.parts.append(f"\x1b[{reset}{pen.sgr}m")


def _is_disputed(chars: list[str], x: int) -> bool:
    """Could a terminal think that this character is wider or narrower than we think?"""
    char = chars[x]
    return len(char) > 1 or char > "\u2e7f" or (x + 1 < len(chars) and chars[x + 1] == "")
