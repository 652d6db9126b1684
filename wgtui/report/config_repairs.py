"""Which commands change a configuration file, and which make its program follow it?

Every program has its own grammar and its own way to read a file again: wg-quick(8), networkctl(1),
nmcli(1), OpenWrt's ifup. Printed, never run. A file is changed with sed, and only in the section of
the peer it is about.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

from wgtui.model.finding_facts import Written
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Program
from wgtui.report.printable import printable

_ENDS: Final = {Program.UCI: r"^\s*config\s"}
"""Where the next section begins."""

_NEXT_SECTION: Final = r"^\s*\["


def program_of(snapshot: Snapshot, device: str | None, file: str) -> Program:
    """Whose file it is."""
    for config in snapshot.meant:
        files = {config.file, *(peer.file for peer in config.peers)}
        if config.name == device and file in files:
            return config.program
    return Program.WG_QUICK


def follow(snapshot: Snapshot, device: str | None, file: str) -> Iterator[str]:
    """Make the device what its file says, as its program does it."""
    name, what = shlex.quote(printable(device or "")), shlex.quote(printable(file))
    match program_of(snapshot, device, file):
        case Program.WG_QUICK:
            stripped = name if file.startswith("/etc/wireguard/") else what
            yield f"bash -c 'wg syncconf {name} <(wg-quick strip {stripped})'"
        case Program.NETWORKD:
            # A device that is there keeps its peers, whatever its .netdev says now.
            yield f"networkctl delete {name}"
            yield "networkctl reload"
        case Program.NETWORK_MANAGER:
            yield f"nmcli connection load {what}"
            yield f"nmcli device reapply {name}"
        case Program.UCI:
            yield f"ifup {name}"


def up_again(snapshot: Snapshot, device: str, file: str) -> Iterator[str]:
    """Bring a device up that is down, with addresses and routes, as its program does it."""
    name = shlex.quote(printable(device))
    match program_of(snapshot, device, file):
        case Program.WG_QUICK:
            what = name if file.startswith("/etc/wireguard/") else shlex.quote(printable(file))
            yield f"wg-quick down {what}"
            yield f"wg-quick up {what}"
        case Program.NETWORKD:
            yield f"networkctl up {name}"
            yield f"networkctl reconfigure {name}"
        case Program.NETWORK_MANAGER:
            yield f"nmcli device connect {name}"
        case Program.UCI:
            yield f"ifup {name}"


def routed_again(snapshot: Snapshot, device: str | None, file: str) -> Iterator[str]:
    """Make the routes that a file says; nothing where no program but people make them."""
    name = shlex.quote(printable(device or ""))
    match program_of(snapshot, device, file):
        case Program.NETWORKD:
            yield f"networkctl reconfigure {name}"
        case Program.NETWORK_MANAGER:
            yield f"nmcli connection load {shlex.quote(printable(file))}"
            yield f"nmcli device reapply {name}"
        case Program.UCI:
            yield f"ifup {name}"
        case Program.WG_QUICK:
            return


def without(snapshot: Snapshot, device: str | None, written: Written, spelled: str) -> str:
    """Take an entry out of the AllowedIPs of one section; an empty list is no line at all."""
    entry = for_sed(spelled)
    program = program_of(snapshot, device, written.file)
    if program is Program.NETWORK_MANAGER:
        inner = rf"s@([=;])\s*{entry}\s*(;|$)@\1@; /=\s*$/d"
        return _in_section(program, written, rf"/^\s*allowed-ips/{{{inner}}}")
    if program is Program.UCI:
        inner = (
            rf"""s@(\s|['"]){entry}(\s|['"]|$)@\1\2@; """
            r"""/allowed_ips\s+['"]*\s*['"]*\s*$/d"""
        )
        return _in_section(program, written, rf"/allowed_ips\s/{{{inner}}}")
    steps = (
        rf"s@([=,])\s*{entry}\s*(,|#|$)@\1\2@",
        r"s@,\s*,@, @",
        r"s@=\s*,\s*@= @",
        r"s@,\s*(#.*)?$@ \1@",
        r"/=\s*(#.*)?$/d",
    )
    return _in_section(program, written, rf"/^\s*AllowedIPs/I{{{'; '.join(steps)}}}")


def respelled(
    snapshot: Snapshot, device: str | None, written: Written, spelled: str, right: str
) -> str:
    """Write an entry of one section differently."""
    old, program = for_sed(spelled), program_of(snapshot, device, written.file)
    before, after = {
        Program.NETWORK_MANAGER: (r"[=;]\s*", r"\s*(;|$)"),
        Program.UCI: (r"""\s|['"]""", r"""\s|['"]|$"""),
    }.get(program, (r"[=,]\s*", r"\s*(,|#|$)"))
    return _in_section(program, written, rf"s@({before}){old}({after})@\1{right}\2@")


def _in_section(program: Program, written: Written, script: str) -> str:
    last = _ENDS.get(program, _NEXT_SECTION)
    return sed(rf"{written.line + 1},/{last}/{{{script}}}", written.file)


def sed(script: str, file: str) -> str:
    """The file, edited where it stands."""
    return f"sed -i -E {shlex.quote(script)} {shlex.quote(printable(file))}"


def for_sed(text: str) -> str:
    """The text itself, in a pattern between ``@``."""
    return re.sub(r"([][\\.*^$+?(){}|@/])", r"\\\1", text)
