"""What do the lines of ``sysctl`` say? Both notations in, paths of /proc/sys out (sysctl(8))."""

from __future__ import annotations

from wgtui.errors import FormatError

_SWAP = str.maketrans("./", "/.")


def parse_sysctls(text: str, file: str = "sysctl.txt") -> dict[str, int]:
    """``net.ipv4.conf.all.rp_filter = 1`` and its like; values that are no numbers are passed over.

    Raises ``FormatError`` when no line is one.
    """
    lines = [line for line in text.split("\n") if line.strip() and line.lstrip()[0] not in "#;"]
    settings = [line.partition("=") for line in lines if "=" in line]
    if not settings:
        raise FormatError(file, "has no line KEY = VALUE")
    found: dict[str, int] = {}
    for key, _, value in settings:
        try:
            found[path_of(key.strip())] = int(value)
        except ValueError:
            continue
    return found


def path_of(key: str) -> str:
    """The path of a key: whichever of ``.`` and ``/`` comes first separates, the other is a dot.

    >>> path_of("net.ipv4.conf.eth0/100.rp_filter")
    'net/ipv4/conf/eth0.100/rp_filter'
    """
    separator = next((char for char in key if char in "./"), "/")
    return key if separator == "/" else key.translate(_SWAP)
