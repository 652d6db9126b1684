"""What does a benchmark say? Rows: what was measured, what it may be, and how it was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_HEAD: Final = ("what", "measured", "limit", "ratio", "met", "how")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, of one run, on the same data as what it is compared with."""

    what: str
    measured: str
    """With its unit: ``1.20 s``."""
    limit: str
    """What it may be at most (or must be at least), and what that is compared with."""
    ratio: float | None
    """Measured over limit: 1 just meets it, smaller is better; None where nothing is divided."""
    met: bool
    how: str
    """The data, how often, and what was done; for a row that is not met, the reason."""


def at_most(what: str, measured: float, limit: float, unit: str, how: str, said: str = "") -> Row:
    """A row for a number that must not be larger than ``limit``; ``said`` explains the limit."""
    limit_text = f"≤ {_number(limit)} {unit}" + (f" ({said})" if said else "")
    ratio = measured / limit if limit else None
    return Row(what, f"{_number(measured)} {unit}", limit_text, ratio, measured <= limit, how)


def at_least(what: str, measured: float, limit: float, unit: str, how: str, said: str = "") -> Row:
    """A row for a number that must not be smaller than ``limit``."""
    limit_text = f"≥ {_number(limit)} {unit}" + (f" ({said})" if said else "")
    ratio = limit / measured if measured else None
    return Row(what, f"{_number(measured)} {unit}", limit_text, ratio, measured >= limit, how)


def _number(value: float) -> str:
    """Three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table."""
    lines = [_line(_HEAD), _line("---" for _ in _HEAD)]
    lines += [_line(_cells(row)) for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.what, row.measured, row.limit, ratio, "yes" if row.met else "**no**", row.how


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
