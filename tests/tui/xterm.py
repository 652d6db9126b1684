"""A terminal for the tests of pictures: pyte, where it differs from xterm made to do the same."""

from __future__ import annotations

import pyte
from wcwidth import wcwidth


class Xterm(pyte.Screen):
    """Overwriting half of a wide character blanks the rest; what combines joins the first half."""

    def draw(self, data: str) -> None:
        """Character by character, where it matters."""
        if data.isascii() and not any(cell.data == "" for cell in self._touched(len(data))):
            super().draw(data)
            return
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

    def _touched(self, count: int) -> list[pyte.screens.Char]:
        line, x = self.buffer[self.cursor.y], self.cursor.x
        return [line[at] for at in range(x, min(x + count + 1, self.columns))]


def cells(screen: pyte.Screen) -> list[list[pyte.screens.Char]]:
    """Every cell with its colours and attributes."""
    rows = (screen.buffer[y] for y in range(screen.lines))
    return [[row[x] for x in range(screen.columns)] for row in rows]
