"""The map of a range, and questions that are no packets."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netaddr import IPAddress

from tests.engine.random_hosts import SPACE, hosts
from tests.engine.worlds import ask, world
from tests.tui.screens import ready, until
from wgtui.engine.answer import answer_of
from wgtui.engine.lookup import lookup
from wgtui.engine.territory_map import MIXED, UNTOLD, territory_map
from wgtui.model.flow import Flow
from wgtui.model.prefix import FAMILIES, Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.report.line import Tone
from wgtui.sources.demo import DemoSource
from wgtui.tui.app import WgtuiApp
from wgtui.tui.map_rows import BLOCKS, LETTERS, ROWS, MapRows, first_range
from wgtui.tui.sheets import MapList
from wgtui.tui.view import View

DEMO = DemoSource().read()


@settings(max_examples=20)
@given(hosts(), st.sampled_from(FAMILIES), st.sampled_from((1, 4, 16, 64)), st.integers(1, 60))
def test_a_block_has_an_owner_if_all_its_addresses_go_one_way(
    host: Snapshot, family: int, blocks: int, limit: int
) -> None:
    """Every address asked by itself; what is not told is not claimed."""
    space = SPACE[4 if family == 4 else 6]
    found = territory_map(host, space, blocks, limit)
    size = space.size // len(found.blocks)
    for block, owner in enumerate(found.blocks):
        first = space.network + block * size
        ways = {
            answer_of(host, lookup(host, Flow(IPAddress(address, space.family)))).way
            for address in range(first, first + size)
        }
        if owner == MIXED:
            assert len(ways) > 1
        elif owner != UNTOLD:
            assert ways == {found.owners[owner].way}
        else:
            assert not found.whole


def text_of(rows: MapRows, row: int, width: int = 160) -> str:
    """What a row says, whatever its colours."""
    return "".join(span.text for span in rows.spans(row, width))


def test_the_map_of_the_demo_says_who_has_what() -> None:
    """Letters by size, mixed blocks marked, the legend beside and below, nothing but letters
    needed."""
    rows = MapRows(DEMO, Prefix.parse("10.30.0.0/16"))
    assert text_of(rows, 0).startswith("10.30.0.0/16   a letter is 128 addresses")
    first = text_of(rows, 1)
    assert first.startswith("10.30.0.0/20")
    assert "AAAAAAAAAA*BAAAA" in first
    assert first.endswith("A encrypted ams2")
    below = [text_of(rows, row) for row in range(ROWS + 1, len(rows))]
    assert below[0] == "A  encrypted: ams2 on wg1 (65,280 addresses)"
    assert below[1] == "B  encrypted: lon3 on wg1 (255 addresses)"
    assert below[2].startswith("*  mixed")
    assert below[3] == "*  only in mixed ones: encrypted: nas9 on wg1 (1 address)"
    assert rows.question(1) == "10.30.0.0/20"
    assert rows.question(0) == "10.30.0.0/16"
    assert rows.question(len(rows) - 1) is None
    assert rows.copy_text(ROWS + 1).startswith("encrypted")
    assert rows.around() == "10.16.0.0/12"


@pytest.mark.parametrize(
    "text", ["0.0.0.0/0", "::/0", "2001:db8:30::/48", "10.30.5.0/30", "::1/128"]
)
def test_every_row_fits_into_80_columns(text: str) -> None:
    """Prefixes are never cut, however long; a range of few addresses has few blocks."""
    rows = MapRows(DEMO, Prefix.parse(text))
    assert len(rows) > 1
    for row in range(len(rows)):
        assert all(len(line) <= 78 for line in text_of(rows, row, 78).split("\n"))
        assert "…" not in text_of(rows, row, 78)
        prefix = rows.prefix(row)
        if prefix is not None:
            assert str(prefix) in text_of(rows, row, 78)
    assert ROWS * BLOCKS <= 512
    assert len(set(LETTERS)) == 52


def test_what_is_told_alike_is_one_letter() -> None:
    """No two lines of a legend say the same; every letter of the blocks is told."""
    rows = MapRows(DEMO, Prefix.parse("0.0.0.0/0"))
    legend = [text_of(rows, row) for row in range(ROWS + 1, len(rows))]
    assert len(legend) == len({line.partition("  ")[2].partition(" (")[0] for line in legend})
    blocks = "".join(text_of(rows, row, 48)[-BLOCKS:] for row in range(1, ROWS + 1))
    assert set(blocks) == {line[0] for line in legend}
    assert rows.first_of(ROWS + 1) == 1
    mixed = next(row for row in range(ROWS + 1, len(rows)) if text_of(rows, row)[0] == "*")
    assert "*" in text_of(rows, rows.first_of(mixed))


def test_a_packet_lights_up_its_row() -> None:
    """Only in a map that it is in."""
    rows = MapRows(DEMO, Prefix.parse("10.30.0.0/16"))
    assert rows.lit(ask(DEMO, "10.30.5.9")).marks == {1: Tone.NOTE}
    assert not rows.lit(ask(DEMO, "10.31.0.1")).marks
    assert not rows.lit(ask(DEMO, "fd20::2")).marks


def test_a_look_begins_around_the_allowed_ips() -> None:
    """The defaults do not count; without any the whole space is shown."""
    host = world(
        links="wg0 UNKNOWN 10.9.0.1/32",
        wireguard="wg0\n peer a allowed-ips 0.0.0.0/0,10.1.0.0/16\n peer b allowed-ips 10.2.3.0/24",
    )
    assert str(first_range(host, 4)) == "10.0.0.0/14"
    assert str(first_range(host, 6)) == "::/0"


def test_a_prefix_far_away_does_not_widen_the_first_look() -> None:
    """One of many: a map of everything would show nothing; h looks around."""
    near = ",".join(f"10.1.{number}.0/24" for number in range(8))
    host = world(
        links="wg0 UNKNOWN 10.9.0.1/32",
        wireguard=f"wg0\n peer a allowed-ips {near},198.51.100.0/24",
    )
    assert str(first_range(host, 4)) == "10.1.0.0/21"


# -------------------------------------------------------------------------------------- questions


def test_a_typed_prefix_is_answered_with_its_parts() -> None:
    """As on the command line; a half typed one is not yet a mistake."""
    view = View(DEMO)
    reply = view.reply("10.30.5.0/28")
    assert reply.trace is None
    assert reply.lines[0].text == "10.30.5.0/28: 16 addresses in 3 parts, 2 ways."
    assert view.reply("10.30.5.0/").lines[0].text.startswith("not yet a question")
    wrong = view.reply("10.30.5.0/99")
    assert wrong.caret == 0


def test_a_typed_command_is_predicted() -> None:
    """With or without the ``if`` that the key puts there."""
    view = View(DEMO)
    for text in ("if ip route add 172.30.7.0/24 dev wg1", "ip route add 172.30.7.0/24 dev wg1"):
        told = [line.text for line in view.reply(text).lines]
        assert "IPv4: 256 addresses change their answer" in told
    assert view.reply("if ").lines[0].text.startswith("what if?")
    assert view.reply("if ip route add").lines[0].text.startswith("not yet a command")
    wrong = view.reply("if ip route addd 10.0.0.0/8 dev wg1")
    assert wrong.caret == len("if ip route ")
    missing = view.reply("if wg setconf wg1 /nowhere/wg1.conf")
    assert "No such file" in missing.lines[0].text


def test_the_map_is_zoomed_with_the_keys() -> None:
    """m opens it, l looks into a row, h around, 6 at the other family; w asks what if."""

    async def play() -> None:
        app = WgtuiApp("demo")
        async with app.run_test(size=(160, 45)) as pilot:
            await ready(pilot, app)
            await pilot.press("m")
            pane = app.sheets.shown
            assert isinstance(pane, MapList)
            await pilot.press("l", "l")
            await until(pilot, lambda: pane.within == "10.0.0.0/14")
            await pilot.press("h")
            await until(pilot, lambda: pane.within == "10.0.0.0/10")
            await pilot.press("6")
            await until(pilot, lambda: ":" in str(pane.model.question(0)))
            await pilot.press("m", "w")
            await until(pilot, lambda: app.lookup.question.value == "if ")
            assert app.focused is app.lookup.question

    asyncio.run(play())
