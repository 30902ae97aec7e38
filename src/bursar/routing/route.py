"""The documented rules: what the plan says, else by complexity, written or scored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bursar.plan import Task
from bursar.routing.complexity import score_task

_TIER_OF_MODEL = {"haiku": "small", "sonnet": "medium", "opus": "large"}
_EXPLORERS = frozenset({"explore"})


class Tier(StrEnum):
    """An ordered class of models; which model stands for it is the agent's setting."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


TIERS = tuple(Tier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What to ask the agent for: a tier, or a model by its full name when the plan names one; and why."""

    model_or_tier: str
    reason: str


def choose_route(task: Task) -> Route:
    """The plan's `model` if there is one; else the tier of its complexity (1-3, 4-8, 9-10), as written or else scored.

    `explore` tasks without either read more than they write, and go to the small tier.
    """
    if task.model:
        return Route(
            model_or_tier=_TIER_OF_MODEL.get(task.model.lower(), task.model), reason=f"the plan says {task.model}"
        )
    if task.complexity is not None:
        return Route(model_or_tier=tier_for(task.complexity), reason=f"complexity {task.complexity}")
    if task.subagent in _EXPLORERS:
        return Route(model_or_tier=Tier.SMALL, reason="exploring")
    scored = score_task(task)
    return Route(model_or_tier=tier_for(scored.score), reason=f"complexity {scored.score}: {scored.reason}")


def larger_tier(tier: Tier) -> Tier | None:
    """One up; None above the largest."""
    place = TIERS.index(tier) + 1
    return TIERS[place] if place < len(TIERS) else None


def smaller_tier(tier: Tier) -> Tier | None:
    """One down; None below the smallest."""
    place = TIERS.index(tier)
    return TIERS[place - 1] if place else None


def tier_for(complexity: float) -> Tier:
    """The documented table: 1-3 small, 4-8 medium, 9-10 large."""
    if complexity <= 3:
        return Tier.SMALL
    return Tier.MEDIUM if complexity <= 8 else Tier.LARGE
