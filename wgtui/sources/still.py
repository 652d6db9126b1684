"""What is a source that stands still: files, which change only when somebody changes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from threading import Event
from typing import Final

from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.snapshot import Snapshot
from wgtui.sources import Progress


class StillSource(ABC):
    """A file or folder as a ``Source``: read when asked to, never by itself."""

    live: Final = False

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._woken = Event()

    @property
    def spec(self) -> str:
        """The path."""
        return str(self.path)

    @abstractmethod
    def read(self, progress: Progress | None = None) -> Snapshot:
        """Everything in it; raises ``SourceError``."""

    def refresh(self, previous: Snapshot, seconds: float) -> Snapshot:
        """Nothing moves by itself; when woken, read again."""
        if not self._woken.wait(seconds):
            return previous
        self._woken.clear()
        return self.read()

    def wake(self) -> None:
        """Make a waiting ``refresh`` read again."""
        self._woken.set()

    def ask(self, flow: Flow) -> KernelAnswer | None:
        """The kernel it came from is not here."""
        return None

    def close(self) -> None:  # noqa: B027 - there is nothing to close, in no such source
        """Nothing is open."""
