"""Is what the kernel says of traffic control understood? (S-H7)

data/tc.netlink is what Linux 6.12 sent: first the disciplines of four links, then filters. v0 (3)
has a clsact, on its egress a u32 filter that redirects to v1, one of flower that mirrors, one that
sets the mark and drops, one that only sorts; on its ingress three of matchall: to ifb0, pass and
police. v1 (2) has an ingress with a BPF program, and a prio with a matchall that redirects to v0.
"""

from pathlib import Path

import pytest

from wgtui.errors import FormatError
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind
from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Subject
from wgtui.sources.nlsocket import HEADER, NetlinkError, NetlinkSocket, messages
from wgtui.sources.traffic_control import (
    RTM_GETQDISC,
    parse_filter,
    places,
    read_filters,
)

DATA = Path(__file__).parent / "data"
V1, V0, IFB0 = map(LinkIndex, (2, 3, 4))
LINKS = {V1: Link(V1, "v1"), V0: Link(V0, "v0"), IFB0: Link(IFB0, "ifb0", "ifb")}


def dumps() -> list[list[bytes]]:
    """The messages of each dump, in the order they were asked for."""
    recorded = (DATA / "tc.netlink").read_bytes()
    found: list[list[bytes]] = [[]]
    for kind, _, start, end in messages(recorded):
        if kind >= 16:
            found[-1].append(recorded[start:end])
        else:
            found.append([])
    return found[:-1]


class Recorded(NetlinkSocket):
    """Gives the recorded dumps one after the other."""

    def __init__(self, error: OSError | None = None) -> None:
        self.left, self.error = dumps(), error

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """Whatever was asked."""
        if self.error is not None and kind != RTM_GETQDISC:
            raise self.error
        return self.left.pop(0)


def test_places_for_filters_are_found() -> None:
    """Both sides of clsact, one of ingress, and disciplines with classes."""
    assert list(places(dumps()[0])) == [
        (V1, 0x10000, Direction.OUT),
        (V1, 0xFFFFFFF2, Direction.IN),
        (V0, 0xFFFFFFF2, Direction.IN),
        (V0, 0xFFFFFFF3, Direction.OUT),
    ]


def test_what_filters_do() -> None:
    """Redirecting, dropping, changing, programs; not mirroring, passing, sorting, policing."""
    _, in_v0, out_v0, in_v1, prio_v1 = dumps()
    found = [
        [item for message in some for item in parse_filter(message, link, direction)]
        for some, link, direction in (
            (in_v0, V0, Direction.IN),
            (out_v0, V0, Direction.OUT),
            (in_v1, V1, Direction.IN),
            (prio_v1, V1, Direction.OUT),
        )
    ]
    tc = InfluenceKind.TC
    assert found == [
        [Influence(tc, Direction.IN, Effect.REDIRECT, V0, IFB0)],
        [
            Influence(tc, Direction.OUT, Effect.REDIRECT, V0, V1),
            Influence(tc, Direction.OUT, Effect.CHANGE, V0, name="skbedit"),
            Influence(tc, Direction.OUT, Effect.DROP, V0),
        ],
        [Influence(tc, Direction.IN, Effect.PROGRAM, V1)],
        [Influence(tc, Direction.OUT, Effect.REDIRECT, V1, V0)],
    ]


def test_an_ifb_gives_packets_back() -> None:
    """A redirect to it only queues what arrives, and is not named."""
    sock = Recorded()
    first, of_v1, of_v1_in, of_v0_in, of_v0 = 0, 4, 3, 1, 2
    sock.left = [dumps()[number] for number in (first, of_v1, of_v1_in, of_v0_in, of_v0)]
    found, gaps = read_filters(sock, LINKS)
    assert gaps == []
    assert len(found) == 5
    assert IFB0 not in {item.to for item in found}


@pytest.mark.parametrize(("number", "gaps"), [(19, 0), (1, 1)])
def test_a_link_that_is_gone_is_no_gap(number: int, gaps: int) -> None:
    """ENODEV will be noticed; any other refusal is a gap."""
    found, missing = read_filters(Recorded(NetlinkError(number, "refused")), LINKS)
    assert found == ()
    assert [gap.subject for gap in missing] == [Subject.TC] * gaps


def test_a_torn_message_is_an_error() -> None:
    """Half a filter, and an action whose numbers are cut off."""
    with pytest.raises(FormatError):
        parse_filter(dumps()[2][0][: HEADER.size + 8], V0, Direction.OUT)
    with pytest.raises(FormatError):
        list(places([b"\0" * (HEADER.size + 19)]))
