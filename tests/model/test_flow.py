"""Are the words of a flow understood (contract §2)?"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from netaddr import IPAddress

from wgtui.errors import QueryError
from wgtui.model.flow import KEYWORDS, PROTOCOLS, Flow
from wgtui.model.network import Mark
from wgtui.model.prefix import Family

NAMES = st.from_regex(r"[a-z][a-z0-9._-]{0,14}", fullmatch=True)


def wrong(text: str) -> QueryError:
    """The error that a text is answered with."""
    with pytest.raises(QueryError) as caught:
        Flow.parse(text)
    return caught.value


def complaint(text: str) -> QueryError | None:
    """What is wrong with a text, if anything is."""
    try:
        Flow.parse(text)
    except QueryError as error:
        return error
    return None


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow that has words."""
    version: Family = draw(st.sampled_from((4, 6)))
    addresses = st.integers(0, (1 << (32 if version == 4 else 128)) - 1)
    arrives = draw(st.booleans())
    source = draw(addresses) if arrives or draw(st.booleans()) else None
    return Flow(
        destination=IPAddress(draw(addresses), version),
        source=None if source is None else IPAddress(source, version),
        iif=draw(NAMES) if arrives else None,
        oif=draw(st.none() | NAMES),
        mark=Mark(draw(st.integers(0, 0xFFFFFFFF))),
        tos=draw(st.integers(0, 255)),
        uid=draw(st.none() | st.integers(0, 0xFFFFFFFE)),
        protocol=draw(st.none() | st.integers(0, 255)),
        sport=draw(st.none() | st.integers(0, 65535)),
        dport=draw(st.none() | st.integers(0, 65535)),
        flowlabel=draw(st.integers(0, 0xFFFFF)),
        peer=draw(st.none() | NAMES) if arrives else None,
    )


# ─── what is understood ──────────────────────────────────────────────────────────────────────────


def test_an_address_alone_is_a_local_packet() -> None:
    """Without iif the packet is made here, without from it has no source yet."""
    assert Flow.parse("10.0.0.1") == Flow(IPAddress("10.0.0.1"))


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("from 10.0.0.2", "source", IPAddress("10.0.0.2")),
        ("oif wg0", "oif", "wg0"),
        ("mark 51820", "mark", 51820),
        ("mark 0xca6c", "mark", 51820),
        ("mark 0XCA6C", "mark", 51820),
        ("mark 0xff/0x0f", "mark", 15),
        ("mark 4294967295", "mark", 0xFFFFFFFF),
        ("tos 0x10", "tos", 16),
        ("tos 255", "tos", 255),
        ("uid 1000", "uid", 1000),
        ("ipproto tcp", "protocol", 6),
        ("ipproto udp", "protocol", 17),
        ("ipproto icmp", "protocol", 1),
        ("ipproto ipv6-icmp", "protocol", 58),
        ("ipproto TCP", "protocol", 6),
        ("ipproto 47", "protocol", 47),
        ("sport 53", "sport", 53),
        ("dport 65535", "dport", 65535),
        ("flowlabel 0xfffff", "flowlabel", 0xFFFFF),
    ],
)
def test_every_word_fills_its_field(words: str, field: str, value: object) -> None:
    """Each word has one value; numbers are decimal or 0x."""
    flow = Flow.parse(f"10.0.0.1 {words}")
    assert getattr(flow, field) == value


def test_iif_and_peer_make_a_decrypted_packet() -> None:
    """``iif wgX peer P`` has just been decrypted from peer P."""
    flow = Flow.parse("10.0.0.1 from 10.0.0.2 iif wg0 peer fra1")
    assert (flow.iif, flow.peer) == ("wg0", "fra1")


def test_the_words_may_stand_in_any_order() -> None:
    """Every order after the address means the same."""
    words = ("from 10.0.0.2", "iif wg0", "mark 0x1", "ipproto tcp", "dport 443")
    expected = Flow.parse(f"10.0.0.1 {' '.join(words)}")
    assert expected.mark == 1
    for order in itertools.permutations(words):
        assert Flow.parse(f"10.0.0.1 {' '.join(order)}") == expected


def test_white_space_means_nothing() -> None:
    """Tabs, newlines and runs of blanks separate words like one blank."""
    assert Flow.parse("  10.0.0.1 \t from\n10.0.0.2 ") == Flow.parse("10.0.0.1 from 10.0.0.2")


def test_a_zone_means_oif() -> None:
    """``fe80::1%eth0`` is ``fe80::1 oif eth0``; saying both is fine while they agree."""
    expected = Flow.parse("fe80::1 oif eth0")
    assert expected.oif == "eth0"
    assert Flow.parse("fe80::1%eth0") == Flow.parse("fe80::1%eth0 oif eth0") == expected


@given(flows())
def test_the_words_of_a_flow_mean_that_flow(flow: Flow) -> None:
    """What a flow prints is understood as the same flow."""
    assert Flow.parse(str(flow)) == flow


# ─── what is not ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("10.0.0.400", "10.0.0.400"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("example.org", "example.org"),
        ("010.0.0.1", "010.0.0.1"),
        ("10.0.0.1 form 10.0.0.2", "form"),
        ("10.0.0.1 mark 1 mark 2", "mark 2"),
        ("10.0.0.1 oif a dev b", "dev b"),
        ("10.0.0.1 mark red", "red"),
        ("10.0.0.1 mark 0x1_0", "0x1_0"),
        ("10.0.0.1 mark -1", "-1"),
        ("10.0.0.1 mark ²", "²"),
        ("10.0.0.1 mark 4294967296", "4294967296"),
        ("10.0.0.1 mark 1/x", "1/x"),
        ("10.0.0.1 tos 256", "256"),
        ("10.0.0.1 uid 4294967295", "4294967295"),
        ("10.0.0.1 sport 65536", "65536"),
        ("10.0.0.1 dport http", "http"),
        ("10.0.0.1 ipproto 256", "256"),
        ("10.0.0.1 ipproto carrier-pigeon", "carrier-pigeon"),
        ("10.0.0.1 flowlabel 0x100000", "0x100000"),
        ("10.0.0.1 from fd00::1", "fd00::1"),
        ("10.0.0.1%eth0", "10.0.0.1%eth0"),
        ("fe80::1%eth0 oif eth1", "eth1"),
        ("fe80::1 from fe80::2%eth0", "fe80::2%eth0"),
        ("10.0.0.1 from 10.0.0.0/8 iif eth0", "10.0.0.0/8"),
    ],
)
def test_an_error_names_the_word_and_its_position(text: str, word: str) -> None:
    """One line that says which word, and where it begins."""
    error = wrong(text)
    assert error.position == text.index(word)
    assert (error.text, error.unfinished) == (text, False)
    assert "\n" not in error.problem


def test_the_second_of_two_equal_words_is_the_wrong_one() -> None:
    """The position is that of the word itself, not of its first double."""
    assert wrong("10.0.0.1 from 10.0.0.1 from 10.0.0.1").position == 23


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "10.",
        "10.0.0.",
        "fe80",
        "fe80:",
        "fe80::1%",
        "10.0.0.1 f",
        "10.0.0.1 from",
        "10.0.0.1 from 10.0",
        "10.0.0.1 mark",
        "10.0.0.1 mark 0x",
        "10.0.0.1 mark 0xff/",
        "10.0.0.1 iif eth0",
        "10.0.0.1 ipproto ud",
        "10.0.0.1 peer fra1",
    ],
)
def test_half_typed_words_are_unfinished_not_wrong(text: str) -> None:
    """While more typing can make it a flow, it is not yet a mistake."""
    assert wrong(text).unfinished


@given(flows())
def test_no_beginning_of_a_flow_is_a_mistake(flow: Flow) -> None:
    """Typing a flow letter by letter is at no moment called wrong."""
    text = str(flow)
    for end in range(len(text)):
        error = complaint(text[:end])
        assert error is None or error.unfinished, (text[:end], error)


WORDS = st.sampled_from((*KEYWORDS, *PROTOCOLS, "1.2.3.4", "::", "0x", "%", "/", "-1", "１"))


@given(st.text() | st.lists(WORDS).map(" ".join))
def test_no_text_raises_anything_but_a_query_error(text: str) -> None:
    """Whatever is typed, it is a flow or a QueryError whose position lies in the text."""
    error = complaint(text)
    assert error is None or (0 <= error.position <= len(text) and error.text == text)


def test_a_name_with_spaces_stands_in_quotes() -> None:
    """A peer may be called `fra one`; the flow says so again in the same words."""
    flow = Flow.parse('10.0.0.1 from 10.0.0.2 iif wg0 peer "fra one"')
    assert flow.peer == "fra one"
    assert Flow.parse(str(flow)) == flow
