"""The layers hold at run time, too: what import-linter reads is proved on sys.modules."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import wgtui
from wgtui.cli import COMMANDS
from wgtui.commands import Option

HOUSE = Path(wgtui.__file__).parent
HEAVY = {"textual", "rich", "pyroute2"}
IMPURE = {"socket", "subprocess", "pyroute2", "textual", "rich", "logging", "random", "asyncio"}


def modules_of(*rooms: str) -> list[str]:
    """All modules of these rooms, dotted."""
    paths = [path for room in rooms for path in sorted((HOUSE / room).rglob("*.py"))]
    dotted = [".".join(path.relative_to(HOUSE.parent).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in dotted]


def loaded_by(statements: str, *, given: str = "pass") -> set[str]:
    """The modules that a fresh interpreter loads for the statements, on top of what is given."""
    script = f"""
import atexit, sys
{given}
given = set(sys.modules)
atexit.register(lambda: print("loaded", *(set(sys.modules) - given)))
{statements}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_front_door_is_light() -> None:
    """Importing the command line loads neither Textual nor pyroute2."""
    loaded = loaded_by("import wgtui.cli")
    assert "wgtui.cli" in loaded
    assert not loaded & HEAVY


def test_the_version_is_cheap() -> None:
    """`wgtui --version` answers without loading Textual or pyroute2."""
    loaded = loaded_by(
        "sys.argv = ['wgtui', '--version']\nfrom wgtui.cli import main\nsys.exit(main())"
    )
    assert "wgtui.cli" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_a_command_is_light_and_has_the_shape(command: str) -> None:
    """Each is a module of its name with OPTIONS and run; importing it loads no heavy library."""
    name = f"wgtui.commands.{command.replace('-', '_') or 'screen'}"
    assert not loaded_by(f"import {name}") & HEAVY
    module = import_module(name)
    assert all(isinstance(option, Option) for option in module.OPTIONS)
    assert callable(module.run)


def test_only_the_command_that_is_used_is_loaded() -> None:
    """A question loads the one command that answers it, and no other."""
    loaded = loaded_by("from wgtui.cli import main\nmain(['lookup', '--demo', '10.30.4.1'])")
    commands = {name for name in loaded if name.startswith("wgtui.commands.")}
    assert commands == {"wgtui.commands.lookup", "wgtui.commands.flow_words"}


@pytest.mark.parametrize("source", ["demo", "live"])
def test_an_answer_needs_no_heavy_library(source: str) -> None:
    """Neither from the demo nor from this host: our own structs read what the kernel says."""
    words = f"['lookup', '--source', '{source}', '127.0.0.1']"
    loaded = loaded_by(f"from wgtui.cli import main\nmain({words})")
    assert f"wgtui.sources.{source}" in loaded
    assert not loaded & HEAVY


def test_the_first_frame_waits_for_no_facts() -> None:
    """The screen is imported without the model, the engine and netaddr: the reader brings them."""
    loaded = loaded_by("import wgtui.commands.screen, wgtui.tui.app")
    assert "wgtui.tui.app" in loaded
    rooms = {name for name in loaded if name.startswith(("wgtui.model.", "wgtui.engine."))}
    assert rooms <= {"wgtui.model.fact"}  # how facts are made, and none of them
    assert not loaded & {"netaddr", "pyroute2"}


def test_nouns_and_mind_are_pure() -> None:
    """model and engine load no socket, process, network library, UI, log or dice of their own."""
    rooms = modules_of("model", "engine")
    assert rooms
    # netaddr itself loads socket and random, at import only; the contracts see to direct imports.
    loaded = loaded_by("\n".join(f"import {name}" for name in rooms), given="import netaddr")
    assert set(rooms) <= loaded
    assert not loaded & IMPURE


def test_no_room_is_missing() -> None:
    """The house has the rooms the contracts speak of, so that none of them holds vacuously."""
    rooms = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert rooms == {"model", "sources", "engine", "report", "tui", "commands"}


def test_every_module_says_its_question_and_stays_short() -> None:
    """Each module has a docstring and at most 400 lines."""
    wrong = []
    for path in sorted(HOUSE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not ast.get_docstring(ast.parse(text)):
            wrong.append(f"{path.relative_to(HOUSE)} has no docstring")
        if (lines := len(text.splitlines())) > 400:
            wrong.append(f"{path.relative_to(HOUSE)} has {lines} lines")
    assert not wrong
