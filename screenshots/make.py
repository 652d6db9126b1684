#!/usr/bin/env python3
"""Draw the pictures of the README: the real app on the demo host, driven by keys, always the same.

.venv/bin/python screenshots/make.py              (make screenshots)
.venv/bin/python screenshots/make.py --png DIR    … and as PNG into DIR, with rsvg-convert
.venv/bin/python screenshots/make.py --help       print this
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
for name in ("NO_COLOR", "TEXTUAL_THEME"):  # what the caller likes must not change the pictures
    os.environ.pop(name, None)

from wgtui.tui.app import WgtuiApp  # noqa: E402  after the environment is settled


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    size: tuple[int, int]
    question: str
    keys: tuple[str, ...] = ()
    """Pressed after the answer is there."""


SMALL: Final = (80, 24)
WIDE: Final = (160, 45)

SHOTS: Final = (
    Shot("full-tunnel-160x45", WIDE, "198.51.100.99"),
    Shot("full-tunnel-80x24", SMALL, "198.51.100.99"),
    Shot("more-specific-160x45", WIDE, "10.30.5.9"),
    Shot("not-allowed-80x24", SMALL, "192.168.10.20 from 10.30.5.7 iif wg1 peer ams2"),
    Shot("explain-160x45", WIDE, "10.30.4.1", ("enter", "e")),
    Shot("first-screen-80x24", SMALL, ""),
)


async def draw(shot: Shot) -> str:
    """The screen as SVG."""
    app = WgtuiApp("demo")
    async with app.run_test(size=shot.size) as pilot:
        while app.snapshot is None:
            await pilot.pause(0.01)
        await pilot.pause(0.1)  # every pane has its size before a winner is brought into view
        app.lookup.question.value = shot.question
        await pilot.pause()
        await pilot.press(*shot.keys)
        await pilot.pause()
        svg = app.export_screenshot(title=f"wgtui --demo {shot.question}".strip(), simplify=False)
    # Not every renderer keeps the blanks at the beginning of a text unless told to.
    svg = svg.replace("<text ", '<text xml:space="preserve" ')
    # Fonts from the network make a picture depend on it.
    return re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)


def main(argv: list[str]) -> None:
    """Every picture anew."""
    match argv:
        case []:
            pngs = None
        case ["--png", folder]:
            pngs = Path(folder)
        case ["-h" | "--help"]:
            print((__doc__ or "").strip())
            return
        case _:
            sys.exit(f"make.py: {' '.join(argv)}: not understood (see --help)")
    for shot in SHOTS:
        path = HERE / f"{shot.name}.svg"
        path.write_text(asyncio.run(draw(shot)), encoding="utf-8")
        print(path.relative_to(HERE.parent))
        if pngs is not None:
            target = str(pngs / f"{shot.name}.png")
            subprocess.run(["rsvg-convert", "--output", target, str(path)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
