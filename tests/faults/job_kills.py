"""Job lists whose processes are killed at random moments, and what must be true once they are done all the same."""

from __future__ import annotations

import json
import random
import signal
from collections import Counter
from pathlib import Path

from bursar.testing.script import Script, Step
from tests.faults.run_kills import KILLS_PER_RUN, MOST_RUNS, strike
from tests.integration.jobs_kit import Jobs, answers, job_list, open_jobs_project
from tests.integration.kit import shell, write

COUNT = 10


def instances() -> str:
    """Ten of them; every third has a command to be run before it."""
    before = {at: [f"echo {at} > pre-{at}.txt"] if at % 3 == 0 else [] for at in range(1, COUNT + 1)}
    return job_list(
        *({"name": f"n{at}", "prompt": f"Do job-{at:02}.", "pre_commands": each} for at, each in before.items())
    )


def replies() -> Script:
    """Three calls for each, none of them at once."""
    return answers(
        COUNT,
        lambda at: [
            shell(f"sleep 0.02; echo {at} > {at}.txt", delay_seconds=0.03),
            write(f"{at}-more.txt", delay_seconds=0.03),
            Step(text="done", delay_seconds=0.03),
        ],
    )


def kill_until(folder: Path, kills: int, seed: int) -> Counter[str]:
    """So many processes (or sets of them) have been killed, over as many runs as that takes; how often which."""
    dice, total, number = random.Random(seed), Counter[str](), 0
    while total.total() < kills:
        number += 1
        place = folder / f"jobs{number}"
        place.mkdir()
        total += one_list(place, dice, min(KILLS_PER_RUN, kills - total.total()))
    return total


def one_list(folder: Path, dice: random.Random, kills: int) -> Counter[str]:
    """One list until all of it is done, with this many kills on the way; what was killed."""
    with open_jobs_project(folder, instances(), replies()) as jobs:
        done = Counter[str]()
        for _ in range(MOST_RUNS):
            run = jobs.start_jobs("--budget", "100M tokens")
            while done.total() < kills and (victim := strike(jobs, run, dice)) is not None:
                done[victim] += 1
            ended = run.end()
            assert "Traceback" not in ended.err, ended.err
            assert ended.code in (0, 5, -signal.SIGKILL), ended
            if ended.code == 0 or is_done(jobs):  # killed after its last act: again would be a run of its own
                break
        check(jobs)
        return done


def is_done(jobs: Jobs) -> bool:
    """Whether the newest run has succeeded."""
    runs = json.loads(jobs.bursar("status", "--json").out)
    return bool(runs) and runs[0]["state"] == "succeeded"


def check(jobs: Jobs) -> None:
    """Everything is done once, nothing is lost and nothing invented, and nothing is left."""
    assert all((jobs.repo / f"{at}.txt").read_text() == f"{at}\n" for at in range(1, COUNT + 1))
    assert all((jobs.repo / f"pre-{at}.txt").exists() for at in range(3, COUNT + 1, 3))
    report = jobs.report
    assert report["state"] == "succeeded"
    assert [sum(a["state"] == "succeeded" for a in each["attempts"]) for each in report["tasks"]] == [1] * COUNT
    assert report["metered_tokens"] <= jobs.bill <= jobs.charged
    (budget,) = report["budgets"]
    assert (budget["spent"], budget["reserved"]) == (jobs.charged, 0)
    jobs.assert_gone()
    jobs.assert_books()
