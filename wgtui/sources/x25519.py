"""Which public key belongs to a private one? RFC 7748, section 5.

A userspace daemon tells only its private key. What is computed here is published anyway; nothing is
decrypted or signed with it.
"""

from __future__ import annotations

from typing import Final

_P: Final = 2**255 - 19
_A24: Final = 121665


def public_key(private: bytes) -> bytes:
    """X25519(private, 9). Raises ``ValueError`` unless there are 32 bytes."""
    if len(private) != 32:
        raise ValueError(f"a key of {len(private)} bytes")
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
