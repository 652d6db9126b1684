"""Who really owns what, and where do the addresses of a range go? As lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from wgtui.engine.holdings import Holding, Holdings
from wgtui.engine.territory import Partition
from wgtui.model.prefix import address_text
from wgtui.model.wireguard import Device
from wgtui.report.answer_words import (
    addresses_count,
    answer_text,
    because_text,
    joined,
    prefixes_text,
    span_text,
    tone_of,
    way_text,
)
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.words import count_text, host_text, peer_name

MOST_WAYS = 4
"""Ways around a device, of one peer's addresses: a default route has many."""
MOST_PARTS = 2_000
"""More lines than this are no answer for a person; ``--json`` has them all."""


def partition_lines(found: Partition, most: int = MOST_PARTS) -> list[Line]:
    """The first line counts; then every part in ascending order."""
    family = found.within.family
    ways = len({part.answer.way for part in found.parts})
    size = addresses_count(found.within.size)
    parts = count_text(len(found.parts), "part")
    head = f"{found.within}: {size} in {parts}, {count_text(ways, 'way')}."
    good = all(part.answer.outcome.good for part in found.parts)
    lines = [Line(head, Tone.PLAIN if good else Tone.NOTE)]
    texts = [span_text(family, part.span) for part in found.parts[:most]]
    width = max(map(len, texts), default=0)
    for part, text in zip(found.parts, texts, strict=False):
        because = because_text(part.answer)
        told = f"{answer_text(part.answer)}{f' [{because}]' if because else ''}"
        lines.append(Line(f"{text:<{width}}  {told}", tone_of(part.answer.outcome)))
    if len(found.parts) > most:
        lines.append(Line(f"{len(found.parts) - most:,} more parts: zoom in", Tone.NOTE))
    lines += _cut_off(found)
    return lines


def _cut_off(found: Partition) -> Iterator[Line]:
    if not found.whole:
        until = address_text(found.within.family, found.until)
        yield Line(
            f"told up to {until}: beyond it there are too many prefixes to look at; zoom in",
            Tone.UNKNOWN,
        )


def device_blocks(device: Device, families: list[Holdings]) -> list[list[Line]]:
    """What each peer of a device really owns, and what of it is routed there: a block for each
    family, the first line of which sums up."""
    name = printable(device.name)
    if not device.peers:
        return [[Line(f"{name}: no peers, so every packet to it is dropped (ENOKEY)", Tone.NOTE)]]
    blocks = [lines for found in families if (lines := list(_family_lines(name, found)))]
    if not blocks:
        blocks.append([Line(f"{name}: {count_text(len(device.peers), 'peer')}, no AllowedIPs")])
    nothing = [
        peer_name(peer)
        for peer in device.peers
        if all(peer.public_key != one.peer.public_key for f in families for one in f.holdings)
    ]
    if nothing:
        shown, more = nothing[:6], len(nothing) - 6
        text = f"no AllowedIPs: {joined(shown, max(0, more))}"
        blocks[-1].append(Line(text, Tone.NOTE))
    return blocks


def _family_lines(name: str, found: Holdings) -> Iterator[Line]:
    if not found.holdings and not found.ownerless:
        return
    owned = sum(one.owned.count for one in found.holdings)
    routed = sum(one.routed.count for one in found.holdings)
    share = "all of them" if routed == owned else addresses_count(routed)
    yield Line(
        f"{name} IPv{found.family}: {count_text(len(found.holdings), 'peer owns', 'peers own')} "
        f"{addresses_count(owned)}; routed there: {share if routed else 'none of them'}."
    )
    for one in found.holdings:
        yield from _holding_lines(one)
    if found.ownerless:
        count = addresses_count(found.ownerless.count)
        text = f"{prefixes_text(found.ownerless)} ({count}): routed to {name}, dropped (ENOKEY)"
        yield Line(text, Tone.BAD, label="nobody")
    if not found.whole:
        until = address_text(found.family, found.until)
        text = f"routes were looked at up to {until}: there are too many of them"
        yield Line(text, Tone.UNKNOWN)


def _holding_lines(one: Holding) -> Iterator[Line]:
    label = peer_name(one.peer)
    if one.owned:
        count = addresses_count(one.owned.count)
        yield Line(f"{prefixes_text(one.owned)} ({count})", Tone.WON, label=label)
    else:
        yield Line("nothing", Tone.NOTE, label=label)
    if one.shadowed:
        shown = [host_text(prefix) for prefix in one.shadowed[:6]]
        taken = joined(shown, max(0, len(one.shadowed) - 6))
        yield Line(f"nothing of {taken}: others have all of it", Tone.LOST, 1, label)
    largest = sorted(one.elsewhere, key=lambda other: -other.addresses.count)
    for other in largest[:MOST_WAYS]:
        name = peer_name(other.peer) if other.peer is not None else None
        text = f"but {prefixes_text(other.addresses, 4)}: {way_text(other.way, name)}"
        yield Line(text, Tone.NOTE, 1, label)
    if rest := largest[MOST_WAYS:]:
        count = addresses_count(sum(other.addresses.count for other in rest))
        text = f"but {count} more go {count_text(len(rest), 'other way')}: ask about a prefix"
        yield Line(text, Tone.NOTE, 1, label)
