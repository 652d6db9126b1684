"""Sets of addresses against Python's own sets and netaddr's text-book algebra."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPSet

from wgtui.model.address_set import AddressSet, Span, span_prefixes
from wgtui.model.prefix import BITS, FAMILIES, Family, Prefix

SMALL = 64
"""The addresses that the twins look at one by one: the first ones of a family."""

spans = st.lists(
    st.tuples(st.integers(0, SMALL - 1), st.integers(0, SMALL - 1)).map(
        lambda two: tuple(sorted(two))
    ),
    max_size=8,
)
families = st.sampled_from(FAMILIES)


def members(addresses: AddressSet) -> set[int]:
    """One by one."""
    return {address for address in range(SMALL) if address in addresses}


def naive(spans: list[Span]) -> set[int]:
    """What the spans say, address by address."""
    return {address for first, last in spans for address in range(first, last + 1)}


@given(families, spans, spans)
def test_the_algebra_is_that_of_sets(family: Family, one: list[Span], two: list[Span]) -> None:
    """Union, difference, intersection and count are those of the same addresses in a set."""
    left, right = AddressSet.of(family, one), AddressSet.of(family, two)
    mine, theirs = naive(one), naive(two)
    assert members(left) == mine
    assert members(left | right) == mine | theirs
    assert members(left - right) == mine - theirs
    assert members(left & right) == mine & theirs
    assert (left - right).count == len(mine - theirs)
    assert bool(left) == bool(mine)
    assert AddressSet.of(family, (left - right).spans) == left - right


@given(families, spans)
def test_prefixes_are_the_fewest(family: Family, given_spans: list[Span]) -> None:
    """The prefixes cover exactly the set, and netaddr finds no shorter list."""
    addresses = AddressSet.of(family, given_spans)
    prefixes = list(addresses.prefixes())
    assert AddressSet.of_prefixes(family, prefixes) == addresses
    merged = IPSet(prefix.to_netaddr() for prefix in prefixes)
    assert [str(prefix) for prefix in prefixes] == [str(net) for net in merged.iter_cidrs()]


def test_everything_is_one_prefix() -> None:
    """The whole of a family is /0, and its complement is empty."""
    for family in FAMILIES:
        everything = AddressSet.everything(family)
        assert list(everything.prefixes()) == [Prefix(family, 0, 0)]
        assert everything.count == 1 << BITS[family]
        assert not everything - everything
        last = (1 << BITS[family]) - 1
        assert list(span_prefixes(family, (last, last))) == [Prefix(family, last, BITS[family])]
