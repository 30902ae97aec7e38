"""What an instance of a job list needs in order to start: what such work took before, and its fair share of the limits.

Source: docs/decisions/0028-what-an-instance-holds.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bursar.budget import Amount, Budget, Counting, OnLimit, Unit, format_quantity, is_selected, title_of
from bursar.estimation import Estimate
from bursar.journal import AttemptState
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.holds import DEFAULT, Hold

_LEAST_OBSERVATIONS = 3
_LATEST_OBSERVATIONS = 50  # older ones say little of what the work is now

Kind = tuple[str, str]


class LearnedEstimates:
    """What instances of the same command (or name) took in this project, with the same agent and model."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._found: Mapping[tuple[Kind, str], Sequence[int]] | None = None

    def estimate(self, task: Task) -> Estimate | None:
        """From three finished attempts on; None for a task of a plan."""
        context = self._context
        if task.number not in context.instances:
            return None
        if self._found is None:
            self._found = _observed(context)
        tokens = self._found.get((_kind(context.labels_of(task)), context.model_of(task)), ())
        return estimate_from(tokens)


def estimate_from(tokens: Sequence[int]) -> Estimate | None:
    """The nearest ranks of what was observed, oldest first; None of fewer than three."""
    ranked = sorted(tokens[-_LATEST_OBSERVATIONS:])
    if len(ranked) < _LEAST_OBSERVATIONS:
        return None
    p10, p50, p90 = (max(1, ranked[math.ceil(share * len(ranked) / 100) - 1]) for share in (10, 50, 90))
    return Estimate(tokens_p10=p10, tokens_p50=p50, tokens_p90=p90, source=f"{len(ranked)} earlier attempts")


class FairShares:
    """What each limit of the run leaves each of the instances that it is for."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._labels: Mapping[str, Mapping[str, str]] = {}
        self._sharers: dict[str, int] = {}

    def demand(self, task: Task, hold: Hold) -> Hold:
        """The same hold; where it is a default, an instance of a job list wants at least half its share of each limit.

        At most the default, that is. Nobody starts on crumbs, only to be stopped at the first call; the other half is
        for what the others take beyond their own shares.
        """
        if task.number not in self._context.instances or hold.source != DEFAULT:
            return hold
        blocking = [each for each in _own_budgets(self._context, task) if each.on_limit is OnLimit.BLOCK]
        hold = replace(hold, is_blind=False)  # the shares see to it that not all start on one's money
        if not blocking:
            return hold
        tokens, money = hold.amount.tokens, hold.amount.nano_usd
        for budget in blocking:
            share = budget.limit.quantity // (2 * self._count(budget))
            if budget.limit.unit is Unit.USD:
                money = None if money is None else min(money, share)
            elif budget.counts is Counting.TOTAL:
                tokens = min(tokens, share)
        return replace(hold, minimum=Amount(max(1, tokens), None if money is None else max(1, money)))

    def _count(self, budget: Budget) -> int:
        """How many of the run's instances the budget is for."""
        if not self._labels:
            self._labels = {task.number: self._context.labels_of(task) for task in self._context.plan.tasks}
        if budget.name not in self._sharers:
            found = sum(1 for labels in self._labels.values() if is_selected(budget.selector, labels))
            self._sharers[budget.name] = max(1, found)
        return self._sharers[budget.name]


def find_short_budgets(context: RunContext, task: Task, hold: Hold) -> list[str]:
    """The budgets that only warn and have no room for an instance that is about to start, each in words."""
    if task.number not in context.instances:
        return []
    labels = context.labels_of(task)
    short = []
    for balance in context.stores.ledger.balances(labels):
        budget = balance.budget
        wanted = budget.amount_of(hold.minimum)
        if budget.on_limit is OnLimit.WARN and budget.is_charged_by(labels) and (wanted or 0) > balance.available:
            unit = budget.limit.unit
            needs, has = format_quantity(wanted or 0, unit), format_quantity(balance.available, unit)
            short.append(f"budget {title_of(budget.name)} has {has} available and it needs {needs} ({hold.source})")
    return short


def _own_budgets(context: RunContext, task: Task) -> list[Budget]:
    """Of the run's own budgets those that the task is charged to."""
    labels = context.labels_of(task)
    budgets = [balance.budget for balance in context.stores.ledger.balances(labels)]
    return [each for each in budgets if "run" in each.selector and each.is_charged_by(labels)]


def _observed(context: RunContext) -> Mapping[tuple[Kind, str], Sequence[int]]:
    """Tokens of the attempts that succeeded, oldest first, by what they did and with which model."""
    project, found = str(context.project), dict[tuple[Kind, str], list[int]]()
    labels = {each.key: each.labels for each in context.stores.ledger.reservations({"project": project})}
    for each in context.stores.history.observations():
        is_alike = each.project == project and each.agent == context.agent.name
        if is_alike and each.outcome == AttemptState.SUCCEEDED and each.key in labels:
            found.setdefault((_kind(labels[each.key]), each.model), []).append(each.tokens)
    return found


def _kind(labels: Mapping[str, str]) -> Kind:
    """The command; without one the instance's name, or a plan's task, which no instance is like."""
    for label in ("command", "instance"):
        if label in labels:
            return label, labels[label]
    return "task", labels.get("task", "")
