"""The user's repository: where it is, where it stands, and whether it is fit to start a run from."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bursar.errors import SetupError, UserError
from bursar.worktrees.git import GitFailed, check_version, git, know_top
from bursar.worktrees.pipes import find_swapped
from bursar.worktrees.plain_files import append_plain, open_lock, read_plain
from bursar.worktrees.running import Gits


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with a work tree.

    Attributes:
        root: its top folder.
        common_dir: the folder that all of its worktrees share (`.git`).
        identity: environment that names a committer, where the user has not told git one.
        gits: those that run on between calls, for this value and its threads.
    """

    root: Path
    common_dir: Path
    identity: Mapping[str, str] = field(default_factory=dict)
    gits: Gits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        know_top(self.root)
        object.__setattr__(self, "gits", Gits(self.root, self.identity))


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out: a commit, and the branch it belongs to (None: detached)."""

    commit: str
    branch: str | None


def open_repository(directory: Path) -> Repository:
    """The repository that `directory` lies in.

    Raises:
        SetupError: git is missing or too old, or this is no repository with a work tree.
    """
    check_version()
    try:
        _, output = git(directory, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir")
    except GitFailed as failed:
        if "safe.directory" in failed.output:
            raise SetupError(
                f"git does not trust the repository at {directory}: {failed.output.splitlines()[0]}",
                hint=f"git config --global --add safe.directory {shlex.quote(str(directory))}",
            ) from failed
        git_dir = directory / ".git"
        swapped = find_swapped([git_dir]) or (f"{git_dir / 'HEAD'} is gone" if _has_no_head(git_dir) else "")
        if swapped:
            raise SetupError(
                f"the repository at {directory} is broken: {swapped}", hint="put back what was there"
            ) from failed
        raise SetupError(
            f"{directory} is not in a git repository with a work tree",
            hint="run it inside one, or make one: `git init && git add -A && git commit -m start`",
        ) from failed
    root, *others = output.rstrip("\n").split("\n")  # other ends of lines may be part of a name
    if len(others) != 1:
        raise SetupError(
            f"the path of the repository at {directory} has a line break in it: git's lists cannot hold that",
            hint="rename the folder",
        )
    common_dir = others[0]
    return Repository(Path(root), Path(common_dir), _identity(Path(root)))


def _has_no_head(git_dir: Path) -> bool:
    return (git_dir / "objects").is_dir() and not os.path.lexists(git_dir / "HEAD")


def read_head(repository: Repository) -> Head:
    """Where the checkout stands.

    Raises:
        UserError: the repository has no commit yet.
    """
    code, commit = git(repository.root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", accept=(0, 1))
    if code:
        raise UserError(
            f"{repository.root} has no commit yet, so there is nothing to start from",
            hint="git add -A && git commit -m start",
        )
    code, branch = git(repository.root, "symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
    return Head(commit.strip(), branch.strip().removeprefix("refs/heads/") if code == 0 else None)


def changed_tracked_files(repository: Repository) -> Sequence[str]:
    """Tracked files that differ from HEAD, in the index or the work tree: what makes a checkout dirty."""
    _, output = git(
        repository.root,
        *("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=none"),
    )
    return [entry[3:] for entry in output.split("\0") if len(entry) > 3]


@contextmanager
def worktree_list(repository: Repository) -> Iterator[None]:
    """The caller alone changes or reads git's list of worktrees, among all processes of bursar.

    git reads every entry when it adds a worktree or moves a branch, and fails on one that another git is just making
    ("failed to read .git/worktrees/…/commondir").

    Raises:
        SetupError: it cannot be locked.
    """
    path = repository.common_dir / "bursar-worktrees.lock"
    try:
        lock = open_lock(path)
    except OSError as error:
        raise SetupError(f"git's list of worktrees cannot be locked: {path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def is_tracked(repository: Repository, path: Path) -> bool:
    """Whether git knows this file."""
    code, _ = git(repository.root, "ls-files", "--error-unmatch", "--", str(path), accept=(0, 1, 128))
    return code == 0


@lru_cache(maxsize=8)
def identity_variables(folder: Path) -> Mapping[str, str]:
    """Who commits in that folder, as git's variables: for programs that do not see the user's git settings.

    Empty where git knows nobody, or is not there.
    """
    found: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        try:
            _, said = git(folder, "var", f"GIT_{role}_IDENT")
        except SetupError:
            return {}
        name, _, rest = said.rpartition(" <")
        found |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": rest.partition(">")[0]}
    return found


def leave_out(repository: Repository, pattern: str) -> None:
    """git takes no notice of files like this in any checkout of the repository; nothing that is committed says so.

    Raises:
        OSError: git's list cannot be read or written.
    """
    path = repository.common_dir / "info" / "exclude"
    try:
        known = read_plain(path)
    except FileNotFoundError:
        known = b""
    if pattern.encode() in known.splitlines():
        return
    path.parent.mkdir(exist_ok=True)
    append_plain(path, (b"" if not known or known.endswith(b"\n") else b"\n") + pattern.encode() + b"\n")


def _identity(root: Path) -> dict[str, str]:
    """Nothing where git knows who commits; else bursar's own name, so that work is not lost for want of one."""
    code, _ = git(root, "var", "GIT_COMMITTER_IDENT", accept=(0, 128))
    if code == 0:
        return {}
    who = {"NAME": "bursar", "EMAIL": "bursar@localhost"}
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in who.items()}
