"""``wgtui territory``: what each peer really owns, or where the addresses of a range go."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

from wgtui.commands import ASCII, JSON, OK, Arguments, terminal_columns
from wgtui.commands.flow_words import joined
from wgtui.commands.range_answer import answer_range
from wgtui.engine.holdings import holdings
from wgtui.errors import QueryError
from wgtui.model.prefix import FAMILIES
from wgtui.model.range_flow import is_range
from wgtui.model.snapshot import Snapshot
from wgtui.model.wireguard import Device
from wgtui.report.printable import printable
from wgtui.report.territory import device_blocks
from wgtui.report.territory_json import device_json, devices_json
from wgtui.report.text import render
from wgtui.report.words import NO_DEVICES
from wgtui.sources import open_source

OPTIONS: Final = (JSON,)


def run(arguments: Arguments) -> int:
    """A device, a range, or all devices. 1: something of it goes nowhere, or cannot be known."""
    words = joined(arguments.words)
    if is_range(words):
        return answer_range(arguments, words)
    if len(arguments.words) > 1:
        raise QueryError(f"territory: {arguments.words[1]!r}: one device, or one prefix")
    with closing(open_source(arguments.source)) as source:
        snapshot = source.read()
    devices = _devices(snapshot, words)
    found = [(one, [holdings(snapshot, one, family) for family in FAMILIES]) for one in devices]
    if arguments.has(JSON):
        print(json.dumps(devices_json([device_json(one, held) for one, held in found])))
    else:
        for one, held in found:
            for block in device_blocks(one, held):
                print(render(block, arguments.has(ASCII), terminal_columns()), end="")
        if not found:
            print(NO_DEVICES)
    return OK


def _devices(snapshot: Snapshot, name: str) -> list[Device]:
    devices = list(snapshot.devices.values())
    if not name:
        return devices
    named = [device for device in devices if device.name == name]
    if not named:
        known = ", ".join(device.name for device in devices) or "none"
        raise QueryError(f"{printable(name)!r} is no WireGuard device here; there are: {known}")
    return named
