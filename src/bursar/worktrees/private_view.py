"""A git directory for one attempt alone, to stand in the place of the repository's own in a sandbox.

All of git works in it: `add`, `commit`, branches, settings. What is written there is the attempt's and nobody else's:
new objects, refs, hooks and settings lie in a folder that goes with the attempt, and the repository's own is seen
beside them, read-only, as a place to borrow objects from. No git of bursar's believes anything in it but one thing:
which files the agent has named to git although the repository ignores them (`git add --force`): they are its work too.

Source: docs/decisions/0054-a-git-directory-per-attempt.md; gitrepository-layout(5)
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import SetupError
from bursar.worktrees.folders import remove_folder
from bursar.worktrees.plain_files import read_plain
from bursar.worktrees.repository import Repository

_BORROWED = "bursar-repository"  # in the view: the repository's own git directory
# What git reads of a repository's directory besides objects. No hooks, no logs, no leftovers of other programs.
_COPIED = ("HEAD", "config", "packed-refs", "refs", "reftable", "info", "shallow")
_OWN_OF_WORKTREE = ("HEAD", "config.worktree", "commondir", "gitdir", "index", "info")


@dataclass(frozen=True, slots=True)
class PrivateView:
    """Where the attempt's own git directory lies, where it is to be seen, and where the repository's within it."""

    folder: Path
    place: Path
    borrowed: Path


def open_view(repository: Repository, name: str, folder: Path) -> PrivateView:
    """`folder` is a git directory like the repository's, with the one worktree `name` in it; what lay there is gone.

    Args:
        name: the worktree's, as it was given to `create`.

    Raises:
        SetupError: it could not be made.
    """
    remove_folder(folder)
    common_dir = Path(os.path.realpath(repository.common_dir))
    borrowed = common_dir / _BORROWED
    try:
        (folder / "objects" / "info").mkdir(parents=True, mode=0o700)
        (folder / "objects" / "pack").mkdir()
        (folder / "refs").mkdir()
        (folder / _BORROWED).mkdir()
        lenders = [borrowed / "objects", *list_lenders(common_dir)]
        (folder / "objects" / "info" / "alternates").write_bytes(b"".join(_line(lender) for lender in lenders))
        _copy(common_dir, folder, _COPIED)
        _copy(common_dir / "worktrees" / name, folder / "worktrees" / name, _OWN_OF_WORKTREE)
    except OSError as error:
        raise SetupError(f"no git directory can be made at {folder}: {error.strerror or error}") from error
    return PrivateView(folder, common_dir, borrowed)


def close_view(folder: Path) -> None:
    """It is gone, and what was committed in it."""
    if os.path.lexists(folder):
        remove_folder(folder)


def list_lenders(common_dir: Path) -> list[Path]:
    """Folders of objects that the repository borrows from others, as it names them itself."""
    try:
        listed = read_plain(common_dir / "objects" / "info" / "alternates")
    except OSError:
        return []
    return [common_dir / "objects" / os.fsdecode(line) for line in listed.splitlines() if line and line[:1] != b"#"]


def index_of(folder: Path, name: str) -> Path:
    """Where the agent's own git names the files of the worktree; it may hold anything, or not be there."""
    return folder / "worktrees" / name / "index"


def _line(lender: Path) -> bytes:
    """One line of a list of lenders. Git takes quoted names, as in C."""
    path = os.fsencode(os.path.normpath(lender))
    if not any(byte in path for byte in b'\n"\\'):
        return path + b"\n"
    return b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"\n'


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    """Those of the names that are there, with their times: an index is compared with its own."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (source / name).is_dir():
            _copy_folder(source / name, target / name)
        else:
            _copy_file(source / name, target / name)


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            path = target / entry.name
            _copy_folder(Path(entry.path), path) if entry.is_dir() else _copy_file(Path(entry.path), path)


def _copy_file(source: Path, target: Path) -> None:
    with suppress(FileNotFoundError):  # refs come and go while others work
        if stat.S_ISREG(source.stat().st_mode) and not target.name.endswith(".lock"):
            shutil.copy2(source, target)
