"""Which colours? The terminal's own sixteen, for dark and for light, or none at all."""

from __future__ import annotations

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

_PLAIN: Final = "ansi_default"

MONO: Final = Theme(
    name="ansi-mono",
    ansi=True,
    primary=_PLAIN,
    secondary=_PLAIN,
    warning=_PLAIN,
    error=_PLAIN,
    success=_PLAIN,
    accent=_PLAIN,
    foreground=_PLAIN,
    background=_PLAIN,
    surface=_PLAIN,
    panel=_PLAIN,
    boost=_PLAIN,
    variables=dict.fromkeys(BUILTIN_THEMES["ansi-light"].variables, _PLAIN)
    | {"input-cursor-text-style": "reverse"},
)
"""Black and white: glyphs, words, bold, underline and reverse say it all."""

_CYCLE: Final = {"ansi-dark": "dark", "ansi-light": "light", MONO.name: "black and white"}


def next_theme(name: str) -> tuple[str, str]:
    """The theme after this one, and what to call it."""
    names = list(_CYCLE)
    after = names[(names.index(name) + 1) % len(names)] if name in names else names[0]
    return after, _CYCLE[after]
