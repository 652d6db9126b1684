"""Is what is written still what the program does? Commands, options, keys, codes, examples."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
from textual.binding import Binding, BindingType

from wgtui.cli import COMMANDS, HELP, main
from wgtui.commands import COMMON, INTERRUPTED, NOT_DELIVERED, OK, UNREADABLE, USAGE
from wgtui.model.flow import KEYWORDS
from wgtui.model.trace import Outcome
from wgtui.sources import open_source
from wgtui.tui import keys
from wgtui.tui.app import WgtuiApp
from wgtui.tui.row_list import RowList

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CAPS = {
    "enter": "Enter", "escape": "Esc", "tab": "Tab", "shift+tab": "Shift-Tab", "space": "Space",
    "slash": "/", "equals_sign": "=", "question_mark": "?", "exclamation_mark": "!",
    "plus": "+", "minus": "-", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home",
    "end": "End", "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip


def section(document: str, title: str) -> str:
    """What stands under a heading."""
    found = re.search(rf"^#+ {title}[^\n]*\n(.*?)(?=^##? |\Z)", document, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def block(name: str) -> str:
    """The fenced block behind an ``<!-- name -->``."""
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found, name
    return found[1]


def cap(key: str) -> str:
    """What is printed on the key."""
    if key.startswith("ctrl+"):
        return f"Ctrl-{key[5:].upper()}"
    return CAPS.get(key, key)


# ----------------------------------------------------------------------------------- the README


def test_the_example_is_what_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Run it, and compare letter by letter."""
    command, _, expected = block("example").partition("\n")
    dollar, program, *words = command.split()
    assert (dollar, program) == ("$", "wgtui")
    assert main(words) == OK
    assert capsys.readouterr().out == expected


def test_the_story_is_what_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """A real trouble, from the facts that tests use: letter by letter."""
    command, _, expected = block("story").partition("\n")
    dollar, program, *words = command.split()
    assert (dollar, program) == ("$", "wgtui")
    assert main(words) == NOT_DELIVERED
    assert capsys.readouterr().out == expected


def test_the_first_screen_says_what_it_is_and_how_to_start() -> None:
    """One sentence, one picture, demo, test, install: before the first heading."""
    first = README.split("\n## ")[0]
    for words in ("**wgtui says", "![", "make demo", "make test", "pip install"):
        assert words in first
    assert len(first.splitlines()) <= 24


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_the_help(command: str) -> None:
    """With what it does."""
    assert f"`wgtui {command}" in section(README, "Commands")
    assert f"wgtui {command} " in HELP


def test_every_option_is_in_the_readme_and_the_help() -> None:
    """Those of everybody and of every command; a command's alias stands in the help first."""
    modules = [import_module(f"wgtui.commands.{name.replace('-', '_')}") for name in COMMANDS]
    declared = [*COMMON, *(option for module in modules for option in module.OPTIONS)]
    options = {name for option in declared for name in (option.name, option.alias) if name}
    options |= {"-h", "--help", "--version"}
    aliased = {option.name for option in declared if option.alias}
    assert {"--source", "--json", "-o"} <= options
    table = section(README, "Commands")
    assert {option for option in options if f"`{option}" not in table} == set()
    told = HELP.replace(",", " ")
    assert {option for option in options - aliased if f" {option} " not in told} == set()


def test_the_help_fits_the_smallest_terminal() -> None:
    """80 columns: nothing is broken in the middle of a word."""
    assert max(map(len, HELP.splitlines())) <= 80


def test_every_word_of_a_flow_is_in_the_readme_and_the_help() -> None:
    """The grammar stands in both, the same."""
    for word in KEYWORDS:
        assert f"[{word} " in HELP
        assert f"[{word} " in section(README, "Commands")


def test_every_exit_code_is_in_the_readme_and_the_help() -> None:
    """0 to 3, in order, with their meaning; 130 is the shell's own convention."""
    assert (OK, NOT_DELIVERED, USAGE, UNREADABLE, INTERRUPTED) == (0, 1, 2, 3, 130)
    told = re.search(r"^Exit codes: (.*?)\n\n", README, re.DOTALL | re.MULTILINE)
    assert told
    assert re.findall(r"`(\d)`", told[1]) == ["0", "1", "2", "3"]
    assert re.findall(r"\b(\d) (?:the|it)", HELP) == ["0", "1", "2", "3"]


def test_every_outcome_is_in_the_readme() -> None:
    """No more and no fewer than the program knows."""
    table = section(README, "What it answers")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert re.findall(r"`([a-z-]+)`", "".join(rows)) == [outcome.value for outcome in Outcome]


def test_every_key_is_in_the_readme_and_no_other() -> None:
    """The keys table is the app's bindings, as printed on the keys."""
    tables: tuple[list[BindingType], ...] = (
        keys.QUESTION, keys.ROWS, keys.MAP, keys.ANSWER, keys.FILTER, keys.EVERYWHERE, keys.HELP,
    )  # fmt: skip
    assert WgtuiApp.BINDINGS is keys.EVERYWHERE
    assert RowList.BINDINGS is keys.ROWS
    bound = {
        cap(key)
        for table in tables
        for binding in table
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    rows = [line.split("|")[1] for line in section(README, "Keys").splitlines() if "| `" in line]
    assert set(re.findall(r"`([^`]+)`", "".join(rows))) == bound


def test_every_picture_is_there_and_drawn_by_the_script() -> None:
    """No link to a picture that is missing, no picture that the script does not draw."""
    shown = set(re.findall(r"\]\((screenshots/[^)]+)\)", README))
    script = (ROOT / "screenshots" / "make.py").read_text(encoding="utf-8")
    assert len(shown) >= 3
    for picture in shown:
        assert (ROOT / picture).read_text(encoding="utf-8").startswith("<svg")
        assert f'"{Path(picture).stem}"' in script
    for picture in (ROOT / "screenshots").glob("*.svg"):
        assert f'"{picture.stem}"' in script


def test_every_link_leads_somewhere() -> None:
    """To a file of this tree, or to the web."""
    for document in (README, CONTRIBUTING, CHANGELOG):
        for target in re.findall(r"\]\(([^)#]+)\)", document):
            assert target.startswith("https://") or (ROOT / target).exists()


# ----------------------------------------------------------------------------------- the recipe

SECRET = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
PUBLIC = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
TOOLS = {
    "ip": f"""case "$*" in
        *link*) echo '[{{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"]}},
                       {{"ifindex": 2, "ifname": "wg0", "flags": ["UP", "LOWER_UP"],
                         "linkinfo": {{"info_kind": "wireguard"}}}}]' ;;
        *nexthop*) echo 'Object "nexthop" is unknown' >&2; exit 1 ;;
        *-4*route*) echo '[{{"dst": "10.9.0.0/16", "dev": "wg0", "scope": "link",
                             "table": "254", "type": "unicast"}}]' ;;
        *-4*rule*) echo '[{{"priority": 32766, "src": "all", "table": "254"}}]' ;;
        *) echo '[]' ;;
    esac  # {PUBLIC}""",
    "wg": f"""printf 'wg0\\t%s\\t%s\\t51820\\toff\\n' '{SECRET}' '{PUBLIC}'
        printf 'wg0\\t%s\\t%s\\t192.0.2.9:51820\\t10.9.0.0/16\\t0\\t0\\t0\\toff\\n' \
            '{PUBLIC.replace("x", "y", 1)}' '{SECRET}'""",
    "sysctl": "echo net.ipv4.ip_forward = 1; echo kernel.hostname = x",
    "nft": "echo 'Operation not permitted' >&2; exit 1",
}


def test_the_recipe_makes_a_folder_without_secrets(tmp_path: Path) -> None:
    """It hides every secret key wherever it stood, leaves no empty file, and is understood."""
    tools, etc, facts = tmp_path / "bin", tmp_path / "etc", tmp_path / "facts"
    for folder in (tools, etc):
        folder.mkdir()
    for name, script in TOOLS.items():
        (tools / name).write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    (etc / "wg0.conf").write_text(
        f"[Interface]\nPrivateKey = {SECRET}\n# privatekey={SECRET}\nPostUp = wg set %i private-key"
        f" <(echo {SECRET})\n[Peer]\n# Name = fra1\nPublicKey = {PUBLIC.replace('x', 'y', 1)}\n"
        f"PresharedKey={SECRET}\nAllowedIPs = 10.9.0.0/16\n",
        encoding="utf-8",
    )
    others = {
        "systemd/network/a.netdev": f"[NetDev]\nKind=wireguard\n[WireGuard]\nPrivateKey={SECRET}\n",
        "systemd/network/b.netdev": f"[NetDev]\nKind=macsec\n[MACsec]\nKey={SECRET}\n",
        "NetworkManager/system-connections/a.nmconnection": f"[wireguard]\nprivate-key={SECRET}\n",
        "NetworkManager/system-connections/b.nmconnection": f"[wifi-security]\npsk={SECRET}\n",
        "config/network": f"config interface wg0\n option preshared_key {SECRET}\n",
    }
    for name, text in others.items():
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).write_text(text, encoding="utf-8")
    recipe = block("facts").replace("/etc/wireguard", str(etc)).replace(" /etc/", f" {etc}/")
    done = subprocess.run(
        ["bash", "-c", recipe, "facts.sh", str(facts)],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    texts = {path.name: path.read_text() for path in facts.rglob("*") if path.is_file()}
    assert [name for name, text in texts.items() if SECRET in text or not text] == []
    assert {"a.netdev", "a.nmconnection", "network", "wg0.conf"} <= set(texts)
    assert {"b.netdev", "b.nmconnection"} & set(texts) == set()  # none of WireGuard's
    assert {"nexthop.json", "nft.json"} & set(texts) == set()  # what failed is missing, not empty
    assert texts["sysctl.txt"] == "net.ipv4.ip_forward = 1\n"
    assert set(json.loads(texts["host.json"])) == {"host", "kernel", "taken_at"}
    (device,) = open_source(str(facts)).read().devices.values()
    assert (device.public_key, [peer.label for peer in device.peers]) == (PUBLIC, ["fra1"])


# ----------------------------------------------------------------------------------- the words


def twins() -> dict[str, str]:
    """Banned words and the word to use, from the glossary's last column."""
    rows = [line.split("|") for line in section(CONTRIBUTING, "Words").splitlines()]
    return {
        twin.strip(): row[1].strip()
        for row in rows
        if len(row) == 5 and row[1].strip() not in ("word", "---")
        for twin in row[3].split(",")
        if twin.strip()
    }


def test_the_glossary_bans_the_twins() -> None:
    """At least those that started it."""
    assert {"iface": "link", "tunnel": "link", "node": "peer", "client": "peer"}.items() <= (
        twins().items()
    )


def prose(path: Path) -> list[str]:
    """Every string literal that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def test_no_twin_is_ever_said() -> None:
    """One word, one idea: in what the report says, and in the help."""
    texts = {"--help": HELP}
    for path in sorted((ROOT / "wgtui" / "report").glob("*.py")):
        texts[path.name] = "\n".join(prose(path))
    assert len(texts["verdict.py"]) > 1000
    wrong = [
        f"{name}: say {word}, not {twin}"
        for name, text in texts.items()
        for twin, word in twins().items()
        if re.search(rf"\b{twin}s?\b", text, re.IGNORECASE)
    ]
    assert wrong == []


# ----------------------------------------------------------------------------------- the map


def test_the_map_has_every_room_and_names_no_ghost() -> None:
    """Every file that CONTRIBUTING names in a room exists, and every room has its row."""
    table = section(CONTRIBUTING, "The map")
    room = ROOT / "wgtui"
    seen = set()
    for line in table.splitlines():
        found = re.match(r"\| `wgtui/(\w+)/` \|", line)
        if found:
            room = ROOT / "wgtui" / found[1]
            seen.add(found[1])
        elif not line.startswith("| ·"):
            continue
        for name in re.findall(r"`(\w+\.py)`", line):
            assert (room / name).exists() or name == "errors.py", f"{room.name}/{name}"
    assert seen == {path.parent.name for path in (ROOT / "wgtui").glob("*/__init__.py")}


def test_the_changelog_knows_this_version() -> None:
    """Keep a Changelog: Unreleased first, then this one."""
    from wgtui import __version__

    headings = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert __version__ in headings
