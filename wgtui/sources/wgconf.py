"""What does a wg-quick configuration mean a device to be? Text in, model out (wg(8), wg-quick(8)).

wg deletes all white space from a line, cuts it at ``#`` and ignores the case of sections and keys
(S-G42); hooks such as PostUp are wg-quick's own and passed over, and so are the keys of other
versions. Private and preshared keys are dropped unread; no error quotes anything but AllowedIPs.

wg knows no names of peers, so people write them in comments. The first of these is a peer's label:
``# Name = x`` and its like (friendly_name, friendly_json) in its section or above it; words after
``[Peer]`` on its line; a comment right below it; a comment right above it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Final

from wgtui.errors import FormatError
from wgtui.model.network import Mark
from wgtui.model.prefix import Prefix
from wgtui.model.wireguard import DeviceConfig, PeerConfig
from wgtui.sources.names import to_number

_NAMED: Final = re.compile(r"(?:friendly_)?name\s*[=:]\s*(\S.*)", re.IGNORECASE)
_FRIENDLY_JSON: Final = re.compile(r"friendly_json\s*=\s*(\{.*\})", re.IGNORECASE)


def parse_config(text: str, name: str, file: str) -> DeviceConfig:
    """The configuration of the device ``name``. Raises ``FormatError``."""
    reader = _Reader(name, file)
    for number, line in enumerate(text.split("\n"), start=1):
        reader.line = number
        reader.read(line.strip())
    return reader.finish()


@dataclass(slots=True)
class _Section:
    """A [Peer] that is being read."""

    peer: PeerConfig
    tagged: str = ""
    plain: list[str] = field(default_factory=list)
    """Comments that may be a name, the best first."""
    on_its_line: bool = False
    """The first of them stands on the line of ``[Peer]``."""

    def finished(self) -> PeerConfig:
        return replace(self.peer, label=self.tagged or next(iter(self.plain), ""))


class _Reader:
    """One pass over the lines."""

    def __init__(self, name: str, file: str) -> None:
        self.file = file
        self.line = 0
        self.device = DeviceConfig(name, file)
        self.section: _Section | None = None
        self.in_interface = False
        self.peers: dict[str, PeerConfig] = {}
        self.comments: list[str] = []
        """The comment lines that may belong to the next [Peer]."""
        self.detached = False
        """A blank line stands before them, so they do not belong to what is above."""
        self.after_blank = True
        self.below_peer = False
        """Nothing but comments since ``[Peer]``."""

    def wrong(self, problem: str, line: int | None = None) -> FormatError:
        return FormatError(self.file, problem, line or self.line)

    def read(self, line: str) -> None:
        if line.startswith("#"):
            self.detached = self.after_blank if not self.comments else self.detached
            self.comments.append(line.lstrip("#").strip())
            self.after_blank = False
            return
        statement, _, comment = line.partition("#")
        statement = "".join(statement.split())
        if statement.lower() == "[peer]":
            self._start_peer(comment.strip())
            return
        if not statement:
            if not self.detached:
                self._give_comments()
            self.after_blank = True
            return
        self._give_comments()
        self.below_peer = self.after_blank = False
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
        self._give_comments()
        self._finish_peer()
        return replace(self.device, peers=tuple(self.peers.values()))

    # ------------------------------------------------------------------------------------ sections

    def _start_peer(self, comment: str) -> None:
        above, self.comments = self.comments, []
        self._finish_peer()
        tagged = next((name for text in (comment, *reversed(above)) if (name := _tagged(text))), "")
        right_above = "" if self.after_blank or not above else above[-1].removeprefix("BEGIN_PEER ")
        plain = [text for text in (comment, right_above) if _may_be_a_name(text)]
        peer = PeerConfig("", line=self.line)
        self.section = _Section(peer, tagged, plain, on_its_line=_may_be_a_name(comment))
        self.in_interface = self.after_blank = False
        self.below_peer = True

    def _give_comments(self) -> None:
        """The comments that a line other than ``[Peer]`` ends belong to the section they are in."""
        comments, self.comments = self.comments, []
        if self.section is None or not comments:
            return
        self.section.tagged = self.section.tagged or next(filter(None, map(_tagged, comments)), "")
        if self.below_peer and _may_be_a_name(comments[0]):
            # What follows [Peer] on its line is better, what stands above it is worse.
            self.section.plain.insert(self.section.on_its_line, comments[0])
        self.below_peer = False

    def _finish_peer(self) -> None:
        section, self.section = self.section, None
        if section is None:
            return
        peer = section.finished()
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
        if self.section is not None:
            self._assign_to_peer(self.section, key, value)
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

    def _assign_to_peer(self, section: _Section, key: str, value: str) -> None:
        match key:
            case "publickey":
                section.peer = replace(section.peer, public_key=value)
            case "endpoint":
                section.peer = replace(section.peer, endpoint=value)
            case "persistentkeepalive":
                seconds = (
                    0 if value.lower() == "off" else self._number("PersistentKeepalive", value)
                )
                section.peer = replace(section.peer, keepalive=seconds)
            case "allowedips":
                for entry in value.split(","):
                    section.peer = self._allow(section.peer, entry)
            case _:
                pass

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
        pairs = zip(peer.allowed_ips, peer.allowed_ips_written, strict=True)
        kept = [pair for pair in pairs if pair[0] != prefix or not written.startswith("-")]
        if not written.startswith("-"):
            kept.append((prefix, written))
        return replace(
            peer,
            allowed_ips=tuple(pair[0] for pair in kept),
            allowed_ips_written=tuple(pair[1] for pair in kept),
        )


def _tagged(comment: str) -> str:
    """The name in ``Name = x``, ``friendly_name = x`` or ``friendly_json = {"name": "x"}``."""
    named = _NAMED.fullmatch(comment)
    if named:
        return named[1].strip()
    friendly = _FRIENDLY_JSON.fullmatch(comment)
    if not friendly:
        return ""
    try:
        values = json.loads(friendly[1])
    except (ValueError, RecursionError):
        return ""
    name = values.get("name") if isinstance(values, dict) else None
    return name.strip() if isinstance(name, str) else ""


def _may_be_a_name(comment: str) -> bool:
    """Not a setting that was commented out, which may be a key."""
    return "=" not in comment and any(map(str.isalnum, comment))
