"""Is the true cause of every trouble that people told of named at once, or why it cannot be?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.findings.test_findings import line
from tests.scenario import FOLDER, differences, read_host_of
from tests.scenario import check as question_of
from wgtui.engine.checks import check
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.report.as_json import lookup_json
from wgtui.report.finding_sentences import finding_text
from wgtui.report.repairs import repair

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TOLD = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
NUMBERS = (
    *(1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 14, 17, 20, 23, 24, 27, 28, 32, 33, 34, 36, 38, 39, 42, 48),
    *range(50, 64),
)
"""Of all the cases."""

FIRST = 3
"""So many findings people read."""

KEYS = {"host", "before", "finding", "says", "fix", "but", "no-finding", "ask", "test"}


def situations() -> list[tuple[str, dict]]:
    """Each with the name of its test."""
    return [
        (f"{case}-{number}" if len(told) > 1 else case, situation)
        for case, told in TOLD.items()
        for number, situation in enumerate(told, 1)
    ]


def host_of(name: str, but: dict) -> Snapshot:
    """A scenario's host, with other lines."""
    path = FOLDER / f"{name}.toml"
    host = tomllib.loads(path.read_text(encoding="utf-8"))["host"]
    assert all(host.get(key) != text for key, text in but.items())
    return read_host_of(path, host | but)


def test_no_case_is_forgotten() -> None:
    """Each has its lines, and they say either a finding, or why there is none and what is told."""
    assert list(TOLD) == [f"C{number:02}" for number in NUMBERS]
    for name, situation in situations():
        assert set(situation) <= KEYS, name
        kinds = {"finding", "no-finding", "test"} & set(situation)
        assert len(kinds) == 1, name
        assert ("ask" in situation) is (kinds == {"no-finding"}), name


@pytest.mark.parametrize(
    "situation", [pytest.param(one, id=name) for name, one in situations() if "finding" in one]
)
def test_the_true_cause_is_among_the_first_three_findings(situation: dict) -> None:
    """With the device, the peer and the prefix; it says what happens, and what would help."""
    snapshot = host_of(situation["host"], situation.get("but", {}))
    before = host_of(situation["before"], {}) if "before" in situation else None
    first = {line(finding): finding for finding in check(snapshot, before)[:FIRST]}
    assert set(situation["finding"]) <= set(first)
    told = [first[wanted] for wanted in situation["finding"]]
    texts = " ".join(finding_text(snapshot, finding) for finding in told)
    assert situation.get("says", "") in texts
    commands = [command for finding in told for command in repair(snapshot, finding)]
    assert "fix" not in situation or any(situation["fix"] in command for command in commands)
    assert all(repair(snapshot, finding) for finding in told if finding.severity.alarming)


@pytest.mark.parametrize(
    "situation", [pytest.param(one, id=name) for name, one in situations() if "ask" in one]
)
def test_what_is_no_finding_is_told_by_the_lookup(situation: dict) -> None:
    """And nothing else is blamed."""
    snapshot = host_of(situation["host"], situation.get("but", {}))
    assert [line(one) for one in check(snapshot) if one.severity.alarming] == []
    for ask in situation["ask"]:
        question = question_of(situation["host"], ask)
        assert question.expected
        answer = lookup_json(snapshot, lookup(snapshot, Flow.parse(question.flow)))
        assert list(differences(question.expected, answer)) == []


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    """The named test is there."""
    for _, situation in situations():
        if "test" in situation:
            file, _, name = situation["test"].partition("::")
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
