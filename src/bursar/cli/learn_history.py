"""The history as commands read it: one that cannot be read is told of, and nothing is learned from it."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bursar.errors import StoreError
from bursar.history import ENOUGH_ATTEMPTS, LEARN_FROM, Experience, History, Read, learn, open_history
from bursar.layout import count_of
from bursar.paths import HISTORY_FILE, state_dir

ATTEMPTS_NEEDED = {"rules": math.inf, "auto": ENOUGH_ATTEMPTS, "learned": 0}
"""By the policy of the settings: how many attempts have to be known before what was learned chooses routes."""


@dataclass(frozen=True, slots=True)
class Known:
    """The latest of the history: what can be believed of it, and the types that people have corrected."""

    read: Read
    corrections: Mapping[str, str]


def open_experience() -> Experience:
    """What the history teaches. Without one, or where it cannot be read, nothing; the latter is told on stderr."""
    known = read_latest(LEARN_FROM)
    return replace(learn(known.read.observations, known.read.unbelievable), corrections=known.corrections)


def read_latest(count: int) -> Known:
    """So many of the latest attempts; none where there is no history, or one that cannot be read, which is told."""
    path, nothing = Path(state_dir(), HISTORY_FILE), Known(Read([], 0), {})
    if not os.path.exists(path):
        return nothing
    try:
        history = open_history(path)
        try:
            known = Known(history.read(latest=count), history.corrections())
        finally:
            history.close()
    except StoreError as error:
        sys.stderr.write(f"warning: nothing is learned from the history: {error.message}\n")
        return nothing
    if known.read.unbelievable:
        rows = count_of(known.read.unbelievable, "row")
        sys.stderr.write(f"warning: passed over, because nobody can believe them: {rows} of {path}\n")
    return known


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
