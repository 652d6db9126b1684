"""Is every edit of a configuration seen without reading it?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wgtui.sources.config_stamp import stamp
from wgtui.sources.configs import places_of

NETDEV = "etc/systemd/network/50-wg0.netdev"


def rewrite(root: Path) -> None:
    """Another length."""
    (root / "etc/wireguard/wg0.conf").write_text("[Interface]\nListenPort = 5\n")


def replace_by_a_twin(root: Path) -> None:
    """As editors do it: another file of the same length takes the name."""
    file = root / "etc/wireguard/wg0.conf"
    twin = file.with_suffix(".new")
    twin.write_text(file.read_text().replace("1", "2"))
    twin.rename(file)


def remove(root: Path) -> None:
    """The whole file."""
    (root / NETDEV).unlink()


def add_a_drop_in(root: Path) -> None:
    """In a folder that was empty."""
    (root / f"{NETDEV}.d" / "peers.conf").write_text("[WireGuardPeer]\n")


def make_a_place(root: Path) -> None:
    """Where there was none."""
    (root / "etc/config").mkdir()
    (root / "etc/config/network").write_text("")


@pytest.mark.parametrize(
    "edit",
    [rewrite, replace_by_a_twin, remove, add_a_drop_in, make_a_place],
    ids=lambda edit: edit.__name__,
)
def test_an_edit_is_seen(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    """Wherever one of the programs reads; two looks at the same are equal."""
    for file in ("etc/wireguard/wg0.conf", NETDEV):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("[Interface]\nListenPort = 1\n")
    (tmp_path / f"{NETDEV}.d").mkdir()
    before = stamp(places_of("", tmp_path).all)
    assert stamp(places_of("", tmp_path).all) == before
    edit(tmp_path)
    assert stamp(places_of("", tmp_path).all) != before


def test_what_a_namespace_has_for_itself(tmp_path: Path) -> None:
    """Its own /etc hides that of the host, as for who reads the files."""
    own = tmp_path / "etc/netns/blue/wireguard"
    own.mkdir(parents=True)
    assert places_of("blue", tmp_path).wg_quick == own
    assert places_of("red", tmp_path).wg_quick == tmp_path / "etc/wireguard"
