"""Which filters of traffic control (tc) may take a packet out of the hands of routing?

RTM_GETQDISC says which links have any place for filters, RTM_GETTFILTER what these do (S-H7);
everybody may ask. Named are filters that redirect, drop, change, or run a program. What only sorts
packets into queues, copies or counts them is left out, and so is a redirect to an ifb link: that
is how arriving packets are queued, and it gives them back.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator, Mapping
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind
from wgtui.model.network import Link, LinkIndex
from wgtui.model.snapshot import Gap, Subject
from wgtui.sources.nlsocket import HEADER, Buffer, NetlinkSocket, text
from wgtui.sources.route_message import Values, values_of

RTM_GETQDISC, RTM_GETTFILTER = 38, 46
_BODY: Final = struct.Struct("=BxxxiIII")
"""tcmsg: family, link, handle, parent, info."""
REQUEST: Final = _BODY.pack(0, 0, 0, 0, 0)
"""The queueing disciplines of all links."""
_KIND, _OPTIONS = 1, 2
"""TCA_…, and TCA_ACT_… too."""
_INGRESS, _EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
"""The two sides of clsact; ``ingress`` has the first only."""
_WITH_FILTERS: Final = frozenset({"htb", "prio", "hfsc", "drr", "qfq", "ets", "cbq", "dsmark"})
"""Disciplines with classes, whose filters may have actions."""

_ACTIONS: Final = {
    "basic": 3,
    "bpf": 1,
    "cgroup": 1,
    "flow": 9,
    "flower": 3,
    "fw": 4,
    "matchall": 2,
    "route": 6,
    "u32": 7,
}
"""TCA_…_ACT of every kind of filter."""
_BPF_NAME: Final = 7
_PARMS: Final = 2
"""TCA_MIRRED_PARMS, TCA_GACT_PARMS."""
_MIRRED: Final = struct.Struct("=20xiI")
"""tc_mirred: (five numbers), what, link."""
_REDIRECTS: Final = frozenset({1, 3})
"""TCA_EGRESS_REDIR, TCA_INGRESS_REDIR."""
_GACT: Final = struct.Struct("=8xi")
"""tc_gact: (two numbers), action."""
_TAKEN: Final = frozenset({2, 4, 5, 8})
"""TC_ACT_SHOT, STOLEN, QUEUED, TRAP: the packet goes no further."""
_HARMLESS: Final = frozenset({"csum", "police", "sample", "simple"})
"""Actions that leave packets as they are (or drop by rate, like any queue)."""


def read_filters(
    sock: NetlinkSocket, links: Mapping[LinkIndex, Link]
) -> tuple[tuple[Influence, ...], list[Gap]]:
    """What filters do in the namespace of the socket, each thing once a link and direction."""
    try:
        return tuple(dict.fromkeys(_influences(sock, links))), []
    except FormatError as error:
        return (), [Gap(Subject.TC, str(error))]
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:  # a kernel without traffic control
            return (), []
        return (), [Gap(Subject.TC, error.strerror or str(error))]


def _influences(sock: NetlinkSocket, links: Mapping[LinkIndex, Link]) -> Iterator[Influence]:
    for link, parent, direction in places(sock.dump(RTM_GETQDISC, REQUEST)):
        try:
            filters = sock.dump(RTM_GETTFILTER, _BODY.pack(0, link, 0, parent, 0))
        except OSError as error:
            if error.errno != errno.ENODEV:  # gone meanwhile, which will be noticed
                raise
            continue
        for answer in filters:
            for influence in parse_filter(answer, link, direction):
                to = links.get(influence.to) if influence.to is not None else None
                if to is None or to.kind != "ifb":
                    yield influence


def places(answers: list[bytes]) -> Iterator[tuple[LinkIndex, int, Direction]]:
    """Where filters can be: link, parent, direction. Raises ``FormatError``."""
    for answer in answers:
        index, handle, _, kind, _ = _understood(answer)
        if kind in ("clsact", "ingress"):
            yield index, _INGRESS, Direction.IN
        if kind == "clsact":
            yield index, _EGRESS, Direction.OUT
        if kind in _WITH_FILTERS:
            yield index, handle, Direction.OUT


def parse_filter(message: Buffer, link: LinkIndex, direction: Direction) -> list[Influence]:
    """What one RTM_NEWTFILTER message (with its header) says of a filter on that link.

    Raises ``FormatError``.
    """
    _, _, _, kind, raw = _understood(message)
    try:
        options = values_of(raw, 0, len(raw))
        found: list[tuple[Effect, LinkIndex | None, str]] = []
        if kind == "bpf" and _BPF_NAME in options:
            found.append((Effect.PROGRAM, None, text(options[_BPF_NAME])))
        elif kind == "bpf" and options:
            found.append((Effect.PROGRAM, None, ""))
        actions = options.get(_ACTIONS.get(kind, -1), b"")
        for action in values_of(actions, 0, len(actions)).values():
            found += _does(values_of(action, 0, len(action)))
    except struct.error as error:
        raise FormatError("netlink", f"a filter that is too short ({error})") from error
    return [
        Influence(InfluenceKind.TC, direction, effect, link, to, name) for effect, to, name in found
    ]


def _understood(message: Buffer) -> tuple[LinkIndex, int, int, str, Buffer]:
    """Link, handle, parent, kind and options of a discipline or filter."""
    try:
        _, index, handle, parent, _ = _BODY.unpack_from(message, HEADER.size)
    except struct.error as error:
        raise FormatError("netlink", f"a tc message that is too short ({error})") from error
    values = values_of(message, HEADER.size + _BODY.size, len(message))
    kind = text(values[_KIND]) if _KIND in values else ""
    return LinkIndex(index), handle, parent, kind, values.get(_OPTIONS, b"")


def _does(action: Values) -> Iterator[tuple[Effect, LinkIndex | None, str]]:
    kind = text(action[_KIND]) if _KIND in action else ""
    raw = action.get(_OPTIONS, b"")
    parms = values_of(raw, 0, len(raw)).get(_PARMS, b"")
    match kind:
        case "mirred":
            what, to = _MIRRED.unpack_from(parms)
            if what in _REDIRECTS:
                yield Effect.REDIRECT, LinkIndex(to), ""
        case "gact":
            if _GACT.unpack_from(parms)[0] in _TAKEN:
                yield Effect.DROP, None, ""
        case "bpf":
            yield Effect.PROGRAM, None, ""
        case _ if kind not in _HARMLESS:
            yield Effect.CHANGE, None, kind
