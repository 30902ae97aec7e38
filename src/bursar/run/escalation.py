"""What comes after an attempt that has failed: a larger tier, another provider's agent, or nothing. And what the next
attempt is told of it: the verdict and the work that failed, both cut short; never the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bursar.agents import Agent
from bursar.plan import Task
from bursar.routing import PastAttempt, Tier, choose_route, larger_tier, smaller_tier
from bursar.run.advice import Advice

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
        advice: what was learned, if that is to choose; None: the rules do.
    """

    agents: Sequence[Agent]
    max_attempts: int = 1
    advice: Advice | None = None
    _caps: dict[str, int | None] = field(default_factory=dict)
    _tiers: dict[str, Tier] = field(default_factory=dict)
    _agents: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _lessons: dict[str, str] = field(default_factory=dict)

    def agent_of(self, task: Task) -> Agent:
        """The agent that works on the task."""
        return self.agents[self._agents.get(task.number, 0)]

    def model_of(self, task: Task) -> str:
        """The model that works on the task, in its agent's words."""
        return self.agent_of(task).model_for(self._wanted(task))

    def cap_of(self, task: Task) -> int | None:
        """Nano-USD at which the advice would end the task's next attempt; None for nowhere."""
        return self._caps.get(task.number)

    def lesson_of(self, task: Task) -> str:
        """What the next attempt is told of the last one; empty for nothing."""
        return self._lessons.get(task.number, "")

    def escalate(self, task: Task, reason: str, lesson: str, attempt: PastAttempt | None = None) -> Escalated | None:
        """After a failed attempt: the task goes to the next larger tier with another model; None if it has failed.

        A task whose plan names a model in full stays with it, and is not tried again. Where there is advice, it says
        which tier is worth its money, a smaller one too, or that none is.

        Args:
            attempt: what failed and what it cost; None where nobody knows the price.
        """
        if _RATE_LIMITED.search(reason) and self._agents.get(task.number, 0) + 1 < len(self.agents):
            return self._fail_over(task)
        failures = self._failures[task.number] = self._failures.get(task.number, 0) + 1
        if failures >= self.max_attempts:
            return None
        if self.advice is not None and attempt is not None and not task.model:
            advised = self.advice.after(task, self.agent_of(task), attempt)
            return None if advised is None else self._move(task, advised.tier, advised.cap_nano_usd, reason, lesson)
        larger = self._other(task, larger_tier)
        return None if larger is None else self._move(task, larger, None, reason, lesson)

    def teach(self, task: Task, lesson: str) -> None:
        """The next attempt is told this of the ones before it; the task's route stays."""
        self._lessons[task.number] = lesson

    def _move(self, task: Task, tier: Tier, cap: int | None, reason: str, lesson: str) -> Escalated:
        before = self.tier_of(task)
        self._tiers[task.number], self._caps[task.number] = tier, cap
        self._lessons[task.number] = lesson
        model = self.model_of(task)
        is_next = before is not None and tier is self._next_above(task, before)
        return Escalated(model, f"goes to {model}{', one tier up' if is_next else ''}: {reason}")

    def downgrade(self, task: Task) -> Escalated | None:
        """The task goes to the next smaller tier with another model, because there is no money for this one."""
        smaller = self._other(task, smaller_tier)
        if smaller is None:
            return None
        self._tiers[task.number] = smaller
        self._caps.pop(task.number, None)
        model = self.model_of(task)
        return Escalated(model, f"goes to {model}, one tier down: the budget has no room for more")

    def restore(self, task: Task, tier: Tier | None) -> None:
        """An earlier conductor had the task on this tier."""
        if tier is not None:
            self._tiers[task.number] = tier

    def tier_of(self, task: Task) -> Tier | None:
        """The tier that the task is on; None where its plan names a model in full."""
        wanted = self._wanted(task)
        return Tier(wanted) if wanted in tuple(Tier) else None

    def _wanted(self, task: Task) -> str:
        """The tier, or a model that the plan names; what advice says of a task's first attempt holds for the run."""
        if task.number not in self._tiers and self.advice is not None:
            advised = self.advice.first(task, self.agent_of(task))
            if advised is not None:
                self._tiers[task.number], self._caps[task.number] = advised.tier, advised.cap_nano_usd
        return self._tiers.get(task.number) or choose_route(task).model_or_tier

    def _fail_over(self, task: Task) -> Escalated:
        limited = self.agent_of(task).name
        self._agents[task.number] = self._agents.get(task.number, 0) + 1
        model = self.model_of(task)
        return Escalated(model, f"goes to agent {self.agent_of(task).name}: {limited} is rate limited")

    def _other(self, task: Task, step: Callable[[Tier], Tier | None]) -> Tier | None:
        """The nearest tier in that direction for which the agent has another model."""
        tier = self.tier_of(task)
        return None if tier is None else self._beside(task, tier, step)

    def _next_above(self, task: Task, tier: Tier) -> Tier | None:
        return self._beside(task, tier, larger_tier)

    def _beside(self, task: Task, tier: Tier, step: Callable[[Tier], Tier | None]) -> Tier | None:
        agent = self.agent_of(task)
        now, found = agent.model_for(tier), step(tier)
        while found is not None and agent.model_for(found) == now:
            found = step(found)
        return found


def build_lesson(model: str, note: str, log: str, diff: str) -> str:
    """What an attempt is told of the one before it, in Markdown; the log's end and the diff's beginning, cut short."""
    parts = [f"{model} has tried this task before you and failed: {note}. Its changes are not in your worktree."]
    if log.strip():
        parts.append(f"The end of what the verify command printed:\n\n{fence(log[-MOST_LOG_CHARACTERS:], 'text')}")
    if diff.strip():
        parts.append(f"What it had changed:\n\n{fence_diff(diff)}")
    return "\n\n".join(parts)


def fence_diff(diff: str) -> str:
    """The beginning of a patch, as a code block."""
    cut = "" if len(diff) <= MOST_DIFF_CHARACTERS else "\n… cut short"
    return fence(diff[:MOST_DIFF_CHARACTERS] + cut, "diff")


def fence(text: str, kind: str) -> str:
    """A code block that its text cannot end."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{kind}\n{text.strip()}\n{fence}"
