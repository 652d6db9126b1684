"""Does the prediction of a command equal what comes of running it?

    python -m tests.kernel.fuzz.predict --commands 5000 --seed 7

A command is predicted from what wgtui reads of a random host, then really run, and everything is
read again: refused or not, rules, routes, links, addresses, settings must be as predicted. The
kernel is asked about sampled addresses before and after: whatever changed its answer lies in the
predicted ranges.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Final

from tests.kernel.fuzz.commands import command as next_command
from tests.kernel.fuzz.compare import answers
from tests.kernel.fuzz.dice import Dice
from tests.kernel.fuzz.hosts import host, settled
from tests.kernel.fuzz.worlds import World, make
from wgtui.engine.agreement import differences as disagreements
from wgtui.engine.answer import answer_of
from wgtui.engine.local_tree import merged
from wgtui.engine.lookup import lookup
from wgtui.engine.what_if import Applied, Objection, apply
from wgtui.engine.what_if.applied import Note
from wgtui.engine.what_if.difference import Change, Difference, differences
from wgtui.errors import QueryError, WgtuiError
from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import NextHop, RouteInfo, Rule, Selector
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Refusal
from wgtui.sources.commands import parse_command

PER_WORLD: Final = 8
"""Commands run one after the other on one host."""
SAMPLES: Final = 12
"""Addresses of each family asked before and after."""

SAID: Final = {
    Objection.FILE_EXISTS: ("File exists", "Address already assigned"),
    Objection.NO_SUCH_PROCESS: ("No such process", "FIB table does not exist"),
    Objection.NO_SUCH_FILE: ("No such file or directory", "no match found"),
    Objection.NO_SUCH_LINK: ("Cannot find device",),
    Objection.INVALID_GATEWAY: (
        "invalid gateway",
        "can not be a local address",
        "No route to host",
        "loopback device",
        "Invalid gateway",
        "Network is unreachable",
        "Invalid argument",
    ),
    Objection.NEEDS_LINK: ("No such device", "Invalid argument", "required", "Gateway"),
    Objection.NEEDS_GATEWAY: ("Device only routes",),
    Objection.LINK_DOWN: ("Network is down", "Nexthop device is not up", "Device for nexthop"),
    Objection.HOST_BITS: ("Invalid prefix",),
    Objection.SOURCE_NOT_LOCAL: ("Invalid prefsrc address", "Invalid source address"),
    Objection.INVALID_TOS: ("Invalid argument", "Invalid", "ECN"),
    Objection.GOTO_BACKWARDS: ("Invalid argument", "Backward goto not supported"),
    Objection.NO_SUCH_ADDRESS: ("Cannot assign requested address", "Address not found"),
}
"""What iproute2 or the kernel prints for each refusal."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A command that did something else than predicted."""

    world: World
    ran: tuple[str, ...]
    """What was run before, and last the command itself."""
    what: str
    predicted: str
    got: str

    def __str__(self) -> str:
        lines = [f"# {self.what}: predicted {self.predicted}", f"# got {self.got}"]
        return "\n".join(
            [*lines, "unshare --net bash <<'END'", *self.world.commands, *self.ran, "END"]
        )


@dataclass(slots=True)
class Tally:
    """How a run went."""

    commands: int = 0
    worlds: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unpredicted: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    sampled: int = 0
    changed: int = 0
    """Sampled addresses whose answer the kernel changed."""
    said_unknown: Counter[str] = field(default_factory=Counter)
    """Commands that did what no dump could tell before, and of which that was said."""
    by_themselves: int = 0
    """Sampled addresses whose answer changed with a neighbour, which no command did."""
    misses: list[Miss] = field(default_factory=list)


def run_command(namespace: str, command: str) -> str:
    """What it complained about; empty: it succeeded."""
    words = command.split()
    if words[0] == "ip":
        argv = ["ip", "-n", namespace, *words[1:]]
    else:
        argv = ["ip", "netns", "exec", namespace, *words]
    done = subprocess.run(argv, capture_output=True, text=True)
    complaint = done.stderr.strip().replace("\n", " ")
    return (complaint or f"status {done.returncode}") if done.returncode else ""


def judge(seed: int, number: int, tally: Tally, limit: int = PER_WORLD) -> Iterator[Miss]:
    """Run some commands on one world."""
    dice = Dice(seed, number)
    world = make(dice)
    tally.worlds += 1
    with host(world) as source:
        before = settled(source)
        ran: list[str] = []
        for _ in range(limit):
            command = next_command(dice, before)
            ran.append(command)
            tally.commands += 1
            flows = [Flow.parse(dice.address(family)) for family in (4, 6) for _ in range(SAMPLES)]
            asked = answers(before.namespace, flows)
            try:
                applied = apply(before, parse_command(command))
            except QueryError as error:
                if not run_command(before.namespace, command):
                    yield Miss(world, tuple(ran), "understood", str(error), "success")
                tally.refused["not understood"] += 1
                continue
            complaint = run_command(before.namespace, command)
            after = settled(source)
            if Note.BETWEEN_LEGS in applied.notes and between_legs(applied.snapshot, after):
                tally.said_unknown[Note.BETWEEN_LEGS.value] += 1
                return
            for what, predicted, got in compare(before, applied, complaint, after, tally, command):
                yield Miss(world, tuple(ran), what, predicted, got)
            if applied.objection is None and not complaint:
                known = known_families(applied, after, tally)
                again = answers(after.namespace, flows)
                told = [
                    one for one in zip(flows, asked, again, strict=True) if one[0].family in known
                ]
                for what, predicted, got in samples(before, after, applied, told, tally):
                    yield Miss(world, tuple(ran), what, predicted, got)
            before = after


def compare(
    before: Snapshot,
    applied: Applied,
    complaint: str,
    after: Snapshot,
    tally: Tally,
    command: str,
) -> Iterator[tuple[str, str, str]]:
    """Refused or not, and the facts."""
    objection = applied.objection
    if objection is not None and not objection.by_kernel:
        tally.unpredicted[objection.value] += 1
        return
    if complaint:
        if objection is None:
            yield "refused", "success", complaint
        elif not any(text in complaint for text in SAID[objection]):
            yield "reason", objection.value, complaint
        tally.refused[objection.value if objection else "?"] += 1
        return
    if objection is not None:
        yield "accepted", f"{objection.value} {applied.word}", "success"
        return
    tally.applied[" ".join(command.split()[1:4:2]) if "-" in command[:5] else command[:8]] += 1
    # What a link that comes up has, nobody knows before.
    vague = Note.OWN_IPV6 in applied.notes
    mine, theirs = facts(applied.snapshot, vague), facts(after, vague)
    for part, predicted in mine.items():
        if predicted != theirs[part]:
            missing = [one for one in predicted if one not in theirs[part]]
            extra = [one for one in theirs[part] if one not in predicted]
            yield part, "\n#   ".join(missing[:4]) or "another order", "\n#   ".join(extra[:4])


def facts(snapshot: Snapshot, vague: bool = False) -> dict[str, list[str]]:
    """What routing depends on, as text; ``vague``: without IPv6 and without what the kernel itself
    adds, and whatever carriers."""
    rules = [_brief(rule) for family in (4, 6) for rule in snapshot.rules[family]]
    routes = [
        f"{route.table} {route.destination} {_brief(route.info, vague)}"
        for table in snapshot.routes.values()
        for route in table
        if not vague or (table.family == 4 and route.info.protocol != "kernel")
    ]
    links = [
        f"{link.name} {link.up} "
        f"{[(str(a.address), str(a.prefix)) for a in link.addresses if not vague]}"
        for link in snapshot.links.values()
    ]
    settings = [f"{key} {value}" for key, value in sorted(snapshot.sysctls.items())]
    return {
        "rules": rules,
        "routes": routes,
        "links": links,
        "settings": settings,
        "one tree": [str(merged(snapshot))],
    }


def _brief(thing: Rule | RouteInfo | Selector | NextHop, vague: bool = False) -> str:
    """The fields that say something."""
    told = []
    for one in fields(thing):
        value = getattr(thing, one.name)
        if vague and one.name in ("dead", "linkdown", "metric"):
            continue
        if value == one.default and one.name != "family":
            continue
        if isinstance(value, Selector):
            value = _brief(value)
        elif one.name == "next_hops":
            value = [_brief(leg, vague) for leg in value]
        elif isinstance(value, int):
            value = int(value)
        told.append(f"{one.name}={value}")
    return " ".join(told)


def samples(
    before: Snapshot,
    after: Snapshot,
    applied: Applied,
    told: list[tuple[Flow, KernelAnswer | None, KernelAnswer | None]],
    tally: Tally,
) -> Iterator[tuple[str, str, str]]:
    """What changed for the kernel lies in the predicted ranges, and what they say is right; of each
    address what the kernel answered before and after."""
    found = differences(before, applied.snapshot, applied.touched)
    # The kernel forgets a neighbour that failed when it likes, and then asks its gateway again
    # (neighbour.c:neigh_periodic_work, S-B65).
    neighbours = after.neighbours
    after = replace(after, neighbours=before.neighbours)
    forgot = replace(before, neighbours=neighbours)
    for flow, old, new in told:
        tally.sampled += 1
        bare = next(d for d in found if d.rule is None and d.flow.family == flow.family)
        change = _change(bare, int(flow.destination))
        mine = answer_of(before, lookup(before, flow)), answer_of(after, lookup(after, flow))
        said = (change.before, change.after) if change is not None else None
        if (mine[0] != mine[1]) != (said is not None) or (said is not None and said != mine):
            yield f"answer to {flow}", str(said), str(mine)
        if _visible(old) == _visible(new) or _by_object(before, flow) or _by_object(after, flow):
            continue
        if answer_of(forgot, lookup(forgot, flow)) != mine[0]:
            tally.by_themselves += 1
            continue
        tally.changed += 1
        if change is None:
            why = _compared(before, flow, old), _compared(after, flow, new)
            yield f"kernel's answer to {flow}", "no change", f"{old} then {new}; the engine: {why}"


def between_legs(predicted: Snapshot, after: Snapshot) -> bool:
    """Do they differ in no more than IPv6 routes without a gateway which a dump hid before, or
    hides now (``what_if.routes.may_uncover``)?"""
    mine, theirs = facts(predicted), facts(after)
    differ = {part for part in mine if mine[part] != theirs[part]}
    if differ != {"routes"}:
        return False
    lines = set(mine["routes"]) ^ set(theirs["routes"])
    plain = {
        f"{route.table} {route.destination} {_brief(route.info)}"
        for snapshot in (predicted, after)
        for (family, _), table in snapshot.routes.items()
        for route in table
        if family == 6
        and route.info.nexthop_id is None
        and not any(leg.gateway is not None for leg in route.info.next_hops)
    }
    return bool(lines) and lines <= plain


def known_families(applied: Applied, after: Snapshot, tally: Tally) -> tuple[int, ...]:
    """Of which family are answers predicted? Of what a link does that comes up not everything is,
    and its carrier was taken for granted; both is said."""
    if Note.OWN_IPV6 not in applied.notes:
        return 4, 6
    carriers = [
        [(link.name, link.carrier) for link in snapshot.links.values() if link.up]
        for snapshot in (applied.snapshot, after)
    ]
    if Note.CARRIER_ASSUMED in applied.notes and carriers[0] != carriers[1]:
        tally.said_unknown[Note.CARRIER_ASSUMED.value] += 1
        return ()
    tally.said_unknown[Note.OWN_IPV6.value] += 1
    return (4,)


def _compared(
    snapshot: Snapshot, flow: Flow, answer: KernelAnswer | None
) -> tuple[Refusal, ...] | None:
    """Where the engine differs from the kernel, which says whose the mistake is; None: there is
    nothing to compare."""
    return disagreements(snapshot, lookup(snapshot, flow), answer) if answer is not None else None


def _by_object(snapshot: Snapshot, flow: Flow) -> bool:
    """Of the routes that share an IPv6 next-hop object the kernel's cached answer names any
    (route.c:rt6_get_pcpu_route), and not always the same."""
    route = lookup(snapshot, flow).route
    winner = route.route if route is not None else None
    return winner is not None and flow.family == 6 and winner.info.nexthop_id is not None


def _visible(answer: KernelAnswer | None) -> object:
    """The source is no part of an answer here, and a hash picks among several legs."""
    if answer is None:
        return None
    one_tree = answer.table in (254, 255)  # which of both is told depends on S-A5
    return answer.errno, answer.type, one_tree or answer.table, answer.prefix


def _change(found: Difference, address: int) -> Change | None:
    for change in found.changes:
        if address in change.addresses:
            return change
    return None


def run(
    seed: int, commands: int, report: Callable[[Miss], None] | None = None, first: int = 0
) -> Tally:
    """Worlds one after the other until so many commands were run."""
    tally = Tally()
    while tally.commands < commands:
        for miss in judge(seed, first + tally.worlds, tally):
            tally.misses.append(miss)
            if report is not None:
                report(miss)
            break  # what follows in this world may follow from it
    return tally


def main(argv: list[str]) -> int:
    """The long run: prints each kind of miss once, with what leads to it."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.fuzz.predict")
    parser.add_argument("--commands", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=8, help="how many reproductions")
    options = parser.parse_args(argv)
    shown = 0

    def report(miss: Miss) -> None:
        nonlocal shown
        shown += 1
        if shown <= options.show:
            sys.stdout.write(f"{miss}\n\n")
            sys.stdout.flush()

    tally = run(options.seed, options.commands, report)
    sys.stdout.write(
        f"{tally.commands} commands in {tally.worlds} worlds, {len(tally.misses)} misses, "
        f"{tally.sampled} addresses sampled, {tally.changed} of them changed, "
        f"{tally.by_themselves} with a neighbour\n"
        f"said unknown: {tally.said_unknown.total()} {dict(tally.said_unknown)}\n"
        f"refused: {dict(tally.refused.most_common())}\n"
        f"not predicted: {dict(tally.unpredicted.most_common())}\n"
        f"applied: {dict(tally.applied.most_common())}\n"
    )
    return 1 if tally.misses else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WgtuiError as error:
        sys.exit(f"predict: {error}")
