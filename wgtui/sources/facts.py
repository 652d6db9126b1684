"""What does a facts folder say: a host as the standard tools print it (contract §3)?

A file that is missing or broken is a gap, and reading goes on; only a folder in which nothing can
be used is an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from wgtui.errors import FormatError, SourceError
from wgtui.model.fact import dataclass
from wgtui.model.network import MAIN_TABLE, Link, LinkIndex, NextHopObject, Rule
from wgtui.model.prefix import FAMILIES, Family
from wgtui.model.snapshot import Gap, Snapshot, Subject
from wgtui.model.wireguard import Birth, Device
from wgtui.sources import Progress, assemble
from wgtui.sources.config_files import ConfigFiles
from wgtui.sources.configs import Meant, labelled, read_copies
from wgtui.sources.fields import Fields, parse_json
from wgtui.sources.iproute import add_addresses, parse_links
from wgtui.sources.iproute_nexthops import parse_nexthops
from wgtui.sources.iproute_routes import ParsedRoutes, parse_routes
from wgtui.sources.iproute_rules import parse_rules
from wgtui.sources.links_builder import LinksBuilder
from wgtui.sources.nft import parse_ruleset
from wgtui.sources.still import StillSource
from wgtui.sources.sysctl import parse_sysctls, with_forwarding
from wgtui.sources.undisturbed import undisturbed
from wgtui.sources.wgtext import parse_dump

T = TypeVar("T")

COMMANDS: Final = {
    "link.json": "ip -j -d -s link show",
    "address.json": "ip -j address show",
    "rule4.json": "ip -N -j -4 rule show",
    "rule6.json": "ip -N -j -6 rule show",
    "route4.json": "ip -N -j -d -4 route show table all",
    "route6.json": "ip -N -j -d -6 route show table all",
    "nexthop.json": "ip -N -j -d nexthop show",
    "wg.dump": "wg show all dump",
    "sysctl.txt": "sysctl -a | grep '^net.ipv[46]'",
    "nft.json": "nft -j list ruleset",
}
"""The command that makes each file."""

_MOVED: Final = "its encrypted packets leave by no link listed here, but from another namespace"
_CONFIGS: Final = "conf/*.conf"
_COPY_CONFIGS: Final = (
    "for f in /etc/wireguard/*.conf; do"
    r" sed '/\(Private\|Preshared\)Key/Id' $f >conf/${f##*/}; done"
)
_RULES: Final[dict[Family, Subject]] = {4: Subject.RULES4, 6: Subject.RULES6}
_ROUTES: Final[dict[Family, Subject]] = {4: Subject.ROUTES4, 6: Subject.ROUTES6}


def remedy(name: str) -> str:
    """What to do about a file that is missing or broken."""
    return f"make it with: {COMMANDS[name]}"


class FactsSource(StillSource):
    """A folder of the outputs of ``ip -j``, ``wg show all dump`` and so on."""

    def read(self, progress: Progress | None = None) -> Snapshot:
        """Everything that is there. Raises ``SourceError`` when nothing is."""
        try:
            with undisturbed():
                return _Folder(self.path).snapshot()
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Host:
    """What host.json says; every key is optional."""

    name: str = ""
    kernel: str = ""
    taken_at: float | None = None
    ipv4_local_in: int | None = None


@dataclass(slots=True)
class _Folder:
    """One reading of it: what was usable, and the gaps."""

    path: Path
    gaps: list[Gap] = field(default_factory=list)
    usable: int = 0
    newest: float = 0.0
    """When the newest file was written."""

    def snapshot(self) -> Snapshot:
        configured = any((self.path / "conf").glob("*"))
        if not configured and not any((self.path / name).exists() for name in COMMANDS):
            first = self.path / "link.json"
            hint = f"make them like this: {COMMANDS[first.name]} >{first}"
            raise SourceError(f"{self.path}: no facts in this folder", hint)
        links = self.take("link.json", Subject.LINKS, parse_links) or LinksBuilder()
        self.take("address.json", Subject.ADDRESSES, partial(add_addresses, links=links))
        rules = {family: self.rules(family) for family in FAMILIES}
        nexthops = self.nexthops(links)
        routes = {family: self.routes(family, links, nexthops) for family in FAMILIES}
        devices = self.devices(links)
        meant = self.configs()
        sysctls = self.take("sysctl.txt", Subject.SYSCTL, parse_sysctls)
        hooks = self.take("nft.json", Subject.FIREWALL, parse_ruleset)
        host = self.host()
        if not self.usable:
            raise SourceError(
                f"{self.path}: no usable file", "; ".join(g.why for g in self.gaps[:1])
            )
        found = links.build()
        return Snapshot(
            taken_at=self.newest if host.taken_at is None else host.taken_at,
            host=host.name,
            kernel=host.kernel,
            source=str(self.path),
            links=found,
            rules={
                family: assemble.doubt_mixed_names(some, routes[family].tables, found.values())
                for family, some in rules.items()
                if some is not None
            },
            routes={**routes[4].tables, **routes[6].tables},
            exceptions=(*routes[4].exceptions, *routes[6].exceptions),
            nexthops=nexthops,
            devices={index: labelled(device, meant) for index, device in devices.items()},
            meant=meant.configs,
            names=meant.names,
            sysctls=with_forwarding(sysctls or {}, (link.name for link in found.values())),
            hooks=hooks,
            local_in_main=_local_in_main(host, rules[4]),
            uid=os.getuid(),
            gaps=tuple(self.gaps),
        )

    # ------------------------------------------------------------------------------ any one file

    def attempt(self, name: str, parse: Callable[[str], T]) -> tuple[T | None, str]:
        """What one file says, or None and why that cannot be told."""
        path = self.path / name
        try:
            if path.exists() and not path.is_file():
                raise FormatError(name, "is not a regular file")
            # Names of links are bytes; those that are no UTF-8 survive as surrogates.
            found = parse(path.read_text("utf-8-sig", errors="surrogateescape"))
            self.newest = max(self.newest, path.stat().st_mtime)
        except FileNotFoundError:
            return None, f"no file {name}"
        except OSError as error:
            return None, f"{name}: {error.strerror}"
        except RecursionError:
            return None, f"{name}: nested too deeply"
        except FormatError as error:
            return None, str(error)
        self.usable += 1
        return found, ""

    def take(self, name: str, subject: Subject, parse: Callable[[str], T]) -> T | None:
        """What one file says; None, and a gap, when it is missing or broken."""
        found, why = self.attempt(name, parse)
        if why:
            self.gaps.append(Gap(subject, why, remedy(name)))
        return found

    # --------------------------------------------------------------------------- each of the files

    def rules(self, family: Family) -> tuple[Rule, ...] | None:
        name = f"rule{family}.json"
        return self.take(name, _RULES[family], partial(parse_rules, family=family))

    def nexthops(self, links: LinksBuilder) -> dict[int, NextHopObject]:
        name = "nexthop.json"
        return self.take(name, Subject.NEXTHOPS, partial(parse_nexthops, links=links)) or {}

    def routes(
        self, family: Family, links: LinksBuilder, nexthops: Mapping[int, NextHopObject]
    ) -> ParsedRoutes:
        name = f"route{family}.json"
        parse = partial(parse_routes, family=family, links=links, nexthops=nexthops)
        return self.take(name, _ROUTES[family], parse) or ParsedRoutes({}, ())

    def devices(self, links: LinksBuilder) -> dict[LinkIndex, Device]:
        """The devices, and a gap for every link that is one, or may be, and is not listed."""
        name = "wg.dump"
        found, why = self.attempt(name, partial(parse_dump, links=links))
        devices = found or {}
        links.complete_kinds(devices.keys(), all_listed=found is not None)
        hidden = assemble.hidden_devices(links.build(), devices, listed=found is not None)
        why = why or f"{name} does not list it"
        self.gaps += [Gap(Subject.WIREGUARD, why, remedy(name), link) for link in hidden]
        unlisted = any(gap.subject is Subject.LINKS for gap in self.gaps)
        if found is None and not hidden and (unlisted or (self.path / name).exists()):
            self.gaps.append(Gap(Subject.WIREGUARD, why, remedy(name)))
        return self.born(assemble.with_backends(devices, links.build()), links.build())

    def born(
        self, devices: Mapping[LinkIndex, Device], links: Mapping[LinkIndex, Link]
    ) -> dict[LinkIndex, Device]:
        """The devices; one that was moved here says so, and nobody knows where from."""
        known = dict(devices)
        if any(gap.subject is Subject.LINKS for gap in self.gaps):
            return known
        for index, device in devices.items():
            if assemble.moved_here(device, links):
                known[index] = replace(device, birth=Birth.ELSEWHERE)
                self.gaps.append(Gap(Subject.NAMESPACE, _MOVED, link=index))
        return known

    def configs(self) -> Meant:
        """What was meant: a configuration that its program would refuse is a gap."""
        files = ConfigFiles(lambda path: str(path.relative_to(self.path)))
        meant = read_copies(files, self.path / "conf")
        self.usable += len(meant.configs)
        self.newest = max(self.newest, files.newest)
        self.gaps += meant.gaps
        if not files.read and not meant.gaps:
            self.gaps.append(Gap(Subject.CONFIG, f"no file {_CONFIGS}", _COPY_CONFIGS))
        return meant

    def host(self) -> _Host:
        """Optional: only a broken one is a gap."""
        usable = self.usable
        host, why = self.attempt("host.json", _parse_host)
        self.usable = usable
        if host is None and (self.path / "host.json").exists():
            self.gaps.append(Gap(Subject.NAMESPACE, why))
        return host or _Host()


def _parse_host(text: str, file: str = "host.json") -> _Host:
    values = parse_json(text, file)
    if not isinstance(values, dict):
        raise FormatError(file, "an object is expected")
    fields = Fields(values, file)
    moment = fields.text("taken_at")
    try:
        taken_at = None if moment is None else _unix_time(moment)
    except (ValueError, OverflowError):
        raise fields.wrong("taken_at", "is not a time like 2026-11-22T10:00:00Z") from None
    return _Host(
        name=fields.text("host") or "",
        kernel=fields.text("kernel") or "",
        taken_at=taken_at,
        ipv4_local_in=fields.number("ipv4_local_in"),
    )


def _unix_time(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _local_in_main(host: _Host, rules: tuple[Rule, ...] | None) -> bool | None:
    """Are IPv4's local and main one tree (S-A5)? As the kernel said, else judged by the rules."""
    if host.ipv4_local_in is not None:
        return host.ipv4_local_in == MAIN_TABLE
    return None if rules is None else assemble.one_tree(rules)
