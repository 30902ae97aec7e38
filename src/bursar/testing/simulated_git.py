"""git as far as a run needs it, in memory: commits, refs, worktrees, and a place whose merges may conflict."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bursar.errors import BursarError, SetupError
from bursar.journal import AttemptRow, AttemptState, Journal, TaskState
from bursar.plan import Part, Task
from bursar.run.merge_queue import Candidate, Composed, MergeQueue, RedMerge, Refusal
from bursar.testing.simulated_faults import Faults
from bursar.testing.virtual_time import VirtualClock
from bursar.worktrees import Change, MergeConflict
from bursar.worktrees.git import GitFailed

BRANCH = "refs/heads/main"
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Commit:
    """A tree on top of another commit, by an attempt; `parent` is empty for the first."""

    id: str
    parent: str
    tree: Mapping[str, str]
    attempt: str = ""


@dataclass(slots=True)
class Tree:
    """A worktree: what it started from, and what is in it now."""

    base: str
    files: dict[str, str]


@dataclass(slots=True)
class SimulatedGit:
    """One repository.

    Attributes:
        files_of_tasks: what the agent of a task writes.
        homecomings: whether all was done, each time that a run's work was brought home.
    """

    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    worktrees: dict[str, Tree] = field(default_factory=dict)
    files_of_tasks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    homecomings: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.refs[BRANCH] = self.commit("", {"readme": "0"}, "")

    def commit(self, parent: str, tree: Mapping[str, str], attempt: str) -> str:
        """The id of a new commit that nothing points to."""
        made = Commit(f"c{len(self.commits):04}", parent, dict(tree), attempt)
        self.commits[made.id] = made
        return made.id

    def history(self, tip: str) -> list[Commit]:
        """All commits from the first to `tip`."""
        found: list[Commit] = []
        while tip:
            found.append(self.commits[tip])
            tip = found[-1].parent
        return found[::-1]

    def contains(self, tip: str, commit: str) -> bool:
        """Whether `commit` is `tip` or before it."""
        return any(each.id == commit for each in self.history(tip))

    def changes(self, base: str, commit: str) -> dict[str, str]:
        """The files that `commit` has otherwise than `base`."""
        before = self.commits[base].tree
        return {file: text for file, text in self.commits[commit].tree.items() if before.get(file) != text}

    def advance(self, ref: str, commit: str, expected: str | None) -> None:
        """The ref points to `commit`.

        Raises:
            GitFailed: the ref was not where it was expected.
        """
        if self.refs.get(ref) != expected:
            raise GitFailed(["update-ref", ref], 128, "the ref is not where it was expected")
        self.refs[ref] = commit

    def write(self, worktree: str, files: Mapping[str, str]) -> None:
        """An agent has written in its worktree, if that stands."""
        if worktree in self.worktrees:
            self.worktrees[worktree].files.update(files)

    def merge_by_hand(self, task: str, ref: str) -> None:
        """A person has done the task's part of the merged work (nothing, for a checkpoint), on the user's branch."""
        if files := self.files_of_tasks.get(task, ()):
            key = f"{PERSON}/{task}/0"
            is_there = self.contains(self.refs[BRANCH], self.refs[ref])  # with what they have done by hand before
            tip = self.refs[BRANCH] if is_there else self.refs[ref]
            self.refs[BRANCH] = self.commit(tip, {**self.commits[tip].tree, **dict.fromkeys(files, key)}, key)


class SimulatedWork:
    """A plan's place: the real one's steps, in the real one's order, on the repository in memory."""

    def __init__(
        self,
        git: SimulatedGit,
        folder: Path,
        ref: str,
        journal: Journal,
        clock: VirtualClock,
        faults: Faults,
        dice: random.Random,
        *,
        seed: int,
        red_share: float,
    ) -> None:
        """`ref` points to the run's merged work; `faults` are those of the process that merges.

        Args:
            seed: decides which attempts' work is red beside that of others; `red_share` of them is.
        """
        self._git = git
        self._folder = folder
        self._ref = ref
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self._dice = dice
        self._seed = seed
        self._red_share = red_share
        self._queue = MergeQueue(self)
        self._merged: set[str] = set()
        self.tip = git.refs[ref]

    def folder_of(self, attempt: str) -> Path:
        """Where the worktree of an attempt of this name is made."""
        return self._folder / attempt

    def can_go_on(self, base: str, work: str | None) -> bool:
        """Whether the base is still in the merged work, and the work fits onto that."""
        git = self._git
        if not git.contains(self.tip, base):
            return False
        return work is None or not set(git.changes(base, work)) & set(git.changes(base, self.tip))

    async def prepare(self, attempt: AttemptRow, work: str | None = None) -> None:
        """The attempt's worktree stands, with the changes of `work` in it."""
        await self._work()
        self._faults.write("git.create", lambda: self._create(attempt, work))

    def _create(self, attempt: AttemptRow, work: str | None) -> None:
        try:
            Path(attempt.worktree).mkdir(parents=True)
        except FileExistsError as error:
            raise SetupError(f"no worktree can be made at {attempt.worktree}") from error
        tree = self._git.commits[work or attempt.base_commit].tree
        self._git.worktrees[attempt.worktree] = Tree(attempt.base_commit, dict(tree))

    async def collect(self, task: Task | None, attempt: AttemptRow) -> Change | None:
        """What the agent left in its worktree."""
        tree = self._git.worktrees.get(attempt.worktree)
        if tree is None:
            return None
        await self._work()
        base = self._git.commits[tree.base].tree
        files = tuple(sorted(name for name, text in tree.files.items() if base.get(name) != text))
        if not files:
            return None
        commit = self._faults.write("git.commit", lambda: self._git.commit(tree.base, tree.files, attempt.key))
        return Change(commit, files)

    async def merge(self, task: Task, attempt: AttemptRow, change: Change) -> str | Refusal | None:
        """See `Place.merge`: by the real queue, which may find that it is red beside the work of others."""
        return await self._queue.merge(task, attempt, change)

    async def compose(self, tip: str, candidate: Candidate) -> str | MergeConflict:
        """See `merge_queue.Ground.compose`."""
        await self._work()
        git, attempt = self._git, candidate.attempt
        ours, theirs = git.changes(attempt.base_commit, candidate.change.commit), git.changes(attempt.base_commit, tip)
        if both := sorted(set(ours) & set(theirs)):
            return MergeConflict(tuple(both))
        tree = {**git.commits[tip].tree, **ours}
        return self._faults.write("git.compose", lambda: git.commit(tip, tree, attempt.key))

    def is_verified(self, candidate: Candidate) -> bool:
        """Whether it is merged upon what it started from."""
        return candidate.attempt.base_commit == self.tip

    async def passes(self, row: Sequence[Composed]) -> bool | None:
        """Whether none of the row is red."""
        await self._work()
        return not any(self._is_red(each) for each in row)

    async def judge(self, composed: Composed) -> RedMerge | bool:
        """What speaks against it."""
        await self._work()
        return RedMerge("its command fails beside the work of others", "") if self._is_red(composed) else True

    def _is_red(self, composed: Composed) -> bool:
        """The attempt's own die says so, the same however often it is asked."""
        return random.Random(f"{self._seed}/red/{composed.candidate.attempt.key}").random() < self._red_share

    async def advance(self, composed: Composed) -> None:
        """The commit is the tip, and the journal says so; the real one's steps, in the same order."""
        git, attempt, commit = self._git, composed.candidate.attempt, composed.commit
        self._journal.begin_merge(attempt.key, commit)
        await self._work()
        self._faults.write("git.advance", lambda: git.advance(self._ref, commit, self.tip))
        self.tip = commit
        self._merged.add(attempt.key)
        now = self._clock.now().isoformat()
        self._journal.end_attempt(attempt, AttemptState.SUCCEEDED, now, task=TaskState.MERGED, commit=commit, note="")

    async def keep(self, attempt: AttemptRow, change: Change) -> str:
        """Work that was not merged lies on a branch."""
        await self._work()
        name = f"refs/heads/bursar/{attempt.key}"
        self._faults.write("git.branch", lambda: self._git.refs.update({name: change.commit}))
        return name

    def clear(self, attempt: AttemptRow) -> None:
        """The attempt's worktree is gone."""
        self._faults.write("git.remove", lambda: self._remove(attempt))

    def _remove(self, attempt: AttemptRow) -> None:
        self._git.worktrees.pop(attempt.worktree, None)
        if Path(attempt.worktree).exists():
            Path(attempt.worktree).rmdir()

    def has(self, key: str) -> bool:
        """Whether the attempt's work was merged here."""
        return key in self._merged

    def finish_merge(self, attempt: AttemptRow) -> bool:
        """The commit of a merge that was cut off is in the merged work; False if it cannot be."""
        git, commit = self._git, attempt.commit or ""
        if not git.contains(self.tip, commit):
            if not git.contains(commit, self.tip):
                return False
            try:
                self._faults.write("git.advance", lambda: git.advance(self._ref, commit, self.tip))
            except BursarError:
                if git.refs.get(self._ref) != commit:  # else it failed when it was done
                    raise
            self.tip = commit
        return True

    @property
    def is_merging(self) -> bool:
        """Never long enough to matter."""
        return False

    async def close_plan(self, part: Part) -> None:
        """Nothing: a simulated run has one plan."""

    async def archive(self, phases: Sequence[str]) -> None:
        """Nothing: a simulated run has no phases."""

    def bring_home(self, *, is_done: bool) -> None:
        """The branch has the merged work; the run's own ref stays."""
        self._faults.write("git.home", lambda: self._forward(is_done))

    def _forward(self, is_done: bool) -> None:
        self._git.homecomings.append(is_done)
        if self._git.contains(self.tip, self._git.refs[BRANCH]):
            self._git.refs[BRANCH] = self.tip

    async def _work(self) -> None:
        """git takes its time."""
        self._faults.check_alive()
        await asyncio.sleep(self._dice.choice((0, 0.01, 2.0)))
        self._faults.check_alive()
