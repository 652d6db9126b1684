"""How long does a whole ``wgtui lookup`` take, from the shell and back?

The limits are 0.12 s (files) and 0.25 s (live) on a quiet machine on which ``python -c 'import
netaddr'``, which nothing of ours can make faster, takes 41 ms. It is measured in between here, in
processor time, so that a busy machine does not change what is said.

Both are measured as installed packages are, which is compiled: a shell in which Python may write no
bytecode (``PYTHONDONTWRITEBYTECODE``, usual in containers) would measure the compiler, and of us
alone, because netaddr was compiled when pip installed it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.table import Row, at_most
from wgtui.sources import open_source
from wgtui.sources.saved import save

_QUIET_NETADDR: Final = 0.041
_LIMITS: Final = {"demo": 0.12, "file": 0.12, "facts": 0.12, "live": 0.25}
_FACTS: Final = Path(__file__).parents[1] / "tests/facts/hub-with-four-mistakes"
_RUNS: Final = 20
_SILENT: Final = ((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),)


def _seconds(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """Processor time of one Python process."""
    argv = [sys.executable, *words]
    process = os.posix_spawn(sys.executable, argv, environment, file_actions=_SILENT)
    _, _, usage = os.wait4(process, 0)
    return usage.ru_utime + usage.ru_stime


def rows() -> Iterator[Row]:
    """The best of twenty each, one after the other in turn."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "edge-1.wgtui"
        save(open_source("demo").read(), file)
        commands: dict[str, tuple[str, ...]] = {"netaddr": ("-c", "import netaddr")}
        for name, source in (
            ("demo", "demo"),
            ("file", str(file)),
            ("facts", str(_FACTS)),
            ("live", "live"),
        ):
            commands[name] = ("-m", "wgtui", "lookup", "--source", source, "10.30.4.1")
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(_RUNS):
            for name, words in commands.items():
                best[name] = min(best[name], _seconds(words, environment))
    for name, limit in _LIMITS.items():
        ratio, allowed = best[name] / best["netaddr"], limit / _QUIET_NETADDR
        how = f"{best[name] * 1000:.0f} ms beside {best['netaddr'] * 1000:.0f} ms; best of {_RUNS}"
        said = f"{limit} s where importing netaddr takes 41 ms"
        yield at_most(f"`wgtui lookup`, {name}", ratio, allowed, "× importing netaddr", how, said)
