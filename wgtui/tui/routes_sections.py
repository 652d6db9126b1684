"""In which order does the System routes pane show rules and tables?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from wgtui.model.network import LOCAL_TABLE, Rule, RuleAction, TableId
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.report import words


class Part(Enum):
    """What a section is."""

    FAMILY = "family"
    NOTE = "note"
    RULE = "rule"
    TABLE = "table"
    """A table's header; its ``ROUTES`` follow."""
    ROUTES = "routes"
    """As many rows as the table has, or none while it is folded; every other part is one row."""
    ABOVE = "above"
    """A table that an earlier rule led to."""
    EMPTY = "empty"
    """A table without routes: for a rule there is no such table (S-A8)."""
    LOOSE = "loose"
    """The header of the tables that no rule leads to."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the pane."""

    part: Part
    family: Family
    position: int = -1
    """Of a rule: its place in ``snapshot.rules``."""
    table: TableId = LOCAL_TABLE
    """Of the parts that are about one."""
    notes: tuple[str, ...] = ()
    """What it says: pieces of a header, or one sentence at several lengths."""


_RULES: dict[Family, Subject] = {4: Subject.RULES4, 6: Subject.RULES6}
_ROUTES: dict[Family, Subject] = {4: Subject.ROUTES4, 6: Subject.ROUTES6}


def sections(snapshot: Snapshot) -> Iterator[Section]:
    """All of them, as if nothing were folded."""
    for family in FAMILIES:
        yield from _family(snapshot, family)


def _family(snapshot: Snapshot, family: Family) -> Iterator[Section]:
    rules = snapshot.rules.get(family)
    tables = {table: routes for (of, table), routes in snapshot.routes.items() if of == family}
    gaps = {
        what: gap
        for what, subject in (("rules", _RULES[family]), ("routes", _ROUTES[family]))
        if (gap := snapshot.gap(subject)) is not None
    }
    if rules is None and not tables and not gaps:
        return
    counts = [words.count_text(len(rules), "rule")] if rules is not None else []
    if tables or "routes" not in gaps:
        counts.append(words.count_text(sum(map(len, tables.values())), "route"))
    yield Section(Part.FAMILY, family, notes=tuple(counts))
    for what, gap in gaps.items():
        yield Section(Part.NOTE, family, notes=(words.gap_text(what, gap),))
    if family == 4 and snapshot.local_in_main and rules is not None:
        yield Section(Part.NOTE, family, notes=words.MERGED)
    shown: set[TableId] = set()
    for position, rule in enumerate(rules or ()):
        yield Section(Part.RULE, family, position)
        for table in _led_to(snapshot, rule):
            yield from _table(snapshot, family, table, shown, "routes" in gaps)
    loose = [table for table in tables if table not in shown]
    if loose and rules is not None:
        yield Section(Part.LOOSE, family, notes=(words.NO_RULE_LEADS,))
    for table in loose:
        yield from _table(snapshot, family, table, shown, "routes" in gaps)


def _table(
    snapshot: Snapshot, family: Family, table: TableId, shown: set[TableId], hidden: bool
) -> Iterator[Section]:
    vrf = next((link.name for link in snapshot.links.values() if link.vrf_table == table), None)
    name = f"table {words.table_name(table)}" + (f" ({words.link_name(vrf)})" if vrf else "")
    if (family, table) not in snapshot.routes:
        state = words.gap_text("routes", None) if hidden else words.count_text(0, "route")
        yield Section(Part.EMPTY, family, table=table, notes=(f"{name}: {state}",))
    elif table in shown:
        yield Section(Part.ABOVE, family, table=table, notes=(f"{name}: shown above",))
    else:
        shown.add(table)
        yield Section(Part.TABLE, family, table=table, notes=(name,))
        yield Section(Part.ROUTES, family, table=table)


def _led_to(snapshot: Snapshot, rule: Rule) -> Iterator[TableId]:
    if rule.action is not RuleAction.TABLE:
        return
    if rule.table is not None:
        yield rule.table
    elif rule.selector.l3mdev:  # every VRF has its own (S-A23)
        tables = (link.vrf_table for link in snapshot.links.values())
        yield from dict.fromkeys(table for table in tables if table is not None)
