"""Does the explanation say why in sentences, and which commands prove it?"""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome, Reason
from wgtui.report.explain import commands, explain
from wgtui.report.line import Tone
from wgtui.report.verdict import verdict
from wgtui.sources.demo import TOUR, DemoSource

DEMO = DemoSource().read()
FLOWS = [flow for flow, _, _ in TOUR]


def told(flow: str, label: str, snapshot: Snapshot = DEMO) -> list[str]:
    """The lines under a label, the unlabelled ones behind it included."""
    texts, here = [], ""
    for line in explain(snapshot, lookup(snapshot, Flow.parse(flow)))[1:]:
        here = line.label or here
        texts += [line.text] if here == label else []
    return texts


def proofs(flow: str, snapshot: Snapshot = DEMO) -> list[str]:
    """The commands."""
    return list(commands(snapshot, lookup(snapshot, Flow.parse(flow))))


@pytest.mark.parametrize("flow", FLOWS)
def test_it_begins_with_the_verdict_and_ends_with_proof(flow: str) -> None:
    """The same first line as the answer, sentences with a full stop, then commands, each once."""
    trace = lookup(DEMO, Flow.parse(flow))
    first, *_, last = explain(DEMO, trace)
    assert first == verdict(DEMO, trace)
    assert all(text.endswith(".") for text in told(flow, "why"))
    assert last.text == told(flow, "prove")[-1]
    assert len(told(flow, "prove")) == len(set(told(flow, "prove")))


@pytest.mark.parametrize("flow", FLOWS)
def test_the_commands_only_look(flow: str) -> None:
    """Nothing that is shown under ``prove`` changes a host."""
    for command in told(flow, "prove"):
        words = shlex.split(command)
        assert words[0] in ("ip", "wg", "sysctl")
        assert not {"add", "del", "set", "replace", "change", "-w", "flush"} & set(words)
        assert words[0] == "sysctl" or {"get", "show"} & set(words)


@pytest.mark.parametrize(("flow", "outcome"), [(flow, outcome) for flow, outcome, _ in TOUR])
def test_advice_is_for_what_does_not_arrive(flow: str, outcome: str) -> None:
    """A packet that arrives needs none; the failures of WireGuard and its filters all have one."""
    advised = {
        "no-peer", "no-endpoint", "loop", "not-forwarded", "not-allowed", "rpf-dropped",
        "link-down", "outer-failed",
    }  # fmt: skip
    trace = lookup(DEMO, Flow.parse(flow))
    foreign = trace.reason is Reason.SOURCE_NOT_LOCAL  # it may have been meant as an arriving one
    assert bool(told(flow, "do")) == (outcome in advised or foreign)
    lines = explain(DEMO, trace)
    assert all(line.tone is Tone.NOTE for line in lines if line.label == "do")


def test_wg_quick_is_explained() -> None:
    """Suppressed default, table 51820, the owner, and the mark that leads around the device."""
    why = " ".join(told("198.51.100.99", "why"))
    for words in (
        "Rule 32764 found default in table main, and suppress_prefixlength 0 discards it",
        "Rule 32765 decides",
        "fra1's 0.0.0.0/0",
        "mark 0xca6c (which rule 32765 excludes)",
    ):
        assert words in why


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        ("10.35.0.1", "gateway 10.20.0.5 means nothing to WireGuard"),
        ("10.44.0.1", "no AllowedIPs entry covers 10.44.0.1"),
        ("10.44.0.1", "Required key not available"),
        ("10.20.0.50", "Destination address required"),
        ("10.20.0.50", "Where laptop is, nobody knows until it calls"),
        ("198.51.100.195", "comes back to the same peer"),
        ("10.30.4.1", "wg0 encrypts it again: 60 (IPv4) or 80 (IPv6) bytes less MTU"),
        ("172.30.7.9", "bru5 on wg1 (172.30.7.0/24) owns 172.30.7.9, but what it sends"),
        ("198.51.100.77", "Rule 31000 may or may not match"),
        ("198.51.100.99 mark 0xdead", "Rule 30900 decides by itself: prohibit"),
        ("192.168.10.20 from 10.30.5.7 iif wg1 peer ams2", "must be the sender's own"),
        ("192.168.10.20 from 172.30.7.9 iif wg1 peer bru5", "strict wants wg1 itself"),
        ("10.36.1.1", "does not leave: unreachable"),
    ],
)
def test_the_mistakes_are_explained(flow: str, words: str) -> None:
    """Each mistake of the demo has the sentence that a person needs."""
    assert words in " ".join(told(flow, "why"))


def test_the_commands_are_about_the_same_packet() -> None:
    """Mark, family and table are those of the flow and of its encrypted packet."""
    assert proofs("2001:db8:ffff::1")[:3] == [
        "ip -6 route get 2001:db8:ffff::1",
        "ip -6 rule show",
        "ip -6 route show table 51820 match 2001:db8:ffff::1",
    ]
    outer = "ip route get 198.51.100.4 mark 0xca6c uid 0 ipproto udp sport 51820 dport 51820"
    assert outer in proofs("2001:db8:ffff::1")
    assert proofs("10.30.5.1 mark 16 tos 8 uid 7 oif wg1")[0] == (
        "ip route get 10.30.5.1 oif wg1 mark 0x10 tos 0x8 uid 7"
    )


def test_the_commands_enter_the_namespace() -> None:
    """A snapshot of another namespace is proved there."""
    inside = replace(DEMO, namespace="blue")
    assert proofs("10.30.5.1", inside)[0].startswith("ip -n blue route get ")
    assert "ip netns exec blue wg show wg1 allowed-ips" in proofs("10.30.5.1", inside)


def test_a_name_cannot_break_out_of_its_command() -> None:
    """What a shell would obey is quoted."""
    evil = "x;$(reboot)"
    wg1 = DEMO.links_by_name["wg1"].index
    links = {**DEMO.links, wg1: replace(DEMO.links[wg1], name=evil)}
    devices = {**DEMO.devices, wg1: replace(DEMO.devices[wg1], name=evil)}
    snapshot = replace(DEMO, links=links, devices=devices, namespace=evil)
    trace = lookup(snapshot, Flow.parse("10.20.0.1 from 10.30.5.7 iif wg0"))
    flow = trace.flow._replace(iif=evil)
    for command in commands(snapshot, lookup(snapshot, flow)):
        assert evil in shlex.split(command) or any(evil in word for word in shlex.split(command))
        assert f"'{evil}'" in command


def test_every_failure_of_the_tour_is_explained_or_plain() -> None:
    """Only where the verdict says all there is to say may the reasons be missing."""
    silent = {lookup(DEMO, Flow.parse(flow)).outcome for flow in FLOWS if not told(flow, "why")}
    assert silent <= {Outcome.NO_ROUTE, Outcome.MARTIAN}
