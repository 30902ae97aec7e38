"""What is told of tasks that budgets have said no to: each hears of budgets that it is charged to."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from bursar.budget import Balance, Budget, Shortfall, parse_limit
from bursar.events import TaskWaited
from bursar.ledger import Denial
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.denials import Denials

ALL = Budget(name="all", limit=parse_limit("10 tokens"))
MONEY = Budget(name="month", limit=parse_limit("5 USD"))
FIRST, SECOND = (Budget(name=f"task-{at}", limit=parse_limit("10 tokens"), selector={"task": at}) for at in "12")


def told(
    denied: Mapping[str, list[Budget]], *remaining: str, wanted: int | None = 50, spent: int = 10
) -> dict[str, str]:
    """What is told of the remaining tasks, once those of `denied` were denied by these budgets."""
    said: list[TaskWaited] = []
    journal = SimpleNamespace(set_task=lambda *_, **__: None)
    context = SimpleNamespace(
        emit=said.append,
        run=SimpleNamespace(id="r"),
        stores=SimpleNamespace(journal=journal),
        model_of=lambda task: f"model-{task.number}",
    )
    tasks = {number: Task(number=number, name="") for number in remaining}
    denials = Denials(cast(RunContext, context), tasks, cast(Any, None), lambda: list(denied))
    for number, budgets in denied.items():
        balances = (Balance(budget=budget, spent=spent, reserved=0, metered=0) for budget in budgets)
        denials.add(
            number, Denial(key=number, shortfalls=tuple(Shortfall(balance=each, wanted=wanted) for each in balances))
        )
    denials.tell_what_remains(remaining, lambda _: None)
    return {event.task: event.because for event in said}


def test_a_denied_task_hears_of_those_that_denied_it() -> None:
    assert told({"1": [ALL, FIRST], "2": [SECOND]}, "1", "2") == {
        "1": "budgets all, task-1 have no room for it",
        "2": "budget task-2 has no room for it",
    }


def test_a_task_that_was_not_asked_for_hears_of_those_that_all_share() -> None:
    assert told({"1": [ALL, FIRST]}, "1", "3")["3"] == "budget all has no room for it"


def test_who_has_something_left_says_how_much_and_what_is_needed() -> None:
    both = told({"1": [ALL, FIRST]}, "1", "3", spent=4)
    figures = "all: 6 tokens left, 50 tokens needed; task-1: 6 tokens left, 50 tokens needed"
    assert both["1"] == f"budgets all, task-1 have no room for it ({figures})"
    assert both["3"] == "budget all has no room for it"  # nobody knows what it would need
    dollars = told({"1": [MONEY]}, "1", spent=3_921_000_001, wanted=2_683_002_000)["1"]
    assert dollars == "budget month has no room for it (1.07 USD left, 2.69 USD needed)"


def test_an_unknown_cost_is_said_of_whom_it_concerns() -> None:
    because = "no price of model-1 is known; state one in a [[price]] table, or set the budget's allow_unknown_price"
    assert told({"1": [MONEY]}, "1", wanted=None) == {"1": f"budget month refuses a cost that is unknown: {because}"}
    both = told({"1": [MONEY, ALL]}, "1", "2", wanted=None)
    assert both["1"] == f"budgets all, month refuse a cost that is unknown: {because}"
    assert both["2"] == "budgets all, month refuse a cost that is unknown"  # nobody has asked for it yet


def test_nothing_is_told_where_nothing_was_denied() -> None:
    assert told({}, "1") == {}
