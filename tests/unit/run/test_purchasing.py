"""What is bought first: the longest chain while money is ample, most finished work per dollar where it is short."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from bursar.agents import CommandAgent
from bursar.plan import Task
from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, PastAttempt
from bursar.run.advice import Advice, Wish
from bursar.run.escalation import Escalation

PRICES = {"haiku": 0.1, "sonnet": 0.4, "opus": 1.0}
CHANCES = {"haiku": 0.5, "sonnet": 0.7, "opus": 0.9}
AGENT = CommandAgent(("agent",), {"small": "haiku", "medium": "sonnet", "large": "opus"})
TASKS = [Task(number=str(number), name=f"Task {number}") for number in range(1, 11)]


def learned(seed: int = 1, tasks: int = 60) -> LearnedPolicy:
    """A policy that has seen each model fail on what is hard for it."""
    luck, policy = random.Random(seed), LearnedPolicy()
    for number in range(tasks):
        hard = luck.random()
        for model, chance in CHANCES.items():
            verdict = AttemptVerdict.PASS if hard < chance else AttemptVerdict.FAIL
            cost = PRICES[model] * luck.uniform(0.8, 1.25)
            policy.observe(f"earlier/{number}", Facts(project="p"), PastAttempt(model, verdict, cost))
            if verdict is AttemptVerdict.PASS:
                break
    return policy


@dataclass
class Shop:
    """Ten independent tasks of scripted difficulty, one slot, and so much money."""

    left: float
    escalation: Escalation
    difficulty: Mapping[str, float]
    solved: set[str] = field(default_factory=set)
    open: dict[str, Task] = field(default_factory=lambda: {task.number: task for task in TASKS})
    bought: list[tuple[str, str]] = field(default_factory=list)

    def play(self, order: Callable[[Shop], list[str]]) -> int:
        """Buys until nothing is left to buy, or no money; returns how many tasks are done."""
        while self.open and (ready := order(self)) and self.attempt(self.open[ready[0]]):
            pass
        return len(self.solved)

    def attempt(self, task: Task) -> bool:
        """The attempt at that task, if it can be paid; what failed goes on where the escalation says, or is over."""
        model = self.escalation.model_of(task)
        if PRICES[model] > self.left:
            return False
        self.escalation.begun(task)
        self.left -= PRICES[model]
        self.bought.append((task.number, model))
        is_good = self.difficulty[task.number] < CHANCES[model]
        verdict = AttemptVerdict.PASS if is_good else AttemptVerdict.FAIL
        self.escalation.learn(task, PastAttempt(model, verdict, PRICES[model]))
        if is_good:
            self.solved.add(task.number)
        if is_good or self.escalation.escalate(task, "verify command failed", "", is_priced=True) is None:
            del self.open[task.number]
        return True


def shop(left: float, seed: int) -> Shop:
    luck = random.Random(seed)
    difficulty = {task.number: luck.random() for task in TASKS}
    advice = Advice(learned(), "p", value_usd=5.0, seen=60)
    return Shop(left, Escalation((AGENT,), 3, advice), difficulty)


def wishes(shop: Shop) -> list[Wish]:
    escalation = shop.escalation
    return [Wish(task, escalation.agent_of(task), escalation.settled_model(task)) for task in shop.open.values()]


def in_the_plans_order(shop: Shop) -> list[str]:
    """Depth first: a task is brought to its end before the next one is begun."""
    return list(shop.open)


def by_money(shop: Shop) -> list[str]:
    """As the conductor's offers."""
    if not shop.escalation.look_at_money(wishes(shop), shop.left, len(shop.open)):
        return list(shop.open)
    first = next(shop.escalation.buy(wishes(shop), shop.left), None)
    return list(shop.open) if first is None else [first]


@pytest.mark.parametrize("left", [1.5, 2.5])
def test_where_money_is_short_more_tasks_are_done_than_depth_first(left: float) -> None:
    broad = [shop(left, seed).play(by_money) for seed in range(5)]
    deep = [shop(left, seed).play(in_the_plans_order) for seed in range(5)]
    assert sum(broad) > 1.2 * sum(deep), (broad, deep)


def test_where_money_is_short_all_tasks_get_a_cheap_try_before_one_gets_a_second() -> None:
    short = shop(2.0, seed=3)
    short.play(by_money)
    assert {number for number, _ in short.bought[:10]} == {task.number for task in TASKS}
    assert {model for _, model in short.bought[:10]} == {"haiku"}
    assert len(short.bought) > 10


def test_where_money_is_ample_the_order_is_the_schedulers() -> None:
    rich = shop(100.0, seed=3)
    assert not rich.escalation.look_at_money(wishes(rich), rich.left, len(rich.open))
    assert rich.escalation.advice is not None
    assert rich.escalation.advice.price_usd is None


def test_no_task_is_given_up_because_money_is_short_now() -> None:
    """It waits for what the others leave; nothing is worth more than what a finished task is worth, that is all."""
    short = shop(0.25, seed=3)
    short.play(by_money)
    assert short.open


def test_what_is_weighed_speaks_for_all_that_is_open() -> None:
    """Money that is enough for ten tasks is short for a thousand of which these are ten."""
    some = shop(20.0, seed=1)
    assert not some.escalation.look_at_money(wishes(some), some.left, 10)
    assert some.escalation.look_at_money(wishes(some), some.left, 1000)


def test_a_corrected_type_is_what_routes_are_chosen_and_learned_by() -> None:
    class Heard(LearnedPolicy):
        def observe(self, task: str, facts: Facts, attempt: PastAttempt) -> None:
            kinds.append(facts.kind)
            super().observe(task, facts, attempt)

    kinds: list[str] = []
    advice = Advice(Heard(), "p", value_usd=5.0, corrections={"d1": "architecture"})
    for number, task in enumerate(TASKS[:2], start=1):
        advice.learn(replace(task, digest=f"d{number}"), PastAttempt("haiku", AttemptVerdict.FAIL, 0.1))
    assert kinds == ["architecture", "unknown"]
