"""What is a saved snapshot? Versioned JSON: all of a Snapshot, routes in columns, no secrets.

    {"schema": "wgtui.snapshot/1", "taken_at": …, "links": […], …,
     "route_infos": [{…}, …],
     "tables": [{"family": 4, "table": 254, "networks": […], "lengths": […], "infos": […]}, …],
     "elsewhere": {"NAMESPACE": {…}}}

A table's columns are as long as it has routes; ``infos`` are positions in ``route_infos``. A change
of the model that an older wgtui would misunderstand raises the number in ``schema``.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

from wgtui.errors import FormatError, SourceError
from wgtui.model.network import RouteInfo, TableId
from wgtui.model.prefix import BITS, Family
from wgtui.model.routes import RouteTable, RouteTables
from wgtui.model.snapshot import Snapshot
from wgtui.sources import Progress
from wgtui.sources.codec import ShapeError, decode, decode_fields, encode, encode_fields
from wgtui.sources.fields import JSON, JSONObject, parse_json
from wgtui.sources.still import StillSource
from wgtui.sources.undisturbed import undisturbed

SCHEMA: Final = "wgtui.snapshot/"
VERSION: Final = 1
_YEAR_9999: Final = 253402300800.0


class SavedSource(StillSource):
    """A file that ``wgtui snapshot -o FILE`` has written."""

    def read(self, progress: Progress | None = None) -> Snapshot:
        """The snapshot in it. Raises ``SourceError``."""
        try:
            text = self.path.read_text("utf-8")
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise _not_ours(str(self.path)) from None
        with undisturbed():
            return replace(loads(text, str(self.path)), source=str(self.path))


def save(snapshot: Snapshot, target: Path | TextIO) -> None:
    """Write a snapshot to a stream, or to a file that only its owner may read: whole or not at all.

    Raises ``SourceError`` when the file cannot be written.
    """
    text = dumps(snapshot)
    if not isinstance(target, Path):
        target.write(text)
        return
    try:
        if target.exists() and not target.is_file():
            # A pipe or /dev/stdout: a file must not take its place.
            target.write_text(text, "utf-8")
        else:
            _replace(target.resolve(), text)
    except OSError as error:
        raise SourceError(f"{target} cannot be written: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    # mkstemp makes it with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


# ---------------------------------------------------------------------------------------- writing


def dumps(snapshot: Snapshot) -> str:
    """The text of a snapshot: one line."""
    whole: JSONObject = {"schema": f"{SCHEMA}{VERSION}", **_encode(snapshot)}
    return json.dumps(whole, separators=(",", ":"), allow_nan=False) + "\n"


def _encode(snapshot: Snapshot) -> JSONObject:
    numbers: dict[RouteInfo, int] = {}
    tables = [_table_columns(table, numbers) for table in snapshot.routes.values()]
    whole: JSONObject = {
        **encode_fields(snapshot, leave_out=frozenset({"routes", "elsewhere"})),
        "route_infos": [encode(info) for info in numbers],
        "tables": tables,
    }
    if snapshot.elsewhere:
        whole["elsewhere"] = {name: _encode(there) for name, there in snapshot.elsewhere.items()}
    return whole


def _table_columns(table: RouteTable, numbers: dict[RouteInfo, int]) -> JSON:
    own = {
        value: numbers.setdefault(table.infos[value], len(numbers))
        for value in sorted(set(table.tree.values))
    }
    return {
        "family": table.family,
        "table": table.table,
        "networks": list(table.tree.networks),
        "lengths": list(table.tree.lengths),
        "infos": [own[value] for value in table.tree.values],
    }


# ---------------------------------------------------------------------------------------- reading


def loads(text: str, file: str) -> Snapshot:
    """The snapshot that ``dumps`` made the text of. Raises ``FormatError``, ``SourceError``."""
    try:
        whole = parse_json(text, file)
    except FormatError as error:
        raise _not_ours(file, error.problem) from None
    if not isinstance(whole, dict):
        raise _not_ours(file)
    _check_schema(whole.pop("schema", None), file)
    try:
        return _decode(whole)
    except ShapeError as error:
        raise FormatError(file, str(error), hint="save it again with 'wgtui snapshot'") from None


def _decode(whole: JSONObject, elsewhere: bool = False) -> Snapshot:
    """A snapshot; one of elsewhere has none of its own. Raises ``ShapeError``."""
    infos, tables = whole.pop("route_infos", None), whole.pop("tables", None)
    others = {} if elsewhere else whole.pop("elsewhere", {})
    if not isinstance(others, dict):
        raise ShapeError("elsewhere", "an object")
    found: dict[str, Snapshot] = {}
    for name, there in others.items():
        if not isinstance(there, dict):
            raise ShapeError(f"elsewhere.{name[:40]!a}", "an object")
        found[name] = _decode(there, elsewhere=True)
    routes = _decode_tables(tables, _decode_infos(infos))
    snapshot = decode_fields(Snapshot, whole, given={"routes": routes, "elsewhere": found})
    if not 0 <= snapshot.taken_at < _YEAR_9999:
        raise ShapeError("taken_at", "a moment in Unix time")
    return snapshot


def _not_ours(file: str, problem: str = "something else") -> FormatError:
    return FormatError(
        file, f"is not a snapshot of wgtui ({problem})", hint="make one with 'wgtui snapshot'"
    )


def _check_schema(schema: JSON, file: str) -> None:
    if not isinstance(schema, str) or not schema.startswith(SCHEMA):
        raise _not_ours(file)
    version = schema.removeprefix(SCHEMA)
    if version == str(VERSION):
        return
    if version.isascii() and version.isdigit():
        formats = f"snapshot format {version[:9]}; this one reads {VERSION}"
        raise SourceError(f"{file}: a newer wgtui saved it ({formats})", "upgrade wgtui")
    raise _not_ours(file)


def _decode_infos(value: JSON) -> tuple[RouteInfo, ...]:
    if not isinstance(value, list):
        raise ShapeError("route_infos", "a list")
    return tuple(
        decode_fields(RouteInfo, info, f"route_infos[{number}]")
        for number, info in enumerate(value)
    )


def _decode_tables(value: JSON, infos: tuple[RouteInfo, ...]) -> RouteTables:
    if not isinstance(value, list):
        raise ShapeError("tables", "a list")
    tables: dict[tuple[Family, TableId], RouteTable] = {}
    for position, entry in enumerate(value):
        table = _decode_table(entry, infos, f"tables[{position}]")
        tables[table.family, table.table] = table
    return tables


def _decode_table(entry: JSON, infos: tuple[RouteInfo, ...], where: str) -> RouteTable:
    if not isinstance(entry, dict):
        raise ShapeError(where, "an object")
    family: Family = 6 if decode(Family, entry.get("family"), f"{where}.family") == 6 else 4
    number = entry.get("table")
    if not isinstance(number, int) or isinstance(number, bool):
        raise ShapeError(f"{where}.table", "a whole number")
    bits = BITS[family]
    networks = _column(entry, "networks", (1 << bits) - 1, where)
    lengths = _column(entry, "lengths", bits, where)
    values = _column(entry, "infos", len(infos) - 1, where)
    if not len(networks) == len(lengths) == len(values):
        raise ShapeError(where, "columns of one length")
    for row, (network, length) in enumerate(zip(networks, lengths, strict=True)):
        if network & ((1 << (bits - length)) - 1):
            raise ShapeError(f"{where}.networks[{row}]", "a network without host bits")
    return RouteTable(family, TableId(number), zip(networks, lengths, values, strict=True), infos)


def _column(entry: JSONObject, key: str, limit: int, where: str) -> list[int]:
    column = entry.get(key)
    if not isinstance(column, list):
        raise ShapeError(f"{where}.{key}", "a list")
    numbers: list[int] = []
    for row, value in enumerate(column):
        if type(value) is not int or not 0 <= value <= limit:
            raise ShapeError(f"{where}.{key}[{row}]", f"a whole number up to {limit}")
        numbers.append(value)
    return numbers
