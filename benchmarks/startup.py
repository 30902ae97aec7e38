"""How long the quick commands take to start, beside `python -c pass` of the same interpreter, in turns.

python benchmarks/startup.py        `bursar status` aims at 4 times, `bursar --help` at 7 times as long
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import bursar
from bursar.journal import RunRow, RunState, TaskRow, open_journal

PYTHON = sys.executable
RUNS, TASKS = 5, 8
BARE = "python -c pass"


def main() -> None:
    """Measures and prints the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=40, metavar="N")
    rounds = options.parse_args().rounds
    print(machine())
    compileall.compile_dir(os.path.dirname(bursar.__file__), quiet=2)
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        project, environment = make_project(Path(os.path.realpath(folder)))
        times = measure(project, environment, rounds)
    print_table(times)


def machine() -> str:
    """Cores and Python, on one line."""
    return (
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def commands() -> dict[str, tuple[tuple[str, ...], float | None]]:
    """What is measured, by name: its argv, and how many times as long as a bare Python it may take."""
    script = str(Path(PYTHON).with_name("bursar"))
    return {
        BARE: ((PYTHON, "-c", "pass"), None),
        "bursar status": ((script, "status"), 4.0),
        "bursar status --json": ((script, "status", "--json"), 4.0),
        "bursar --help": ((script, "--help"), 7.0),
        "bursar status --help": ((script, "status", "--help"), 7.0),
        "bursar run --help": ((script, "run", "--help"), None),
    }


def make_project(folder: Path) -> tuple[Path, dict[str, str]]:
    """A project with a few runs in its journal, and an environment that is nobody's."""
    project, state = folder / "project", folder / "state"
    (project / ".git").mkdir(parents=True)  # `status` only looks whether it is there
    journal = open_journal(state / "journal.db")
    for number in range(RUNS):
        journal.begin_run(_run(project, number), [_task(number, position) for position in range(TASKS)])
        journal.end_run(f"run{number}", RunState.SUCCEEDED, "2026-01-01T11:00:00.000+00:00")
    journal.close()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "BURSAR_STATE_DIR": str(state)}
    return project, environment


def _run(project: Path, number: int) -> RunRow:
    return RunRow(
        id=f"run{number}",
        project=str(project),
        plan_path=str(project / f"0{number}-01-PLAN.md"),
        plan_id=f"0{number}-01",
        plan_digest="0" * 64,
        branch="main",
        base_commit="0" * 40,
        limit="200k tokens",
        state=RunState.RUNNING,
        conductor=None,
        started_at=f"2026-01-01T10:0{number}:00.000+00:00",
    )


def _task(run: int, position: int) -> TaskRow:
    return TaskRow(run_id=f"run{run}", number=str(position + 1), name=f"Part {position + 1}", digest="0" * 64)


def measure(project: Path, environment: Mapping[str, str], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every whole process, by command; all commands take turns in each round."""
    chosen = commands()
    times: dict[str, list[float]] = {name: [] for name in chosen}
    for turn in range(rounds + 1):
        for name, (argv, _) in chosen.items():
            spent = _time_once(argv, project, environment)
            if turn:  # the first round warms the caches of the disk
                times[name].append(spent)
    return times


def _time_once(argv: Sequence[str], project: Path, environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    ended = subprocess.run(argv, cwd=project, env=environment, capture_output=True, check=False)
    spent = time.perf_counter() - began
    if ended.returncode or (argv[-1] == "status" and ended.stdout.count(b"\n") != RUNS):
        raise RuntimeError(f"{' '.join(argv)} did not do what it should: {(ended.stdout + ended.stderr).decode()}")
    return 1000 * spent


def print_table(times: Mapping[str, Sequence[float]]) -> None:
    """Medians, and for each command the median of its ratios to the bare Python of the same round."""
    bare = times[BARE]
    print(f"{len(bare)} rounds, whole processes\n\n{'':<24}{'median ms':>10}{'ratio':>8}   aim")
    for name, (_, aim) in commands().items():
        ratio = statistics.median(spent / base for spent, base in zip(times[name], bare, strict=True))
        wanted = f"at most {aim:g}" if aim else ""
        print(f"{name:<24}{statistics.median(times[name]):>10.1f}{ratio:>8.2f}   {wanted}".rstrip())


if __name__ == "__main__":
    main()
