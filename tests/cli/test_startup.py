"""The quick commands import next to nothing: a heavy module on their path makes these tests fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bursar.journal import RunRow, RunState, TaskRow, open_journal
from tests.unit.logs.transcripts import encode, line

HEAVY = (
    "asyncio", "ctypes", "dataclasses", "genai_prices", "importlib.metadata", "inspect", "json", "logging", "msgspec",
    "pathlib", "pydantic", "rich", "ruamel", "socket", "sqlite3", "subprocess", "tempfile", "typing", "uuid",
)  # fmt: skip
PROGRAM = """
import sys
before = set(sys.modules)
from bursar.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write("LOADED " + " ".join(sorted(set(sys.modules) - before)) + "\\n")
sys.exit(code)
"""


def loaded_by(state: Path, *arguments: str, **environment: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after the command."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, *arguments],
        env={"BURSAR_STATE_DIR": str(state), **environment},
        cwd=state.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.rpartition("LOADED ")[2].split())


def make_journal(state: Path) -> None:
    journal = open_journal(state / "journal.db")
    run = RunRow(
        id="r",
        project="/p",
        plan_path="/p/PLAN.md",
        plan_id="08-02",
        plan_digest="d",
        branch=None,
        base_commit="c",
        limit=None,
        state=RunState.RUNNING,
        conductor="1/1/x",
        started_at="2026-03-01T10:00:00+00:00",
    )
    journal.begin_run(run, [TaskRow(run_id="r", number="1", name="x", digest="")])
    journal.close()


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("status",), ("status", "--all")])
@pytest.mark.parametrize("has_runs", [False, True])
def test_no_heavy_module_is_on_the_path_of_a_quick_command(
    tmp_path: Path, arguments: tuple[str, ...], has_runs: bool
) -> None:
    if has_runs:
        make_journal(tmp_path / "state")
    loaded = loaded_by(tmp_path / "state", *arguments)
    assert "bursar.cli.main" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_a_report_of_usage_without_news_loads_nothing_heavy(tmp_path: Path) -> None:
    """It is asked for again and again; only the first time, logs are read and prices looked up."""
    logs = tmp_path / "home" / ".claude" / "projects" / "-w-shop" / "s1.jsonl"
    logs.parent.mkdir(parents=True)
    logs.write_bytes(encode(line()))
    home = {"HOME": str(tmp_path / "home")}
    first = loaded_by(tmp_path / "state", "usage", "daily", "--json", **home)
    assert {"bursar.pricing", "msgspec"} <= first
    assert sorted(first & {"argparse", "dataclasses", "genai_prices", "inspect", "json", "subprocess"}) == []
    for arguments in (("daily", "--json"), ("blocks", "--json", "--timezone", "UTC"), ("windows", "--json")):
        loaded = loaded_by(tmp_path / "state", "usage", *arguments, **home)
        assert sorted(loaded & {*HEAVY, "argparse", "collections", "datetime", "importlib", "re"}) == [], arguments


def test_reading_logs_does_without_what_msgspec_need_not_have(tmp_path: Path) -> None:
    """`typing_extensions` takes as long to import as the rest of msgspec; it is there for those who want it later."""
    program = """
import sys
from bursar.logs.updating import _import_read_logs
_import_read_logs()
assert "msgspec" in sys.modules and "typing_extensions" not in sys.modules, sorted(sys.modules)
try:
    import typing_extensions
except ModuleNotFoundError as error:
    assert "halted" not in str(error), error
"""
    subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, check=True)


def test_what_was_lent_to_apsw_is_whole_again(tmp_path: Path) -> None:
    """It gets the abstract classes alone, where nobody has loaded their package; whoever wants that later gets it."""
    program = """
import sys
import bursar.database
assert "apsw" in sys.modules and not {"collections", "collections.abc"} & set(sys.modules), sorted(sys.modules)
import collections.abc
assert collections.OrderedDict and collections.abc.Mapping and sys.modules["collections"] is collections
import apsw
apsw.Connection(":memory:").execute("SELECT :a", collections.ChainMap({"a": 1})).fetchall()
"""
    subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, check=True)


def test_help_loads_no_room_and_no_library(tmp_path: Path) -> None:
    rooms = {name for name in loaded_by(tmp_path / "state", "--help") if name.startswith("bursar.")}
    assert rooms == {"bursar.cli", "bursar.cli.main", "bursar.errors"}


def test_the_test_would_see_a_heavy_module(tmp_path: Path) -> None:
    assert {"bursar.pricing", "msgspec"} <= loaded_by(tmp_path / "state", "budget", "list")
