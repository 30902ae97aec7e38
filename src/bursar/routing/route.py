"""The documented rules: what the plan says, else by complexity, else the middle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bursar.plan import Task

_TIER_OF_MODEL = {"haiku": "small", "sonnet": "medium", "opus": "large"}
_EXPLORERS = frozenset({"explore"})


class Tier(StrEnum):
    """An ordered class of models; which model stands for it is the agent's setting."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What to ask the agent for: a tier, or a model by its full name when the plan names one; and why."""

    model_or_tier: str
    reason: str


def choose_route(task: Task) -> Route:
    """The plan's `model` if there is one; else the tier of its complexity (1-3, 4-8, 9-10); else medium.

    `explore` tasks without either read more than they write, and go to the small tier.
    """
    if task.model:
        return Route(
            model_or_tier=_TIER_OF_MODEL.get(task.model.lower(), task.model), reason=f"the plan says {task.model}"
        )
    if task.complexity is not None:
        return Route(model_or_tier=_tier_for(task.complexity), reason=f"complexity {task.complexity}")
    if task.subagent in _EXPLORERS:
        return Route(model_or_tier=Tier.SMALL, reason="exploring")
    return Route(model_or_tier=Tier.MEDIUM, reason="nothing said: the middle tier")


def _tier_for(complexity: int) -> Tier:
    if complexity <= 3:
        return Tier.SMALL
    return Tier.MEDIUM if complexity <= 8 else Tier.LARGE
