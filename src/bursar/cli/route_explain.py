"""`bursar route explain PLAN`: for each task the models on offer, their numbers, what would be chosen and why."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bursar.agents import Agent
from bursar.budget import Unit
from bursar.cli.json_output import write_json_line
from bursar.cli.learn_history import ATTEMPTS_NEEDED, read_latest
from bursar.cli.quantities import parse_flag_limit
from bursar.cli.terminal import width_of
from bursar.config import Settings, build_agent, load_settings
from bursar.errors import INVALID_PLAN, OK, UserError
from bursar.history import ROUTES_FROM, facts_of, learn_policy
from bursar.layout import Column, count_of, lay_out, say_left_out
from bursar.money import NANO_PER_USD
from bursar.plan import Plan, Task, UnreadablePlan, read_plan
from bursar.routing import (
    Candidate,
    Choice,
    Complexity,
    Facts,
    LearnedPolicy,
    Offer,
    Purchase,
    Route,
    Tier,
    choose_route,
    score_task,
)

_COLUMNS = (
    Column("model", least=12),
    Column("tier", rank=2),
    Column("succeeds", is_right=True),
    Column("USD", is_right=True),
    Column("worth", is_right=True, rank=1),
    Column("second try", is_right=True, rank=3),
    Column("seen", is_right=True, rank=4),
)


@dataclass(frozen=True, slots=True)
class _Explained:
    """One task, what the rules say of it, and what was learned about it."""

    task: Task
    complexity: Complexity
    rules: Route
    rules_model: str
    choice: Choice
    candidates: tuple[Candidate, ...]


def explain(options: Any) -> int:
    """Prints the routes of a plan's tasks; exit code 3 where the plan cannot be read.

    Raises:
        UserError: there is no such plan or task.
    """
    path = Path(options.path)
    if not path.is_file():
        raise UserError(
            f"there is no plan at {path}", hint="bursar route explain .planning/phases/01-name/01-01-PLAN.md"
        )
    plan = read_plan(path)
    if isinstance(plan, UnreadablePlan):
        for problem in plan.problems:
            sys.stderr.write(f"error: {problem}\n")
        return INVALID_PLAN
    root = _root_of(path)
    settings = load_settings(root)
    agent = build_agent(settings)
    known = read_latest(ROUTES_FROM)
    policy, seen = learn_policy(known.read.observations)
    value = _value(options.value, settings)

    def explained(task: Task) -> _Explained:
        facts = facts_of(task, str(root), known.corrections)
        return _explain(task, agent, policy, facts, value)

    tasks = list(map(explained, _chosen(plan, options.task)))
    needed = ATTEMPTS_NEEDED[settings.routing.policy]
    if options.json:
        write_json_line(_as_data(plan, tasks, seen, value, needed))
    else:
        sys.stdout.write(_heading(seen, value, needed) + "".join(map(_render, tasks)))
    return OK


def _root_of(path: Path) -> Path:
    """The repository that the plan is in; its folder where it is in none."""
    folders = path.resolve().parents
    return next((folder for folder in folders if (folder / ".git").exists()), folders[0])


def _value(text: str | None, settings: Settings) -> float:
    if text is None:
        return settings.routing.value_usd()
    return parse_flag_limit("--value", text, Unit.USD).quantity / NANO_PER_USD


def _chosen(plan: Plan, numbers: list[str] | None) -> list[Task]:
    tasks = [task for task in plan.tasks if not task.is_checkpoint]
    for number in numbers or ():
        if number not in [task.number for task in tasks]:
            names = ", ".join(task.number for task in tasks)
            raise UserError(f"plan {plan.id} has no task {number} that an agent works on", hint=f"its tasks: {names}")
    return [task for task in tasks if not numbers or task.number in numbers]


def _explain(task: Task, agent: Agent, policy: LearnedPolicy, facts: Facts, value: float) -> _Explained:
    rules = choose_route(task)
    offers = tuple(dict.fromkeys(Offer(agent.model_for(tier), tier) for tier in Tier))
    purchase = Purchase(task=task.number, facts=facts, offers=offers, value_usd=value, must_try=True)
    return _Explained(
        task=task,
        complexity=score_task(task),
        rules=rules,
        rules_model=agent.model_for(rules.model_or_tier),
        choice=policy.choose(purchase),
        candidates=policy.candidates(purchase),
    )


def _heading(seen: int, value: float, needed: float) -> str:
    learned = count_of(seen, "finished attempt") if seen else "no finished attempt yet, so from what is usual"
    if seen >= needed:
        chooses = "a run goes by what was learned"
    elif math.isinf(needed):
        chooses = "a run goes by the rules, as the settings say"
    else:
        chooses = f"a run goes by the rules until {needed} attempts of known cost are known"
    return f"learned from {learned}; a finished task is taken to be worth {value:.2f} USD\n{chooses}\n"


def _render(one: _Explained) -> str:
    choice = one.choice
    why = f"{choice.reason}; the plan's model goes first all the same" if one.task.model else choice.reason
    cap = "" if choice.cap_usd is None else f", ended at {choice.cap_usd:.2f} USD"
    lines = [
        "",
        f"task {one.task.number}: {one.task.title}",
        f"  complexity {one.complexity.score}: {one.complexity.reason}",
        f"  rules    {one.rules_model}  ({one.rules.reason})",
        f"  learned  {choice.model}{cap}  ({why})",
        "",
        *_table(one.candidates),
    ]
    lines += [
        f"    {each.model} is dominated: {each.dominated_by} succeeds more often and costs less"
        for each in one.candidates
        if each.dominated_by is not None
    ]
    return "\n".join(lines) + "\n"


def _table(candidates: Sequence[Candidate]) -> list[str]:
    rows = [tuple(column.title for column in _COLUMNS), *map(_row, candidates)]
    lines, left_out = lay_out(_COLUMNS, rows, width_of(sys.stdout), indent=4)
    return [*lines, *(f"    {line}" for line in say_left_out(left_out).splitlines())]


def _row(one: Candidate) -> tuple[str, ...]:
    second = f"{100 * one.second_chance:.0f} % for {one.second_cost_usd:.2f}"
    worth = (f"{100 * one.chance:.0f} %", f"{one.cost_usd:.2f}", f"{one.worth_usd:.2f}")
    return (one.model, str(one.tier), *worth, second, str(one.seen))


def _as_data(plan: Plan, explained: list[_Explained], seen: int, value: float, needed: float) -> dict[str, Any]:
    """For other programs; amounts in USD."""
    return {
        "plan": plan.id,
        "learned_from": seen,
        "value_usd": value,
        "policy": "learned" if seen >= needed else "rules",
        "tasks": list(map(_task_as_data, explained)),
    }


def _task_as_data(one: _Explained) -> dict[str, Any]:
    return {
        "task": one.task.number,
        "complexity": one.complexity.score,
        "complexity_reason": one.complexity.reason,
        "rules": {"model": one.rules_model, "reason": one.rules.reason},
        "learned": {"model": one.choice.model, "cap_usd": one.choice.cap_usd, "reason": one.choice.reason},
        "candidates": [asdict(each) for each in one.candidates],
    }
