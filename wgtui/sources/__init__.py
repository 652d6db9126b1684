"""Eyes: the world in, a Snapshot out. The only room with sockets, processes and files.

``open_source`` understands the words of ``--source`` (contract §1) and imports only what that
source needs: a file never costs what live netlink does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from wgtui.errors import SourceError

if TYPE_CHECKING:  # the screen is painted before there are any facts
    from wgtui.model.flow import Flow
    from wgtui.model.kernel import KernelAnswer
    from wgtui.model.snapshot import Snapshot

Progress: TypeAlias = Callable[[int], None]
"""Told how many routes have been read so far, every few thousand, by the thread that reads."""


_KINDS: Final = "a source is live, live:NETNS, demo, a snapshot file or a facts folder"


class Source(Protocol):
    """Where the facts come from."""

    @property
    def spec(self) -> str:
        """The words that open it again: ``live``, ``live:blue``, ``demo``, a path."""

    @property
    def live(self) -> bool:
        """May it change while we look? Files and the demo do not."""

    def read(self, progress: Progress | None = None) -> Snapshot:
        """Everything, now. Raises ``SourceError`` only when there is nothing to see at all.

        A source that may take long tells its ``progress``; others never call it.
        """

    def refresh(self, previous: Snapshot, seconds: float) -> Snapshot:
        """Wait at most ``seconds`` for something to move, then read what may have.

        Returns ``previous`` itself when nothing did. To be called in a thread of its own.
        """

    def wake(self) -> None:
        """Make a waiting ``refresh`` (in another thread) return after a complete read."""

    def ask(self, flow: Flow) -> KernelAnswer | None:
        """Put the question to the running kernel; None where there is none to ask."""

    def close(self) -> None:
        """Let go of sockets; safe to call twice."""


def open_source(spec: str) -> Source:
    """``live``, ``live:NETNS``, ``demo``, a snapshot file or a facts folder.

    Raises ``SourceError``.
    """
    if spec == "demo":
        from wgtui.sources.demo import DemoSource

        return DemoSource()
    if spec == "live" or spec.startswith("live:"):
        if spec == "live:":
            raise SourceError(f"{spec} names no namespace", "live:NETNS, a name under /run/netns")
        from wgtui.sources.live import LiveSource

        return LiveSource(spec.removeprefix("live").removeprefix(":"))
    path = Path(spec)
    if path.is_dir():
        from wgtui.sources.facts import FactsSource

        return FactsSource(path)
    if path.is_char_device() or path.is_block_device():
        raise SourceError(f"{spec}: a device is no snapshot", _KINDS)
    if path.exists():
        from wgtui.sources.saved import SavedSource

        return SavedSource(path)
    raise SourceError(f"{spec}: no such file or folder", _KINDS)
