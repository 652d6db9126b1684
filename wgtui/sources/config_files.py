"""Which configuration files are there, and what is written in them? Nothing is understood here."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from wgtui.model.snapshot import Gap, Subject

MOST_BYTES: Final = 64 << 20
"""A larger file is no configuration."""

_ROOT: Final = "run as root (sudo wgtui)"


class Written(NamedTuple):
    """A file."""

    path: str
    """As people see it."""
    text: str

    @property
    def stem(self) -> str:
        """The name of the file without its folder and suffix."""
        return Path(self.path).stem


class ConfigFiles:
    """Reads files, and keeps a gap for what cannot be read."""

    def __init__(self, shown: Callable[[Path], str] = str) -> None:
        self._shown = shown
        self.gaps: list[Gap] = []
        self.read = 0
        """How many files were read."""
        self.newest = 0.0
        """When the newest of them was written; Unix time."""

    def one(self, path: Path) -> Written | None:
        """What is written there; None: nothing is there, or it cannot be read."""
        try:
            return self._read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.gaps.append(_gap(self._shown(path), error))
            return None

    def all_of(
        self, folder: Path, suffix: str, wanted: Callable[[Path], bool] = lambda _: True
    ) -> list[Written]:
        """All files of a folder with that suffix, by name."""
        failed: dict[int, list[tuple[Path, OSError]]] = {}
        found: list[Written] = []
        for path in self.paths(folder, suffix):
            if not wanted(path):
                continue
            try:
                found.append(self._read(path))
            except OSError as error:
                failed.setdefault(error.errno or 0, []).append((path, error))
        for failures in failed.values():
            path, problem = failures[0]
            what = self._shown(path)
            if len(failures) > 1:  # one line, however many profiles are somebody else's
                what = f"{self._shown(folder)}: {len(failures)} files"
            self.gaps.append(_gap(what, problem))
        return found

    def units(self, folders: Sequence[Path], suffix: str) -> list[tuple[Written, ...]]:
        """The units of systemd.unit(5) in these folders, each with its drop-ins behind it.

        A file hides those of its name in later folders; one that is empty, or a link to
        ``/dev/null``, hides them and says nothing.
        """
        chosen = self._first_of_each(folders, suffix)
        return [tuple(self._unit(path, folders)) for _, path in sorted(chosen.items())]

    def _unit(self, path: Path, folders: Sequence[Path]) -> list[Written]:
        main = self.one(path)
        if main is None:
            return []
        inside = [folder / f"{path.name}.d" for folder in folders]
        more = sorted(self._first_of_each(inside, ".conf").items())
        return [main, *(part for _, path in more if (part := self.one(path)) is not None)]

    def _first_of_each(self, folders: Sequence[Path], suffix: str) -> dict[str, Path]:
        chosen: dict[str, Path] = {}
        for folder in folders:
            for path in self.paths(folder, suffix):
                chosen.setdefault(path.name, path)
        return {name: path for name, path in chosen.items() if not _masked(path)}

    def paths(self, folder: Path, suffix: str) -> list[Path]:
        """The files of a folder with that suffix, by name."""
        try:
            return sorted(path for path in folder.iterdir() if path.suffix == suffix)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.gaps.append(_gap(self._shown(folder), error))
            return []

    def _read(self, path: Path) -> Written:
        # A pipe would block, and a device may have no end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "is not a regular file")
            if status.st_size > MOST_BYTES:
                raise OSError(errno.EFBIG, "is too large for a configuration")
            with os.fdopen(descriptor, encoding="utf-8-sig", errors="surrogateescape") as file:
                descriptor = -1
                text = file.read()
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        self.read += 1
        self.newest = max(self.newest, status.st_mtime)
        return Written(self._shown(path), text)


def _masked(path: Path) -> bool:
    try:
        return path.resolve() == Path(os.devnull) or path.stat().st_size == 0
    except OSError:
        return False


def _gap(what: str, error: OSError) -> Gap:
    hint = _ROOT if isinstance(error, PermissionError) else ""
    return Gap(Subject.CONFIG, f"{what}: {error.strerror or error}", hint)
