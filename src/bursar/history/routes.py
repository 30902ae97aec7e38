"""From observations to routes: what finished attempts teach the policy that learns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bursar.estimation import choose_task_type
from bursar.history.observation import Observation
from bursar.money import NANO_PER_USD
from bursar.plan import Task
from bursar.routing import AttemptVerdict, Facts, LearnedPolicy, PastAttempt

ENOUGH_ATTEMPTS = 30  # before so many are known, the rules go on, unless the settings say otherwise
ROUTES_FROM = 1_000  # attempts, the latest: a run does not start later because its history is long
VERDICTS = {
    "succeeded": AttemptVerdict.PASS,
    "failed": AttemptVerdict.FAIL,
    "stopped": AttemptVerdict.CAPPED,
}
_NONE: Mapping[str, str] = MappingProxyType({})


def facts_of(task: Task, project: str, corrections: Mapping[str, str] = _NONE) -> Facts:
    """What is known of a plan's task before it is tried; a type that somebody has given, by the task's digest, goes
    before what is inferred.
    """
    kind = corrections.get(task.digest) or choose_task_type(task)
    return Facts(kind, project, task.complexity, f"{task.name}\n{task.action}")


def learn_policy(observations: Iterable[Observation]) -> tuple[LearnedPolicy, int]:
    """The policy that these attempts, oldest first, have taught; and how many of them taught anything.

    One whose price is unknown, that made no call, or that was interrupted, says nothing about what money brings.
    """
    policy, count = LearnedPolicy(), 0
    with policy.learner.many():
        for seen in observations:
            verdict = VERDICTS.get(seen.outcome)
            if verdict is None or not seen.nano_usd:
                continue
            facts = Facts(kind=seen.task_type, project=seen.project, complexity=seen.complexity)
            task = seen.key.rpartition("/")[0] or seen.key
            policy.observe(task, facts, PastAttempt(seen.model, verdict, seen.nano_usd / NANO_PER_USD))
            count += 1
    return policy, count
