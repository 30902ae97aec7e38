"""The folder of one phase: its plans, and how far each is by the SUMMARY beside it. Nothing is resolved or ordered."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bursar.plan.identity import identify_plan
from bursar.plan.model import Plan, PlanIdentity, Position, Problem, UnreadablePlan
from bursar.plan.read import read_bytes, read_plan
from bursar.plan.references import referenced_phase
from bursar.plan.roadmap_model import normal_number
from bursar.plan.summary import summary_path

MAX_PLANS = 1_000
_WARNED_KEYS = ("depends_on", "wave")
# Words after PLAN make it a plan too (`12-PLAN-01`, `01-PLAN-async-queue`), unless they shout: `01-PLAN-REVIEW`.
_PLAN_NAME = re.compile(r"(?:.*-)?PLAN(?:-[a-z0-9].*)?\.md")
_HALTED = re.compile(r"^status:[ \t]*[\"']?halted[\"']?[ \t]*(?:#.*)?$", re.MULTILINE | re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)^---[ \t]*$", re.MULTILINE | re.DOTALL)
_NUMBER_WITH_A_DASH = re.compile(r"(\d+)-(\d+)(?=-|$)")


class PlanStatus(StrEnum):
    """How far a plan is: a SUMMARY means that it is done, unless its front matter says `status: halted`.

    A plan is halted when it came to a stop that was foreseen (a question answered with no, a gate that did not open),
    and what was to build on it cannot be done as planned.
    """

    PENDING = "pending"
    COMPLETED = "completed"
    HALTED = "halted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOnDisk:
    """One plan file of a folder.

    Attributes:
        plan: it may be unreadable; None where only the file's name was looked at.
        lines: where keys of its front matter stand.
    """

    path: Path
    identity: PlanIdentity
    status: PlanStatus
    plan: Plan | UnreadablePlan | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def position(self, key: str) -> Position:
        """Where a key of the front matter stands; the file's first line where it cannot be found."""
        return Position(self.lines.get(key, 1))

    @property
    def content(self) -> Plan | None:
        """What could be read of the plan, whether it can be run or not."""
        return self.plan.draft if isinstance(self.plan, UnreadablePlan) else self.plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFolder:
    """A phase's plans in the order of their names, and the plans of other phases that they may refer to.

    Attributes:
        phase: the number that the folder bears, normalised; its name where it bears none.
    """

    path: Path
    phase: str
    plans: tuple[PlanOnDisk, ...]
    elsewhere: tuple[PlanOnDisk, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_phase_plans(path: Path) -> PhaseFolder | Problem:
    """All plans in the folder at `path`; an unreadable plan is one of them, an unreadable folder a problem."""
    folder = path.absolute()
    try:
        files = list_plans(folder)
    except OSError as error:
        return Problem(path, Position(1), f"cannot be read: {error.strerror or error}")
    warnings = []
    if len(files) > MAX_PLANS:
        message = f"has {len(files)} plans; only the first {MAX_PLANS} are read"
        warnings.append(Problem(path, Position(1), message, is_error=False))
    plans = tuple(read_plan_on_disk(path / file.name) for file in files[:MAX_PLANS])
    return PhaseFolder(
        path=path,
        phase=folder_number(folder.name) or folder.name,
        plans=plans,
        elsewhere=tuple(_plans_elsewhere(folder, plans)),
        warnings=tuple(warnings),
    )


def list_plans(folder: Path) -> list[Path]:
    """The plan files of a folder, by name, numbers within names as numbers.

    Raises:
        OSError: the folder cannot be listed.
    """
    names = [name for name in os.listdir(folder) if _PLAN_NAME.fullmatch(name)]
    return [folder / name for name in sorted(names, key=lambda name: _natural(name[:-3]))]


def find_phase_folders(phases: Path, phase: str) -> list[Path]:
    """The folders in `phases` that a person means by a name or number: one, none, or several that bear the number."""
    folders = _folders(phases)
    by_name = [folder for folder in folders if folder.name == phase]
    if by_name:
        return by_name
    wanted = normal_number(phase) if folder_number(phase) == normal_number(phase) else ""
    found = [folder for folder in folders if wanted and folder_number(folder.name) == wanted]
    return found or [folder for folder in folders if wanted and _number_with_a_dash(folder.name) == wanted]


def folder_number(folder: str) -> str:
    """The number that the name of a phase's folder begins with, normalised; empty where there is none."""
    return identify_plan(Path(folder, "PLAN.md"), folder, {}).phase_number


def read_plan_on_disk(path: Path) -> PlanOnDisk:
    """The plan at `path`, whatever the file is called, and how far it is."""
    folder = path.absolute().parent
    plan = read_plan(path)
    content = plan.draft if isinstance(plan, UnreadablePlan) else plan
    identity = content.identity if content else identify_plan(path, folder.name, {})
    return PlanOnDisk(path=path, identity=identity, status=_status(path, identity), plan=plan, lines=_lines(path))


def _lines(path: Path) -> dict[str, int]:
    """The lines of the keys that are warned of; the first of each counts."""
    data = read_bytes(path)
    lines: dict[str, int] = {}
    for number, line in enumerate(data.split(b"\n") if isinstance(data, bytes) else (), start=1):
        key = line.partition(b":")[0].decode("ascii", "replace")
        if key in _WARNED_KEYS:
            lines.setdefault(key, number)
    return lines


def _glance(path: Path) -> PlanOnDisk:
    """A plan by its name alone."""
    identity = identify_plan(path, path.parent.name, {})
    return PlanOnDisk(path=path, identity=identity, status=_status(path, identity))


def _plans_elsewhere(folder: Path, plans: Sequence[PlanOnDisk]) -> Iterator[PlanOnDisk]:
    """The plans of every other phase that a plan's dependencies name, where its folder lies beside this one."""
    own = folder_number(folder.name)
    references = [reference for plan in plans if plan.content for reference in plan.content.depends_on]
    phases = dict.fromkeys(filter(None, map(referenced_phase, references)))
    for phase in phases:
        for other in find_phase_folders(folder.parent, phase) if normal_number(phase) != own else ():
            try:
                yield from map(_glance, list_plans(other)[:MAX_PLANS])
            except OSError:
                continue  # as if it were not there: what is looked for in it is unknown, and that is said


def _status(path: Path, identity: PlanIdentity) -> PlanStatus:
    names = (summary_path(path).name, f"{path.stem.replace('PLAN', 'SUMMARY')}.md", f"{identity.id}-SUMMARY.md")
    for name in dict.fromkeys(names):
        summary = path.with_name(name)
        if name != path.name and summary.is_file():
            return PlanStatus.HALTED if is_halted(summary) else PlanStatus.COMPLETED
    return PlanStatus.PENDING


def is_halted(summary: Path) -> bool:
    """Whether the front matter says so; it is not read as YAML, as one in a hundred is none."""
    data = read_bytes(summary, "summary")
    if isinstance(data, Problem):
        return False
    text = data.decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n")
    front = _FRONT_MATTER.match(text)
    return front is not None and _HALTED.search(front[1]) is not None


def _folders(phases: Path) -> list[Path]:
    try:
        with os.scandir(phases) as entries:
            names = sorted((entry.name for entry in entries if entry.is_dir()), key=_natural)
    except OSError:
        return []
    return [phases / name for name in names]


def _number_with_a_dash(folder: str) -> str:
    """`1.5` of `01-5-name`: some write the point of a phase's number so."""
    match = _NUMBER_WITH_A_DASH.match(folder)
    return normal_number(f"{match[1]}.{match[2]}") if match else ""


def _natural(name: str) -> list[tuple[int, int, str]]:
    """`2` before `10`, and numbers before words."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts if part]
