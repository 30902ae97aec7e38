"""One run of fifty tasks whose conductor is killed again and again, and what nobody may notice of that afterwards.

Supervisors are left alone, so there is no excuse: every task is done by one agent, with the calls that its script has,
however often the conductor died meanwhile; and nothing is charged that was not billed.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import threading
from collections import Counter
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.testing.script import Script, Step
from tests.integration.kit import CALL_TOKENS, Command, Project, open_project, plan, script, slug, task, write

TASKS = 50
CALLS = 3
HELD = CALLS * CALL_TOKENS + CALL_TOKENS // 2
MOST_SECONDS = 1.5  # of a conductor before it is killed, once it has begun to say something
MOST_STARTING = 0.5  # the same of those few that are killed while they start
MOST_ALONE = 1.0  # seconds in which nobody conducts
KILLS_PER_RUN = 25
BUDGET = ("--budget", "100M tokens")


@dataclass(frozen=True, slots=True)
class Killed:
    """How many conductors were killed, and how many of their agents were at work at that moment."""

    conductors: int
    agents: int


def name_of(number: int) -> str:
    """What the task is called, and its file after it."""
    return f"Part {number:02}"


def waits_for(number: int) -> tuple[int, ...]:
    """Five chains side by side, joined here and there."""
    chain = (number - 5,) if number > 5 else ()
    return (*chain, number - 7) if number > 7 and number % 9 == 0 else chain


def fifty_tasks() -> str:
    """All with an estimate that is just enough; some verified."""
    return plan(
        *(
            task(
                name_of(number),
                f'depends-on="{",".join(map(str, waits_for(number))) or "none"}"',
                verify=f"test -s {slug(name_of(number))}.txt" if number % 4 == 0 else "",
                metrics=f"<estimated-tokens>{HELD}</estimated-tokens>",
            )
            for number in range(1, TASKS + 1)
        )
    )


def answers() -> Script:
    """Three calls for each task, none of them at once."""
    return script(
        {
            number: [
                write(f"{slug(name_of(number))}.txt", f"{number}\n", delay_seconds=0.05),
                write(f"{slug(name_of(number))}-more.txt", delay_seconds=0.05),
                Step(text="done", delay_seconds=0.05),
            ]
            for number in range(1, TASKS + 1)
        }
    )


def kill_conductors(folder: Path, kills: int, seed: int) -> Killed:
    """So many conductors have been killed, over as many runs as that takes, and every run has come to its end."""
    dice, conductors, agents, number = random.Random(seed), 0, 0, 0
    while conductors < kills:
        number += 1
        place = folder / f"run{number}"
        place.mkdir()
        killed = one_run(place, dice, min(KILLS_PER_RUN, kills - conductors))
        conductors, agents = conductors + killed.conductors, agents + killed.agents
    return Killed(conductors, agents)


def one_run(folder: Path, dice: random.Random, kills: int) -> Killed:
    """From the first task to the SUMMARY, with at most so many kills on the way."""
    conductors = agents = 0
    with contextmanager(open_project)(folder, fifty_tasks(), answers()) as project:
        while True:
            run = project.start_run(*BUDGET)
            if conductors < kills and not has_ended(run, dice):
                agents += len(project.agents)
                run.kill()
                conductors += 1
                look_at_holds(project, dice.uniform(0, MOST_ALONE))
                continue
            ended = run.end(timeout=240)
            assert (ended.code, "Traceback" in ended.err) == (0, False), ended
            look_at_holds(project, 0)
            check(project)
            return Killed(conductors, agents)


def has_ended(run: Command, dice: random.Random) -> bool:
    """Whether the command has come to its end before the moment at which it is to be killed, which is now."""
    is_starting = dice.random() < 0.15
    while not is_starting and not run.err.stat().st_size:
        if ended_within(run, 0.02):
            return True
    return ended_within(run, dice.uniform(0, MOST_STARTING if is_starting else MOST_SECONDS))


def ended_within(run: Command, seconds: float) -> bool:
    """Whether the command has come to its end, and to a good one, after so many seconds."""
    with suppress(subprocess.TimeoutExpired):
        assert run.process.wait(seconds) == 0, run.err.read_text()
        return True
    return False


def look_at_holds(project: Project, seconds: float) -> None:
    """Nobody conducts for a while: no agent uses more than is held for it."""
    threading.Event().wait(seconds)
    file = project.state / "ledger.db"
    if not file.exists():
        return
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as books:
        over = books.execute(
            "SELECT key, metered_tokens, granted_tokens FROM reservations WHERE metered_tokens > granted_tokens"
        ).fetchall()
    assert over == []


def check(project: Project) -> None:
    """One commit and one working agent per task, its calls made once, the bill charged to the token."""
    expected = Counter(["docs(08-02): Add summary", *(f"feat(08-02): {name_of(n)}" for n in range(1, TASKS + 1))])
    subjects = project.subjects
    assert Counter(subjects) == expected
    place = {subject: number for number, subject in enumerate(subjects)}
    for number in range(1, TASKS + 1):
        assert (project.repo / f"{slug(name_of(number))}.txt").read_text() == f"{number}\n"
        for before in waits_for(number):
            assert place[f"feat(08-02): {name_of(before)}"] < place[f"feat(08-02): {name_of(number)}"]
    assert {number: project.calls_of(number) for number in range(1, TASKS + 1)} == dict.fromkeys(
        range(1, TASKS + 1), CALLS
    )
    report = project.report
    assert report["state"] == "succeeded"
    assert [sum(each["metered_tokens"] > 0 for each in task["attempts"]) for task in report["tasks"]] == [1] * TASKS
    assert (report["metered_tokens"], report["unknown_outcome_tokens"]) == (project.bill, 0)
    project.assert_tidy()
