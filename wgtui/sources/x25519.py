"""Which public key belongs to a private one? RFC 7748, section 5.

A userspace daemon tells only its private key. What is computed here is published anyway; nothing is
decrypted or signed with it.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import Final

_P: Final = 2**255 - 19
_A24: Final = 121665

_SALT: Final = os.urandom(32)
_MANY: Final = 256
_computed: Final[dict[bytes, bytes]] = {}
"""By a salted digest of the private key, which leads back to nothing. A daemon is asked every two
seconds, and computing takes two milliseconds, which is more than all the rest of a look."""


def public_key(private: bytes) -> bytes:
    """X25519(private, 9). Raises ``ValueError`` unless there are 32 bytes."""
    if len(private) != 32:
        raise ValueError(f"a key of {len(private)} bytes")
    digest = blake2b(private, key=_SALT).digest()
    found = _computed.get(digest)
    if found is None:
        if len(_computed) >= _MANY:
            _computed.clear()
        found = _computed[digest] = _times_base(private)
    return found


def _times_base(private: bytes) -> bytes:
    scalar = int.from_bytes(private, "little") & ~7 & (1 << 255) - 1 | 1 << 254
    x2, z2, x3, z3 = 1, 0, 9, 1
    swapped = 0
    for position in range(254, -1, -1):
        bit = scalar >> position & 1
        if swapped ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % _P, b * b % _P, d * a % _P, c * b % _P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % _P, 9 * (da - cb) ** 2 % _P
        x2, z2 = aa * bb % _P, e * (aa + _A24 * e) % _P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(32, "little")
