"""Front door: the words of the command line → one source, one view, one exit code.

0 it arrives · 1 it does not, or nobody can know · 2 the words cannot be understood · 3 the source
cannot be read. stdout carries only the answer; everything else goes to stderr. Textual is imported
only for the TUI.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Final, NoReturn

from wgtui import __version__
from wgtui.engine.agreement import differences
from wgtui.engine.lookup import lookup
from wgtui.errors import QueryError, SourceError
from wgtui.model.flow import Flow, quoted
from wgtui.model.snapshot import Snapshot
from wgtui.report.as_json import error_json, lookup_json
from wgtui.report.printable import printable
from wgtui.report.sentences import answer, kernel_line
from wgtui.report.text import render
from wgtui.sources import Source, open_source

OK: Final = 0
NOT_DELIVERED: Final = 1
USAGE: Final = 2
UNREADABLE: Final = 3
INTERRUPTED: Final = 130

HELP: Final = """\
usage: wgtui [OPTIONS]                  the terminal UI
       wgtui [OPTIONS] FLOW…            the terminal UI, with a first question
       wgtui lookup [OPTIONS] FLOW…     one answer as text (- : one flow a line on stdin)
       wgtui snapshot [OPTIONS]         save what the source shows, to be opened elsewhere
       wgtui check [OPTIONS]            (arrives with a later version)

What happens to a packet on this host: which rule, which route, which WireGuard peer, how the
encrypted packet leaves, and would a packet from there be let in. Only reads; no secret leaves it.

FLOW, the words of 'ip route get':
  ADDRESS [from ADDRESS] [iif LINK] [oif LINK] [mark N[/MASK]] [tos N] [uid N]
          [ipproto tcp|udp|icmp|ipv6-icmp|N] [sport N] [dport N] [flowlabel N] [peer NAME-OR-KEY]
  without iif: a packet made on this host; iif wg0 peer P: just decrypted from peer P

options:
  --source SRC   where the facts come from: live (default), live:NETNS, demo, a snapshot file,
                 or a facts folder (the output of ip -j and wg show, see README)
  --demo         short for --source demo
  --json         lookup: the answer as one JSON object (a flow: one object; -: one a line)
  -o FILE        snapshot: write to FILE instead of stdout
  --ascii        plain ASCII glyphs
  --mouse        TUI: use the mouse (off by default, so the terminal can select text)
  --version      print the version
  -h, --help     print this

exit codes: 0 the packet arrives · 1 it does not, or it cannot be known · 2 the words cannot be
understood · 3 the source cannot be read
"""

COMMANDS: Final = ("lookup", "snapshot", "check")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The command line, understood."""

    command: str
    """One of ``COMMANDS``; empty: the TUI."""
    words: tuple[str, ...]
    source: str
    json: bool
    output: str | None
    ascii: bool
    mouse: bool


class _Parser(argparse.ArgumentParser):
    """argparse with our help and one-line errors."""

    def format_help(self) -> str:
        return HELP

    def error(self, message: str) -> NoReturn:
        raise QueryError(f"{message} (see wgtui --help)")


def parse(argv: Sequence[str]) -> Arguments:
    """Understand the words; raises ``QueryError``; ``--help`` and ``--version`` end the program."""
    parser = _Parser(prog="wgtui", allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--source")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-o", "--output")
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--mouse", action="store_true")
    parser.add_argument("--version", action="version", version=f"wgtui {__version__}")
    found, unknown = parser.parse_known_intermixed_args(list(argv))
    if unknown:
        word = next((word for word in unknown if word.startswith("-")), unknown[0])
        raise QueryError(f"{word!r} is not an option (see wgtui --help)")
    words: list[str] = found.words
    command = words.pop(0) if words and words[0] in COMMANDS else ""
    if found.demo and found.source not in (None, "demo"):
        raise QueryError("--demo and --source contradict each other")
    if found.source == "":  # an unset variable in a script must not mean this host
        raise QueryError("--source: live, live:NETNS, demo, a snapshot file or a facts folder?")
    if found.json and command not in ("lookup", "check"):
        raise QueryError("--json goes with lookup or check")
    if found.output is not None and command != "snapshot":
        raise QueryError("-o goes with snapshot")
    if command == "snapshot" and words:
        raise QueryError(f"snapshot takes no words: {' '.join(words)!r}")
    if command == "lookup" and not words:
        raise QueryError("lookup: which address? (see wgtui --help)")
    source = "demo" if found.demo else found.source or "live"
    return Arguments(
        command, tuple(words), source, found.json, found.output, found.ascii, found.mouse
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    for stream in (sys.stdin, sys.stdout):  # an odd byte or a poor locale is no reason to fail
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        commands: dict[str, Callable[[Arguments], int]] = {
            "": _tui,
            "lookup": _lookup,
            "snapshot": _snapshot,
            "check": _check,
        }
        code = commands[arguments.command](arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except QueryError as error:
        print(f"wgtui: {printable(error.problem)}", file=sys.stderr)
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


def _forget_output() -> None:
    """What is left to be written has no reader: the interpreter must not try, and fail, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _joined(words: Sequence[str]) -> str:
    """The flow as one text; a peer's name with spaces, one word to the shell, stays one."""
    before = ("", *words)
    return " ".join(quoted(word) if before[n] == "peer" else word for n, word in enumerate(words))


def _flow(words: str) -> Flow:
    """Understand a flow; the one line that says why not names the word and its place."""
    try:
        return Flow.parse(words)
    except QueryError as error:
        where = f" (at character {error.position + 1} of {words!r})" if words.strip() else ""
        raise QueryError(f"{error.problem}{where}") from None


def _tui(arguments: Arguments) -> int:
    question = _joined(arguments.words)
    if question:
        _flow(question)
    if arguments.source != "demo" and not arguments.source.startswith("live"):
        open_source(arguments.source).close()  # a wrong path is said before the screen changes
    from wgtui.tui.main import run

    return run(arguments.source, question, mouse=arguments.mouse, ascii_only=arguments.ascii)


def _check(_: Arguments) -> int:
    raise QueryError("check arrives with a later version; wgtui lookup FLOW answers one question")


def _snapshot(arguments: Arguments) -> int:
    from wgtui.sources.saved import save

    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    save(snapshot, Path(arguments.output) if arguments.output else sys.stdout)
    return OK


def _lookup(arguments: Arguments) -> int:
    if arguments.words != ("-",):
        flow = _flow(_joined(arguments.words))  # before anything is read
        with closing(open_source(arguments.source)) as source:
            snapshot = source.read()
            return _answer(arguments, source, snapshot, flow)
    with closing(open_source(arguments.source)) as source:
        # Python has no stdin object at all where the shell closed it.
        return _answer_lines(arguments, source, source.read(), sys.stdin or ())


def _answer(arguments: Arguments, source: Source, snapshot: Snapshot, flow: Flow) -> int:
    trace = lookup(snapshot, flow)
    asked = source.ask(flow)
    if arguments.json:
        found = differences(snapshot, trace, asked) if asked is not None else None
        print(json.dumps(lookup_json(snapshot, trace, None if found is None else not found)))
    else:
        lines = answer(snapshot, trace)
        told = kernel_line(snapshot, trace, asked) if asked is not None else None
        print(render([*lines, *([told] if told else [])], arguments.ascii), end="")
    return OK if trace.outcome.good else NOT_DELIVERED


def _answer_lines(
    arguments: Arguments, source: Source, snapshot: Snapshot, lines: Iterable[str]
) -> int:
    """One answer a line, in order, about the same snapshot; the exit code is the worst of them."""
    worst = OK
    for line in lines:
        try:
            code = _answer(arguments, source, snapshot, _flow(line.strip()))
        except QueryError as error:
            code = USAGE
            if arguments.json:
                print(json.dumps(error_json(error.problem)))
            else:
                print(f"wgtui: {printable(error.problem)}", file=sys.stderr)
        worst = max(worst, code)
        sys.stdout.flush()
    return worst
