"""A RowList shows a window of its model, and draws only what changed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from tests.tui.screens import lines
from wgtui.model.trace import Trace
from wgtui.report.line import Tone
from wgtui.tui.ascii_only import to_ascii
from wgtui.tui.messages import RowChosen
from wgtui.tui.row_layout import NEW_LINE
from wgtui.tui.row_list import RowList
from wgtui.tui.rows import Lit, Span


class Numbers:
    """As many rows as one likes, none of them there."""

    title = "Numbers"

    def __init__(self, count: int, first: int = 0) -> None:
        self.count, self.first = count, first
        self.drawn: list[int] = []
        self.folded = False

    def __len__(self) -> int:
        return 1 if self.folded else self.count

    def spans(self, row: int, width: int) -> tuple[Span, ...]:
        self.drawn.append(row)
        return (Span(f"row {row + self.first}", "strong"),)

    def question(self, row: int) -> str | None:
        return f"10.0.0.{row}"

    def copy_text(self, row: int) -> str:
        return f"row {row + self.first}"

    def lit(self, trace: Trace) -> Lit:
        return Lit()

    def toggle(self, row: int) -> bool:
        self.folded = not self.folded
        return True


class OneList(App[None]):
    """A screen with nothing but a list."""

    CSS_PATH = "../../wgtui/tui/app.tcss"
    AUTO_FOCUS = "RowList"

    def __init__(self, model: Numbers, lit: Lit | None = None, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.theme = "ansi-dark"
        self.list = RowList("2", "Numbers", ascii_only=ascii_only, name="numbers")
        self.model, self.lit = model, lit or Lit()
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.set_model(self.model, self.lit)

    def on_row_chosen(self, message: RowChosen) -> None:
        self.chosen.append(message.question)


def _lit(marks: Mapping[int, Tone], words: Mapping[int, str], show: int | None = None) -> Lit:
    return Lit(marks, words, show)


async def test_a_million_rows_cost_what_is_visible() -> None:
    """Only rows on the screen are asked for, wherever one jumps."""
    model = Numbers(1_000_000)
    async with OneList(model).run_test(size=(40, 10)) as pilot:
        model.drawn.clear()
        await pilot.press("G")
        assert len(set(model.drawn)) <= 10
        assert lines(pilot.app.screen)[-1].strip() == "row 999999"
        assert "1,000,000/1,000,000" in lines(pilot.app.screen)[0]


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (["j"], 1),
        (["down", "down", "k"], 1),
        (["pagedown"], 8),
        (["ctrl+f", "ctrl+f", "pageup"], 8),
        (["G"], 99),
        (["end", "home"], 0),
        (["G", "g"], 0),
    ],
)
async def test_fingers_find_the_rows(keys: list[str], row: int) -> None:
    """vi's keys and the arrow keys move the cursor, and it stays visible."""
    app = OneList(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press(*keys)
        assert app.list.cursor == row
        assert app.list.top <= row < app.list.top + app.list.rows_visible


async def test_a_move_draws_two_rows_and_the_position() -> None:
    """The row that was left, the row that is reached, the heading: nothing else goes out."""
    app = OneList(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        refreshed: list[Region] = []
        refresh = app.list.refresh

        def spy(*regions: Region, **more: bool) -> RowList:
            refreshed.extend(regions)
            return refresh(*regions, **more)

        app.list.refresh = spy  # type: ignore[method-assign]
        await pilot.press("j")
        assert sorted(region.y for region in refreshed) == [0, 1, 2]


async def test_the_same_facts_again_draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh that changed nothing sends nothing."""
    app = OneList(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        refreshed: list[Region] = []
        monkeypatch.setattr(app.list, "refresh", lambda *regions: refreshed.extend(regions))
        app.list.set_model(Numbers(100), Lit())
        assert refreshed == []


async def test_marks_are_a_glyph_and_a_word() -> None:
    """Winner, loser, refusal and failure can be told apart without colours."""
    tones = {0: Tone.WON, 1: Tone.LOST, 2: Tone.REFUSED, 3: Tone.BAD}
    words = {0: "wins", 1: "shorter", 2: "no mark", 3: "no endpoint"}
    app = OneList(Numbers(20), _lit(tones, words))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        shown = lines(pilot.app.screen)[1:5]
        assert [line[0] for line in shown] == ["▶", "╌", "·", "✘"]
        assert [line.split("  ")[-1].strip() for line in shown] == list(words.values())


async def test_the_winner_is_scrolled_into_view() -> None:
    """Wherever it is, with some rows around it; the cursor goes along."""
    app = OneList(Numbers(1000))
    async with app.run_test(size=(40, 10)) as pilot:
        app.screen.set_focus(None)
        await pilot.pause()
        app.list.set_model(app.model, _lit({500: Tone.WON}, {}, 500), reveal=True)
        await pilot.pause()
        assert any(line.startswith("▶ row 500") for line in lines(app.screen)[2:-1])
        assert app.list.cursor == 500


async def test_a_pane_in_use_is_not_scrolled_away() -> None:
    """Who works in a pane keeps the cursor where it is, on the screen."""
    app = OneList(Numbers(1000))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("j")
        app.list.set_model(app.model, _lit({500: Tone.WON}, {}, 500), reveal=True)
        assert (app.list.cursor, app.list.top) == (1, 0)


async def test_the_same_winner_is_not_scrolled_to_again() -> None:
    """A refresh every two seconds must not fight with who scrolls."""
    app = OneList(Numbers(1000))
    async with app.run_test(size=(40, 10)) as pilot:
        app.screen.set_focus(None)
        await pilot.pause()
        app.list.set_model(app.model, _lit({500: Tone.WON}, {}, 500), reveal=True)
        app.list.move_to(0)
        app.list.set_model(Numbers(1000), _lit({500: Tone.WON}, {}, 500))
        assert app.list.top == 0


async def test_the_cursor_stays_on_its_row_when_rows_come_before_it() -> None:
    """Three routes more above: the same row under the cursor."""
    app = OneList(Numbers(100, first=10))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("j", "j", "j", "j", "j")
        app.list.set_model(Numbers(100, first=7), Lit())
        assert app.list.model.copy_text(app.list.cursor) == "row 15"


async def test_enter_asks_about_the_row() -> None:
    """The row says the question."""
    app = OneList(Numbers(10))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("j", "enter")
        await pilot.pause()
        assert app.chosen == ["10.0.0.1"]


async def test_a_shorter_model_pulls_the_cursor_in() -> None:
    """Rows that are gone cannot be pointed at."""
    app = OneList(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("G")
        app.list.set_model(Numbers(3), Lit())
        await pilot.pause()
        assert (app.list.cursor, app.list.top) == (2, 0)
        app.list.set_model(Numbers(0), Lit())
        await pilot.press("j", "enter", "G", "pageup")
        assert app.list.position == "none"


async def test_ascii_only_draws_ascii() -> None:
    """For terminals without the glyphs every one has a stand-in of the same width."""
    app = OneList(Numbers(5), _lit({0: Tone.WON, 1: Tone.LOST}, {0: "wins"}), ascii_only=True)
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        assert all(line.isascii() for line in lines(app.screen))
        assert lines(app.screen)[1].startswith("* row 0")
    assert to_ascii("├ └ │ … ▸") == "| ` | ~ >"


def test_a_list_as_it_is_drawn(snap_compare: object) -> None:
    """A heading, a winner, a loser, a refusal, a failure and the cursor."""
    tones = {0: Tone.WON, 1: Tone.LOST, 2: Tone.REFUSED, 3: Tone.BAD, 4: Tone.UNKNOWN, 5: Tone.ALSO}
    words = {0: "wins", 1: "shorter", 2: "no mark", 3: "no endpoint", 4: "unknown", 5: "outer"}
    app = OneList(Numbers(40), _lit(tones, words))
    assert snap_compare(app, press=["j"] * 7, terminal_size=(50, 12))  # type: ignore[operator]


class Pairs(Numbers):
    """Every third row takes two lines."""

    def spans(self, row: int, width: int) -> tuple[Span, ...]:
        if row % 3:
            return (Span(f"row {row}"),)
        return (Span(f"row {row}"), NEW_LINE, Span(f"  more of {row}"))


async def test_a_row_of_two_lines_is_shown_whole_and_stepped_over_at_once() -> None:
    """Down, page, last, and back up to the first: the row under the cursor is all there."""
    app = OneList(Pairs(100), _lit({3: Tone.WON}, {3: "wins"}))
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        shown = [line.rstrip() for line in lines(app.screen)]
        assert shown[1:4] == ["  row 0", "    more of 0", "  row 1"]
        assert shown[5].split() == ["▶", "row", "3", "wins"]
        assert shown[6] == "    more of 3", "no second glyph, no second word"
        seen = set()
        for key in ("j", "j", *["pagedown"] * 30, "G", "k", "k", *["pageup"] * 30, "g"):
            await pilot.press(key)
            shown = [line.strip() for line in lines(app.screen)[1:]]
            row = app.list.cursor
            assert any(line.split("  ")[0] == f"row {row}" for line in shown)
            assert row % 3 or f"more of {row}" in shown
            seen |= set(shown)
        assert {f"row {row}" for row in range(100)} <= {
            line.lstrip("▶ ")[:6].strip() for line in seen
        }


async def test_a_click_finds_its_row_below_rows_of_two_lines() -> None:
    """Either line of a row is that row."""
    app = OneList(Pairs(100))
    async with app.run_test(size=(40, 10)) as pilot:
        for y, row in ((1, 0), (2, 0), (3, 1), (5, 3), (6, 3), (7, 4)):
            await pilot.click(app.list, offset=(5, y))
            assert app.list.cursor == row
