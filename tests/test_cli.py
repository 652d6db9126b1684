"""Does the command line keep contract §1 and §2: words in, an answer and an exit code out?"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wgtui import __version__
from wgtui.cli import COMMANDS, HELP, main, parse
from wgtui.commands.snapshot import OUTPUT
from wgtui.model.flow import KEYWORDS, PROTOCOLS
from wgtui.sources.demo import TOUR

ROOT = Path(__file__).parent.parent
WGTUI = (sys.executable, "-m", "wgtui")
GOOD = ("local", "sent", "encrypted")


def run(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The program as a shell would start it."""
    return subprocess.run(
        [*WGTUI, *words],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})},
    )


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, in this process."""
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


# ------------------------------------------------------------------------------------- exit codes


def test_a_delivered_packet_is_0_on_stdout_alone() -> None:
    """A good outcome exits 0; the answer is on stdout, nothing on stderr."""
    done = run("lookup", "--demo", "10.30.4.1")
    assert done.returncode == 0
    assert done.stdout.decode().startswith("✔ ENCRYPTED  10.30.4.1 ")
    assert done.stderr == b""


def test_a_lost_packet_is_1_and_still_an_answer() -> None:
    """A bad outcome exits 1, and is an answer, not a diagnostic."""
    done = run("lookup", "--demo", "10.44.0.1")
    assert done.returncode == 1
    assert done.stdout.decode().startswith("✘ NO-PEER  10.44.0.1 ")
    assert done.stderr == b""


def test_words_that_cannot_be_understood_are_2_with_nothing_on_stdout() -> None:
    """Usage errors exit 2, with one line on stderr."""
    done = run("lookup", "--demo", "10.0.0.1", "fom", "1.2.3.4")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1


def test_a_source_that_cannot_be_read_is_3(tmp_path: Path) -> None:
    """No source, no answer: 3, and one line says which source."""
    done = run("lookup", "--source", str(tmp_path / "nowhere"), "10.0.0.1")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"nowhere" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(("flow", "outcome"), [(flow, outcome) for flow, outcome, _ in TOUR])
def test_the_exit_code_follows_the_outcome(
    flow: str, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 exactly for the three good outcomes, 1 for every other; text and JSON agree on it."""
    expected = 0 if outcome in GOOD else 1
    code, out, _ = said(capsys, "lookup", "--demo", *flow.split())
    assert code == expected
    assert out.splitlines()[0].split()[1] == outcome.upper()
    code, out, _ = said(capsys, "lookup", "--demo", "--json", *flow.split())
    assert code == expected
    assert json.loads(out)["outcome"] == outcome


# ------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("words", "named", "place"),
    [
        ("", "an address is missing", None),
        ("10.0.0", "'10.0.0'", 1),
        ("10.0.0.0/33", "'10.0.0.0/33'", 1),
        ("10.0.0.0/8 mark 0xzz", "'0xzz'", 17),
        ("example.org", "'example.org'", 1),
        ("10.0.0.1-10.0.0.9", "asked as a prefix", 1),
        ("10.0.0.1:443", "dport 443", 1),
        ("[fd00::1]:443", "dport 443", 1),
        ("ip route get 10.0.0", "'10.0.0'", 14),
        ("10.0.0.1 fom 10.0.0.2", "'fom'", 10),
        ("10.0.0.1 from", "'from'", 10),
        ("10.0.0.1 from 1.2.3", "'1.2.3'", 15),
        ("10.0.0.1 from fd00::1", "fd00::1", 15),
        ("10.0.0.1 mark 0xzz", "'0xzz'", 15),
        ("10.0.0.1 mark 1 mark 2", "'mark'", 17),
        ("10.0.0.1 dport 65536", "65536", 16),
        ("10.0.0.1 iif wg0", "'from ADDRESS'", 14),
        ("10.0.0.1 peer fra1", "'iif LINK'", 15),
    ],
)
def test_what_cannot_be_understood_is_one_line_naming_word_and_place(
    words: str, named: str, place: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The word that is wrong, and where it stands, counted from 1."""
    code, out, err = said(capsys, "lookup", "--demo", words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err
    assert place is None or f"at character {place} of" in err


@pytest.mark.parametrize(
    ("flow", "place"),
    [
        ("10.0.0.1 oif eth9", 14),
        ("10.0.0.1 from 10.0.0.2 iif eth9", 28),
        ("fe80::1%eth9", 9),
        ("10.0.0.1 from 10.0.0.2 iif wg0 peer eth9", 37),
    ],
)
def test_a_link_or_peer_that_is_not_there_is_named_with_its_place(
    flow: str, place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flow about what this host does not have cannot be understood here: 2."""
    code, out, err = said(capsys, "lookup", "--demo", flow)
    assert (code, out) == (2, "")
    assert "eth9" in err
    assert f"at character {place} of" in err
    done = run("lookup", "--demo", "--json", "-", stdin=flow.encode())
    assert f"at character {place} of" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize(
    "words", ["a", "10.0.0.1 from 1", "10.0.0.1 mark 1", "10.0.0.1 oif 1", "1/"]
)
def test_what_is_too_long_to_be_a_question_is_not_repeated(words: str) -> None:
    """Neither a traceback for a million digits nor a million characters of answer."""
    done = run("lookup", "--demo", "--json", "-", stdin=f"{words}{'1' * 1_000_000}\n".encode())
    assert done.returncode == 2
    assert "too long" in json.loads(done.stdout)["error"]
    assert len(done.stdout) < 200
    short = run("lookup", "--demo", f"{words}{'1' * 1500}")
    assert (short.returncode, short.stdout) == (2, b"")
    assert len(short.stderr) < 5000


@pytest.mark.parametrize("source", ["live:", "/dev/zero", "/dev/null"])
def test_a_source_that_is_none_is_one_line_and_never_waited_for(source: str) -> None:
    """A namespace without a name, and devices that never end."""
    done = run("lookup", "--source", source, "10.0.0.1")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.count(b"\n") == 1
    assert source.encode() in done.stderr


def test_the_words_may_come_in_any_order_after_the_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Order does not matter, and every word reaches the flow."""
    one = "10.30.5.1 mark 0x10/0xf0 tos 8 uid 1000 ipproto tcp sport 1 dport 2 oif wg1"
    two = "10.30.5.1 oif wg1 dport 0x2 sport 1 ipproto 6 uid 1000 tos 0x8 mark 0x1f/0xf0"
    answers = [said(capsys, "lookup", "--demo", "--json", flow)[1] for flow in (one, two)]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["flow"] == {
        "to": "10.30.5.1",
        "from": None,
        "iif": None,
        "oif": "wg1",
        "mark": 0x10,
        "tos": 8,
        "uid": 1000,
        "ipproto": 6,
        "sport": 1,
        "dport": 2,
        "flowlabel": 0,
        "peer": None,
    }


def test_a_zone_means_oif(capsys: pytest.CaptureFixture[str]) -> None:
    """``fe80::1%eth0`` is ``fe80::1 oif eth0``."""
    _, zone, _ = said(capsys, "lookup", "--demo", "--json", "fe80::1%eth0")
    _, oif, _ = said(capsys, "lookup", "--demo", "--json", "fe80::1", "oif", "eth0")
    assert zone == oif
    assert json.loads(zone)["flow"]["oif"] == "eth0"


@pytest.mark.parametrize("peer", ["lon3", "lon3+", None])
def test_a_peer_is_a_name_a_key_or_its_beginning(
    peer: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """All three name lon3, which owns 10.30.5.7."""
    _, out, _ = said(capsys, "lookup", "--demo", "--json", "10.30.5.1")
    key = json.loads(out)["out"]["owner"]["peer"]
    word = {"lon3": "lon3", "lon3+": key[:8]}.get(peer or "", key)
    flow = f"192.168.10.20 from 10.30.5.7 iif wg1 peer {word}"
    code, out, _ = said(capsys, "lookup", "--demo", "--json", flow)
    assert code == 0
    assert json.loads(out)["in"]["owner"]["name"] == "lon3"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("lookup", "--bogus", "10.0.0.1"), "'--bogus'"),
        (("lookup", "10.0.0.1", "-x", "3"), "'-x'"),
        (("--sourc", "demo"), "'--sourc'"),
        (("lookup", "--demo"), "which address"),
        (("lookup", "--source", "demo", "10.0.0.1", "--source"), "--source"),
        (("lookup", "--source", "", "10.0.0.1"), "--source"),
        (("lookup", "--demo", "--source", "live", "10.0.0.1"), "--demo and --source"),
        (("--json", "10.0.0.1"), "--json"),
        (("snapshot", "--json"), "--json"),
        (("lookup", "-o", "file", "10.0.0.1"), "-o"),
        (("snapshot", "--demo", "everything"), "'everything'"),
        (("lokup", "10.0.0.1"), "'lokup'"),
        (("--json", "10.0.0.1", "lookup"), "'lookup'"),
        (("lookup", "10.0.0.1", "--json=yes"), "--json"),
        (("lookup", "10.0.0.1", "-jo"), "'-j'"),
        (("snapshot", "-o", "--demo"), "-o"),
    ],
)
def test_options_that_make_no_sense_are_one_line_naming_them(
    words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, nothing on stdout, one line on stderr with the word in it."""
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err


def test_check_tells_what_is_wrong_and_how_to_repair_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors first; exit 1 because of them; a host with nothing, or with notes only, gives 0."""
    code, out, err = said(capsys, "check", "--demo")
    assert (code, err) == (1, "")
    assert out.startswith("✘ error    own-key-peer")
    assert "    $ ip route add 172.30.7.0/24 dev wg1" in out.splitlines()
    assert out.splitlines()[-1] == "5 errors, 11 warnings, 8 notes"
    _, plain, _ = said(capsys, "check", "--demo", "--ascii")
    assert plain.isascii()
    code, out, _ = said(capsys, "check", "--demo", "--json")
    answer = json.loads(out)
    assert (code, answer["schema"]) == (1, "wgtui.check/1")
    assert {finding["severity"] for finding in answer["findings"]} == {"error", "warning", "info"}


def test_a_lookup_tells_which_findings_concern_it(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON whole; as text their codes in a line; none where there are none."""
    _, out, _ = said(capsys, "lookup", "--demo", "--json", "172.30.7.9")
    codes = [finding["code"] for finding in json.loads(out)["findings"]]
    assert codes == ["unrouted-prefix", "rp-filter", "forwarding-off"]
    _, out, _ = said(capsys, "lookup", "--demo", "172.30.7.9")
    assert "! finding unrouted-prefix (wg1  bru5  172.30.7.0/24), rp-filter" in out
    _, out, _ = said(capsys, "lookup", "--demo", "192.0.2.77")
    assert "finding" not in out


def test_options_stand_before_or_after_the_command() -> None:
    """``--source`` and ``--demo`` are the same anywhere, as one word or two."""
    spellings = (
        "lookup --source demo 10.30.4.1",
        "--source demo lookup 10.30.4.1",
        "--source=demo lookup 10.30.4.1",
        "lookup 10.30.4.1 --source demo",
        "lookup --demo 10.30.4.1",
        "--demo lookup 10.30.4.1",
        "lookup 10.30.4.1 --demo",
        "lookup --demo --source demo 10.30.4.1",
    )
    assert len({parse(spelling.split()) for spelling in spellings}) == 1


def test_an_option_holds_its_value_or_has_it_behind() -> None:
    """As everywhere: ``-o FILE``, ``-oFILE``, ``--output FILE``, ``--output=FILE``; last wins."""
    spellings = ("-o x", "-ox", "-o=x", "--output x", "--output=x")
    for spelling in spellings:
        for words in (f"snapshot --demo {spelling}", f"{spelling} snapshot --demo"):
            arguments = parse(words.split())
            assert (arguments.command, arguments.words) == ("snapshot", ())
            assert arguments.value(OUTPUT) == "x"
    assert parse(["snapshot", "-o", "x", "-o", "-"]).value(OUTPUT) == "-"
    assert parse(["snapshot"]).value(OUTPUT) is None


def test_two_dashes_end_the_options_and_a_space_makes_a_word() -> None:
    """What only looks like an option can be said."""
    assert parse(["lookup", "--demo", "--", "-o", "--json"]).words == ("-o", "--json")
    assert parse(["--", "lookup", "-1"])[:2] == ("lookup", ("-1",))
    assert parse(["lookup", "- 10.0.0.0/8", "-"]).words == ("- 10.0.0.0/8", "-")


def test_without_words_the_source_is_this_host() -> None:
    """No ``--source`` means live, and no command means the TUI; a flow may come with it."""
    assert parse([]).source == "live"
    assert parse([]).command == ""
    assert parse(["--demo", "10.0.0.1", "mark", "1"]).words == ("10.0.0.1", "mark", "1")


def test_the_tui_understands_its_question_before_it_starts() -> None:
    """A first question that makes no sense is told on the command line, not on a screen."""
    done = run("--demo", "10.0.0.400")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"'10.0.0.400'" in done.stderr


def test_the_tui_needs_a_terminal() -> None:
    """Without one it says so and draws nothing."""
    done = run("--demo")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"terminal" in done.stderr


# ------------------------------------------------------------------------------------ JSON, by line


def test_one_object_a_line_in_order_whatever_the_lines_are() -> None:
    """Good, lost, bad and empty lines each answer with one object, in order; worst code wins."""
    lines = (
        b"10.30.4.1\n10.44.0.1\n10.0.0.1 fom 2\n\n  \n\xff\xfe\n192.168.10.1\r\n10.0.0.1 oif x\n::1"
    )
    done = run("lookup", "--demo", "--json", "-", stdin=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [answer.get("outcome", "error") for answer in answers]
    good, bad = ["encrypted", "no-peer"], ["error"] * 4
    assert told == [*good, *bad, "local", "error", "local"]
    assert "'fom'" in answers[2]["error"]
    assert all(list(answer) == ["error"] for answer in answers if "error" in answer)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize(
    ("lines", "code"), [(b"10.30.4.1\n", 0), (b"10.30.4.1\n10.44.0.1\n10.30.4.1\n", 1), (b"", 0)]
)
def test_many_answers_exit_with_the_worst(lines: bytes, code: int) -> None:
    """0 when every packet arrives, also when none was asked about; 1 when one does not."""
    done = run("lookup", "--demo", "--json", "-", stdin=lines)
    assert done.returncode == code
    assert done.stdout.count(b"\n") == lines.count(b"\n")


def test_every_line_is_answered_before_the_next_is_read() -> None:
    """A program may ask, read the answer, and ask again."""
    process = subprocess.Popen(
        [*WGTUI, "lookup", "--demo", "--json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for address in ("10.30.4.1", "10.30.5.1"):
            process.stdin.write(f"{address}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["flow"]["to"] == address
        process.stdin.close()
        assert process.wait(30) == 0


def test_json_is_one_line_of_ascii() -> None:
    """One object, one line, readable by anything."""
    done = run("lookup", "--demo", "--json", "10.30.4.1")
    assert done.stdout.isascii()
    assert done.stdout.count(b"\n") == 1
    assert json.loads(done.stdout)["schema"] == "wgtui.lookup/1"


# -------------------------------------------------------------------------------- pipes and signals


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    """``| head -1`` leaves no traceback, however much was still to come."""
    many = "10.30.4.1\\n" * 400
    script = f"printf '{many}' | {sys.executable} -m wgtui lookup --demo --json - | head -1"
    done = subprocess.run(
        ["bash", "-c", f'{script}; echo "${{PIPESTATUS[1]}}"'],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
    )
    answer, code = done.stdout.splitlines()
    assert json.loads(answer)["outcome"] == "encrypted"
    assert (code, done.stderr) == (b"0", b"")


@pytest.mark.parametrize("words", ["lookup --demo 10.30.4.1", "check --demo", "snapshot --demo"])
def test_an_output_that_is_closed_is_no_accident(words: str) -> None:
    """``>&-``: nobody wants the answer; the exit code tells it all the same."""
    program = shlex.join([*WGTUI, *words.split()])
    done = subprocess.run(
        ["sh", "-c", f"exec {program} >&-"], stderr=subprocess.PIPE, cwd=ROOT, timeout=60
    )
    assert done.stderr == b""
    assert done.returncode == run(*words.split()).returncode


def test_a_full_disk_is_one_line() -> None:
    """What cannot be written is said once, without a traceback."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*WGTUI, "lookup", "--demo", "10.30.4.1"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
    assert done.returncode not in (0, 1)
    assert done.stderr.count(b"\n") == 1
    assert b"No space left" in done.stderr


def test_ctrl_c_ends_it_quietly() -> None:
    """An interrupted program says nothing and exits as shells expect."""
    process = subprocess.Popen(
        [*WGTUI, "lookup", "--demo", "--json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        # Who starts the tests in the background has them ignore it, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no threads here
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        process.stdin.write(b"10.30.4.1\n")
        process.stdin.flush()
        process.stdout.readline()  # now it waits for the next line
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            # A signal in the few instructions before the read is only noted, and the read waits on:
            # CPython's own race. A person presses Ctrl-C again.
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b""


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_a_poor_locale_still_gets_an_answer(locale: str) -> None:
    """Glyphs that a locale cannot show are no reason to fail."""
    env = {"LC_ALL": locale, "PYTHONIOENCODING": "", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run("lookup", "--demo", "10.30.4.1", env=env)
    assert done.returncode == 0
    assert b"ENCRYPTED  10.30.4.1" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize(("flow", "outcome"), [(flow, outcome) for flow, outcome, _ in TOUR])
def test_ascii_is_ascii(flow: str, outcome: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``--ascii`` has no other character, and says the same."""
    _, out, _ = said(capsys, "lookup", "--demo", "--ascii", flow)
    assert out.isascii()
    assert outcome.upper() in out


# ---------------------------------------------------------------------------------------- snapshots


def test_a_saved_snapshot_answers_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``snapshot -o FILE``, opened with ``--source FILE``, gives the same text and JSON."""
    file = str(tmp_path / "edge-1.wgtui")
    assert said(capsys, "snapshot", "--demo", "-o", file) == (0, "", "")
    for flow, _, _ in TOUR:
        for form in ([], ["--json"]):
            saved = said(capsys, "lookup", "--source", file, *form, flow)
            assert saved == said(capsys, "lookup", "--demo", *form, flow)


def test_a_snapshot_goes_to_stdout_without_o(tmp_path: Path) -> None:
    """A redirect is as good as ``-o``."""
    file = tmp_path / "snapshot"
    done = run("snapshot", "--demo")
    assert (done.returncode, done.stderr) == (0, b"")
    file.write_bytes(done.stdout)
    again = run("lookup", "--source", str(file), "10.30.4.1")
    assert again.stdout == run("lookup", "--demo", "10.30.4.1").stdout


def test_a_snapshot_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The file is named; no traceback."""
    done = run("snapshot", "--demo", "-o", str(tmp_path / "no" / "where"))
    assert done.returncode in (2, 3)
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"where" in done.stderr


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00\xff", b'{"schema": "wgtui/9"}'])
def test_a_file_that_is_no_snapshot_is_3(content: bytes, tmp_path: Path) -> None:
    """Garbage is an unreadable source, told in one line."""
    file = tmp_path / "garbage"
    file.write_bytes(content)
    done = run("lookup", "--source", str(file), "10.0.0.1")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"garbage" in done.stderr


# ---------------------------------------------------------------------------------------- help


def test_help_names_every_command_option_word_and_exit_code() -> None:
    """``--help`` is complete, and an answer: stdout, exit 0."""
    done = run("--help")
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert text == HELP
    options = ("--source", "--demo", "--json", "-o", "--ascii", "--mouse", "--version", "--help")
    names = {name for name in PROTOCOLS if name != "icmpv6"}  # the same as ipv6-icmp
    for word in (*COMMANDS, *options, "-h", *KEYWORDS, *names, "live:NETNS", "0", "1", "2", "3"):
        assert word in text, word
    assert all(len(line) <= 100 for line in text.splitlines())


def test_the_version_is_one_line() -> None:
    """``--version`` is the package's."""
    done = run("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"wgtui {__version__}\n")


def test_hostile_words_come_back_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """What was typed is shown, but never obeyed by the terminal."""
    for words in (("lookup", "\x1b[2J\u202e"), ("lookup", "--source", "\x1b]0;x\x07", "10.0.0.1")):
        _, out, err = said(capsys, *words)
        assert out == ""
        assert "\x1b" not in err
        assert "\u202e" not in err


def test_a_mistake_of_ours_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What, where and what to do; Python's report only for who asks for it (sysexits.h: 70)."""
    monkeypatch.setattr("wgtui.commands.lookup.run", lambda _: [].pop())
    assert main(["lookup", "--demo", "1.2.3.4"]) == 70
    said = capsys.readouterr().err
    assert said.startswith("wgtui: a mistake in wgtui itself: IndexError: pop from")
    assert "test_cli.py, line " in said
    assert "WGTUI_TRACEBACK=1" in said
    assert said.count("\n") == 1
    monkeypatch.setenv("WGTUI_TRACEBACK", "1")
    with pytest.raises(IndexError):
        main(["lookup", "--demo", "1.2.3.4"])


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["chek"], "'chek' is not an IP address (at character 1 of 'chek'); the command check?"),
        (["--source", "demo", "lokup", "10.0.0.1"], "; the command lookup?"),
        (["lookup", "--demo", "vpn.example.com"], "is not an IP address; names are not resolved"),
        (["10.0.0.0/99"], "'10.0.0.0/99' is not a prefix"),
    ],
)
def test_a_wrong_word_gets_a_hint(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command with a letter missing, a host name, a prefix too long: what is wrong with it."""
    assert main(words) == 2
    said = capsys.readouterr().err
    assert hint in said
    assert said.count("\n") == 1
