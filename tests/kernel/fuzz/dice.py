"""What are random hosts and questions made of? A few names and numbers, so that things meet."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from netaddr import IPAddress

Family = Literal[4, 6]

LINKS: Final = {
    "v0": "link add v0 type veth peer name w0",
    "v1": "link add v1 type veth peer name w1",
    "v2": "link add v2 type veth peer name w2",
    "ifb0": "link add ifb0 type ifb",
    "tun0": "tuntap add tun0 mode tun",
    "br0": "link add br0 type bridge",
}
VRFS: Final = {
    "blue": "link add blue type vrf table 100",
    "red": "link add red type vrf table 101",
}
"""Their tables are among those that other rules and routes use too."""
MARKS: Final = (0, 1, 2, 3, 0x10, 0xCA6C, 0x20000)
TOSES: Final = (0, 0, 0x04, 0x08, 0x10, 0x12, 0x1C, 0x30, 0xB8)
UIDS: Final = (0, 33, 1000, 65534)
PORTS: Final = (22, 53, 443, 51820)
TABLES: Final = ("100", "101", "102", "254", "253", "255", "999")
SPECIAL: Final[dict[Family, tuple[str, ...]]] = {
    4: (
        "0.0.0.0",
        "127.0.0.1",
        "127.0.0.53",
        "169.254.1.1",
        "224.0.0.1",
        "224.0.0.5",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
    ),
    6: (
        "::",
        "::1",
        "fe80::1",
        "fe80::99",
        "ff02::1",
        "ff05::2",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "2002:a00:1::1",
    ),
}
BASES: Final[dict[Family, tuple[str, ...]]] = {
    4: (
        "10.0.0.1",
        "10.0.1.1",
        "10.128.0.1",
        "172.16.5.5",
        "192.168.1.10",
        "203.0.113.7",
        "8.8.8.8",
    ),
    6: (
        "2001:db8::1",
        "2001:db8:0:1::1",
        "2001:db8:8000::1",
        "fd00::5",
        "fd00:0:0:8000::5",
        "2a00:1450::7",
        "fec0::3",
    ),
}
LENGTHS: Final[dict[Family, tuple[int, ...]]] = {
    4: (0, 0, 1, 8, 9, 16, 23, 24, 24, 25, 30, 31, 32, 32),
    6: (0, 0, 3, 16, 32, 33, 48, 64, 64, 65, 96, 127, 128, 128),
}


class Dice:
    """The one Random of a world and its questions, made by two numbers alone."""

    def __init__(self, seed: int, number: int, vrfs: bool = False) -> None:
        self.random: Final = Random(f"{seed}/{number}")
        wanted = self.random.choice((1, 1, 2)) if vrfs else 0
        self.vrfs: Final = list(VRFS)[:wanted]
        """VRF links; the others may be members of theirs."""
        names = self.random.sample(list(LINKS), self.random.randint(2, 5))
        self.links: Final = sorted(names, key=list(LINKS).index)
        self.own: dict[Family, list[str]] = {4: [], 6: []}
        """Addresses of the host, and where they end."""
        self.uplinks: Final = self.chance(25)
        """Many routes of this host have several next hops."""

    def chance(self, percent: int) -> bool:
        """So many times in a hundred."""
        return self.random.randrange(100) < percent

    def link(self) -> str:
        """Mostly one that exists."""
        return "lo" if self.chance(6) else self.random.choice(self.links)

    def address(self, family: Family) -> str:
        """One of a few, so that things meet."""
        dice = self.random
        if self.own[family] and self.chance(30):
            return dice.choice(self.own[family])
        value = int(IPAddress(dice.choice(BASES[family])))
        if self.chance(50):
            value ^= 1 << dice.choice((0, 1, 7, 8, 15) if family == 4 else (0, 1, 15, 63, 79))
        return str(IPAddress(value, family))

    def prefix(self, family: Family) -> str:
        """Around such an address; without host bits, which routes do not have."""
        length = self.random.choice(LENGTHS[family])
        bits = 32 if family == 4 else 128
        value = int(IPAddress(self.address(family))) >> bits - length << bits - length
        return f"{IPAddress(value, family)}/{length}"

    def any_link(self) -> str:
        """Also a VRF, where there are some."""
        return self.random.choice(self.vrfs) if self.vrfs and self.chance(15) else self.link()

    def family(self) -> Family:
        """4 or 6, IPv4 a little more often."""
        return 4 if self.chance(55) else 6
