"""Which plans of some phases are run together, what each waits for, and which are left out and why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bursar.graph.build import build_graph, find_cycles
from bursar.graph.model import Graph, Node
from bursar.graph.plan_index import IndexedPlan, PlanIndex
from bursar.plan import Part, Plan, PlanStatus, Problem, UnreadablePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseToRun:
    """A phase, or some plans that lie in one folder.

    Attributes:
        number: in the roadmap; empty without one.
        depends_on: numbers of phases in the same run.
        index: its plans; None where it has no folder.
        missing: ids of plans that the roadmap lists and that have no file.
        folder: where its plans belong, for a hint.
    """

    number: str = ""
    name: str = ""
    depends_on: tuple[str, ...] = ()
    index: PlanIndex | None = None
    missing: tuple[str, ...] = ()
    folder: str = ""

    @property
    def label(self) -> str:
        """`phase 3 (Rope)`."""
        return f"phase {self.number}" + (f" ({self.name})" if self.name else "")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A phase or a plan that is not run this time, and what to do about it."""

    what: str
    because: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.what} is left out: {self.because}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPlans:
    """What becomes of every plan that was asked for.

    Attributes:
        parts: to be run; none stands before one that it waits for.
        done: those that have a SUMMARY already, where they can still be read.
        after: by id of a plan, the ids of those that go first; in the order of the phases, and of the names within one.
        problems: none of it may be run before they are mended.
    """

    parts: tuple[Part, ...] = ()
    done: tuple[Part, ...] = ()
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Problem, ...] = ()


def choose_plans(phases: Sequence[PhaseToRun], wanted: Callable[[IndexedPlan], bool] | None = None) -> ChosenPlans:
    """The plans of these phases, sorted out.

    A plan waits for the plans it depends on, and for all plans of the phases that its phase depends on. One that is
    halted, and a phase without a plan, is left out with all that would build on it.

    Args:
        wanted: which plans were asked for; None: all.
    """
    return _Choice(phases, wanted).choose()


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: str
    plan: IndexedPlan
    phase: PhaseToRun

    def problem(self, message: str, *, key: str = "depends_on", hint: str | None = None) -> Problem:
        return Problem(self.plan.on_disk.path, self.plan.on_disk.position(key), message, hint=hint)


class _Choice:
    def __init__(self, phases: Sequence[PhaseToRun], wanted: Callable[[IndexedPlan], bool] | None) -> None:
        self._phases = {phase.number or str(place): phase for place, phase in enumerate(phases)}
        self._problems: list[Problem] = []
        self._left_out: list[LeftOut] = []
        self._lost: dict[str, str] = {}  # ids of plans that are not run, and why
        self._unfinished: dict[str, str] = {}  # phases that will not be done after this run, and why
        self._found = self._gather(wanted)

    def choose(self) -> ChosenPlans:
        after = {key: self._goes_after(each) for key, each in self._found.items()}
        nodes = [Node(key, names) for key, names in after.items()]
        graph = build_graph(nodes)
        if not isinstance(graph, Graph):
            for cycle in find_cycles(nodes):
                message = f"plans wait for each other: {cycle.drawing}"
                self._problems.append(self._found[cycle.path[0]].problem(message))
            return ChosenPlans(problems=tuple(self._problems))
        self._check_phases()
        parts: list[Part] = []
        done: list[Part] = []
        for each in map(self._found.__getitem__, graph.order):
            status, content = each.plan.on_disk.status, each.plan.on_disk.plan
            if status is PlanStatus.COMPLETED:
                done += [_part(each, content)] if isinstance(content, Plan) else []
            elif (why := self._why_not(each)) is not None:
                self._lose(each, why)
            elif isinstance(content, Plan) and self._is_fit(each):
                parts.append(_part(each, content))
        return ChosenPlans(
            parts=tuple(parts),
            done=tuple(done),
            after=after,
            left_out=tuple(self._left_out),
            problems=tuple(self._problems),
        )

    def _gather(self, wanted: Callable[[IndexedPlan], bool] | None) -> dict[str, _Candidate]:
        found: dict[str, _Candidate] = {}
        for phase in self._phases.values():
            for plan in phase.index.plans if phase.index is not None else ():
                if wanted is not None and not wanted(plan):
                    continue
                each = _Candidate(plan.on_disk.identity.id, plan, phase)
                if (other := found.get(each.id)) is not None:
                    message = f"is plan {each.id}, as {other.plan.on_disk.path} is: commits could not tell them apart"
                    hint = "give one of them another `phase` or `plan` in its front matter"
                    self._problems.append(each.problem(message, key="plan", hint=hint))
                else:
                    found[each.id] = each
        return found

    def _goes_after(self, each: _Candidate) -> tuple[str, ...]:
        """What it depends on, and where it is among the first of its phase, all plans of the phases before."""
        own = [name for name in each.plan.depends_on if name in self._found]
        if not any(self._found[name].phase is each.phase for name in own):
            own += [key for key, other in self._found.items() if other.phase.number in each.phase.depends_on]
        return tuple(dict.fromkeys(own))

    def _check_phases(self) -> None:
        """Phases that have no plan, or not all, are told; who builds on them waits in vain."""
        for number, phase in self._phases.items():
            if not phase.number:
                continue
            before = next((name for name in phase.depends_on if name in self._unfinished), None)
            if before is not None:
                self._unfinished[number] = "which is left out"
                self._left_out.append(LeftOut(phase.label, f"it waits for phase {before}, {self._unfinished[before]}"))
            elif phase.index is None or not phase.index.plans:
                self._unfinished[number] = "which has no plan yet"
                self._left_out.append(LeftOut(phase.label, "it has no plan yet", _how_to_plan(phase)))
            elif phase.missing:
                self._unfinished[number] = f"whose plan {phase.missing[0]} is not written yet"
                because = f"the roadmap lists {', '.join(phase.missing)}, and there is no such file in {phase.folder}"
                self._left_out.append(LeftOut(f"a part of {phase.label}", because, _how_to_plan(phase)))

    def _why_not(self, each: _Candidate) -> str | None:
        """Why a plan that is not done cannot be run this time; None if it can."""
        if each.plan.on_disk.status is PlanStatus.HALTED:
            return "it is halted"
        before = next((name for name in each.phase.depends_on if name in self._unfinished), None)
        if before is not None:
            return f"it waits for phase {before}, {self._unfinished[before]}"
        lost = next((name for name in each.plan.depends_on if name in self._lost), None)
        if lost is not None:
            return f"it depends on plan {lost}, which is left out"
        if each.plan.blocked_by:
            return f"it depends on plan {each.plan.blocked_by[0]}, which is halted"
        content = each.plan.content
        return "it has no tasks" if content is not None and not content.tasks else None

    def _lose(self, each: _Candidate, because: str) -> None:
        self._lost[each.id] = because
        number = each.phase.number
        if number and number not in self._unfinished:
            is_halted = each.plan.on_disk.status is PlanStatus.HALTED
            self._unfinished[number] = f"whose plan {each.id} is " + ("halted" if is_halted else "left out")
            self._spread(number)
        if not because.startswith("it waits for phase"):  # that is said of the phase as a whole
            self._left_out.append(LeftOut(f"plan {each.id}", because))

    def _spread(self, number: str) -> None:
        """Phases that depend on one that will not be done are told of as a whole, once each."""
        for other, phase in self._phases.items():
            if number in phase.depends_on and other not in self._unfinished:
                self._left_out.append(LeftOut(phase.label, f"it waits for phase {number}, {self._unfinished[number]}"))
                self._unfinished[other] = "which is left out"
                self._spread(other)

    def _is_fit(self, each: _Candidate) -> bool:
        """It can be read, and all that it waits for is known and is done or in this run; else that is a problem."""
        before = len(self._problems)
        for name in each.plan.unknown:
            self._problems.append(each.problem(f"plan {each.id} depends on `{name}`, which is no plan here"))
        known: Collection[str] = (*self._found, *self._lost)
        for name in each.plan.awaits:
            if name in each.plan.depends_on and name not in known:
                message = f"plan {each.id} depends on {name}, which is not done and not part of this run"
                self._problems.append(each.problem(message, hint=f"have {name} run, too"))
        return len(self._problems) == before


def _part(each: _Candidate, plan: Plan) -> Part:
    return Part(plan=plan, phase=each.phase.number, phase_name=each.phase.name)


def unreadable_problems(
    phases: Sequence[PhaseToRun], wanted: Callable[[IndexedPlan], bool] | None = None
) -> list[Problem]:
    """Every error of the plans that are to be done and cannot be read."""
    found: list[Problem] = []
    for phase in phases:
        for each in phase.index.plans if phase.index is not None else ():
            if each.on_disk.status is PlanStatus.PENDING and (wanted is None or wanted(each)):
                content = each.on_disk.plan
                problems = content.problems if isinstance(content, UnreadablePlan) else ()
                found += [problem for problem in problems if problem.is_error]
    return found


def _how_to_plan(phase: PhaseToRun) -> str:
    return f"write its plans to {phase.folder}, in Claude Code with `/gsd:plan-phase {phase.number}`"
