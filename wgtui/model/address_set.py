"""Which addresses are in a set, and which prefixes are the fewest that say so?

A set of one family is a sorted tuple of spans (first, last) that neither overlap nor touch. Union,
difference and intersection are one walk over both; a span becomes prefixes only where it is shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from wgtui.model.fact import dataclass
from wgtui.model.prefix import BITS, Family, Prefix

Span: TypeAlias = tuple[int, int]
"""The first and the last address, both inside."""


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses of one family."""

    family: Family
    spans: tuple[Span, ...] = ()
    """Ascending; between two of them at least one address is missing."""

    @classmethod
    def of(cls, family: Family, spans: Iterable[Span]) -> AddressSet:
        """From spans in any order, overlapping or not."""
        return cls(family, tuple(_merged(sorted(spans))))

    @classmethod
    def of_prefixes(cls, family: Family, prefixes: Iterable[Prefix]) -> AddressSet:
        """The addresses that these prefixes of the family cover."""
        return cls.of(family, ((p.network, p.last) for p in prefixes if p.family == family))

    @classmethod
    def everything(cls, family: Family) -> AddressSet:
        """Every address of the family."""
        return cls(family, ((0, (1 << BITS[family]) - 1),))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, address: int) -> bool:
        at = bisect_right(self.spans, address, key=lambda span: span[0]) - 1
        return at >= 0 and address <= self.spans[at][1]

    @property
    def count(self) -> int:
        """How many addresses."""
        return sum(last - first + 1 for first, last in self.spans)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet.of(self.family, (*self.spans, *other.spans))

    def __sub__(self, other: AddressSet) -> AddressSet:
        return AddressSet(self.family, tuple(_less(self.spans, other.spans)))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(self.family, tuple(_common(self.spans, other.spans)))

    def prefixes(self) -> Iterator[Prefix]:
        """The fewest prefixes that are exactly this set, ascending."""
        for span in self.spans:
            yield from span_prefixes(self.family, span)


def span_prefixes(family: Family, span: Span) -> Iterator[Prefix]:
    """The fewest prefixes that are exactly this span: at each address the largest that fits."""
    first, last = span
    bits = BITS[family]
    while first <= last:
        aligned = (first & -first).bit_length() - 1 if first else bits
        fits = (last - first + 1).bit_length() - 1
        host = min(aligned, fits)
        yield Prefix(family, first, bits - host)
        first += 1 << host


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Of ascending spans: those that overlap or touch become one."""
    current: Span | None = None
    for first, last in spans:
        if current is None:
            current = first, last
        elif first <= current[1] + 1:
            current = current[0], max(current[1], last)
        else:
            yield current
            current = first, last
    if current is not None:
        yield current


def _less(spans: tuple[Span, ...], others: tuple[Span, ...]) -> Iterator[Span]:
    at = 0
    for start, last in spans:
        first = start
        while at < len(others) and others[at][1] < first:
            at += 1
        ahead = at
        while ahead < len(others) and others[ahead][0] <= last:
            if first < others[ahead][0]:
                yield first, others[ahead][0] - 1
            first = others[ahead][1] + 1
            ahead += 1
        if first <= last:
            yield first, last


def _common(spans: tuple[Span, ...], others: tuple[Span, ...]) -> Iterator[Span]:
    one = two = 0
    while one < len(spans) and two < len(others):
        first = max(spans[one][0], others[two][0])
        last = min(spans[one][1], others[two][1])
        if first <= last:
            yield first, last
        if spans[one][1] < others[two][1]:
            one += 1
        else:
            two += 1
