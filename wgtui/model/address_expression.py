"""Which addresses does a sum of prefixes mean? ``0.0.0.0/0 - 192.168.0.0/16 - 10.1.2.3, ::/0``.

Read from left to right: ``+``, ``,`` or nothing between two terms adds, ``-`` takes away. Host bits
mean nothing, as for WireGuard (S-E2).
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from wgtui.errors import QueryError
from wgtui.model.address_set import AddressSet
from wgtui.model.prefix import FAMILIES, Family, Prefix

AddressSets: TypeAlias = dict[Family, AddressSet]

_TOKEN: Final = re.compile(r"\s*([-+,]|[^-+,\s]+)")


def parse_expression(text: str) -> AddressSets:
    """The set of each family; raises ``QueryError`` naming the word and its position."""
    found: AddressSets = {family: AddressSet(family) for family in FAMILIES}
    takes_away, expected, any_term, position = False, True, False, 0
    while (token := _TOKEN.match(text, position)) is not None:
        word, position = token[1], token.end()
        if word in "-+,":
            if word == "-" and not any_term:
                raise QueryError("there is nothing yet to take from", text, token.start(1))
            if expected and any_term:
                raise QueryError(f"{word!r}: a prefix is missing before it", text, token.start(1))
            takes_away, expected = word == "-", True
            continue
        try:
            prefix = Prefix.parse(word)
        except ValueError:
            problem = f"{word!r} is neither an address nor a prefix"
            raise QueryError(problem, text, token.start(1), position == len(text)) from None
        one = AddressSet.of_prefixes(prefix.family, (prefix,))
        old = found[prefix.family]
        found[prefix.family] = old - one if takes_away else old | one
        takes_away, expected, any_term = False, False, True
    if expected:
        raise QueryError("a prefix is missing", text, len(text), unfinished=True)
    return found


def prefixes_of(sets: AddressSets) -> list[Prefix]:
    """The fewest prefixes that say it, IPv4 first."""
    return [prefix for family in FAMILIES for prefix in sets[family].prefixes()]
