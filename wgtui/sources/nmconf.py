"""What does a NetworkManager profile mean a device to be? (nm-settings-keyfile(5), S-F20)

A key file of GLib's: lists are separated by semicolons, comments stand on lines of their own, and
a line that is neither makes the whole file unusable. Names of peers are not kept there. Secrets are
passed over unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import DeviceConfig, PeerConfig, Program
from wgtui.sources.config_files import Written
from wgtui.sources.ini import Assignment, Other, Section, read_ini
from wgtui.sources.names import to_number
from wgtui.sources.peer_words import is_key, with_prefixes

_PEER: Final = "wireguard-peer."
_FALSE: Final = frozenset({"false", "no", "0", "off"})
_NUMBERED: Final = re.compile(r"(address|addresses|route|routes)\d*")


def parse_profile(file: Written) -> DeviceConfig | None:
    """The device of a profile; None: it is a profile of another kind, or for no link by name.

    Raises ``FormatError``.
    """
    groups = _groups(file)
    connection = groups.get("connection", {})
    name = connection.get("interface-name", "")
    if connection.get("type") != "wireguard" or not name:
        return None
    settings = groups.get("wireguard", {})
    mark = to_number(settings.get("fwmark", ""))
    routed = settings.get("peer-routes", "true").lower() not in _FALSE
    return DeviceConfig(
        name=name,
        file=file.path,
        addresses=tuple(_numbered(groups, "address")),
        listen_port=to_number(settings.get("listen-port", "")),
        fwmark=None if mark is None else Mark(mark),
        table=_route_table(groups) if routed else "off",
        mtu=to_number(settings.get("mtu", "")),
        peers=tuple(_peers(groups)),
        program=Program.NETWORK_MANAGER,
        routes=tuple(_routes(groups)),
    )


def _groups(file: Written) -> dict[str, dict[str, str]]:
    """Group to key to value; the last of several counts, and a group may go on later."""
    groups: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in read_ini(file.text, signs="#"):
        match line:
            case Section(name):
                current = groups.setdefault(name, {"": str(line.line)})
            case Assignment(key, value, number):
                if current is None:
                    raise FormatError(file.path, "stands before any group", number)
                if not _secret(key):
                    current[key] = value
            case Other(number):
                raise FormatError(file.path, "is neither a group nor KEY=VALUE", number)
    return groups


def _secret(key: str) -> bool:
    return key.endswith("-key") or key in ("password", "psk")


def _peers(groups: dict[str, dict[str, str]]) -> Iterator[PeerConfig]:
    for group, settings in groups.items():
        key = group.removeprefix(_PEER)
        if not group.startswith(_PEER) or not is_key(key):
            continue
        peer = PeerConfig(
            public_key=key,
            endpoint=settings.get("endpoint") or None,
            keepalive=to_number(settings.get("persistent-keepalive", "")) or 0,
            line=int(settings[""]),
        )
        yield with_prefixes(peer, _list(settings.get("allowed-ips", "")))


def _list(value: str) -> list[str]:
    return [word.strip() for word in value.split(";") if word.strip()]


def _numbered(groups: dict[str, dict[str, str]], what: str) -> Iterator[str]:
    """``address1=10.0.0.2/24,10.0.0.1`` in both families: what stands before the comma."""
    for family in ("ipv4", "ipv6"):
        for key, value in groups.get(family, {}).items():
            found = _NUMBERED.fullmatch(key)
            if found and found[1].startswith(what):
                yield from (word.split(",")[0] for word in _list(value))


def _routes(groups: dict[str, dict[str, str]]) -> Iterator[Prefix]:
    for word in _numbered(groups, "route"):
        try:
            yield Prefix.parse(word)
        except ValueError:
            continue


def _route_table(groups: dict[str, dict[str, str]]) -> str:
    """NetworkManager puts routes to AllowedIPs where its other routes go."""
    tables = {groups.get(family, {}).get("route-table", "0") for family in ("ipv4", "ipv6")}
    tables -= {"0", ""}
    return tables.pop() if len(tables) == 1 else "auto"
