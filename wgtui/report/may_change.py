"""What else could change this answer, in a line each, and in the JSON? (S-H20)

It is there only when the answer is not exact: something on the packet's way is seen and not
simulated, or could not be looked at. Nothing is named twice, whichever packets it concerns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import groupby
from typing import Final, TypeAlias

from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind, PolicySelector
from wgtui.model.snapshot import Gap, Hook, Snapshot, Subject
from wgtui.model.trace import Trace
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable

_CHAIN_DOES: Final = {
    "mark": "sets the mark",
    "restore-mark": "restores the mark",
    "save-mark": "saves the mark",
    "dnat": "rewrites the destination",
    "snat": "rewrites the source",
    "fib-drop": "drops by route",
    "drop": "drops",
}
_UNSEEN: Final = {
    Subject.FIREWALL: "firewall rules",
    Subject.XFRM: "IPsec",
    Subject.TC: "tc filters",
}
_SIDES: Final = {Direction.IN: "ingress", Direction.OUT: "egress", Direction.FORWARD: "forward"}
_MOST: Final = 4
"""Of each kind; the JSON has them all."""

_Packet: TypeAlias = tuple[Snapshot, Trace]
"""A packet, and the namespace it is in."""


_BATCH: Final = (
    "what rp_filter drops may be let in when it comes in one batch behind another packet to the"
    " same address (not simulated)"
)


def may_change_lines(snapshot: Snapshot, trace: Trace) -> Iterator[Line]:
    """``nft table inet fw may change it: chain out sets the mark``; ``not seen: IPsec, …``."""
    packets = list(_packets(snapshot, trace))
    for text in (*_chains(packets), *_others(packets), *_not_seen(packets)):
        yield Line(text, Tone.NOTE, 0, "but")
    if trace.batched:
        yield Line(_BATCH, Tone.NOTE, 0, "but")


def gap_words(gap: Gap) -> str:
    """Why something could not be seen and what to do: ``Operation not permitted — run as root``."""
    hint = f" — {printable(gap.hint)}" if gap.hint else ""
    return f"{printable(gap.why)}{hint}"


def changes_json(snapshot: Snapshot, trace: Trace) -> list[dict[str, object]]:
    """What concerns this packet itself; what concerns the encrypted one stands there."""
    return (
        chains_json(trace.hooks)
        + [
            {
                "kind": influence.kind.value,
                "device": None if influence.link is None else snapshot.link_name(influence.link),
                "detail": influence_text(snapshot, influence),
            }
            for influence in trace.influences
        ]
        + [
            {"kind": "batch", "device": snapshot.link_name(link), "detail": _BATCH}
            for link in trace.batched
        ]
    )


def chains_json(hooks: Iterable[Hook]) -> list[dict[str, object]]:
    """Netfilter chains, in their order."""
    return [
        {
            "family": hook.family,
            "table": hook.table,
            "chain": hook.chain,
            "hook": hook.hook,
            "priority": hook.priority,
            "does": sorted(hook.does),
        }
        for hook in hooks
    ]


def _packets(snapshot: Snapshot, trace: Trace) -> Iterator[_Packet]:
    """The packet, the encrypted one around it, and so on."""
    yield snapshot, trace
    if trace.outer is not None and trace.ownership is not None:
        there = snapshot.birthplace(trace.ownership.device)
        yield from _packets(snapshot if there is None else there, trace.outer)


# ----------------------------------------------------------------------------------------- chains


def _chains(packets: list[_Packet]) -> Iterator[str]:
    whose: dict[tuple[int, Hook], str] = {}
    concerned: dict[tuple[int, Hook], list[int]] = {}
    for number, (there, trace) in enumerate(packets):
        for hook in trace.hooks:
            concerned.setdefault((id(there), hook), []).append(number)
    for key, numbers in concerned.items():
        whose[key] = _whose(numbers)
    for key, answers in _of_what_comes_back(*packets[0]).items():
        whose.setdefault(key, answers)
    ordered = {hook.hook for _, hook in whose if "fib-drop" in hook.does}
    tables = groupby(whose, lambda key: (key[0], key[1].family, key[1].table))
    for (_, family, table), keys in tables:
        chains = [
            f"chain {hook.chain}{_place(hook, ordered)} {_does(hook)}{whose[where, hook]}"
            for where, hook in keys
        ]
        yield printable(f"nft table {family} {table} may change it: {', '.join(chains)}")


def _of_what_comes_back(snapshot: Snapshot, trace: Trace) -> dict[tuple[int, Hook], str]:
    """The chains that meet the packets of the reverse check, and which of them."""
    inner: dict[tuple[int, Hook], None] = {}
    outer: dict[tuple[int, Hook], None] = {}
    for step in trace.back:
        there = snapshot.birthplace(step.owner.device) if step.owner is not None else None
        inner |= {(id(snapshot), hook): None for hook in step.hooks}
        outer |= {(id(there), hook): None for hook in step.outer_hooks}
    names = {(True, False): "answers", (False, True): "encrypted answers"}
    return {
        key: f" ({names.get((key in inner, key in outer), 'answers, encrypted and inside')})"
        for key in outer | inner
    }


def _place(hook: Hook, ordered: Set[str]) -> str:
    """Its priority, where it matters what came before: a check by route asks with the mark."""
    return f" (priority {hook.priority})" if hook.hook in ordered else ""


def _does(hook: Hook) -> str:
    return " and ".join(_CHAIN_DOES.get(word, word) for word in sorted(hook.does))


def _whose(numbers: Iterable[int]) -> str:
    """Which packets it is about; the one that was asked about goes without saying."""
    inner, outer = 0 in numbers, any(numbers)
    if not outer:
        return ""
    return " (both packets)" if inner else " (encrypted packet)"


# ----------------------------------------------------------------------------------------- others


def _others(packets: list[_Packet]) -> Iterator[str]:
    texts: dict[tuple[int, Influence], str] = {}
    for number, (there, trace) in enumerate(packets):
        for influence in trace.influences:
            answers = influence.kind is not InfluenceKind.XFRM and _of_answers(
                there, trace, influence
            )
            whose = " (answers)" if answers else _whose((number,))
            texts.setdefault((id(there), influence), f"{_named(there, influence)}{whose}")
    by_kind: dict[InfluenceKind, list[str]] = {}
    for (_, influence), text in texts.items():
        by_kind.setdefault(influence.kind, []).append(text)
    for found in by_kind.values():
        yield from found[:_MOST]
        if len(found) > _MOST:
            yield f"and {len(found) - _MOST} more of these"


def _of_answers(there: Snapshot, trace: Trace, influence: Influence) -> bool:
    """Does it meet what comes back, and not the packet that was asked about?"""
    came_by = there.links_by_name.get(trace.flow.iif) if trace.flow.iif is not None else None
    return influence.direction is Direction.IN and (
        came_by is None or came_by.index != influence.link
    )


def _named(snapshot: Snapshot, influence: Influence) -> str:
    text = influence_text(snapshot, influence)
    link = printable(snapshot.link_name(influence.link))
    match influence.kind:
        case InfluenceKind.XFRM:
            return f"IPsec may change it: {text}"
        case InfluenceKind.TC:
            return f"tc on {link} may change it: {text}"
        case InfluenceKind.XDP:
            return f"XDP on {link} may change it: {text}"
        case InfluenceKind.STICKY_SOURCE:
            return f"WireGuard may change it: {text}"


def influence_text(snapshot: Snapshot, influence: Influence) -> str:
    """``egress redirects to eth1``; ``out from any to 10.1.0.0/16 udp encrypts``."""
    what = _effect(snapshot, influence)
    match influence.kind:
        case InfluenceKind.XFRM:
            if influence.selector is None:
                return f"{influence.direction.value} {what} everything else"
            return f"{influence.direction.value} {_selector(influence.selector)} {what}"
        case InfluenceKind.TC:
            return f"{_SIDES[influence.direction]} {what}"
        case InfluenceKind.XDP:
            return what
        case InfluenceKind.STICKY_SOURCE:
            source = printable(influence.name)
            way = (
                "finds no route"
                if influence.to is None
                else f"leaves by {_to(snapshot, influence)}"
            )
            return f"heard on {source}, it answers from there, which {way}"


def _effect(snapshot: Snapshot, influence: Influence) -> str:
    name = printable(influence.name)
    match influence.effect:
        case Effect.TRANSFORM:
            encrypts = influence.direction is Direction.OUT
            return "encrypts" if encrypts else "wants it encrypted"
        case Effect.BLOCK:
            return "blocks"
        case Effect.REDIRECT:
            return f"redirects to {_to(snapshot, influence)}"
        case Effect.DROP:
            return "drops"
        case Effect.PROGRAM:
            return f"runs program {name}".rstrip() if name else "runs a program"
        case Effect.CHANGE:
            return f"does {name}" if name else "does something"


def _to(snapshot: Snapshot, influence: Influence) -> str:
    return printable(snapshot.link_name(influence.to))


def _selector(selector: PolicySelector) -> str:
    source = "any" if selector.source is None else str(selector.source)
    destination = "any" if selector.destination is None else str(selector.destination)
    names = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}
    protocol = selector.protocol
    return f"from {source} to {destination}" + (
        "" if protocol is None else f" {names.get(protocol, f'ipproto {protocol}')}"
    )


# ----------------------------------------------------------------------------------------- unseen


def _not_seen(packets: list[_Packet]) -> Iterator[str]:
    """``not seen: firewall rules, IPsec, which could change it (not permitted — run as root)``."""
    subjects = dict.fromkeys(subject for _, trace in packets for subject in trace.unseen)
    if not subjects:
        return
    gaps = (there.gap(subject) for subject in subjects for there, _ in packets)
    why = next((gap_words(gap) for gap in gaps if gap is not None), "")
    names = ", ".join(_UNSEEN[subject] for subject in subjects)
    yield f"not seen: {names}, which could change it" + (f" ({why})" if why else "")
