"""What a provider tells of a subscription's windows while an attempt runs, kept beside the attempt's other files.

The conductor reads it before it starts more. A copy for looking at: no money is counted by it, and where it cannot be
written nothing else suffers.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from bursar.agents import find_reset, names_limit
from bursar.events import SessionEnded, WindowTold

WINDOWS_FILE = "windows.json"
_A_MINUTE = 60


class SeenWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The last that was told of a window: percent used, when it begins anew (s; 0: not said), when it was told (ms)."""

    name: str
    minutes: int
    percent: float
    resets_at: int
    at: int


class WindowNotes:
    """The windows of one attempt's agent, as they were told last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: dict[str, SeenWindow] = {}
        self._used_up: dict[str, int | None] = {}

    def note(self, told: WindowTold, now: datetime) -> None:
        """The file says so, too."""
        if told.is_used_up:
            self._used_up[told.name] = told.resets_at
        else:
            self._used_up.pop(told.name, None)
        self._seen[told.name] = SeenWindow(
            name=told.name,
            minutes=told.minutes,
            percent=told.percent,
            resets_at=told.resets_at or 0,
            at=int(now.timestamp() * 1000),
        )
        draft = self._directory / f".{WINDOWS_FILE}.{os.getpid()}"
        with suppress(OSError):
            draft.write_bytes(msgspec.json.encode(list(self._seen.values())))
            os.replace(draft, self._directory / WINDOWS_FILE)

    def resets_at(self, said: SessionEnded | None, now: datetime) -> int | None:
        """When the limit is over that ended the agent, in s since 1970; None where no limit did, or nobody says."""
        if said is None or not said.is_error or not names_limit(said.message):
            return None
        if known := [until for until in self._used_up.values() if until is not None]:
            return max(known)
        found = find_reset(said.message, now)
        return None if found is None else self._exactly(int(found.timestamp()))

    def _exactly(self, at: int) -> int:
        """People are told the minute; where a window begins anew in it, that is meant."""
        told = [seen.resets_at for seen in self._seen.values() if 0 <= at - seen.resets_at <= _A_MINUTE]
        return max(told, default=at)


def read_windows(directory: Path) -> list[SeenWindow]:
    """What the attempt's agent was told of windows; empty where nothing was, or it cannot be read."""
    try:
        return msgspec.json.decode((directory / WINDOWS_FILE).read_bytes(), type=list[SeenWindow])
    except (OSError, msgspec.MsgspecError):
        return []
