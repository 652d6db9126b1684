"""Territory in words and as JSON, on the invented host."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.engine.worlds import world
from wgtui.cli import main
from wgtui.engine.holdings import holdings
from wgtui.engine.territory import partition
from wgtui.model.address_set import AddressSet
from wgtui.model.prefix import FAMILIES, Prefix
from wgtui.report.answer_words import addresses_count, prefixes_text, span_text
from wgtui.report.line import Tone
from wgtui.report.territory import device_blocks, partition_lines
from wgtui.sources.demo import DemoSource


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and stdout of a command about the demo."""
    code = main([*words, "--demo"])
    return code, capsys.readouterr().out


def test_a_prefix_is_answered_with_its_partition(capsys: pytest.CaptureFixture[str]) -> None:
    """Every range once, in order, with where it goes and by what."""
    code, out = shown(capsys, "lookup", "10.30.5.0/28")
    assert code == 0
    assert out.splitlines() == [
        "  10.30.5.0/28: 16 addresses in 3 parts, 2 ways.",
        (
            "✔ 10.30.5.0-10.30.5.8    encrypted: lon3 on wg1 "
            "[AllowedIPs 10.30.5.0/24, route 10.30.0.0/16 in main]"
        ),
        (
            "✔ 10.30.5.9              encrypted: nas9 on wg1 "
            "[AllowedIPs 10.30.5.9/32, route 10.30.0.0/16 in main]"
        ),
        (
            "✔ 10.30.5.10-10.30.5.15  encrypted: lon3 on wg1 "
            "[AllowedIPs 10.30.5.0/24, route 10.30.0.0/16 in main]"
        ),
    ]
    assert shown(capsys, "territory", "10.30.5.0/28") == (code, out)


def test_what_does_not_arrive_is_told_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    """A range of which a part goes nowhere is not all good."""
    code, out = shown(capsys, "lookup", "10.44.0.0/15", "mark", "0xca6c")
    assert code == 1
    assert "✘ 10.44.0.0/16  no-peer: into wg1, where nobody owns it [route" in out
    assert "✔ 10.45.0.0/16  sent: in clear by eth0 via 192.0.2.1 [route default in main]" in out


def test_the_json_has_every_address_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Parts join up to the whole range, and prefixes say the same as first and last."""
    _, out = shown(capsys, "lookup", "--json", "10.0.0.0/8")
    found = json.loads(out)
    assert found["schema"] == "wgtui.territory/1"
    assert found["whole"] is True
    assert sum(part["count"] for part in found["parts"]) == 1 << 24
    for part in found["parts"]:
        prefixes = [Prefix.parse(text) for text in part["prefixes"]]
        assert AddressSet.of_prefixes(4, prefixes).count == part["count"]
        assert str(prefixes[0]).startswith(part["first"])
    owned = [p for p in found["parts"] if p["first"] == "10.30.5.9"]
    assert owned[0]["answer"]["owner"]["name"] == "nas9"
    assert owned[0]["answer"]["outer"]["owner"] is None


def test_a_device_is_divided_among_its_peers(capsys: pytest.CaptureFixture[str]) -> None:
    """Owned, around it, shadowed, and dropped for want of an owner."""
    code, out = shown(capsys, "territory", "wg1")
    lines = out.splitlines()
    assert code == 0
    assert "▶ nas9    10.20.0.9, 10.30.5.9, 10.33.0.0/24, 10.37.0.0/25 (386 addresses)" in lines
    assert "╌   ams2    nothing of 10.37.0.0/24: others have all of it" in lines
    assert "!   bru5    but 172.30.7.0/24: encrypted: fra1 on wg0" in lines
    assert any(line.startswith("✘ nobody") and "10.44.0.0/16" in line for line in lines)
    _, out = shown(capsys, "territory", "--json")
    devices = {one["device"]: one["families"] for one in json.loads(out)["devices"]}
    peers = {peer["name"]: peer for peer in devices["wg1"]["4"]["peers"]}
    assert peers["ams2"]["shadowed"] == ["10.37.0.0/24"]
    assert peers["bru5"]["elsewhere"][0]["prefixes"] == ["172.30.7.0/24"]
    assert peers["bru5"]["owned"]["count"] - peers["bru5"]["routed"]["count"] == 256


def test_a_device_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of those that are."""
    assert main(["territory", "wg9", "--demo"]) == 2
    assert "'wg9' is no WireGuard device here; there are: wg0, wg1" in capsys.readouterr().err


def test_peers_without_prefixes_are_named_once() -> None:
    """A device whose peers own nothing says so instead of showing an empty table."""
    host = world(links="wg0 UNKNOWN 10.9.0.1/32", wireguard="wg0\n peer anna")
    [device] = host.devices.values()
    blocks = device_blocks(device, [holdings(host, device, family) for family in FAMILIES])
    assert [line.text for line in blocks[0]] == [
        "wg0: 1 peer, no AllowedIPs",
        "no AllowedIPs: anna",
    ]
    [[line]] = device_blocks(replace(device, peers=()), [])
    assert "no peers" in line.text


def test_what_was_not_looked_at_is_said() -> None:
    """A partition that was cut off ends with where, and with what to do."""
    found = partition(DemoSource().read(), Prefix.parse("10.0.0.0/8"), limit=5)
    lines = partition_lines(found)
    assert lines[-1].tone is Tone.UNKNOWN
    assert lines[-1].text.startswith("told up to 10.20.0.")
    many = partition_lines(partition(DemoSource().read(), Prefix.parse("10.0.0.0/8")), most=3)
    assert many[-1].text == f"{40 - 3} more parts: zoom in"


def test_counts_and_ranges_are_short() -> None:
    """Numbers that nobody can read become powers of two; few prefixes are listed, many are not."""
    assert addresses_count(1) == "1 address"
    assert addresses_count(1 << 64) == "2^64 addresses"
    assert addresses_count(3 << 64) == "about 2^65.6 addresses"
    assert span_text(4, (0, 255)) == "0.0.0.0/24"
    assert span_text(4, (1, 2)) == "0.0.0.1-0.0.0.2"
    odd = AddressSet.of(4, [(1, 254), (512, 600)])
    assert prefixes_text(odd) == "0.0.0.1-0.0.0.254, 0.0.2.0-0.0.2.88"
