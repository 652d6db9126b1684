"""``wgtui whatif``: which addresses would change their answer? Predicted, never run."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, NOT_DELIVERED, OK, Arguments, terminal_columns
from wgtui.commands.flow_words import joined, understood
from wgtui.engine.what_if.verdict import what_if
from wgtui.errors import QueryError
from wgtui.report.text import render
from wgtui.report.what_if import what_if_lines
from wgtui.report.what_if_json import what_if_json
from wgtui.sources import open_source
from wgtui.sources.commands import TOOLS, is_command, parse_command

OPTIONS: Final = (JSON,)


def run(arguments: Arguments) -> int:
    """0: all of it would be done; 1: something would be refused, or cannot be predicted."""
    texts, flow_words = _split(arguments.words)
    commands = []
    for text in texts:
        try:
            commands.append(parse_command(text))
        except QueryError as error:
            where = f" (at character {error.position + 1} of {text!r})"
            raise QueryError(f"{error.problem}{where}") from None
    flow = understood(joined(flow_words)) if flow_words else None
    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    found = what_if(snapshot, commands, flow)
    if arguments.has(JSON):
        print(json.dumps(what_if_json(texts, found)))
    else:
        print(render(what_if_lines(texts, found), arguments.has(ASCII), terminal_columns()), end="")
    return OK if found.carried_out and found.whole else NOT_DELIVERED


def _split(words: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """The commands, each one word to the shell; what follows them is a flow."""
    if not words:
        raise QueryError("whatif: which command? 'wg set …', 'ip route …' (see wgtui --help)")
    if words[0] in TOOLS or words[0] == "sudo":
        return [" ".join(words)], ()  # somebody forgot the quotes
    count = next((n for n, word in enumerate(words) if not is_command(word)), len(words))
    if not count:
        tool = words[0].partition(" ")[0]
        raise QueryError(f"whatif: {tool!r} is not one of the tools known: {', '.join(TOOLS)}")
    return list(words[:count]), words[count:]
