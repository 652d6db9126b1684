"""What do ``wg set``, ``wg setconf``, ``wg addconf`` and ``wg syncconf`` say? (wg(8))

``<(wg-quick strip NAME)`` is understood as a file: what people type around ``wg syncconf``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from stat import S_ISCHR
from typing import Final

from wgtui.errors import SourceError
from wgtui.model.command import PeerChange, PeersMode, WireGuardCommand
from wgtui.model.network import Mark
from wgtui.sources.command_conf import (
    WgFile,
    keepalive,
    parse_wg_file,
    with_allowed_ips,
    with_endpoint,
)
from wgtui.sources.command_words import CommandWords

_MODES: Final = {
    "setconf": PeersMode.REPLACE,
    "addconf": PeersMode.KEEP,
    "syncconf": PeersMode.SYNC,
}
_STRIPPED: Final = re.compile(r"<\(\s*(?:sudo\s+)?wg-quick\s+strip\s+(\S+?)\s*\)")
_QUICK_FOLDER: Final = Path("/etc/wireguard")


def wg_command(words: CommandWords) -> WireGuardCommand:
    """The words after ``wg``."""
    verb = words.take("set, setconf, addconf or syncconf")
    if verb == "set":
        return _set(words)
    if verb not in _MODES:
        raise words.wrong(f"{verb!r} is not one of: set, {', '.join(_MODES)}")
    device, file = words.take("a device"), words.take("a file")
    if words:
        raise words.unknown(words.take("a word"), file)
    return _from_file(device, _MODES[verb], _read(file))


def _set(words: CommandWords) -> WireGuardCommand:
    command = WireGuardCommand(words.take("a device"))
    if not words:
        raise words.wrong("peer, listen-port or fwmark is missing", here=True)
    peers: list[PeerChange] = []
    while words:
        word = words.take("a word")
        if word == "peer":
            peers.append(PeerChange(words.take("a peer")))
        elif peers:
            peers[-1] = _peer_word(words, word, peers[-1])
        else:
            command = _device_word(words, word, command)
    return replace(command, peers=tuple(peers))


def _device_word(words: CommandWords, word: str, command: WireGuardCommand) -> WireGuardCommand:
    match word:
        case "listen-port":
            return replace(command, listen_port=words.number("a port") & 0xFFFF)
        case "fwmark":
            text = words.take("a mark")
            off = text.lower() == "off"
            return replace(command, fwmark=Mark(0) if off else words.mark(text, "a mark"))
        case "private-key":
            raise words.wrong("'private-key': wgtui reads no secrets, so it cannot be predicted")
        case _:
            raise words.unknown(word, command.device)


def _peer_word(words: CommandWords, word: str, peer: PeerChange) -> PeerChange:
    try:
        match word:
            case "remove":
                return replace(peer, remove=True)
            case "preshared-key":
                words.take("a file")
                return replace(peer, preshared_key=True)
            case "endpoint":
                return with_endpoint(peer, words.take("an endpoint"))
            case "persistent-keepalive":
                return replace(peer, keepalive=keepalive(words.take("seconds")))
            case "allowed-ips":
                value = words.take("a list of prefixes")
                while value.endswith(",") or words.peek().startswith(","):
                    value += words.take("a prefix")
                return with_allowed_ips(peer, value)
            case _:
                raise words.unknown(word, f"peer {peer.peer}")
    except ValueError as error:
        raise words.wrong(str(error)) from None


def _from_file(device: str, mode: PeersMode, found: WgFile) -> WireGuardCommand:
    whole = mode is not PeersMode.KEEP
    return WireGuardCommand(
        device=device,
        peers=tuple(found.peers),
        mode=mode,
        # Without it, setconf and syncconf set it to 0 (S-G44).
        listen_port=0 if whole and found.listen_port is None else found.listen_port,
        fwmark=Mark(0) if whole and found.fwmark is None else found.fwmark,
        public_key=found.public_key,
        forget_key=whole and found.public_key is None,
    )


def _read(word: str) -> WgFile:
    stripped = _STRIPPED.fullmatch(word)
    path = Path(word)
    if stripped:
        name = stripped[1]
        path = Path(name) if "/" in name else _QUICK_FOLDER / f"{name}.conf"
    try:
        if S_ISCHR(path.stat().st_mode):
            raise SourceError(f"{path}: a terminal or device is not read, only files and pipes")
        text = path.read_text("utf-8", errors="surrogateescape")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    return parse_wg_file(text, str(path), strip=stripped is not None)
