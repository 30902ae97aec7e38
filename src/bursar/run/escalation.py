"""What comes after an attempt that has failed: a larger tier, another provider's agent, or nothing. And what the next
attempt is told of it: the verdict and the work that failed, both cut short; never the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bursar.agents import Agent
from bursar.plan import Task
from bursar.routing import Tier, choose_route, larger_tier, smaller_tier

MOST_LOG_CHARACTERS = 4_000
MOST_DIFF_CHARACTERS = 12_000
_RATE_LIMITED = re.compile(r"\b429\b|rate.?limit|too many requests|overloaded|usage limit reached", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Escalated:
    """The task's next attempt goes to another model or agent, for this reason."""

    model: str
    because: str


@dataclass(slots=True)
class Escalation:
    """The routes of tasks that are not on their first one any more.

    Attributes:
        agents: the run's agent first, then those to fail over to.
        max_attempts: at one task in this run, those not counted that a rate limit ended.
    """

    agents: Sequence[Agent]
    max_attempts: int = 1
    _tiers: dict[str, Tier] = field(default_factory=dict)
    _agents: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _lessons: dict[str, str] = field(default_factory=dict)

    def agent_of(self, task: Task) -> Agent:
        """The agent that works on the task."""
        return self.agents[self._agents.get(task.number, 0)]

    def model_of(self, task: Task) -> str:
        """The model that works on the task, in its agent's words."""
        wanted = self._tiers.get(task.number) or choose_route(task).model_or_tier
        return self.agent_of(task).model_for(wanted)

    def lesson_of(self, task: Task) -> str:
        """What the next attempt is told of the last one; empty for nothing."""
        return self._lessons.get(task.number, "")

    def escalate(self, task: Task, reason: str, lesson: str) -> Escalated | None:
        """After a failed attempt: the task goes to the next larger tier with another model; None if it has failed.

        A task whose plan names a model in full stays with it, and is not tried again.
        """
        if _RATE_LIMITED.search(reason) and self._agents.get(task.number, 0) + 1 < len(self.agents):
            return self._fail_over(task)
        failures = self._failures[task.number] = self._failures.get(task.number, 0) + 1
        larger = self._other(task, larger_tier)
        if failures >= self.max_attempts or larger is None:
            return None
        self._tiers[task.number] = larger
        self._lessons[task.number] = lesson
        model = self.model_of(task)
        return Escalated(model, f"goes to {model}, one tier up: {reason}")

    def downgrade(self, task: Task) -> Escalated | None:
        """The task goes to the next smaller tier with another model, because there is no money for this one."""
        smaller = self._other(task, smaller_tier)
        if smaller is None:
            return None
        self._tiers[task.number] = smaller
        model = self.model_of(task)
        return Escalated(model, f"goes to {model}, one tier down: the budget has no room for more")

    def restore(self, task: Task, tier: Tier | None) -> None:
        """An earlier conductor had the task on this tier."""
        if tier is not None:
            self._tiers[task.number] = tier

    def tier_of(self, task: Task) -> Tier | None:
        """The tier that the task is on; None where its plan names a model in full."""
        wanted = self._tiers.get(task.number) or choose_route(task).model_or_tier
        return Tier(wanted) if wanted in tuple(Tier) else None

    def _fail_over(self, task: Task) -> Escalated:
        limited = self.agent_of(task).name
        self._agents[task.number] = self._agents.get(task.number, 0) + 1
        model = self.model_of(task)
        return Escalated(model, f"goes to agent {self.agent_of(task).name}: {limited} is rate limited")

    def _other(self, task: Task, step: Callable[[Tier], Tier | None]) -> Tier | None:
        """The nearest tier in that direction for which the agent has another model."""
        tier, agent = self.tier_of(task), self.agent_of(task)
        if tier is None:
            return None
        now = agent.model_for(tier)
        while tier is not None and agent.model_for(tier) == now:
            tier = step(tier)
        return tier


def build_lesson(model: str, note: str, log: str, diff: str) -> str:
    """What an attempt is told of the one before it, in Markdown; the log's end and the diff's beginning, cut short."""
    parts = [f"{model} has tried this task before you and failed: {note}. Its changes are not in your worktree."]
    if log.strip():
        parts.append(f"The end of what the verify command printed:\n\n{_fence(log[-MOST_LOG_CHARACTERS:], 'text')}")
    if diff.strip():
        cut = "" if len(diff) <= MOST_DIFF_CHARACTERS else "\n… cut short"
        parts.append(f"What it had changed:\n\n{_fence(diff[:MOST_DIFF_CHARACTERS] + cut, 'diff')}")
    return "\n\n".join(parts)


def _fence(text: str, kind: str) -> str:
    """A code block that its text cannot end."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{kind}\n{text.strip()}\n{fence}"
