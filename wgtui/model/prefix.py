"""What is a prefix: a family, a network and a length, as plain numbers."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from netaddr import AddrFormatError, IPAddress, IPNetwork
from netaddr.strategy import ipv6

Family: TypeAlias = Literal[4, 6]

BITS: Final[dict[Family, int]] = {4: 32, 6: 128}
"""How long an address of each family is."""

FAMILIES: Final[tuple[Family, Family]] = (4, 6)

_OCTETS: Final = {str(number): number for number in range(256)}
"""The only spellings there are: what a folder of a full table is full of."""

_HOST_BITS: Final = {str(length): 32 - length for length in range(33)}
"""Of IPv4 prefixes, by their length as written."""


def family_of(address: IPAddress) -> Family:
    """4 or 6."""
    return 4 if address.version == 4 else 6


def address_text(family: Family, value: int) -> str:
    """``10.0.0.1`` or ``fe80::1``: the shortest usual spelling."""
    if family == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return str(ipv6.int_to_str(value))


class Prefix(NamedTuple):
    """A prefix whose host bits are zero. Sorts as a routing tree is drawn: parents before
    children."""

    family: Family
    network: int
    """The first address, as a number."""
    length: int
    """0 (everything) to 32 or 128 (one address)."""

    @classmethod
    def of(cls, family: Family, address: int, length: int) -> Prefix:
        """The prefix of ``length`` around ``address``; host bits are masked away (S-E2)."""
        host = BITS[family] - length
        return new_prefix(cls, family, address >> host << host, length)

    @classmethod
    def parse(cls, text: str, family: Family | None = None) -> Prefix:
        """``10.0.0.0/8``, ``10.0.0.7`` (a /32), ``fd00::/8``; also ``default`` and ``all`` with a
        family.

        Raises ``ValueError`` when the text is no prefix, or of the other family.
        """
        plain = _plain4(text) if family != 6 else None
        if plain is not None:
            return plain
        if text in ("default", "all", "any"):
            if family is None:
                raise ValueError(f"{text!r} needs a family")
            return cls(family, 0, 0)
        address, slash, length = text.partition("/")
        found: Family = 6 if ":" in address else 4
        if family is not None and found != family:
            raise ValueError(f"{text!r} is not an IPv{family} prefix")
        value = parse_address_value(address, found)
        bits = BITS[found]
        if not slash:
            return cls(found, value, bits)
        if not (length.isascii() and length.isdigit() and int(length) <= bits):
            raise ValueError(f"{text!r}: a length is a number from 0 to {bits}")
        return cls.of(found, value, int(length))

    @property
    def last(self) -> int:
        """The last address covered, as a number."""
        return self.network | ((1 << (BITS[self.family] - self.length)) - 1)

    @property
    def size(self) -> int:
        """How many addresses it covers."""
        return 1 << (BITS[self.family] - self.length)

    def covers(self, address: int) -> bool:
        """Is the address (of the same family) inside?"""
        return (address ^ self.network) >> (BITS[self.family] - self.length) == 0

    def contains(self, other: Prefix) -> bool:
        """Is the whole other prefix inside (or the same)?"""
        return (
            self.family == other.family
            and self.length <= other.length
            and self.covers(other.network)
        )

    def to_netaddr(self) -> IPNetwork:
        """For the algebra of sets (``netaddr.IPSet``, ``cidr_merge``)."""
        return IPNetwork((self.network, self.length), version=self.family)

    def __str__(self) -> str:
        return f"{address_text(self.family, self.network)}/{self.length}"


new_prefix: Final = Prefix.__new__
"""``new_prefix(Prefix, …)`` is ``Prefix(…)`` at half the price: to call a class leads through C and
back into Python. A lookup makes fifty named tuples; the commonest of them are made like this."""


def _plain4(text: str) -> Prefix | None:
    """``10.0.0.0/8`` or ``10.0.0.7``: what full tables and AllowedIPs are full of; None: anything
    else."""
    address, slash, length = text.partition("/")
    try:
        first, second, third, fourth = address.split(".")
        value = _OCTETS[first] << 24 | _OCTETS[second] << 16 | _OCTETS[third] << 8 | _OCTETS[fourth]
        host = _HOST_BITS[length] if slash else 0
    except (KeyError, ValueError):
        return None
    return new_prefix(Prefix, 4, value >> host << host, 32 - host)


def parse_address_value(text: str, family: Family) -> int:
    """The number of an address in strict notation (four decimal parts, or RFC 4291).

    Raises ``ValueError``.
    """
    try:
        if family == 6:
            return int(ipv6.str_to_int(text))
        first, second, third, fourth = text.split(".")
        return _OCTETS[first] << 24 | _OCTETS[second] << 16 | _OCTETS[third] << 8 | _OCTETS[fourth]
    except (AddrFormatError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{text!r} is not an IPv{family} address") from error


def parse_address(text: str) -> IPAddress:
    """An address in strict notation; raises ``ValueError``."""
    family: Family = 6 if ":" in text else 4
    return IPAddress(parse_address_value(text, family), family)
