"""Curves of models: what one model's failures say of another."""

from __future__ import annotations

from bursar.routing.purchases import Evidence
from bursar.routing.skill import Skills

GOOD, BAD = (1.0, 0.0), (0.0, 1.0)


def taught(*patterns: tuple[tuple[bool, ...], int]) -> Skills:
    """Skills that have seen so many tasks on which models 0, 1, … did good or bad work."""
    skills = Skills()
    for results, times in patterns:
        seen = tuple(Evidence(f"model-{number}", *(GOOD if good else BAD)) for number, good in enumerate(results))
        skills.count((0.0, seen), times)
    for number in range(3):
        skills.meet(f"model-{number}", "medium")
    skills.fit(40)
    return skills


def chance_after(skills: Skills, failed: str, model: str) -> float:
    """How likely the model does good work where the other did bad work."""
    weights = skills.weights(0.0, (Evidence(failed, *BAD),))
    return sum(w * c for w, c in zip(weights, skills.chances(model), strict=True)) / sum(weights)


def test_where_models_fail_together_a_failure_speaks_for_the_other() -> None:
    together = taught(((True, True), 48), ((False, False), 48), ((True, False), 2), ((False, True), 2))
    alone = taught(((True, True), 25), ((False, False), 25), ((True, False), 25), ((False, True), 25))
    assert chance_after(together, "model-0", "model-1") < chance_after(alone, "model-0", "model-1") - 0.1
