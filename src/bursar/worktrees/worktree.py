"""One attempt's checkout, and its work as a commit."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import SetupError
from bursar.worktrees.collecting import Left, collect_tree, keep_index
from bursar.worktrees.folders import remove_folder
from bursar.worktrees.git import git, git_beginning
from bursar.worktrees.objects import compare, read_tree, write_commit
from bursar.worktrees.plain_files import append_plain
from bursar.worktrees.private_view import index_of
from bursar.worktrees.registry import register, unregister
from bursar.worktrees.repository import Repository
from bursar.worktrees.submodules import (
    Submodule,
    SubmoduleChanged,
    changes_in_submodule,
    fill_submodule,
)
from bursar.worktrees.trees import Difference

MOST_DIFF_BYTES = 1 << 20  # more than anybody is shown


@dataclass(frozen=True, slots=True)
class Worktree:
    """A detached checkout of `base` at `path`; git keeps its state (index, HEAD) in `state_dir`."""

    path: Path
    state_dir: Path
    base: str


@dataclass(frozen=True, slots=True)
class Change:
    """A commit on top of the worktree's base, the files in which it differs, and those of them that it deletes."""

    commit: str
    files: tuple[str, ...]
    deleted: tuple[str, ...] = ()


def create(repository: Repository, path: Path, base: str, contents: str | None = None) -> Worktree:
    """A fresh checkout of `base` (a full id) lies at `path`; its folder's name must be unique in the repository.

    With `contents` (a commit) its files lie there instead, as changes on `base` that were not committed.

    Files are checked out after the list of worktrees is free again: that may take long, and others need not wait.

    Raises:
        GitFailed: `base` could not be checked out; nothing is left of the worktree.
        SetupError: the folders could not be made.
    """
    worktree = Worktree(path, register(repository, path, base), base)
    try:
        _check_out(repository, worktree, contents or base)
        keep_index(repository, worktree.state_dir)
        for submodule, index in _submodules(repository, worktree):
            fill_submodule(submodule, path, index)
    except BaseException:
        remove(repository, path)
        raise
    return worktree


def commit_work(repository: Repository, worktree: Worktree, message: str, *, view: Path | None = None) -> Change | None:
    """Everything in the worktree that git does not ignore, as one commit on its base; None if nothing differs.

    With `view` (see `open_view`; it may not be there) also what git ignores, where the agent has added it there.
    Commits that the agent made on its own are folded into this one. The worktree's `.git` file is not believed:
    an agent can rewrite it, so the state folder is named outright. Files of a repository that the agent made inside
    are taken in as files: as a repository they would be a pointer to a commit that nobody else has.

    Raises:
        SetupError: a link stands where the worktree was; what it leads to is not looked at.
        SubmoduleChanged: files of a submodule were changed; the worktree is as it was.
        GitFailed: git cannot take it in; the worktree is as it was.
    """
    _check_place(worktree)
    _check_submodules(repository, worktree)
    view_index = None if view is None else index_of(view, worktree.path.name)
    left = Left(worktree.path, worktree.state_dir, worktree.base, view_index)
    tree, changed = collect_tree(repository, left)
    change = _commit(repository, tree, worktree.base, message, changed)
    if change is not None:
        _keep_from_pruning(worktree, change.commit)
    return change


def stand_at(repository: Repository, worktree: Worktree, commit: str) -> None:
    """The files of the worktree are those of `commit`; what git ignores in it, and what nobody has added, stays.

    What was collected from it is in its index, so nothing of that is left where `commit` does not have it.

    Raises:
        SetupError: a link stands where the worktree was.
        GitFailed: they could not be written.
    """
    _check_place(worktree)
    (worktree.state_dir / "index.lock").unlink(missing_ok=True)
    _check_out(repository, worktree, commit)


def commit_paths(repository: Repository, base: str, contents: dict[str, bytes], message: str) -> Change | None:
    """A commit on `base` in which these files (paths from the root) have these contents; no checkout is involved."""
    with tempfile.TemporaryDirectory(prefix="bursar-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(repository.root, "read-tree", base, environment=index)
        for path, content in contents.items():
            _, blob = git(repository.root, "hash-object", "-w", "--stdin", stdin=content)
            entry = f"100644,{blob.strip()},{path}"
            git(repository.root, "update-index", "--add", "--cacheinfo", entry, environment=index)
        _, tree = git(repository.root, "write-tree", environment=index)
    tree = tree.strip()
    return _commit(repository, tree, base, message, compare(repository, base, tree))


def remove(repository: Repository, path: Path) -> None:
    """The worktree is gone, from the disk and from git's list; also if half of it was gone already.

    Args:
        path: as given to `create`; an empty one names no worktree, and above all not the current folder.
    """
    if not path.name:
        return
    unregister(repository, path.name)
    remove_folder(path)


def changed_files(repository: Repository, before: str, after: str) -> tuple[str, ...]:
    """Paths in which two commits or trees differ."""
    return tuple(os.fsdecode(difference.path) for difference in compare(repository, before, after))


def read_diff(repository: Repository, before: str, after: str, paths: Sequence[str] = ()) -> str:
    """What differs between two commits (in `paths`, if any are named), as a patch for people; no program of the
    repository's settings takes part.

    Of a patch of more than MOST_DIFF_BYTES it is the beginning; of large files it says that they differ.
    """
    how = ("--no-ext-diff", "--no-textconv", "--no-color")
    large = ("-c", f"core.bigFileThreshold={MOST_DIFF_BYTES}")
    arguments = (*large, "diff", *how, before, after, "--", *paths)
    said = git_beginning(repository.root, MOST_DIFF_BYTES, *arguments, environment={"GIT_LITERAL_PATHSPECS": "1"})
    return said.decode("utf-8", "replace")


def files_by_commit(
    repository: Repository, commits: Iterable[str], *, only_new: bool = False
) -> dict[str, tuple[str, ...]]:
    """For each commit (full ids, none of them a merge) the paths in which it differs from its parent, by one git.

    With `only_new` those that its parent does not have.
    """
    found: dict[str, list[str]] = {commit: [] for commit in commits}
    listed = "".join(f"{commit}\n" for commit in found).encode()
    kinds = ("--diff-filter=A",) if only_new else ()
    _, output = git(
        repository.root, "diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames", *kinds, stdin=listed
    )
    commit = ""
    for part in output.split("\0"):
        if part in found:
            commit = part
        elif part:
            found[commit].append(part)
    return {commit: tuple(files) for commit, files in found.items()}


def _submodules(repository: Repository, worktree: Worktree) -> Iterator[tuple[Submodule, Path]]:
    """Submodules that the user has checked out, each with its index."""
    if b".gitmodules" in read_tree(repository, worktree.base):
        for number, submodule in enumerate(repository.gits.submodules.find(worktree.base)):
            yield submodule, worktree.state_dir / "submodules" / f"{number}.index"


def _check_submodules(repository: Repository, worktree: Worktree) -> None:
    """Every submodule's files are as they were checked out.

    Raises:
        SubmoduleChanged: files of one were changed.
    """
    changed: list[str] = []
    for submodule, index in _submodules(repository, worktree):
        changed += changes_in_submodule(submodule, worktree.path, index)
    if changed:
        raise SubmoduleChanged(
            f"files of a submodule were changed, and bursar makes no commits in submodules: {', '.join(changed[:5])}"
            + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        )


def _keep_from_pruning(worktree: Worktree, commit: str) -> None:
    """Git's clearing up (`gc --prune=now`, which an agent may run) takes the commit for one that somebody needs.

    Nothing points to it until it is merged, or put on a branch. What a worktree has stood at is kept, by its own log.
    """
    entry = f"{worktree.base} {commit} bursar <bursar@localhost> {int(time.time())} +0000\tcollected\n"
    with suppress(OSError):
        (worktree.state_dir / "logs").mkdir(exist_ok=True)
        append_plain(worktree.state_dir / "logs" / "HEAD", entry.encode())


def _check_place(worktree: Worktree) -> None:
    """The worktree is a folder of its own, as it was made.

    Raises:
        SetupError: a link stands where the worktree was: it may lead to the user's own checkout.
    """
    if worktree.path.is_symlink() or worktree.path.parent.is_symlink():
        raise SetupError(f"the worktree {worktree.path} was replaced by a link")


def _check_out(repository: Repository, worktree: Worktree, commit: str) -> None:
    how = ("-u", "--reset", "--no-recurse-submodules")
    git(worktree.path, "read-tree", *how, commit, environment=_where(repository, worktree))


def _where(repository: Repository, worktree: Worktree) -> dict[str, str]:
    """Where git is to look, whatever the worktree's `.git` says; and which programs it is to start, whatever is set."""
    place = {"GIT_DIR": str(worktree.state_dir), "GIT_WORK_TREE": str(worktree.path), "GIT_LITERAL_PATHSPECS": "1"}
    return place | dict(repository.gits.trusted.overrides(worktree.state_dir))


def _commit(repository: Repository, tree: str, base: str, message: str, changed: Sequence[Difference]) -> Change | None:
    if not changed:
        return None
    files = tuple(os.fsdecode(difference.path) for difference in changed)
    deleted = tuple(os.fsdecode(difference.path) for difference in changed if difference.after is None)
    return Change(write_commit(repository, tree, base, message), files, deleted)
