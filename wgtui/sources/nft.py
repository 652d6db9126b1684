"""Which netfilter chains could change or drop a packet? ``nft -j list ruleset`` in, hooks out.

They are seen, never simulated (S-H1 … S-H5): a hook says what some rule of its chain, or of the
chains it jumps to, does to some packets. Where that is not the same for both families, a chain is
two hooks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from wgtui.errors import FormatError
from wgtui.model.prefix import Family
from wgtui.model.snapshot import Hook
from wgtui.sources.fields import JSON, Fields, parse_json
from wgtui.sources.nft_families import NEITHER, TABLE_FAMILIES, by_family, rule_families
from wgtui.sources.nft_spared import spared

_NAT: Final = {"dnat": "dnat", "redirect": "dnat", "snat": "snat", "masquerade": "snat"}

_TARGETS: Final = {
    "MARK": "mark",
    "CONNMARK": "restore-mark",
    "DNAT": "dnat",
    "REDIRECT": "dnat",
    "NETMAP": "dnat",
    "SNAT": "snat",
    "MASQUERADE": "snat",
}
"""iptables-nft: extensions that nft can only name."""

_ChainName: TypeAlias = tuple[str, str, str]
"""Family, table, chain."""


def parse_ruleset(text: str, file: str = "nft.json") -> tuple[Hook, ...]:
    """Every base chain that may matter. Raises ``FormatError``."""
    whole = parse_json(text, file)
    if not isinstance(whole, dict) or not isinstance(whole.get("nftables"), list):
        raise FormatError(file, "is not what nft -j list ruleset prints")
    bases: dict[_ChainName, Fields] = {}
    rules: dict[_ChainName, list[JSON]] = {}
    maps: dict[_ChainName, JSON] = {}
    for entry in Fields(whole, file).objects("nftables"):
        if chain := entry.object("chain"):
            if "hook" in chain:
                bases[_name(chain, "name")] = chain
        elif rule := entry.object("rule"):
            rules.setdefault(_name(rule, "chain"), []).append(rule.values.get("expr"))
        elif mapping := entry.object("map"):
            maps[_name(mapping, "name")] = mapping.values.get("elem")
    found: list[Hook] = []
    for name, chain in bases.items():
        seen = sorted(TABLE_FAMILIES.get(name[0], NEITHER))
        does = {family: _does(name, chain, rules, maps, family) for family in seen}
        alike = len(set(does.values())) == 1
        only: tuple[Family | None, ...] = (None,) if alike else tuple(seen)
        found += [
            _hook(name, chain, rules, does[family or seen[0]], family)
            for family in only
            if does[family or seen[0]]
        ]
    return tuple(found)


def _name(entry: Fields, key: str) -> _ChainName:
    return entry.needed_text("family"), entry.needed_text("table"), entry.needed_text(key)


def _hook(
    name: _ChainName,
    chain: Fields,
    rules: Mapping[_ChainName, list[JSON]],
    does: frozenset[str],
    only: Family | None,
) -> Hook:
    family, table, own = name
    priority = chain.values.get("prio")
    not_from, not_beside = spared(rules.get(name, ()), chain.text("policy") == "drop")
    return Hook(
        family=family,
        table=table,
        chain=own,
        hook=chain.text("hook") or "",
        priority=priority if isinstance(priority, int) else 0,
        type=chain.text("type") or "filter",
        does=does,
        only=only,
        not_from=not_from,
        not_beside=not_beside,
    )


def _does(
    name: _ChainName,
    chain: Fields,
    rules: Mapping[_ChainName, list[JSON]],
    maps: Mapping[_ChainName, JSON],
    packets: Family,
) -> frozenset[str]:
    """What the chain, and those it jumps to, do to packets of one family."""
    family, table, own = name
    kind, hook = chain.text("type") or "filter", chain.text("hook") or ""
    does: set[str] = {"drop"} if chain.text("policy") == "drop" else set()
    by_route = False
    entered, waiting = {own}, [own]
    while waiting:
        for rule in rules.get((family, table, waiting.pop()), ()):
            if packets not in rule_families(rule):
                continue
            statements = list(_statements(_of_family(rule, packets)))
            for map_name in [
                text for key, text in statements if key == "vmap" and isinstance(text, str)
            ]:
                statements += _statements(maps.get((family, table, map_name)))
            effects = _effects(statements, table, kind, hook)
            by_route |= _asks_way_back(statements) and not effects & {"drop", "fib-drop"}
            does |= effects
            for target in _targets(statements):
                if target not in entered:
                    entered.add(target)
                    waiting.append(target)
    if by_route and "drop" in does:
        # Accepted if there is a way back, and what is left is dropped.
        does = does - {"drop"} | {"fib-drop"}
    return frozenset(does)


def _of_family(rule: JSON, family: Family) -> list[JSON]:
    """The statements of a rule that packets of a family get to."""
    statements = rule if isinstance(rule, list) else [rule]
    return [one for each in statements for one, families in by_family(each) if family in families]


def _statements(value: JSON) -> Iterator[tuple[str, JSON]]:
    """Every key and value at any depth; the elements of a verdict map hold verdicts too.

    A named verdict map appears as ``("vmap", NAME)``.
    """
    if isinstance(value, list):
        for entry in value:
            yield from _statements(entry)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            if key == "vmap" and isinstance(inner, dict) and isinstance(inner.get("data"), str):
                yield key, str(inner["data"]).removeprefix("@")
            yield from _statements(inner)


def _targets(statements: list[tuple[str, JSON]]) -> Iterator[str]:
    for key, value in statements:
        target = (
            value.get("target") if key in ("jump", "goto") and isinstance(value, dict) else None
        )
        if isinstance(target, str):
            yield target


def _effects(statements: list[tuple[str, JSON]], table: str, kind: str, hook: str) -> set[str]:
    """What one rule does, judged by the words in it."""
    keys = {key for key, _ in statements}
    does = {_NAT[key] for key in keys & _NAT.keys()}
    for key, value in statements:
        if (
            key == "mangle"
            and isinstance(value, dict)
            and value.get("key") == {"meta": {"key": "mark"}}
        ):
            taken = _statements(value.get("value"))
            from_connection = any(source == "ct" and at == {"key": "mark"} for source, at in taken)
            does.add("restore-mark" if from_connection else "mark")
        elif key == "xt":
            does |= _extension(value, table, kind, hook)
    if keys & {"drop", "reject"}:
        does.add("fib-drop" if _asks_way_back(statements) else "drop")
    return does


def _extension(value: JSON, table: str, kind: str, hook: str) -> set[str]:
    """An iptables extension; where nft does not even name it, by what its table is for."""
    name = value.get("name") if isinstance(value, dict) else None
    if isinstance(name, str):
        return {_TARGETS[name]} if name in _TARGETS else set()
    if kind == "nat":
        return {"snat" if hook in ("postrouting", "input") else "dnat"}
    return {"mark"} if table == "mangle" else set()


def _asks_way_back(statements: list[tuple[str, JSON]]) -> bool:
    """Does a rule look up the route to the source (``fib saddr …``, ``-m rpfilter``; S-D9)?"""
    for key, value in statements:
        if isinstance(value, dict):
            flags = value.get("flags")
            if key == "fib" and (not isinstance(flags, list) or "saddr" in flags):
                return True
            if key == "xt" and value.get("name") == "rpfilter":
                return True
    return False
