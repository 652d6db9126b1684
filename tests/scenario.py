"""How is a scenario file read? One situation per TOML file: a host in shorthand, and questions.

    title = "…"                 what happens, in a sentence
    source = "C02; S-E2"        who had this trouble, and which statements of semantics.md decide it

    [host]                      lines as ``wgtui.sources.shorthand`` reads them
    links = '''…'''             rules4, rules6, routes4, routes6, wireguard, meant, sysctls likewise
    nft = ["…"]                 chains: FAMILY TABLE CHAIN HOOK PRIORITY DOES, then ``ipv6-only``,
                                ``not-from=LINK``, ``beside=PREFIX``; false: not looked at
    gaps = ["wireguard: …"]     what could not be seen, and why
    local_in_main = true        IPv4's merged tree (S-A4); left out: not known

    [elsewhere.NAME]            the same of another namespace, where devices are ``born-in NAME``

    [[ask]]
    flow = "192.168.43.2"       the words of contract §2
    outcome = "encrypted"       … and any part of contract §4's answer
    out.route.dev = "wg0"

Only what is written is compared: tables key by key, lists by position and whole. ``"null"`` stands
for null, which TOML has not. A key that has no meaning is an error, in the expected answer too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from wgtui.model.prefix import Family, Prefix
from wgtui.model.snapshot import Gap, Hook, Snapshot, Subject
from wgtui.sources.shorthand import HostLines, read_host

FOLDER = Path(__file__).parent / "scenarios"

HOST_LINES = {field.name for field in fields(HostLines)}
HOST_KEYS = HOST_LINES | {"nft", "gaps", "local_in_main"}

OWNER = {"device": None, "peer": None, "name": None, "allowed_ip": None}
FILTER = {"device": None, "mode": None, "result": None}
ROUTE_KEYS = ("table", "to", "type", "dev", "via", "metric", "src")
CHAINS = [{**dict.fromkeys(("family", "table", "chain", "hook", "priority")), "does": [None]}]
OUT: dict = {
    "rule": {"priority": None, "table": None},
    "route": {
        **dict.fromkeys(ROUTE_KEYS),
        "next_hops": [{"dev": None, "via": None, "weight": None}],
    },
    "owner": OWNER,
    "endpoint": None,
}
OUT["outer"] = {"outcome": None, "reason": None, "namespace": None, "out": OUT}
ANSWER: dict = {
    "outcome": None,
    "reason": None,
    "out": OUT,
    "back": [
        {
            "device": None,
            "outcome": None,
            "owner": OWNER,
            "rp_filter": FILTER,
            "outer_rp_filter": FILTER,
            "may_be_changed_by": CHAINS,
            "outer_may_be_changed_by": CHAINS,
        }
    ],
    "may_be_changed_by": CHAINS,
    "exactness": None,
    "in": {"outcome": None, "owner": OWNER, "rp_filter": FILTER},
}
"""The shape of contract §4, so far as scenarios ask for it; None is any plain value."""


class ScenarioError(Exception):
    """The file is not a scenario."""


@dataclass(frozen=True, slots=True)
class Question:
    """A flow, and the part of the answer that matters."""

    flow: str
    expected: dict


@dataclass(frozen=True, slots=True)
class Scenario:
    """One situation."""

    name: str
    title: str
    source: str
    snapshot: Snapshot
    questions: tuple[Question, ...]


def load(path: Path) -> Scenario:
    """One file; raises ``ScenarioError`` for everything that has no meaning."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    _refuse(path.name, set(document) - {"title", "source", "host", "ask", "elsewhere"})
    elsewhere = {
        name: replace(read_host_of(path, host), namespace=name)
        for name, host in document.get("elsewhere", {}).items()
    }
    snapshot = replace(read_host_of(path, document["host"]), elsewhere=elsewhere)
    questions = tuple(check(path.name, ask) for ask in document["ask"])
    if not questions:
        raise ScenarioError(f"{path.name} asks nothing")
    return Scenario(path.stem, document["title"], document["source"], snapshot, questions)


def read_host_of(path: Path, host: dict) -> Snapshot:
    """The host that the lines mean; ``path`` is for complaints."""
    _refuse(f"{path.name} [host]", set(host) - HOST_KEYS)
    nft = host.get("nft", [])
    return read_host(
        HostLines(**{key: text for key, text in host.items() if key in HOST_LINES}),
        taken_at=1_700_000_000.0,
        host=path.stem,
        source=str(path),
        local_in_main=host.get("local_in_main"),
        hooks=None if nft is False else tuple(_hook(words) for words in nft),
        gaps=tuple(_gap(text) for text in host.get("gaps", [])),
    )


def check(name: str, ask: dict) -> Question:
    """A question, if everything it expects exists in the contract; else ``ScenarioError``."""
    expected = {key: value for key, value in ask.items() if key != "flow"}
    _check(f"{name}: {ask['flow']}", expected, ANSWER)
    return Question(ask["flow"], expected)


def differences(expected: object, got: object, where: str = "") -> Iterator[str]:
    """Where the answer is not what was expected; nothing when it is."""
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            yield f"{where}: expected {expected}, got {got!r}"
            return
        for key, value in expected.items():
            yield from differences(value, got.get(key, "nothing"), f"{where}.{key}".lstrip("."))
    elif isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            yield f"{where}: expected {len(expected)} entries, got {got!r}"
            return
        for number, (value, found) in enumerate(zip(expected, got, strict=True)):
            yield from differences(value, found, f"{where}[{number}]")
    elif got != (None if expected == "null" else expected):
        yield f"{where}: expected {expected!r}, got {got!r}"


def _check(where: str, expected: object, shape: object) -> None:
    if isinstance(expected, dict) and isinstance(shape, dict):
        _refuse(where, set(expected) - set(shape))
        for key, value in expected.items():
            _check(f"{where}: {key}", value, shape[key])
    elif isinstance(expected, list) and isinstance(shape, list):
        for value in expected:
            _check(where, value, shape[0])
    elif isinstance(expected, dict | list) or (
        shape is not None and expected not in (None, "null")
    ):
        raise ScenarioError(f"{where}: {expected!r} does not have the answer's shape")


def _refuse(where: str, unknown: set[str]) -> None:
    if unknown:
        raise ScenarioError(f"{where}: unknown key {', '.join(sorted(unknown))}")


def _hook(text: str) -> Hook:
    family, table, chain, hook, priority, does, *more = text.split()
    only: dict[str, Family] = {"ipv4-only": 4, "ipv6-only": 6}
    said = dict(word.split("=") for word in more if word not in only)
    if set(said) - {"not-from", "beside"}:
        raise ScenarioError(f"nft: {text!r}: unknown word")
    return Hook(
        family,
        table,
        chain,
        hook,
        int(priority),
        "route" if hook == "output" and does == "mark" else "filter",
        frozenset(does.split(",")),
        next((only[word] for word in more if word in only), None),
        tuple(said[key] for key in ("not-from",) if key in said),
        tuple(Prefix.parse(said[key]) for key in ("beside",) if key in said),
    )


def _gap(text: str) -> Gap:
    subject, _, why = text.partition(": ")
    return Gap(Subject(subject), why)
