"""Which of the ready tasks is offered first: the head of the longest chain while money is ample; where it is short, the
attempt that brings most finished work for it. So all tasks get a cheap try before one gets a second.

Source: docs/decisions/0039-what-is-bought-first.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from bursar.budget import OnLimit, Unit
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.run.advice import Wish
from bursar.run.context import RunContext

OF_TASKS = frozenset({"task", "instance", "model", "command"})  # labels in which tasks of one run may differ
_WEIGHED = 40  # ready tasks that are weighed against each other, and open ones that speak for all


class Purchases:
    """Orders what a scheduler offers, for one run."""

    def __init__(self, context: RunContext, tasks: Mapping[str, Task]) -> None:
        self._context = context
        self._tasks = tasks

    def order(self, ranked: Iterable[str], list_open: Callable[[], Sequence[str]]) -> Iterator[str]:
        """The same tasks, each once; those of which nothing is worth its price come last, in the order given.

        Args:
            ranked: tasks that may start now.
            list_open: tells which tasks are still to be begun or tried again, those that may start now among them.
        """
        numbers = iter(ranked)
        left = self._dollars_left()
        if left is None or not self._is_short(list_open(), left):
            yield from numbers
            return
        weighed = list(islice(numbers, _WEIGHED))
        yield from self._weigh(weighed, left)
        yield from numbers

    def _is_short(self, open_: Sequence[str], left: float) -> bool:
        escalation, some = self._context.escalation, [self._tasks[number] for number in open_[:_WEIGHED]]
        wishes = [self._wish(task) for task in some if not task.is_checkpoint]
        return escalation.look_at_money(wishes, left, len(open_))

    def _weigh(self, numbers: Sequence[str], left: float) -> Iterator[str]:
        """Checkpoints cost nothing and go first; then what is worth its price, then the rest."""
        rest = dict.fromkeys(numbers)
        for number in numbers:
            if self._tasks[number].is_checkpoint:
                del rest[number]
                yield number
        for number in self._context.escalation.buy([self._wish(self._tasks[each]) for each in rest], left):
            del rest[number]
            yield number
        yield from rest

    def _wish(self, task: Task) -> Wish:
        escalation = self._context.escalation
        return Wish(task, escalation.agent_of(task), escalation.settled_model(task))

    def _dollars_left(self) -> float | None:
        """What is available in the tightest budget in USD that all tasks share; None where there is no such."""
        if self._context.advice is None or not self._context.advice.is_ready:
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
