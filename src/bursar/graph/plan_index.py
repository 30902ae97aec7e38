"""The plans of a phase in order: which wave each is in, which may start, and what their authors got wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bursar.graph.build import build_graph, find_cycles
from bursar.graph.model import Graph, Node
from bursar.graph.plans import plan_nodes
from bursar.plan import (
    PhaseFolder,
    Plan,
    PlanOnDisk,
    PlanStatus,
    Problem,
    UnreadablePlan,
    referenced_phase,
    resolve_plan_reference,
)

_PHASE_ALONE = re.compile(r"\s*phase[\s_#:-]*[\w.]+\s*", re.IGNORECASE)
_MAX_NAMES = 1_000  # looking for the nearest of more takes too long


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedPlan:
    """One plan of the index.

    Attributes:
        key: its id; its file's name where another plan of the phase has that id.
        wave: the longest chain of dependencies within the phase that ends here, counted in plans, so from 1.
        depends_on: ids of plans, of other phases too.
        unknown: references to which no plan was found, as written.
        waits_for: plans of the phase that have to end before: its dependencies, and plans that write the same
            files, are to be done and are not themselves kept from starting by a halt or a mistake.
        blocked_by: halted plans that it depends on, directly or through others.
        awaits: what keeps a pending plan from starting now: plans of `depends_on` that are not completed, plans of
            `waits_for` that are pending, and all of `unknown`.
        is_runnable: it is pending and can be read, and awaits nothing.
    """

    key: str
    on_disk: PlanOnDisk
    wave: int
    depends_on: tuple[str, ...]
    unknown: tuple[str, ...]
    waits_for: tuple[str, ...]
    blocked_by: tuple[str, ...]
    awaits: tuple[str, ...]
    is_runnable: bool

    @property
    def content(self) -> Plan | None:
        """What could be read of the plan."""
        return self.on_disk.content


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanIndex:
    """The plans of a phase in the order of their names, and the graph between them."""

    plans: tuple[IndexedPlan, ...]
    graph: Graph
    warnings: tuple[Problem, ...]

    def plan(self, key: str) -> IndexedPlan:
        """The plan of that key.

        Raises:
            KeyError: there is none.
        """
        found = next((plan for plan in self.plans if plan.key == key), None)
        if found is None:
            raise KeyError(key)
        return found


def build_plan_index(folder: PhaseFolder) -> PlanIndex | tuple[Problem, ...]:
    """The index of a phase's plans; where plans wait for each other, an error for each such cycle."""
    draft = _Draft(folder)
    nodes = draft.nodes()
    graph = build_graph(nodes)
    if not isinstance(graph, Graph):
        return tuple(draft.cycle(each.path, each.drawing) for each in find_cycles(nodes))
    stuck = _stuck(draft, graph)
    graph = build_graph([Node(node.key, node.depends_on) if node.key in stuck else node for node in nodes])
    assert isinstance(graph, Graph)
    warnings = (*folder.warnings, *draft.warnings, *_warn_of_waves(draft.own, graph))
    return PlanIndex(plans=tuple(_indexed(draft, graph)), graph=graph, warnings=warnings)


@dataclass(frozen=True, slots=True)
class _Found:
    """The plans that one plan's dependencies mean, and those that mean none."""

    keys: tuple[str, ...]
    unknown: tuple[str, ...]


class _Draft:
    """The plans by their keys, with their dependencies resolved; warnings gather on the way."""

    def __init__(self, folder: PhaseFolder) -> None:
        self.warnings: list[Problem] = []
        self._folder = folder
        self.own = self._keyed(folder.plans)
        self.elsewhere: dict[str, PlanOnDisk] = {}
        for plan in folder.elsewhere:
            self.elsewhere.setdefault(plan.identity.id, plan)
        self._identities = [plan.identity for plan in (*folder.plans, *folder.elsewhere)]
        self.found = {key: self._resolve(key, plan) for key, plan in self.own.items()}
        pending = [plan for plan in folder.plans if plan.status is PlanStatus.PENDING]
        self.warnings += [_unreadable(each.plan) for each in pending if isinstance(each.plan, UnreadablePlan)]

    def nodes(self) -> list[Node]:
        return [
            Node(key, tuple(name for name in self.found[key].keys if name in self.own), _files(plan))
            for key, plan in self.own.items()
        ]

    def status(self, key: str) -> PlanStatus:
        return (self.own.get(key) or self.elsewhere[key]).status

    def cycle(self, path: Sequence[str], drawing: str) -> Problem:
        first = self.own[path[0]]
        message = f"plans wait for each other: {drawing}" if len(path) > 1 else f"plan waits for itself: {drawing}"
        return Problem(first.path, first.position("depends_on"), message)

    def _keyed(self, plans: Sequence[PlanOnDisk]) -> dict[str, PlanOnDisk]:
        keyed: dict[str, PlanOnDisk] = {}
        for plan in plans:
            key = plan.identity.id
            if key in keyed:
                message = f"is plan {key}, as {keyed[key].path.name} is; here it is called {plan.path.stem}"
                self.warnings.append(_warning(plan, "plan", message))
                key = plan.path.stem
            keyed[key] = plan
        return keyed

    def _resolve(self, key: str, plan: PlanOnDisk) -> _Found:
        keys: dict[str, None] = {}
        unknown: list[str] = []
        for reference in plan.content.depends_on if plan.content else ():
            meant = self._meant(reference, plan)
            keys.update(dict.fromkeys(meant))
            if not meant:
                unknown.append(reference)
                message = f"plan {key} depends on `{reference}`, which is no plan here; it cannot start"
                self.warnings.append(_warning(plan, "depends_on", message, self._nearest(reference, key)))
        return _Found(tuple(keys), tuple(unknown))

    def _meant(self, reference: str, plan: PlanOnDisk) -> list[str]:
        """The keys of the plans that a reference means: one, all of another phase, or none."""
        found = resolve_plan_reference(reference, plan.identity.id, self._identities)
        if found == plan.identity.id and reference.strip().isdigit():
            return []  # whatever `3` of plan 04-03 means (some mean the phase), it is not that plan
        if found is not None:
            return [found]
        phase = referenced_phase(reference)
        if phase is None or phase == self._folder.phase or not _PHASE_ALONE.fullmatch(reference):
            return []
        return [key for key, other in self.elsewhere.items() if other.identity.phase_number == phase]

    def _nearest(self, reference: str, key: str) -> str | None:
        """The other plan whose id is most like the reference, else some of them; nothing where there is no other."""
        others = [other for other in self.own if other != key]
        if not others or len(others) > _MAX_NAMES:
            return None
        near = difflib.get_close_matches(reference, others, n=1)
        return f"did you mean `{near[0]}`?" if near else f"other plans here: {', '.join(others[:10])}"


def _stuck(draft: _Draft, graph: Graph) -> set[str]:
    """Plans that cannot start whatever others do: nobody has to wait until they have written a file."""
    stuck: set[str] = set()
    for key in graph.order:
        found = draft.found[key]
        is_unreadable = not isinstance(draft.own[key].plan, Plan)
        if (draft.status(key) is PlanStatus.PENDING and (is_unreadable or found.unknown)) or any(
            name in stuck or draft.status(name) is PlanStatus.HALTED for name in found.keys
        ):
            stuck.add(key)
    return stuck


def _indexed(draft: _Draft, graph: Graph) -> Iterator[IndexedPlan]:
    blocked = _blocked(draft, graph)
    for key, plan in draft.own.items():
        found, awaits = draft.found[key], _awaits(draft, graph, key)
        is_pending = plan.status is PlanStatus.PENDING
        yield IndexedPlan(
            key=key,
            on_disk=plan,
            wave=graph.wave[key],
            depends_on=found.keys,
            unknown=found.unknown,
            waits_for=graph.dependencies(key),
            blocked_by=blocked[key],
            awaits=awaits if is_pending else (),
            is_runnable=is_pending and isinstance(plan.plan, Plan) and not awaits,
        )


def _awaits(draft: _Draft, graph: Graph, key: str) -> tuple[str, ...]:
    found = draft.found[key]
    names = [name for name in found.keys if draft.status(name) is not PlanStatus.COMPLETED]
    writers = [name for name in graph.dependencies(key) if draft.status(name) is PlanStatus.PENDING]
    return tuple(dict.fromkeys([*names, *writers, *found.unknown]))


def _blocked(draft: _Draft, graph: Graph) -> Mapping[str, tuple[str, ...]]:
    """The halted plans above each plan; who merely writes the same file blocks nobody."""
    blocked: dict[str, tuple[str, ...]] = {}
    for key in graph.order:
        names: dict[str, None] = {}
        for name in draft.found[key].keys:
            if draft.status(name) is PlanStatus.HALTED:
                names[name] = None
            names.update(dict.fromkeys(blocked.get(name, ())))
        blocked[key] = tuple(names)
    return blocked


def _warn_of_waves(plans: Mapping[str, PlanOnDisk], graph: Graph) -> Iterator[Problem]:
    """Where `wave` of the front matter is not what the dependencies say; some authors count from 0."""
    written = {key: plan.content.wave for key, plan in plans.items() if plan.content and plan.content.wave is not None}
    first = 0 if 0 in written.values() else 1
    depends_on = {node.key: node.depends_on for node in graph.nodes}
    for key, wave in written.items():
        if wave - first + 1 == graph.wave[key]:
            continue
        late = next((name for name in depends_on[key] if written.get(name, wave - 1) >= wave), None)
        because = f"it depends on {late} of wave {written[late]}" if late else "its dependencies say otherwise"
        counted = ", counted from 0" if first == 0 else ""
        message = f"plan {key} says wave {wave}, but {because}: it is in wave {graph.wave[key] - 1 + first}{counted}"
        yield _warning(plans[key], "wave", message)


def _unreadable(plan: UnreadablePlan) -> Problem:
    errors = [problem for problem in plan.problems if problem.is_error]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    message = f"cannot be run: {errors[0].message}{more}"
    return Problem(plan.path, errors[0].position, message, is_error=False, hint=f"bursar plan check {plan.path}")


def _warning(plan: PlanOnDisk, key: str, message: str, hint: str | None = None) -> Problem:
    return Problem(plan.path, plan.position(key), message, is_error=False, hint=hint)


def _files(plan: PlanOnDisk) -> tuple[str, ...]:
    """What a plan that is still to be done writes, by its front matter and by its tasks."""
    content = plan.content
    if content is None or plan.status is not PlanStatus.PENDING:
        return ()
    own = [file.replace("\\", "/") for file in content.files_modified]
    return tuple(dict.fromkeys([*own, *(file for node in plan_nodes(content) for file in node.files)]))
