"""From a plan file to a run that can be conducted: what can be refused is refused here, before anything changes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.agents import Agent, read_command
from bursar.budget import Limit, Unit
from bursar.clock import Clock
from bursar.errors import InvalidPlan, SetupError, UserError
from bursar.garbage import without_garbage_collection
from bursar.graph import Cycle, Graph, build_graph, check_plan, plan_nodes
from bursar.ids import IdSource
from bursar.plan import (
    Instance,
    Plan,
    Problem,
    Program,
    UnreadableJobList,
    UnreadablePlan,
    plan_of_jobs,
    read_job_list,
    read_plan,
    task_key,
)
from bursar.pricing import RateTable
from bursar.routing import choose_route
from bursar.run.context import RunSettings, Stores
from bursar.run.holds import price_of_tokens
from bursar.run.origins import CheckoutOrigin, Origin, WorkspaceOrigin
from bursar.run.programs import Selection, link_program
from bursar.run.purse import Purse
from bursar.sandbox import Sandbox
from bursar.worktrees import Repository, changed_tracked_files, open_repository, read_head


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToRun:
    """A plan that has no errors (or a job list, or several plans, as one), with its graph, and where its run begins.

    Attributes:
        program: what the plan is made of; None for a single plan or a job list.
        selection: what the program was chosen from.
    """

    plan: Plan
    graph: Graph
    origin: Origin
    program: Program | None = None
    selection: Selection | None = None

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans as their authors wrote them."""
        return (self.plan,) if self.program is None else tuple(part.plan for part in self.program.parts)

    @property
    def scope(self) -> str | None:
        """What was asked for, as the journal keeps it; None for a single plan or a job list."""
        return None if self.selection is None else self.selection.scope

    @property
    def summarized(self) -> frozenset[str]:
        """Tasks of plans that were done when the program was chosen: a SUMMARY lies beside them."""
        done = () if self.selection is None else self.selection.choice.done
        return frozenset(task_key(part.plan, task) for part in done for task in part.plan.tasks)

    def knowing(self, tasks: Iterable[str]) -> PlanToRun:
        """The same for a run that has these tasks: plans that it has done since are part of it all the same."""
        if self.selection is None:
            return self
        program = self.selection.program({number.partition("/")[0] for number in tasks})
        return replace(self, program=program, plan=program.whole, graph=link_program(program))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a run needs of the machine; `state_dir` is the user's, outside any checkout.

    Attributes:
        value_usd: what a finished task is worth to the learned policy; None: the rules choose.
        sandbox: around agents and verify commands; None: there is none.
        purse: the token session that pays for the phases of a roadmap; None where there is none.
        conductor: who conducts what is taken up, as `processes.identify` says it; empty for this process.
        learn_after: how many finished attempts it must know before it chooses; the rules do until then.
    """

    stores: Stores
    agent: Agent
    rates: RateTable
    settings: RunSettings
    state_dir: Path
    environment: Mapping[str, str]
    clock: Clock
    ids: IdSource
    failover: tuple[Agent, ...] = ()
    value_usd: float | None = None
    sandbox: Sandbox | None = None
    purse: Purse | None = None
    learn_after: int = 0
    conductor: str = ""


@without_garbage_collection()
def check_plan_file(path: Path) -> tuple[Plan, Graph]:
    """The plan and its graph.

    Raises:
        InvalidPlan: with every problem of the plan, each as `file:line:column`.
    """
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        raise InvalidPlan(_list_problems([str(problem) for problem in plan.problems if problem.is_error], path))
    graph = build_graph(plan_nodes(plan))
    if isinstance(graph, Cycle):
        raise InvalidPlan(_list_problems([str(problem) for problem in check_plan(plan)], path))
    return plan, graph


def open_plan(path: Path, directory: Path) -> PlanToRun:
    """The plan at `path`, to be run in the repository around `directory` (outside of any: around the plan).

    Raises:
        InvalidPlan: the plan has problems.
        SetupError: git is missing, or `directory` is in no repository.
        UserError: the repository has no commit, tracked files are changed, or a path is not UTF-8.
    """
    plan, graph = check_plan_file(path)
    return PlanToRun(plan=plan, graph=graph, origin=_open_checkout(directory, plan.path))


def open_program(selection: Selection, directory: Path) -> PlanToRun:
    """The plans that were selected, to be run in the repository around `directory` (outside of any: around them).

    Raises:
        InvalidPlan: tasks of a plan wait for each other.
        SetupError, UserError: as `open_plan`.
    """
    program = selection.program()
    graph = link_program(program)
    origin = _open_checkout(directory, selection.path, *(part.plan.path for part in program.parts))
    return PlanToRun(plan=program.whole, graph=graph, origin=origin, program=program, selection=selection)


def _open_checkout(directory: Path, *paths: Path) -> CheckoutOrigin:
    """The repository that has `directory`, or else the first of `paths`; its checkout is clean.

    Raises:
        SetupError, UserError: as `open_plan`.
    """
    repository = _find_repository(directory, paths[0].parent)
    _check_paths(repository.root, *paths)
    head = read_head(repository)
    dirty = changed_tracked_files(repository)
    if dirty:
        listed = "\n".join(f"  {name}" for name in dirty[:10])
        raise UserError(
            f"the checkout has changes that are not committed:\n{listed}",
            hint="commit them, or put them aside with `git stash`",
        )
    return CheckoutOrigin(repository, head)


def open_jobs(path: Path, workspace: Path) -> PlanToRun:
    """The job list at `path`, to be run in `workspace` as it is; both are absolute.

    Raises:
        InvalidPlan: the job list has problems.
        UserError: the workspace is no folder that one can write in, or a path is not UTF-8.
    """
    jobs = read_job_list(path)
    if isinstance(jobs, UnreadableJobList):
        raise InvalidPlan(_list_problems([_with_hint(each) for each in jobs.problems if each.is_error], path))
    _check_paths(workspace, path)
    if not workspace.is_dir():
        what = "is a file" if workspace.exists() else "does not exist"
        raise UserError(f"the workspace {workspace} {what}", hint=f"mkdir -p {shlex.quote(str(workspace))}")
    if not os.access(workspace, os.W_OK | os.X_OK):
        raise UserError(f"the workspace {workspace} cannot be written")
    plan = plan_of_jobs(jobs)
    graph = build_graph(plan_nodes(plan))
    assert isinstance(graph, Graph)  # nothing depends on anything
    instances = {each.number: _with_command(each, workspace) for each in jobs.instances}
    origin = WorkspaceOrigin(_project_around(workspace), workspace, instances)
    return PlanToRun(plan=plan, graph=graph, origin=origin)


def _with_command(instance: Instance, workspace: Path) -> Instance:
    """The instance with the workspace's file of its command, read once: what is approved is what the agent gets."""
    found = read_command(workspace / ".claude", instance.text)
    return instance if found is None else replace(instance, files=dict([found]))


def _project_around(workspace: Path) -> Path:
    """The top of the checkout that the workspace lies in, else the workspace; git is not asked."""
    around = (folder for folder in (workspace, *workspace.parents) if (folder / ".git").exists())
    return next(around, workspace)


def _with_hint(problem: Problem) -> str:
    return f"{problem} ({problem.hint})" if problem.hint else str(problem)


def _find_repository(directory: Path, beside_plan: Path) -> Repository:
    try:
        return open_repository(directory)
    except SetupError as nowhere:
        try:
            return open_repository(beside_plan)
        except SetupError:
            raise nowhere from None


def _check_paths(*paths: Path) -> None:
    """The paths can be written down: they are what a run is known by.

    Raises:
        UserError: one is not UTF-8.
    """
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise UserError(f"the path {str(path)!a} is not UTF-8", hint="rename it") from error


def check_prices(opened: PlanToRun, tools: Tools, limit: Limit) -> None:
    """Every task's model has a price, where the limit is in USD.

    Raises:
        UserError: one has none; a budget in USD could not hold anything for it.
    """
    if limit.unit is not Unit.USD:
        return
    models = {tools.agent.model_for(choose_route(task).model_or_tier) for task in opened.plan.tasks}
    unknown = sorted(model for model in models if price_of_tokens(1000, tools.rates, model).nano_usd is None)
    if unknown:
        raise UserError(
            f"no price is known for model {', '.join(unknown)}, so a budget in USD cannot hold anything for it",
            hint='give the budget in tokens, for example `--budget "200k tokens"`',
        )


def _list_problems(problems: Sequence[str], path: Path) -> str:
    count = f"{len(problems)} problems" if len(problems) != 1 else "a problem"
    return "\n  ".join([f"{path} has {count}:", *problems])
