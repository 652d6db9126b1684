"""Every numbered statement about the kernel that the engine implements is cited by a test.

The numbers (S-A1 …) are those of the project's semantics reference. The engine cites them where it
implements them, tests where they prove them; ``S-B61 … S-B67`` and ``S-D1 to S-D6`` are ranges.
"""

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]

CITED = re.compile(r"S-([A-H])(\d+)(?:\s*(?:…|\.\.|-|–|to)\s*(?:S-)?(?:([A-H])?(\d+)))?")


def cited(texts: Iterable[str]) -> set[str]:
    """All numbers that the texts cite, ranges written out."""
    found: set[str] = set()
    for text in texts:
        for letter, first, last_letter, last in CITED.findall(text):
            end = int(last) if last and last_letter in ("", letter) else int(first)
            found |= {
                f"S-{letter}{number}" for number in range(int(first), max(end, int(first)) + 1)
            }
    return found


def texts(folder: str, *endings: str) -> Iterable[str]:
    """The files below a folder of the project."""
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in endings and path != Path(__file__):
            yield path.read_text(encoding="utf-8")


def test_ranges_are_written_out() -> None:
    """A range stands for all its members, in every way people write one."""
    assert cited(["S-B61 … S-B63, S-D1 to S-D3 (S-A4)"]) == {
        *("S-B61", "S-B62", "S-B63"),
        *("S-D1", "S-D2", "S-D3"),
        "S-A4",
    }


def test_every_statement_of_the_engine_is_proved() -> None:
    """No statement is implemented that no test speaks of."""
    implemented = cited(texts("wgtui/engine", ".py"))
    proved = cited(texts("tests", ".py", ".toml"))
    # A range in a docstring may span numbers that are not statements at all.
    missing = {name for name in implemented - proved if _exists(name)}
    assert not missing, f"cited by the engine, but by no test: {', '.join(sorted(missing))}"


_LAST = {
    "A": (25, 42, 66),
    "B": (19, 32, 42, 71, 80),
    "C": (10,),
    "D": (11,),
    "E": (6, 19, 21, 33, 43),
}
_FIRST = {
    "A": (1, 40, 60),
    "B": (1, 30, 40, 60, 80),
    "C": (1,),
    "D": (1,),
    "E": (1, 10, 20, 30, 40),
}


def _exists(name: str) -> bool:
    letter, number = name[2], int(name[3:])
    spans = zip(_FIRST.get(letter, ()), _LAST.get(letter, ()), strict=True)
    return any(first <= number <= last for first, last in spans)
