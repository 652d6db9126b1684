"""Which command was typed? The first words decide; what is not understood is named with its place.

Understood, never run: the result says what the command would change.
"""

from __future__ import annotations

from itertools import dropwhile
from typing import Final

from wgtui.model.command import Command, LinkCommand, SysctlCommand
from wgtui.model.prefix import Family
from wgtui.sources.command_ip import address_command, route_command, rule_command
from wgtui.sources.command_wg import wg_command
from wgtui.sources.command_words import CommandWords
from wgtui.sources.names import to_number
from wgtui.sources.sysctl import path_of

TOOLS: Final = ("wg", "ip", "sysctl")
_OBJECTS: Final = ("address", "route", "rule", "link")
"""In iproute2's order: of an abbreviation the first counts."""


def is_command(text: str) -> bool:
    """Does it begin like one of the commands that are understood?"""
    words = text.split()
    if words[:1] == ["sudo"]:
        words = list(dropwhile(lambda word: word.startswith("-"), words[1:]))
    return bool(words) and words[0].rpartition("/")[2] in TOOLS


def parse_command(text: str) -> Command:
    """Understand a command as a person would type it into a shell.

    Raises ``QueryError`` naming the word, and ``SourceError`` for a configuration that cannot be
    read.
    """
    words = CommandWords(text)
    if words.next_is("sudo"):
        while words.peek().startswith("-"):
            words.take("an option")
    tool = words.take("a command").rpartition("/")[2]
    match tool:
        case "wg":
            return wg_command(words)
        case "ip":
            return _ip(words)
        case "sysctl":
            return _sysctl(words)
        case _:
            raise words.wrong(f"{tool!r} is not one of: wg, ip, sysctl")


def _ip(words: CommandWords) -> Command:
    family: Family | None = None
    while words.peek().startswith("-"):
        option = words.take("an option")
        if option in ("-4", "-6"):
            family = 4 if option == "-4" else 6
        elif option in ("-n", "-netns"):
            raise words.wrong(f"{option!r}: ask about another namespace with --source live:NETNS")
        else:
            raise words.wrong(f"{option!r} is not understood: only -4 and -6 are")
    match words.one_of("route, rule, link or address", _OBJECTS):
        case "route":
            return route_command(words, family)
        case "rule":
            return rule_command(words, family or 4)
        case "link":
            return _link(words)
        case _:
            return address_command(words)


def _link(words: CommandWords) -> Command:
    verb = words.take("set")
    if not "set".startswith(verb):
        raise words.wrong(f"{verb!r}: of links only 'set LINK up' and 'set LINK down' are known")
    name, state = "", ""
    while words:
        word = words.take("a word")
        if word in ("up", "down") and not state:
            state = word
        elif not name:
            name = words.take("a link") if word == "dev" else word
        else:
            raise words.wrong(f"{word!r}: only 'up' and 'down' are understood")
    if not name:
        raise words.wrong("a link is missing", here=True)
    if not state:
        raise words.wrong("up or down is missing", here=True)
    return LinkCommand(name, state == "up")


def _sysctl(words: CommandWords) -> Command:
    while words.peek().startswith("-"):
        option = words.take("an option")
        if option not in ("-w", "-q", "--write", "--quiet"):
            raise words.wrong(f"{option!r} is not understood")
    setting = words.take("KEY=VALUE")
    key, equals, value = setting.partition("=")
    if not equals and words.next_is("="):
        value = words.take("a value")
    elif not value:
        value = words.take("a value") if equals else ""
    number = to_number(value.removeprefix("-"))
    if number is None:
        raise words.wrong(f"{setting!r}: KEY=NUMBER is needed")
    if words:
        raise words.unknown(words.take("a word"), setting)
    return SysctlCommand(path_of(key), -number if value.startswith("-") else number)
