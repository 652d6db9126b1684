"""Does a saved snapshot come back as it was, and is any other file refused in one line?"""

import dataclasses
import io
import json
import os
import stat
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netaddr import IPAddress

from wgtui.errors import FormatError, SourceError
from wgtui.model.network import CachedRoute, LinkIndex, RouteInfo, TableId
from wgtui.model.prefix import BITS, FAMILIES, Prefix
from wgtui.model.routes import RouteTables, RouteTablesBuilder
from wgtui.model.snapshot import Snapshot
from wgtui.sources import open_source
from wgtui.sources.demo import DemoSource
from wgtui.sources.facts import FactsSource
from wgtui.sources.saved import SavedSource, dumps, loads, save

EDGE = Path(__file__).parent / "data" / "edge"

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def edge() -> Snapshot:
    """The captured host."""
    return FactsSource(EDGE).read()


def meaning(snapshot: Snapshot) -> dict[str, object]:
    """Everything of a snapshot in a form that can be compared, with the order of its mappings."""
    values: dict[str, object] = {
        field.name: getattr(snapshot, field.name) for field in dataclasses.fields(snapshot)
    }
    values["routes"] = {key: list(table) for key, table in snapshot.routes.items()}
    values["elsewhere"] = {name: meaning(there) for name, there in snapshot.elsewhere.items()}
    return {
        name: list(value.items()) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


# --------------------------------------------------------------------------------------- any model

PREFIXES = st.sampled_from(FAMILIES).flatmap(
    lambda family: st.builds(
        Prefix.of,
        st.just(family),
        st.integers(0, (1 << BITS[family]) - 1),
        st.integers(0, BITS[family]),
    )
)
SIMPLE: dict[object, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 1 << 64),
    str: st.text(max_size=8) | st.sampled_from(["\x1b[31m", "\udcff", "[bold]", "\u202e"]),
    float: st.floats(0, 1e10),
    NoneType: st.none(),
    Prefix: PREFIXES,
    IPAddress: PREFIXES.map(lambda prefix: IPAddress(prefix.network, prefix.family)),
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Every value that a type hint of the model allows."""
    if isinstance(hint, NewType):
        return anything(hint.__supertype__)
    if hint in SIMPLE:
        return SIMPLE[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*map(anything, args))
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(anything(args[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(anything, args))
    if origin is frozenset:
        return st.frozensets(anything(args[0]), max_size=2)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(anything(args[0]), anything(args[1]), max_size=2)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return st.builds(hint, **of_fields(hint))


def of_fields(cls: type) -> dict[str, st.SearchStrategy[Any]]:
    """A strategy for every field, so that no default hides one."""
    return {
        name: anything(hint)
        for name, hint in get_type_hints(cls).items()
        if name not in ("routes", "elsewhere")
    }


@st.composite
def route_tables(draw: st.DrawFn) -> RouteTables:
    """A few tables whose rows share their infos, some with equal prefixes."""
    shared = draw(st.lists(anything(RouteInfo), min_size=1, max_size=2))
    builder = RouteTablesBuilder()
    for prefix in draw(st.lists(PREFIXES, max_size=6)):
        for info in draw(st.lists(st.sampled_from(shared), min_size=1, max_size=2)):
            builder.add(TableId(draw(st.sampled_from([100, 254, 1 << 33]))), prefix, info)
    return builder.build()


SNAPSHOTS = st.builds(Snapshot, routes=route_tables(), **of_fields(Snapshot))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(SNAPSHOTS, st.none() | st.tuples(st.text(max_size=8), SNAPSHOTS))
def test_any_snapshot_comes_back_as_it_was(
    snapshot: Snapshot, other: tuple[str, Snapshot] | None
) -> None:
    """Every field of every noun, every table, every row, in their order; another namespace too."""
    if other is not None:
        snapshot = dataclasses.replace(snapshot, elsewhere=dict([other]))
    again = loads(dumps(snapshot), "file")
    assert meaning(again) == meaning(snapshot)
    assert dumps(again) == dumps(snapshot)


# ------------------------------------------------------------------------------------------- files


def test_real_hosts_come_back_as_they_were(edge: Snapshot, tmp_path: Path) -> None:
    """The captured host and the demo, through a file; only where they come from is new."""
    for number, snapshot in enumerate((edge, DemoSource().read())):
        file = tmp_path / f"{number}.json"
        save(snapshot, file)
        again = SavedSource(file).read()
        assert again.source == str(file)
        assert meaning(dataclasses.replace(again, source=snapshot.source)) == meaning(snapshot)
        assert again.routes.keys() == snapshot.routes.keys()


def test_the_same_addresses_find_the_same_routes(edge: Snapshot) -> None:
    """The tree that a lookup asks is the same one."""
    again = loads(dumps(edge), "file")
    for key, table in edge.routes.items():
        for route in table:
            found = again.routes[key].tree.match(route.destination.network)
            assert again.routes[key][found] == table[table.tree.match(route.destination.network)]


def test_open_source_finds_a_saved_file(edge: Snapshot, tmp_path: Path) -> None:
    """A file is a saved snapshot; it stands still."""
    save(edge, tmp_path / "host.json")
    source = open_source(str(tmp_path / "host.json"))
    assert isinstance(source, SavedSource)
    assert (source.live, source.read().host) == (False, "edge-1")


def test_only_the_owner_may_read_it(edge: Snapshot, tmp_path: Path) -> None:
    """Addresses and keys of a network are not for everybody; nothing half-written stays."""
    file = tmp_path / "host.json"
    file.write_text("old")
    file.chmod(0o644)
    save(edge, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["host.json"]


def test_a_failed_write_leaves_the_old_file(
    edge: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at the last moment: the old snapshot is still there, and nothing else."""
    file = tmp_path / "host.json"
    file.write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SourceError, match=r"cannot be written: No space left"):
        save(edge, file)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_folder_that_is_not_there(edge: Snapshot, tmp_path: Path) -> None:
    """One line, not a traceback."""
    with pytest.raises(SourceError, match=r"cannot be written: No such file"):
        save(edge, tmp_path / "no" / "host.json")


def test_a_link_to_the_file_stays_one(edge: Snapshot, tmp_path: Path) -> None:
    """What the link points to is written."""
    (tmp_path / "latest").symlink_to("host.json")
    save(edge, tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink()
    assert SavedSource(tmp_path / "host.json").read().host == "edge-1"


def test_a_pipe_is_written_to_not_replaced(edge: Snapshot, tmp_path: Path) -> None:
    """`-o /dev/stdout` must not turn a device into a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(reader, "rb"):
        save(dataclasses.replace(edge, routes={}, sysctls={}, links={}), pipe)
        assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_stream_gets_one_line(edge: Snapshot) -> None:
    """What `wgtui snapshot` prints without -o: one line of ASCII."""
    stream = io.StringIO()
    save(edge, stream)
    text = stream.getvalue()
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text)["schema"] == "wgtui.snapshot/1"


# ------------------------------------------------------------------------------------- other files


def changed(snapshot: Snapshot, change: Change) -> str:
    """The text of a snapshot after somebody edited it."""
    whole = json.loads(dumps(snapshot))
    change(whole)
    return json.dumps(whole)


def test_a_file_of_the_future(edge: Snapshot) -> None:
    """Says so, and what to do; it is not taken for garbage."""
    text = changed(edge, lambda whole: whole.update(schema="wgtui.snapshot/2", links="new form"))
    with pytest.raises(SourceError, match=r"newer wgtui saved it \(snapshot format 2") as caught:
        loads(text, "host.json")
    assert caught.value.hint == "upgrade wgtui"
    assert not isinstance(caught.value, FormatError)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"schema": 1}',
        '{"schema": "wgtui.lookup/1"}',
        '{"schema": "wgtui.snapshot/x"}',
    ],
)
def test_what_is_no_snapshot(text: str) -> None:
    """One line that says what makes one."""
    with pytest.raises(FormatError, match=r"^host\.json: is not a snapshot of wgtui") as caught:
        loads(text, "host.json")
    assert "wgtui snapshot" in caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [1, 100, 5000, -2])
def test_a_truncated_file(edge: Snapshot, cut: int) -> None:
    """A copy that broke off."""
    with pytest.raises(FormatError, match=r"not JSON, or cut off"):
        loads(dumps(edge)[:cut], "host.json")


def test_a_binary_file(tmp_path: Path) -> None:
    """Not even text."""
    (tmp_path / "x").write_bytes(b"\x80\x81")
    with pytest.raises(FormatError, match="is not a snapshot of wgtui"):
        SavedSource(tmp_path / "x").read()


def test_a_file_that_went_away(tmp_path: Path) -> None:
    """Between opening and reading."""
    with pytest.raises(SourceError, match="No such file"):
        SavedSource(tmp_path / "x").read()


def table(whole: dict[str, Any], **columns: object) -> None:
    """Change the first table."""
    whole["tables"][0].update(columns)


WRONG: dict[str, Change] = {
    r"host: a text": lambda w: w.update(host=5),
    r"taken_at: a number": lambda w: w.update(taken_at="now"),
    r"taken_at: a number within reason": lambda w: w.update(taken_at=10**400),
    r"taken_at: a moment": lambda w: w.update(taken_at=1e300),
    r"taken_at: a value": lambda w: w.pop("taken_at"),
    r"links: a list": lambda w: w.update(links={}),
    r"links\[0\]: a list of 2": lambda w: w.update(links=[[1]]),
    r"links\[0\]\[1\]\.mtu: a whole number": lambda w: w["links"][0][1].update(mtu=True),
    r"links\[0\]\[1\]\.up: true or false": lambda w: w["links"][0][1].update(up=1),
    r"links\[1\]\[1\]\.addresses\[0\]\.address: an address": lambda w: w["links"][1][1][
        "addresses"
    ][0].update(address="10.0.0"),
    r"rules\[0\]\[0\]: one of 4, 6": lambda w: w["rules"][0].__setitem__(0, 5),
    r"rules\[0\]\[1\]\[1\]\.selector\.source: a prefix": lambda w: w["rules"][0][1][1][
        "selector"
    ].update(source="all"),
    r"rules\[0\]\[1\]\[0\]\.action: one of table": lambda w: w["rules"][0][1][0].update(
        action="go"
    ),
    r"'colour': no such field": lambda w: w.update(colour="red"),
    r"'routes': no such field": lambda w: w.update(routes=[]),
    r"route_infos: a list": lambda w: w.pop("route_infos"),
    r"route_infos\[0\]\.'x': no such field": lambda w: w["route_infos"][0].update(x=1),
    r"route_infos\[0\]: an object": lambda w: w["route_infos"].__setitem__(0, []),
    r"tables: a list": lambda w: w.update(tables=None),
    r"tables\[0\]\.family: one of 4, 6": lambda w: table(w, family=4.0),
    r"tables\[0\]\.table: a whole number": lambda w: table(w, table="main"),
    r"tables\[0\]: columns of one length": lambda w: w["tables"][0]["lengths"].pop(),
    r"tables\[0\]\.networks\[0\]: a whole": lambda w: table(w, networks=[1 << 200]),
    r"tables\[0\]\.networks\[0\]: a network": lambda w: table(
        w, networks=[1], lengths=[8], infos=[0]
    ),
    r"tables\[0\]\.lengths\[0\]: a whole": lambda w: table(w, lengths=[33]),
    r"tables\[0\]\.infos\[0\]: a whole": lambda w: table(w, infos=[10**6]),
    r"tables\[0\]\.infos: a list": lambda w: table(w, infos="0"),
    r"sysctls\.'net/x': a whole number": lambda w: w["sysctls"].update({"net/x": "1"}),
    r"hooks\[0\]\.does: a list": lambda w: w["hooks"][0].update(does="mark"),
    r"devices\[0\]\[1\]\.peers\[0\]\.'private_key': no such field": lambda w: w["devices"][0][1][
        "peers"
    ][0].update(private_key="c2VjcmV0"),
}


@pytest.mark.parametrize("problem", WRONG)
def test_a_wrong_shape_is_refused_with_its_place(edge: Snapshot, problem: str) -> None:
    """Nothing is believed, and nothing is bent until it fits."""
    with pytest.raises(FormatError, match=problem) as caught:
        loads(changed(edge, WRONG[problem]), "host.json")
    assert str(caught.value).startswith("host.json: ")
    assert "\n" not in str(caught.value)


def test_a_later_field_with_a_default_may_be_missing(edge: Snapshot) -> None:
    """What the model learned later, an old file does not say."""
    assert loads(changed(edge, lambda whole: whole.pop("kernel")), "host.json").kernel == ""


def test_an_index_of_a_link_is_what_it_was() -> None:
    """Links that were only mentioned keep their negative index."""
    snapshot = Snapshot(
        taken_at=0.0, exceptions=(CachedRoute(TableId(1), IPAddress("::1"), LinkIndex(-3)),)
    )
    assert loads(dumps(snapshot), "file").exceptions == snapshot.exceptions


def test_escape_sequences_in_a_bad_file_stay_out_of_the_error(edge: Snapshot) -> None:
    """The message goes to a terminal."""
    with pytest.raises(FormatError) as caught:
        loads(changed(edge, lambda whole: whole.update({"\x1b[2J\u202e": 1})), "host.json")
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
