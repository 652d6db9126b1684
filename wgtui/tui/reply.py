"""What does the lookup pane show for a text? An answer, a hint, or a mistake (``view``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wgtui.errors import SourceError
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable

if TYPE_CHECKING:
    from wgtui.model.trace import Trace

GRAMMAR: Final = (
    Line("ADDRESS", label="ask"),
    Line("from ADDRESS   mark N[/MASK]   oif LINK   uid N   tos N", label="local"),
    Line("from ADDRESS iif LINK   …and after decryption: peer NAME-OR-KEY", label="arrives"),
    Line("ipproto tcp|udp|icmp|N   sport N   dport N   flowlabel N", label="ports"),
)
"""The words of a flow (contract §2), shown while a question is half typed."""

IF: Final = "if "
"""A question that begins so is a command."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the lookup pane shows for a text."""

    lines: tuple[Line, ...]
    """The first one stays on the screen."""
    trace: Trace | None = None
    """None: nothing was looked up."""
    caret: int | None = None
    """Where in the text the mistake is."""
    kept: Trace | None = None
    """While a word is unfinished: of the question before, whose marks stay."""


def before_facts(spec: str, failure: SourceError | None) -> tuple[Line, ...]:
    """What there is to say while nothing has been read, or cannot be."""
    if failure is None:
        return (Line(f"reading {printable(spec)} …"),)
    lines = (Line(printable(failure.what), Tone.BAD),)
    return (*lines, Line(printable(failure.hint), Tone.NOTE)) if failure.hint else lines
