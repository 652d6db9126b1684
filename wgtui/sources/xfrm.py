"""Which IPsec policies does this namespace have? XFRM_MSG_GETPOLICY → Influences (S-H6).

Only looked at. A policy that lets packets pass as they are changes nothing and is left out, and so
are those of single sockets (an IKE daemon's own).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.influence import Direction, Effect, Influence, InfluenceKind, PolicySelector
from wgtui.model.network import LinkIndex, Masked
from wgtui.model.prefix import BITS, Family, Prefix
from wgtui.model.snapshot import Gap, Subject
from wgtui.sources.nlsocket import HEADER, Buffer, NetlinkError, NetlinkSocket
from wgtui.sources.procfs import read_netlink_protocols
from wgtui.sources.route_message import AF_INET, AF_INET6, Values, values_of

NETLINK_XFRM: Final = 6
POLICY_GROUP: Final = 4
"""XFRMNLGRP_POLICY."""
_GETPOLICY, _GETDEFAULT = 0x15, 0x28
"""XFRM_MSG_…"""
_TMPL, _MARK, _IF_ID = 5, 21, 31
"""XFRMA_…"""

_SELECTOR: Final = struct.Struct("=16s16s2s2s2s2sHBBB3xiI")
"""xfrm_selector: addresses, ports with masks, family, prefix lengths, protocol, link, user."""
_POLICY: Final = struct.Struct(f"={_SELECTOR.size}s96xIIBBBB4x")
"""xfrm_userpolicy_info: selector, (lifetimes), priority, index, dir, action, flags, share."""
_FAMILIES: Final[dict[int, Family]] = {AF_INET: 4, AF_INET6: 6}
_DIRECTIONS: Final = (Direction.IN, Direction.OUT, Direction.FORWARD)
"""XFRM_POLICY_IN …; larger ones are of single sockets."""
_ALLOW, _BLOCK = 0, 1
"""XFRM_POLICY_…"""
_DEFAULT_BLOCK: Final = 1
"""XFRM_USERPOLICY_BLOCK."""


def read_policies() -> tuple[tuple[Influence, ...], list[Gap]]:
    """The policies that may change or drop packets in this thread's namespace."""
    protocols = read_netlink_protocols()
    if protocols is not None and NETLINK_XFRM not in protocols:
        return (), []  # asking would make the kernel load the module that could have some
    try:
        with NetlinkSocket(NETLINK_XFRM) as sock:
            answers = sock.dump(_GETPOLICY, b"")
            defaults = _defaults(sock)
        policies = [policy for policy in map(parse_policy, answers) if policy is not None]
        return (*policies, *defaults), []
    except FormatError as error:
        return (), [Gap(Subject.XFRM, str(error))]
    except OSError as error:
        if error.errno == errno.EPROTONOSUPPORT:
            return (), []
        if error.errno in (errno.EPERM, errno.EACCES):
            why, hint = "looking at IPsec is not permitted", "run as root (sudo wgtui)"
            return (), [Gap(Subject.XFRM, why, hint)]
        return (), [Gap(Subject.XFRM, error.strerror or str(error))]


def parse_policy(message: Buffer) -> Influence | None:
    """One XFRM_MSG_NEWPOLICY message (with its header); None: it changes nothing.

    Raises ``FormatError``.
    """
    try:
        raw, _, _, where, action, _, _ = _POLICY.unpack_from(message, HEADER.size)
        values = values_of(message, HEADER.size + _POLICY.size, len(message))
        if where >= len(_DIRECTIONS) or (action == _ALLOW and not values.get(_TMPL)):
            return None
        return Influence(
            InfluenceKind.XFRM,
            _DIRECTIONS[where],
            Effect.BLOCK if action == _BLOCK else Effect.TRANSFORM,
            selector=_selector(raw, values),
        )
    except (struct.error, ValueError) as error:
        raise FormatError("netlink", f"an IPsec policy that makes no sense ({error})") from error


def _selector(raw: bytes, values: Values) -> PolicySelector:
    fields = _SELECTOR.unpack(raw)
    to, source, dport, dmask, sport, smask, number, to_length, source_length, protocol, link, _ = (
        fields
    )
    if number not in _FAMILIES:
        raise ValueError(f"address family {number}")
    family = _FAMILIES[number]
    mark, mask = struct.unpack_from("=II", values.get(_MARK, bytes(8)))
    return PolicySelector(
        family,
        source=_prefix(family, source, source_length),
        destination=_prefix(family, to, to_length),
        protocol=protocol or None,
        source_port=_port(sport, smask),
        destination_port=_port(dport, dmask),
        link=LinkIndex(link) if link else None,
        mark=Masked(mark, mask) if mask else None,
        interface_id=struct.unpack_from("=I", values.get(_IF_ID, bytes(4)))[0],
    )


def _prefix(family: Family, address: bytes, length: int) -> Prefix | None:
    network = int.from_bytes(address[: BITS[family] // 8], "big")
    return Prefix.of(family, network, length) if length else None


def _port(port: bytes, mask: bytes) -> Masked | None:
    wanted = Masked(int.from_bytes(port, "big"), int.from_bytes(mask, "big"))
    return wanted if wanted.mask else None


def _defaults(sock: NetlinkSocket) -> Iterator[Influence]:
    """What holds for packets without a policy, since Linux 5.15."""
    try:
        answer = sock.ask(_GETDEFAULT, bytes(4))
    except NetlinkError as error:
        if error.errno != errno.EINVAL:  # a kernel that lets them pass
            raise
        return iter(())
    return iter(parse_defaults(answer))


def parse_defaults(answer: Buffer) -> list[Influence]:
    """Those that block, of an XFRM_MSG_GETDEFAULT answer (with its header)."""
    told = bytes(answer[HEADER.size : HEADER.size + 3])
    # xfrm_userpolicy_default: in, fwd, out.
    order = (Direction.IN, Direction.FORWARD, Direction.OUT)
    return [
        Influence(InfluenceKind.XFRM, direction, Effect.BLOCK, name="default")
        for direction, verdict in zip(order, told, strict=False)
        if verdict == _DEFAULT_BLOCK
    ]
