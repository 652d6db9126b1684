"""What can one press, and what do the words mean? Made from the bindings: it cannot be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

from wgtui.report.line import Line, Tone
from wgtui.tui import keys
from wgtui.tui.inks import ANSWER_INKS, Ink
from wgtui.tui.lookup_pane import AnswerList

_GLOSSARY: Final = (
    ("link", "a network interface"),
    ("rule", "ip rule: the kernel asks them in order which table to look in"),
    ("route", "the longest prefix of a table that covers the address wins, then the best metric"),
    (
        "AllowedIPs",
        "on a WireGuard device the longest prefix that covers an address names its one owner",
    ),
    ("owner", "the peer that an address belongs to on a device"),
    ("outer", "the encrypted packet, on its own way to the peer's endpoint"),
    ("back", "would a packet from that address be let in again?"),
    ("finding", "a known mistake, found: an error breaks what was meant, a warning likely does"),
    ("gap", "something that could not be seen; never the same as nothing there"),
)

_MARKS: Final = (
    (Tone.GOOD, "the verdict: it arrives"),
    (Tone.BAD, "the verdict: it does not, or it fails here"),
    (Tone.UNKNOWN, "nobody can know, and why"),
    (Tone.WON, "this rule, route or peer was chosen"),
    (Tone.LOST, "it covers the address too, and lost"),
    (Tone.REFUSED, "it was asked and did not match"),
    (Tone.ALSO, "on the way too: of the encrypted packet, or of one that comes in"),
    (Tone.NOTE, "worth knowing"),
)

_KEY_NAMES: Final = {
    "question_mark": "?",
    "slash": "/",
    "equals_sign": "=",
    "exclamation_mark": "!",
    "plus": "+",
    "minus": "-",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "shift+tab": "Shift-Tab",
    "escape": "Esc",
}


def key_name(key: str) -> str:
    """What is printed on the key."""
    if key.startswith("ctrl+"):
        return f"Ctrl-{key[5:].upper()}"
    return _KEY_NAMES.get(key, key if len(key) == 1 else key.capitalize())


def help_lines() -> tuple[Line, ...]:
    """Everything, as lines: the keys by where they work, the marks, the words."""
    lines = [
        Line("Type an address: each key press is answered. j/k scroll this, Esc leaves it."),
        Line(""),
    ]
    for title, bindings in keys.PLACES:
        lines.append(Line("", label=title))
        for binding in bindings:
            if isinstance(binding, Binding):
                caps = " ".join(key_name(key) for key in binding.key.split(","))
                lines.append(Line(binding.tooltip or binding.description, label=caps, indent=1))
        lines.append(Line(""))
    lines.append(Line("", label="Marks, in the panes and in the answer"))
    lines += [Line(text, tone, 1, tone.value) for tone, text in _MARKS]
    lines += [Line(""), Line("", label="Words")]
    lines += [Line(text, label=word, indent=1) for word, text in _GLOSSARY]
    return tuple(lines)


class _HelpList(AnswerList):
    INKS: ClassVar[Mapping[str, Ink]] = {**ANSWER_INKS, "label": Ink(attributes="bold")}


class HelpScreen(ModalScreen[None]):
    """The help, over everything else."""

    BINDINGS = keys.HELP

    def __init__(self, lines: tuple[Line, ...], *, ascii_only: bool) -> None:
        super().__init__()
        self._lines = lines
        self._list = _HelpList(ascii_only=ascii_only, name="help")

    def compose(self) -> ComposeResult:
        """A title, and the lines."""
        yield Static(" wgtui: keys, marks and words ", id="help-title", markup=False)
        yield self._list

    def on_mount(self) -> None:
        """The list gets the keys."""
        self._list.show(self._lines)
        self._list.focus()
