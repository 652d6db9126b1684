"""Sheets in the place of the panes: they open, close, keep their place, and say what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widget import Widget

from tests.tui.screens import MIDDLE, NARROW, WIDE, FakeSource, app_on, lines, ready, text, until
from wgtui.report.line import Tone
from wgtui.sources.demo import DemoSource
from wgtui.tui.app import WgtuiApp
from wgtui.tui.row_list import RowList
from wgtui.tui.watch import Watch

SIZES = pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE], ids=["80x24", "110x30", "160x45"])


def _open(app: WgtuiApp) -> RowList | None:
    return app.sheets.shown


def _has_keys(app: WgtuiApp, widget: Widget) -> bool:
    return app.focused is widget


@SIZES
async def test_a_sheet_opens_and_closes_with_its_key_and_with_escape(size: tuple[int, int]) -> None:
    """The panes make room; question and answer stay; the keys go to the sheet and back."""
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        for close in ("exclamation_mark", "escape"):
            await pilot.press("exclamation_mark")
            sheet = app.sheets.shown
            assert sheet is app.sheets.lists["findings"]
            assert _has_keys(app, app.sheets.lists["findings"])
            assert bool(app.panes.display) is False
            assert app.lookup.question.display
            assert "error    own-key-peer" in text(app.screen)
            await pilot.press(close)
            assert _open(app) is None
            assert bool(app.panes.display) is True
            assert _has_keys(app, app.lookup.question)


@SIZES
async def test_enter_on_a_finding_asks_and_shows_its_repair(size: tuple[int, int]) -> None:
    """The address concerned is in the question; right below the verdict is what repairs it."""
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("exclamation_mark", "j", "enter")
        assert app.lookup.question.value == "10.31.0.1"
        assert app.focused is app.sheets.shown
        said = app.lookup.answer.lines
        assert said[1].tone is Tone.BAD
        assert said[1].text.startswith("error moved-prefix: 10.31.0.0/24 was meant for ams2")
        assert said[2].label == "fix"
        assert said[2].text.startswith("wg set wg1 peer ams2+")
        sheet = app.sheets.lists["findings"]
        assert sheet.lit.marks[1] is Tone.NOTE
        await pilot.press("escape", *"10.31.0.2")
        assert not app.lookup.answer.lines[1].text.startswith("error moved-prefix")
        assert any("moved-prefix (wg1  ams2" in line.text for line in app.lookup.answer.lines)


async def test_y_copies_the_whole_repair() -> None:
    """All commands of it, however many lines the screen gives them."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("exclamation_mark")
        sheet = app.sheets.lists["findings"]
        copied = sheet.model.copy_text(0)
        assert copied.count("\n") == 1
        assert copied.endswith("bash -c 'wg syncconf wg1 <(wg-quick strip wg1)'")
        await pilot.press("y")
        assert "copied sed -i" in lines(app.screen)[0]


async def test_findings_can_be_filtered_and_folded() -> None:
    """By words, or by an address that their prefix covers; folded, each is one line."""
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("exclamation_mark")
        shown = sum(" fix  " in line for line in lines(app.screen))
        await pilot.press("h", "j", "h")
        assert " fix  " not in "".join(lines(app.screen)[2:4])
        assert shown
        await pilot.press("slash", *"10.33.0.7", "enter")
        sheet = app.sheets.lists["findings"]
        assert len(sheet.model) == 2
        await pilot.press("escape")
        assert app.sheets.shown is sheet
        assert len(sheet.model) == 24


async def test_a_pane_key_leaves_the_sheet() -> None:
    """1 to 3 go to the panes, wherever one is; Tab goes round question, sheet and answer."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("exclamation_mark", "tab")
        assert _has_keys(app, app.lookup.answer)
        await pilot.press("tab", "tab")
        assert _has_keys(app, app.sheets.lists["findings"])
        await pilot.press("2")
        assert _open(app) is None
        assert _has_keys(app, app.panes.lists[1])


async def test_the_state_line_counts_and_follows_the_facts() -> None:
    """Errors first; when the cause is gone, so is the count."""
    source = FakeSource()
    app = app_on(source)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        assert "! 5 errors, 11 warnings" in lines(app.screen)[0]
        source.change(devices={}, meant=(), routes={})
        await until(pilot, lambda: "errors" not in lines(app.screen)[0])


def test_a_look_that_takes_long_is_not_repeated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same facts are looked at once; newer ones when ten times the last look has passed."""
    clock = [0.0]
    monkeypatch.setattr("wgtui.tui.watch.monotonic", lambda: clock[0])
    first = DemoSource().read()
    second = replace(first, taken_at=first.taken_at + 2)
    watch = Watch()

    def slow(*_: object, **__: object) -> tuple[()]:
        clock[0] += 2.0
        return ()

    monkeypatch.setattr("wgtui.tui.watch.each", slow)
    assert watch.look(first) == ()
    assert watch.look(first) is None
    assert watch.look(second) is None
    clock[0] += 20.0
    assert watch.look(second) == ()
