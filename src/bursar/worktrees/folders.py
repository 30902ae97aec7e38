"""Folders that go, whatever rights an agent has left on them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def remove_folder(path: Path) -> None:
    """The folder is gone with all that is in it, as far as the system lets us; links are not followed."""
    with suppress(OSError):
        clear_folder(os.fsencode(path))


def clear_folder(path: bytes) -> None:
    """The folder is gone.

    Raises:
        OSError: something in it resists; what could be removed is.
    """
    if os.path.islink(path):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    with os.scandir(path) as entries:
        listed = list(entries)
    problem: OSError | None = None
    for entry in listed:
        try:
            clear_folder(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        except OSError as error:
            problem = error
    if problem is not None:
        raise problem
    os.rmdir(path)
