"""Which of the ready tasks is offered first: the head of the longest chain while money is ample; where it is short, the
attempt that brings most finished work for it. So all tasks get a cheap try before one gets a second.

Source: docs/decisions/0039-what-is-bought-first.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from bursar.budget import OF_TASKS, OnLimit, Unit
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.run.advice import Wish
from bursar.run.context import RunContext

_WEIGHED = 40  # ready tasks that are weighed against each other, and open ones that speak for all
_MORE = 4  # so many are chosen beyond the free slots, for those that are refused


class Purchases:
    """Chooses what is offered before all else, for one run."""

    def __init__(self, context: RunContext, tasks: Mapping[str, Task]) -> None:
        self._context = context
        self._tasks = tasks

    def choose_first(
        self, list_ready: Callable[[], Sequence[str]], list_open: Callable[[], Sequence[str]], slots: int
    ) -> list[str]:
        """Ready tasks in the order in which an attempt at them brings most; none while there is money for all.

        Args:
            list_ready: tells which tasks may start now.
            list_open: which are still to be begun or tried again, those that may start now among them.
        """
        left = self._dollars_left()
        if left is None or not self._is_short(list_open(), left):
            return []
        wishes = [self._wish(number) for number in list_ready()[:_WEIGHED]]
        return list(islice(self._context.escalation.buy(wishes, left), max(0, slots) + _MORE))

    def _is_short(self, open_: Sequence[str], left: float) -> bool:
        wishes = [self._wish(number) for number in open_[:_WEIGHED]]
        return self._context.escalation.look_at_money(wishes, left, len(open_))

    def _wish(self, number: str) -> Wish:
        escalation, task = self._context.escalation, self._tasks[number]
        return Wish(task, escalation.agent_of(task), escalation.settled_model(task))

    def _dollars_left(self) -> float | None:
        """What is available in the tightest budget in USD that all tasks share; None where there is no such."""
        if self._context.escalation.learned_from is None:
            return None
        labels = self._context.labels
        left = [
            each.available
            for each in self._context.stores.ledger.balances(labels)
            if each.budget.limit.unit is Unit.USD
            and each.budget.on_limit is OnLimit.BLOCK
            and each.budget.is_charged_by(labels)
            and OF_TASKS.isdisjoint(each.budget.selector)
        ]
        return min(left) / NANO_PER_USD if left else None
