"""When does something change? Sockets on which the kernel tells it, in every namespace that counts.

That is the one that is looked at, and those its devices were made in (``Snapshot.elsewhere``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wgtui.errors import SourceError
from wgtui.sources import netns
from wgtui.sources.nlsocket import NetlinkSocket
from wgtui.sources.procfs import read_netlink_protocols
from wgtui.sources.xfrm import NETLINK_XFRM, POLICY_GROUP

_GROUPS: Final = (1, 4, 5, 7, 8, 9, 11, 19, 24, 25, 32)
"""Links; tc; IPv4 addresses, routes, rules; IPv6 ones; netconf of both; next-hop objects (S-G3)."""
_ROOM: Final = 4 << 20
"""Bytes for events that wait: 5,000 of them."""


class Events:
    """To be made, and to ``watch_policies``, in the namespace that is looked at."""

    def __init__(self) -> None:
        """Raises ``OSError`` when there is no netlink."""
        self._routing = _routing()
        self._policies: NetlinkSocket | None = None
        self._elsewhere: dict[str, NetlinkSocket] = {}
        self.watch_policies()

    @property
    def places(self) -> tuple[str, ...]:
        """The other namespaces that are followed."""
        return tuple(self._elsewhere)

    def watch_policies(self) -> None:
        """Hear of IPsec policies too, once the kernel may have some and if that is permitted."""
        if self._policies is not None or NETLINK_XFRM not in (read_netlink_protocols() or ()):
            return
        sock = NetlinkSocket(NETLINK_XFRM, timeout=0.0)
        try:
            sock.listen((POLICY_GROUP,), _ROOM)
        except PermissionError:
            sock.close()
        else:
            self._policies = sock

    def follow(self, places: Iterable[str]) -> bool:
        """Follow these other namespaces and no more; is any of them new?"""
        wanted = set(places)
        for place in self._elsewhere.keys() - wanted:
            self._elsewhere.pop(place).close()
        new = False
        for place in wanted - self._elsewhere.keys():
            try:
                self._elsewhere[place] = netns.visiting(place, _routing)
            except (SourceError, OSError):  # it is gone again, as the next reading will show
                continue
            new = True
        return new

    def _sockets(self) -> list[NetlinkSocket]:
        policies = [self._policies] if self._policies is not None else []
        return [self._routing, *policies, *self._elsewhere.values()]

    def filenos(self) -> list[int]:
        """For ``poll``."""
        return [sock.fileno() for sock in self._sockets()]

    def drain(self) -> bool:
        """Throw away what is waiting; did anything happen?"""
        return True in [sock.drain() for sock in self._sockets()]

    def close(self) -> None:
        """Let go of them; safe to call twice."""
        for sock in self._sockets():
            sock.close()


def _routing() -> NetlinkSocket:
    sock = NetlinkSocket(timeout=0.0)
    sock.listen(_GROUPS, _ROOM)
    return sock
