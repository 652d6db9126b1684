"""What does the reader of this screen call the peers? The lines ``KEY name`` of a file of theirs.

Empty lines and lines that begin with ``#`` are passed over. A name may have spaces. It is as
untrusted as any other text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wgtui.model.snapshot import Gap, Subject
from wgtui.sources.config_files import ConfigFiles, Written
from wgtui.sources.peer_words import is_key

_EVERYBODYS: Final = Path("etc/wgtui/names")


def parse_names(file: Written) -> tuple[dict[str, str], Gap | None]:
    """Public key to name, and a gap that tells the first line that is neither."""
    names: dict[str, str] = {}
    gap: Gap | None = None
    for number, line in enumerate(file.text.split("\n"), start=1):
        key, *name = line.split(maxsplit=1)[:2] or ["#"]
        if key.startswith("#"):
            continue
        if name and is_key(key):
            names[key] = name[0].strip()
        elif gap is None:
            gap = Gap(Subject.CONFIG, f"{file.path}, line {number}: not a public key and a name")
    return names, gap


def names_files(root: Path, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Everybody's file, and one's own."""
    own = _own(environment)
    return [root / _EVERYBODYS, *([own] if own is not None else [])]


def read_names(
    files: ConfigFiles, root: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Everybody's names, then one's own, which win; what is wrong with them becomes a gap."""
    names: dict[str, str] = {}
    for path in names_files(root, environment):
        file = files.one(path)
        if file is not None:
            found, gap = parse_names(file)
            names |= found
            files.gaps += [gap] if gap is not None else []
    return names


def _own(environment: Mapping[str, str]) -> Path | None:
    """None: nobody knows whose home this is, or it is somebody else's."""
    config, home = environment.get("XDG_CONFIG_HOME", ""), environment.get("HOME", "")
    path = Path(config or (home and f"{home}/.config"), "wgtui/names")
    # After "sudo -u nobody" this may be somebody else's home: that hides nothing of the host.
    return path if path.is_absolute() and os.access(path, os.R_OK) else None
