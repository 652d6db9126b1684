"""What does a wg-quick configuration mean a device to be? Text in, model out (wg(8), wg-quick(8)).

wg deletes all white space from a line, cuts it at ``#`` and ignores the case of sections and keys
(S-G42); hooks such as PostUp are wg-quick's own and passed over, and so are the keys of other
versions. Private and preshared keys are dropped unread; no error quotes anything but AllowedIPs.
"""

from __future__ import annotations

from dataclasses import replace

from wgtui.errors import FormatError
from wgtui.model.network import Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import DeviceConfig, PeerConfig
from wgtui.sources.labels import Labels
from wgtui.sources.names import to_number


def parse_config(text: str, name: str, file: str) -> DeviceConfig:
    """The configuration of the device ``name``. Raises ``FormatError``."""
    reader = _Reader(name, file)
    for number, line in enumerate(text.split("\n"), start=1):
        reader.line = number
        reader.read(line.strip())
    return reader.finish()


class _Reader:
    """One pass over the lines."""

    def __init__(self, name: str, file: str) -> None:
        self.file = file
        self.line = 0
        self.device = DeviceConfig(name, file)
        self.peer: PeerConfig | None = None
        """The [Peer] that is being read."""
        self.in_interface = False
        self.peers: dict[str, PeerConfig] = {}
        self.labels = Labels()

    def wrong(self, problem: str, line: int | None = None) -> FormatError:
        return FormatError(self.file, problem, line or self.line)

    def read(self, line: str) -> None:
        if line.startswith("#"):
            self.labels.comment(line.lstrip("#").strip())
            return
        statement, _, comment = line.partition("#")
        statement = "".join(statement.split())
        if statement.lower() == "[peer]":
            self._start_peer(comment.strip())
            return
        if not statement:
            self.labels.blank()
            return
        self.labels.statement()
        if statement.lower() == "[interface]":
            self._finish_peer()
            self.in_interface = True
        elif statement.startswith("["):
            raise self.wrong("is a section that wg does not know")
        else:
            key, equals, value = statement.partition("=")
            if not equals:
                raise self.wrong("is neither a section nor KEY = VALUE")
            self._assign(key.lower(), value)

    def finish(self) -> DeviceConfig:
        self.labels.statement()
        self._finish_peer()
        return replace(self.device, peers=tuple(self.peers.values()))

    # ------------------------------------------------------------------------------------ sections

    def _start_peer(self, comment: str) -> None:
        self._finish_peer()
        self.labels.begin(comment)
        self.peer = PeerConfig("", line=self.line)
        self.in_interface = False

    def _finish_peer(self) -> None:
        peer, self.peer = self.peer, None
        if peer is None:
            return
        peer = replace(peer, label=self.labels.finish())
        if not peer.public_key:
            raise self.wrong("a [Peer] without PublicKey: wg refuses the file", peer.line)
        before = self.peers.get(peer.public_key)
        if before is not None:
            # The same key again: its AllowedIPs replace the earlier ones, even by none (S-G44).
            peer = replace(
                peer,
                label=peer.label or before.label,
                endpoint=peer.endpoint or before.endpoint,
                keepalive=peer.keepalive or before.keepalive,
            )
        self.peers[peer.public_key] = peer

    # ---------------------------------------------------------------------------------- assignments

    def _assign(self, key: str, value: str) -> None:
        if self.peer is not None:
            self.peer = self._assigned(self.peer, key, value)
        elif self.in_interface:
            self._assign_to_device(key, value)
        else:
            raise self.wrong("stands before any section")

    def _assign_to_device(self, key: str, value: str) -> None:
        match key:
            case "address":
                addresses = tuple(filter(None, value.split(",")))
                self.device = replace(self.device, addresses=self.device.addresses + addresses)
            case "listenport":
                # A service name is left to the host that has it; numbers wrap (S-G43).
                port = to_number(value)
                self.device = replace(
                    self.device, listen_port=None if port is None else port & 0xFFFF
                )
            case "fwmark":
                mark = 0 if value.lower() == "off" else self._number("FwMark", value)
                self.device = replace(self.device, fwmark=Mark(mark))
            case "mtu":
                self.device = replace(self.device, mtu=self._number("MTU", value))
            case "table":
                self.device = replace(self.device, table=value or "auto")
            case _:
                pass

    def _assigned(self, peer: PeerConfig, key: str, value: str) -> PeerConfig:
        match key:
            case "publickey":
                return replace(peer, public_key=value)
            case "endpoint":
                return replace(peer, endpoint=value)
            case "persistentkeepalive":
                off = value.lower() == "off"
                seconds = 0 if off else self._number("PersistentKeepalive", value)
                return replace(peer, keepalive=seconds)
            case "allowedips":
                for entry in value.split(","):
                    peer = self._allow(peer, entry)
        return peer

    def _number(self, key: str, value: str) -> int:
        number = to_number(value)
        if number is None or number > 0xFFFFFFFF:
            raise self.wrong(f"{key} is not a number")
        return number

    def _allow(self, peer: PeerConfig, entry: str) -> PeerConfig:
        """One more prefix, or with ``-`` one less (S-G44)."""
        written = entry.removeprefix("+")
        try:
            prefix = Prefix.parse(written.removeprefix("-"))
        except ValueError as error:
            problem = "an empty entry" if not entry else str(error)
            raise self.wrong(f"AllowedIPs: {problem}: wg refuses the file") from None
        if not written.startswith("-"):
            return replace(
                peer,
                allowed_ips=(*peer.allowed_ips, prefix),
                allowed_ips_written=(*peer.allowed_ips_written, written),
            )
        pairs = zip(peer.allowed_ips, peer.allowed_ips_written, strict=True)
        kept = [pair for pair in pairs if pair[0] != prefix]
        return replace(
            peer,
            allowed_ips=tuple(pair[0] for pair in kept),
            allowed_ips_written=tuple(pair[1] for pair in kept),
        )
