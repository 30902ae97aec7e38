"""Which conversations Claude Code has kept: one file for each, under the folder that it was begun in."""

from __future__ import annotations

import re
from pathlib import Path

_NOT_IN_NAMES = re.compile("[^A-Za-z0-9]")
_SESSION_ID = re.compile("[0-9A-Za-z-]{1,64}")


def has_conversation(session_id: str, worktree: Path, config: Path | None) -> bool:
    """Whether `--resume` would find the session in that `.claude`, for it looks only among those of the same folder.

    A session that it does not find ends it, and so does a new one with an id that is taken.
    """
    if config is None or not _SESSION_ID.fullmatch(session_id):
        return False
    project = _NOT_IN_NAMES.sub("-", str(worktree.resolve()))
    return (config / "projects" / project / f"{session_id}.jsonl").is_file()
