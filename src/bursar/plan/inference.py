"""Which tasks of a plan must wait for which, inferred from their files, their text and their order; and why.

Inferring errs on the side of waiting: a dependency too many costs time, one too few breaks the work. What names
no files cannot be judged and keeps its place in the plan, and so does a checkpoint. Groundwork comes before all that
follow it, and what joins parts after all that precede it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from heapq import heapify, heappop, heappush

from bursar.plan.clues import Clues, folders_of, shared_path, speaks_of_all
from bursar.plan.model import Task
from bursar.plan.roles import groundwork, is_all_tests, joint


def infer_dependencies(tasks: Sequence[Task], settled: Set[str] = frozenset()) -> dict[str, tuple[str, ...]]:
    """What each task must wait for; as free of cycles as the plan itself, which must have none.

    Args:
        settled: tasks whose dependencies stay as they are, because their author wrote them.
    """
    clues = Clues(tasks)
    by_number = {task.number: task for task in tasks}
    position = {task.number: index for index, task in enumerate(tasks)}
    books = _Books()
    found: dict[str, tuple[str, ...]] = {}
    for number in _in_order(tasks):  # everything inferred leads backwards in it: no cycle can arise
        task = by_number[number]
        names = set(task.depends_on) if number in settled else books.waits_for(task, clues)
        found[number] = task.depends_on if number in settled else tuple(sorted(names, key=position.__getitem__))
        books.enter(task, clues, names)
    return found


def explain_dependencies(tasks: Sequence[Task]) -> dict[str, dict[str, str]]:
    """For each task and each of its dependencies a reason in a few words; at the least, that the plan says so."""
    clues = Clues(tasks)
    by_number = {task.number: task for task in tasks}
    return {task.number: {name: _reason(by_number[name], task, clues) for name in task.depends_on} for task in tasks}


def _reason(first: Task, second: Task, clues: Clues) -> str:
    """Why `second` waits for `first`. It follows from the two tasks alone, whoever wrote the dependency."""
    if first.number in clues.tasks_named(second):
        return f"its text names task {first.number}"
    written = shared_path(clues.files(first), clues.files(second))
    if written is not None:
        return f"both write {written}"
    named = next((path for path in clues.paths_named(second) if path in clues.files(first)), None)
    if named is not None:
        return f"its text names {named}, which task {first.number} writes"
    name = clues.name_used(first, second)
    if name is not None:
        return f"its text uses {name}, which task {first.number} makes"
    shared = clues.tested_in_one(first, second)
    if shared is not None:
        return f"one writes {shared}, the other its tests"
    if second.is_checkpoint:
        return "a checkpoint keeps its place"
    if first.is_checkpoint:
        return f"task {first.number} is a checkpoint"
    if speaks_of_all(second):
        return "its text speaks of the tasks before it"
    ground, joint_of_second = groundwork(first), joint(second)
    if ground is not None:
        return f"task {first.number} is groundwork ({ground})"
    if joint_of_second is not None:
        return f"it joins what was done before ({joint_of_second})"
    if is_all_tests(second):
        return "it tests what was done before"
    if not clues.files(second):
        return "it names no files and keeps its place"
    if not clues.files(first):
        return f"task {first.number} names no files and keeps its place"
    return "the plan's order"


def _in_order(tasks: Sequence[Task]) -> Iterator[str]:
    """The numbers in the order of the plan, but what a task waits for always before it."""
    position = {task.number: index for index, task in enumerate(tasks)}
    missing = {task.number: len(set(task.depends_on)) for task in tasks}
    dependents: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        for name in set(task.depends_on):
            dependents[name].append(task.number)
    ready = [position[number] for number, count in missing.items() if count == 0]
    heapify(ready)
    while ready:
        number = tasks[heappop(ready)].number
        yield number
        for dependent in dependents[number]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                heappush(ready, position[dependent])


class _Books:
    """What the tasks so far have written, and the last of them that all later ones wait for."""

    def __init__(self) -> None:
        self._writers: dict[str, str] = {}  # path → the last that wrote it
        self._under: dict[str, dict[str, None]] = defaultdict(dict)  # folder → those that wrote below it since
        self._code: dict[str, str] = {}  # name of a file → the last that wrote one of this name
        self._tests: dict[str, str] = {}  # and the last that wrote tests of it
        self._makers: dict[str, str] = {}  # name of code → the first whose text says that it makes it
        self._entered: set[str] = set()
        self._gate: str | None = None
        self._since: dict[str, None] = {}
        self._waited_for: set[str] = set()
        self._behind_gate: set[str] = set()

    def waits_for(self, task: Task, clues: Clues) -> set[str]:
        """What a task must wait for among those that were entered before it."""
        if _is_gate(task, clues) or self._comes_last(task, clues):
            before = [*([self._gate] if self._gate else []), *self._since]
            return {number for number in before if number not in self._waited_for}
        found = {number for number in clues.tasks_named(task) if number in self._entered}
        for path in clues.files(task):
            found.update(self._writers_of(path))
        found.update(self._writers[path] for path in clues.paths_named(task) if path in self._writers)
        found.update(self._code[name] for name in clues.tested(task) if name in self._code)
        found.update(self._tests[name] for name in clues.code(task) if name in self._tests)
        found.update(self._makers[name] for name in clues.words(task) & self._makers.keys())
        found.discard(task.number)
        if self._gate and not found & self._behind_gate:
            found.add(self._gate)
        return found

    def _comes_last(self, task: Task, clues: Clues) -> bool:
        """Whether it comes after everything so far: it says so, joins parts, or tests what it does not name."""
        if speaks_of_all(task) or joint(task) is not None:
            return True
        return is_all_tests(task) and not self._code.keys() & clues.tested(task).keys()

    def enter(self, task: Task, clues: Clues, names: Set[str]) -> None:
        """Take down what a task writes and waits for."""
        self._entered.add(task.number)
        if _is_gate(task, clues):
            self._gate, self._since, self._waited_for, self._behind_gate = task.number, {}, set(), {task.number}
            return
        if groundwork(task) is not None:
            self._gate, self._behind_gate = task.number, {task.number}
        self._since[task.number] = None
        self._waited_for |= names
        if names & self._behind_gate:
            self._behind_gate.add(task.number)
        for name in clues.names_made(task):
            self._makers.setdefault(name, task.number)
        self._code.update(dict.fromkeys(clues.code(task), task.number))
        self._tests.update(dict.fromkeys(clues.tested(task), task.number))
        for path in clues.files(task):
            self._writers[path] = task.number
            self._under.pop(path, None)
            for folder in folders_of(path):
                self._under[folder][task.number] = None

    def _writers_of(self, path: str) -> Iterator[str]:
        """Those that wrote this very path, a folder that holds it, or something in it."""
        for place in (path, *folders_of(path)):
            if place in self._writers:
                yield self._writers[place]
        yield from self._under.get(path, ())


def _is_gate(task: Task, clues: Clues) -> bool:
    """Whether all before it come before it, and all after it after it."""
    return task.is_checkpoint or not clues.files(task)
