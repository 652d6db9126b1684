"""Do the situations people really were in get the right answer?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario import FOLDER, ScenarioError, differences, load
from wgtui.engine.lookup import lookup
from wgtui.errors import FormatError
from wgtui.model.flow import Flow
from wgtui.report.as_json import lookup_json
from wgtui.sources.shorthand import HostLines, read_host

FILES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_situation_is_explained(path: Path) -> None:
    """Every question of the scenario gets the answer its source documents."""
    scenario = load(path)
    wrong = [
        f"{question.flow}: {difference}"
        for question in scenario.questions
        for difference in differences(
            question.expected,
            lookup_json(scenario.snapshot, lookup(scenario.snapshot, Flow.parse(question.flow))),
        )
    ]
    assert not wrong, "\n".join([scenario.title, scenario.source, *wrong])


def test_a_scenario_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    """A typo in a scenario is an error, not an assertion that silently does not happen."""
    good = '[host]\nlinks = ""\n[[ask]]\nflow = "10.0.0.1"\n'
    for text in (
        f'titel = "x"\nsource = "x"\n{good}',
        f'title = "x"\nsource = "x"\n{good}outcom = "sent"\n',
        f'title = "x"\nsource = "x"\n{good}out.route.devv = "eth0"\n',
        f'title = "x"\nsource = "x"\n{good.replace("links", "likns")}',
    ):
        path = tmp_path / "x.toml"
        path.write_text(text)
        with pytest.raises(ScenarioError, match="unknown key"):
            load(path)


@pytest.mark.parametrize(
    "lines",
    [
        HostLines(links="eth0 UP 192.0.2.400/24"),
        HostLines(rules4="10: from all lokup main"),
        HostLines(rules4="10: from all fwmark 1"),
        HostLines(routes4="10.0.0.0/8 dev nosuch"),
        HostLines(routes6="10.0.0.0/8 dev lo"),
        HostLines(links="wg0 UP", wireguard="peer A allowed-ips 10.0.0.0/8"),
        HostLines(links="wg0 UP", wireguard="wg0\npeer A alowed-ips 10.0.0.0/8"),
        HostLines(sysctls="net.ipv4.conf.eth7.rp_filter = 1"),
    ],
    ids=("address", "rule-word", "no-action", "link", "family", "no-device", "peer-word", "sysctl"),
)
def test_a_line_with_a_typo_is_refused(lines: HostLines) -> None:
    """A word in the shorthand that means nothing is an error with its section and line."""
    with pytest.raises(FormatError, match=r", line [12]: "):
        read_host(lines)


def test_every_scenario_names_its_source() -> None:
    """A scenario says which case or golden rule, and which statements (S-…), it stands on."""
    for path in FILES:
        assert "S-" in load(path).source, path.name
