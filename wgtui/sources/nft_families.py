"""Is a rule of a table for both families (inet) for IPv4 alone, or for IPv6 alone?

``meta nfproto ipv6``, ``ip6 saddr …``, ``icmpv6 type …``: a condition on a header that only one
family has (nft(8)). What is not recognised is for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wgtui.model.prefix import FAMILIES, Family
from wgtui.sources.fields import JSON

BOTH: Final[frozenset[Family]] = frozenset(FAMILIES)
NEITHER: Final[frozenset[Family]] = frozenset()
IPV4: Final[frozenset[Family]] = frozenset({4})
IPV6: Final[frozenset[Family]] = frozenset({6})

TABLE_FAMILIES: Final = {"ip": IPV4, "ip6": IPV6, "inet": BOTH, "netdev": BOTH}
"""What the tables of a family see; those that packets pass which are routed."""

_NAMES: Final = {
    "ipv4": IPV4,
    "ip": IPV4,
    "icmp": IPV4,
    "igmp": IPV4,
    "ipv6": IPV6,
    "ip6": IPV6,
    "icmpv6": IPV6,
    "ipv6-icmp": IPV6,
}


def rule_families(rule: JSON) -> frozenset[Family]:
    """The families whose packets can meet all conditions of a rule."""
    left = BOTH
    for statement in rule if isinstance(rule, list) else ():
        match = statement.get("match") if isinstance(statement, dict) else None
        if isinstance(match, dict):
            left &= _condition(match)
    return left


def by_family(statement: JSON) -> Iterator[tuple[JSON, frozenset[Family]]]:
    """The verdicts of ``meta nfproto vmap { ipv4 : jump a, ipv6 : jump b }``, each with its
    families; of any other statement, itself and both."""
    vmap = statement.get("vmap") if isinstance(statement, dict) else None
    data = vmap.get("data") if isinstance(vmap, dict) else None
    elements = data.get("set") if isinstance(data, dict) else None
    if isinstance(vmap, dict) and _asks_family(vmap.get("key")) and isinstance(elements, list):
        for element in elements:
            if isinstance(element, list) and len(element) == 2:
                yield element[1], _named(element[0])
            else:
                yield element, BOTH
        return
    yield statement, BOTH


def _condition(match: dict[str, JSON]) -> frozenset[Family]:
    left, wanted = match.get("left"), match.get("right")
    if not isinstance(left, dict):
        return BOTH
    payload = left.get("payload")
    if isinstance(payload, dict):
        return _named(payload.get("protocol"))  # whatever is asked: the header must be there
    connection = left.get("ct")
    if isinstance(connection, dict):
        key = connection.get("key")
        return _named(key.partition(" ")[0] if isinstance(key, str) else None)
    if not _asks_family(left):
        return BOTH
    values = wanted.get("set") if isinstance(wanted, dict) else None
    some = values if isinstance(values, list) else [wanted]
    named = NEITHER.union(*(_named(value) for value in some))
    return BOTH - named if match.get("op") == "!=" and len(named) == 1 else named


def _asks_family(key: JSON) -> bool:
    meta = key.get("meta") if isinstance(key, dict) else None
    return isinstance(meta, dict) and meta.get("key") in ("nfproto", "protocol", "l4proto")


def _named(word: JSON) -> frozenset[Family]:
    return _NAMES.get(word, BOTH) if isinstance(word, str) else BOTH
