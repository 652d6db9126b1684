"""What is a key, what a prefix, where a program passes over words it cannot read?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import PeerConfig

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
"""32 bytes in base64: the last of 43 characters has two bits to spare."""


def is_key(text: str) -> bool:
    """Is it a public key as WireGuard writes them?"""
    return _KEY.fullmatch(text) is not None


def with_prefixes(peer: PeerConfig, words: Iterable[str]) -> PeerConfig:
    """The peer with these AllowedIPs too; a word that is no prefix is passed over."""
    found: list[tuple[Prefix, str]] = []
    for word in words:
        try:
            found.append((Prefix.parse(word), word))
        except ValueError:
            continue
    return replace(
        peer,
        allowed_ips=(*peer.allowed_ips, *(prefix for prefix, _ in found)),
        allowed_ips_written=(*peer.allowed_ips_written, *(word for _, word in found)),
    )
