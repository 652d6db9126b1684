"""Which netfilter chains are on a packet's way here?

The kernel says whether there are any, ``nft`` what they do. Only looked at: ``nft -j list
ruleset`` changes nothing.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.snapshot import Gap, Hook, Subject
from wgtui.sources.nft import parse_ruleset
from wgtui.sources.nlsocket import HEADER, NetlinkSocket, attributes
from wgtui.sources.procfs import read_legacy_tables

_NETLINK_NETFILTER: Final = 12
_GETCHAIN, _GETGEN = 10 << 8 | 4, 10 << 8 | 16
"""NFNL_SUBSYS_NFTABLES, NFT_MSG_…."""
_GEN_ID: Final = 1
_ANY_FAMILY: Final = bytes(4)
"""nfgenmsg."""
_PATIENCE: Final = 10.0
"""Seconds for nft; rulesets with large sets take their time."""
_PRIVILEGE: Final = "run as root (sudo wgtui)"


def read_hooks() -> tuple[tuple[Hook, ...] | None, list[Gap]]:
    """The chains that may matter in this thread's namespace; None with a gap: unseen."""
    try:
        legacy = read_legacy_tables()
        if legacy:
            return None, [_gap(f"iptables-legacy has tables: {', '.join(legacy)}")]
        return (_rules() if _any_chain() else ()), []
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return None, [_gap("looking at netfilter is not permitted", _PRIVILEGE)]
        return None, [_gap(error.strerror or str(error))]
    except (FormatError, subprocess.TimeoutExpired) as error:
        return None, [_gap(str(error))]


def read_generation() -> int | None:
    """A number that changes with every change of the ruleset; None: it cannot be seen."""
    try:
        with NetlinkSocket(_NETLINK_NETFILTER) as sock:
            answer = sock.ask(_GETGEN, _ANY_FAMILY)
    except OSError:
        return None
    offset = HEADER.size + len(_ANY_FAMILY)
    for name, start, end in attributes(answer, offset, len(answer)):
        if name == _GEN_ID:
            return int.from_bytes(answer[start:end], "big")
    return None


def _gap(why: str, hint: str = "") -> Gap:
    return Gap(Subject.FIREWALL, why, hint)


def _any_chain() -> bool:
    try:
        with NetlinkSocket(_NETLINK_NETFILTER) as sock:
            return bool(sock.dump(_GETCHAIN, _ANY_FAMILY))
    except OSError as error:
        # A kernel without netfilter, or without nf_tables.
        if error.errno in (errno.EPROTONOSUPPORT, errno.EINVAL, errno.ENOENT, errno.EOPNOTSUPP):
            return False
        raise


def _rules() -> tuple[Hook, ...]:
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if nft is None:
        raise FileNotFoundError(errno.ENOENT, "nft is not installed")
    done = subprocess.run(  # it lists; the child has this thread's namespace
        [nft, "-j", "list", "ruleset"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        first = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise OSError(f"nft: {first or f'exit code {done.returncode}'}")
    return parse_ruleset(done.stdout.decode("utf-8", "surrogateescape"), "nft -j list ruleset")
