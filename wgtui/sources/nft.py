"""Which netfilter chains could change or drop a packet? ``nft -j list ruleset`` in, hooks out.

They are seen, never simulated (S-H1 … S-H5): a hook says what some rule of its chain, or of the
chains it jumps to, does to some packets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from wgtui.errors import FormatError
from wgtui.model.snapshot import Hook
from wgtui.sources.fields import JSON, Fields, parse_json

_FAMILIES: Final = frozenset({"ip", "ip6", "inet", "netdev"})
"""Those that packets pass which are routed."""

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
    hooks = (_hook(name, chain, rules, maps) for name, chain in bases.items())
    return tuple(hook for hook in hooks if hook.does and hook.family in _FAMILIES)


def _name(entry: Fields, key: str) -> _ChainName:
    return entry.needed_text("family"), entry.needed_text("table"), entry.needed_text(key)


def _hook(
    name: _ChainName,
    chain: Fields,
    rules: Mapping[_ChainName, list[JSON]],
    maps: Mapping[_ChainName, JSON],
) -> Hook:
    family, table, own = name
    kind = chain.text("type") or "filter"
    hook = chain.text("hook") or ""
    does: set[str] = {"drop"} if chain.text("policy") == "drop" else set()
    entered, waiting = {own}, [own]
    while waiting:
        for rule in rules.get((family, table, waiting.pop()), ()):
            statements = list(_statements(rule))
            for map_name in [
                text for key, text in statements if key == "vmap" and isinstance(text, str)
            ]:
                statements += _statements(maps.get((family, table, map_name)))
            does |= _effects(statements, table, kind, hook)
            for target in _targets(statements):
                if target not in entered:
                    entered.add(target)
                    waiting.append(target)
    priority = chain.values.get("prio")
    return Hook(
        family=family,
        table=table,
        chain=own,
        hook=hook,
        priority=priority if isinstance(priority, int) else 0,
        type=kind,
        does=frozenset(does),
    )


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
        does.add("fib-drop" if "fib" in keys or _matches_rpfilter(statements) else "drop")
    return does


def _extension(value: JSON, table: str, kind: str, hook: str) -> set[str]:
    """An iptables extension; where nft does not even name it, by what its table is for."""
    name = value.get("name") if isinstance(value, dict) else None
    if isinstance(name, str):
        return {_TARGETS[name]} if name in _TARGETS else set()
    if kind == "nat":
        return {"snat" if hook in ("postrouting", "input") else "dnat"}
    return {"mark"} if table == "mangle" else set()


def _matches_rpfilter(statements: list[tuple[str, JSON]]) -> bool:
    return any(
        key == "xt" and isinstance(value, dict) and value.get("name") == "rpfilter"
        for key, value in statements
    )
