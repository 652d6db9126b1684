"""Do `wgtui drift` and `wgtui diff` say what differs, in words, in JSON and by their exit codes?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from netaddr import IPAddress

from tests.engine.test_changes import host
from wgtui.cli import main
from wgtui.engine.changes import changes
from wgtui.model.change import (
    AddressChange,
    Flood,
    JournalEntry,
    NextHopChange,
    PeerChange,
    SessionChange,
    SettingChange,
    SightChange,
    SubjectChange,
    SysctlChange,
)
from wgtui.model.finding_facts import Who
from wgtui.model.network import LinkAddress
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.report.change_words import change_text, clock_text, difference, journal
from wgtui.report.line import Tone
from wgtui.sources.demo import DemoSource
from wgtui.sources.saved import save
from wgtui.sources.shorthand_wireguard import vanity_key

FACTS = Path(__file__).parent / "facts"


def run(*argv: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and stdout."""
    code = main(argv)
    return code, capsys.readouterr().out


def saved(snapshot: Snapshot, path: Path) -> str:
    """The name of a file with it."""
    save(snapshot, path)
    return str(path)


# ------------------------------------------------------------------------------------------- drift


def test_the_demo_has_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    """One prefix moved; another is owned and not routed there; the rest is as it was meant."""
    code, text = run("drift", "--demo", capsys=capsys)
    assert code == 1
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "✘ otherwise than meant: wg1"
    assert "✘ 10.31.0.0/24 yes moved to lon3 here" in lines
    assert "✘ 10.31.0.0/24 yes, extra here" in lines
    assert "! 172.30.7.0/24 yes yes elsewhere: wg0" in lines
    assert "! 10.33.0.0/24 yes also meant for nas9 here" in lines
    assert "0.0.0.0/0 yes yes here by default" in lines
    assert sum(line.startswith("✘ peer") for line in lines) == 2


def test_a_peer_is_no_better_than_its_prefixes(capsys: pytest.CaptureFixture[str]) -> None:
    """Its mark is the worst of theirs: whoever looks down the peers misses none."""
    _, text = run("drift", "--demo", "--ascii", capsys=capsys)
    worst = {" ": 0, "+": 0, "!": 1, "x": 2}
    marks: list[tuple[str, list[int]]] = []
    for line in text.splitlines()[1:]:
        if line[2:].startswith("peer "):
            marks.append((line, []))
        elif marks and not line[2:].startswith("device "):
            marks[-1][1].append(worst[line[0]])
    assert len(marks) == 10
    for head, inside in marks:
        assert worst[head[0]] == max(inside), head


def test_drift_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same, for programs."""
    code, text = run("drift", "--demo", "--json", capsys=capsys)
    document = json.loads(text)
    assert (code, document["schema"]) == (1, "wgtui.drift/1")
    devices = {device["device"]: device for device in document["devices"]}
    assert (devices["wg0"]["drifted"], devices["wg1"]["drifted"]) == (False, True)
    peers = {peer["name"]: peer for peer in devices["wg1"]["peers"]}
    [moved] = [entry for entry in peers["ams2"]["entries"] if entry["state"] == "moved"]
    assert moved["prefix"] == "10.31.0.0/24"
    assert moved["owner"] == peers["lon3"]["peer"]
    [away] = [e for e in peers["bru5"]["entries"] if e["prefix"] == "172.30.7.0/24"]
    assert away["routed"] == "nothing"
    assert away["elsewhere"] == [
        {"first": "172.30.7.0", "last": "172.30.7.255", "link": "wg0", "outcome": None}
    ]


def test_a_host_that_is_as_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and exits with 0."""
    peers = "peer A allowed-ips 10.1.0.0/16"
    snapshot = host(peers, routes="10.1.0.0/16 dev wg0", meant=f"wg0\n {peers}")
    code, text = run("drift", "--source", saved(snapshot, tmp_path / "a"), capsys=capsys)
    assert (code, text.splitlines()[0]) == (0, "✔ everything is as it was meant")


def test_a_host_without_configurations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to compare with is not the same as nothing differs, but no difference either."""
    snapshot = host("peer A allowed-ips 10.1.0.0/16")
    code, text = run("drift", "--source", saved(snapshot, tmp_path / "a"), capsys=capsys)
    assert code == 0
    assert "No configuration says" in text
    assert "wg0: no configuration" in text


def test_of_thousands_of_peers_only_those_that_differ_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the number of the others."""
    meant = "\n".join(f" peer P{n} allowed-ips 10.0.{n}.0/24" for n in range(250))
    actual = meant.replace("10.0.7.0/24", "10.9.7.0/24").replace("\n ", "\n")
    snapshot = host(actual.strip(), meant=f"wg0\n{meant}")
    code, text = run("drift", "--source", saved(snapshot, tmp_path / "a"), capsys=capsys)
    assert code == 1
    assert "249 peers as meant, not listed" in text
    assert text.count("peer    ") == 1


def test_what_is_listed_is_bounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A device that has nothing of what was meant does not fill a hundred screens; the JSON has it
    all."""
    meant = "\n".join(f" peer P{n} allowed-ips 10.0.{n}.0/24" for n in range(250))
    file = saved(host("", meant=f"wg0\n{meant}"), tmp_path / "a")
    _, text = run("drift", "--source", file, capsys=capsys)
    assert "! peers   50 more peers, not listed" in text
    _, text = run("drift", "--json", "--source", file, capsys=capsys)
    assert len(json.loads(text)["devices"][0]["peers"]) == 250
    many = ",".join(f"10.{n >> 8}.{n & 255}.0/24" for n in range(1100))
    actual = host(f"peer A allowed-ips {many}", meant=f"wg0\n peer A allowed-ips {many},fd00::/8")
    _, text = run("drift", "--source", saved(actual, tmp_path / "b"), capsys=capsys)
    assert "101 more prefixes, not listed" in text
    assert "✘           fd00::/8" in text


def test_words_for_commands_that_take_none(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 2."""
    assert main(["drift", "wg0", "--demo"]) == 2
    assert main(["diff", "demo"]) == 2
    assert main(["diff", "a", "b", "c"]) == 2
    assert capsys.readouterr().err.count("\n") == 3


# -------------------------------------------------------------------------------------------- diff


def test_two_equal_snapshots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing changed: exit code 0."""
    file = saved(DemoSource().read(), tmp_path / "a")
    assert run("diff", "demo", file, capsys=capsys) == (0, "✔ nothing changed\n")


def test_what_changed_between_two_snapshots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A move, a route that leads another way, a setting: exit code 1."""
    before = host(
        "peer A allowed-ips 10.1.0.0/16\npeer B", routes="10.1.0.0/16 via 192.0.2.1 dev eth0"
    )
    after = host(
        "peer A\npeer B allowed-ips 10.1.0.0/16",
        routes="10.1.0.0/16 dev wg0 metric 5",
        sysctls="net.ipv4.conf.eth0.rp_filter = 1",
    )
    files = [saved(before, tmp_path / "a"), saved(after, tmp_path / "b")]
    code, text = run("diff", *files, capsys=capsys)
    assert code == 1
    assert text.splitlines() == [
        "  4 changes",
        "! owner   10.1.0.0/16 on wg0 moved from A to B",
        "  route   removed from main: 10.1.0.0/16 via 192.0.2.1 dev eth0 proto boot",
        "  route   added to main: 10.1.0.0/16 dev wg0 metric 5 proto boot scope link",
        "  sysctl  net.ipv4.conf.eth0.rp_filter is 1, was 0",
    ]
    code, text = run("diff", "--json", *files, capsys=capsys)
    document = json.loads(text)
    assert (code, document["schema"]) == (1, "wgtui.diff/1")
    moved, _, added, sysctl = document["changes"]
    assert (moved["kind"], moved["device"], moved["prefix"]) == ("entry", "wg0", "10.1.0.0/16")
    assert (moved["before"], moved["after"]) == (vanity_key("A"), vanity_key("B"))
    assert (added["kind"], added["table"], added["before"]) == ("route", 254, None)
    assert (sysctl["setting"], sysctl["before"], sysctl["after"]) == (
        "net.ipv4.conf.eth0.rp_filter",
        0,
        1,
    )


def test_a_source_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, whichever of the two it is."""
    assert main(["diff", "demo", "/nowhere"]) == 3
    assert main(["diff", "/nowhere", "demo"]) == 3
    assert "/nowhere" in capsys.readouterr().err


def test_folders_can_be_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with itself, and with another one."""
    loop, pair = str(FACTS / "loop"), str(FACTS / "phone-and-laptop")
    assert run("diff", loop, loop, capsys=capsys)[0] == 0
    assert run("diff", loop, pair, capsys=capsys)[0] == 1


# ------------------------------------------------------------------------------------------- words

A = Who(vanity_key("A"), "A")


def test_names_from_outside_are_made_harmless() -> None:
    """In every sentence that has one."""
    evil = Who("k" * 44, "\x1b[2J")
    texts = [
        change_text(PeerChange("wg\x1b", evil, True)),
        change_text(SessionChange("wg\x1b", evil, True)),
        change_text(SettingChange("wg\x1b", "alias", "\x1b", "\u202e", evil)),
        change_text(SubjectChange(Subject.CONFIG, "/etc/\x1b")),
        change_text(SightChange(Subject.LINKS, "\x1b", False, "\x1b")),
        change_text(Flood("peer", "\x1b", added=3)),
    ]
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Flood("route", "254", 4, 41000, 100, 100),
         "41,200 IPv4 routes changed in table main: 41,000 added, 100 removed, 100 changed"),
        (Flood("rule", "", None, 60), "60 rules changed: 60 added"),
        (SessionChange("wg0", A, False), "peer A on wg0 has not shaken hands for 3 minutes"),
        (SysctlChange("net/ipv4/conf/eth0.7/rp_filter", 1, 2),
         "net.ipv4.conf.eth0/7.rp_filter is 2, was 1"),
        (NextHopChange(7, True, False), "next-hop object 7 is gone"),
        (SightChange(Subject.ROUTES6, "", True), "the IPv6 routes can be seen again"),
        (SubjectChange(Subject.FIREWALL), "the firewall changed"),
        (AddressChange("eth0", LinkAddress(IPAddress("192.0.2.1"), Prefix.parse("192.0.2.0/24")),
                       None), "address 192.0.2.1/24 removed from eth0"),
    ],
)  # fmt: skip
def test_what_a_change_is_called(change: object, text: str) -> None:
    """One sentence each."""
    assert change_text(change) == text  # type: ignore[arg-type]


def test_a_journal_has_the_newest_first_and_counts_what_flaps() -> None:
    """Each with its time; what flaps is marked."""
    moved = changes(
        host("peer A allowed-ips 10.1.0.0/16\npeer B"),
        host("peer A\npeer B allowed-ips 10.1.0.0/16"),
    )[0]
    entries = [JournalEntry(1000, moved, 7, 820), JournalEntry(5, SessionChange("wg0", A, True))]
    first, second = journal(entries, 1000)
    assert first.text.startswith("flapping, 7 times in 3m00s: 10.1.0.0/16 on wg0 moved from A to B")
    assert first.tone is Tone.NOTE
    assert first.label == clock_text(1000, 1000)
    assert second.text == "peer A on wg0 has shaken hands"
    assert clock_text(0, 10 * 86400).startswith("19")
    assert journal([], 0)[0].text == "Nothing has changed since wgtui was started."


def test_an_empty_difference_says_so() -> None:
    """In one line."""
    assert [line.text for line in difference(())] == ["nothing changed"]
