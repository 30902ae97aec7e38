"""The history as commands read it: one that cannot be read is told of, and nothing is learned from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bursar.errors import StoreError
from bursar.history import LEARN_FROM, Experience, History, learn, open_history
from bursar.paths import HISTORY_FILE, state_dir


def open_experience() -> Experience:
    """What the history teaches. Without one, or where it cannot be read, nothing; the latter is told on stderr."""
    path = Path(state_dir(), HISTORY_FILE)
    if not os.path.exists(path):
        return learn([])
    try:
        history = open_history(path)
        try:
            read, corrections = history.read(latest=LEARN_FROM), history.corrections()
        finally:
            history.close()
    except StoreError as error:
        sys.stderr.write(f"warning: nothing is learned from the history: {error.message}\n")
        return learn([])
    if read.unbelievable:
        sys.stderr.write(f"warning: {read.unbelievable} rows of {path} cannot be believed and are passed over\n")
    return replace(learn(read.observations, read.unbelievable), corrections=corrections)


@contextmanager
def opened_history() -> Iterator[History]:
    """The history, made if there is none; closed at the end.

    Raises:
        StoreError: it is corrupt, foreign, of a later version, or cannot be written.
    """
    folder = Path(state_dir())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    history = open_history(folder / HISTORY_FILE)
    try:
        yield history
    finally:
        history.close()
