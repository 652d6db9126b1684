"""Which driver draws the screen: ours, or Textual's own?

``WGTUI_DRIVER=plain`` is the way out of ours. It is also taken for a Textual that ours was not
tested with.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import textual
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from wgtui.tui.lean_driver import LeanDriver

TESTED_WITH: Final = frozenset({"8.2.8"})
"""Versions of Textual. For a new one: add it, then run tests/tui/test_lean_driver.py with it."""


def choose(normal: type[Driver], environ: Mapping[str, str]) -> type[Driver]:
    """The driver to use where Textual would take that one."""
    if environ.get("WGTUI_DRIVER") == "plain" or normal is not LinuxDriver:
        return normal  # another one is somebody's wish: TEXTUAL_DRIVER, textual-serve
    return LeanDriver if is_tested() else normal


def is_tested() -> bool:
    """Is this a Textual that we know? (``textual.__version__`` would cost a tenth of the start.)"""
    beside = Path(textual.__file__).parents[1]
    if any((beside / f"textual-{version}.dist-info").is_dir() for version in TESTED_WITH):
        return True
    return textual.__version__ in TESTED_WITH
