"""How fast is it, and is that fast enough? Runs the modules beside this one that have ``rows()``.

python -m benchmarks                  all of them
python -m benchmarks routes engine    only these
python -m benchmarks --keep routes    and write what came out into benchmarks/README.md
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.table import Row, markdown

_HERE: Final = Path(__file__).parent
_README: Final = _HERE / "README.md"

Rows = Callable[[], Iterator[Row]]


def modules() -> dict[str, Rows]:
    """Every module of this folder that measures something, by name."""
    found = {}
    for info in sorted(pkgutil.iter_modules([str(_HERE)]), key=lambda info: info.name):
        if info.name.startswith("__"):
            continue
        rows = getattr(importlib.import_module(f"benchmarks.{info.name}"), "rows", None)
        if rows is not None:
            found[info.name] = rows
    return found


def machine() -> str:
    """Where this ran and when: figures mean nothing without it."""
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} x "
        f"{model[1].strip() if model else platform.machine()}, {memory:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def processors() -> tuple[int, int]:
    """Ticks that were wanted of them so far, and those that the hypervisor gave to another machine
    (proc_stat(5), steal)."""
    _, *ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, softirq, stolen = map(int, ticks[:8])
    return user + nice + system + irq + softirq + stolen, stolen


def keep(name: str, text: str) -> None:
    """Put a module's section into the README, in the place of the one that is there."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n{text}\n{end}\n"
    old = _README.read_text()
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}\n", re.DOTALL)
    if pattern.search(old):
        _README.write_text(pattern.sub(lambda _: section, old))
    else:
        _README.write_text(f"{old.rstrip()}\n\n{section}")


def main() -> int:
    """Exit code 1 when a limit was not met."""
    found = modules()
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--keep", action="store_true", help="write the tables into README.md")
    parser.add_argument("module", nargs="*", help=f"among {', '.join(found)}; all if none is given")
    words = parser.parse_args()
    if unknown := set(words.module) - found.keys():
        parser.error(f"no module {', '.join(sorted(unknown))}")
    met = True
    for name in words.module or found:
        print(f"{name} …", file=sys.stderr, flush=True)
        before = processors()
        rows = list(found[name]())
        wanted, stolen = (now - then for now, then in zip(processors(), before, strict=True))
        met &= all(row.met for row in rows)
        where = f"{machine()}, {stolen / (wanted or 1):.0%} stolen"
        text = f"## {name}\n\n{where}: `python -m benchmarks {name}`\n\n{markdown(rows)}"
        print(f"{text}\n", flush=True)
        if words.keep:
            keep(name, text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
