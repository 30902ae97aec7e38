"""The learned policy in made-up worlds: it comes near the best fixed order, stops in time and keeps to a budget."""

from __future__ import annotations

import pytest
from benchmarks.routing_worlds import OFFERS, WORLDS, World, attempt_at, best_ladder, build_world, play, usual_cost

from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, Offer, PastAttempt, Purchase, RulesPolicy

FACTS = Facts("bug-fix", "world")
SEED = 20


def fresh(task: str = "new", value: float = 2.0, **rest: object) -> Purchase:
    return Purchase(task=task, facts=FACTS, offers=OFFERS, value_usd=value, **rest)  # type: ignore[arg-type]


def taught(name: str, tasks: int = 150, seed: int = SEED) -> LearnedPolicy:
    """A policy that has seen every model on every task of a world."""
    policy = LearnedPolicy()
    for number, task in enumerate(build_world(name, tasks, seed)):
        for offer in OFFERS:
            policy.observe(str(number), FACTS, attempt_at(task, offer.name, None))
    return policy


@pytest.mark.parametrize("name", WORLDS)
def test_it_comes_near_the_best_fixed_order_in_every_world(name: str) -> None:
    """Cold start included: 200 tasks, each worth ten usual attempts."""
    world = build_world(name, 200, SEED)
    value = 10 * usual_cost(world)
    got = sum(play(LearnedPolicy(), world, value)) / len(world)
    assert got >= 0.9 * best_ladder(world, value), f"{name}, seed {SEED}"


@pytest.mark.parametrize("name", WORLDS)
def test_it_brings_more_than_the_rules_where_tasks_are_worth_little(name: str) -> None:
    world = build_world(name, 200, SEED)
    value = usual_cost(world)
    assert sum(play(LearnedPolicy(), world, value)) > sum(play(RulesPolicy(), world, value)), f"{name}, seed {SEED}"


def test_the_same_words_get_the_same_answers() -> None:
    choices = [taught("dearer is better", 40).choose(fresh(value=value / 4)) for _ in range(2) for value in range(9)]
    assert choices[:9] == choices[9:]


def test_it_stops_where_another_attempt_is_not_worth_its_price() -> None:
    policy = taught("dearer is better")
    failed = PastAttempt(OFFERS[0].name, AttemptVerdict.FAIL, 0.08)
    left = OFFERS[1:]
    little, much = (
        policy.choose(Purchase(task="new", facts=FACTS, offers=left, attempts=(failed,), value_usd=value))
        for value in (0.05, 20.0)
    )
    assert little.model is None
    assert much.model in {offer.name for offer in left}


def test_a_failure_makes_the_task_look_harder_for_the_others() -> None:
    policy = taught("all fail together")
    large = OFFERS[-1]
    failed = PastAttempt(OFFERS[0].name, AttemptVerdict.FAIL, 0.1)
    before, after = (
        policy.candidates(Purchase(task="t", facts=FACTS, offers=(large,), attempts=attempts))[0].chance
        for attempts in ((), (failed,))
    )
    assert after < before / 2


def test_a_long_attempt_is_ended_where_failures_run_for_ever() -> None:
    assert taught("failures run for ever").choose(fresh(value=1.0)).cap_usd is not None


def test_a_weaker_and_dearer_model_is_named_and_not_bought() -> None:
    policy = taught("small is weak and dear")
    small = policy.candidates(fresh())[0]
    assert small.dominated_by == OFFERS[1].name
    assert all(policy.choose(fresh(f"new-{value}", value)).model != small.model for value in (0.01, 1.0, 100.0))


def test_a_second_try_is_a_purchase_worse_than_the_first() -> None:
    candidates = taught("dearer is better").candidates(fresh())
    assert len(candidates) == len(OFFERS)
    for candidate in candidates:
        assert 0 < candidate.second_chance < candidate.chance
        assert candidate.second_cost_usd > 0


def test_a_verifier_that_is_often_wrong_is_found_out_by_audits() -> None:
    """Work that was refused is kept rather than bought again, once verdicts are known to mean little."""
    policy = taught("dearer is better")
    failed = PastAttempt(OFFERS[2].name, AttemptVerdict.FAIL, 1.0)
    purchase = Purchase(task="t", facts=FACTS, offers=OFFERS[:1], attempts=(failed,), value_usd=0.9)
    trusted = policy.choose(purchase)
    for number in range(60):
        attempt = PastAttempt(OFFERS[2].name, AttemptVerdict.FAIL, 1.0)
        policy.observe(f"audited-{number}", FACTS, attempt)
        policy.audit(f"audited-{number}", solved=number % 3 > 0)
    assert trusted.model is not None
    assert policy.choose(purchase).model is None


@pytest.mark.parametrize("budget", [0.3, 2.0, 20.0])
def test_a_plan_never_costs_more_than_its_budget(budget: float) -> None:
    policy, world = LearnedPolicy(), build_world("failures run for ever", 60, SEED)
    for start in range(0, 60, 10):
        attempts: dict[str, tuple[PastAttempt, ...]] = {str(number): () for number in range(start, start + 10)}
        assert spend(policy, world, budget, attempts) <= budget + 1e-9


def test_all_tasks_of_a_plan_get_a_try_before_one_gets_a_second() -> None:
    policy = taught("dearer is better")
    attempts: dict[str, tuple[PastAttempt, ...]] = dict.fromkeys("abcd", ())
    first = []
    for _ in attempts:
        choice = policy.choose_next([ready(name, tried) for name, tried in attempts.items()], 1.0)
        assert choice is not None
        first.append(choice.task)
        attempts[choice.task] = (PastAttempt(str(choice.model), AttemptVerdict.FAIL, 0.06),)
    assert sorted(first) == list(attempts)


def test_of_many_models_the_strongest_is_always_looked_at() -> None:
    policy = LearnedPolicy()
    offers = tuple(Offer(f"m{number}", "small") for number in range(9))
    for number in range(40):
        for offer in offers:
            good = offer.name == "m8" or number % 4 == 0
            verdict = AttemptVerdict.PASS if good else AttemptVerdict.FAIL
            policy.observe(f"{number}/{offer.name}", FACTS, PastAttempt(offer.name, verdict, 1.0 if good else 0.2))
    choice = policy.choose(Purchase(task="t", facts=FACTS, offers=offers, value_usd=50.0, must_try=True))
    assert choice.model == "m8"


def ready(name: str, tried: tuple[PastAttempt, ...]) -> Purchase:
    names = {attempt.model for attempt in tried}
    offers = tuple(offer for offer in OFFERS if offer.name not in names)
    return Purchase(task=name, facts=FACTS, offers=offers, attempts=tried)


def spend(policy: LearnedPolicy, world: World, left: float, attempts: dict[str, tuple[PastAttempt, ...]]) -> float:
    """Buys attempts until the policy stops; what was spent."""
    spent, done = 0.0, set()
    while True:
        tasks = [ready(name, tried) for name, tried in attempts.items() if name not in done and len(tried) < 3]
        choice = policy.choose_next(tasks, left - spent) if tasks else None
        if choice is None or choice.model is None:
            return spent
        attempt = attempt_at(world[int(choice.task)], choice.model, choice.cap_usd)
        policy.observe(choice.task, FACTS, attempt)
        attempts[choice.task] = (*attempts[choice.task], attempt)
        spent += attempt.cost_usd
        if attempt.verdict is AttemptVerdict.PASS:
            done.add(choice.task)
