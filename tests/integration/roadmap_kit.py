"""A project with a roadmap: phases, plans, tasks that each write a file of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step
from tests.integration.kit import Project, settings, slug, task, write

ROADMAP = ".planning/ROADMAP.md"

Plans = Mapping[str, Sequence[str]]
"""Id of a plan (`02-01`) → the names of its tasks, each of which waits for the one before."""


def roadmap(phases: Mapping[str, Sequence[str]], *, done: Sequence[str] = (), listed: Plans | None = None) -> str:
    """A roadmap of phases, each with the numbers of those it depends on."""
    ticks = [f"- [{'x' if number in done else ' '}] **Phase {number}: P{number}**" for number in phases]
    parts = ["# Roadmap: Test", "\n".join(ticks), "## Phase Details"]
    for number, before in phases.items():
        depends = ", ".join(f"Phase {name}" for name in before) or "Nothing"
        plans = "\n".join(f"- [ ] {plan}-PLAN.md" for plan in (listed or {}).get(number, ()))
        parts.append(f"### Phase {number}: P{number}\n**Goal**: g\n**Depends on**: {depends}\n{plans}")
    return "\n\n".join(parts) + "\n"


def plan_path(plan: str) -> str:
    """Where the plan of that id lies."""
    phase = plan.partition("-")[0]
    return f".planning/phases/{phase}-p{phase.lstrip('0')}/{plan}-PLAN.md"


def plan_text(plan: str, tasks: Sequence[str], *, depends_on: Sequence[str] = (), more: str = "") -> str:
    """A plan whose tasks come one after the other; `more` is front matter."""
    phase, _, number = plan.partition("-")
    front = (
        f"---\nphase: {phase}-p{phase.lstrip('0')}\nplan: {number}\ndepends_on: [{', '.join(depends_on)}]\n{more}---\n"
    )
    work = "\n".join(task(name, "" if place else 'parallel="can-parallelize"') for place, name in enumerate(tasks))
    return f"{front}\n<objective>Objective of {plan}.</objective>\n\n<tasks>\n\n{work}\n</tasks>\n"


def plan_files(plans: Plans, depends_on: Mapping[str, Sequence[str]] | None = None) -> dict[str, str]:
    """Files of these plans, by path."""
    names = depends_on or {}
    return {plan_path(plan): plan_text(plan, tasks, depends_on=names.get(plan, ())) for plan, tasks in plans.items()}


def answers(plans: Plans, odd: Mapping[str, Sequence[Step]] | None = None) -> Script:
    """Every task writes its file; those in `odd`, by name, do something else."""
    found: dict[str, Sequence[Step]] = {}
    for tasks in plans.values():
        for place, name in enumerate(tasks, 1):
            found[f"# Task {place}: {name}\n"] = (odd or {}).get(name, [write(f"{slug(name)}.txt")])
    return Script.of(found)


@contextmanager
def roadmap_project(
    folder: Path, files: Mapping[str, str], script: Script, *, run: str = "", more: str = ""
) -> Iterator[Project]:
    """A project with one commit of these files, and a `bursar.toml`; afterwards nothing of it runs."""
    with ModelServer(script, keep_requests=True) as server:
        project = Project(folder, server)
        for name in ("home", "tmp", "repo"):
            (folder / name).mkdir(parents=True)
        project.git("init", "--quiet", "--initial-branch=main")
        project.commit({**files, "bursar.toml": settings(run=run) + more, "README.md": "# mine\n"}, "start")
        try:
            yield project
        finally:
            project.finish()
