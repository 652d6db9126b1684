"""How are hundreds of thousands of objects made in one go? Without looking for garbage among them.

Everything that is read is kept, so the collector would go through all of it again and again, for
nothing: a third of the time for ten thousand peers.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection meanwhile, in the whole process; reference counts still work."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
