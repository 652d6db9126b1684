"""What is answered to a question that is no packet? A prefix with its parts, a command with what it
would change."""

from __future__ import annotations

from typing import Final

from wgtui.engine.territory import partition
from wgtui.engine.what_if.verdict import what_if
from wgtui.errors import QueryError, SourceError
from wgtui.model.flow import is_asked
from wgtui.model.range_flow import parse_range
from wgtui.model.snapshot import Snapshot
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.territory import partition_lines
from wgtui.report.what_if import what_if_lines
from wgtui.sources.commands import is_command, parse_command
from wgtui.tui.reply import IF, Reply

TYPED_LIMIT: Final = 2_000
"""Prefixes looked at for every key press."""
MOST_LINES: Final = 400
FEW_PEERS: Final = 300
"""With more of them findings are left to ``wgtui whatif``: they take too long for a key press."""

COMMANDS: Final = (
    Line("wg set DEV peer KEY allowed-ips [+|-]PREFIX,… | remove | endpoint HOST:PORT", label="if"),
    Line("wg syncconf|setconf|addconf DEV FILE   or   <(wg-quick strip NAME)", label="if"),
    Line("ip route add|del|replace|append|change PREFIX via … dev … table …", label="if"),
    Line("ip rule add|del [not] from … to … fwmark … lookup TABLE", label="if"),
    Line("ip link set LINK up|down   ip address add|del …   sysctl -w KEY=VALUE", label="if"),
)
"""What is understood, shown while a command is half typed. Nothing is ever run."""


def command_in(text: str) -> str | None:
    """The command that a question is, or begins to be; None: it is none."""
    if text.startswith(IF):
        return text[len(IF) :]
    if IF.startswith(text):
        return ""
    return text if is_command(text) and not is_asked(text) else None


def range_reply(snapshot: Snapshot, text: str) -> Reply:
    """Where the addresses of a prefix go; raises ``QueryError``."""
    asked = parse_range(text)
    found = partition(snapshot, asked.within, asked.flow, TYPED_LIMIT)
    return Reply(tuple(partition_lines(found, MOST_LINES)))


def command_reply(snapshot: Snapshot, text: str, command: str) -> Reply:
    """What would change."""
    if not command.strip():
        return Reply((Line("what if? Type a command; it is never run."), *COMMANDS))
    try:
        understood = parse_command(command)
    except QueryError as error:
        line = Line(printable(error.problem), Tone.NOTE)
        if error.unfinished:
            return Reply((Line(f"not yet a command: {printable(error.problem)}"), *COMMANDS))
        return Reply((line, *COMMANDS), caret=len(text) - len(command) + error.position)
    except SourceError as error:
        return Reply((Line(printable(str(error)), Tone.NOTE),))
    peers = sum(len(device.peers) for device in snapshot.devices.values())
    few = peers <= FEW_PEERS
    found = what_if(snapshot, [understood], limit=TYPED_LIMIT, findings=few)
    lines = what_if_lines([command], found)
    if not few:
        lines.append(Line("findings that come or go: wgtui whatif tells them", Tone.NOTE))
    return Reply(tuple(lines[:MOST_LINES]))
