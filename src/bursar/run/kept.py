"""Worktrees that stay after their attempt has ended, because git could make no commit of what is in them."""

from __future__ import annotations

from pathlib import Path

from bursar.errors import BursarError
from bursar.journal import AttemptRow

_MARK = "worktree-kept"


def keep_worktree(row: AttemptRow, error: BursarError) -> str:
    """Nobody removes the attempt's worktree from now on; why, and where it is, for people."""
    Path(row.directory).mkdir(parents=True, exist_ok=True, mode=0o700)
    (Path(row.directory) / _MARK).write_text(error.message + "\n", encoding="utf-8", errors="backslashreplace")
    return f"{error.message}; what the agent left is in {row.worktree}"


def forget_kept(row: AttemptRow) -> None:
    """The attempt's worktree may be removed: what is in it is in a commit after all."""
    (Path(row.directory) / _MARK).unlink(missing_ok=True)


def is_kept(row: AttemptRow) -> bool:
    """The attempt's worktree has work in it that is nowhere else."""
    return (Path(row.directory) / _MARK).exists()
