"""The whole screen: facts arrive, keys arrive, and what is on it is right at every size."""

from __future__ import annotations

import dataclasses

import pytest
from textual.events import Key
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.screens import MIDDLE, NARROW, WIDE, FakeSource, app_on, lines, ready, text, until
from wgtui.errors import SourceError
from wgtui.model.kernel import KernelAnswer
from wgtui.report.line import Tone
from wgtui.report.text import render
from wgtui.report.welcome import MORE
from wgtui.sources.demo import DemoSource
from wgtui.tui import keys
from wgtui.tui.app import WgtuiApp
from wgtui.tui.drawn import Drawn
from wgtui.tui.help import help_lines
from wgtui.tui.row_list import RowList

SIZES = pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE], ids=["80x24", "110x30", "160x45"])


def _shown(app: WgtuiApp) -> list[str]:
    return [pane.model.title for pane in app.panes.lists if pane.display]


def _has_keys(app: WgtuiApp, widget: Widget) -> bool:
    return app.focused is widget


def _visible(pane: RowList, row: int) -> bool:
    return pane.top <= row < pane.top + pane.rows_visible


def _tones(pane: RowList) -> set[Tone]:
    return set(pane.lit.marks.values())


@SIZES
async def test_the_first_screen_says_what_is_seen(size: tuple[int, int]) -> None:
    """Which host, how much of it, and what to do."""
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        said = text(app.screen)
        assert "edge-1" in lines(app.screen)[0]
        assert "Type an address" in said
        assert "? help" in lines(app.screen)[-1]
        assert _has_keys(app, app.lookup.question)


@SIZES
async def test_typing_lights_the_winners_and_brings_them_into_view(size: tuple[int, int]) -> None:
    """Rule, route, peer and prefix are marked in their panes, and so are the losers."""
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press(*"10.30.5.9")
        for pane in app.panes.lists:
            assert pane.lit.show is not None
            assert pane.lit.marks[pane.lit.show] is Tone.WON
            if pane.display:
                assert _visible(pane, pane.lit.show)
        _, routes, allowed = app.panes.lists
        assert {Tone.WON, Tone.LOST} <= _tones(routes)
        assert {Tone.WON, Tone.LOST} <= _tones(allowed)
        assert any(line.startswith(("▶", "│▶")) or "│▶" in line for line in lines(app.screen))


@SIZES
async def test_the_answer_is_the_one_of_the_command_line(size: tuple[int, int]) -> None:
    """Word for word, however it is wrapped: no verdict and no prefix is cut."""
    app = app_on(question="10.30.4.1")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        assert app.reply.trace is not None
        pictures = app.lookup.answer.rows.pictures
        said = " ".join("".join(span.text for span in row.spans) for row in pictures).split()
        wanted = " ".join(f"{line.label} {line.text}" for line in app.reply.lines).split()
        assert said == wanted
        verdict = app.reply.lines[0].text.split()
        assert " ".join(verdict) in " ".join(text(app.screen).split())
        assert render(app.reply.lines).startswith("✔ ENCRYPTED")


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (80, ["System routes"]),
        (99, ["System routes"]),
        (100, ["System routes", "AllowedIPs"]),
        (119, ["System routes", "AllowedIPs"]),
        (120, ["Interfaces", "System routes", "AllowedIPs"]),
    ],
)
async def test_panes_by_width(width: int, titles: list[str]) -> None:
    """Tabs, two panes, three panes; question and answer always."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=(width, 24)) as pilot:
        await ready(pilot, app)
        assert _shown(app) == titles
        assert app.tabs.display == (len(titles) == 1)
        assert "Lookup ❯ 10.30.5.9" in text(app.screen)
        assert "ENCRYPTED" in text(app.screen)


async def test_resizing_keeps_the_question_and_the_pane_in_use() -> None:
    """From wide to narrow and back."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("3")
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: app.panes.room == 1)
        await pilot.press("3")
        assert _shown(app) == ["AllowedIPs"]
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: app.panes.room == 3)
        assert _has_keys(app, app.panes.lists[2])
        assert "ENCRYPTED" in text(app.screen)


async def test_tab_goes_round_and_numbers_go_straight() -> None:
    """Question, three panes, answer, question; a hidden pane is shown when it is gone to."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        focused = []
        for _ in range(5):
            focused.append(app.focused)
            await pilot.press("tab")
        assert focused == [app.lookup.answer, app.lookup.question, *app.panes.lists]
        assert _shown(app) == ["AllowedIPs"]
        await pilot.press("shift+tab")
        assert _has_keys(app, app.panes.lists[2])
        await pilot.press("1")
        assert _shown(app) == ["Interfaces"]
        await pilot.press("4")
        assert _has_keys(app, app.lookup.question)


async def test_enter_on_a_row_asks_about_it() -> None:
    """The question line shows what was asked, and the keys stay in the pane."""
    app = app_on()
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("tab", "tab", "tab", "j", "j", "enter")
        await until(pilot, lambda: app.reply.trace is not None)
        assert app.lookup.question.value != ""
        assert _has_keys(app, app.panes.lists[2])


async def test_a_character_is_no_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typing must not lay the screen out, whatever the answer's length."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press(*"10.30.5.")
        laid_out: list[object] = []
        monkeypatch.setattr(app.screen, "_refresh_layout", laid_out.append)
        await pilot.press("9")
        await pilot.pause()
        assert app.reply.trace is not None
        assert laid_out == []


async def test_a_refresh_makes_no_widgets_and_keeps_the_place() -> None:
    """Newer facts change rows, not the screen's furniture."""
    source = FakeSource()
    app = app_on(source, "10.30.5.9")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("2", "g", "j", "j")
        widgets, top = set(app.query("*")), app.panes.lists[1].top
        newer = source.change(host="edge-2")
        await until(pilot, lambda: app.snapshot is newer)
        assert set(app.query("*")) == widgets
        assert (app.panes.lists[1].cursor, app.panes.lists[1].top) == (2, top)
        assert "edge-2" in lines(app.screen)[0]


async def test_lost_events_are_said_each_time() -> None:
    """The status line tells that events were lost, and how often, the next loss too (S-G6)."""
    source = FakeSource()
    app = app_on(source)
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        assert "lost" not in lines(app.screen)[0]
        source.change(events_lost=1)
        await until(pilot, lambda: "events lost once: all was read" in lines(app.screen)[0])
        source.change(events_lost=2)
        await until(pilot, lambda: "events lost 2 times: all was" in lines(app.screen)[0])


async def test_a_frozen_view_keeps_newer_facts_for_later() -> None:
    """FROZEN is said in words; Space again brings what came meanwhile."""
    source = FakeSource()
    app = app_on(source)
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("space")
        assert "FROZEN" in lines(app.screen)[0]
        source.change(host="edge-2")
        await until(pilot, lambda: "newer facts wait" in lines(app.screen)[0])
        assert app.snapshot is not None
        assert app.snapshot.host == "edge-1"
        await pilot.press("space")
        assert app.snapshot.host == "edge-2"
        assert "FROZEN" not in lines(app.screen)[0]


async def test_an_unreadable_source_is_said_and_tried_again() -> None:
    """What and what to do, no traceback; r tries at once."""
    source = FakeSource()
    source.error = SourceError("cannot read [/x]\x1b[31m", "run as root")
    app = app_on(source)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "✘ cannot read [/x]\\x1b[31m" in text(app.screen))
        assert "! run as root" in text(app.screen)
        source.fail(None)
        await pilot.press("r")
        await ready(pilot, app)
        assert "cannot read" not in text(app.screen)


async def test_a_source_that_fails_later_keeps_the_last_snapshot() -> None:
    """The answer stays, the state line says the facts are old."""
    source = FakeSource()
    app = app_on(source, "10.30.5.9")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        source.fail(SourceError("netlink is gone", ""))
        await until(pilot, lambda: "cannot read: netlink is gone" in lines(app.screen)[0])
        assert "ENCRYPTED" in text(app.screen)


async def test_the_kernel_is_asked_the_same() -> None:
    """Its answer comes after ours, in the answer's last line."""
    source = FakeSource()
    source.answer = KernelAnswer(errno=101)
    app = app_on(source)
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press(*"192.168.10.20")
        await until(pilot, lambda: any(line.label == "kernel" for line in app.lookup.answer.lines))
        assert str(source.asked[-1]) == "192.168.10.20"


async def test_explain_and_back() -> None:
    """e says why in sentences and how to prove it; e again is the answer."""
    app = app_on(question="10.44.0.1")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("e")
        assert "ip route get 10.44.0.1" in text(app.screen)
        assert "NO-PEER" in text(app.screen)
        await pilot.press("e")
        assert "ip route get" not in text(app.screen)


async def test_the_filter_is_live_and_can_be_kept() -> None:
    """An address leaves the rows that cover it; Escape brings all rows back."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("tab", "tab", "tab")
        pane = app.panes.lists[2]
        everything = len(pane.model)
        await pilot.press("slash", *"10.30.5.9")
        assert 0 < len(pane.model) < everything
        await pilot.press("enter")
        assert "/10.30.5.9" in lines(app.screen)[1]
        assert _has_keys(app, pane)
        await pilot.press("escape")
        assert len(pane.model) == everything
        await pilot.press("slash", "x", "escape")
        assert len(pane.model) == everything


async def test_keys_typed_ahead_go_where_they_should() -> None:
    """Tab, filter and its text in one packet of a slow line."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        assert app._driver is not None
        for key in ("tab", "slash", "w", "g", "0", "enter"):
            app._driver.process_message(Key(key, _CHARACTERS.get(key, key)))
        await until(pilot, lambda: app.panes.lists[0].note == "wg0")
        assert app.lookup.question.value == ""


async def test_commands_work_where_typing_would_replace_the_question() -> None:
    """Back in the question all of it is selected: q quits, J opens; neither types over it."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("4", "J")
        assert app.sheets.shown is app.sheets.lists["journal"]
        await pilot.press("escape", "q")
        assert app.lookup.question.value == "10.30.5.9"
        await until(pilot, lambda: not app.is_running)


async def test_the_first_screen_names_only_keys_that_work_there() -> None:
    """Each opens something, and types nothing into the empty question."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        named = [said.split()[0] for said in MORE.split("   ")]
        assert len(named) == 5
        for key in named:
            active = app.screen.active_bindings.get(_KEYS.get(key, key))
            assert active is not None, key
            assert active.enabled, key


@pytest.mark.parametrize(
    ("pressed", "named"),
    [("enter", "e explain"), ("tab", "y copy"), ("exclamation_mark", "y copy")],
)
async def test_the_key_bar_names_first_what_the_place_is_for(pressed: str, named: str) -> None:
    """At 80 columns, with an answer: in it one explains; a row or a repair is copied."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press(*"10.44.0.1", pressed)
        await until(pilot, lambda: named in lines(app.screen)[-1])
        assert lines(app.screen)[-1].rstrip().endswith("q quit")


async def test_findings_are_one_key_away_while_a_question_is_typed() -> None:
    """No question has an exclamation mark: it opens the findings, and closes them again."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press(*"10.30.5.9", "exclamation_mark")
        assert app.sheets.shown is app.sheets.lists["findings"]
        assert app.lookup.question.value == "10.30.5.9"
        await pilot.press("exclamation_mark", "right", "space", *"mark")
        assert app.lookup.question.value == "10.30.5.9 mark"
        assert not app.sheets.display


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("i", "what if?"),
        ("if ip route add 172.30.7.0/24 dev wg1", "256 addresses change"),
        ("ip route add 172.30.7.0/24 dev wg1", "256 addresses change"),
        ("ip route get 10.30.5.9", "ENCRYPTED  10.30.5.9"),
    ],
)
async def test_commands_and_questions_of_iproute2_may_be_typed_as_they_are(
    typed: str, said: str
) -> None:
    """No letter of them is taken for a key: the first one begins the question."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press(*("space" if char == " " else char for char in typed))
        assert app.lookup.question.value == typed
        await until(pilot, lambda: said in text(app.screen))


async def test_wg_typed_as_it_is_asks_what_if() -> None:
    """Its first letter is the key for that; the word is whole all the same."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press(*"wg", "space", *"set")
        assert app.lookup.question.value == "if wg set"
        await pilot.press("escape", "w", *"ig")
        assert app.lookup.question.value == "if ig"


async def test_what_is_typed_right_after_the_slash_stays() -> None:
    """Focus, told later, selects nothing: the next key would type over what is there."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        app.action_filter()
        line = app.filter_line.input
        line.insert_text_at_cursor("wg")
        await pilot.pause()
        await pilot.press("0")
        assert line.value == "wg0"
        await pilot.press("enter", "slash", "e")
        assert line.value == "e"


_KEYS = {"=": "equals_sign", "?": "question_mark"}
_CHARACTERS = {"slash": "/", "tab": "\t", "enter": "\r"}


async def test_allowed_ips_as_one_tree() -> None:
    """v switches between peers and each device's single tree, where overlap is visible."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        pane = app.panes.lists[2]
        peers = pane.model
        await pilot.press("v")
        assert type(pane.model) is not type(peers)
        assert pane.lit.show is not None
        assert _visible(pane, pane.lit.show)
        await pilot.press("v")
        assert type(pane.model) is type(peers)


async def test_folding_moves_the_marks_with_their_rows() -> None:
    """A table folded above the winner: the mark is still on the winner."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("2", "g", "j", "j")
        pane = app.panes.lists[1]
        before = _marked(pane)
        await pilot.press("l")
        await pilot.pause()
        assert _marked(pane) == before


def _marked(pane: RowList) -> list[str]:
    return [
        pane.model.copy_text(row)
        for row, tone in sorted(pane.lit.marks.items())
        if tone is Tone.WON
    ]


async def test_copy_says_what_was_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """OSC 52 gives no sign of its own."""
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press("tab", "y")
        row = app.panes.lists[0].model.copy_text(0)
        assert f"copied {row}" in lines(app.screen)[0]
        assert any("\x1b]52;c;" in data for data in written)


async def test_a_long_copy_is_told_as_far_as_there_is_room() -> None:
    """The note is cut where one sees it; what is copied is whole."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        app._copy("wg set wg0 peer " + "x" * 200)
        await until(pilot, lambda: lines(app.screen)[0].rstrip().endswith("x…"))


async def test_a_filter_without_a_match_counts_no_row() -> None:
    """The row that says so is not one of the pane's."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("tab", "slash", *"nosuch", "enter")
        assert app.panes.lists[0].position == "none"


async def test_capital_q_leaves_the_answer() -> None:
    """The result is the question and the answer as the command line prints it."""
    app = app_on(question="10.44.0.1")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("Q")
    assert app.return_value is not None
    assert app.return_value.startswith("10.44.0.1\n✘ NO-PEER")


@pytest.mark.parametrize(
    "evil", ["\x1b]0;owned\x07", "\x9b2J", "[/bold]", "[red]", "\u202egro", "a\tb\r"]
)
async def test_hostile_names_are_made_visible(evil: str) -> None:
    """Nothing that a host, a link or a peer is called reaches the terminal as it is."""
    world = DemoSource().read()
    links = {
        index: dataclasses.replace(link, name=f"{evil}{index}")
        for index, link in world.links.items()
    }
    devices = {
        index: dataclasses.replace(
            device, peers=tuple(dataclasses.replace(peer, label=evil) for peer in device.peers)
        )
        for index, device in world.devices.items()
    }
    source = FakeSource(dataclasses.replace(world, host=evil, links=links, devices=devices))
    app = app_on(source, "10.30.5.9")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("1", "y")
        await pilot.pause()
        said = "".join(lines(app.screen))
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in said)


async def test_a_bug_in_a_source_does_not_end_the_screen() -> None:
    """Said, and tried again."""

    class Broken(FakeSource):
        def read(self, progress: object = None) -> object:  # type: ignore[override]
            raise KeyError("nlm_generator")

    app = app_on(Broken())
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "nlm_generator" in text(app.screen))
        assert "a mistake in wgtui itself" in text(app.screen)


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "ansi-mono"])
async def test_every_theme_draws_everything(theme: str) -> None:
    """t goes round; the words are the same in all of them."""
    app = app_on(question="10.44.0.1")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        app.theme = theme
        await pilot.pause()
        assert "✘ NO-PEER" in text(app.screen)
        await pilot.press("t")
        assert app.theme != theme
        assert "theme: " in lines(app.screen)[0]


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_what_is_drawn_is_what_textual_would_draw(size: tuple[int, int]) -> None:
    """Lists and bars hand out their lines themselves, in colours they remember: cell by cell the
    same, in any theme, with the cursor or without it."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        seen = set()
        for theme in ("ansi-dark", "textual-light", "nord", "ansi-mono"):
            app.theme = theme
            for key in ("2", "down", "3", "i"):
                await pilot.press(key)
                for one in app.screen.query(Drawn):
                    if not one.size.height:
                        continue
                    whole = one.outer_size.region
                    ours = one.render_lines(whole)
                    seen.add((theme, one.id, str(one.rich_style)))
                    one.refresh()  # what Textual remembers of it is forgotten, and what it does
                    one._base = None
                    textuals = Widget.render_lines(one, whole)
                    assert [strip.simplify() for strip in ours] == [
                        strip.simplify() for strip in textuals
                    ]
                    [part] = one.render_lines(Region(3, 0, 6, 1))
                    assert part == ours[0].crop(3, 9)
        assert {"state", "keys", "more", "routes"} <= {name for _, name, _ in seen}
        assert bool(app.panes.lists[2].styles.gutter) == (size == WIDE)
        assert len({style for _, _, style in seen}) > 2


def test_every_key_has_a_name_and_a_sentence() -> None:
    """The help is made from the bindings: none is without words, ids are unique."""
    bindings = [binding for _, group in keys.PLACES for binding in group]
    identities = [binding.id for binding in bindings]  # type: ignore[union-attr]
    assert None not in identities
    assert len(set(identities)) == len(identities)
    said = "\n".join(f"{line.label} {line.text}" for line in help_lines())
    for cap in ("Ctrl-Z", "Shift-Tab", "PgDn", "Space", "g Home", "? "):
        assert cap in said


async def test_the_help_can_be_read_and_left() -> None:
    """j scrolls it, q closes it and not the program."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("question_mark", "G")
        assert "gap" in text(app.screen)
        await pilot.press("q")
        assert "Type an address" in text(app.screen)
        assert app.is_running


def test_the_screen_at_80x24(snap_compare: object) -> None:
    """An answer with winners, losers and an outer packet (the meaning is asserted above)."""
    app = app_on(question="10.30.5.9")
    assert snap_compare(app, terminal_size=NARROW, run_before=_loaded)  # type: ignore[operator]


async def _loaded(pilot: Pilot[str]) -> None:
    app = pilot.app
    assert isinstance(app, WgtuiApp)
    await ready(pilot, app)


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (24, 6), (300, 8)], ids=str)
async def test_odd_sizes_are_survived(size: tuple[int, int]) -> None:
    """A terminal may be any size, and become any other."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("2", "G", "slash", "1", "escape", "question_mark", "escape")
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: "ENCRYPTED" in text(app.screen))


async def test_a_question_from_the_command_line_is_not_typed_over() -> None:
    """`wgtui 10.30.5.9` shows the answer: q quits."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        assert _has_keys(app, app.lookup.answer)
        await pilot.press("q")
    assert app.return_code == 0


@pytest.mark.parametrize("size", [NARROW, MIDDLE, (121, 40), WIDE])
@pytest.mark.parametrize(
    "question",
    [
        "10.30.5.9",
        "2001:db8:30::9",
        "198.51.100.99",
        "192.168.10.20 from 10.30.5.7 iif wg1 peer ams2",
    ],
)
async def test_no_row_says_anything_else_when_it_is_marked(
    question: str, size: tuple[int, int]
) -> None:
    """Marks come with a glyph and a word at the edges; between them nothing moves. Where a
    pane is narrow, or the word a rare long one, the last piece of the row gives way to it."""
    app, marked = app_on(), 0
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        for pane in app.panes.lists:
            app.panes.go_to(pane)
            await pilot.pause()
            plain = {row: pane._row_pictures(row) for row in range(len(pane.model))}
            app.lookup.question.value = question
            await pilot.pause()
            marked += len(pane.lit.marks)
            for row, pictures in plain.items():
                for before, after in zip(pictures, pane._row_pictures(row), strict=True):
                    kept = len(after.spans)
                    assert before.spans[:kept] == after.spans
                    assert kept == len(before.spans) or size < WIDE or len(after.word) > 8
            app.lookup.question.value = ""
    assert marked


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100])
async def test_the_state_line_leaves_out_whole_pieces(width: int) -> None:
    """``9 peers`` cut short would be another number: what has no room is not begun."""
    app = app_on()
    async with app.run_test(size=(width, 24)) as pilot:
        await ready(pilot, app)
        pieces = lines(app.screen)[0].strip().split(" · ")
        assert len(pieces) > 1
        assert app.state._text.split(" · ")[: len(pieces)] == pieces


async def test_the_answer_stays_while_the_next_word_is_typed() -> None:
    """A half typed word says what is missing, and wipes neither the answer nor the marks."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        routes = app.panes.lists[1]
        winner = routes.lit.show
        await pilot.press("4", "end", *" mark")
        said = text(app.screen)
        assert app.reply.trace is None
        assert "not yet a question" in said
        assert "still the answer to 10.30.5.9:" in said
        assert winner is not None
        assert routes.lit.marks[winner] is Tone.WON
        await pilot.press("escape")
        assert not routes.lit.marks


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x45"])
async def test_a_filter_that_hides_the_winner_says_so(size: tuple[int, int]) -> None:
    """In the heading or the tab, for as long as both hold."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.press("2", "slash", *"172.31", "enter")
        await until(pilot, lambda: "/172.31, hides the winner" in text(app.screen))
        await pilot.press("escape")
        await until(pilot, lambda: "hides the winner" not in text(app.screen))


async def test_enter_on_a_row_without_an_address_folds_or_says_so() -> None:
    """A table opens and closes; a heading has nothing to ask, and that is said."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("tab", "2", "g", "enter")
        await until(pilot, lambda: "this row asks nothing" in text(app.screen))
        before = len(app.panes.lists[1].model)
        await pilot.press("j", "enter")
        await until(pilot, lambda: len(app.panes.lists[1].model) != before)
        assert app.lookup.question.value == ""


async def test_two_panes_name_the_third() -> None:
    """Where two have room, the one beside it says what is hidden, and by which key it comes."""
    app = app_on()
    async with app.run_test(size=(110, 30)) as pilot:
        await ready(pilot, app)
        assert "2 System routes  (1 Interfaces)" in lines(app.screen)[1]
        await pilot.press("tab", "1")
        await until(pilot, lambda: "2 System routes  (3 AllowedIPs)" in lines(app.screen)[1])
        await pilot.resize_terminal(130, 30)
        await until(pilot, lambda: "(3 AllowedIPs)" not in text(app.screen))
