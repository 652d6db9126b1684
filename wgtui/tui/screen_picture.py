"""What is on a terminal, cell by cell, and what must be sent so that it shows something else?

Pure: text in, text out. ``lean_driver`` says why and brings the terminal.

A ``Picture`` is what a terminal would show that got everything it was fed. It understands exactly
what Textual writes: cursor positions, SGR, hyperlinks, text, line ends. Sequences that change no
cell (modes, queries, clipboard, title, bell) are handed back to be passed on. Anything else raises
``Unrecognised`` and nothing is guessed: add a sequence to ``_TOKEN`` only with a test that a
terminal (pyte) and a Picture agree about it.

    cells   ╷ W │ │ e │ n │     a wide character W is followed by "", its second half;
    chars    "W" ""  "é" "n"    a combining character lives in the cell of its base
    pens     p   p   p   q      how the cell looks, in a normal form: equal look, equal pen

``difference`` sends changed cells from left to right, top to bottom, starting and ending with the
plain pen. Terminals disagree about the width of wide and combining text, so after such a cell the
next one is addressed absolutely; a disagreement never shifts the rest of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len


class Unrecognised(Exception):  # noqa: N818 - not an error of this program
    """Textual wrote something of which we do not know what a terminal makes of it."""


class Pen(NamedTuple):
    """How a cell looks."""

    sgr: str = ""
    """SGR parameters since the last reset, in normal form; "" is the terminal's own look."""
    link: str = ""
    """``parameters;address`` of a hyperlink (OSC 8), or ""."""


PLAIN: Final = Pen()
GAP: Final = 4
"""Unchanged cells that are not dearer to repeat than to jump over (``ESC [ 4 C``)."""

_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<sgr>\x1b\[(?P<codes>[0-9;]*)m)"
    r"|(?P<move>\x1b\[(?P<row>[0-9]*)(?:;(?P<column>[0-9]*))?H)"
    r"|(?P<line>\r?\n)|(?P<start>\r)"
    r"|(?P<link>\x1b\]8;(?P<target>[^\x07\x1b]*)(?:\x07|\x1b\\))"
    r"|(?P<frame>\x1b\[\?2026[hl])"  # synchronised output: the sender brackets its own frames
    r"|(?P<control>\x07"
    r"|\x1b\[\?(?:7|25|100[0346]|101[56]|1049|2004|2048)[hl]"  # wrap, cursor, mouse, focus, paste
    r"|\x1b\[\?[0-9]+\$p|\x1b\[[<>=?][0-9;]*u"  # is a mode known? kitty's keys
    r"|\x1b\](?:[012]|22|52);[^\x07\x1b]*(?:\x07|\x1b\\)"  # title, pointer, clipboard
    r"|\x1bPtmux;(?:[^\x1b]|\x1b\x1b)*\x1b\\"  # clipboard through tmux and GNU screen
    r"|\x1bP(?:\x1b\]52;c;)?[A-Za-z0-9+/=]*\x07?\x1b\\)"
    r"|(?P<unrecognised>[\s\S])"
)


class Picture:
    """A screen of cells, its cursor and its pen."""

    def __init__(self, width: int, height: int) -> None:
        """All blank; nobody knows yet where the cursor is."""
        self.size = (width, height)
        self.chars = [[" "] * width for _ in range(height)]
        self.pens = [[PLAIN] * width for _ in range(height)]
        self.cursor: tuple[int, int] | None = None
        """Column and row from 0, also where that is outside."""
        self.pen = PLAIN

    def resize(self, width: int, height: int) -> None:
        """Keep what still has room, as a terminal does."""
        old, kept = Picture(width, height), range(min(height, self.size[1]))
        for y in kept:
            old.chars[y][: self.size[0]] = self.chars[y][:width]
            old.pens[y][: self.size[0]] = self.pens[y][:width]
            old._mend(width, y, self.chars[y][width : width + 1])
        self.size, self.chars, self.pens = old.size, old.chars, old.pens

    def feed(self, data: str) -> str:
        """Take what Textual wrote; the part of it that is to be passed on unchanged."""
        controls: list[str] = []
        x, y = self.cursor or (0, 0)
        pen = self.pen
        for token in _TOKEN.finditer(data):
            match token.lastgroup:
                case "text":
                    x = self._put(x, y, token[0], pen)
                case "sgr":
                    pen = _pen(normal(pen.sgr, token["codes"]), pen.link)
                case "move":
                    x, y = int(token["column"] or 1) - 1, int(token["row"] or 1) - 1
                case "line":  # the tty's ONLCR adds the carriage return
                    x, y = 0, y + 1
                case "start":
                    x = 0
                case "link":
                    target = token["target"]
                    pen = _pen(pen.sgr, "" if target.endswith(";") else target)
                case "control":
                    controls.append(token[0])
                case "unrecognised":
                    raise Unrecognised(repr(data[token.start() : token.start() + 20]))
        self.cursor, self.pen = (x, y), pen
        return "".join(controls)

    def _put(self, x: int, y: int, text: str, pen: Pen) -> int:
        """Write from that cell on; the column after it. What has no room is cut off."""
        width, height = self.size
        cells = list(text) if text.isascii() else list(split_cells(text))
        end = x + len(cells)
        if not 0 <= y < height or x >= width:
            return end
        chars = self.chars[y]
        if cells and x and not cell_len(cells[0]) and cells[0]:  # joins what was written before
            chars[x - 1 - (chars[x - 1] == "")] += cells.pop(0)
            end -= 1
        following = cells[width - x : width - x + 1]
        del cells[width - x :]
        after = min(end, width)
        if x < after and chars[x] == "":  # what loses one half loses both
            chars[x - 1] = " "
        if after < width and chars[after] == "":
            chars[after] = " "
        chars[x:after] = cells
        self.pens[y][x:after] = [pen] * (after - x)
        self._mend(width, y, following)
        return end

    def _mend(self, width: int, y: int, following: list[str]) -> None:
        """Half a wide character at the edge is none."""
        if following == [""]:
            self.chars[y][width - 1] = " "


def redraw(wanted: Picture) -> str:
    """What to send to a terminal of which nothing is known."""
    return "\x1b[m\x1b[2J" + difference(Picture(*wanted.size), wanted)


def difference(shown: Picture, wanted: Picture) -> str:
    """What to send to a terminal that shows one picture so that it shows the other.

    Afterwards ``shown`` is equal to ``wanted``. Both have the same size.
    """
    out = _Sentence(shown.cursor)
    for y, (chars, pens) in enumerate(zip(wanted.chars, wanted.pens, strict=True)):
        had_chars, had_pens = shown.chars[y], shown.pens[y]
        if chars == had_chars and pens == had_pens:
            continue
        blank = len(chars)
        while blank and chars[blank - 1] == " " and pens[blank - 1] == PLAIN:
            blank -= 1
        changes = zip(chars, had_chars, pens, had_pens, strict=True)
        changed = [x for x, (a, b, c, d) in enumerate(changes) if a != b or c != d]
        for start, end in _runs(changed, chars, pens):
            if end - max(start, blank) > 3:  # cheaper to erase; nothing follows
                out.write(max(start, blank), y, start, chars, pens)
                out.erase_line(max(start, blank), y)
                break
            out.write(end, y, start, chars, pens)
        shown.chars[y], shown.pens[y] = chars[:], pens[:]
    out.use(PLAIN)
    if wanted.cursor is not None:  # where an input method opens its window
        out.go(*wanted.cursor)
    shown.cursor = out.at
    return "".join(out.parts)


def _runs(changed: list[int], chars: list[str], pens: list[Pen]) -> Iterator[tuple[int, int]]:
    """Stretches to send: whole characters, with the gaps that are cheaper to repeat."""
    start = end = -1
    for x in changed:
        if x < end:
            continue
        first = x - (chars[x] == "")
        if start < 0:
            start = first
        elif first > end and not _is_cheap(chars[end:first], pens[end - 1 : first + 1]):
            yield start, end
            start = first
        end = x + 1
        if end < len(chars) and chars[end] == "":
            end += 1
    if start >= 0:
        yield start, end


def _is_cheap(chars: list[str], pens: list[Pen]) -> bool:
    """Neither long nor dear in bytes, and without a pen of its own."""
    return len(chars) <= GAP and len(set(pens[:-1])) == 1 and "".join(chars).isascii()


class _Sentence:
    """What is being said to a terminal, and what its cursor and pen are by now."""

    def __init__(self, at: tuple[int, int] | None) -> None:
        self.parts: list[str] = []
        self.at = at
        self._pen = PLAIN

    def write(self, end: int, y: int, start: int, chars: list[str], pens: list[Pen]) -> None:
        """The cells from start to end."""
        x, width = start, len(chars)
        while x < end:
            stop = x + 1
            disputed = _is_disputed(chars, x)
            while stop < end and pens[stop] == pens[x] and not disputed:
                disputed = _is_disputed(chars, stop)
                stop += 1
            self.go(x, y)
            self.use(pens[x])
            self.parts.append("".join(chars[x:stop]))
            if stop < width and chars[stop] == "":
                stop += 1
            self.at = (stop, y) if stop < width and not disputed else None
            x = stop

    def erase_line(self, x: int, y: int) -> None:
        """Blank from there to the right edge."""
        self.go(x, y)
        self.use(PLAIN)
        self.parts.append("\x1b[K")

    def go(self, x: int, y: int) -> None:
        """Move the cursor."""
        if self.at is not None and self.at[1] == y and self.at[0] <= x:
            steps = x - self.at[0]
            self.parts.append(f"\x1b[{steps if steps > 1 else ''}C" if steps else "")
        else:
            self.parts.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        self.at = (x, y)

    def use(self, pen: Pen) -> None:
        """Change the pen."""
        before, self._pen = self._pen, pen
        if pen.link != before.link:
            self.parts.append(f"\x1b]8;{pen.link or ';'}\x1b\\")
        if pen.sgr != before.sgr:
            self.parts.append(f"\x1b[{'0;' if before.sgr and pen.sgr else ''}{pen.sgr}m")


def _is_disputed(chars: list[str], x: int) -> bool:
    """Does every terminal agree that this character fills one cell?"""
    char = chars[x]
    return len(char) > 1 or char > "\u2e7f" or (x + 1 < len(chars) and chars[x + 1] == "")


@lru_cache(2048)
def split_cells(text: str) -> tuple[str, ...]:
    """One entry per cell, as wide as Rich, and so Textual, thinks that it is."""
    clusters: list[str] = []
    for char in text:
        last = clusters[-1] if clusters else ""
        # U+FE0F asks for the colourful form of the character before it, which may be wider
        if last and (char == "\ufe0f" or cell_len(last + char) == cell_len(last)):
            clusters[-1] += char
        else:
            clusters.append(char)
    cells: list[str] = []
    for cluster in clusters:
        cells += [cluster, ""] if cell_len(cluster) == 2 else [cluster]
    return tuple(cells)


_ATTRIBUTES: Final = frozenset("1 2 3 4 5 6 7 8 9 21 51 52 53".split())
_ENDS: Final = {
    "22": ("1", "2"), "23": ("3",), "24": ("4", "21"), "25": ("5", "6"), "27": ("7",),
    "28": ("8",), "29": ("9",), "54": ("51", "52"), "55": ("53",),
}  # fmt: skip
_COLOUR: Final = re.compile(r"[34][0-7]|(?:9|10)[0-7]")
_pen: Final = lru_cache(4096)(Pen)


@lru_cache(4096)
def normal(before: str, codes: str) -> str:
    """SGR parameters after others, in normal form: attributes, foreground, background."""
    rest = iter(f"{before};{codes}".split(";") if before and codes else (before or codes).split(";"))
    attributes: set[str] = set()
    colours = {"3": "", "4": ""}
    if not codes:
        return ""
    for code in rest:
        if code in ("", "0"):
            attributes.clear()
            colours = {"3": "", "4": ""}
        elif code in _ATTRIBUTES:
            attributes.add(code)
        elif code in _ENDS:
            attributes.difference_update(_ENDS[code])
        elif code in ("39", "49"):
            colours[code[0]] = ""
        elif code in ("38", "48"):
            kind = next(rest, "")
            values = [next(rest, "") for _ in range({"5": 1, "2": 3}.get(kind, 0))]
            if not values or "" in values:
                raise Unrecognised(f"SGR {codes}")
            colours[code[0]] = ";".join((code, kind, *values))
        elif _COLOUR.fullmatch(code):
            colours["3" if code[0] in "39" else "4"] = code
        else:
            raise Unrecognised(f"SGR {codes}")
    return ";".join(part for part in (*sorted(attributes, key=int), *colours.values()) if part)
