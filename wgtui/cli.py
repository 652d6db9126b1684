"""Front door: the words of the command line → one command and its exit code.

0 it arrives · 1 it does not, or nobody can know · 2 the words cannot be understood · 3 the source
cannot be read. stdout carries only the answer; everything else goes to stderr. Only the command
that is meant is imported; what a command is, ``wgtui.commands`` says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import StringIO, TextIOWrapper
from typing import Final, cast

from wgtui import __version__
from wgtui.commands import (
    BUG,
    COMMON,
    DEMO,
    INTERRUPTED,
    OK,
    SOURCE,
    UNREADABLE,
    USAGE,
    Arguments,
    Command,
    Option,
)
from wgtui.errors import QueryError, SourceError
from wgtui.report.printable import printable

COMMANDS: Final = (
    "lookup",
    "whatif",
    "territory",
    "allowed-ips",
    "drift",
    "diff",
    "snapshot",
    "check",
)
"""Each is the module of that name in ``wgtui.commands``."""

HELP: Final = """\
usage: wgtui [OPTIONS]                  the terminal UI
       wgtui [OPTIONS] FLOW…            the terminal UI, with a first question
       wgtui lookup [OPTIONS] FLOW…     one answer as text (-: flows on stdin)
       wgtui lookup [OPTIONS] PREFIX…   which of its addresses go where
       wgtui whatif 'COMMAND'… [FLOW]   what it would change; never run
       wgtui territory [DEVICE|PREFIX]  what each peer really owns
       wgtui allowed-ips 'SUM'          the shortest list that means it
       wgtui drift [OPTIONS]            what was meant, what is, what is routed
       wgtui diff [OPTIONS] A B         what changed: snapshots, folders, live
       wgtui snapshot [OPTIONS]         save what is seen, for elsewhere
       wgtui check [OPTIONS]            known mistakes and their repair

What happens to a packet on this host: which rule, which route, which WireGuard
peer, how the encrypted packet leaves, and would a packet from there be let in.
Only reads; no secret leaves it.

FLOW, the words of 'ip route get':
  ADDRESS [from ADDRESS] [iif LINK] [oif LINK] [mark N[/MASK]] [tos N] [uid N]
          [ipproto tcp|udp|icmp|ipv6-icmp|N] [sport N] [dport N] [flowlabel N]
          [peer NAME-OR-KEY]
  without iif: a packet made on this host; with it: one that arrives there;
  iif wg0 peer P: one that was just decrypted from peer P

options:
  --source SRC   where the facts come from: live (default), live:NETNS, demo,
                 a snapshot file, or a facts folder (the output of ip -j and
                 wg show, see README)
  --demo         short for --source demo: an invented host full of mistakes
  --json         lookup, check …: the answer as one JSON object (lookup -: one
                 a line)
  --peer P       allowed-ips: what giving P that list would take from whom
  -o FILE        snapshot: write to FILE instead of stdout
  --ascii        plain ASCII glyphs
  --mouse        TUI: use the mouse (off, so that the terminal selects text)
  --theme NAME   TUI: dark, light or mono (black and white); the variable
                 WGTUI_THEME says it for good
  --version      print the version
  -h, --help     print this

exit codes: 0 the packet arrives · 1 it does not, or it cannot be known ·
2 the words cannot be understood · 3 the source cannot be read;
of drift and diff: 0 no difference · 1 differences;
of check: 0 nothing that breaks anything · 1 errors or warnings
"""


def parse(argv: Sequence[str]) -> Arguments:
    """Understand the words; raises ``QueryError``; ``--help`` and ``--version`` end the program.

    Options stand anywhere, also before the command; ``--`` ends them. A word with a space in it is
    none, whatever it begins with.
    """
    command = _command_named(argv)
    known = _by_spelling((*COMMON, *_module(command).OPTIONS))
    words: list[str] = []
    options: list[tuple[str, str]] = []
    rest = iter(argv)
    for word in rest:
        if word == "--":
            words.extend(rest)
        elif not _is_option(word):
            words.append(word)
        elif word in ("-h", "--help"):
            print(HELP, end="")
            raise SystemExit(OK)
        elif word == "--version":
            print(f"wgtui {__version__}")
            raise SystemExit(OK)
        else:
            spelling, value = _split(word)
            option = known.get(spelling)
            if option is None:
                raise QueryError(_why_not(spelling, command))
            if option.takes_value:
                value = next(rest, "-x") if value is None else value
                if _is_option(value):
                    raise QueryError(f"{spelling}: a word is missing (see wgtui --help)")
            elif value is not None:
                raise QueryError(f"{spelling} takes no value: {value!r}")
            options.append((option.name, value or ""))
    if command and words.pop(0) != command:
        raise QueryError(f"{command!r} is the command and comes first (see wgtui --help)")
    found = Arguments(command, tuple(words), options=tuple(options))
    return found._replace(source=_source(found), options=_but_for_the_source(found))


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-" and " " not in word


def _split(word: str) -> tuple[str, str | None]:
    """``--source=demo`` and ``-oFILE`` hold their value."""
    if word.startswith("--"):
        spelling, equals, value = word.partition("=")
        return spelling, value if equals else None
    return word[:2], word[2:].removeprefix("=") if len(word) > 2 else None


def _by_spelling(options: Sequence[Option]) -> dict[str, Option]:
    return {name: option for option in options for name in (option.name, option.alias) if name}


def _command_named(argv: Sequence[str]) -> str:
    """The command: the first word that is neither an option nor the value of one.

    Which of a command's own options take a value is not known before it is found, so a word behind
    one of those is taken for its value unless it is a command.
    """
    common = _by_spelling(COMMON)
    before = ""
    for word in argv:
        if before in common and common[before].takes_value:
            before = ""
            continue
        if word in COMMANDS:
            return word
        if not _is_option(word) and (before in ("", "--") or before in common or "=" in before):
            return ""
        before = word if _is_option(word) else ""
    return ""


def _module(command: str) -> Command:
    name = command.replace("-", "_") or "screen"
    return cast(Command, import_module(f"wgtui.commands.{name}"))


def _why_not(spelling: str, command: str) -> str:
    """Not an option at all, or one of other commands."""
    others = [name for name in COMMANDS if spelling in _by_spelling(_module(name).OPTIONS)]
    if others:
        return f"{spelling} goes with {' or '.join(others)}"
    return f"{spelling!r} is not an option (see wgtui --help)"


def _source(found: Arguments) -> str:
    source = found.value(SOURCE)
    if found.has(DEMO) and source not in (None, "demo"):
        raise QueryError("--demo and --source contradict each other")
    if source == "":  # an unset variable in a script must not mean this host
        raise QueryError("--source: live, live:NETNS, demo, a snapshot file or a facts folder?")
    return "demo" if found.has(DEMO) else source or "live"


def _but_for_the_source(found: Arguments) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in found.options if pair[0] not in (SOURCE.name, DEMO.name))


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    if sys.stdout is None:  # closed by whoever started it: nobody wants the answer
        sys.stdout = StringIO()
    for stream in (sys.stdin, sys.stdout):  # an odd byte or a poor locale is no reason to fail
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = parse(argv)
        code = _module(arguments.command).run(arguments)
        sys.stdout.flush()
        return code
    except QueryError as error:
        print(f"wgtui: {printable(error.problem)}{_meant(argv)}", file=sys.stderr)
        return USAGE
    except SourceError as error:
        print(f"wgtui: {printable(str(error))}", file=sys.stderr)
        return UNREADABLE
    except BrokenPipeError:
        _forget_output()
        return OK
    except OSError as error:  # a full disk, a file that cannot be written
        name = f"{error.filename}: " if error.filename else ""
        print(f"wgtui: {printable(f'{name}{error.strerror}')}", file=sys.stderr)
        _forget_output()
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last door: a user gets a line, no traceback
        from wgtui.report.mistake import as_bug

        print(f"wgtui: {printable(str(as_bug(error)))}", file=sys.stderr)
        return BUG


def _meant(argv: Sequence[str]) -> str:
    """A word that is nearly a command: no flow begins like that."""
    from difflib import get_close_matches  # only who mistyped waits for it

    common = _by_spelling(COMMON)
    values = {at + 1 for at, word in enumerate(argv) if word in common and common[word].takes_value}
    words = (word for at, word in enumerate(argv) if at not in values and not _is_option(word))
    first = next(words, "")
    meant = [] if first in COMMANDS else get_close_matches(first, COMMANDS, 1)
    return f"; the command {meant[0]}?" if meant else ""


def _forget_output() -> None:
    """What is left to be written has no reader: the interpreter must not try, and fail, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
