"""What do the words of a row look like? Colours by their name in the theme, and attributes.

What a colour says is also said by a glyph and a word. These are no component classes of the
stylesheet: Textual would match each of them with every rule, for each list, before the first frame
and at every change of theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from rich.style import Style
from textual.color import Color

from wgtui.report.line import Tone


class Ink(NamedTuple):
    """How a word is drawn."""

    colour: str = ""
    """A variable of the theme; empty: that of the text around it."""
    attributes: str = ""
    """``bold``, ``dim``, ``underline``, ``reverse``, with blanks between them."""


INKS: Final[Mapping[str, Ink]] = {
    "heading": Ink(attributes="underline"),
    "heading-focus": Ink(attributes="bold reverse"),
    "cursor": Ink(attributes="reverse"),
    "dim": Ink(attributes="dim"),
    "tree": Ink(attributes="dim"),
    "label": Ink(attributes="dim"),
    "strong": Ink(attributes="bold"),
    "head": Ink("secondary"),
    "warn": Ink("warning"),
    Tone.GOOD.value: Ink("success"),
    Tone.BAD.value: Ink("error", "bold"),
    Tone.UNKNOWN.value: Ink("warning", "bold"),
    Tone.WON.value: Ink("success", "bold"),
    Tone.LOST.value: Ink("foreground"),
    Tone.REFUSED.value: Ink(attributes="dim"),
    Tone.ALSO.value: Ink("secondary"),
    Tone.NOTE.value: Ink("warning"),
    Tone.PLAIN.value: Ink("foreground"),
}
"""Spans are styled with these words, and rows with the values of their tones."""

ANSWER_INKS: Final[Mapping[str, Ink]] = {
    **INKS,
    Tone.GOOD.value: Ink("success", "bold"),
    Tone.WON.value: Ink("foreground"),
}
"""In an answer most lines have won, and the verdict stands out."""


def style(ink: Ink, variables: Mapping[str, str]) -> Style:
    """The ink in a theme, to be laid over another style."""
    return _style(variables[ink.colour] if ink.colour else "", ink.attributes)


@cache
def _style(colour: str, attributes: str) -> Style:
    style = Style.parse(attributes) if attributes else Style.null()
    return style + Style.from_color(Color.parse(colour).rich_color) if colour else style
