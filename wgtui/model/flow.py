"""What packet is asked about? The words of ``ip route get`` (contract §2).

ADDRESS [from ADDRESS] [iif LINK] [oif LINK] [mark N[/MASK]] [tos N] [uid N]
        [ipproto NAME|N] [sport N] [dport N] [flowlabel N] [peer NAME-OR-KEY]
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from netaddr import IPAddress

from wgtui.errors import QueryError
from wgtui.model.network import NO_MARK, Mark
from wgtui.model.prefix import Family, family_of, parse_address

PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58}
"""Names for ``ipproto``."""

KEYWORDS: Final = (
    "from",
    "iif",
    "oif",
    "mark",
    "tos",
    "uid",
    "ipproto",
    "sport",
    "dport",
    "flowlabel",
    "peer",
)
"""Every word that may follow the address, each with one value."""


class Flow(NamedTuple):
    """A packet: made on this host (no ``iif``), or arriving on a link."""

    destination: IPAddress
    source: IPAddress | None = None
    """None: an unbound local packet has no source until the route picks one."""
    iif: str | None = None
    """The link it arrives on."""
    oif: str | None = None
    """The link the sender is bound to."""
    mark: Mark = NO_MARK
    tos: int = 0
    uid: int | None = None
    """None: the caller's."""
    protocol: int | None = None
    """None: an IPv4 packet counts as UDP, an IPv6 one as no protocol (S-C3)."""
    sport: int | None = None
    dport: int | None = None
    flowlabel: int = 0
    peer: str | None = None
    """With ``iif wgX``: it has just been decrypted from this peer (name, key, or the beginning
    of a key)."""

    @property
    def family(self) -> Family:
        """4 or 6."""
        return family_of(self.destination)

    @classmethod
    def parse(cls, text: str) -> Flow:
        """Understand the words; raises ``QueryError`` naming the word and its position."""
        return _Parser(text).flow()

    def __str__(self) -> str:
        words = [str(self.destination)]
        if self.source is not None:
            words += ["from", str(self.source)]
        for keyword, name in (("iif", self.iif), ("oif", self.oif)):
            if name is not None:
                words += [keyword, name]
        if self.mark:
            words += ["mark", hex(self.mark)]
        if self.tos:
            words += ["tos", hex(self.tos)]
        for keyword, number in (
            ("uid", self.uid),
            ("ipproto", self.protocol),
            ("sport", self.sport),
            ("dport", self.dport),
        ):
            if number is not None:
                words += [keyword, str(number)]
        if self.flowlabel:
            words += ["flowlabel", hex(self.flowlabel)]
        if self.peer is not None:
            words += ["peer", quoted(self.peer)]
        return " ".join(words)


def quoted(word: str) -> str:
    """The word as a flow writes it: in quotes when there are spaces in it."""
    return f'"{word}"' if any(char.isspace() for char in word) or not word else word


class _Word(NamedTuple):
    text: str
    position: int


LONGEST: Final = 2000
"""Characters; a flow of all its words, each at its longest, has a fourth of that."""


def check_length(text: str) -> None:
    """Nothing so long is a question; raises ``QueryError`` without repeating it."""
    if len(text) > LONGEST:
        raise QueryError(f"{text[:20]!r}… is too long to be a question ({len(text)} characters)")


def place_of(word: str, text: str) -> int | None:
    """Where a link's or peer's name stands in a flow, the zone of an address included."""
    for found in _split(text):
        zone = found.text.partition("%")[2]
        if found.text == word:
            return found.position
        if zone == word:
            return found.position + len(found.text) - len(zone)
    return None


GET: Final = ("ip", "route", "get")
"""May stand before a flow: what follows them in the shell is one."""


def is_asked(text: str) -> bool:
    """Does it begin as iproute2's own question does?"""
    return tuple(text.split(maxsplit=len(GET))[: len(GET)]) == GET


class _Parser:
    """One pass over the words; every problem knows the word it is about."""

    def __init__(self, text: str) -> None:
        check_length(text)
        self.text = text
        self.words = list(_split(text))
        if is_asked(text):
            self.words = self.words[len(GET) :]

    def wrong(self, problem: str, word: _Word | None, unfinished: bool = False) -> QueryError:
        position = word.position if word else len(self.text)
        return QueryError(problem, self.text, position, unfinished)

    def flow(self) -> Flow:
        if not self.words:
            raise self.wrong("an address is missing", None, unfinished=True)
        first, *rest = self.words
        destination, zone = self._address(first, last=not rest)
        given: dict[str, _Word] = {}
        while rest:
            keyword, *rest = rest
            name = {"to": "to", "dev": "oif"}.get(keyword.text, keyword.text)
            if name not in KEYWORDS:
                unfinished = not rest and any(known.startswith(name) for known in KEYWORDS)
                raise self.wrong(
                    f"{keyword.text!r} is not one of: {', '.join(KEYWORDS)}", keyword, unfinished
                )
            if name in given:
                raise self.wrong(f"{keyword.text!r} is given twice", keyword)
            if not rest:
                raise self.wrong(f"{keyword.text!r} needs a value", keyword, unfinished=True)
            value, *rest = rest
            given[name] = value
        return self._build(first, destination, zone, given)

    def _build(
        self, first: _Word, destination: IPAddress, zone: str | None, given: dict[str, _Word]
    ) -> Flow:
        family = family_of(destination)
        oif = given["oif"].text if "oif" in given else None
        if zone is not None:
            if oif is not None and oif != zone:
                raise self.wrong(
                    f"the zone %{zone} and oif {oif} contradict each other", given["oif"]
                )
            oif = zone
        source: IPAddress | None = None
        if "from" in given:
            source, source_zone = self._address(given["from"], last=given["from"] is self.words[-1])
            if source_zone is not None:
                raise self.wrong("a zone belongs to the destination", given["from"])
            if family_of(source) != family:
                raise self.wrong(
                    f"{source} is not an IPv{family} address like {destination}", given["from"]
                )
        iif = given["iif"].text if "iif" in given else None
        if iif is not None and source is None:
            raise self.wrong(
                "a packet that arrives (iif) needs 'from ADDRESS'", given["iif"], unfinished=True
            )
        if "peer" in given and iif is None:
            raise self.wrong(
                "a packet decrypted from a peer (peer) needs 'iif LINK'",
                given["peer"],
                unfinished=True,
            )
        return Flow(
            destination=destination,
            source=source,
            iif=iif,
            oif=oif,
            mark=self._mark(given["mark"]) if "mark" in given else NO_MARK,
            tos=self._number(given, "tos", 255) or 0,
            uid=self._number(given, "uid", 0xFFFFFFFE),
            protocol=self._protocol(given["ipproto"]) if "ipproto" in given else None,
            sport=self._number(given, "sport", 65535),
            dport=self._number(given, "dport", 65535),
            flowlabel=self._number(given, "flowlabel", 0xFFFFF) or 0,
            peer=given["peer"].text if "peer" in given else None,
        )

    def _address(self, word: _Word, last: bool) -> tuple[IPAddress, str | None]:
        text, percent, zone = word.text.partition("%")
        if "/" in text:
            raise self.wrong(f"{word.text!r} is a prefix: ask about one address", word)
        try:
            address = parse_address(text)
        except ValueError:
            unfinished = last and _may_become_an_address(word.text)
            problem = f"{word.text!r} is not an IP address{_hint(text)}"
            raise self.wrong(problem, word, unfinished) from None
        if not percent:
            return address, None
        if address.version == 4:
            raise self.wrong(f"{word.text!r}: only an IPv6 address has a zone", word)
        if not zone:
            raise self.wrong(f"{word.text!r}: the zone is missing after %", word, unfinished=last)
        return address, zone

    def _integer(self, word: _Word, text: str, limit: int, what: str) -> int:
        value = _to_int(text)
        if value is None:
            raise self.wrong(
                f"{text!r} is not a number: {what} is decimal or 0x…", word, text in ("", "0x")
            )
        if value > limit:
            raise self.wrong(f"{what} {text} is too large (at most {limit})", word)
        return value

    def _number(self, given: dict[str, _Word], keyword: str, limit: int) -> int | None:
        word = given.get(keyword)
        return None if word is None else self._integer(word, word.text, limit, keyword)

    def _mark(self, word: _Word) -> Mark:
        value, slash, mask = word.text.partition("/")
        mark = self._integer(word, value, 0xFFFFFFFF, "mark")
        return Mark(mark & self._integer(word, mask, 0xFFFFFFFF, "mask") if slash else mark)

    def _protocol(self, word: _Word) -> int:
        known = PROTOCOLS.get(word.text.lower())
        if known is not None:
            return known
        if word is self.words[-1] and any(name.startswith(word.text) for name in PROTOCOLS):
            raise self.wrong(f"{word.text!r} is not a protocol yet", word, unfinished=True)
        return self._integer(word, word.text, 255, "ipproto")


def _split(text: str) -> list[_Word]:
    """The words; one with spaces in it (a peer's name) stands in quotes."""
    return [
        _Word(found[1] if found[1] is not None else found[0], found.start())
        for found in re.finditer(r'"([^"]*)"(?!\S)|\S+', text)
    ]


def _to_int(text: str) -> int | None:
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
        return int(text, 0)
    return int(text) if re.fullmatch(r"[0-9]+", text) else None


def _hint(text: str) -> str:
    """What people write for an address, and how it is asked here."""
    if _is_name(text):
        return "; names are not resolved"
    first, dash, last = text.partition("-")
    if dash and _is_address(first) and _is_address(last):
        return "; a range is asked as a prefix, like 10.0.0.0/24"
    host, colon, port = text.rpartition(":")
    if colon and (port.isdecimal() or not port) and _is_address(host.strip("[]")):
        return f"; a port is said with dport {port or 'N'}"
    return ""


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    """A host name: dots, and a top level domain that is no number."""
    _, dot, top = text.rpartition(".")
    return bool(dot) and len(top) > 1 and top.isalpha() and ":" not in text


def _may_become_an_address(text: str) -> bool:
    """Could more typing make it an address? ``10.0.`` could, ``10.0.0.400`` could not."""
    if ":" in text or re.fullmatch(r"[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*", text):
        wrong = ":::" in text or text.count("::") > 1 or text.count(":") > 7
        wrong = wrong or "." in text.partition(":")[0]
        return not wrong and re.fullmatch(r"[0-9a-fA-F:.]*", text) is not None
    parts = text.split(".")
    if len(parts) > 4 or not all(parts[:-1]):
        return False
    return all(part == "" or _is_octet(part) for part in parts)


def _is_octet(text: str) -> bool:
    return re.fullmatch(r"0|[1-9][0-9]{0,2}", text) is not None and int(text) <= 255
