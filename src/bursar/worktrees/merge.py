"""Joining attempts' commits into the run's merged work: a ref of its own, one commit per task, no checkout involved."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from bursar.worktrees.git import GitFailed, git
from bursar.worktrees.objects import join_trees, write_commit
from bursar.worktrees.repository import Repository, worktree_list

_NOT_IN_REFS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]+|\.{2,}|@\{|^@$")


@dataclass(frozen=True, slots=True)
class Merged:
    """The commit whose parent is the tip that was given and which brings the change along."""

    commit: str


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """The change does not fit onto the tip: these files were changed on both sides."""

    files: tuple[str, ...]


def compose(repository: Repository, tip: str, base: str, commit: str, message: str) -> Merged | MergeConflict:
    """`commit` (a child of `base`) as a child of `tip`; nothing points to it yet.

    Where the tip has not moved since `base`, that is `commit` itself.
    """
    if tip == base:
        return Merged(commit)
    tree = join_trees(repository, base, tip, commit)
    if tree is None:
        code, output = git(
            repository.root,
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", tip, commit),
            accept=(0, 1),
            environment=repository.gits.trusted.overrides(),
        )
        tree, *files = [part for part in output.split("\0") if part]
        if code:
            return MergeConflict(tuple(files))
    return Merged(write_commit(repository, tree, tip, message))


def advance(repository: Repository, ref: str, commit: str, expected: str | None) -> None:
    """`ref` points to `commit`; it pointed to `expected` (None: it did not exist), else nothing changed.

    Raises:
        GitFailed: the ref was not where it was expected.
    """
    before = expected if expected is not None else "0" * len(commit)
    request = f"start\nupdate {ref} {commit} {before}\ncommit\n".encode()
    try:
        repository.gits.ask("update-ref", "--stdin", request=request, read=_read_committed, repeat=False)
    except GitFailed as failed:
        if failed.code >= 0:
            raise
        # It was killed, perhaps between doing it and saying so.
        if read_ref(repository, ref) != commit:
            git(repository.root, "update-ref", ref, commit, before)


def read_ref(repository: Repository, ref: str) -> str | None:
    """The commit that `ref` points to; None if there is no such ref."""
    code, commit = git(repository.root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", accept=(0, 1))
    return commit.strip() if code == 0 else None


def read_message(repository: Repository, commit: str) -> str:
    """The commit's message, as it was given when the commit was made."""
    _, output = git(repository.root, "log", "-1", "--format=%B", commit)
    return output.rstrip("\n") + "\n"


def drop_ref(repository: Repository, ref: str) -> None:
    """`ref` is gone."""
    git(repository.root, "update-ref", "-d", ref)


def contains(repository: Repository, tip: str, commit: str) -> bool:
    """Whether `commit` is `tip` or one of its ancestors."""
    code, _ = git(repository.root, "merge-base", "--is-ancestor", commit, tip, accept=(0, 1, 128))
    return code == 0


def commits_between(repository: Repository, before: str, tip: str) -> frozenset[str]:
    """The commits that `tip` has and `before` has not; none where git knows one of the two no more."""
    code, output = git(repository.root, "rev-list", f"{before}..{tip}", accept=(0, 128))
    return frozenset(output.split()) if code == 0 else frozenset()


def count_commits(repository: Repository, before: str, tip: str) -> int:
    """How many commits `tip` has that `before` has not."""
    _, output = git(repository.root, "rev-list", "--count", f"{before}..{tip}")
    return int(output)


def list_commits(repository: Repository, before: str, tip: str) -> list[str]:
    """Those that `tip` has and `before` has not, the newest first."""
    return git(repository.root, "rev-list", f"{before}..{tip}")[1].split()


def save_branch(repository: Repository, name: str, commit: str) -> str:
    """A branch of that name points to `commit`, so that work that could not be merged is easy to find; its name.

    Where git does not take the name, or somebody's branch is in its way, it is another one like it.

    Raises:
        GitFailed: git takes none of them.
    """
    wanted = "/".join(map(_part_of_ref, name.split("/")))
    flat = wanted.replace("/", "-")
    with worktree_list(repository):
        for each in (wanted, flat):
            with suppress(GitFailed):
                return _point_branch(repository, each, commit)
        return _point_branch(repository, f"{flat}-{commit[:8]}", commit)


def _point_branch(repository: Repository, name: str, commit: str) -> str:
    if read_ref(repository, f"refs/heads/{name}") != commit:
        git(repository.root, "branch", "--force", "--no-track", name, commit)
    return name


def _part_of_ref(part: str) -> str:
    """Source: git-check-ref-format(1)."""
    plain = _NOT_IN_REFS.sub("-", part).strip(".")
    plain = plain.removesuffix(".lock") or "x"
    if plain == part:
        return part
    return f"{plain}-{hashlib.sha256(part.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _read_committed(answers: IO[bytes]) -> None:
    while (line := answers.readline()) != b"commit: ok\n":
        if not line:
            raise EOFError
