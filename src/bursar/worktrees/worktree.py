"""One attempt's checkout, and its work as a commit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bursar.worktrees.git import git
from bursar.worktrees.repository import Repository, worktree_list


@dataclass(frozen=True, slots=True)
class Worktree:
    """A detached checkout of `base` at `path`; git keeps its state (index, HEAD) in `state_dir`."""

    path: Path
    state_dir: Path
    base: str


@dataclass(frozen=True, slots=True)
class Change:
    """A commit on top of the worktree's base, and the files in which it differs."""

    commit: str
    files: tuple[str, ...]


def create(repository: Repository, path: Path, base: str) -> Worktree:
    """A fresh checkout of `base` lies at `path`; its folder's name must be unique in the repository.

    Files are checked out after the list of worktrees is free again: that may take long, and others need not wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with worktree_list(repository):
        git(repository.root, "worktree", "add", "--quiet", "--no-checkout", "--detach", "--force", str(path), base)
    git(path, "reset", "--quiet", "--hard", "--no-recurse-submodules")
    return Worktree(path, repository.common_dir / "worktrees" / path.name, base)


def commit_work(repository: Repository, worktree: Worktree, message: str) -> Change | None:
    """Everything in the worktree that git does not ignore, as one commit on its base; None if nothing differs.

    Commits that the agent made on its own are folded into this one. The worktree's `.git` file is not believed:
    an agent can rewrite it, so the state folder is named outright.
    """
    where = {"GIT_DIR": str(worktree.state_dir), "GIT_WORK_TREE": str(worktree.path)}
    git(worktree.path, "add", "--all", environment=where)
    _, tree = git(worktree.path, "write-tree", environment=where)
    return _commit_tree(repository, tree.strip(), worktree.base, message)


def commit_paths(repository: Repository, base: str, contents: dict[str, bytes], message: str) -> Change | None:
    """A commit on `base` in which these files (paths from the root) have these contents; no checkout is involved."""
    index = {"GIT_INDEX_FILE": str(repository.common_dir / f"bursar-index-{base[:12]}")}
    git(repository.root, "read-tree", base, environment=index)
    for path, content in contents.items():
        _, blob = git(repository.root, "hash-object", "-w", "--stdin", stdin=content)
        git(repository.root, "update-index", "--add", "--cacheinfo", f"100644,{blob.strip()},{path}", environment=index)
    _, tree = git(repository.root, "write-tree", environment=index)
    Path(index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
    return _commit_tree(repository, tree.strip(), base, message)


def remove(repository: Repository, path: Path) -> None:
    """The worktree is gone, from the disk and from git's list; also if half of it was gone already.

    Args:
        path: as given to `create`; an empty one names no worktree, and above all not the current folder.
    """
    if not path.name:
        return
    state_dir = repository.common_dir / "worktrees" / path.name
    with worktree_list(repository):
        git(repository.root, "worktree", "remove", "--force", "--force", str(path), accept=(0, 128))
        for left in (path, state_dir):
            if left.exists():
                shutil.rmtree(left, ignore_errors=True)


def changed_files(repository: Repository, before: str, after: str) -> tuple[str, ...]:
    """Paths in which two commits or trees differ."""
    _, output = git(repository.root, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
    return tuple(name for name in output.split("\0") if name)


def _commit_tree(repository: Repository, tree: str, base: str, message: str) -> Change | None:
    files = changed_files(repository, base, tree)
    if not files:
        return None
    _, commit = git(
        repository.root,
        *("commit-tree", tree, "-p", base, "-F", "-"),
        stdin=message.encode(),
        environment=repository.identity,
    )
    return Change(commit.strip(), files)
