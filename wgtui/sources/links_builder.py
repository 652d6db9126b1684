"""Which index has the link of this name? Text tools name links; the model numbers them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from wgtui.model.network import LOOPBACK, Link, LinkAddress, LinkIndex


class LinksBuilder:
    """Collects links in the kernel's order, and stand-ins for those that are only mentioned."""

    def __init__(self, links: Iterable[Link] = ()) -> None:
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

    def set_kind(self, name: str, kind: str) -> None:
        """The kind, learned from elsewhere."""
        self._links[name] = replace(self._links[name], kind=kind)

    def build(self) -> dict[LinkIndex, Link]:
        """Every link by its index."""
        return {link.index: link for link in self._links.values()}
