"""Where an agent's program is."""

from __future__ import annotations

import os
import shutil

from bursar.errors import SetupError


def find_program(program: str, *, hint: str) -> str:
    """The absolute path of a program given by path or by name.

    Raises:
        SetupError: there is no such program, or it cannot be executed.
    """
    found = shutil.which(os.path.expanduser(program))
    if found is None:
        raise SetupError(f"agent `{program}` is not installed", hint=hint)
    return os.path.abspath(found)
