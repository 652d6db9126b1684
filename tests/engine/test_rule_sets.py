"""Well-known sets of rules are called by their names, and nothing else is."""

from __future__ import annotations

import pytest

from tests.engine.worlds import ask, rules, world
from wgtui.engine.rule_sets import RuleSet, rule_sets
from wgtui.report.rule_set_words import RULE_SETS
from wgtui.report.sentences import answer
from wgtui.sources.demo import DemoSource
from wgtui.tui.routes_rows import RoutesRows

PAIR = (
    "{0}: from all lookup main suppress_prefixlength 0",
    "{1}: not from all fwmark {2} lookup {3}",
)


def pair(first: int, mark: str = "0xca6c", table: str = "51820") -> tuple[str, ...]:
    """The two rules of a full tunnel."""
    return tuple(line.format(first, first + 1, mark, table) for line in PAIR)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (pair(32764), {32764: "wg-quick", 32765: "wg-quick"}),
        (pair(30940), {30940: "networkmanager", 30941: "networkmanager"}),
        (pair(30941), {30941: "wg-quick", 30942: "wg-quick"}),
        (pair(32764, "0x1", "100"), {}),
        (
            (
                "5210: from all fwmark 0x80000/0xff0000 lookup main",
                "5230: from all fwmark 0x80000/0xff0000 lookup default",
                "5250: from all fwmark 0x80000/0xff0000 unreachable",
                "5270: from all lookup 52",
            ),
            dict.fromkeys((5210, 5230, 5250, 5270), "tailscale"),
        ),
        (("5270: from all lookup 53", "100: from all lookup 52"), {}),
        (
            (
                "32764: from all lookup main suppress_prefixlength 0",
                "32765: not from all fwmark 0x6d6f6c65 lookup 1836018789",
            ),
            {32764: "mullvad", 32765: "mullvad"},
        ),
        (
            (
                "1001: from all iif eth0 lookup 1",
                "2001: from all fwmark 0x100/0x3f00 lookup 1",
                "2061: from all fwmark 0x3d00/0x3f00 blackhole",
                "3001: from all fwmark 0x100/0x3f00 unreachable",
            ),
            dict.fromkeys((1001, 2001, 2061, 3001), "mwan3"),
        ),
        (("1001: from all iif eth0 lookup 1",), {}),
        (("1000: from all lookup [l3mdev-table]",), {1000: "vrf"}),
        (("100: from all fwmark 0x1 lookup 100",), {}),
    ],
)
def test_a_set_is_known_by_marks_tables_and_priorities(
    lines: tuple[str, ...], named: dict[int, str]
) -> None:
    """wg-quick (S-F3), NetworkManager (S-F20), Tailscale, Mullvad, mwan3, VRFs (S-F21); what only
    looks like it has no name."""
    host = world(rules4=rules(*lines))
    found = {host.rules[4][at].priority: one.value for (_, at), one in rule_sets(host).items()}
    assert found == named


def test_the_names_stand_where_rules_are_told() -> None:
    """In the routes pane, and in the answer behind the rule that decided."""
    demo = DemoSource().read()
    rows = RoutesRows(demo)
    shown = ["".join(span.text for span in rows.spans(row, 100)) for row in range(len(rows))]
    assert any("lookup 51820" in text and text.endswith("wg-quick") for text in shown)
    assert not any("0xdead" in text and "wg-quick" in text for text in shown)
    told = [line.text for line in answer(demo, ask(demo, "198.51.100.99"))]
    assert "32765: not from all fwmark 0xca6c lookup 51820 (wg-quick)" in told
    assert set(RULE_SETS) == set(RuleSet)
