"""The question line takes text or commands; the answer is wrapped, and its verdict stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.screens import NARROW, app_on, lines, ready, text
from wgtui.errors import SourceError
from wgtui.report.line import Line, Tone
from wgtui.sources.demo import DemoSource
from wgtui.tui.lookup_pane import AnswerRows
from wgtui.tui.reply import before_facts
from wgtui.tui.row_layout import wrap
from wgtui.tui.view import View


@given(st.text("ab /:.é漢", max_size=60), st.integers(2, 30))
def test_wrapping_loses_nothing_and_fits(words: str, width: int) -> None:
    """Whatever the text: no row is too wide and no character is gone."""
    rows = wrap(words, width)
    assert all(cell_len(row) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == words.replace(" ", "")


def test_a_prefix_is_not_broken_where_it_fits() -> None:
    """A line breaks between words."""
    assert wrap("owns it by 2001:db8:1234::/48", 20) == ["owns it by", "2001:db8:1234::/48"]
    command = "allowed-ips 10.20.0.2/32,fd30::/48,2001:db8:30::/48,10.31.0.0/24"
    assert wrap(command, 32) == [
        "allowed-ips",
        "10.20.0.2/32,fd30::/48,",
        "2001:db8:30::/48,10.31.0.0/24",
    ]


def test_a_long_line_hangs_under_its_text() -> None:
    """Glyph and label stand alone in their columns."""
    rows = AnswerRows(
        [Line("the verdict", Tone.GOOD), Line("one two three four", Tone.WON, label="rule")], 22
    )
    said = ["".join(span.text for span in picture.spans) for picture in rows.pictures]
    assert said == ["the verdict", "rule one two three", "     four"]
    assert [picture.continued for picture in rows.pictures] == [False, False, True]
    assert rows.copy_text(1) == "one two three four"


def test_outer_packets_are_indented() -> None:
    """A tunnel in a tunnel is a level deeper."""
    rows = AnswerRows([Line("v"), Line("x", Tone.WON, indent=2, label="route")], 40)
    assert "".join(span.text for span in rows.pictures[1].spans) == "    route x"


def test_half_an_address_is_a_hint_and_no_error() -> None:
    """Who is still typing is not told off, but shown the words there are."""
    reply = View(DemoSource().read()).reply("10.0.")
    assert reply.trace is None
    assert reply.caret is None
    assert all(line.tone is Tone.PLAIN for line in reply.lines)
    assert any("iif LINK" in line.text for line in reply.lines)


@pytest.mark.parametrize(
    ("question", "caret"),
    [("10.0.0.1 form 1.2.3.4", 9), ("10.0.0.400", 0), ("10.0.0.1 mark 5 tos x", 20)],
)
def test_a_mistake_knows_its_place(question: str, caret: int) -> None:
    """One line that names the word; the caret is where the word is."""
    reply = View(DemoSource().read()).reply(question)
    assert reply.caret == caret
    assert len(reply.lines) == 1
    assert question[caret:].split(maxsplit=1)[0] in reply.lines[0].text


def test_a_link_that_is_not_there_is_a_mistake_too() -> None:
    """The engine's own questions about the words end here as well."""
    reply = View(DemoSource().read()).reply("10.0.0.1 oif nope7")
    assert reply.trace is None
    assert "nope7" in reply.lines[0].text


def test_a_source_that_cannot_be_read_says_what_to_do() -> None:
    """What, and the hint; each with its glyph."""
    said = before_facts("host.json", SourceError("host.json: no such file", "try wgtui --demo"))
    assert [(line.text, line.tone) for line in said] == [
        ("host.json: no such file", Tone.BAD),
        ("try wgtui --demo", Tone.NOTE),
    ]


async def test_the_caret_stands_under_the_wrong_word() -> None:
    """In the line right below the question."""
    app = app_on(question="10.0.0.1 form 1.2.3.4")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        shown = lines(app.screen)
        at = next(number for number, line in enumerate(shown) if "Lookup ❯" in line)
        assert shown[at + 1].index("^") == shown[at].index("form")


async def test_the_verdict_stays_when_the_answer_is_scrolled() -> None:
    """PageDown in the question scrolls the rest."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        before = text(app.screen)
        assert "↓ " in before
        await pilot.press("pagedown")
        after = text(app.screen)
        assert "back    accepted" in after
        assert "back    accepted" not in before
        assert "ENCRYPTED" in after
        assert "↓ " not in after


async def test_letters_are_commands_only_while_the_line_is_empty() -> None:
    """`?` is always help, as no flow has one; other letters behind an address are text."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("question_mark")
        assert "keys, marks and words" in text(app.screen)
        await pilot.press("escape")
        await pilot.press("f", "e", "question_mark")
        assert "keys, marks and words" in text(app.screen)
        await pilot.press("escape")
        await pilot.press("q")
        assert app.lookup.question.value == "feq"


async def test_a_paste_with_control_characters_is_text() -> None:
    """Nothing pasted reaches the terminal as it is."""
    app = app_on()
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        app.lookup.question.value = "10.0.0.1\x1b]0;x\x07 from\t1.2.3.4"
        await pilot.pause()
        assert app.lookup.question.value == "10.0.0.1 ]0;x  from 1.2.3.4"


async def test_coming_back_to_the_question_selects_it() -> None:
    """The next address replaces the last one without being deleted first."""
    app = app_on(question="10.30.5.9")
    async with app.run_test(size=NARROW) as pilot:
        await ready(pilot, app)
        await pilot.press("4", "8")
        assert app.lookup.question.value == "8"
