"""When does something change? Sockets on which the kernel tells it, in every namespace that counts.

That is the one that is looked at, and those its devices were made in (``Snapshot.elsewhere``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from wgtui.errors import SourceError
from wgtui.sources import netns
from wgtui.sources.nlsocket import HEADER, NetlinkSocket, messages
from wgtui.sources.procfs import read_netlink_protocols
from wgtui.sources.route_changes import RTM_DELROUTE
from wgtui.sources.route_message import RTM_NEWROUTE
from wgtui.sources.xfrm import NETLINK_XFRM, POLICY_GROUP

_GROUPS: Final = (1, 4, 5, 7, 8, 9, 11, 19, 24, 25, 32)
"""Links; tc; IPv4 addresses, routes, rules; IPv6 ones; netconf of both; next-hop objects (S-G3)."""
_ROOM: Final = 64 << 20
"""Bytes for events that wait: 80,000 of routes, if it is permitted to ask for so many."""
_HARMLESS: Final = frozenset(
    {
        *(32, 33),  # rules
        *range(36, 48),  # tc
        *(80, 81),  # netconf
    }
)
"""Types of events with which no route ever goes silently; links, addresses and next-hop objects may
take some with them (S-G5)."""


@dataclass(slots=True)
class News:
    """What the sockets told, until somebody deals with it."""

    routes: list[bytes] = field(default_factory=list)
    """Events of single routes of the namespace that is looked at, in their order."""
    other: bool = False
    """Something else moved."""
    silent: bool = False
    """Something moved with which routes may have gone silently."""
    lost: int = 0
    """How often events were lost."""

    def __bool__(self) -> bool:
        return bool(self.routes or self.other or self.silent or self.lost)


class Events:
    """To be made, and to ``watch_policies``, in the namespace that is looked at."""

    def __init__(self) -> None:
        """Raises ``OSError`` when there is no netlink."""
        self._routing = _routing()
        self._policies: NetlinkSocket | None = None
        self._elsewhere: dict[str, NetlinkSocket] = {}
        self._room = bytearray(1 << 16)
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

    def collect(self, news: News) -> bool:
        """Add what is waiting to the ``news``; did anything happen?"""
        happened = False
        for sock in self._sockets():
            for event in sock.waiting(self._room):
                happened = True
                if event is None:
                    news.lost += 1
                elif sock is not self._routing:
                    news.other = True
                else:
                    _sort_in(event, news)
        return happened

    def close(self) -> None:
        """Let go of them; safe to call twice."""
        for sock in self._sockets():
            sock.close()


def _sort_in(event: bytes, news: News) -> None:
    _, kind, _, _, _ = HEADER.unpack_from(event)
    if kind in (RTM_NEWROUTE, RTM_DELROUTE):
        news.routes += [event[start:end] for _, _, start, end in messages(event)]
    elif kind in _HARMLESS:
        news.other = True
    else:
        news.silent = True


def _routing() -> NetlinkSocket:
    sock = NetlinkSocket(timeout=0.0)
    sock.listen(_GROUPS, _ROOM)
    return sock
