"""What may be asked about such a host?"""

from __future__ import annotations

from tests.kernel.fuzz.dice import MARKS, PORTS, SPECIAL, TOSES, UIDS, Dice


def flow(dice: Dice) -> str:
    """The words of one question; some links in it may be gone."""
    random, family = dice.random, dice.family()
    special = SPECIAL[family]
    words = [random.choice(special) if dice.chance(12) else dice.address(family)]
    arrives = dice.chance(35)
    if arrives or dice.chance(60 if dice.uplinks else 35):
        source = random.choice(special) if dice.chance(6) else dice.address(family)
        if not arrives and dice.own[family] and dice.chance(80):
            source = random.choice(dice.own[family])
        words.append(f"from {source}")
    if arrives:
        words.append(f"iif {dice.any_link()}")
    elif dice.chance(25):
        words.append(f"oif {dice.any_link()}")
    if dice.chance(30):
        words.append(f"mark {random.choice(MARKS)}")
    if dice.chance(20):
        words.append(f"tos {random.choice(TOSES)}")
    if dice.chance(20):
        words.append(f"uid {random.choice(UIDS)}")
    if dice.chance(30):
        words.append(
            f"ipproto {random.choice(('tcp', 'udp', 'icmp' if family == 4 else 'ipv6-icmp'))}"
        )
        if dice.chance(70):
            words.append(f"sport {random.choice(PORTS)} dport {random.choice(PORTS)}")
    if family == 6 and dice.chance(15):
        words.append(f"flowlabel {random.choice(('0x1234', '0x1256', '0x4321'))}")
    return " ".join(words)
