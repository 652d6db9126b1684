"""Predictions in words and as JSON, on the invented host."""

from __future__ import annotations

import json

import pytest

from wgtui.cli import main
from wgtui.engine.what_if.applied import Note, Objection
from wgtui.report.what_if import NOTES, OBJECTIONS

ROUTE = "ip route add 172.30.7.0/24 dev wg1"


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and stdout of a command about the demo."""
    code = main(["whatif", *words, "--demo"])
    return code, capsys.readouterr().out


def test_a_missing_route_is_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    """Ranges with before and after, and the findings that go."""
    code, out = shown(capsys, ROUTE)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == f"▶ command {ROUTE}"
    assert lines[1] == "! changes IPv4: 256 addresses change their answer"
    assert "172.30.7.0/24 (256 addresses): encrypted: fra1 on wg0 → encrypted: bru5 on wg1" in out
    assert "✔ gone    unrouted-prefix: bru5 owns 172.30.7.0/24" in out


def test_what_would_be_refused_is_told_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    """In the kernel's own words."""
    code, out = shown(capsys, "ip route add 10.30.0.0/16 dev wg1")
    assert code == 1
    assert "would be refused: File exists" in out
    assert len(out.splitlines()) == 1


def test_an_empty_difference_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """It is like that already."""
    code, out = shown(capsys, "ip route replace 10.30.0.0/16 dev wg1")
    assert code == 0
    assert "! note    it is like that already" in out
    assert "no address changes its answer" in out


def test_a_flow_is_answered_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    """The same packet twice."""
    _, out = shown(capsys, ROUTE, "172.30.7.9", "mark", "0")
    assert "before  ENCRYPTED  172.30.7.9 goes to peer fra1 on wg0" in out
    assert "after   ENCRYPTED  172.30.7.9 goes to peer bru5 on wg1" in out


def test_several_commands_follow_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """The second meets what the first has made; together they change nothing."""
    code, out = shown(capsys, ROUTE, ROUTE, "ip route del 172.30.7.0/24 dev wg1")
    assert code == 1
    assert out.count("▶ command") == 2
    assert "File exists" in out


def test_forgotten_quotes_are_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """Words that begin like a command are one."""
    assert shown(capsys, *ROUTE.split()) == shown(capsys, ROUTE)


def test_the_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, ranges, findings, and the flow's answers."""
    _, out = shown(capsys, "--json", ROUTE, "172.30.7.9")
    found = json.loads(out)
    assert found["schema"] == "wgtui.whatif/1"
    assert found["commands"][0]["refused"] is None
    [change] = found["changes"]
    [only] = change["ranges"]
    assert only["prefixes"] == ["172.30.7.0/24"]
    assert only["before"]["owner"]["name"] == "fra1"
    assert only["after"]["owner"]["name"] == "bru5"
    assert {finding["code"] for finding in found["findings"]["gone"]} >= {"unrouted-prefix"}
    assert found["after"]["out"]["owner"]["name"] == "bru5"
    _, out = shown(capsys, "--json", "ip route add 10.30.0.0/16 dev wg1")
    assert json.loads(out)["commands"][0]["refused"] == "file-exists"


def test_words_that_make_no_sense_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, before anything is read."""
    for words in (["10.0.0.1"], ["ip route flush"], [ROUTE, "10.0.0.400"], []):
        assert main(["whatif", *words, "--demo"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_everything_that_can_happen_has_its_words() -> None:
    """Every objection and note, and none twice."""
    assert set(OBJECTIONS) == set(Objection)
    assert set(NOTES) == set(Note)
    assert len(set(OBJECTIONS.values())) == len(OBJECTIONS)
