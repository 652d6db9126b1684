"""What does a pane show? A RowModel: rows drawn on demand from a Snapshot, and where a Trace lights
them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wgtui.report.line import Tone

if TYPE_CHECKING:
    from wgtui.model.trace import Trace


class Span(NamedTuple):
    """A piece of a row in one style. The text is printable: untrusted text has gone through
    ``printable``."""

    text: str
    style: str = ""
    """A word of ``inks``: ``""``, ``dim``, ``strong``, ``head``, ``good``, ``bad``, ``warn``,
    ``tree``."""


@dataclass(frozen=True, slots=True)
class Lit:
    """What a Trace lights up in a pane."""

    marks: Mapping[int, Tone] = field(default_factory=dict)
    """Row to tone (WON, LOST, REFUSED, BAD, UNKNOWN, NOTE); drawn as a glyph in the margin and a
    style."""
    words: Mapping[int, str] = field(default_factory=dict)
    """Row to the short word behind its mark: ``wins``, ``shorter``, ``metric 100 > 0``, ``mark
    0x0``, ``suppressed``."""
    show: int | None = None
    """The row to scroll into view: the winner, or the place where it failed."""
    hidden: bool = False
    """There is such a row, and a filter leaves it out."""


class Picture(NamedTuple):
    """What one line of the screen says: equal pictures need no refresh."""

    spans: tuple[Span, ...] = ()
    tone: Tone | None = None
    word: str = ""
    cursor: bool = False
    heading: bool = False
    continued: bool = False
    """The line before goes on: the same tone, no glyph and no word."""


class RowModel(Protocol):
    """Rows 0 … len-1; nothing is built for rows nobody looks at."""

    title: str
    """The pane's title: ``Interfaces``, ``System routes``, ``AllowedIPs``."""

    def __len__(self) -> int: ...

    def spans(self, row: int, width: int) -> tuple[Span, ...]:
        """One row, at most ``width`` cells; a prefix or an address in it is never cut."""

    def question(self, row: int) -> str | None:
        """The flow that Enter asks about this row (``10.0.0.1``), or None."""

    def copy_text(self, row: int) -> str:
        """What ``y`` copies for this row: the prefix, address or key."""

    def lit(self, trace: Trace) -> Lit:
        """Where the Trace passes through this pane."""


class NoRows:
    """What a list shows before there are facts."""

    def __init__(self, title: str = "") -> None:
        self.title = title

    def __len__(self) -> int:
        return 0

    def spans(self, row: int, width: int) -> tuple[Span, ...]:
        """There are none."""
        return ()

    def question(self, row: int) -> str | None:
        """There is nothing to ask."""
        return None

    def copy_text(self, row: int) -> str:
        """There is nothing to copy."""
        return ""

    def lit(self, trace: Trace) -> Lit:
        """Nothing lights up."""
        return Lit()
