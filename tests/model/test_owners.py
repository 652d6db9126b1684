"""Whose is an address on a WireGuard device?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import oracles
from tests.model.test_prefix_index import prefixes
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.wireguard import Owners, Peer


def peers(*allowed_ips: str) -> list[Peer]:
    """Peers "0", "1" … with these comma separated AllowedIPs, as the kernel masks them."""
    return [
        Peer(
            str(number), allowed_ips=tuple(Prefix.parse(word) for word in words.split(",") if word)
        )
        for number, words in enumerate(allowed_ips)
    ]


def owner(owners: Owners, address: str) -> tuple[int, str] | None:
    """Number and prefix as text."""
    prefix = Prefix.parse(address)
    found = owners.owner(prefix.family, prefix.network)
    return None if found is None else (found[0], str(found[1]))


def test_the_longest_prefix_names_the_owner() -> None:
    """The longest prefix wins, whoever comes first (S-E1)."""
    owners = Owners(peers("10.0.0.0/8,0.0.0.0/0", "10.1.0.0/16"))
    assert owner(owners, "10.1.2.3") == (1, "10.1.0.0/16")
    assert owner(owners, "10.2.2.3") == (0, "10.0.0.0/8")
    assert owner(owners, "192.0.2.1") == (0, "0.0.0.0/0")


def test_one_prefix_on_two_peers_belongs_to_the_last() -> None:
    """A prefix has one owner: the last peer that was given it (S-E2)."""
    owners = Owners(peers("10.0.0.0/8", "10.0.0.0/8", "10.9.0.0/16"))
    assert owner(owners, "10.1.2.3") == (1, "10.0.0.0/8")
    assert len(owners.tree(4)) == 2


def test_host_bits_do_not_make_another_prefix() -> None:
    """10.0.0.77/24 is 10.0.0.0/24, and takes it from its owner (S-E2)."""
    owners = Owners(peers("10.0.0.0/24", "10.0.0.77/24"))
    assert owner(owners, "10.0.0.1") == (1, "10.0.0.0/24")


def test_the_families_are_strangers() -> None:
    """::/0 owns no IPv4 address, and a v4-mapped prefix none either (S-E1)."""
    owners = Owners(peers("::/0,::ffff:10.0.0.0/104"))
    assert owner(owners, "10.0.0.1") is None
    assert owner(owners, "::ffff:10.0.0.1") == (0, "::ffff:10.0.0.0/104")


def test_covering_tells_the_owner_first_and_then_who_lost() -> None:
    """Everybody whose AllowedIPs cover an address, longest first."""
    owners = Owners(peers("0.0.0.0/0", "10.0.0.0/8", "10.0.0.1/32"))
    address = Prefix.parse("10.0.0.1").network
    assert [number for number, _ in owners.covering(4, address)] == [2, 1, 0]


@pytest.mark.parametrize("family", [4, 6])
@given(data=st.data())
def test_owners_agree_with_looking_at_every_prefix(family: Family, data: st.DataObject) -> None:
    """The tree gives the owner that a scan of every AllowedIP gives."""
    lists = data.draw(st.lists(st.lists(prefixes(family), max_size=6), max_size=5))
    given_peers = [Peer(str(n), allowed_ips=tuple(chosen)) for n, chosen in enumerate(lists)]
    owners = Owners(given_peers)
    edges = [edge for chosen in lists for p in chosen for edge in (p.network, p.last)]
    for address in (*edges, 0, 1 << BITS[family] - 1):
        assert owners.owner(family, address) == oracles.owner(given_peers, family, address)
