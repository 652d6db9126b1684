"""What would a terminal show that got everything Textual wrote? Cell by cell, without a terminal.

``lean_driver`` says what for, ``screen_difference`` compares two pictures.

A ``Picture`` understands exactly what Textual writes: cursor positions, SGR, hyperlinks, text, line
ends. Sequences that change no cell (modes, queries, clipboard, title, bell) are handed back to be
passed on. Anything else raises ``Unrecognised``: nothing is guessed. Add a sequence to ``_TOKEN``
only with a test in which a real terminal program agrees about what it does.

    on the screen   世界né
    chars    "世"  ""  "界"  ""  "n"  "é"   "" is the second half of a wide character; a combining
    pens      p    p    p    p    p    q    one is in the cell of its base; equal look, equal pen
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len


class Unrecognised(Exception):  # noqa: N818 - nothing is wrong, we only do not know it
    """Textual wrote something of which we do not know what a terminal makes of it."""


class Pen(NamedTuple):
    """How a cell looks."""

    sgr: str = ""
    """SGR parameters since the last reset, in normal form; "" is the terminal's own look."""
    link: str = ""
    """``parameters;address`` of a hyperlink (OSC 8), or ""."""


PLAIN: Final = Pen()
_pen: Final = lru_cache(4096)(Pen)

_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<sgr>\x1b\[(?P<codes>[0-9;]*)m)"
    r"|(?P<move>\x1b\[(?P<row>[0-9]*)(?:;(?P<column>[0-9]*))?H)"
    r"|(?P<line>\r?\n)"
    r"|(?P<start>\r)"
    r"|(?P<link>\x1b\]8;(?P<target>[^\x07\x1b]*)(?:\x07|\x1b\\))"
    r"|(?P<frame>\x1b\[\?2026[hl])"  # synchronised output: the sender brackets its own frames
    r"|(?P<control>\x07"
    r"|\x1b\[\?(?:7|25|100[0346]|101[56]|1049|2004|2048)[hl]"  # wrap, cursor, mouse, focus, paste …
    r"|\x1b\[\?[0-9]+\$p|\x1b\[[<>=?][0-9;]*u"  # is a mode known? kitty's keys
    r"|\x1b\](?:[012]|22|52);[^\x07\x1b]*(?:\x07|\x1b\\)"  # title, pointer, clipboard
    r"|\x1bPtmux;(?:[^\x1b]|\x1b\x1b)*\x1b\\"  # the clipboard through tmux, through GNU screen
    r"|\x1bP(?:\x1b\]52;c;)?[A-Za-z0-9+/=]*\x07?\x1b\\)"
    r"|(?P<unrecognised>[\s\S])"
)


class Picture:
    """A screen of cells, its cursor and its pen."""

    def __init__(self, width: int, height: int) -> None:
        """All blank; where the cursor is nobody knows yet."""
        self.size = (width, height)
        self.chars = [[" "] * width for _ in range(height)]
        self.pens = [[PLAIN] * width for _ in range(height)]
        self.cursor: tuple[int, int] | None = None
        """Column and row from 0, also where that is outside."""
        self.pen = PLAIN

    def resize(self, width: int, height: int) -> None:
        """Keep what still has room, as a terminal does."""
        new = Picture(width, height)
        common = min(width, self.size[0])
        for y in range(min(height, self.size[1])):
            new.chars[y][:common] = self.chars[y][:common]
            new.pens[y][:common] = self.pens[y][:common]
            if self.chars[y][common : common + 1] == [""]:
                new.chars[y][common - 1] = " "
        self.size, self.chars, self.pens = new.size, new.chars, new.pens

    def feed(self, data: str) -> str:
        """Take what Textual wrote; the part of it that is to be passed on unchanged.

        When that raises, cursor and pen are still those from before: feeding the same data to a
        terminal that shows this picture then gives the right screen.
        """
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
                    x = max(int(token["column"] or 1), 1) - 1
                    y = max(int(token["row"] or 1), 1) - 1
                case "line":  # the tty adds the carriage return: ONLCR stays on
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
        if not 0 <= y < height or x > width:
            return x + len(cells)
        chars = self.chars[y]
        if not cell_len(cells[0]):  # only combining characters: they join what is there
            joining = cells.pop(0)
            if x:
                chars[x - 1 - (chars[x - 1] == "")] += joining
        after = min(x + len(cells), width)
        if after == x:
            return x + len(cells)
        if cells[after - x : after - x + 1] == [""]:  # no room for the second half
            cells[after - x - 1] = " "
        if chars[x] == "":  # what loses one half loses both
            chars[x - 1] = " "
        if after < width and chars[after] == "":
            chars[after] = " "
        chars[x:after] = cells[: after - x]
        self.pens[y][x:after] = [pen] * (after - x)
        return x + len(cells)


@lru_cache(2048)
def split_cells(text: str) -> tuple[str, ...]:
    """One entry per cell, as wide as Rich, and so Textual, thinks that it is."""
    clusters: list[str] = []
    for char in text:
        last = clusters[-1] if clusters else ""
        # U+FE0F asks for the colourful form of the character before it, which may be wider.
        if last and (char == "\ufe0f" or cell_len(last + char) == cell_len(last)):
            clusters[-1] += char
        else:
            clusters.append(char)
    cells: list[str] = []
    for cluster in clusters:
        cells += [cluster, ""] if cell_len(cluster) == 2 else [cluster]
    return tuple(cells)


_ENDS: Final = {
    "22": ("1", "2"),
    "23": ("3",),
    "24": ("4", "21"),
    "25": ("5", "6"),
    "27": ("7",),
    "28": ("8",),
    "29": ("9",),
    "54": ("51", "52"),
    "55": ("53",),
}
"""Which attributes does a parameter take away?"""
_ATTRIBUTES: Final = frozenset(name for names in _ENDS.values() for name in names)
_COLOUR: Final = re.compile("(?:[34]|9|10)[0-7]")


@lru_cache(4096)
def normal(before: str, codes: str) -> str:
    """SGR parameters after others, in normal form: attributes, foreground, background."""
    if not codes:
        return ""
    attributes: set[str] = set()
    colours = {"3": "", "4": ""}
    rest = iter((f"{before};{codes}" if before else codes).split(";"))
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
