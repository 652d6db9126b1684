"""The room of commands: what does a command look like to the front door?

A command is one module named like it (``allowed-ips`` is ``allowed_ips.py``), one name in
``cli.COMMANDS`` and its lines in ``cli.HELP``. The module has ``OPTIONS``, what it takes beyond the
options everybody takes, and ``run``, which returns the exit code. It is imported when it is used,
and may import at its top whatever it always needs.
"""

from __future__ import annotations

import os
import sys
from typing import Final, NamedTuple, Protocol

OK: Final = 0
NOT_DELIVERED: Final = 1
FOUND: Final = 1
"""``check``: known mistakes."""
USAGE: Final = 2
UNREADABLE: Final = 3
BUG: Final = 70
"""A mistake of ours (sysexits.h: EX_SOFTWARE)."""
INTERRUPTED: Final = 130


class Option(NamedTuple):
    """One option of the command line."""

    name: str
    """Under which a command asks for it: ``--output``."""
    alias: str = ""
    """The same, shorter: ``-o``."""
    takes_value: bool = False
    """A word follows it, or stands behind ``=``."""


JSON: Final = Option("--json")


class Arguments(NamedTuple):
    """The command line, understood."""

    command: str
    """One of ``cli.COMMANDS``; empty: the TUI."""
    words: tuple[str, ...]
    """What is neither the command nor an option, in order."""
    source: str = "live"
    """Where the facts come from, as ``sources.open_source`` understands it."""
    options: tuple[tuple[str, str], ...] = ()
    """The options by ``Option.name``, in order, with their value; a flag's value is empty."""

    def has(self, option: Option) -> bool:
        """Was it given?"""
        return any(name == option.name for name, _ in self.options)

    def values(self, option: Option) -> tuple[str, ...]:
        """Every value it was given, in order."""
        return tuple(value for name, value in self.options if name == option.name)

    def value(self, option: Option) -> str | None:
        """Its value, the last one where there are several; None: it was not given."""
        return next(reversed(self.values(option)), None)


class Command(Protocol):
    """What the front door asks of a command's module."""

    OPTIONS: tuple[Option, ...]
    """Beyond ``COMMON``."""

    def run(self, arguments: Arguments) -> int:
        """Do it; the exit code. Raises ``QueryError``, ``SourceError`` and ``OSError``."""


SOURCE: Final = Option("--source", takes_value=True)
DEMO: Final = Option("--demo")
ASCII: Final = Option("--ascii")
MOUSE: Final = Option("--mouse")
COMMON: Final = (SOURCE, DEMO, ASCII, MOUSE)
"""Every command takes them, whether they concern it or not, so that an alias may hold them."""


def terminal_columns() -> int | None:
    """How wide is the terminal that gets the answer? None: it is none, and lines stay whole."""
    return (
        os.get_terminal_size(sys.stdout.fileno()).columns or None if sys.stdout.isatty() else None
    )
