"""Which devices and peers does ``wg show all dump`` list? Text in, model out (wg(8), S-G40).

The private and preshared keys of the text are dropped here, unread: they go into no object and no
error message.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import LinkIndex, Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import Device, Endpoint, Peer
from wgtui.sources.links_builder import LinksBuilder
from wgtui.sources.names import to_number

_NONE: Final = "(none)"
_YEAR_9999: Final = 253402300799


def parse_dump(text: str, links: LinksBuilder, file: str = "wg.dump") -> dict[LinkIndex, Device]:
    """The devices by their link; one that nobody listed gets a link of kind ``wireguard``.

    Raises ``FormatError``.
    """
    devices: dict[str, Device] = {}
    peers: dict[str, list[Peer]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        fields = _Line(file, number, line.rstrip("\r").split("\t"))
        match fields.parts:
            case [""]:
                continue
            case [name, _, public_key, port, mark]:
                devices[name] = Device(
                    link=links.index(name, kind="wireguard"),
                    name=name,
                    public_key=None if public_key == _NONE else public_key,
                    listen_port=fields.number(port, "listen port"),
                    fwmark=Mark(0 if mark == "off" else fields.number(mark, "fwmark")),
                )
                peers[name] = []
            case [name, _, _, _, _, _, _, _, _]:
                if name not in devices:
                    raise fields.wrong("a peer of a device that has no line of its own")
                peers[name].append(fields.peer())
            case _:
                raise fields.wrong("is not a line of 'wg show all dump' (5 or 9 columns)")
    return {
        device.link: replace(device, peers=tuple(peers[name])) for name, device in devices.items()
    }


class _Line:
    """One line in columns; every problem knows where it is, and quotes no column."""

    def __init__(self, file: str, number: int, parts: list[str]) -> None:
        self.file = file
        self.line = number
        self.parts = parts

    def wrong(self, problem: str) -> FormatError:
        return FormatError(self.file, problem, self.line)

    def number(self, text: str, what: str, limit: int = 1 << 64) -> int:
        value = to_number(text)
        if value is None or value > limit:
            raise self.wrong(f"the {what} is not a number within reason")
        return value

    def peer(self) -> Peer:
        _, public_key, preshared, endpoint, allowed, handshake, received, sent, keepalive = (
            self.parts
        )
        return Peer(
            public_key=public_key,
            endpoint=None if endpoint == _NONE else self.endpoint(endpoint),
            allowed_ips=tuple(
                self.prefix(prefix) for prefix in allowed.split(",") if prefix not in (_NONE, "")
            ),
            last_handshake=self.number(handshake, "latest handshake", _YEAR_9999) or None,
            received=self.number(received, "number of received bytes"),
            sent=self.number(sent, "number of sent bytes"),
            keepalive=0 if keepalive == "off" else self.number(keepalive, "keepalive"),
            has_preshared_key=preshared != _NONE,
        )

    def prefix(self, text: str) -> Prefix:
        try:
            return Prefix.parse(text)
        except ValueError as error:
            raise self.wrong(f"allowed IPs: {error}") from None

    def endpoint(self, text: str) -> Endpoint:
        endpoint = Endpoint.parse(text)
        if endpoint is None:
            raise self.wrong("the endpoint is not ADDRESS:PORT")
        return endpoint
