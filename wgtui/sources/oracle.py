"""What does the running kernel answer to the same question? RTM_GETROUTE, twice (S-C1 … S-C9).

Once plainly, for the way out; once with RTM_F_FIB_MATCH, for the prefix and metric of the route
behind it. No privilege is needed, and nothing is changed by asking.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import Final

from netaddr import IPAddress

from wgtui.model.flow import Flow
from wgtui.model.kernel import KernelAnswer
from wgtui.model.network import MAIN_TABLE, LinkIndex
from wgtui.model.prefix import BITS, Family
from wgtui.sources.links import IFNAME, RTM_GETLINK, parse_link
from wgtui.sources.links import REQUEST as LINK_REQUEST
from wgtui.sources.nlsocket import U32, NetlinkError, NetlinkSocket, attribute
from wgtui.sources.route_dump import RTM_GETROUTE
from wgtui.sources.route_message import (
    AF_INET,
    AF_INET6,
    BODY,
    RTA_DST,
    RTA_IIF,
    RTA_OIF,
    RTA_SRC,
    RouteMessage,
    decode,
)

LOOKUP_TABLE, FIB_MATCH = 0x1000, 0x2000
"""RTM_F_…: name the real table; give the entry of the table instead of the answer."""
_MARK, _UID, _IP_PROTO, _SPORT, _DPORT, _FLOWLABEL = 16, 25, 27, 28, 29, 31
_U16: Final = struct.Struct(">H")
_ASKABLE: Final[dict[Family, tuple[int, ...]]] = {4: (1, 6, 17), 6: (6, 17, 58)}
"""The kernel takes no other ``ipproto`` (rtm_getroute_parse_ip_proto)."""


def ask(sock: NetlinkSocket, flow: Flow) -> KernelAnswer | None:
    """Put the question to the kernel of the socket's namespace; None when it cannot be put.

    ``sock`` should check strictly: an attribute the kernel does not know is then refused, not
    ignored.
    """
    if flow.protocol is not None and flow.protocol not in _ASKABLE[flow.family]:
        return None
    try:
        links = {name: _link_index(sock, name) for name in (flow.iif, flow.oif) if name is not None}
        answer = _get(sock, flow, links, LOOKUP_TABLE if flow.family == 4 else 0)
    except NetlinkError as error:
        if error.errno == errno.EINVAL and flow.flowlabel:
            return None  # before Linux 6.14 it could not be asked
        return KernelAnswer(errno=error.errno)
    try:
        entry = _get(sock, flow, links, FIB_MATCH | (LOOKUP_TABLE if flow.family == 4 else 0))
    except NetlinkError:
        entry = None  # answered without any table, like an on-link destination with oif (S-C6)
    return KernelAnswer(
        type=answer.info.type,
        table=answer.table,
        link=answer.link,
        gateway=answer.info.next_hops[0].gateway if answer.info.next_hops else None,
        source=answer.info.preferred_source,
        prefix=entry.destination if entry else None,
        metric=entry.info.metric if entry else None,
    )


def local_in_main(sock: NetlinkSocket) -> bool | None:
    """Are IPv4's local and main still one tree (S-A5)? None: no answer names a table."""
    try:
        answer = _get(sock, Flow(IPAddress("127.0.0.1"), uid=0), {}, LOOKUP_TABLE)
    except NetlinkError:
        return None  # lo is down
    return answer.table == MAIN_TABLE


def _link_index(sock: NetlinkSocket, name: str) -> LinkIndex:
    answer = sock.ask(RTM_GETLINK, LINK_REQUEST + attribute(IFNAME, os.fsencode(name) + b"\0"))
    return parse_link(answer).link.index


def _get(sock: NetlinkSocket, flow: Flow, links: dict[str, LinkIndex], flags: int) -> RouteMessage:
    bits = BITS[flow.family]
    family = AF_INET if flow.family == 4 else AF_INET6
    source_bits = bits if flow.source is not None else 0
    body = BODY.pack(family, bits, source_bits, flow.tos, 0, 0, 0, 0, flags)
    body += attribute(RTA_DST, flow.destination.packed)
    if flow.source is not None:
        body += attribute(RTA_SRC, flow.source.packed)
    if flow.iif is not None:
        body += attribute(RTA_IIF, U32.pack(links[flow.iif]))
    if flow.oif is not None:
        body += attribute(RTA_OIF, U32.pack(links[flow.oif]))
    if flow.mark:
        body += attribute(_MARK, U32.pack(flow.mark))
    # Packets that arrive belong to nobody: uid 0 (S-A65). Unasked, IPv6 would take none at all.
    uid = flow.uid if flow.uid is not None else 0 if flow.iif is not None else os.getuid()
    body += attribute(_UID, U32.pack(uid))
    if flow.protocol is not None:
        body += attribute(_IP_PROTO, bytes([flow.protocol]))
    for name, port in ((_SPORT, flow.sport), (_DPORT, flow.dport)):
        if port is not None:
            body += attribute(name, _U16.pack(port))
    if flow.flowlabel:
        body += attribute(_FLOWLABEL, struct.pack(">I", flow.flowlabel))
    answer = sock.ask(RTM_GETROUTE, body)
    return decode(answer, 0, len(answer))
