"""What does the System routes pane show? The rules in order, under each the table it leads to.

    IPv4  4 rules, 21 routes
    0      from all lookup local
      ▸ table local: 14 routes (folded)
    32764  not from all fwmark 0xca6c lookup 51820
      ▾ table 51820: 1 route
        default  dev wg0
    32766  from all lookup main
      ▾ table main: 6 routes
        default  via 192.0.2.1 dev eth0
        ├ 10.20.0.0/16  dev wg0
        │ └ 10.20.3.0/24  via 192.0.2.7 dev eth0
        └ 192.0.2.0/24  dev eth0

A table is a section of as many rows as it has routes; a row number leads to its section by
bisection, so a million routes cost nothing until they are looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from wgtui.model.network import LOCAL_TABLE, Route, RouteType, TableId
from wgtui.model.prefix import Family, Prefix, address_text
from wgtui.model.routes import RouteTable
from wgtui.model.snapshot import Snapshot
from wgtui.model.trace import Trace
from wgtui.report import words
from wgtui.report.rule_set_words import rule_set_text
from wgtui.tui.filtering import looks_like_prefix
from wgtui.tui.routes_cells import below_rule, info_text, route_cells, rule_cells
from wgtui.tui.routes_lit import lit_routes
from wgtui.tui.routes_sections import Part, Section, sections
from wgtui.tui.row_layout import (
    MANY_CELLS,
    NEW_LINE,
    WORD_ROOM,
    Cells,
    beside,
    clip,
    clip_words,
    fit,
    paragraph,
    say,
    text_of,
    width_of,
)
from wgtui.tui.rows import Lit, Span
from wgtui.tui.tree_rows import answered_by, around, prefix_text

Folds: TypeAlias = Mapping[tuple[Family, TableId], bool]
"""Tables that somebody folded (True) or unfolded (False)."""


class RoutesRows:
    """Rules over tables over prefix trees, IPv4 first."""

    title = "System routes"

    def __init__(self, snapshot: Snapshot, folds: Folds | None = None) -> None:
        """``folds`` of the model before this one, so that a refresh does not unfold anything."""
        self.snapshot = snapshot
        self.folds = dict(folds or {})
        self._all = tuple(sections(snapshot))
        self._lay_out()

    def _lay_out(self) -> None:
        self._sections: list[Section] = []
        self._starts = array("q")
        end = 0
        for section in self._all:
            height = self._height(section)
            if height:
                self._sections.append(section)
                self._starts.append(end)
                end += height
        self._length = end

    def _height(self, section: Section) -> int:
        if section.part is not Part.ROUTES:
            return 1
        return 0 if self.folded(section.family, section.table) else len(self._table(section))

    def _table(self, section: Section) -> RouteTable:
        return self.snapshot.routes[section.family, section.table]

    def _at(self, row: int) -> tuple[Section, int]:
        place = bisect_right(self._starts, row) - 1
        return self._sections[place], row - self._starts[place]

    def __len__(self) -> int:
        return self._length

    # ------------------------------------------------------------------------------------ folding

    def folded(self, family: Family, table: TableId) -> bool:
        """Is the table shown as one row? The local one is, until somebody unfolds it."""
        return self.folds.get((family, table), table == LOCAL_TABLE)

    def toggle(self, row: int) -> bool:
        """Fold or unfold the table of this header, or of this rule; False: the row has none."""
        section, _ = self._at(row)
        if section.part is Part.RULE:
            place = self._sections.index(section) + 1
            if place == len(self._sections) or self._sections[place].part is not Part.TABLE:
                return False
            section = self._sections[place]
        if section.part is not Part.TABLE:
            return False
        self.folds[section.family, section.table] = not self.folded(section.family, section.table)
        self._lay_out()
        return True

    def fold_as(self, folds: Folds) -> None:
        """Fold and unfold what somebody did in the rows before these."""
        self.folds = dict(folds)
        self._lay_out()

    def unfolded(self) -> RoutesRows:
        """The same with every table open: what a filter looks through."""
        return RoutesRows(self.snapshot, dict.fromkeys(self.snapshot.routes, False))

    # ----------------------------------------------------------------------------- where things are

    def rule_row(self, family: Family, position: int) -> int | None:
        """The row of a rule, by its place in ``snapshot.rules``."""
        for place, section in enumerate(self._sections):
            if (section.part, section.family, section.position) == (Part.RULE, family, position):
                return self._starts[place]
        return None

    def table_row(self, family: Family, table: TableId) -> int | None:
        """The row of a table's header."""
        return self._find(Part.TABLE, family, table)

    def route_row(self, family: Family, route: Route) -> int | None:
        """The row of a route, or of the header of the folded table it is in."""
        start = self._find(Part.ROUTES, family, route.table)
        return self.table_row(family, route.table) if start is None else start + route.row

    def family_row(self, family: Family) -> int | None:
        """The row of a family's header."""
        return self._find(Part.FAMILY, family, None)

    def _find(self, part: Part, family: Family, table: TableId | None) -> int | None:
        for place, section in enumerate(self._sections):
            if (section.part, section.family) == (part, family) and table in (None, section.table):
                return self._starts[place]
        return None

    # ------------------------------------------------------------------------------------ drawing

    def spans(self, row: int, width: int) -> Cells:
        """One row, at most ``width`` cells."""
        section, offset = self._at(row)
        match section.part:
            case Part.ROUTES:
                table = self._table(section)
                return route_cells(self.snapshot, table.tree, table[offset], width)
            case Part.RULE:
                rule = self.snapshot.rules[section.family][section.position]
                cells = rule_cells(rule, width)
                whose = rule_set_text(self.snapshot, section.family, section.position)
                if NEW_LINE in cells:
                    return cells
                return fit(beside(width, WORD_ROOM), cells, say(whose, "dim"))
            case Part.FAMILY:
                head = Span(clip(f"IPv{section.family}", width), "head")
                return fit(
                    beside(width, WORD_ROOM), (head,), *(say(part, "dim") for part in section.notes)
                )
            case Part.TABLE:
                return self._header(section, width)
            case Part.NOTE | Part.LOOSE:
                text = next((way for way in section.notes if len(way) <= width), section.notes[-1])
                style = "head" if section.part is Part.LOOSE else "warn"
                return paragraph(text, width, 0, style)
            case Part.ABOVE | Part.EMPTY:
                indent = below_rule(width)
                text = clip_words(section.notes[0], width - indent)
                return (Span(" " * indent), Span(text, "dim"))

    def _header(self, section: Section, width: int) -> Cells:
        folded = self.folded(section.family, section.table)
        count = words.count_text(len(self._table(section)), "route")
        indent = " " * below_rule(width)
        room = beside(width, WORD_ROOM) - len(indent) - 2
        name = clip_words(section.notes[0], room)
        ways = [f": {count}", ""] if not folded else [f": {count} (folded)", f": {count}", ""]
        said = next(way for way in ways if not way or width_of((Span(name + way),)) <= room)
        mark = Span(f"{indent}{'▸' if folded else '▾'} ", "tree")
        return (mark, Span(name, "head"), Span(said, "dim"))

    # ------------------------------------------------------------------------- asking and copying

    def question(self, row: int) -> str | None:
        """Of a route an address that it answers, not one of the more specific routes in it."""
        section, offset = self._at(row)
        if section.part is not Part.ROUTES:
            return None
        table = self._table(section)
        route = table[offset]
        address = answered_by(table.tree, offset, self._own(route.info.type))
        text = address_text(table.family, address)
        hops = route.info.next_hops
        if table.family == 6 and hops and hops[0].link is not None and _needs_zone(address):
            return f"{text}%{self.snapshot.link_name(hops[0].link)}"
        return text

    def _own(self, kind: RouteType) -> Container[tuple[Family, int]]:
        """Asking a connected route means a neighbour, not this host."""
        return self.snapshot.own_addresses if kind is RouteType.UNICAST else ()

    def copy_text(self, row: int) -> str:
        """A route's prefix, a rule as ``ip rule`` prints it, a table's name."""
        section, offset = self._at(row)
        if section.part is Part.ROUTES:
            return str(self._table(section).tree.prefix(offset))
        if section.part is Part.RULE:
            return words.rule_text(self.snapshot.rules[section.family][section.position])
        if section.part in (Part.TABLE, Part.ABOVE, Part.EMPTY):
            return words.table_name(section.table)
        return text_of(self.spans(row, MANY_CELLS)).strip()

    def lit(self, trace: Trace) -> Lit:
        """The rules that were asked, the route that won, the losers, and the outer packet's."""
        return lit_routes(self, trace)

    # ---------------------------------------------------------------------------------- filtering

    def _trees(self) -> Iterator[tuple[int, RouteTable]]:
        for place, section in enumerate(self._sections):
            if section.part is Part.ROUTES:
                yield self._starts[place], self._table(section)

    def covering(self, prefix: Prefix) -> Iterator[int]:
        """Rows of routes that cover the prefix or lie in it."""
        for start, table in self._trees():
            if table.family == prefix.family:
                for row in around(table.tree, prefix):
                    yield start + row

    def search(self, needle: str, limit: int) -> Iterator[int]:
        """Rows whose text contains the needle (in lower case), among the first ``limit`` rows."""
        for place, section in enumerate(self._sections):
            start = self._starts[place]
            if start >= limit:
                return
            if section.part is not Part.ROUTES:
                if needle in text_of(self.spans(start, MANY_CELLS)).lower():
                    yield start
                continue
            table = self._table(section)
            for row in self._hits(table, needle, limit - start):
                yield start + row

    def _hits(self, table: RouteTable, needle: str, limit: int) -> Iterator[int]:
        """Rows of a table; each distinct info is written out once, prefixes only if they may do."""
        infos: dict[int, bool] = {}
        in_prefix, in_default = looks_like_prefix(needle), needle in words.DEFAULT
        tree = table.tree
        for row, number in enumerate(islice(tree.values, limit)):
            hit = infos.get(number)
            if hit is None:
                said = info_text(self.snapshot, table.infos[number], table.family)
                hit = infos[number] = needle in said.lower()
            if (
                hit
                or (in_prefix and needle in prefix_text(tree, row))
                or (in_default and not tree.lengths[row])
            ):
                yield row

    def context(self, row: int) -> Iterator[int]:
        """What explains a row: its family, rule and table, and the prefixes that cover it."""
        section, offset = self._at(row)
        place = self._sections.index(section)
        needed = {Part.FAMILY, Part.LOOSE, Part.RULE, Part.TABLE}
        rank = {Part.FAMILY: 0, Part.LOOSE: 1, Part.RULE: 1, Part.TABLE: 2}.get(section.part, 3)
        for before in range(place - 1, -1, -1):
            part = self._sections[before].part
            level = {Part.FAMILY: 0, Part.LOOSE: 1, Part.RULE: 1, Part.TABLE: 2}.get(part, 3)
            if part in needed and level < rank:
                yield self._starts[before]
                rank = level
        if section.part is Part.ROUTES:
            parents = self._table(section).tree.parents
            above = parents[offset]
            while above >= 0:
                yield self._starts[place] + above
                above = parents[above]


def _needs_zone(address: int) -> bool:
    return address >> 118 == 0xFE80 >> 6 or address >> 120 == 0xFF
