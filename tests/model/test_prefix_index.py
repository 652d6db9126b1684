"""Is the sorted array with parent links as right as looking at every prefix?"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.prefix_columns import Columns, GrowingColumns
from wgtui.model.prefix_index import NONE, PrefixIndex


@dataclass(frozen=True)
class Case:
    """Prefixes of one family, some of them several times, and an address among them."""

    family: Family
    prefixes: tuple[Prefix, ...]
    address: int

    @property
    def index(self) -> PrefixIndex:
        """Values are the places in ``prefixes``."""
        entries = ((p.network, p.length, place) for place, p in enumerate(self.prefixes))
        return PrefixIndex(self.family, entries)


@st.composite
def prefixes(draw: st.DrawFn, family: Family) -> Prefix:
    """Crowded: few different bits, so that prefixes meet, nest and repeat."""
    bits = BITS[family]
    address = draw(st.integers(0, 15)) << bits - 4 | draw(st.integers(0, 7)) << bits // 2
    lengths = st.sampled_from((0, 1, 2, 3, 4, bits // 2 - 3, bits // 2, bits - 1, bits))
    return Prefix.of(
        family, address | draw(st.integers(0, 3)), draw(lengths | st.integers(0, bits))
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to twelve prefixes; the address is the first or last of one, beside it, or any."""
    family: Family = draw(st.sampled_from((4, 6)))
    chosen = draw(st.lists(prefixes(family), max_size=12))
    edges = [edge for p in chosen for edge in (p.network, p.last, p.network - 1, p.last + 1)]
    edges = [edge for edge in edges if 0 <= edge < 1 << BITS[family]]
    anywhere = st.integers(0, (1 << BITS[family]) - 1)
    return Case(family, tuple(chosen), draw(st.sampled_from(edges) if edges else anywhere))


def crowd(family: Family) -> PrefixIndex:
    """A default, a branch, a leaf twice."""
    bits = BITS[family]
    top = 1 << bits - 1
    entries = [(top, bits, 0), (0, 0, 1), (top, bits, 2), (top, 1, 3)]
    return PrefixIndex(family, entries)


@given(cases())
def test_match_is_the_longest_covering_prefix(case: Case) -> None:
    """The match is the longest prefix that covers the address, or there is none."""
    row = case.index.match(case.address)
    expected = oracles.covering(case.prefixes, case.address)
    assert (None if row == NONE else case.index.prefix(row)) == (expected[0] if expected else None)


@given(cases())
def test_a_match_is_the_first_row_of_its_prefix(case: Case) -> None:
    """Of equal prefixes the one that was given first is found."""
    row = case.index.match(case.address)
    if row != NONE:
        assert case.index.values[row] == case.prefixes.index(case.index.prefix(row))


@given(cases())
def test_covering_names_every_prefix_once_longest_first(case: Case) -> None:
    """All prefixes that cover the address, longest first, each by its first row."""
    index = case.index
    rows = list(index.covering(case.address))
    assert [index.prefix(row) for row in rows] == oracles.covering(case.prefixes, case.address)
    assert all(index.first_of(row) == row for row in rows)


@given(cases())
def test_covering_rows_are_all_rows_of_the_covering_prefixes(case: Case) -> None:
    """Longest first, and the rows of one prefix in the order they were given in."""
    index = case.index
    places = [
        place
        for wanted in oracles.covering(case.prefixes, case.address)
        for place, prefix in enumerate(case.prefixes)
        if prefix == wanted
    ]
    assert [index.values[row] for row in index.covering_rows(case.address)] == places


@given(cases())
def test_same_gives_equal_prefixes_in_the_order_they_came(case: Case) -> None:
    """The rows of one prefix keep the order they were given in."""
    index = case.index
    for row in range(len(index)):
        wanted = [n for n, prefix in enumerate(case.prefixes) if prefix == index.prefix(row)]
        assert [index.values[same] for same in index.same(row)] == wanted


@given(cases().flatmap(lambda case: st.tuples(st.just(case), prefixes(case.family))))
def test_find_finds_exactly_this_prefix(asked: tuple[Case, Prefix]) -> None:
    """A prefix is found if and only if it is there, by its first row."""
    case, prefix = asked
    for wanted in (prefix, *case.prefixes):
        row = case.index.find(wanted)
        assert (row != NONE) == (wanted in case.prefixes)
        if row != NONE:
            assert case.index.prefix(row) == wanted
            assert case.index.first_of(row) == row


@given(cases().flatmap(lambda case: st.tuples(st.just(case), prefixes(case.family))))
def test_inside_is_everything_within_a_prefix(asked: tuple[Case, Prefix]) -> None:
    """All rows within a prefix, which need not be in the index itself, in tree order."""
    case, outer = asked
    index = case.index
    rows = [index.prefix(row) for row in index.inside(outer)]
    assert rows == oracles.inside(case.prefixes, outer)


@given(cases())
def test_a_subtree_is_the_prefix_and_all_below_it(case: Case) -> None:
    """A subtree is what is inside the row's own prefix, whichever of its rows is asked."""
    index = case.index
    for row in range(len(index)):
        rows = [index.prefix(inner) for inner in index.subtree(row)]
        assert rows == oracles.inside(case.prefixes, index.prefix(row))


@given(cases())
def test_depth_counts_the_enclosing_prefixes(case: Case) -> None:
    """How far a tree indents a row is how many other prefixes enclose it."""
    index = case.index
    for row in range(len(index)):
        assert index.depth(row) == oracles.depth(case.prefixes, index.prefix(row))


@given(cases())
def test_rows_are_sorted_parents_before_children(case: Case) -> None:
    """Rows are in the order in which a tree is drawn, and no prefix is lost."""
    index = case.index
    rows = [index.prefix(row) for row in range(len(index))]
    assert rows == sorted(case.prefixes)


@pytest.mark.parametrize("family", [4, 6])
def test_a_default_covers_everything_and_a_host_only_itself(family: Family) -> None:
    """/0 covers the first and the last address; /32 or /128 covers one."""
    index, bits = crowd(family), BITS[family]
    top = 1 << bits - 1
    lengths = {
        address: [index.lengths[row] for row in index.covering(address)]
        for address in (0, top - 1, top, top + 1, (1 << bits) - 1)
    }
    assert lengths == {
        0: [0],
        top - 1: [0],
        top: [bits, 1, 0],
        top + 1: [1, 0],
        (1 << bits) - 1: [1, 0],
    }


@pytest.mark.parametrize("family", [4, 6])
def test_an_empty_index_answers_nothing(family: Family) -> None:
    """Nothing is found in nothing."""
    index = PrefixIndex(family)
    whole = Prefix(family, 0, 0)
    assert (index.match(0), list(index.covering(7)), index.find(whole)) == (NONE, [], NONE)
    assert len(index.inside(whole)) == len(index) == 0


# ─── as they come, and as they change ────────────────────────────────────────────────────────────


def columns_of(family: Family, rows: list[tuple[int, int, int]], sizes: list[int]) -> Columns:
    """The columns of rows that came in portions."""
    growing, done = GrowingColumns(family), 0
    for size in (*sizes, len(rows)):
        part = rows[done : done + size]
        networks = [row[0] for row in part]
        growing.extend(
            array("I", networks) if family == 4 else networks,
            [row[1] for row in part],
            [row[2] for row in part],
        )
        done += size
    return growing.finish()


@given(cases(), st.lists(st.integers(0, 4), max_size=6), st.sampled_from(("dump", "as drawn")))
def test_in_portions_or_at_once_it_is_the_same(case: Case, sizes: list[int], order: str) -> None:
    """However rows are cut up, and in the kernel's order or in none, the columns are the same."""
    rows = [(p.network, p.length, place) for place, p in enumerate(case.prefixes)]
    if order == "dump":  # fn_trie_dump_leaf: by network, the longest prefix first
        rows.sort(key=lambda row: (row[0], -row[1]))
    whole = PrefixIndex(case.family, rows).columns
    assert columns_of(case.family, rows, sizes) == whole
    assert [PrefixIndex(case.family, columns=whole).parent(row) for row in range(len(rows))] == [
        oracle_parent(case.prefixes, sorted(case.prefixes), row) for row in range(len(rows))
    ]


def oracle_parent(prefixes: tuple[Prefix, ...], drawn: list[Prefix], row: int) -> int:
    """The first row of the longest other prefix around this one, by looking at all of them."""
    around = [
        prefix
        for prefix in oracles.covering(prefixes, drawn[row].network)
        if prefix.length < drawn[row].length
    ]
    return drawn.index(around[0]) if around else NONE


@given(st.data())
def test_edits_give_what_sorting_anew_would(data: st.DataObject) -> None:
    """After any inserts, deletes and replacements, one batch after another, every column is that of
    an index made from scratch."""
    case = data.draw(cases())
    rows = {p: [n for n, q in enumerate(case.prefixes) if p == q] for p in case.prefixes}
    index = case.index
    for _ in range(data.draw(st.integers(1, 4))):
        known = st.sampled_from(sorted(rows)) if rows else st.nothing()
        touched = data.draw(st.lists(known | prefixes(case.family), max_size=6))
        edits = {p: data.draw(st.lists(st.integers(0, 99), max_size=3)) for p in touched}
        before = PrefixIndex(case.family, flat(rows)).columns
        following = index.edited({(p.network, p.length): values for p, values in edits.items()})
        assert index.columns == before, "the index before it must not have changed"
        rows.update(edits)
        index = following
        assert index.columns == PrefixIndex(case.family, flat(rows)).columns


def flat(rows: dict[Prefix, list[int]]) -> list[tuple[int, int, int]]:
    """Entries of an index."""
    return [(p.network, p.length, value) for p, values in rows.items() for value in values]
