"""Do the journal and the drift view show what moved and what differs, where the panes were?"""

from __future__ import annotations

import dataclasses

import pytest
from textual.pilot import Pilot

from tests.engine.test_changes import host
from tests.engine.worlds import ask
from tests.tui.screens import NARROW, WIDE, FakeSource, app_on, lines, ready, text, until
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report.line import Line, Tone
from wgtui.tui.app import WgtuiApp
from wgtui.tui.line_rows import LineRow, LineRows, drift_rows
from wgtui.tui.row_layout import lines_of, text_of, width_of

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x45"])
ROUTE = "10.1.0.0/16 dev wg0\n192.0.2.0/24 dev eth0"


def look(owner: str, taken_at: float) -> Snapshot:
    """A host on which this peer has a prefix; the other one has none."""
    other = "B" if owner == "A" else "A"
    peers = f"peer {owner} endpoint 192.0.2.7:1 allowed-ips 10.1.0.0/16\npeer {other}"
    snapshot = host(peers, routes=ROUTE, taken_at=taken_at)
    return dataclasses.replace(snapshot, source="fake")


async def moved_to(
    pilot: Pilot[str], app: WgtuiApp, source: FakeSource, snapshot: Snapshot
) -> None:
    """The host changes, and the screen has heard of it."""
    known = len(app.view.journal) if app.view is not None else 0
    count = app.view.journal[0].count if app.view is not None and app.view.journal else 0
    source.snapshot = snapshot
    source.wake()

    def told() -> bool:
        entries = app.view.journal if app.view is not None else ()
        return bool(entries) and (len(entries) != known or entries[0].count != count)

    await until(pilot, told)


@SIZES
async def test_what_moves_stands_in_the_journal_newest_first(size: tuple[int, int]) -> None:
    """J opens it in the place of the panes, and closes it; it grows while it is open."""
    source = FakeSource(look("A", 1000))
    app = app_on(source)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("J")
        assert "Nothing has changed" in text(app.screen)
        await moved_to(pilot, app, source, look("B", 1010))
        await until(pilot, lambda: "10.1.0.0/16 on wg0 moved from A to B" in text(app.screen))
        await moved_to(pilot, app, source, look("A", 1020))
        await until(pilot, lambda: "moved from B to A" in text(app.screen))
        said = text(app.screen)
        assert said.index("moved from B to A") < said.index("moved from A to B")
        await pilot.press("J")
        assert "moved from" not in text(app.screen)


async def test_what_flaps_is_one_line() -> None:
    """Three times to and fro: the lines before become one with a count."""
    source = FakeSource(look("A", 1000))
    app = app_on(source)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("J")
        for turn in range(1, 6):
            await moved_to(pilot, app, source, look("AB"[turn % 2], 1000 + turn))
        await until(pilot, lambda: "flapping, 5 times" in text(app.screen))
        assert text(app.screen).count("10.1.0.0/16 on wg0") == 1


async def test_an_entry_is_asked_about_with_enter() -> None:
    """An address of the prefix that moved."""
    source = FakeSource(look("A", 1000))
    app = app_on(source)
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("J")
        await moved_to(pilot, app, source, look("B", 1010))
        await until(pilot, lambda: "moved from A to B" in text(app.screen))
        await pilot.press("enter")
        await until(pilot, lambda: app.lookup.question.value == "10.1.0.0")


async def test_an_answer_says_what_it_was_before() -> None:
    """From whom the address moved, and until when; for other addresses nothing."""
    source = FakeSource(look("A", 1000))
    app = app_on(source, "10.1.2.3")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        assert "before" not in text(app.screen)
        await moved_to(pilot, app, source, look("B", 1010))
        await until(pilot, lambda: "until " in text(app.screen))
        [line] = [line for line in lines(app.screen) if "before" in line and "until" in line]
        assert "ENCRYPTED  10.1.2.3 goes to peer A on wg0" in line
        app.lookup.question.value = "192.0.2.9"
        await until(
            pilot, lambda: source.asked and str(source.asked[-1].destination) == "192.0.2.9"
        )
        await pilot.pause()
        assert "until" not in text(app.screen)


@SIZES
async def test_the_drift_view_has_the_three_side_by_side(size: tuple[int, int]) -> None:
    """Key = works in the empty question as well, where D begins an address; no prefix is cut."""
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("equals_sign")
        said = text(app.screen)
        assert "otherwise than meant: wg1" in said
        assert "meant   kernel                 routes" in said
        await pilot.press("slash", *"10.31")
        await until(pilot, lambda: "moved to lon3" in text(app.screen))
        await pilot.press("enter", "D")
        assert "otherwise than meant" not in text(app.screen)


def test_every_line_fits_any_width() -> None:
    """Wrapped between words, never cut: what is said at 24 cells is what is said at 200."""
    snapshot = look("A", 1000)
    rows = drift_rows(snapshot)
    long = LineRows(
        "x",
        [
            LineRow(Line("one two three four five six seven eight", Tone.BAD, 1, "label")),
            LineRow(Line("2001:db8:1234:5678:9abc:def0:1234:5678/128 moved", indent=2)),
        ],
    )
    for model in (rows, long):
        for row in range(len(model)):
            whole = text_of(model.spans(row, 200)).split()
            for width in (24, 40, 80):
                spans = model.spans(row, width)
                assert text_of(spans).split() == whole or width < 50
                assert all(width_of(line) <= max(width, 28) for line in lines_of(spans))


def test_lines_light_up_and_are_found_by_their_prefix() -> None:
    """Of an address, those about prefixes that cover it; of a text, those that contain it."""
    ten, other = Prefix.parse("10.0.0.0/8"), Prefix.parse("fd00::/8")
    parent = LineRow(Line("a peer", label="peer"))
    rows = LineRows(
        "x", [parent, LineRow(Line("10.0.0.0/8", indent=1), ten), LineRow(Line("fd00::/8"), other)]
    )
    trace = _trace("10.1.2.3")
    assert rows.lit(trace).marks == {1: Tone.NOTE}
    assert rows.lit(trace).show == 1
    assert LineRows("x", [parent], pointed=False).lit(trace).show is None
    assert list(rows.covering(Prefix.parse("10.5.0.0/16"))) == [1]
    assert list(rows.search("peer", 10)) == [0]
    assert list(rows.context(1)) == [0]
    assert list(rows.context(0)) == []
    assert (rows.question(1), rows.question(0)) == ("10.0.0.0", None)
    assert (rows.copy_text(1), rows.copy_text(0)) == ("10.0.0.0/8", "a peer")


def _trace(question: str) -> Trace:
    return ask(look("A", 1000), question)
