"""What of a folder is open in this process; what other tests have left open does not count."""

from __future__ import annotations

import os
from pathlib import Path


def opened_below(folder: Path) -> list[str]:
    """The targets of our descriptors that lie in `folder`, one for each descriptor; deleted files too."""
    return sorted(target for target in map(_target, os.listdir("/proc/self/fd")) if target.startswith(f"{folder}/"))


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:  # the one that the folder was listed by, or a thread's that has closed it meanwhile
        return ""
