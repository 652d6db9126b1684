"""A picture shows what a terminal shows, and a difference turns one into another, cell for cell."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.xterm import Xterm, cells
from wgtui.tui.screen_difference import CLEAR, difference, part
from wgtui.tui.screen_picture import PLAIN, Pen, Picture, Unrecognised, normal, split_cells

Size = tuple[int, int]

SIZES = st.tuples(st.integers(1, 14), st.integers(1, 4))
CHARS = st.sampled_from(
    ["a", "b", " ", " ", " ", "─", "é", "世", "한", "e\u0301", "界\u0301", "🦀"]
)
SGRS = st.sampled_from(
    ["", "1", "7", "4;9", "31", "1;32", "97;44", "38;5;200", "48;5;7", "3;38;2;1;2;3;48;2;9;8;7"]
)


@st.composite
def _frames(draw: st.DrawFn, size: Size) -> str:
    """What Textual could write on a screen of that size: text in colours, where it has room."""
    width, height = size
    parts = []
    for _ in range(draw(st.integers(0, 8))):
        x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        parts.append(f"\x1b[{y + 1};{x + 1}H")
        for char in draw(st.lists(CHARS, max_size=10)):
            x += cell_len(char)
            if x > width:
                break
            sgr = draw(SGRS)
            parts.append(f"\x1b[{sgr}m{char}\x1b[0m" if sgr else char)
    x, y = draw(st.integers(1, width)), draw(st.integers(1, height))
    return "".join(parts) + f"\x1b[{y};{x}H"


STORIES = st.lists(
    SIZES.flatmap(lambda size: st.tuples(st.just(size), st.lists(_frames(size), max_size=3))),
    min_size=1,
    max_size=3,
)
"""Screen sizes, one after the other, with the frames that are painted at each."""


def _terminal(size: Size, kind: type[pyte.Screen] = Xterm) -> tuple[pyte.Screen, pyte.Stream]:
    screen = kind(*size)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")  # as Textual does
    return screen, stream


def _agrees(screen: pyte.Screen, picture: Picture) -> None:
    """The terminal shows the picture, cell for cell: each is drawn on a blank one by itself."""
    reference, stream = _terminal(picture.size, type(screen))
    for y, (chars, pens) in enumerate(zip(picture.chars, picture.pens, strict=True)):
        for x, (char, pen) in enumerate(zip(chars, pens, strict=True)):
            stream.feed(f"\x1b[{y + 1};{x + 1}H\x1b[0;{pen.sgr}m{char}" if char else "")
    assert cells(screen) == cells(reference)
    if picture.cursor is not None:
        assert (screen.cursor.x, screen.cursor.y) == picture.cursor


def _picture(size: Size, *frames: str) -> Picture:
    picture = Picture(*size)
    for frame in frames:
        assert picture.feed(frame) == ""
    return picture


# ------------------------------------------------------------------------------------ the picture


@settings(max_examples=60)
@given(STORIES)
def test_a_picture_shows_what_a_terminal_shows(story: list[tuple[Size, list[str]]]) -> None:
    """Wide, combining and coloured text, written over each other and resized in between."""
    screen, stream = _terminal(story[0][0])
    picture = Picture(*story[0][0])
    for size, frames in story:
        if size != picture.size:
            screen.resize(size[1], size[0])
            stream.feed(CLEAR)  # what a terminal keeps when it is resized is its own affair
            picture = Picture(*size)
        for frame in frames:
            stream.feed(frame)
            picture.feed(frame)
            _agrees(screen, picture)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab", ["a", "b"]),
        ("世b", ["世", "", "b"]),
        ("e\u0301b", ["e\u0301", "b"]),
        ("☀\ufe0fb", ["☀\ufe0f", "", "b"]),
        ("👩\u200d🚀b", ["👩\u200d🚀", "", "b"]),
        ("\u0301b", ["\u0301", "b"]),
    ],
)
def test_text_is_cut_into_cells_as_textual_counts_them(text: str, expected: list[str]) -> None:
    """Wide characters take two, combining ones none, joined emoji two."""
    assert list(split_cells(text)) == expected


@given(st.text(st.sampled_from("aé世🦀☀👩─\u0301\ufe0f\u200d"), max_size=8))
def test_cells_are_as_many_as_rich_says(text: str) -> None:
    """Otherwise the rest of the line would be shifted against Textual's layout."""
    parts = split_cells("a" + text)
    assert "".join(parts) == "a" + text
    assert len(parts) == cell_len("a" + text)


def test_a_combining_character_alone_joins_the_cell_before() -> None:
    """Textual may begin a segment with it."""
    picture = _picture((4, 1), "\x1b[1;1He\x1b[1m\u0301x世\x1b[0m\u0301")
    assert picture.chars == [["e\u0301", "x", "世\u0301", ""]]


def test_half_a_wide_character_is_none() -> None:
    """Its other half was overwritten, or has no room."""
    assert _picture((4, 1), "\x1b[1;1H世界\x1b[1;2Ha").chars == [[" ", "a", "界", ""]]
    assert _picture((4, 1), "\x1b[1;1H世界\x1b[1;3Ha").chars == [["世", "", "a", " "]]
    assert _picture((3, 1), "\x1b[1;1H世界").chars == [["世", "", " "]]
    picture = _picture((4, 1), "\x1b[1;1H世界")
    picture.resize(3, 2)
    assert picture.chars == [["世", "", " "], [" ", " ", " "]]


def test_what_is_outside_is_cut_off() -> None:
    """A frame for the size before the last resize."""
    assert _picture((2, 1), "\x1b[1;1Habc\x1b[5;1Hx\x1b[1;9Hy\n\n\nz").chars == [["a", "b"]]


@pytest.mark.parametrize(
    ("before", "codes", "expected"),
    [
        ("", "0", ""),
        ("1;31", "", ""),
        ("", "39;49", ""),
        ("1;31", "0;4", "4"),
        ("", "31;1", "1;31"),
        ("1;31", "32", "1;32"),
        ("1;2;4", "22", "4"),
        ("31;41", "39", "41"),
        ("", "97;100", "97;100"),
        ("", "48;5;7;38;2;1;2;3", "38;2;1;2;3;48;5;7"),
        ("38;5;7", "31", "31"),
    ],
)
def test_equal_looks_have_equal_pens(before: str, codes: str, expected: str) -> None:
    """However Textual says it."""
    assert normal(before, codes) == expected


def test_a_hyperlink_is_part_of_the_pen() -> None:
    """And is sent with the cells that have it, only with these."""
    data = "\x1b[1;1Ha\x1b]8;id=1;http://x\x1b\\\x1b[4mb\x1b[0m\x1b]8;;\x1b\\c"
    picture = _picture((3, 1), data)
    assert picture.pens == [[PLAIN, Pen("4", "id=1;http://x"), PLAIN]]
    sent = difference(Picture(3, 1), picture)
    assert "a\x1b]8;id=1;http://x\x1b\\\x1b[4mb\x1b]8;;\x1b\\\x1b[mc" in sent


@pytest.mark.parametrize(
    "sequence",
    [
        "\x07",
        "\x1b[?1049h",
        "\x1b[?25l",
        "\x1b[?2026$p",
        "\x1b[>25u",
        "\x1b[<u",
        "\x1b]52;c;YQ==\x07",
        "\x1b]22;default\x07",
        "\x1b]0;wgtui\x1b\\",
        "\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\",
        "\x1bP\x1b]52;c;YQ==\x07\x1b\\",
        "\x1bPYWFh\x1b\\",
    ],
)
def test_what_changes_no_cell_is_passed_on(sequence: str) -> None:
    """Modes, queries, bell, title and clipboard, also in the middle of a frame."""
    picture = Picture(4, 1)
    assert picture.feed(f"\x1b[1;1Ha{sequence}b") == sequence
    assert picture.chars == [["a", "b", " ", " "]]


@pytest.mark.parametrize(
    "sequence",
    [
        *(
            "\x1b[2J",
            "\x1b[5A",
            "\x1b[3S",
            "\x1b[4:3m",
            "\x1b[38m",
            "\x1b[66m",
            "\x1b[?3h",
            "\x1b[",
        ),
        *(
            "\x1b7",
            "\x1b(0",
            "\x1bPq#0\x1b\\",
            "\x1b]1337;File=:\x07",
            "\x9b1m",
            "\t",
            "\x08",
            "\x00",
        ),
    ],
)
def test_what_is_not_known_is_not_guessed(sequence: str) -> None:
    """Sequences that Textual does not write today; cursor and pen stay as they were."""
    picture = _picture((9, 2), "\x1b[2;3H\x1b[1mx")
    with pytest.raises(Unrecognised):
        picture.feed(f"\x1b[1;1H\x1b[4ma{sequence}b")
    assert (picture.cursor, picture.pen) == ((3, 1), Pen("1"))


# --------------------------------------------------------------------------------- the difference


@settings(max_examples=60)
@given(STORIES, st.sampled_from([Xterm, pyte.Screen]))
def test_the_difference_turns_one_picture_into_the_other(
    story: list[tuple[Size, list[str]]], kind: type[pyte.Screen]
) -> None:
    """Frame after frame on the same terminal, which shows exactly the wanted cells each time."""
    screen, stream = _terminal(story[0][0], kind)
    wanted = Picture(*story[0][0])
    for size, frames in story:
        screen.resize(size[1], size[0])
        wanted.resize(*size)
        wanted.feed("\x1b[1;1H")
        shown = Picture(*size)
        stream.feed(CLEAR + difference(shown, wanted))
        for frame in frames:
            wanted.feed(frame)
            stream.feed(difference(shown, wanted))
            assert difference(shown, wanted) == ""
            assert (shown.chars, shown.pens) == (wanted.chars, wanted.pens)
            _agrees(screen, wanted)


@given(st.integers(1, 60), st.data())
def test_a_frame_in_parts_ends_as_a_whole_one_even_if_newer_ones_come_between(
    most: int, data: st.DataObject
) -> None:
    """Each part is whole lines and leaves the pen plain; what is shown is known after each."""
    size = data.draw(SIZES)
    screen, stream = _terminal(size)
    shown, wanted = Picture(*size), Picture(*size)
    stream.feed(CLEAR)
    first = 0
    for frame in data.draw(st.lists(_frames(size), min_size=1, max_size=6)):
        wanted.feed(frame)
        sent = part(shown, wanted, first, most)
        stream.feed(sent.text)
        _agrees(screen, shown)
        assert (sent.due is None) == (shown.chars == wanted.chars and shown.pens == wanted.pens)
        assert sent.due is None or len(sent.text.encode()) >= most
        first = sent.due or 0
    for _ in range(size[1]):
        sent = part(shown, wanted, first, most)
        stream.feed(sent.text)
        first = sent.due or 0
    assert difference(shown, wanted) == ""
    _agrees(screen, wanted)


def _sent(before: str, after: str, size: Size = (20, 2)) -> str:
    shown = _picture(size, before)
    wanted = _picture(size, before, after)
    return difference(shown, wanted)


def test_a_typed_character_is_all_that_is_sent() -> None:
    """The cursor's cell moves one to the right; 40 bytes of frame become 10."""
    before = "\x1b[1;1HLookup 10\x1b[7m \x1b[0m\x1b[1;10H"
    after = "\x1b[1;1HLookup 10.\x1b[7m \x1b[0m\x1b[1;11H"
    assert _sent(before, after) == ".\x1b[7m \x1b[m\x1b[1;11H"


def test_a_small_gap_is_repeated_and_a_large_one_jumped_over() -> None:
    """Whichever is shorter."""
    assert _sent("\x1b[1;1Habcdefghi", "\x1b[1;1HXbcdeXghi\x1b[1;7H") == "\x1b[1HXbcdeX"
    assert _sent("\x1b[1;1Habcdefghi", "\x1b[1;1HXbcdefXhi\x1b[1;8H") == "\x1b[1HX\x1b[5CX"


def test_the_blank_end_of_a_line_is_erased() -> None:
    """Three blanks are written, four are not."""
    assert _sent("\x1b[1;1Habcd", "\x1b[1;1Ha   \x1b[1;5H") == "\x1b[1;2H   "
    assert _sent("\x1b[1;1Habcde", "\x1b[1;1Ha    \x1b[1;2H") == "\x1b[1;2H\x1b[K"


def test_after_a_disputed_width_the_next_cell_is_addressed() -> None:
    """A terminal that thinks otherwise still has the rest of the line in its place."""
    after = "\x1b[1;2H世e\u0301x\x1b[1;6H"
    assert _sent("", after) == "\x1b[C世\x1b[1;4He\u0301\x1b[1;5Hx"
