"""Is the encrypted packet of a device that was moved followed where the device was made? (S-E20)

    other                     alice                                  bob
    ┌───────────────────┐     ┌──────────────────────┐              ┌──────────────────────┐
    │ wg0 10.77.0.1/24  │ ◁── │ wg0 was made here    │              │ wg0  10.77.0.2/24    │
    │ no other link     │     │ eth0 192.0.2.1/24    ├──────────────┤ eth0 192.0.2.2/24    │
    └───────────────────┘     └──────────────────────┘              └──────────────────────┘

Packets are sent, so the kernel says itself that the answer is right.
"""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.hosts import Host, Kind, Pair, open_pair, run
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.model.snapshot import Snapshot, Subject
from wgtui.model.trace import Outcome, Reason, Trace
from wgtui.report.as_json import lookup_json
from wgtui.report.sentences import answer
from wgtui.sources.live import LiveSource
from wgtui.sources.saved import dumps, loads

pytestmark = pytest.mark.wireguard


@dataclass(frozen=True, slots=True)
class Moved:
    """alice's wg0 after it was moved to another host."""

    pair: Pair
    other: Host


@pytest.fixture
def moved() -> Iterator[Moved]:
    """wg0 lives in ``other``; bob listens on another port, so that only alice has 51820 open."""
    with open_pair(Kind.KERNEL) as pair:
        other = pair.network.host("other")
        pair.bob_wg0.set("listen-port", "51821")
        endpoint = ("endpoint", "192.0.2.2:51821")
        pair.alice_wg0.set("peer", pair.bob_wg0.keys.public, *endpoint)
        pair.alice.ip(f"link set wg0 netns {other.namespace}")
        other.ip("address add 10.77.0.1/24 dev wg0", "link set wg0 up")
        yield Moved(pair, other)


def look(host: Host) -> Snapshot:
    """The host as the live source sees it from outside."""
    with closing(LiveSource(host.namespace)) as source:
        return source.read()


def ask(snapshot: Snapshot, flow: str = "10.77.0.2") -> Trace:
    """What happens to this packet?"""
    return lookup(snapshot, Flow.parse(flow))


def test_the_encrypted_packet_is_routed_where_the_device_was_made(moved: Moved) -> None:
    """It leaves by alice's link, the answer says so, and the tunnel works (S-E20)."""
    alice, other = moved.pair.alice, moved.other
    assert other.ping("10.77.0.2")
    snapshot = look(other)
    assert snapshot.gaps == ()
    [device] = snapshot.devices.values()
    assert device.birth_namespace == alice.namespace
    trace = ask(snapshot)
    assert trace.outcome is Outcome.ENCRYPTED
    told = lookup_json(snapshot, trace)["out"]
    assert isinstance(told, dict)
    assert told["outer"]["namespace"] == alice.namespace
    assert told["outer"]["out"]["route"]["dev"] == "eth0"
    first, *rest = (line.text for line in answer(snapshot, trace))
    assert first.endswith(f"by eth0 in namespace {alice.namespace}.")
    assert any(line.startswith("encrypted packet to 192.0.2.2:51821 in name") for line in rest)


def test_no_way_out_there_is_no_way_out(moved: Moved) -> None:
    """A route refused in the birthplace stops the packet, whatever the other namespace has."""
    moved.pair.alice.ip("route add prohibit 192.0.2.2")
    trace = ask(look(moved.other))
    assert trace.outcome is Outcome.OUTER_FAILED
    assert trace.outer is not None
    assert trace.outer.outcome is Outcome.PROHIBITED
    assert not moved.other.ping("10.77.0.2", wait=1)


def test_the_encrypted_reply_meets_the_filter_there(moved: Moved) -> None:
    """rp_filter is the birthplace's, on the link that the encrypted packets use (S-E20, S-D1)."""
    alice, other = moved.pair.alice, moved.other
    other.sysctl("net.ipv4.conf.all.rp_filter", 2)
    alice.sysctl("net.ipv4.conf.eth0.rp_filter", 1)
    snapshot = look(other)
    [entrance] = json.loads(json.dumps(lookup_json(snapshot, ask(snapshot))["back"]))
    assert entrance["outcome"] == "accepted"
    assert (entrance["rp_filter"]["device"], entrance["rp_filter"]["mode"]) == ("wg0", 2)
    outer = entrance["outer_rp_filter"]
    assert (outer["device"], outer["mode"], outer["result"]) == ("eth0", 1, "pass")


def test_chains_of_the_birthplace_concern_the_encrypted_packet(moved: Moved) -> None:
    """They stand in its trace, and are named once (S-E18, S-H20)."""
    chain = "add chain ip t c { type route hook output priority mangle; }"
    rules = f"add table ip t\n{chain}\nadd rule ip t c meta mark set 7\n"
    moved.pair.alice.run("nft", "-f", "-", stdin=rules)
    snapshot = look(moved.other)
    trace = ask(snapshot)
    assert trace.hooks == ()
    assert trace.outer is not None
    assert [hook.chain for hook in trace.outer.hooks] == ["c"]
    [line] = [line.text for line in answer(snapshot, trace) if line.label == "but"]
    assert line == "nft table ip t may change it: chain c sets the mark (encrypted packet)"


def test_changes_of_the_birthplace_are_noticed(moved: Moved) -> None:
    """Its events are heard too; without one the other namespace is not read again."""
    with closing(LiveSource(moved.other.namespace)) as source:
        snapshot = source.read()
        again = source.refresh(snapshot, 0.2)
        assert again.elsewhere is snapshot.elsewhere
        moved.pair.alice.ip("route add prohibit 192.0.2.2")
        assert ask(source.refresh(again, 5)).outcome is Outcome.OUTER_FAILED


def test_it_comes_back_from_a_file(moved: Moved) -> None:
    """A saved snapshot has the other namespace in it."""
    snapshot = look(moved.other)
    again = loads(dumps(snapshot), "file")
    assert again.elsewhere.keys() == {moved.pair.alice.namespace}
    assert lookup_json(again, ask(again)) == lookup_json(snapshot, ask(snapshot))


def test_two_candidates_are_no_answer(moved: Moved) -> None:
    """The port is open in two other namespaces: unknown, and a gap says why."""
    moved.pair.bob_wg0.set("listen-port", "51820")
    snapshot = look(moved.other)
    trace = ask(snapshot)
    assert (trace.outcome, trace.reason) == (Outcome.UNKNOWN, Reason.FOREIGN_NAMESPACE)
    assert snapshot.gap(Subject.NAMESPACE, trace.route.link if trace.route else None) is not None


FROM_HERE = """
import json, sys
from wgtui.engine.lookup import lookup
from wgtui.model.flow import Flow
from wgtui.sources.live import LiveSource
snapshot = LiveSource(sys.argv[1]).read()
trace = lookup(snapshot, Flow.parse("10.77.0.2"))
[device] = snapshot.devices.values()
print(json.dumps([device.birth_namespace, trace.outcome.value]))
"""


def test_made_where_the_program_runs(moved: Moved) -> None:
    """The namespace wgtui was started in needs no name."""
    alice, other = moved.pair.alice, moved.other
    repository = str(Path(__file__).parents[2])
    there = ("env", f"PYTHONPATH={repository}", sys.executable, "-c", FROM_HERE)
    assert json.loads(alice.run(*there, other.namespace)) == ["", "encrypted"]


def test_made_in_a_namespace_without_a_name(moved: Moved) -> None:
    """A container's is found by its processes."""
    pair, other = moved.pair, moved.other
    process = pair.alice.start("unshare", "--net", "sleep", "300")
    found: list[int] = []
    until = time.monotonic() + 20
    while not found and time.monotonic() < until:
        time.sleep(0.05)
        found = [pid for pid in descendants(process.pid) if nameless(pid)]
    assert found, "unshare made no namespace within 20 s"
    pid = found[0]
    enter = ("nsenter", f"--net=/proc/{pid}/ns/net")
    run(*enter, "ip", "link", "add", "wg5", "type", "wireguard")
    run(*enter, "ip", "link", "set", "lo", "up")
    run(*enter, "ip", "link", "set", "wg5", "netns", other.namespace)
    key = pair.alice_wg0.keys
    other.run("wg", "set", "wg5", "listen-port", "5555", "private-key", "/dev/stdin",
              "peer", pair.bob_wg0.keys.public, "endpoint", "127.0.0.1:9",
              "allowed-ips", "10.99.0.0/16", stdin=key.private)  # fmt: skip
    other.ip("link set wg5 up", "route add 10.99.0.0/16 dev wg5")
    snapshot = look(other)
    device = snapshot.devices[snapshot.links_by_name["wg5"].index]
    assert device.birth_namespace == f"/proc/{pid}/ns/net"
    trace = ask(snapshot, "10.99.0.1")
    assert trace.outer is not None
    assert trace.outer.outcome is Outcome.LOCAL
    text = " ".join(line.text for line in answer(snapshot, trace))
    assert f"in the namespace of process {pid}" in text


def descendants(pid: int) -> list[int]:
    """The process and all below it; any of them may end while it is looked at."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        children = Path(f"/proc/{found[-1]}/task/{found[-1]}/children")
        with contextlib.suppress(OSError):
            waiting += map(int, children.read_text().split())
    return found


def nameless(pid: int) -> bool:
    """Is its network namespace neither ours nor under /run/netns? No, if it has ended."""
    try:
        inode = Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return False
    ours = Path("/proc/self/ns/net").stat().st_ino
    return inode != ours and all(
        path.stat().st_ino != inode for path in Path("/run/netns").iterdir()
    )
