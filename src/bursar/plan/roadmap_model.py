"""A roadmap as a value. Text from the file is kept as the author wrote it; numbers of phases are text, normalised."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bursar.plan.model import Position, Problem


class PhaseStatus(StrEnum):
    """How far a phase is, by its marks, check boxes, table rows and plans in the roadmap."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    DROPPED = "dropped"  # superseded, removed: nobody will do it
    PARKED = "parked"  # put off: deferred, backlog, numbers from 999 on

    @property
    def is_to_do(self) -> bool:
        """Whether it is to be worked on: begun or not, but neither at its end nor put off."""
        return self in (PhaseStatus.PLANNED, PhaseStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePlan:
    """A plan as its phase lists it.

    Attributes:
        id: `01-02`, as written without `-PLAN.md`; empty for a line such as `TBD`.
        is_done: its box is ticked.
    """

    id: str
    text: str = ""
    is_done: bool = False
    position: Position = field(default_factory=lambda: Position(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase of a roadmap, whatever headings, check lists and tables say of it taken together.

    Attributes:
        number: `6`, `2.1`, `12A`, `PROJ-42`: leading zeros of every dotted part dropped; unique within the roadmap.
        name: without number and marks; empty where nobody gives one.
        depends_on: numbers of phases of this roadmap, in the author's order, without repeats.
        depends_text: what stands at the label (`Phases 1-3 (all done)`); None where there is no label. Without a label
            nothing is waited for.
        unknown_dependencies: what `depends_text` names that is no phase of this roadmap.
        requirements: `AUTH-01` and the like, as written, one each.
        success_criteria: their texts, one each.
        plans: as the phase lists them.
        planned_plans: `**Plans**: 3 plans`; None where it says nothing.
        milestone: the heading or summary of what the phase stands in; empty where there is none.
        position: of its heading, else of the first line that names it.
    """

    number: str
    name: str = ""
    status: PhaseStatus = PhaseStatus.PLANNED
    goal: str = ""
    depends_on: tuple[str, ...] = ()
    depends_text: str | None = None
    unknown_dependencies: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    success_criteria: tuple[str, ...] = ()
    plans: tuple[PhasePlan, ...] = ()
    planned_plans: int | None = None
    milestone: str = ""
    position: Position = field(default_factory=lambda: Position(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Roadmap:
    """A roadmap that was read; it may have no phase at all. Phases stand in the order of the file."""

    path: Path
    phases: tuple[Phase, ...]
    title: str = ""
    warnings: tuple[Problem, ...] = ()

    def phase(self, number: str) -> Phase | None:
        """The phase of that number, however many zeros and in whatever case it is written."""
        wanted = normal_number(number).upper()
        return next((phase for phase in self.phases if phase.number.upper() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRoadmap:
    """A file that is no roadmap: every problem found in it."""

    path: Path
    problems: tuple[Problem, ...]


def normal_number(number: str) -> str:
    """`06` → `6`, `08.1` → `8.1`; letters and project codes stay as they are."""
    return ".".join(part.lstrip("0") or "0" if part[:1].isdigit() else part for part in number.split("."))
