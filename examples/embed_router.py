"""Which model a task gets, what that takes, and a history that both are learned from, in a program of your own.

    python examples/embed_router.py [FOLDER]

`attempt` stands for your agents and your test of their work. A second start in FOLDER knows what the first has learned.
"""

from __future__ import annotations

import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bursar.estimation import Key
from bursar.history import VERDICTS, History, Observation, learn, learn_policy, open_history
from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, Offer, PastAttempt, Purchase

OFFERS = (Offer("small-model", "small"), Offer("large-model", "large"))  # in your order, small to large


def attempt(key: str, model: str, luck: random.Random) -> Observation:
    """How an attempt went; made up. A key is RUN/TASK/ATTEMPT, and is observed once."""
    chance, price = (0.5, 2_000) if model == "small-model" else (0.9, 8_000)  # nano-USD per token
    tokens, outcome = int(luck.lognormvariate(11, 0.5)), "succeeded" if luck.random() < chance else "failed"
    told = {"key": key, "at": datetime.now(UTC).isoformat(), "agent": "mine", "model": model, "outcome": outcome}
    took = {"tokens": tokens, "nano_usd": tokens * price, "calls": 9, "wall_seconds": 60.0}
    work = {"project": "shop", "task_type": "api-impl", "complexity": None, "plan_id": "", "task": "", "subagent": ""}
    return Observation(**told, **took, **work)  # type: ignore[arg-type]


def finish(task: str, policy: LearnedPolicy, history: History, luck: random.Random) -> bool:
    """Models are bought until the work is good, or the next one is not worth its price."""
    tried, facts = tuple[PastAttempt, ...](), Facts(kind="api-impl", project="shop")
    while not tried or tried[-1].verdict is not AttemptVerdict.PASS:
        left = tuple(offer for offer in OFFERS if offer.name not in [each.model for each in tried])
        choice = policy.choose(Purchase(task=task, facts=facts, offers=left, attempts=tried, value_usd=3.0))
        if choice.model is None:
            return False
        history.record(seen := attempt(f"{task}/{len(tried)}", choice.model, luck))  # end yours at choice.cap_usd
        tried += (PastAttempt(seen.model, VERDICTS[seen.outcome], (seen.nano_usd or 0) / 1e9),)
        policy.observe(task, facts, tried[-1])
    return True


def main(folder: Path) -> None:
    history, luck = open_history(folder / "history.db"), random.Random(1)
    policy, known = learn_policy(history.observations())
    done = sum(finish(f"{known}/{number}", policy, history, luck) for number in range(30))
    key = Key(measure="cost_usd", model="small-model", type="api-impl", project="shop")
    said = learn(seen := history.observations()).estimator.estimate(key)
    sys.stdout.write(f"knew {known} attempts, made {len(seen) - known}: {done} of 30 tasks are done\n")
    sys.stdout.write(f"the small model's next attempt: {said.p50:.2f} USD, {said.p10:.2f} to {said.p90:.2f}\n")
    history.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else made))
