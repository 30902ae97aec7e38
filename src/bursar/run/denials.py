"""What budgets have said no to: whether another task is worth asking for, and what is told of those that remain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from bursar.budget import OF_TASKS, Shortfall, Unit, format_quantity, title_of
from bursar.events import TaskWaited
from bursar.journal import TaskState
from bursar.ledger import Denial
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.holds import Hold

_HINT = "state one in a [[price]] table, or set the budget's allow_unknown_price"


class Denials:
    """The last denial of each task of one run. Those of this look count: what was missing before may be there now."""

    def __init__(
        self,
        context: RunContext,
        tasks: Mapping[str, Task],
        hold_for: Callable[[Task], Hold],
        list_refused: Callable[[], Collection[str]],
    ) -> None:
        """Nothing was denied yet.

        Args:
            hold_for: what an attempt at a task would ask the ledger to hold.
            list_refused: tells which tasks were refused at this look.
        """
        self._context = context
        self._tasks = tasks
        self._hold_for = hold_for
        self._list_refused = list_refused
        self._denials: dict[str, Denial] = {}

    def add(self, number: str, denial: Denial) -> None:
        """The task was denied its hold."""
        self._denials[number] = denial

    def forget(self, number: str) -> None:
        """No budget is in the task's way any more; another thing is."""
        self._denials.pop(number, None)

    def is_hopeless(self, task: Task) -> bool:
        """Whether a task that asks for no more was just denied by a budget that all tasks share."""
        minimum = self._hold_for(task).minimum
        return any(
            minimum.tokens >= self._hold_for(self._tasks[number]).minimum.tokens
            and any(map(_is_shared, denial.shortfalls))
            for number, denial in self._of_this_look().items()
        )

    def tell_what_remains(self, remaining: Iterable[str], refusal_of: Callable[[str], str | None]) -> None:
        """Tasks that were ready but could not be paid for are named, with the budgets that said no.

        Args:
            refusal_of: why a task's phase was not started, which is told instead; None where it was.
        """
        for number in remaining:
            if because := refusal_of(number) or self._in_words(number):
                self._context.stores.journal.set_task(self._context.run.id, number, TaskState.STOPPED, note=because)
                self._context.emit(TaskWaited(task=number, name=self._tasks[number].title, because=because))

    def _in_words(self, number: str) -> str:
        words, own = _in_words(self._shortfalls_of(number)), self._of_this_look().get(number)
        if own is not None and any(shortfall.wanted is None for shortfall in own.shortfalls):
            return words + f": no price of {self._context.model_of(self._tasks[number])} is known; {_HINT}"
        return words if own is None else words + _figures(own.shortfalls)

    def _shortfalls_of(self, number: str) -> Sequence[Shortfall]:
        """Of its own denial; of a task that was not asked for, those of others in budgets that all tasks share."""
        denials = self._of_this_look()
        if number in denials:
            return denials[number].shortfalls
        found = [shortfall for denial in denials.values() for shortfall in denial.shortfalls]
        return [each for each in found if _is_shared(each)] or found

    def _of_this_look(self) -> Mapping[str, Denial]:
        return {number: self._denials[number] for number in self._list_refused() if number in self._denials}


def _is_shared(shortfall: Shortfall) -> bool:
    return OF_TASKS.isdisjoint(shortfall.balance.budget.selector)


def _in_words(shortfalls: Sequence[Shortfall]) -> str:
    names = sorted({title_of(shortfall.balance.budget.name) for shortfall in shortfalls})
    if not names:
        return ""
    is_unpriced = any(shortfall.wanted is None for shortfall in shortfalls)
    if len(names) == 1:
        return f"budget {names[0]} " + ("refuses a cost that is unknown" if is_unpriced else "has no room for it")
    return f"budgets {', '.join(names)} " + ("refuse a cost that is unknown" if is_unpriced else "have no room for it")


def _figures(shortfalls: Sequence[Shortfall]) -> str:
    """How much each of those budgets that have something left lacks; empty where none has, which says it all."""
    lacking = {
        title_of(each.balance.budget.name): _left_and_needed(has, each.wanted, each.balance.budget.limit.unit)
        for each in shortfalls
        if each.wanted is not None and (has := each.balance.available) > 0
    }
    said = [f"{name}: {words}" if len(shortfalls) > 1 else words for name, words in lacking.items()]
    return f" ({'; '.join(said)})" if said else ""


def _left_and_needed(left: int, needed: int, unit: Unit) -> str:
    """What is there is not said to be more than it is, nor what is needed to be less: USD are rounded to cents."""
    step = NANO_PER_USD // 100 if unit is Unit.USD else 1
    left, needed = left // step * step, -(-needed // step) * step
    return f"{format_quantity(left, unit)} left, {format_quantity(needed, unit)} needed"
