"""Which command was typed? The first words decide; what is not understood is named with its place.

Understood, never run: the result says what the command would change.
"""

from __future__ import annotations

from wgtui.model.command import Command, LinkCommand, SysctlCommand
from wgtui.model.prefix import Family
from wgtui.sources.command_ip import address_command, route_command, rule_command
from wgtui.sources.command_wg import wg_command
from wgtui.sources.command_words import CommandWords
from wgtui.sources.names import to_number
from wgtui.sources.sysctl import path_of

TOOLS = ("wg", "ip", "sysctl")


def is_command(text: str) -> bool:
    """Does it begin like one of the commands that are understood?"""
    words = text.split()
    if words[:1] == ["sudo"]:
        words = words[1:]
    return bool(words) and words[0].rpartition("/")[2] in TOOLS


def parse_command(text: str) -> Command:
    """Understand a command as a person would type it into a shell.

    Raises ``QueryError`` naming the word, and ``SourceError`` for a configuration that cannot be
    read.
    """
    words = CommandWords(text)
    words.next_is("sudo")
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
        else:
            raise words.wrong(f"{option!r} is not understood: only -4 and -6 are")
    thing = words.take("route, rule, link or address")
    if len(thing) >= 2 and "route".startswith(thing) and thing != "r":
        return route_command(words, family)
    if "rule".startswith(thing) and len(thing) >= 2:
        return rule_command(words, family or 4)
    if "link".startswith(thing):
        return _link(words)
    if "address".startswith(thing) or thing == "addr":
        return address_command(words)
    raise words.wrong(f"{thing!r} is not one of: route, rule, link, address")


def _link(words: CommandWords) -> Command:
    verb = words.take("set")
    if verb != "set":
        raise words.wrong(f"{verb!r}: of links only 'set LINK up' and 'set LINK down' are known")
    words.next_is("dev")
    name = words.take("a link")
    state = words.take("up or down")
    if state not in ("up", "down"):
        raise words.wrong(f"{state!r}: only 'up' and 'down' are understood")
    if words:
        raise words.unknown(words.take("a word"), state)
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
