"""Which rules may such a host have, and how are those added that iproute2 is too old for?"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from tests.kernel.fuzz.dice import MARKS, PORTS, TABLES, TOSES, Dice, Family
from wgtui.sources.nlsocket import attribute


def rule_commands(dice: Dice, family: Family) -> Iterator[str]:
    """A few rules, and sometimes the default ones away or elsewhere."""
    random = dice.random
    priorities = [
        random.choice((5, 10, 10, 20, 30, 40, 32765, 32767)) for _ in range(random.randint(1, 8))
    ]
    for priority in priorities:
        words = [f"priority {priority}", *_selectors(dice, family)]
        action = random.randrange(100)
        if action < 60:
            words.append(f"lookup {random.choice(TABLES)}")
            if dice.chance(25):
                lengths = (0, 8, 24, 32) if family == 4 else (0, 32, 64, 128)
                words.append(f"suppress_prefixlength {random.choice(lengths)}")
            if dice.chance(10):
                words.append(f"suppress_ifgroup {random.choice((0, 1, 2))}")
        elif action < 75:
            words.append(f"goto {random.choice((10, 20, 30, 40, 50, 32766))}")
        else:
            words.append(random.choice(("blackhole", "unreachable", "prohibit", "nop")))
        yield f"ip -{family} rule add {' '.join(words)}"
    for _ in range(random.choice((0, 0, 1))):
        yield _modern_rule(dice, family)
    if dice.chance(15):
        yield f"ip -{family} rule delete priority 0"
        if dice.chance(70):
            yield f"ip -{family} rule add priority {random.choice((7, 25, 32765))} lookup local"
    if dice.chance(8):
        yield f"ip -{family} rule delete priority 32766"


def _modern_rule(dice: Dice, family: Family) -> str:
    """With a selector that iproute2 knows since 6.13 or so; it is added without iproute2."""
    random = dice.random
    selector = random.choice(
        (
            f"dscp {random.choice((0, 4, 0x2E))}/{random.choice((0x3F, 0x3F, 0x0C))}",
            f"sport {random.choice(PORTS)}/{random.choice((0xFFFF, 0xFF, 0x1))}",
            f"dport {random.choice(PORTS)}/{random.choice((0xFFFF, 0xFF, 0x1))}",
            *(("flowlabel 4660/1048575", "flowlabel 4608/1048320") if family == 6 else ()),
        )
    )
    words = ["priority", str(random.choice((10, 20, 30))), *(["not"] if dice.chance(20) else [])]
    action = "blackhole" if dice.chance(30) else f"lookup {random.choice(TABLES)}"
    return f"ip -{family} rule add {' '.join(words)} {selector} {action}"


def _selectors(dice: Dice, family: Family) -> Iterator[str]:
    """None to three."""
    random = dice.random
    if dice.chance(20):
        yield "not"
    for _ in range(random.choice((0, 1, 1, 1, 2))):
        protocol = random.choice(("tcp", "udp", "icmp" if family == 4 else "ipv6-icmp"))
        yield random.choice(
            (
                f"from {dice.prefix(family)}",
                f"to {dice.prefix(family)}",
                f"from {dice.address(family)}",
                f"iif {random.choice((*dice.links, *dice.vrfs, 'lo', 'lo', 'gone'))}",
                f"oif {random.choice((*dice.links, *dice.vrfs, 'gone'))}",
                f"fwmark {random.choice(MARKS)}",
                f"fwmark {random.choice(MARKS)}/{random.choice((1, 0xFF, 0xFFFF))}",
                f"tos {random.choice(TOSES[2:]):#x}",
                f"ipproto {protocol}",
                f"sport {random.choice(PORTS)}",
                f"dport {random.choice(('22-53', '443', '1-1024'))}",
                f"uidrange {random.choice(('0-0', '0-999', '1000-1000', '33-65534'))}",
            )
        )


MODERN: Final = re.compile(r" rule add .*(dscp|flowlabel|[sd]port) \d+/\d+ ")
_NUMBERS: Final = {
    "dscp": (25, 30, "B"),
    "flowlabel": (26, 27, ">I"),
    "sport": (23, 28, "H"),
    "dport": (24, 29, "H"),
}
"""Attributes of a selector's value and mask (linux/fib_rules.h), and how both are packed."""


def add_rules(commands: Sequence[str]) -> None:
    """What a newer iproute2 would do with ``rule add priority N [not] SELECTOR V/M ACTION``."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        for command in commands:
            body = _rule_message(command)
            # RTM_NEWRULE; REQUEST, ACK, EXCL, CREATE
            netlink.send(struct.pack("IHHII", 16 + len(body), 32, 0x605, 1, 0) + body)
            netlink.recv(4096)  # the kernel's verdict; a refused rule is part of the game


def _rule_message(command: str) -> bytes:
    family = 2 if " -4 " in command else 10
    words = command.replace(" not ", " ").split()[4:]
    _, priority, selector, masked, _, *table = words
    value, mask = (int(number) for number in masked.split("/"))
    kind, mask_kind, packing = _NUMBERS[selector]
    packed = struct.pack(packing, value) * (2 if selector.endswith("port") else 1)
    flags = 2 if " not " in command else 0  # FIB_RULE_INVERT
    body = struct.pack("8BI", family, 0, 0, 0, 0, 0, 0, 1 if table else 6, flags)
    body += attribute(6, struct.pack("I", int(priority))) + attribute(kind, packed)
    body += attribute(mask_kind, struct.pack(packing, mask))
    if table:
        body += attribute(15, struct.pack("I", int(table[0])))
    return body
