"""The long run: prints each new kind of disagreement with its reproduction."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from tests.kernel.fuzz.compare import Disagreement, minimal, run
from wgtui.errors import WgtuiError


def main(argv: Sequence[str]) -> int:
    """The long run: prints each new kind of disagreement with its reproduction."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.fuzz")
    parser.add_argument("--lookups", type=int, default=50_000, help="of each family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=8, help="how many reproductions")
    parser.add_argument("--vrfs", action="store_true", help="hosts with VRFs, if this kernel can")
    options = parser.parse_args(argv)
    seen: set[str] = set()

    def report(found: Disagreement) -> None:
        if found.signature not in seen and len(seen) < options.show:
            seen.add(found.signature)
            sys.stdout.write(f"{minimal(found)}\n\n")
            sys.stdout.flush()

    tally = run(options.seed, 0, report, per_family=options.lookups, vrfs=options.vrfs)
    sys.stdout.write(
        f"{tally.lookups} lookups ({tally.families[4]} IPv4, {tally.families[6]} IPv6) "
        f"in {tally.worlds} worlds, "
        f"{len(tally.disagreements)} disagreements, "
        f"{tally.incomparable.total()} not comparable\n"
        f"outcomes: {dict(tally.outcomes.most_common())}\n"
        f"not comparable: {dict(tally.incomparable.most_common())}\n"
    )
    kinds = Counter(one.signature for one in tally.disagreements)
    for kind, times in kinds.most_common():
        sys.stdout.write(f"{times:6} {kind}\n")
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WgtuiError as error:
        sys.exit(f"fuzz: {error}")
