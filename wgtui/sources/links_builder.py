"""Which index has the link of this name? Text tools name links; the model numbers them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from wgtui.model.network import LOOPBACK, Link, LinkAddress, LinkIndex


class LinksBuilder:
    """Collects links in the kernel's order, and stand-ins for those that are only mentioned."""

    def __init__(self, links: Iterable[Link] = (), kinds_told: bool = True) -> None:
        """``kinds_told``: a link without a kind has none, rather than that nobody asked for it."""
        self._kinds_told = kinds_told
        self._links: dict[str, Link] = {link.name: link for link in links}
        self._unseen = 0

    def add(self, link: Link) -> None:
        """The next link of the list."""
        self._links[link.name] = link

    def find(self, name: str) -> Link | None:
        """The link as far as it is known, or None."""
        return self._links.get(name)

    def index(self, name: str, kind: str | None = None) -> LinkIndex:
        """The link's index. One that nobody listed becomes a link of its own, ``seen=False``.

        Its index is negative, but for ``lo``, which is 1 everywhere (S-A14).
        """
        link = self._links.get(name)
        if link is None:
            loopback = name == "lo"
            if not loopback:
                self._unseen += 1
            index = LOOPBACK if loopback else LinkIndex(-self._unseen)
            link = Link(index, name, kind, up=None, carrier=None, loopback=loopback, seen=False)
            self._links[name] = link
        return link.index

    def add_addresses(self, name: str, addresses: tuple[LinkAddress, ...]) -> None:
        """The addresses of a link."""
        self.index(name)
        self._links[name] = replace(self._links[name], addresses=addresses)

    def set_master(self, name: str, master: str) -> None:
        """What a link is enslaved to; the master may come later in the list."""
        self._links[name] = replace(self._links[name], master=self.index(master))

    def complete_kinds(self, wireguard: Collection[LinkIndex], all_listed: bool) -> None:
        """Give kinds to links without: to the WireGuard ones, and to what may be one.

        ``all_listed``: there are no other WireGuard links than these.
        """
        for name, link in self._links.items():
            if link.kind is not None:
                continue
            if link.index in wireguard:
                self._links[name] = replace(link, kind="wireguard")
            elif not (self._kinds_told or all_listed) and link.point_to_point and link.noarp:
                # It looks like WireGuard and must not pass for hardware.
                self._links[name] = replace(link, kind="tun")

    def build(self) -> dict[LinkIndex, Link]:
        """Every link by its index."""
        return {link.index: link for link in self._links.values()}
