"""Do the situations people really were in get the right answer?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario import FOLDER, ScenarioError, differences, load
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.report.as_json import lookup_json

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


def test_every_scenario_names_its_source() -> None:
    """A scenario says which case or golden rule, and which statements (S-…), it stands on."""
    for path in FILES:
        assert "S-" in load(path).source, path.name
