"""What an estimate and a route cost in CPU, whatever the history's length; and what a forecast of 200 tasks costs.

python benchmarks/estimate.py           the aims: an estimate within 5 ms after 10,000 and 1,000,000 observations; a
                                        forecast of a roadmap of 200 tasks within 300 ms of CPU, everything imported
python benchmarks/estimate.py --full    1,000,000 observations one by one, too (half an hour)

CPU seconds, user and system together, so that other work on the machine counts for little. Seeded. In brackets: what
each of them takes that are loaded at once, as a history is, with the one fit that this needs. `of 100`: as many times
as long as after 100 observations.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bursar.estimation import Estimator, Key
from bursar.history import Observation, open_history
from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, Offer, PastAttempt, Purchase

SEED = 7
TASKS = 200
MODELS, TYPES = ("small", "medium", "large"), ("api-impl", "simple-impl", "test-write", "unknown")


def main() -> None:
    """Measures and prints."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--full", action="store_true", help="1,000,000 observations one by one")
    full = options.parse_args().full
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print(f"Python {platform.python_version()}, seed {SEED}, load {os.getloadavg()[0]:.1f}")
    print(f"{'observations':>14}  {'observe':>9}  {'estimate':>9}  {'of 100':>6}  {'total of 10':>11}   µs of CPU each")
    first = measure_observed(100, None)
    for count in (10_000, 1_000_000):
        if count == 1_000_000 and not full:
            measure_loaded(count, first)
        else:
            measure_observed(count, first)
    print(f"{'outcomes':>14}  {'observe':>9}  {'route':>9}  {'of 100':>6}  {'next of 10':>11}   µs of CPU each")
    first = measure_routes(100, None)
    for count in (10_000, 1_000_000):
        measure_routes(count, first)
    measure_forecast()


def measure_routes(count: int, first: float | None) -> float:
    """What the learned policy has been told so many outcomes of: the next attempt at a new task, and for a plan of ten
    tasks, half of which have failed once, on a tight budget. The microseconds of a route, which `first` were at first.
    """
    luck, policy = random.Random(SEED), LearnedPolicy()
    began = time.process_time()
    for number in range(count):
        policy.observe(f"task {number // 2}", _facts(luck), _attempt(luck, MODELS[number % 2]))
    observed = 1e6 * (time.process_time() - began) / count
    offers = tuple(Offer(model, model) for model in MODELS)
    tasks = [
        Purchase(
            task=f"new {number}",
            facts=_facts(luck),
            offers=offers[1:] if number % 2 else offers,
            attempts=(PastAttempt("small", AttemptVerdict.FAIL, luck.lognormvariate(-1.5, 0.7)),) if number % 2 else (),
        )
        for number in range(200)
    ]
    route = _microseconds(lambda number: policy.choose(tasks[number % 200]), 200)
    plan = _microseconds(lambda number: policy.choose_next(tasks[10 * number : 10 * number + 10], 1.5), 20)
    ratio = route / (first or route)
    print(f"{count:>14,}  {observed:>9,.0f}  {route:>9,.0f}  {ratio:>6.2f}  {plan:>11,.0f}", flush=True)
    return route


def _facts(luck: random.Random) -> Facts:
    return Facts(
        luck.choice(TYPES), f"project {luck.randint(1, 4)}", luck.randint(1, 10), "x" * luck.randint(100, 9_000)
    )


def _attempt(luck: random.Random, model: str) -> PastAttempt:
    verdict = AttemptVerdict.PASS if luck.random() < 0.6 else AttemptVerdict.FAIL
    return PastAttempt(model, verdict, luck.lognormvariate(-1.5, 0.7))


def work(count: int) -> Iterator[tuple[Key, float]]:
    """Made-up work and what it took."""
    luck = random.Random(SEED)
    for number in range(count):
        key = Key(
            measure="tokens",
            model=luck.choice(MODELS),
            type=luck.choice(TYPES),
            complexity=luck.randint(1, 10),
            project=f"project {number // 500}",
            task=f"task {number // 2}",
            facts={"files": luck.randint(1, 9), "action_characters": luck.randint(100, 9_000)},
        )
        yield key, luck.lognormvariate(11.0, 0.7)


def measure_observed(count: int, first: float | None) -> float:
    """One by one, as a program sees them."""
    estimator = Estimator()
    began = time.process_time()
    for key, value in work(count):
        estimator.observe(key, value)
    return _print_row(count, f"{1e6 * (time.process_time() - began) / count:,.0f}", estimator, first)


def measure_loaded(count: int, first: float) -> None:
    """All at once, as a history is read; the estimator keeps the latest."""
    estimator, seen = Estimator(), list(work(count))
    began = time.process_time()
    estimator.observe_all([key for key, _ in seen], [value for _, value in seen])
    estimator.estimate(seen[-1][0])
    _print_row(count, f"({1e6 * (time.process_time() - began) / count:,.1f})", estimator, first)


def _print_row(count: int, observed: str, estimator: Estimator, first: float | None) -> float:
    keys = [key for key, _ in work(400)]
    single = _microseconds(lambda number: estimator.estimate(keys[number]), 400)
    total = _microseconds(lambda number: estimator.estimate_total(keys[number : number + 10]), 100)
    print(
        f"{count:>14,}  {observed:>9}  {single:>9,.0f}  {single / (first or single):>6.2f}  {total:>11,.0f}", flush=True
    )
    return single


def _microseconds(act: Callable[[int], object], times: int) -> float:
    act(0)  # what is done once is not counted
    began = time.process_time()
    for number in range(times):
        act(number)
    return 1e6 * (time.process_time() - began) / times


def measure_forecast() -> None:
    """`bursar estimate ROADMAP` as a person runs it, beside a bare Python and one that imports numpy."""
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        project, environment = _project(Path(folder))
        estimate = [str(Path(sys.executable).with_name("bursar")), "estimate", ".planning/ROADMAP.md", "--json"]
        bare = _cpu([sys.executable, "-c", "pass"], project, environment)
        print(f"{'whole processes':<52}{'ms of CPU':>10}{'times a bare Python':>21}")
        _print_process("python -c pass", bare, bare)
        numpy = _cpu([sys.executable, "-c", "import numpy"], project, environment)
        _print_process("python -c 'import numpy'", numpy, bare)
        _print_process(f"bursar estimate, {TASKS} tasks, no history", _cpu(estimate, project, environment), bare)
        _fill_history(Path(environment["BURSAR_STATE_DIR"]), project)
        ours = _cpu(estimate, project, environment)
        _print_process(f"bursar estimate, {TASKS} tasks, a history of 1,000", ours, bare)
        _print_process("  the same without imports", _cpu_without_imports(project, environment), bare)


def _print_process(name: str, milliseconds: float, bare: float) -> None:
    print(f"{name:<52}{milliseconds:>10.0f}{milliseconds / bare:>21.1f}", flush=True)


def _cpu_without_imports(project: Path, environment: dict[str, str]) -> float:
    """The least of three more forecasts in one process, each of which reads the roadmap, its plans and the history."""
    code = (
        "import contextlib, io, sys, time\n"
        "from bursar.cli.estimate import main\n"
        "def forecast():\n"
        "    began = time.process_time()\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        main(['.planning/ROADMAP.md', '--json'])\n"
        "    return time.process_time() - began\n"
        "forecast()\n"
        "print(min(forecast() for _ in range(3)))\n"
    )
    argv = [sys.executable, "-c", code]
    ended = subprocess.run(argv, cwd=project, env=environment, check=True, capture_output=True, text=True)
    return 1e3 * float(ended.stdout)


def _cpu(argv: list[str], project: Path, environment: dict[str, str]) -> float:
    """The least of five runs, in milliseconds."""
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1e3 * min(found)


def _project(folder: Path) -> tuple[Path, dict[str, str]]:
    project, per_plan = folder / "project", 5
    (project / ".git").mkdir(parents=True)
    phases = TASKS // per_plan // 4
    lines = ["# Roadmap", ""]
    for phase in range(1, phases + 1):
        lines += [f"### Phase {phase}: Part {phase}", "**Goal**: it is there", ""]
        place = project / f".planning/phases/{phase:02d}-part"
        place.mkdir(parents=True)
        for number in range(1, 5):
            tasks = "".join(_task(phase, number, task) for task in range(1, per_plan + 1))
            text = f"---\nphase: {phase:02d}-part\nplan: {number:02d}\n---\n<tasks>\n{tasks}</tasks>\n"
            (place / f"{phase:02d}-{number:02d}-PLAN.md").write_text(text)
    (project / ".planning/ROADMAP.md").write_text("\n".join(lines))
    state = folder / "state"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "BURSAR_STATE_DIR": str(state)}
    return project, environment | {"OPENBLAS_NUM_THREADS": "1"}


def _task(phase: int, plan: int, task: int) -> str:
    return (
        f'<task type="auto"><name>Task {task}: Part {phase}.{plan}.{task}</name>'
        f"<files>src/part{phase}_{plan}_{task}.py</files><action>Write it.</action></task>\n"
    )


def _fill_history(state: Path, project: Path) -> None:
    luck = random.Random(SEED)
    state.mkdir(parents=True, exist_ok=True)
    history = open_history(state / "history.db")
    history.record_all(
        [_observation(number, key, value, luck, project) for number, (key, value) in enumerate(work(1000))]
    )
    history.close()


def _observation(number: int, key: Key, value: float, luck: random.Random, project: Path) -> Observation:
    return Observation(
        key=f"{number}",
        at=f"2026-01-01T{number // 60 % 24:02d}:{number % 60:02d}:00.000+00:00",
        project=str(project),
        plan_id="01-01",
        task="1",
        subagent="general-purpose",
        complexity=key.complexity,
        agent="claude",
        model=key.model,
        outcome="succeeded",
        tokens=int(value),
        nano_usd=int(value * luck.uniform(1_000, 5_000)),
        calls=10,
        wall_seconds=value / 300,
        task_type=key.type,
        digest=key.task,
        facts={name: float(str(number)) for name, number in key.facts.items()},
    )


if __name__ == "__main__":
    main()
