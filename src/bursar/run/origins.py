"""Where a run begins: a checkout, whose branch gets the work of a plan, or the workspace of a job list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from bursar.errors import UserError
from bursar.journal import RunRow
from bursar.plan import Instance
from bursar.run.context import RunContext, merged_ref
from bursar.run.merging import MergedWork
from bursar.run.place import Place, Workspace
from bursar.worktrees import Head, Repository, advance, commits_between, contains, drop_ref, read_ref


class Origin(Protocol):
    """What a run starts from, before there is a run."""

    @property
    def project(self) -> Path:
        """Whose settings and budgets apply: the top of the repository, or the workspace."""
        ...

    @property
    def workspace(self) -> Path | None:
        """The folder in which the agents of a job list work; None for a plan."""
        ...

    @property
    def head(self) -> Head:
        """Where the run starts; an empty commit for a workspace."""
        ...

    @property
    def repository(self) -> Repository | None:
        """Where the run's work is merged; None for a workspace."""
        ...

    @property
    def instances(self) -> Mapping[str, Instance]:
        """Those of a job list, by the number of their task; empty for a plan."""
        ...

    def check_same(self, run: RunRow) -> None:
        """The unfinished run started from here.

        Raises:
            UserError: it started from somewhere else.
        """
        ...

    def check_brought_home(self, run: RunRow) -> None:
        """The finished run's work is where the user looks for it.

        Raises:
            UserError: it waits for a person.
        """
        ...

    def forget(self, run: RunRow) -> None:
        """What the run kept of its own is gone, if its work is where it belongs."""
        ...

    def starting_tip(self, run: RunRow) -> str:
        """Where the run's work goes on."""
        ...

    def kept(self, run: RunRow, tip: str, commits: Collection[str]) -> Collection[str]:
        """Those of the run's commits that are in its work still."""
        ...

    def place(self, context: RunContext, tip: str) -> Place:
        """Where the run's attempts work."""
        ...


@dataclass(frozen=True, slots=True)
class CheckoutOrigin:
    """A repository that is fit to start from, and what is checked out there."""

    repository: Repository
    head: Head
    workspace: None = None
    instances: Mapping[str, Instance] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def project(self) -> Path:
        """The top of the repository."""
        return self.repository.root

    def check_same(self, run: RunRow) -> None:
        """The run started from the branch that is checked out.

        Raises:
            UserError: it started from another branch than the one that is checked out.
        """
        if run.branch != self.head.branch:
            raise UserError(
                f"run {run.id} of this plan started from {run.branch or 'a detached HEAD'}, and"
                f" {self.head.branch or 'a detached HEAD'} is checked out",
                hint=f"git switch {run.branch}, or start a run of its own with --new" if run.branch else "use --new",
            )

    def check_brought_home(self, run: RunRow) -> None:
        """The finished run's work is in what is checked out, or nobody knows where else it would be.

        Raises:
            UserError: it is on a branch of the run's own, because the user's could not be moved; doing it all again
                would cost the same again.
        """
        tip = read_ref(self.repository, merged_ref(run.id))
        if tip is not None and not contains(self.repository, self.head.commit, tip):
            branch = self.head.branch or "the detached HEAD"
            raise UserError(
                f"run {run.id} has done this plan, but its work is not on {branch} yet",
                hint=f"git merge bursar/{run.id}/merged, or start a run of its own with --new",
            )

    def forget(self, run: RunRow) -> None:
        """The run's own ref is gone, if what is checked out has all of its work."""
        tip = read_ref(self.repository, merged_ref(run.id))
        if tip is not None and contains(self.repository, self.head.commit, tip):
            drop_ref(self.repository, merged_ref(run.id))

    def starting_tip(self, run: RunRow) -> str:
        """The run's merged work, and all that the user has committed since.

        Raises:
            UserError: the two have parted; only a person can join them.
        """
        ref, head = merged_ref(run.id), self.head.commit
        tip = read_ref(self.repository, ref)
        if tip is not None and contains(self.repository, tip, head):
            return tip
        if tip is not None and not contains(self.repository, head, tip):
            raise UserError(
                f"{self.head.branch or 'the checkout'} and what run {run.id} has merged so far have parted",
                hint=f"git merge {ref}",
            )
        advance(self.repository, ref, head, tip)
        return head

    def kept(self, run: RunRow, tip: str, commits: Collection[str]) -> Collection[str]:
        """Those in the history of the tip; git is asked once, as long as it has all of them since the run began."""
        since = commits_between(self.repository, run.base_commit, tip)
        return {each for each in commits if each in since or contains(self.repository, tip, each)}

    def place(self, context: RunContext, tip: str) -> Place:
        """Worktrees, and work that is merged."""
        return MergedWork(context, tip)


@dataclass(frozen=True, slots=True)
class WorkspaceOrigin:
    """A folder that agents work in as it is: nothing is asked of git, and there need not be any.

    Attributes:
        instances: the job list's, by the number of their task.
    """

    project: Path
    workspace: Path
    instances: Mapping[str, Instance] = field(default_factory=lambda: MappingProxyType({}))
    head: Head = field(default_factory=lambda: Head("", None))
    repository: None = None

    def check_same(self, run: RunRow) -> None:
        """Nothing: runs are looked for by their workspace."""

    def check_brought_home(self, run: RunRow) -> None:
        """Nothing: the work was done where it belongs."""

    def forget(self, run: RunRow) -> None:
        """Nothing: such a run keeps nothing of its own."""

    def starting_tip(self, run: RunRow) -> str:
        """No commit."""
        return ""

    def kept(self, run: RunRow, tip: str, commits: Collection[str]) -> Collection[str]:
        """None: there are no commits."""
        return ()

    def place(self, context: RunContext, tip: str) -> Place:
        """The workspace itself."""
        return Workspace(self.workspace)
