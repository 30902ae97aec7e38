"""A plan as a value. Text from the file is kept as the author wrote it; nothing here has been run or resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class ContextMode(StrEnum):
    """What an attempt is told of the work before it."""

    FRESH = "fresh"
    INHERITED = "inherited"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; line and column count from 1."""

    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that is wrong (`is_error`) or only odd. `str()` is `file:line:column: message`."""

    path: Path
    position: Position
    message: str
    is_error: bool = True
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.position.line}:{self.position.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class TokenRange:
    """An author's guess, `5000-8000`; a single number has low = high."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the author wrote in `<metrics>`; None where it is absent.

    Attributes:
        estimated_tokens: as written: the author's idea of what the task takes.
        estimated_minutes: low and high.
        estimated_by: who guessed `estimated_tokens`, where it was not the author: a range that `plan annotate` wrote is
            for people, and no attempt is held money for by it.
        token_budget: the most this task may use, cache included; a blocking limit.
        complexity_breakdown: parts of the work and their tokens, e.g. `file-reading` → 2000.
    """

    estimated_tokens: TokenRange | None = None
    estimated_minutes: tuple[int, int] | None = None
    estimated_by: str | None = None
    token_budget: int | None = None
    complexity_breakdown: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointOption:
    """One of the answers that a decision offers; `id` is `option-a` or, where the author gives none, its position."""

    id: str
    name: str = ""
    pros: str = ""
    cons: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a person is to look at, decide or do; text is empty where the author gives none.

    Attributes:
        kind: `human-verify`, `decision`, `human-action`, as written after `checkpoint:`; empty for a bare `checkpoint`.
        gate: `blocking`, `non-blocking`, … as written. Every checkpoint waits, whatever its gate.
        what_built: what there is to look at, and `how_to_verify`: how.
        instructions: what to do, where a person must act.
        decision: the question, `context` what bears on it, and `options` the answers to choose from.
        resume_signal: what the person answers when it is done.
    """

    kind: str = ""
    gate: str = ""
    what_built: str = ""
    how_to_verify: str = ""
    instructions: str = ""
    decision: str = ""
    context: str = ""
    options: tuple[CheckpointOption, ...] = ()
    resume_signal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of a plan.

    Attributes:
        number: as text, `4`, `16-01-1`; unique within the plan.
        name: without its `Task 4:` label; empty where the author gives none (see `title`).
        type: as written (`auto`, `checkpoint:human-verify`, …); `auto` where absent.
        files: paths the task is due to write, as written and cleaned of notes; data, never opened by the reader.
        verify: the text of `<verify>`, and `commands` what of it can be run (see `verify_commands`).
        depends_on: numbers of the tasks that must be merged first, resolved: never None.
        model: as written (`haiku`, `sonnet`, `opus`, or a full model name); None where absent.
        complexity: `estimated-complexity`, 1 to 10; None where absent.
        is_parallel: `parallel="can-parallelize"`.
        is_tdd: a test comes first: `tdd="true"`, type `tdd`, or a `<feature>`.
        checkpoint: what a person is told; None for a task that an agent does.
        details: what other elements say, by name and in the author's order: `read_first`, `behavior`,
            `acceptance_criteria`, …
        digest: sha256 of the task's own text; changes whenever the author changes the task.
    """

    number: str
    name: str
    type: str = "auto"
    subagent: str = "general-purpose"
    model: str | None = None
    complexity: int | None = None
    is_parallel: bool = False
    context_mode: ContextMode = ContextMode.FRESH
    depends_on: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    action: str = ""
    verify: str = ""
    commands: tuple[str, ...] = ()
    done: str = ""
    metrics: Metrics = field(default_factory=Metrics)
    is_tdd: bool = False
    checkpoint: Checkpoint | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    position: Position = field(default_factory=lambda: Position(1))
    digest: str = ""

    @property
    def is_checkpoint(self) -> bool:
        """A person must act; no agent is started for it."""
        return self.type.startswith("checkpoint")

    @property
    def title(self) -> str:
        """The name; without one a checkpoint's type, or the first words of what to do. Never empty."""
        if self.name or self.is_checkpoint:
            return self.name or self.type
        words = " ".join(self.action[:200].split())
        return (words if len(words) <= 60 else words[:59] + "…") or f"Task {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanIdentity:
    """What a plan may be called by; all of it text.

    Attributes:
        id: `08-02`, safe in commit messages and branch names.
        phase: `08-features`, as written, and `number`, `02`: see `Plan`.
        phase_number: `8`, normalised (see `normal_number`); empty where the phase has a name only.
        stem: the name of the file without `.md`.
    """

    id: str
    phase: str
    number: str
    phase_number: str = ""
    stem: str = ""


class PlanForm(StrEnum):
    """How the tasks of a plan are written."""

    XML = "xml"
    HEADINGS = "headings"
    FEATURE = "feature"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan file that was read without errors (warnings may remain).

    Attributes:
        phase: `08-features`, as text; from the front matter, else the folder.
        number: `02`, as text; from the front matter, else the file name.
        id: `08-02`: the phase's number and the plan's; the scope of commit messages.
        phase_number: `8`, as a roadmap has it (see `normal_number`); empty where the phase has a name only.
        form: how its tasks are written; `none` where it has no tasks.
        type: `execute`, `tdd`, …, as written; empty where absent.
        depends_on: references to other plans, as written (see `resolve_plan_reference`).
        wave: what the author wrote, 0 included; None where absent. Dependencies win over it.
        files_modified: paths that the plan as a whole is due to write, cleaned of notes.
        objective: the text of `<objective>`.
        context_paths: what `<context>` and `<execution_context>` name with `@`, without the `@`.
        digest: sha256 of the file's bytes: what a person approves.
        front_matter: every key as read, for the SUMMARY and for later readers.
    """

    path: Path
    id: str
    phase: str
    number: str
    tasks: tuple[Task, ...]
    phase_number: str = ""
    form: PlanForm = PlanForm.XML
    type: str = ""
    depends_on: tuple[str, ...] = ()
    wave: int | None = None
    files_modified: tuple[str, ...] = ()
    objective: str = ""
    context_paths: tuple[str, ...] = ()
    digest: str = ""
    front_matter: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    @property
    def identity(self) -> PlanIdentity:
        """All that the plan may be called by."""
        return PlanIdentity(
            id=self.id,
            phase=self.phase,
            number=self.number,
            phase_number=self.phase_number,
            stem=self.path.stem,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadablePlan:
    """A file that is no plan to run: every problem found in it, errors among them, in order of position.

    Attributes:
        draft: what could be read all the same, to be shown and never to be run; None where there is no text to read.
    """

    path: Path
    problems: tuple[Problem, ...]
    draft: Plan | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that could be read."""
        return self.draft.tasks if self.draft is not None else ()
