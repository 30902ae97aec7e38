"""From a plan file to a run that can be conducted: what can be refused is refused here, before anything changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.agents import Agent
from bursar.budget import Limit, Unit
from bursar.clock import Clock
from bursar.errors import InvalidPlan, SetupError, UserError
from bursar.graph import Cycle, Graph, build_graph, check_plan, plan_nodes
from bursar.ids import IdSource
from bursar.plan import Plan, UnreadablePlan, read_plan
from bursar.pricing import RateTable
from bursar.routing import choose_route
from bursar.run.context import RunSettings, Stores
from bursar.run.holds import price_of_tokens
from bursar.worktrees import (
    Head,
    Repository,
    changed_tracked_files,
    open_repository,
    read_head,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanToRun:
    """A plan that has no errors, with its graph, in a repository that is fit to start from."""

    plan: Plan
    graph: Graph
    repository: Repository
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a run needs of the machine; `state_dir` is the user's, outside any checkout.

    Attributes:
        value_usd: what a finished task is worth to the learned policy; None: the rules choose.
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
    repository = _find_repository(directory, plan.path.parent)
    _check_paths(repository.root, plan.path)
    head = read_head(repository)
    dirty = changed_tracked_files(repository)
    if dirty:
        listed = "\n".join(f"  {name}" for name in dirty[:10])
        raise UserError(
            f"the checkout has changes that are not committed:\n{listed}",
            hint="commit them, or put them aside with `git stash`",
        )
    return PlanToRun(plan=plan, graph=graph, repository=repository, head=head)


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


class RunLock:
    """One conductor per plan: held until the process ends, by whatever means."""

    def __init__(self, state_dir: Path, opened: PlanToRun) -> None:
        """Takes the lock.

        Raises:
            UserError: another process conducts a run of this plan.
        """
        folder = state_dir / "locks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(folder / f"{lock_name(opened)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(self._file)
            raise UserError("this plan is being run by another process", hint="bursar status") from taken

    def release(self) -> None:
        """Others may conduct the plan again."""
        os.close(self._file)


def lock_name(opened: PlanToRun) -> str:
    """A file name that stands for this plan of this repository."""
    import hashlib

    return hashlib.sha256(f"{opened.repository.root}\0{opened.plan.path}".encode()).hexdigest()[:24]


def _list_problems(problems: Sequence[str], path: Path) -> str:
    count = f"{len(problems)} problems" if len(problems) != 1 else "a problem"
    return "\n  ".join([f"{path} has {count}:", *problems])
