"""What an instance of a job list needs in order to start where nothing is known of it: its fair share of the limits.

Source: docs/decisions/0028-what-an-instance-holds.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bursar.budget import Amount, Budget, Counting, OnLimit, Unit, format_quantity, is_selected, title_of
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.holds import DEFAULT, Hold


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
            # Where nothing is known of what it needs, it would take whatever there is.
            wish = "" if hold.source == DEFAULT else f" and it needs {needs} ({hold.source})"
            short.append(f"budget {title_of(budget.name)} has {has} available{wish}")
    return short


def _own_budgets(context: RunContext, task: Task) -> list[Budget]:
    """Of the run's own budgets those that the task is charged to."""
    labels = context.labels_of(task)
    budgets = [balance.budget for balance in context.stores.ledger.balances(labels)]
    return [each for each in budgets if "run" in each.selector and each.is_charged_by(labels)]
