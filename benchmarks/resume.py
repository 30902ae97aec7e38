"""What a resume does before its first start, for a run of 10,000 tasks of which 9,990 are done.

    python benchmarks/resume.py [--tasks 10000] [--left 10] [--profile]

A repository with one commit per task that is done, a journal and a ledger that know all of them, and then what
`bursar resume` does: read the plan, take the run up, recover, and begin an attempt, up to the moment at which its
supervisor would be started. Seconds are of the processor (user and system, of git too), beside a bare `python -c pass`
in the same run. Aim: at most 2 s.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bursar.agents import CommandAgent
from bursar.budget import Amount
from bursar.clock import SystemClock
from bursar.config import open_stores
from bursar.ids import RandomIds
from bursar.journal import AttemptRow, AttemptState, RunRow, TaskState
from bursar.ledger import ReserveRequest
from bursar.paths import LEDGER_FILE
from bursar.pricing import load_prices
from bursar.run import (
    Conductor,
    PlanToRun,
    RunContext,
    RunSettings,
    Status,
    Stores,
    Tools,
    open_plan,
    take_up,
    unfinished_run,
)
from bursar.supervision import AttemptSpec

AIM_SECONDS = 2.0
_AT_ONCE = 5
_FILES = 50


class FirstStart(BaseException):
    """An attempt is about to be started."""


class _Gate:
    """An executor that starts nothing: the first submission is the end."""

    async def __aenter__(self) -> _Gate:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def submit(self, spec: AttemptSpec) -> None:
        raise FirstStart

    def status(self, attempt: AttemptRow) -> Status:
        raise NotImplementedError

    def cancel(self, attempt: AttemptRow, *, running: bool = True, grace_seconds: float = 0.0) -> Status:
        raise FirstStart

    async def heartbeat(self, attempt: AttemptRow) -> None:
        raise NotImplementedError


def main() -> None:
    """Builds the run, resumes it, and prints what that took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tasks", type=int, default=10_000, metavar="N")
    options.add_argument("--left", type=int, default=10, metavar="N", help="of them are still to be done")
    options.add_argument("--profile", action="store_true", help="print where the time goes")
    chosen = options.parse_args()
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="bursar-bench-", dir=parent) as folder:
        bench = Bench(Path(folder), chosen.tasks, chosen.tasks - chosen.left)
        bench.build()
        profile = cProfile.Profile()
        if chosen.profile:
            profile.enable()
        read, taken, started = bench.resume()
        profile.disable()
        if chosen.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bare = bare_seconds()
    print(
        f"{chosen.tasks:,} tasks, {chosen.left} left: {started:.2f} s of CPU to the first start (aim {AIM_SECONDS} s)"
    )
    print(f"  {started / bare:.0f} times a bare `python -c pass`, which takes {bare:.3f} s")
    print(f"  plan read after {read:.2f}, run taken up after {taken:.2f}; {peak:.0f} MiB with all that built the run")


class Bench:
    """One run in a folder."""

    def __init__(self, folder: Path, tasks: int, done: int) -> None:
        self._folder = folder
        self._tasks = tasks
        self._done = done
        self._plan = folder / "project" / "plans" / "01-01-PLAN.md"
        self._clock = SystemClock()

    def build(self) -> None:
        """The repository, and a run whose first tasks are done and paid for."""
        self._plan.parent.mkdir(parents=True)
        self._plan.write_text(plan_text(self._tasks), encoding="utf-8")
        environment = dict.fromkeys(_identity(), "bench") | {"PATH": os.environ["PATH"]}
        for arguments in (["init", "-q", "-b", "main"], ["add", "--all"], ["commit", "-q", "-m", "start"]):
            subprocess.run(["git", *arguments], cwd=self._plan.parents[1], env=environment, check=True)
        opened, stores = self._open(), self._stores()
        _, context, _ = take_up(opened, self._tools(stores), None, None, lambda event: None)
        commits = self._commit(context.merged_ref)
        for task, commit in zip(opened.plan.tasks, commits, strict=False):
            _finish(stores, context, task.number, task.digest, commit)
        _close(stores)

    def resume(self) -> tuple[float, float, float]:
        """Seconds until the plan was read, the run was taken up, and its first attempt would be started."""
        began = cpu_seconds()
        opened, stores = self._open(), self._stores()
        read = cpu_seconds()
        tools = self._tools(stores)
        conductor, _, rows = take_up(
            opened, tools, unfinished_run(opened, tools), None, lambda event: None, executor=_Gate()
        )
        taken = cpu_seconds()
        _conduct(conductor, rows)
        started = cpu_seconds()
        _close(stores)
        return read - began, taken - began, started - began

    def _open(self) -> PlanToRun:
        return open_plan(self._plan, self._plan.parent)

    def _stores(self) -> Stores:
        state = self._folder / "state"
        state.mkdir(exist_ok=True)
        return open_stores(state, str(state / LEDGER_FILE), self._clock)

    def _tools(self, stores: Stores) -> Tools:
        return Tools(
            stores=stores,
            agent=CommandAgent(["/bin/true"]),
            rates=load_prices(self._clock.now()).table(),
            settings=RunSettings(max_parallel=_AT_ONCE),
            state_dir=self._folder / "state",
            environment={"PATH": os.environ["PATH"]},
            clock=self._clock,
            ids=RandomIds(),
        )

    def _commit(self, ref: str) -> Sequence[str]:
        """One commit per task that is done, on the run's own ref; their ids."""
        parts: list[str] = []
        for number in range(1, self._done + 1):
            message, content = f"feat(01-01): Task {number}\n", f"{number}\n"
            parts.append(
                f"commit {ref}\nmark :{number}\ncommitter b <b@localhost> {1_700_000_000 + number} +0000\n"
                f"data {len(message)}\n{message}"
                + (f"from {ref}^0\n" if number == 1 else "")
                + f"M 644 inline file{number % _FILES}.txt\ndata {len(content)}\n{content}"
            )
        marks = self._folder / "marks"
        arguments = ["git", "fast-import", "--quiet", f"--export-marks={marks}"]
        subprocess.run(arguments, cwd=self._plan.parents[1], input="".join(parts).encode(), check=True)
        found = dict(line.split() for line in marks.read_text(encoding="ascii").splitlines())
        return [found[f":{number}"] for number in range(1, self._done + 1)]


def _finish(stores: Stores, context: RunContext, number: str, digest: str, commit: str) -> None:
    """One attempt, held, settled and merged."""
    run: RunRow = context.run
    key = f"{run.id}/{number}/1"
    labels = context.labels | {"task": number, "model": "sonnet"}
    stores.ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(5_000, None), attempt=1))
    stores.ledger.settle(key, Amount(1_200, None))
    row = AttemptRow(
        key=key,
        run_id=run.id,
        task=number,
        number=1,
        model="sonnet",
        directory=str(context.directory / "attempts" / f"{number}-1"),
        worktree=str(context.directory / "worktrees" / f"{run.id}-{number}-1"),
        base_commit=run.base_commit,
        session_id=key,
        state=AttemptState.PLANNED,
        started_at=context.now(),
        digest=digest,
    )
    Path(row.directory).mkdir(parents=True)
    stores.journal.begin_attempt(row)
    stores.journal.end_attempt(
        row, AttemptState.SUCCEEDED, context.now(), task=TaskState.MERGED, commit=commit, note=""
    )


def _conduct(conductor: Conductor, rows: Sequence[AttemptRow]) -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # more attempts than one come to their start
        await conductor.conduct(rows)

    with suppress(FirstStart):
        asyncio.run(main())


def _close(stores: Stores) -> None:
    for store in (stores.ledger, stores.journal, stores.history):
        store.close()


def _identity() -> list[str]:
    return [f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]


def plan_text(tasks: int) -> str:
    """Tasks on the same file wait for one another; all others are free."""
    parts = ["---\nphase: 01-bench\nplan: 01\n---\n\n<objective>Rewrite files.</objective>\n\n<tasks>\n"]
    for number in range(1, tasks + 1):
        after = str(number - _FILES) if number > _FILES else "none"
        parts.append(
            f'<task type="auto" depends-on="{after}">\n  <name>Task {number}: Rewrite {number}</name>\n'
            f"  <files>file{number % _FILES}.txt</files>\n  <action>Write your number.</action>\n</task>\n"
        )
    return "\n".join([*parts, "</tasks>\n"])


def bare_seconds() -> float:
    """Of a Python that does nothing, the median of nine."""
    found = []
    for _ in range(9):
        began = cpu_seconds()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        found.append(cpu_seconds() - began)
    return statistics.median(found)


def cpu_seconds() -> float:
    """User and system time of this process and of all that it has waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


if __name__ == "__main__":
    main()
