"""What `plan annotate` writes at a task, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bursar.plan.model import ContextMode, TokenRange
from bursar.plan.original import Edit

ESTIMATED_BY = "bursar"  # marks a range that no author wrote: it is for people, and never read as their word


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAnnotation:
    """What to write at one task, where its author wrote nothing; None: nothing at all.

    Attributes:
        depends_on: every dependency; empty says that there is none.
        estimated_tokens: of one attempt, cache included.
    """

    subagent: str | None = None
    model: str | None = None
    is_parallel: bool | None = None
    complexity: int | None = None
    depends_on: tuple[str, ...] | None = None
    context_mode: ContextMode | None = None
    estimated_tokens: TokenRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """A plan's text with annotations.

    Attributes:
        text: the whole text, which reads as the plan did but for what was added.
        edits: what was added where, by offsets in the text before; only a generated section is ever replaced.
        added: by task, the attributes and elements that it was given; nothing for a task that had them all.
        has_own_section: the plan has a `<task_dependency_graph>` of its author's, so none was generated.
    """

    text: str
    edits: tuple[Edit, ...] = ()
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    has_own_section: bool = False
