"""``wgtui [FLOW]``: the terminal UI. What must be said before the screen changes?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wgtui.commands import ASCII, MOUSE, Arguments, Option
from wgtui.errors import QueryError
from wgtui.sources import open_source

THEME: Final = Option("--theme", takes_value=True)
OPTIONS: Final[tuple[Option, ...]] = (THEME,)


def run(arguments: Arguments) -> int:
    """Show the screen until it is left. A bad first question or a wrong path is told here."""
    question = _question(arguments.words) if arguments.words else ""
    if arguments.source != "demo" and not arguments.source.startswith("live"):
        open_source(arguments.source).close()
    from wgtui.tui.main import run as show
    from wgtui.tui.terminal import THEMES

    theme = arguments.value(THEME)
    if theme is not None and theme not in THEMES:
        raise QueryError(f"--theme {theme}: it is one of {', '.join(THEMES)}")
    return show(
        arguments.source,
        question,
        mouse=arguments.has(MOUSE),
        ascii_only=arguments.has(ASCII),
        theme=theme,
    )


def _question(words: Sequence[str]) -> str:
    """The first question; what it takes to understand it is imported only for one."""
    from wgtui.commands.flow_words import joined, range_understood, understood
    from wgtui.model.range_flow import is_range

    question = joined(words)
    if is_range(question):
        range_understood(question)
    else:
        understood(question)
    return question
