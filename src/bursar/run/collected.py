"""Work that was collected from a worktree which then was moved to other commits: a note beside the attempt's files.

Without it a conductor that comes later would take the files of another commit for what the agent has left.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from bursar.journal import AttemptRow
from bursar.worktrees import Change

_NOTE = "collected.json"


def note_collected(row: AttemptRow, change: Change) -> None:
    """It is written down which commit has the attempt's work, before its worktree is moved."""
    path = Path(row.directory) / _NOTE
    draft = path.with_name(f".{_NOTE}.{os.getpid()}")
    with open(draft, "w", encoding="ascii") as file:  # ASCII alone: names of files need not be UTF-8
        json.dump(asdict(change), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def read_collected(row: AttemptRow) -> Change | None:
    """What was collected from the attempt's worktree before; None if it was never moved."""
    try:
        data = json.loads((Path(row.directory) / _NOTE).read_bytes())
    except FileNotFoundError:
        return None
    return Change(data["commit"], tuple(data["files"]), tuple(data["deleted"]))
