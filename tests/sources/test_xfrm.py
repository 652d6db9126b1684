"""Is what the kernel says of IPsec policies understood? (S-H6)

data/xfrm.netlink is what Linux 6.18 sent about five policies, one of them a single socket's and one
that lets packets pass as they are; data/xfrm-default.netlink what it does with packets that have
none: let in, not forwarded, not sent.
"""

from pathlib import Path

import pytest

from wgtui.errors import FormatError
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind, PolicySelector
from wgtui.model.network import Masked
from wgtui.model.prefix import Prefix
from wgtui.sources.nlsocket import HEADER, messages
from wgtui.sources.xfrm import parse_defaults, parse_policy

DATA = Path(__file__).parent / "data"


def recorded() -> list[bytes]:
    """The policies of a real kernel."""
    dump = (DATA / "xfrm.netlink").read_bytes()
    return [dump[start:end] for kind, _, start, end in messages(dump) if kind >= 16]


def test_policies_that_matter_are_found_with_their_selectors() -> None:
    """Those that change nothing, and those of single sockets, are left out (S-H6)."""
    assert len(recorded()) == 5
    found = [policy for message in recorded() if (policy := parse_policy(message)) is not None]
    assert found == [
        Influence(
            InfluenceKind.XFRM,
            Direction.FORWARD,
            Effect.TRANSFORM,
            selector=PolicySelector(
                6, Prefix.parse("2001:db8::/32"), Prefix.parse("fd00::/8"), protocol=58
            ),
        ),
        Influence(
            InfluenceKind.XFRM,
            Direction.IN,
            Effect.BLOCK,
            selector=PolicySelector(
                4,
                Prefix.parse("10.1.0.0/16"),
                Prefix.parse("10.0.0.0/8"),
                mark=Masked(5, 0xF),
                interface_id=3,
            ),
        ),
        Influence(
            InfluenceKind.XFRM,
            Direction.OUT,
            Effect.TRANSFORM,
            selector=PolicySelector(
                4,
                Prefix.parse("10.0.0.0/8"),
                Prefix.parse("10.1.0.0/16"),
                protocol=17,
                source_port=Masked(1000, 0xFFFF),
                destination_port=Masked(53, 0xFFFF),
            ),
        ),
    ]


def test_what_holds_without_a_policy() -> None:
    """Blocking what no policy covers is for all packets of that direction (S-H6)."""
    found = parse_defaults((DATA / "xfrm-default.netlink").read_bytes())
    assert [(item.direction, item.effect, item.selector) for item in found] == [
        (Direction.FORWARD, Effect.BLOCK, None),
        (Direction.OUT, Effect.BLOCK, None),
    ]


@pytest.mark.parametrize("size", [0, 20, 55, 167, 175])
def test_a_torn_message_is_an_error(size: int) -> None:
    """Nothing is guessed from half a policy."""
    message = recorded()[-1][: HEADER.size + size]
    with pytest.raises(FormatError):
        parse_policy(message)


def test_another_family_is_an_error() -> None:
    """A selector of neither IPv4 nor IPv6 is not taken for one of them."""
    message = bytearray(recorded()[-1])
    message[HEADER.size + 40] = 77
    with pytest.raises(FormatError, match="77"):
        parse_policy(message)
