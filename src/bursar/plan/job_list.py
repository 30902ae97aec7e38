"""A job list as a value, and as the plan that the conductor conducts: its tasks wait for nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bursar.plan.model import Metrics, Plan, PlanForm, Position, Problem, Task, TokenRange

_UNSAFE = re.compile(r"[^\w.+-]+", re.ASCII)


class OutputFormat(StrEnum):
    """What a person sees of an instance: its last words, its outcome as one line of JSON, or all that it streams."""

    TEXT = "text"
    JSON = "json"
    STREAM = "stream-json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One agent of a job list.

    Attributes:
        number: its position, from 1, as text.
        name: unique in the list; where the author gives none, made of what the agent is told.
        text: what the agent is told, word for word: a command of the agent (`/analyze src`) or a prompt.
        permission_mode: as the agent's own command line takes it; None leaves it to bursar.
        session_id: the conversation to go on with, or to begin under this id; None for a new one.
        clears_history: the conversation is begun anew, whatever `session_id` says.
        compacts_history: the conversation that it goes on with is summed up first, by the agent itself.
        pre_commands: shell commands that are run in the workspace before the agent starts.
        allowed_tools: what the agent may use without being asked; None leaves it to bursar.
        max_tokens: the most it should use, cache included, which is its estimate too; None where absent.
        digest: sha256 of its own text; changes whenever the author changes the instance.
        files: what the agent is to find in its home, by place: the workspace's file of the command that it is told.
    """

    number: str
    name: str
    text: str
    description: str = ""
    permission_mode: str | None = None
    output_format: OutputFormat = OutputFormat.TEXT
    session_id: str | None = None
    clears_history: bool = False
    compacts_history: bool = False
    pre_commands: tuple[str, ...] = ()
    allowed_tools: tuple[str, ...] | None = None
    max_tokens: int | None = None
    position: Position = field(default_factory=lambda: Position(1))
    digest: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def continues(self) -> bool:
        """It goes on with a conversation, where there is one of its id."""
        return self.session_id is not None and not self.clears_history


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """A file that names several agents to be run at once; `digest` is the sha256 of its bytes."""

    path: Path
    instances: tuple[Instance, ...]
    digest: str = ""
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableJobList:
    """A file that is no job list to run: every problem found in it, in order of position."""

    path: Path
    problems: tuple[Problem, ...]


def plan_of_jobs(jobs: JobList) -> Plan:
    """The job list as a plan: one task for each instance, none of which waits for another or writes a known file."""
    return Plan(
        path=jobs.path,
        id=_UNSAFE.sub("-", jobs.path.stem).strip("-.")[:60] or "jobs",
        phase="",
        number="",
        tasks=tuple(_task(each) for each in jobs.instances),
        form=PlanForm.NONE,
        digest=jobs.digest,
        warnings=jobs.warnings,
    )


def _task(instance: Instance) -> Task:
    tokens = instance.max_tokens
    return Task(
        number=instance.number,
        name=instance.name,
        is_parallel=True,
        action=instance.text,
        metrics=Metrics(estimated_tokens=None if tokens is None else TokenRange(tokens, tokens)),
        position=instance.position,
        digest=instance.digest,
    )
