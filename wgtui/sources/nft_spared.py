"""Which packets does a chain drop in no case, because every rule of it that could says so?

``iifname != "wg0" ip daddr 10.9.0.2 … drop``: none from wg0, and none to another address. Only what
is certain counts: a chain that jumps, or whose policy is to drop, spares nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wgtui.model.prefix import Prefix
from wgtui.sources.fields import JSON


def spared(
    rules: Iterable[JSON], drops_the_rest: bool
) -> tuple[tuple[str, ...], tuple[Prefix, ...]]:
    """The links whose packets are spared; the prefixes beside which all are (empty: none)."""
    links: list[frozenset[str]] = []
    prefixes: list[tuple[Prefix, ...]] = []
    for rule in rules:
        statements: list[JSON] = rule if isinstance(rule, list) else [rule]
        verdicts = {key for one in statements if isinstance(one, dict) for key in one}
        if verdicts & {"jump", "goto", "vmap"}:
            return (), ()
        if verdicts & {"drop", "reject"}:
            conditions = list(_conditions(statements))
            links.append(frozenset().union(*(_spares_link(*one) for one in conditions)))
            prefixes.append(tuple(prefix for one in conditions for prefix in _only_to(*one)))
    if drops_the_rest or not links:
        return (), ()
    everywhere = frozenset.intersection(*links)
    named = [prefix for some in prefixes for prefix in some] if all(prefixes) else []
    return tuple(sorted(everywhere)), tuple(dict.fromkeys(named))


def _conditions(statements: list[JSON]) -> Iterator[tuple[str, dict[str, JSON], JSON]]:
    """Operator, what is asked and what is wanted, of each plain comparison."""
    for statement in statements:
        match = statement.get("match") if isinstance(statement, dict) else None
        if isinstance(match, dict):
            operator, left = match.get("op"), match.get("left")
            if isinstance(operator, str) and isinstance(left, dict):
                yield operator, left, match.get("right")


def _spares_link(operator: str, left: dict[str, JSON], right: JSON) -> frozenset[str]:
    """``iifname != NAME``; a name with a star is a pattern, and says less."""
    meta = left.get("meta")
    asks_name = isinstance(meta, dict) and meta.get("key") in ("iif", "iifname")
    if not asks_name or operator != "!=" or not isinstance(right, str) or "*" in right:
        return frozenset()
    return frozenset({right})


def _only_to(operator: str, left: dict[str, JSON], right: JSON) -> Iterator[Prefix]:
    """``ip daddr ADDRESS``, or ``ip daddr PREFIX``."""
    payload = left.get("payload")
    if operator != "==" or not isinstance(payload, dict) or payload.get("field") != "daddr":
        return
    inner = right.get("prefix") if isinstance(right, dict) else None
    text = f"{inner.get('addr')}/{inner.get('len')}" if isinstance(inner, dict) else right
    if isinstance(text, str):
        try:
            yield Prefix.parse(text)
        except ValueError:
            return
