"""A terminal for the tests of pictures: pyte, where it differs from xterm made to do the same."""

from __future__ import annotations

import unicodedata

import pyte
from wcwidth import wcwidth

LOOKS = ("bold", "italics", "underscore", "strikethrough", "reverse", "blink", "fg", "bg")

Cell = tuple[object, ...]


class Xterm(pyte.Screen):
    """Overwriting half of a wide character blanks the rest; what combines joins the first half."""

    def draw(self, data: str) -> None:
        """Character by character."""
        for char in data:
            line, x, width = self.buffer[self.cursor.y], self.cursor.x, wcwidth(char)
            if width > 0:
                for half, whole in ((x, x - 1), (x + width, x + width)):
                    if half < self.columns and line[half].data == "":
                        line[whole] = line[whole]._replace(data=" ")
            if width == 0 and x > 1 and line[x - 1].data == "":
                line[x - 2] = line[x - 2]._replace(data=line[x - 2].data + char)
            else:
                super().draw(char)


def cells(screen: pyte.Screen) -> list[list[Cell]]:
    """Every cell with its colours and attributes."""
    return [
        [
            (unicodedata.normalize("NFC", cell.data), *(getattr(cell, look) for look in LOOKS))
            for cell in (screen.buffer[y][x] for x in range(screen.columns))
        ]
        for y in range(screen.lines)
    ]
