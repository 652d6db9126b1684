"""What do the lines of ``sysctl`` say? Both notations in, paths of /proc/sys out (sysctl(8))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


def with_forwarding(settings: Mapping[str, int], links: Iterable[str]) -> dict[str, int]:
    """The settings of a list made by hand, which names ``ip_forward`` and no single link.

    The kernel writes that one to every link (S-B41), and one that differs would be in the list.
    """
    told = any(
        path.startswith("net/ipv4/conf/")
        and path.endswith("/forwarding")
        and path.split("/")[3] not in ("all", "default")
        for path in settings
    )
    value = settings.get("net/ipv4/ip_forward", settings.get("net/ipv4/conf/all/forwarding"))
    if told or value is None:
        return dict(settings)
    return {**{f"net/ipv4/conf/{name}/forwarding": value for name in links}, **settings}


def path_of(key: str) -> str:
    """The path of a key: whichever of ``.`` and ``/`` comes first separates, the other is a dot.

    >>> path_of("net.ipv4.conf.eth0/100.rp_filter")
    'net/ipv4/conf/eth0.100/rp_filter'
    """
    separator = next((char for char in key if char in "./"), "/")
    if separator == "/":
        return key
    parts = key.split(".")
    if "/" not in key and parts[:1] == ["net"] and parts[2:3] == ["conf"] and len(parts) > 5:
        # busybox and old procps leave the dots of a name: all between conf and the key is one.
        return "/".join([*parts[:3], ".".join(parts[3:-1]), parts[-1]])
    return key.translate(_SWAP)
