"""What do people call a peer, in the comments of a configuration file?

Neither wg nor networkd knows names of peers, so people write them in comments. The first of these
is a peer's label: ``# Name = x`` and its like (friendly_name, friendly_json) in its section or
above it; words behind its header on the same line; a comment right below the header; a comment
right above it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

_NAMED: Final = re.compile(r"(?:friendly_)?name\s*[=:]\s*(\S.*)", re.IGNORECASE)
_FRIENDLY_JSON: Final = re.compile(r"friendly_json\s*=\s*(\{.*\})", re.IGNORECASE)


@dataclass(slots=True)
class _Label:
    """What may be the name of the peer that is being read."""

    tagged: str = ""
    plain: list[str] = field(default_factory=list)
    """Comments that may be a name, the best first."""
    on_its_line: bool = False
    """The first of them stands on the line of the header."""


class Labels:
    """Told of the lines of one file, in order; knows the label of the peer they are about."""

    def __init__(self) -> None:
        self._current: _Label | None = None
        self._comments: list[str] = []
        """The comment lines that may belong to the next peer."""
        self._detached = False
        """A blank line stands before them, so they do not belong to what is above."""
        self._after_blank = True
        self._below_header = False
        """Nothing but comments since the header."""

    def comment(self, text: str) -> None:
        """A line that is a comment, without its sign."""
        self._detached = self._after_blank if not self._comments else self._detached
        self._comments.append(text)
        self._after_blank = False

    def blank(self) -> None:
        """An empty line."""
        if not self._detached:
            self._give()
        self._after_blank = True

    def statement(self) -> None:
        """Any line of the configuration itself, but the header of a peer."""
        self._give()
        self._below_header = self._after_blank = False

    def begin(self, on_its_line: str = "") -> None:
        """The header of a peer, with the comment that stands on its line."""
        above, self._comments = self._comments, []
        tagged = next(
            (name for text in (on_its_line, *reversed(above)) if (name := _tagged(text))), ""
        )
        right_above = ""
        if above and not self._after_blank:
            right_above = above[-1].removeprefix("BEGIN_PEER ")
        plain = [text for text in (on_its_line, right_above) if _may_be_a_name(text)]
        self._current = _Label(tagged, plain, _may_be_a_name(on_its_line))
        self._after_blank = False
        self._below_header = True

    def finish(self) -> str:
        """The label of the peer whose section ends here; empty when there is none."""
        label, self._current = self._current, None
        return "" if label is None else label.tagged or next(iter(label.plain), "")

    def _give(self) -> None:
        """The comments that a line other than a peer's header ends belong to the section they are
        in."""
        comments, self._comments = self._comments, []
        label = self._current
        if label is None or not comments:
            return
        label.tagged = label.tagged or next(filter(None, map(_tagged, comments)), "")
        if self._below_header and _may_be_a_name(comments[0]):
            # What follows the header on its line is better, what stands above it is worse.
            label.plain.insert(label.on_its_line, comments[0])
        self._below_header = False


def _tagged(comment: str) -> str:
    """The name in ``Name = x``, ``friendly_name = x`` or ``friendly_json = {"name": "x"}``."""
    named = _NAMED.fullmatch(comment)
    if named:
        return named[1].strip()
    friendly = _FRIENDLY_JSON.fullmatch(comment)
    if not friendly:
        return ""
    try:
        values = json.loads(friendly[1])
    except (ValueError, RecursionError):
        return ""
    name = values.get("name") if isinstance(values, dict) else None
    return name.strip() if isinstance(name, str) else ""


def _may_be_a_name(comment: str) -> bool:
    """Not a setting that was commented out, which may be a key."""
    return "=" not in comment and any(map(str.isalnum, comment))
