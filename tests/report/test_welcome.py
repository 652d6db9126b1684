"""Does the first screen say what this host is, what is seen, what is missing, what to do next?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.report.line import Tone
from wgtui.report.welcome import SUBJECTS, gap_sentence, shown_gaps, state_line, welcome
from wgtui.sources.demo import DemoSource

DEMO = DemoSource().read()
EMPTY = Snapshot(taken_at=0.0)
NO_ROOT = Gap(Subject.WIREGUARD, "Operation not permitted", "run as root")


def texts(snapshot: Snapshot) -> list[str]:
    """The words of the first screen."""
    return [line.text for line in welcome(snapshot)]


def test_it_asks_for_an_address_first() -> None:
    """The first line is what to do, and fits on 80 columns."""
    for snapshot in (DEMO, EMPTY):
        assert texts(snapshot)[0].startswith("Type an address")
        assert len(texts(snapshot)[0]) <= 78


def test_it_says_what_is_seen() -> None:
    """Host, kernel, counts and the WireGuard devices."""
    seen = next(line.text for line in welcome(DEMO) if line.label == "seen")
    for words in ("edge-1", "6.1.0-28-amd64", "7 links", "13 rules", "wg0 1 peer", "wg1 8 peers"):
        assert words in seen


def test_its_examples_are_questions_this_host_can_answer() -> None:
    """One on the way out, one on the way in, both understood and delivered."""
    (line,) = [line for line in welcome(DEMO) if line.label == "try"]
    examples = line.text.split("   ")
    assert len(examples) == 2
    for example in examples:
        assert lookup(DEMO, Flow.parse(example)).outcome.good


def test_a_host_without_wireguard_says_so_and_offers_the_demo() -> None:
    """Nothing there is something to say."""
    assert any("no WireGuard" in text and "wgtui --demo" in text for text in texts(EMPTY))
    assert not any("no WireGuard" in text for text in texts(DEMO))


def test_what_may_be_hidden_is_not_denied() -> None:
    """Without the right to look there may be WireGuard; a wireguard link shows that there is."""
    link = Link(LinkIndex(3), "wg0", "wireguard")
    for hidden in (replace(EMPTY, gaps=(NO_ROOT,)), replace(EMPTY, links={LinkIndex(3): link})):
        assert not any("no WireGuard" in text for text in texts(hidden))


def test_every_gap_is_named_with_its_remedy() -> None:
    """Once each, in the order they were met."""
    gaps = (NO_ROOT, Gap(Subject.ROUTES6, "no file route6.json"), NO_ROOT)
    snapshot = replace(DEMO, gaps=gaps)
    shown = [line.text for line in welcome(snapshot) if line.tone is Tone.UNKNOWN]
    assert shown == [
        "WireGuard peers: Operation not permitted — run as root",
        "IPv6 routes: no file route6.json",
    ]
    assert shown_gaps(snapshot) == list(gaps[:2])
    assert "2 gaps" in state_line(snapshot)


@pytest.mark.parametrize("subject", Subject)
def test_every_subject_of_a_gap_has_words(subject: Subject) -> None:
    """Not the code, but what a person calls it."""
    assert gap_sentence(DEMO, Gap(subject, "why")) == f"{SUBJECTS[subject]}: why"
    assert len(set(SUBJECTS.values())) == len(Subject)


def test_a_gap_of_one_link_names_the_link() -> None:
    """The other devices were seen."""
    wg1 = DEMO.links_by_name["wg1"].index
    gap = Gap(Subject.WIREGUARD, "no answer", link=wg1)
    assert gap_sentence(DEMO, gap) == "WireGuard peers of wg1: no answer"


def test_the_state_line_is_one_short_line() -> None:
    """Which host, which source, how much; no gap is claimed where there is none."""
    text = state_line(DEMO)
    assert text.startswith("edge-1 · demo · 7 links · ")
    assert "gap" not in text
    assert len(text) <= 78
    assert "namespace blue" in state_line(replace(DEMO, namespace="blue"))
    assert state_line(EMPTY).startswith("this host")
