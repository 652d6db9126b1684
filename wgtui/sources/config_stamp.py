"""Has anything been written where configurations are? A cheap look, in the place of reading them.

Folders tell of files that come, go or are renamed, files of what is written into them. Nothing is
opened: a look costs a listing of each folder and a ``stat`` for each file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

Line: TypeAlias = tuple[str, int, int, int]
"""A path, its inode, its size, and the moment it was last changed (ns)."""

Stamp: TypeAlias = frozenset[Line]

_DEPTH: Final = 2
"""Drop-ins are in a folder of their own inside."""


def stamp(places: Iterable[Path]) -> Stamp:
    """What is there now; what cannot be looked at is as if it were not there."""
    return frozenset(line for place in places for line in _lines(str(place), _DEPTH))


def _lines(path: str, depth: int) -> Iterator[Line]:
    try:
        found = os.stat(path)  # noqa: PTH116  a Path for each file costs more than the look
    except OSError:
        return
    yield path, found.st_ino, found.st_size, found.st_mtime_ns
    if depth and stat.S_ISDIR(found.st_mode):
        try:
            inside = os.listdir(path)  # noqa: PTH208  likewise
        except OSError:
            return
        for name in inside:
            yield from _lines(f"{path}/{name}", depth - 1)
