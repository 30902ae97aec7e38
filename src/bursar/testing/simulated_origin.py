"""Where a simulated run begins: a branch of the repository in memory."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from pathlib import Path

from bursar.journal import RunRow
from bursar.plan import Instance
from bursar.run import Place, RunContext
from bursar.run.context import merged_ref
from bursar.testing.simulated_faults import Faults
from bursar.testing.simulated_git import BRANCH, SimulatedWork
from bursar.testing.simulated_machine import Machine
from bursar.worktrees import Head


class SimulatedOrigin:
    """One conductor's view of the repository."""

    workspace = None
    repository = None
    instances: Mapping[str, Instance] = {}

    def __init__(self, machine: Machine, folder: Path, faults: Faults, dice: random.Random) -> None:
        self._machine = machine
        self._faults = faults
        self._dice = dice
        self.project = folder

    @property
    def head(self) -> Head:
        """Where the branch stands."""
        return Head(self._machine.git.refs[BRANCH], "main")

    def check_same(self, run: RunRow) -> None:
        """There is but one branch."""

    def check_brought_home(self, run: RunRow) -> None:
        """Work is always brought home."""

    def forget(self, run: RunRow) -> None:
        """The run's own ref stays."""

    def starting_tip(self, run: RunRow) -> str:
        """The run's merged work, or where the branch stands."""
        git, ref = self._machine.git, merged_ref(run.id)
        tip, head = git.refs.get(ref), self.head.commit
        if tip is not None and git.contains(tip, head):
            return tip
        self._faults.write("git.advance", lambda: git.advance(ref, head, tip))
        return head

    def kept(self, run: RunRow, tip: str, commits: Collection[str]) -> Collection[str]:
        """Those in the history of the tip."""
        return {each.id for each in self._machine.git.history(tip)}.intersection(commits)

    def place(self, context: RunContext, tip: str) -> Place:
        """Worktrees in memory, and work that is merged."""
        return SimulatedWork(
            self._machine.git,
            context.directory / "worktrees",
            merged_ref(context.run.id),
            context.stores.journal,
            self._machine.clock,
            self._faults,
            self._dice,
            seed=self._machine.seed,
            red_share=0.0 if self._machine.is_tame else 0.15,
        )
