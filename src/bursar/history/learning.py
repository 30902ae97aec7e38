"""From observations to estimates: what an attempt took, and whether it succeeded, as estimates know work."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bursar.estimation import Estimator, Key, SuccessRates
from bursar.history.observation import Observation
from bursar.money import NANO_PER_USD

LEARN_FROM = 250  # observations, the latest: more would take longer to learn from than they are worth
_MEASURES = ("cost_usd", "tokens", "seconds", "calls")


@dataclass(frozen=True, slots=True)
class Experience:
    """What the history teaches.

    Attributes:
        observations: how many attempts it is learned from.
        unbelievable: rows that were passed over.
        priced_attempts: by model how many of them had a known cost.
        corrections: types that people have given, by the task's digest.
        seen: the attempts themselves, oldest first.
    """

    estimator: Estimator
    success: SuccessRates
    observations: int
    unbelievable: int = 0
    priced_attempts: Mapping[str, int] = field(default_factory=dict)
    corrections: Mapping[str, str] = field(default_factory=dict)
    seen: Sequence[Observation] = ()


def learn(observations: Sequence[Observation], unbelievable: int = 0) -> Experience:
    """What these attempts teach, oldest first.

    Interrupted attempts teach nothing: nobody knows what they would have taken. One that a limit stopped would have
    taken more: it counts as the middle one of those that went further.
    """
    estimator, success = Estimator(), SuccessRates()
    known = [seen for seen in observations if seen.outcome != "interrupted"]
    for measure in _MEASURES:
        values = _completed(known, measure)
        keys = [key_of(seen, measure) for seen in known]
        told = [(key, value) for key, value in zip(keys, values, strict=True) if value is not None]
        estimator.observe_all([key for key, _ in told], [value for _, value in told])
    for seen in known:
        if seen.outcome != "stopped":
            success.observe(key_of(seen, "tokens"), seen.outcome == "succeeded")
    priced = Counter(seen.model for seen in known if seen.nano_usd)
    return Experience(estimator, success, len(known), unbelievable, priced, seen=observations)


def key_of(seen: Observation, measure: str) -> Key:
    """The attempt's work as estimates know it."""
    return Key(
        measure=measure,
        model=seen.model,
        type=seen.task_type,
        complexity=seen.complexity,
        project=seen.project,
        task=seen.digest,
        facts=seen.facts,
    )


def _completed(observations: Sequence[Observation], measure: str) -> list[float | None]:
    """What each took, or would have taken; None where it is not known."""
    values = [_value(seen, measure) for seen in observations]
    ends = sorted(
        value
        for seen, value in zip(observations, values, strict=True)
        if value is not None and seen.outcome != "stopped"
    )

    def whole(seen: Observation, value: float | None) -> float | None:
        if value is None or seen.outcome != "stopped":
            return value
        further = ends[bisect_right(ends, value) :]
        return further[len(further) // 2] if further else value

    return [whole(seen, value) for seen, value in zip(observations, values, strict=True)]


def _value(seen: Observation, measure: str) -> float | None:
    if measure == "cost_usd":
        return None if seen.nano_usd is None else seen.nano_usd / NANO_PER_USD
    return {"tokens": float(seen.tokens), "seconds": seen.wall_seconds, "calls": float(seen.calls)}[measure]
