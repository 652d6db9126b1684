"""What would change? A prediction as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wgtui.engine.what_if.applied import Applied, Note, Objection
from wgtui.engine.what_if.difference import Change, Difference
from wgtui.engine.what_if.verdict import WhatIf
from wgtui.report.answer_words import (
    addresses_count,
    answer_text,
    because_text,
    prefixes_text,
    tone_of,
)
from wgtui.report.finding_sentences import finding_text
from wgtui.report.line import Line, Tone
from wgtui.report.printable import printable
from wgtui.report.sentences import answer
from wgtui.report.words import count_text, rule_text

MOST_CHANGES: Final = 40
"""Lines of changes for one kind of packet; ``--json`` has them all."""

OBJECTIONS: Final[dict[Objection, str]] = {
    Objection.FILE_EXISTS: "File exists: that is there already",
    Objection.NO_SUCH_PROCESS: "No such process: there is no such route",
    Objection.NO_SUCH_FILE: "No such file or directory: nothing like that is there",
    Objection.NO_SUCH_LINK: "there is no such link",
    Objection.NOT_WIREGUARD: "it is not a WireGuard device",
    Objection.INVALID_GATEWAY: "the gateway is on no link, or not on that one",
    Objection.NEEDS_LINK: "without 'dev' nobody knows which link",
    Objection.NEEDS_GATEWAY: "IPv6: each of several nexthops needs a gateway",
    Objection.LINK_DOWN: "the link is down",
    Objection.HOST_BITS: "Invalid prefix: host bits are set",
    Objection.SOURCE_NOT_LOCAL: "the source is not an address of this host",
    Objection.INVALID_TOS: "such a tos is not taken",
    Objection.GOTO_BACKWARDS: "a goto leads only to a later rule",
    Objection.NO_SUCH_ADDRESS: "Cannot assign requested address: it is not there",
    Objection.NO_SUCH_PEER: "it is neither a public key nor the name of one peer",
    Objection.NO_SUCH_SETTING: "wgtui knows no answer that depends on this setting",
    Objection.UNSEEN: "what it changes could not be read",
    Objection.NEXTHOP_OBJECTS: "next-hop objects use this link, and wgtui does not predict those",
    Objection.SECONDARY_ADDRESSES: "wgtui does not predict what takes this address's place",
    Objection.IPV6_ADDRESSES: "wgtui does not predict what the kernel does with IPv6 addresses",
    Objection.IPV6_RULES: "if no IPv6 rule was ever added the kernel does not look at them at all, "
    "and nothing changes; whether one was cannot be seen",
    Objection.SOME_LEGS: "it fails for this nexthop, which is not there, but the others may go",
    Objection.NOT_PREDICTED: "wgtui does not predict that",
}

NOTES: Final[dict[Note, str]] = {
    Note.CARRIER_ASSUMED: "taken for granted: the link has a carrier as soon as it is up",
    Note.OTHER_END: "the other end of this veth loses its carrier; that is not predicted",
    Note.OWN_IPV6: "not predicted: IPv6 addresses and routes that the kernel adds by itself",
    Note.NAME_NOT_RESOLVED: "names are not resolved: the endpoint is taken to be what it is now",
    Note.PORT_CHOSEN: "without a ListenPort the kernel picks a port at random",
    Note.ENDPOINT_FORGOTTEN: "the peer is made anew: where it has called from is forgotten",
    Note.NO_PRIVATE_KEY: "the file has no PrivateKey: the device loses its own and is mute",
    Note.OWN_KEY: "a peer with the device's own key is silently ignored",
    Note.NOTHING_CHANGES: "it is like that already",
    Note.BETWEEN_LEGS: "an IPv6 route added between legs of this one is in no dump: if there is "
    "one, it comes to light or is hidden now",
    Note.STATIC_ROUTES_GONE: "routes that went when the link went down do not come back",
}


def what_if_lines(texts: Sequence[str], found: WhatIf) -> list[Line]:
    """The commands, what becomes of each; then which addresses change their answer, and how."""
    lines: list[Line] = []
    for text, step in zip(texts, found.steps, strict=True):
        lines += _step_lines(text, step)
    lines += _differences(found)
    for sign, findings, host in (
        ("new", found.new, found.after),
        ("gone", found.gone, found.before),
    ):
        for finding in findings:
            tone = Tone.NOTE if sign == "new" else Tone.GOOD
            told = f"{finding.code.value}: {finding_text(host, finding)}"
            lines.append(Line(told, tone, label=sign))
    if found.traces is not None:
        for word, host, trace in zip(
            ("before", "after"), (found.before, found.after), found.traces, strict=True
        ):
            first, *rest = answer(host, trace)
            lines.append(Line(first.text, first.tone, label=word))
            lines += [Line(f"{one.label:<8}{one.text}", one.tone, one.indent + 1) for one in rest]
    return lines


def _step_lines(text: str, step: Applied) -> Iterator[Line]:
    shown = printable(text)
    if step.objection is None:
        yield Line(shown, Tone.WON, label="command")
    else:
        about = f" ({printable(step.word)})" if step.word else ""
        why = f"{OBJECTIONS[step.objection]}{about}"
        if step.objection.by_kernel:
            yield Line(f"{shown}: would be refused: {why}", Tone.BAD, label="command")
        else:
            yield Line(f"{shown}: cannot be predicted: {why}", Tone.UNKNOWN, label="command")
    for note in step.notes:
        yield Line(NOTES[note], Tone.NOTE, label="note")


def _differences(found: WhatIf) -> Iterator[Line]:
    changed = [one for one in found.differences if one.changes]
    if not changed and not found.carried_out:
        return
    if not changed:
        kinds = "no address changes its answer, for packets made here"
        rules = [one for one in found.differences if one.rule is not None]
        also = f" and of the kind that {count_text(len(rules), 'rule')} match" if rules else ""
        yield Line(f"{kinds}{also}; ask with a FLOW about others", Tone.GOOD, label="changes")
    for one in changed:
        yield from _difference(one)
    if not found.whole:
        yield Line("there are too many prefixes: not all was looked at", Tone.UNKNOWN)


def _difference(one: Difference) -> Iterator[Line]:
    count = addresses_count(sum(change.addresses.count for change in one.changes))
    which = ""
    if one.rule is not None:
        words = str(one.flow).partition(" ")[2]
        which = f", for packets with {printable(words)} (rule {rule_text(one.rule)})"
    verb = "changes its answer" if count.startswith("1 ") else "change their answer"
    yield Line(f"IPv{one.flow.family}: {count} {verb}{which}", Tone.NOTE, label="changes")
    for change in one.changes[:MOST_CHANGES]:
        yield Line(_change_text(change), tone_of(change.after.outcome), 1)
    if len(one.changes) > MOST_CHANGES:
        yield Line(f"{len(one.changes) - MOST_CHANGES:,} more changes", Tone.NOTE, 1)


def _change_text(change: Change) -> str:
    where = f"{prefixes_text(change.addresses)} ({addresses_count(change.addresses.count)})"
    old, new = answer_text(change.before), answer_text(change.after)
    if old != new:
        return f"{where}: {old} → {new}"
    old, new = because_text(change.before), because_text(change.after)
    if old != new:
        return f"{where}: {answer_text(change.after)}, but by {new} instead of {old}"
    return f"{where}: {answer_text(change.after)}; the encrypted packet goes another way"
