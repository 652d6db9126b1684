"""Does the journal keep what happened, newest first and within bounds, and see what flaps?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.test_changes import host
from wgtui.engine.history import History
from wgtui.engine.journal import CALM, FLAPPING, Journal
from wgtui.model.change import EntryChange, Flood, SessionChange
from wgtui.model.finding_facts import Who
from wgtui.model.flow import Flow
from wgtui.model.network import MAIN_TABLE
from wgtui.model.prefix import Prefix
from wgtui.model.snapshot import Snapshot
from wgtui.sources.shorthand_wireguard import vanity_key

A, B, C = (Who(vanity_key(name), name) for name in "ABC")
P, Q = Prefix.parse("10.1.0.0/16"), Prefix.parse("10.2.0.0/16")


def moved(before: Who | None, after: Who | None, prefix: Prefix = P) -> EntryChange:
    """A prefix with another owner."""
    return EntryChange("wg0", prefix, before, after)


def told(journal: Journal) -> list[tuple[object, int]]:
    """Change and count, the newest first."""
    return [(entry.change, entry.count) for entry in journal.entries()]


def test_the_newest_comes_first() -> None:
    """With the moment it was seen; of one moment, what was told first."""
    journal = Journal()
    journal.add(1, [moved(A, B), moved(A, B, Q)])
    journal.add(2, [moved(B, C)])
    assert told(journal) == [(moved(B, C), 1), (moved(A, B), 1), (moved(A, B, Q), 1)]
    assert [entry.at for entry in journal.entries()] == [2, 1, 1]


def test_back_and_forth_three_times_is_flapping() -> None:
    """The ping-pong of one prefix (C09) is one line with a count, since when and until when."""
    journal = Journal()
    for time in range(7):
        journal.add(time, [moved(A, B) if time % 2 == 0 else moved(B, A)])
        if time < FLAPPING - 1:
            assert len(journal) == time + 1
    assert told(journal) == [(moved(A, B), 7)]
    [entry] = journal.entries()
    assert (entry.since, entry.at) == (0, 6)


def test_around_in_a_circle_is_not_flapping() -> None:
    """Each change must undo the one before."""
    journal = Journal()
    for time, change in enumerate([moved(A, B), moved(B, C), moved(C, A)] * 2):
        journal.add(time, [change])
    assert len(journal) == 6


def test_what_came_to_rest_begins_anew() -> None:
    """Once a day is no flapping."""
    journal = Journal()
    for day in range(5):
        journal.add(day * (CALM + 1), [moved(A, B) if day % 2 == 0 else moved(B, A)])
    assert [count for _, count in told(journal)] == [1] * 5


def test_two_things_flap_on_their_own() -> None:
    """One prefix and the session of a peer, in between each other."""
    journal = Journal()
    for time in range(4):
        there = time % 2 == 0
        journal.add(time, [moved(A, B) if there else moved(B, A), SessionChange("wg0", A, there)])
    assert [count for _, count in told(journal)] == [4, 4]


def test_floods_do_not_flap() -> None:
    """Nobody knows whether they were the same routes."""
    journal = Journal()
    for time in range(5):
        journal.add(time, [Flood("route", "254", 4, added=100)])
    assert len(journal) == 5


def test_memory_is_bounded() -> None:
    """The oldest go; what flaps stays, because it is new all the time."""
    journal = Journal(most=10)
    for time in range(200):
        prefix = Prefix(4, (10 << 24) + (time << 8), 24)
        journal.add(time, [moved(None, A, prefix), moved(A, B) if time % 2 else moved(B, A)])
    assert len(journal) == 10
    assert (moved(A, B), 200) in told(journal)[:2]
    assert journal.forgotten > 0
    assert len(journal._runs) <= 10


@given(st.lists(st.tuples(st.sampled_from([P, Q]), st.sampled_from([None, A, B])), max_size=30))
def test_no_change_is_lost(steps: list[tuple[Prefix, Who | None]]) -> None:
    """The counts add up to what happened, and the last entry of a thing tells its last state."""
    journal, owner = Journal(), dict.fromkeys((P, Q), None)
    happened = 0
    for time, (prefix, after) in enumerate(steps):
        if owner[prefix] != after:
            journal.add(time, [moved(owner[prefix], after, prefix)])
            owner[prefix] = after
            happened += 1
    entries = journal.entries()
    assert sum(entry.count for entry in entries) == happened
    assert [entry.at for entry in entries] == sorted((e.at for e in entries), reverse=True)
    for prefix in (P, Q):
        newest = [e.change for e in entries if isinstance(e.change, EntryChange)
                  and e.change.prefix == prefix][:1]  # fmt: skip
        assert all(change.after == owner[prefix] for change in newest)


# --------------------------------------------------------------------------------------- history


def look(owner: str, taken_at: float, routes: str = "10.1.0.0/16 dev wg0") -> Snapshot:
    """A host on which this peer has the prefix."""
    peers = f"peer {owner} endpoint 192.0.2.7:1 allowed-ips 10.1.0.0/16"
    return host(peers, routes=f"{routes}\n192.0.2.0/24 dev eth0", taken_at=taken_at)


def test_when_did_the_answer_change_and_from_what() -> None:
    """The moment it was first seen to be what it is, and the trace before that."""
    history = History()
    for owner, time in (("A", 100), ("B", 200), ("B", 300), ("B", 400)):
        history.take(look(owner, time))
    found = history.last_change(Flow.parse("10.1.2.3"))
    assert found is not None
    assert found.at == 200
    owned = found.trace.ownership
    assert owned is not None
    assert owned.owner is not None
    assert owned.owner.peer.label == "A"
    assert history.last_change(Flow.parse("192.0.2.99")) is None


def test_other_changes_do_not_hide_it() -> None:
    """What moved since may have nothing to do with the question."""
    history = History()
    history.take(look("A", 100))
    history.take(look("B", 200))
    for number in range(5):
        history.take(
            look("B", 300 + number, f"10.1.0.0/16 dev wg0\n10.{number + 5}.0.0/16 dev wg0")
        )
    found = history.last_change(Flow.parse("10.1.2.3"))
    assert found is not None
    assert found.at == 200


def test_a_question_that_could_not_be_asked_before() -> None:
    """It names a peer that was not there: nobody knows what would have been."""
    history = History()
    history.take(look("A", 100))
    history.take(look("B", 200))
    assert history.last_change(Flow.parse("192.0.2.10 from 10.1.2.3 iif wg0 peer B")) is None


def test_equal_tables_are_kept_once() -> None:
    """A look in which only a peer moved shares its tables with the one before."""
    history = History()
    first = history.take(look("A", 100))
    second = history.take(look("B", 200))
    assert second.routes[4, MAIN_TABLE] is first.routes[4, MAIN_TABLE]
    third = history.take(look("B", 300, "10.9.0.0/16 dev wg0"))
    assert third.routes[4, MAIN_TABLE] is not first.routes[4, MAIN_TABLE]


def test_history_is_bounded() -> None:
    """By looks, and by the routes in them."""
    few, small = History(most=3), History(most_rows=10)
    for number in range(8):
        for history in (few, small):
            history.take(look("A", number, f"10.{number}.0.0/16 dev wg0"))
    assert len(few._looks) == 3
    assert len(small._looks) < 8
    assert len(few.entries) == len(small.entries) == 14
