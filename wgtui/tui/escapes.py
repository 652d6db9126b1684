"""Esc and a key typed right after it: how are they told from Alt and that key?

They are the same bytes when they come in one packet, as on a slow line or from fast fingers, and a
terminal's Alt-1 is Textual's "¡". Nothing here needs Alt: it is always Esc, then the key.
"""

from __future__ import annotations

from typing import Final

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

_ESC: Final = "\x1b"
_ALT: Final = "alt+"


_TAKEN: Final = "0123456789fb-="
"""What Textual takes for signs of some keyboards, and for leaps from word to word."""


def know_no_alt() -> None:
    """Esc and a key come as Alt and that key, whatever it is. Once is enough."""
    for key in _TAKEN:
        ANSI_SEQUENCES_KEYS.pop(_ESC + key, None)  # type: ignore[attr-defined]


def without_alt(event: events.Key) -> tuple[events.Key, ...]:
    """The keys that were typed."""
    character = event.character
    if not event.key.startswith(_ALT) or character is None or len(character) != 1:
        return (event,)
    return events.Key("escape", _ESC), events.Key(character, character)
