"""Are real hosts, as the standard tools print them, explained rightly through ``--source FOLDER``?

``facts/make.sh`` builds them in namespaces and runs the commands of contract §3; one folder is
written by hand, in the words of older tools. ``expected.json`` holds the questions, with any part
of contract §4's answer.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scenario import Question, check, differences
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.report.as_json import lookup_json
from wgtui.sources import open_source

FACTS = Path(__file__).parent / "facts"
FOLDERS = sorted(path.parent for path in FACTS.glob("*/expected.json"))
MADE = [folder for folder in FOLDERS if (folder / "wg.dump").exists()]
"""By make.sh."""


def read(name: str) -> Snapshot:
    """The snapshot of one folder, the way ``--source`` opens it."""
    return open_source(str(FACTS / name)).read()


def questions(folder: Path) -> list[Question]:
    """What is asked about it."""
    document = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert set(document) == {"title", "source", "ask"}
    return [check(folder.name, ask) for ask in document["ask"]]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_host_is_explained(folder: Path) -> None:
    """Every question about a real host gets the answer that its packets would."""
    snapshot = read(folder.name)
    wrong = [
        f"{question.flow}: {difference}"
        for question in questions(folder)
        for difference in differences(
            question.expected,
            lookup_json(snapshot, lookup(snapshot, Flow.parse(question.flow))),
        )
    ]
    assert not wrong, "\n".join([folder.name, *wrong])


@pytest.mark.parametrize("folder", MADE, ids=lambda folder: folder.name)
def test_no_private_key_is_kept(folder: Path) -> None:
    """A facts folder can be attached to a bug report: its keys are public ones."""
    for line in (folder / "wg.dump").read_text().splitlines():
        columns = line.split("\t")
        assert columns[1 if len(columns) == 5 else 2] == "(hidden)"
    for path in folder.glob("conf/*.conf"):
        assert "PrivateKey" not in path.read_text()


def test_every_host_that_the_tools_printed_is_read_without_a_gap() -> None:
    """Nothing the standard tools print is passed over as unreadable."""
    for folder in MADE:
        gaps = read(folder.name).gaps
        assert {gap.subject for gap in gaps} <= {Subject.CONFIG}, (folder.name, gaps)


def test_what_is_missing_is_a_gap() -> None:
    """A missing file is named where the missing thing would have been (contract §3)."""
    snapshot = read("not-root-with-old-tools")
    subjects = {gap.subject for gap in snapshot.gaps}
    assert {Subject.WIREGUARD, Subject.RULES6, Subject.ROUTES6} <= subjects
    assert subjects.isdisjoint({Subject.RULES4, Subject.ROUTES4, Subject.LINKS})


def test_a_moved_prefix_can_be_seen_beside_what_was_meant() -> None:
    """The configuration gives the prefix to both peers; the kernel left it with the last (S-E2)."""
    snapshot = read("phone-and-laptop")
    device = snapshot.devices[snapshot.links_by_name["wg0"].index]
    kernel = {peer.name: [str(prefix) for prefix in peer.allowed_ips] for peer in device.peers}
    assert kernel == {"PHONE": [], "LAPTOP": ["192.168.43.0/24"]}
    (config,) = snapshot.meant
    assert [peer.allowed_ips_written for peer in config.peers] == [
        ("192.168.43.0/24",),
        ("192.168.43.3/24",),
    ]


def test_a_real_handshake_has_its_age_at_the_moment_of_the_facts() -> None:
    """Ages count from ``taken_at``, so an old folder does not make a fresh handshake stale."""
    snapshot = read("full-tunnel")
    (peer,) = snapshot.devices[snapshot.links_by_name["wg0"].index].peers
    assert peer.last_handshake is not None
    assert 0 <= snapshot.taken_at - peer.last_handshake < 60
    assert (peer.received > 0, peer.sent > 0, peer.keepalive) == (True, True, 25)
