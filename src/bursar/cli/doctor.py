"""`bursar doctor`: what killed or refused work has left in this repository, what to do about it, and doing it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bursar.cli.finding import conductor_of
from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.errors import OK, TASK_FAILED, BursarError
from bursar.journal import AttemptRow, AttemptState, Journal, RunState, open_journal
from bursar.layout import count_of
from bursar.paths import JOURNAL_FILE, SPARES, state_dir
from bursar.run import is_kept
from bursar.worktrees import (
    Repository,
    Worktree,
    commit_work,
    list_drafts,
    list_run_refs,
    list_worktrees,
    open_repository,
    remove,
    remove_drafts,
    save_branch,
)

_OPEN = (AttemptState.PLANNED, AttemptState.MERGING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something that no run needs any more, or that waits for a person.

    Attributes:
        fix: what to do; empty where it has been done.
        worktree: the worktree that it is, where it is one that can be cleaned up.
    """

    what: str
    fix: str
    worktree: Worktree | None = None
    drafts: Sequence[Path] = ()

    @property
    def is_cleanable(self) -> bool:
        return self.worktree is not None or bool(self.drafts)


def main(arguments: Sequence[str]) -> int:
    """Says what was left; 0, or 1 where something still is."""
    options = parser("doctor", "what killed or refused work has left in this repository: exit code 1 if something is")
    options.add_argument("--clean", action="store_true", help="remove what no run needs; work is put on branches first")
    options.add_argument("--json", action="store_true", help="a JSON array on stdout")
    chosen = options.parse_args(arguments)
    repository, journal = open_repository(Path.cwd()), _open_journal()
    try:
        found = list(_find(repository, journal))
    finally:
        if journal is not None:
            journal.close()
    if chosen.clean:
        found = [_clean(repository, leftover) if leftover.is_cleanable else leftover for leftover in found]
    if chosen.json:
        write_json([_as_data(leftover) for leftover in found], only_ascii=True)
    else:
        sys.stdout.write(_render(found))
    return TASK_FAILED if any(leftover.fix for leftover in found) else OK


def _open_journal() -> Journal | None:
    """None where there is none: it is not made for a look."""
    path = Path(state_dir(), JOURNAL_FILE)
    return open_journal(path) if path.exists() else None


def _find(repository: Repository, journal: Journal | None) -> Iterator[Leftover]:
    for worktree in list_worktrees(repository, Path(state_dir(), "runs").resolve()):
        if (leftover := _look_at(worktree, _attempt_of(worktree, journal))) is not None:
            yield leftover
    yield from _find_folders(repository, journal)
    yield from _find_refs(repository, journal)


def _find_folders(repository: Repository, journal: Journal | None) -> Iterator[Leftover]:
    """Worktrees that no attempt has: begun and not finished, or kept to be used again."""
    drafts = list_drafts(repository)
    if drafts and not _is_conducted(repository, journal):
        yield Leftover(
            what=f"{count_of(len(drafts), 'worktree')} in the making, by processes that were killed",
            fix="bursar doctor --clean",
            drafts=drafts,
        )
    spares = [folder for folder in _spare_folders(repository, journal) if folder.is_dir()]
    if spares:
        yield Leftover(
            what=f"worktrees that were kept to be used again, of {count_of(len(spares), 'killed run')}",
            fix="bursar doctor --clean",
            drafts=spares,
        )


def _find_refs(repository: Repository, journal: Journal | None) -> Iterator[Leftover]:
    """Merged work of runs that are over, or unknown."""
    for ref in list_run_refs(repository):
        run = journal.run(ref.run_id) if journal is not None else None
        if run is None or run.state in (RunState.SUCCEEDED, RunState.CANCELLED):
            is_done = run is not None and run.state is RunState.SUCCEEDED
            what = (
                "which the journal does not know" if run is None else f"which is {'done' if is_done else 'cancelled'}"
            )
            yield Leftover(
                what=f"merged work of run {ref.run_id}, {what}: commit {ref.commit[:9]}",
                fix=f"git branch bursar/{ref.run_id}/merged {ref.commit[:9]}"
                f" && git update-ref -d refs/bursar/{ref.run_id}",
            )


def _spare_folders(repository: Repository, journal: Journal | None) -> Iterator[Path]:
    """Where runs of this repository that nobody conducts kept worktrees; git does not list those."""
    for folder in sorted(Path(state_dir(), "runs").glob(f"*/{SPARES}")) if journal is not None else ():
        run = journal.run(folder.parent.name) if journal is not None else None
        if run is not None and run.project == str(repository.root) and conductor_of(run) is None:
            yield folder


def _attempt_of(worktree: Worktree, journal: Journal | None) -> AttemptRow | None:
    """The attempt whose worktree it is: `runs/RUN/worktrees/NAME`."""
    if journal is None:
        return None
    run_id = worktree.path.parent.parent.name
    rows = [row for row in journal.attempts(run_id) if Path(row.worktree).name == worktree.path.name]
    return rows[-1] if rows else None  # an attempt that goes on with another's work has its worktree too


def _look_at(worktree: Worktree, attempt: AttemptRow | None) -> Leftover | None:
    """None where the worktree is in use, or is for a resume to take up."""
    path = worktree.path
    if attempt is not None and attempt.state in _OPEN and path.exists():
        return None
    if attempt is not None and is_kept(attempt) and path.exists():
        return Leftover(
            what=f"{path}: attempt {attempt.key} left work of which git could make no commit",
            fix=f"take what you need from it, then: git worktree remove --force {shlex.quote(str(path))}",
        )
    whose = "an unknown attempt" if attempt is None else f"attempt {attempt.key}, which has ended"
    what = f"{path}: of {whose}" if path.exists() else f"{path}: listed by git, and gone"
    return Leftover(what=what, fix="bursar doctor --clean", worktree=worktree)


def _is_conducted(repository: Repository, journal: Journal | None) -> bool:
    runs = journal.conducted_runs(str(repository.root)) if journal is not None else ()
    return any(conductor_of(run) is not None for run in runs)


def _clean(repository: Repository, leftover: Leftover) -> Leftover:
    """What became of it."""
    if leftover.worktree is None:
        remove_drafts(leftover.drafts)
        return Leftover(what=f"{leftover.what}: removed", fix="")
    worktree, path = leftover.worktree, leftover.worktree.path
    saved = ""
    if path.exists():
        try:
            saved = _save(repository, worktree)
        except BursarError as error:
            by_hand = f"take what you need from it, then: git worktree remove --force {shlex.quote(str(path))}"
            return Leftover(what=f"{path}: {error.message}", fix=by_hand)
    remove(repository, path)
    return Leftover(what=f"{leftover.what}: removed{saved}", fix="")


def _save(repository: Repository, worktree: Worktree) -> str:
    """Which branch the worktree's work is on now; empty where there was none."""
    if not worktree.base:
        return ""
    change = commit_work(repository, worktree, f"Work that was left in {worktree.path.name}")
    if change is None:
        return ""
    return f"; its work is on branch {save_branch(repository, f'bursar/left/{worktree.path.name}', change.commit)}"


def _render(found: Sequence[Leftover]) -> str:
    if not found:
        return "nothing is left of any run\n"
    return "".join(
        f"✗ {leftover.what}\n  fix: {leftover.fix}\n" if leftover.fix else f"✓ {leftover.what}\n" for leftover in found
    )


def _as_data(leftover: Leftover) -> dict[str, Any]:
    return {"what": leftover.what, "fix": leftover.fix or None, "cleaned": not leftover.fix}
