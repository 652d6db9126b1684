"""Is every known mistake found where it is, and nowhere else?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.scenario import FOLDER as SCENARIOS
from tests.scenario import load, read_host_of
from wgtui.engine.checks import check
from wgtui.engine.checks.concern import Concerns
from wgtui.engine.lookup import lookup
from wgtui.model.finding import Code, Finding, Severity
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Outcome
from wgtui.report.finding_sentences import finding_text
from wgtui.report.findings import finding_question, findings_json
from wgtui.report.repairs import repair

HERE = Path(__file__).parent
CODES = sorted((HERE / "codes").glob("*.toml"))
HEALTHY = sorted((HERE / "healthy").glob("*.toml"))


def lines(snapshot: Snapshot) -> list[str]:
    """Findings as the files write them: severity, code, device, peer's name, prefix."""
    return [line(finding) for finding in check(snapshot)]


def line(finding: Finding) -> str:
    """``error moved-prefix wg0 A 10.20.0.0/24``; ``-`` for no peer."""
    words = [finding.severity.value, finding.code.value, finding.device or "-"]
    words.append(finding.peer.label if finding.peer else "-")
    return " ".join([*words, str(finding.prefix)] if finding.prefix else words)


def document(path: Path) -> dict:
    """A file of this folder."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CODES, ids=lambda path: path.stem)
def test_the_mistake_is_found_and_the_near_miss_is_not(path: Path) -> None:
    """Exactly what the file says, in its order; of the near miss nothing but notes, and not the
    mistake itself."""
    said = document(path)
    assert lines(read_host_of(path, said["host"])) == said["found"]
    near = lines(read_host_of(path, said["host"] | said["near"]))
    assert near == said["found_near"]
    own = [one for one in said["found"] if one.split()[1] in path.stem]
    assert own
    assert not set(own) & set(near)


def test_every_code_has_its_file() -> None:
    """No code of the contract without a host that has it and one that nearly has."""
    stems = {path.stem for path in CODES}
    assert {code.value for code in Code} <= stems
    assert all("S-" in document(path)["source"] for path in (*CODES, *HEALTHY))


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_a_healthy_host_is_left_in_peace(path: Path) -> None:
    """No error, no warning; and only the notes that the file names."""
    said = document(path)
    assert lines(read_host_of(path, said["host"])) == said["notes"]
    assert all(note.startswith("info ") for note in said["notes"])


CAUSES = {
    "c01-only-the-last-peer-has-the-default": Code.MOVED_PREFIX,
    "c02-phone-dies-when-laptop-is-added": Code.MOVED_PREFIX,
    "c03-healthy-handshakes-of-a-peer-that-owns-nothing": Code.MOVED_PREFIX,
    "c04-one-prefix-cannot-be-shared-but-a-longer-one-can": Code.MOVED_PREFIX,
    "c06-two-half-defaults-on-two-peers": Code.MOVED_PREFIX,
    "c07-a-mask-nobody-meant-takes-the-default": Code.MOVED_PREFIX,
    "c10-two-endpoints-with-the-default": Code.MOVED_PREFIX,
    "c12-between-two-owners-there-is-none": Code.MOVED_PREFIX,
    "g04-host-bits-mean-nothing": Code.MOVED_PREFIX,
    "c14-docker-default-wins-by-metric": Code.DUPLICATE_ROUTE,
    "c20-a-peer-with-the-devices-own-key": Code.OWN_KEY_PEER,
    "c23-allowed-but-not-routed": Code.UNROUTED_PREFIX,
    "c23-allowed-but-not-routed-with-strict-rp-filter": Code.RP_FILTER,
    "c24-a-reload-takes-the-route-of-an-extra-prefix": Code.UNROUTED_PREFIX,
    "c27-tunnel-ends-ping-but-the-lans-do-not": Code.UNROUTED_PREFIX,
    "c28-networkd-allowedips-are-not-routes": Code.UNROUTED_PREFIX,
    "c36-second-tunnel-rides-inside-the-first": Code.ENDPOINT_VIA_TUNNEL,
    "c36-second-tunnel-has-a-mark-no-rule-excludes": Code.ENDPOINT_VIA_TUNNEL,
    "c38-the-answer-leaves-by-the-other-wan": Code.ASYMMETRIC,
    "c39-encrypted-packets-over-two-uplinks": Code.ASYMMETRIC,
    "c42-marked-envelope-meets-the-unreachable-rule": Code.NO_HANDSHAKE,
    "c48-warp-takes-what-wireguard-had": Code.UNROUTED_PREFIX,
    "c50-strict-filter-on-the-wire-drops-the-encrypted-answer": Code.RP_FILTER,
    "c51-restored-mark-alone-does-not-help": Code.RP_FILTER,
    "c51-src-valid-mark-alone-does-not-help": Code.RP_FILTER,
    "c54-endpoint-inside-allowedips-loops": Code.ENDPOINT_LOOP,
    "c55-hub-with-four-mistakes": Code.DUPLICATE_ROUTE,
    "g10-two-tunnels-inside-each-other": Code.ENDPOINT_LOOP,
    "basic-what-could-not-be-read-is-not-empty": Code.PRIVILEGE,
}
"""The cases that have a cause on the host they were told from."""

REPAIRED = (
    "c02-phone-and-laptop-with-a-host-route-each",
    "c32-table-off-leaves-the-default-alone",
    "c32-the-table-you-read-is-not-the-table-used",
    "c33-your-own-ping-and-the-encrypted-packet",
    "c34-from-rule-works-for-replies-only",
    "c36-second-tunnel-has-the-first-ones-mark",
    "c42-a-rule-for-the-mark-repairs-it",
    "c48-main-first-keeps-the-tunnel-beside-warp",
    "c50-loose-filter-on-the-wire-is-enough",
    "c51-src-valid-mark-and-restored-mark-together-help",
    "c54-endpoint-inside-allowedips-with-a-bypass-route",
    "c57-routing-is-fine-look-at-the-firewall",
)
"""Those that are in order, or whose trouble is not in routes and owners."""


@pytest.mark.parametrize("name", CAUSES)
def test_the_true_cause_of_a_real_case_is_among_the_first_three(name: str) -> None:
    """Of what people were really in trouble with, the tool names the cause at once."""
    found = check(load(SCENARIOS / f"{name}.toml").snapshot)
    assert CAUSES[name] in [finding.code for finding in found[:3]]


@pytest.mark.parametrize("name", REPAIRED)
def test_a_repaired_case_has_nothing_that_breaks_anything(name: str) -> None:
    """Nor one that never was the host's fault."""
    found = check(load(SCENARIOS / f"{name}.toml").snapshot)
    assert [line(finding) for finding in found if finding.severity.alarming] == []


def test_four_mistakes_at_once_are_four_findings() -> None:
    """C55: none of them hides another."""
    found = check(load(SCENARIOS / "c55-hub-with-four-mistakes.toml").snapshot)
    assert {finding.code for finding in found} == {
        Code.DUPLICATE_ROUTE,
        Code.UNROUTED_PREFIX,
        Code.RP_FILTER,
        Code.FORWARDING_OFF,
    }


def test_two_halves_that_moved_are_one_finding() -> None:
    """C06, told by a configuration: both halves of everything are everything (S-E2)."""
    host = document(HERE / "codes" / "moved-prefix.toml")["host"]
    halves = "0.0.0.0/1,128.0.0.0/1"
    snapshot = read_host_of(
        Path("c06"),
        host
        | {
            "wireguard": f"wg0\npeer A endpoint 198.51.100.4:1 allowed-ips {halves}\n"
            f"peer B endpoint 198.51.100.5:1 allowed-ips {halves}",
            "meant": f"wg0\npeer A allowed-ips {halves}\npeer B",
        },
    )
    moved = [finding for finding in check(snapshot) if finding.code is Code.MOVED_PREFIX]
    assert [line(finding) for finding in moved] == ["error moved-prefix wg0 A 0.0.0.0/0"]
    assert "0.0.0.0/1, 128.0.0.0/1" in finding_text(snapshot, moved[0])


def test_a_peer_that_is_turned_away_is_told_why() -> None:
    """G2, C02 without a configuration: what the sender of a packet has lost concerns the packet,
    though the owner of its source is another peer."""
    host = document(HERE / "codes" / "moved-prefix.toml")["host"]
    stolen = (
        "wg0\npeer PHONE endpoint 198.51.100.4:1 handshake 5 tx 100\n"
        "peer LAPTOP endpoint 198.51.100.5:1 allowed-ips 10.8.0.0/24"
    )
    snapshot = read_host_of(Path("c02"), host | {"wireguard": stolen, "meant": ""})
    asked = lookup(snapshot, Flow.parse("10.8.0.1 from 10.8.0.2 iif wg0 peer PHONE"))
    assert asked.outcome is Outcome.NOT_ALLOWED
    told = Concerns(check(snapshot)).of(snapshot, asked)
    assert "error moved-prefix wg0 PHONE" in [line(finding) for finding in told]
    other = lookup(snapshot, Flow.parse("10.8.0.1 from 10.8.0.2 iif wg0 peer LAPTOP"))
    assert not Concerns(check(snapshot)).of(snapshot, other)


@pytest.mark.parametrize(
    ("gap", "severity"),
    [
        ("links: no file link.json", "warning"),
        ("rules4: no file rule4.json", "warning"),
        ("routes4: no file route4.json", "warning"),
        ("routes6: no file route6.json", "info"),
        ("sysctl: no file sysctl.txt", "info"),
        ("addresses: no file address.json", "info"),
    ],
)
def test_what_was_not_read_is_no_clean_result(gap: str, severity: str) -> None:
    """S-G1: where rules, routes or links are missing next to nothing is checked; of a family that
    no device carries that is a note. Nothing else is guilty of it, and no root helps."""
    host = document(HERE / "codes" / "privilege.toml")["host"]
    seen = "wg0\npeer A endpoint 198.51.100.4:1 handshake 5 allowed-ips 10.8.0.0/24"
    whole = read_host_of(Path("host"), host | {"wireguard": seen, "gaps": []})
    assert Code.PRIVILEGE not in [finding.code for finding in check(whole)]
    snapshot = read_host_of(Path("host"), host | {"wireguard": seen, "gaps": [gap]})
    told = [finding for finding in check(snapshot) if finding.code is Code.PRIVILEGE]
    assert [line(finding) for finding in told] == [f"{severity} privilege - -"]
    assert gap.split(": ")[1] in finding_text(snapshot, told[0])
    assert repair(snapshot, told[0]) == []


def test_what_goes_in_circles_has_no_size() -> None:
    """S-E17: an MTU that fits would not let a looping packet out."""
    host = document(HERE / "codes" / "endpoint-loop.toml")["host"]
    snapshot = read_host_of(Path("loop"), host)
    assert {finding.code for finding in check(snapshot)} == {Code.ENDPOINT_LOOP}


def test_what_only_two_snapshots_can_tell() -> None:
    """C09 without any configuration: who had the prefix a moment ago; and counters that rise
    without a usable key (S-E42)."""
    a_has_it = load(SCENARIOS / "c09-ping-pong-a-takes-it-back.toml").snapshot
    b_has_it = load(SCENARIOS / "c09-ping-pong-b-takes-the-prefix.toml").snapshot
    moved = [one for one in check(b_has_it, a_has_it) if one.code is Code.MOVED_PREFIX]
    assert [line(one) for one in moved] == ["error moved-prefix wg0 A 194.1.163.32/27"]
    assert not [one for one in check(b_has_it, b_has_it) if one.code is Code.MOVED_PREFIX]

    path = HERE / "codes" / "stale-handshake.toml"
    said = document(path)
    asleep = said["host"] | said["near"]
    busy = asleep | {"wireguard": asleep["wireguard"].replace("tx 5000", "tx 6000")}
    before, now = read_host_of(path, asleep), read_host_of(path, busy)
    assert [one.code for one in check(now, before)] == [Code.STALE_HANDSHAKE]
    assert check(before, now) == ()


@pytest.mark.parametrize(
    "change",
    [("wg0 UNKNOWN", "wg0 DOWN"), ("endpoint 198.51.100.4:51820 ", "")],
    ids=("device-down", "no-endpoint"),
)
def test_a_keepalive_that_cannot_be_sent_proves_nothing(change: tuple[str, str]) -> None:
    """A device that is down sends none, and neither does one that has no endpoint (S-E43)."""
    path = HERE / "codes" / "stale-handshake.toml"
    host = document(path)["host"]
    changed = {key: text.replace(*change) for key, text in host.items()}
    assert changed != host
    assert Code.STALE_HANDSHAKE in {one.code for one in check(read_host_of(path, host))}
    assert Code.STALE_HANDSHAKE not in {one.code for one in check(read_host_of(path, changed))}


@pytest.mark.parametrize("path", [*CODES, *HEALTHY], ids=lambda path: path.stem)
def test_every_finding_says_what_happens_and_can_be_asked_about(path: Path) -> None:
    """One or two sentences naming what it is about, a repair, and an address that can be asked."""
    snapshot = read_host_of(path, document(path)["host"])
    for finding in check(snapshot):
        text = finding_text(snapshot, finding)
        assert text.endswith((".", "?"))
        assert 1 <= text.count(". ") + 1 <= 3
        assert finding.device is None or finding.device in text
        assert finding.peer is None or finding.peer.label in text
        assert repair(snapshot, finding)
        asked = finding_question(snapshot, finding)
        assert asked is not None or finding.code is Code.PRIVILEGE


def test_the_json_is_the_contracts() -> None:
    """Contract §5: schema, and for each finding these keys, null where they do not apply."""
    snapshot = read_host_of(CODES[0], document(HERE / "codes" / "unrouted-prefix.toml")["host"])
    said = findings_json(snapshot, check(snapshot))
    assert said["schema"] == "wgtui.check/1"
    found = said["findings"]
    assert isinstance(found, list)
    first = found[0]
    assert list(first) == ["code", "severity", "device", "peer", "name", "prefix", "text", "fix"]
    assert (first["code"], first["severity"]) == ("unrouted-prefix", "warning")
    assert (first["device"], first["name"], first["prefix"]) == ("wg0", "A", "10.20.0.0/22")
    assert first["peer"] == snapshot.devices[3].peers[0].public_key  # type: ignore[index]
    assert first["fix"] == [
        "ip route add 10.20.1.0/24 dev wg0",
        "ip route add 10.20.2.0/23 dev wg0",
    ]


def test_errors_come_first() -> None:
    """Then warnings, then notes; and of one severity the most telling cause."""
    snapshot = load(SCENARIOS / "c55-hub-with-four-mistakes.toml").snapshot
    order = list(Severity)
    found = [order.index(finding.severity) for finding in check(snapshot)]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("stem", "said"),
    [("mtu", "leave by eth0 (MTU 1440)"), ("mtu-on-the-route", "leave by eth0 (path MTU 1479)")],
)
def test_whose_mtu_it_is_is_said(stem: str, said: str) -> None:
    """Nobody looks at eth0 for an MTU that its route has."""
    path = HERE / "codes" / f"{stem}.toml"
    snapshot = read_host_of(path, document(path)["host"])
    [finding] = check(snapshot)
    assert said in finding_text(snapshot, finding)
