"""What a terminal of any width is shown fits it; what is piped is whole; outputs may be closed, full or plain."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bursar.budget import Amount
from bursar.cli.main import COMMANDS, main
from bursar.clock import SystemClock
from bursar.config import open_stores
from bursar.journal import AttemptRow, AttemptState, PlanRow, RunRow, RunState, TaskRow, TaskState
from bursar.layout import columns_of
from bursar.ledger import CallRecord, ReserveRequest
from bursar.paths import LEDGER_FILE
from bursar.usage import Usage
from tests.cli.conftest import Bursar
from tests.cli.test_parallel_command import ROADMAP
from tests.unit.logs.transcripts import encode, line
from tests.unit.reports.books import START

WIDTHS = (40, 60, 80, 200)
PLAN = """\
---
phase: 02-server
plan: 01
---
<objective>The server answers.</objective>
<tasks>
<task type="auto"><name>Answer everybody who asks for something that is there, and nobody else</name>
<files>a.py</files><action>Do.</action><done>Done.</done></task>
</tasks>
"""
SETTINGS = """\
[[budget]]
name = "of-the-day"
limit = "1M tokens"
period = "daily"
timezone = "Europe/Berlin"
"""
WORDS = (
    ("status",), ("report",), ("report", "--savings"), ("budget", "list"), ("budget", "show"), ("budget", "history"),
    ("usage", "daily"), ("usage", "session"), ("usage", "blocks", "--breakdown"), ("price", "list", "claude"),
    ("price", "check", "claude-opus-4-5"), ("agent", "list"), ("roadmap", "show"), ("roadmap", "next"),
    ("parallel", "config"), ("parallel", "check"), ("parallel", "simulate"), ("learn", "report"),
    ("plan", "show", "PLAN.md"),
    ("plan", "graph", "PLAN.md"), ("route", "explain", "PLAN.md"), ("estimate", "PLAN.md"), ("ledger", "verify"),
    ("token", "init"), ("budget", "set", "x", "5"), ("resume", "nope"), ("--help",),
)  # fmt: skip

Show = Callable[..., list[str]]


class Screen(io.StringIO):
    """A terminal that remembers what it was sent; its width is that of a real one."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    """The lines that a terminal of that width gets of a command."""
    ours, theirs = pty.openpty()

    def show(width: int, *arguments: str) -> list[str]:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        monkeypatch.setenv("COLUMNS", str(width))
        screen = Screen(theirs)
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        try:
            main(list(arguments))
        except SystemExit:  # argparse, after --help
            pass
        return screen.getvalue().split("\n")

    yield show
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def project(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A roadmap, a plan, a run of it that was cut off, logs of an agent, a budget."""
    home = tmp_path / "home"
    log = home / ".claude/projects/-w-shop/s1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(encode(line()))
    monkeypatch.setenv("HOME", str(home))
    (place / ".git").mkdir()
    (place / ".planning").mkdir()
    (place / ".planning/ROADMAP.md").write_text(ROADMAP)
    (place / "PLAN.md").write_text(PLAN)
    (place / "bursar.toml").write_text(SETTINGS)
    stores = open_stores(tmp_path / "state", str(tmp_path / "state" / LEDGER_FILE), SystemClock())
    run = RunRow(
        id="run7abcd", project=str(place), plan_path=str(place / ".planning/ROADMAP.md"), plan_id="ROADMAP",
        plan_digest="d", branch="main", base_commit="c0", limit=None, state=RunState.INTERRUPTED, conductor=None,
        started_at=START,
    )  # fmt: skip
    plans = [PlanRow(run_id=run.id, plan_id="02-01", path="p", digest="", phase="2", phase_name="Server")]
    names = {"1": "Answer everybody who asks for something that is there", "2": "漢字の名前"}
    tasks = [TaskRow(run_id=run.id, number=f"02-01/{at}", name=name, digest="") for at, name in names.items()]
    stores.journal.begin_run(run, tasks, plans)
    key, labels = "run7abcd/02-01/1/1", {"run": run.id, "task": "02-01/1", "project": str(place)}
    stores.ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(50_000, 90_000_000), attempt=1))
    attempt = AttemptRow(
        key=key, run_id=run.id, task="02-01/1", number=1, model="claude-sonnet-4-5", directory="d", base_commit="c0",
        session_id="s", worktree="w", state=AttemptState.PLANNED, started_at=START,
    )  # fmt: skip
    stores.journal.begin_attempt(attempt)
    usage = Usage(input_tokens=32_000, output_tokens=576)
    call = CallRecord(call_id="c", sequence=1, model="claude-sonnet-4-5", usage=usage, nano_usd=12_300_000)
    stores.ledger.record(key, call)
    stores.ledger.settle(key, Amount(32_576, 12_300_000))
    stores.journal.end_attempt(attempt, AttemptState.INTERRUPTED, START, task=TaskState.PENDING, note="")
    stores.ledger.close()
    stores.journal.close()
    stores.history.close()
    return place


def is_whole(text: str, width: int) -> bool:
    """It fits, or is one word, or something to be pasted."""
    return columns_of(text) <= width or " " not in text.strip() or any(sign in text for sign in ('"', "`", "→"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.usefixtures("project")
def test_every_line_fits(show: Show, width: int) -> None:
    for words in WORDS:
        wide = [text for text in show(width, *words) if not is_whole(text, width)]
        assert not wide, words


def test_what_matters_is_there_at_any_width(project: Path, show: Show) -> None:
    for width in WIDTHS:
        report = "\n".join(show(width, "report"))
        for said in ("32,576 tokens", "0.0123 USD", "interrupted", "02-01/2"):
            assert said in report, width
        assert report.rstrip("\n").count("\n\n") == 1, "the tasks are told without a gap"
        assert "run7abcd" in "\n".join(show(width, "status"))
        assert any(text.strip() == "→  bursar resume run7abcd" for text in show(60, "status"))
        assert "USD" in "\n".join(show(width, "usage", "daily"))
    assert "(no room for: " in "\n".join(show(40, "usage", "daily"))
    assert "(no room for: " not in "\n".join(show(200, "usage", "daily"))


def test_what_is_piped_is_not_cut(project: Path, bursar: Bursar, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = bursar("report").out
    monkeypatch.setenv("COLUMNS", "40")
    assert bursar("report").out == wide
    assert "Answer everybody who asks for something that is…  claude-sonnet-4-5" in wide


@pytest.mark.parametrize("width", [40, 60])
def test_every_help_fits(place: Path, show: Show, width: int) -> None:
    for name in COMMANDS:
        assert [text for text in show(width, name, "--help") if not (is_whole(text, width) or "[--" in text)] == []


def test_the_help_of_the_status_line_is_there(bursar: Bursar) -> None:
    """argparse cannot show a group of which nothing is left."""
    said = bursar("usage", "statusline", "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("usage: bursar usage statusline [-h] [--timezone ZONE]")


def run_with(streams: str, *arguments: str, state: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with what a shell makes of its streams."""
    command = f'exec "{sys.executable}" -m bursar "$@" {streams}'
    variables = {"PATH": os.environ["PATH"], "HOME": str(state.parent), "BURSAR_STATE_DIR": str(state), **environment}
    return subprocess.run(
        ["sh", "-c", command, "sh", *arguments], env=variables, cwd=state.parent, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    ("streams", "words", "code"),
    [
        (">&-", "status", 0),
        (">&- 2>&- <&-", "--help", 0),
        ("2>&-", "nope", 2),
        (">/dev/full", "--version", 6),
        (">/dev/full", "--help", 6),
        ("2>/dev/full", "nope", 2),
        (">/dev/full", "budget", 2),
    ],
)
def test_outputs_that_take_nothing(tmp_path: Path, streams: str, words: str, code: int) -> None:
    done = run_with(streams, words, state=tmp_path / "state")
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr


def test_nothing_is_written_into_a_file_in_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """With stdout and stderr closed, the ledger would be opened as number 1 or 2."""
    state = tmp_path / "state"
    for words in (("token", "init"), ("token", "reserve", "5", "x"), ("token", "reserve", "900000", "x")):
        run_with(">&- 2>&-", *words, state=state)
    done = run_with("", "ledger", "verify", state=state)
    assert (done.returncode, b"adds up" in done.stderr) == (0, True), done.stderr


def test_signs_that_cannot_be_said_are_plain(project: Path, tmp_path: Path) -> None:
    done = run_with("", "report", "run7abcd", state=tmp_path / "state", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("ascii")
    assert text.startswith("ROADMAP interrupted - 0 of 2 tasks\n  - 02-01/1  Answer everybody")
    assert "\\u6f22" in text, "others' words are escaped"
