"""Whole runs whose processes are killed at random moments, and what must be true once they are done all the same.

The dice decide what is killed and when; how far the run has come at that moment is the machine's, so a seed repeats the
sequence of kills and not the very interleaving.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

from bursar.testing.script import Script, Step
from tests.integration.kit import Command, Project, open_project, parallel, plan, script, shell, slug, task, write

NAMES = tuple(f"Part {letter}" for letter in "ABCDEFGHIJKL")
CHAINED = {4: "1", 5: "2", 6: "3", 7: "4,5", 8: "5", 9: "6", 11: "7,8,9", 12: "10,11"}
VICTIMS = ("conductor", "spawner", "supervisor", "git", "all")
REPLACED = ("cat-file --batch", "hash-object")  # gits that the conductor keeps running, and replaces
KILLS_PER_RUN = 5
MOST_RUNS = 40
LATEST_SECONDS = 2.0


def twelve_tasks() -> str:
    """Four roots, chains that join, and a last one; some are verified."""
    return plan(
        *(
            task(name, f'depends-on="{CHAINED[n]}"', verify=f"test -s {slug(name)}.txt" if n % 3 == 0 else "")
            if n in CHAINED
            else parallel(name)
            for n, name in enumerate(NAMES, 1)
        )
    )


def answers() -> Script:
    """Three calls for each task, with a shell command between them; none of them at once."""
    return script(
        {
            n: [
                shell(f"sleep 0.02; echo {n} > {slug(name)}.txt", delay_seconds=0.03),
                write(f"{slug(name)}-more.txt", delay_seconds=0.03),
                Step(text="done", delay_seconds=0.03),
            ]
            for n, name in enumerate(NAMES, 1)
        }
    )


def kill_until(folder: Path, kills: int, seed: int) -> Counter[str]:
    """So many processes (or sets of them) have been killed, over as many runs as that takes; how often which."""
    dice, total, number = random.Random(seed), Counter[str](), 0
    while total.total() < kills:
        number += 1
        place = folder / f"run{number}"
        place.mkdir()
        total += one_run(place, dice, min(KILLS_PER_RUN, kills - total.total()))
    return total


def one_run(folder: Path, dice: random.Random, kills: int) -> Counter[str]:
    """One plan from its first task to its SUMMARY, with this many kills on the way; what was killed."""
    with contextmanager(open_project)(folder, twelve_tasks(), answers()) as project:
        done = Counter[str]()
        for _ in range(MOST_RUNS):
            run = project.start_run("--budget", "100M tokens")
            while done.total() < kills and (victim := strike(project, run, dice)) is not None:
                done[victim] += 1
            ended = run.end()
            assert "Traceback" not in ended.err, ended.err
            assert ended.code in (0, 5, -signal.SIGKILL), ended
            if ended.code == 0:
                break
        assert done.total() == kills or ended.code == 0
        check(project)
        return done


def strike(project: Project, run: Command, dice: random.Random) -> str | None:
    """What was killed after a while; None if the run ended before, or by this."""
    victim, seconds = dice.choice(VICTIMS), dice.uniform(0, LATEST_SECONDS)
    with suppress(subprocess.TimeoutExpired):
        run.process.wait(seconds)
        return None
    pids = choose(project, run, victim, dice)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return victim if pids else strike(project, run, dice)


def choose(project: Project, run: Command, victim: str, dice: random.Random) -> list[int]:
    """The pids to kill, in any order; none where there is no such process at the moment."""
    ours = [each for each in project.processes() if not each.attempt]
    claimed = {int(path.read_text().partition("/")[0]) for path in claims(project)}
    supervisors = [each.pid for each in ours if each.pid in claimed]
    spawners = [each.pid for each in ours if each.is_spawner_or_supervisor and each.pid not in claimed]
    match victim:
        case "conductor":
            return [run.pid]
        case "spawner":
            return spawners[:1]
        case "supervisor":
            return [dice.choice(supervisors)] if supervisors else []
        case "git":
            return [each.pid for each in ours if any(words in each.line for words in REPLACED)]
    pids = [run.pid, *spawners, *supervisors]
    dice.shuffle(pids)
    return pids


def claims(project: Project) -> list[Path]:
    """Files by which supervisors claim attempts, those of abandoned ones excepted."""
    return [path for path in project.state.glob("runs/*/attempts/*/supervisor") if "/" in path.read_text()]


def check(project: Project) -> None:
    """Everything is done once, nothing is lost and nothing invented, and nothing is left."""
    assert (project.repo / ".planning/phases/08-features/08-02-SUMMARY.md").exists()
    subjects = project.subjects
    assert sorted(subjects) == sorted(["docs(08-02): Add summary", *(f"feat(08-02): {name}" for name in NAMES)])
    for number, (name, waits_for) in enumerate(zip(NAMES, map(CHAINED.get, range(1, 13)), strict=True), 1):
        assert (project.repo / f"{slug(name)}.txt").read_text() == f"{number}\n"
        for before in waits_for.split(",") if waits_for else ():
            assert subjects.index(f"feat(08-02): {NAMES[int(before) - 1]}") < subjects.index(f"feat(08-02): {name}")
    report = project.report
    assert report["state"] == "succeeded"
    assert all(each["state"] == "merged" for each in report["tasks"])
    assert [sum(a["state"] == "succeeded" for a in each["attempts"]) for each in report["tasks"]] == [1] * len(NAMES)
    assert report["metered_tokens"] <= project.bill <= project.charged
    (budget,) = report["budgets"]
    assert (budget["spent"], budget["reserved"]) == (project.charged, 0)
    project.assert_tidy()
