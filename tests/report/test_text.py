"""How is an answer written on a terminal, and into a pipe?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wgtui.report.line import Line, Tone
from wgtui.report.text import LEAST_ROOM, render

WORDS = st.lists(st.text("ab.:-/0", min_size=1, max_size=40), min_size=1, max_size=30).map(" ".join)
LINES = st.lists(
    st.builds(
        Line,
        WORDS,
        st.sampled_from(Tone),
        label=st.sampled_from(("", "rule", "skipped")),
        indent=st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
)


@given(LINES, st.integers(1, 120))
def test_on_a_terminal_no_address_is_broken(lines: list[Line], columns: int) -> None:
    """The same words in the same order; a line is only wider if one word is, or the terminal is
    too narrow for any."""
    wide, narrow = render(lines), render(lines, columns=columns)
    assert wide.split() == narrow.split()
    start = 8 + 2 + 2 * max(line.indent for line in lines)
    for line in narrow.splitlines():
        text = line[start:]
        assert len(line) <= max(columns, start + LEAST_ROOM) or " " not in text.strip()
    assert render(lines, columns=10_000) == wide


def test_what_goes_on_stands_below_itself() -> None:
    """Below the text, not below the glyph: the table stays one."""
    lines = [
        Line("sent", Tone.GOOD),
        Line("one two three 10.0.0.0/8 four", Tone.LOST, label="lost"),
    ]
    assert (
        render(lines, columns=34) == "✔ sent\n╌ lost    one two three 10.0.0.0/8\n          four\n"
    )
