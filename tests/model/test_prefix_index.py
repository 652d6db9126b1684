"""Is the sorted array with parent links as right as looking at every prefix?"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from wgtui.model.prefix import BITS, Family, Prefix
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
