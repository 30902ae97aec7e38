"""How a run's windows stand, in a file of the run's own: reports read it, nothing is decided by it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from bursar.budget import WindowLimit, WindowUse

RECORD_FILE = "windows.json"


class WindowRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on a window, and what was known of the window when the run looked at it last.

    Attributes:
        limit_percent: of what the provider allows.
        percent: used; None: nothing was known.
    """

    agent: str
    minutes: int
    limit_percent: float
    on_limit: str
    percent: float | None
    is_official: bool
    said_at: datetime | None
    resets_at: datetime | None


def write_window_record(directory: Path, standing: Iterable[tuple[WindowLimit, WindowUse | None]]) -> None:
    """The file says so; where it cannot be written, the report has less to say."""
    records = [_record(limit, use) for limit, use in standing]
    draft = directory / f".{RECORD_FILE}.{os.getpid()}"
    with suppress(OSError):
        draft.write_bytes(msgspec.json.encode(records))
        os.replace(draft, directory / RECORD_FILE)


def read_window_record(directory: Path) -> list[WindowRecord]:
    """What was written last; empty where nothing was, or it cannot be read."""
    try:
        return msgspec.json.decode((directory / RECORD_FILE).read_bytes(), type=list[WindowRecord])
    except (OSError, msgspec.MsgspecError):
        return []


def _record(limit: WindowLimit, use: WindowUse | None) -> WindowRecord:
    return WindowRecord(
        agent=limit.agent if use is None else use.agent,
        minutes=limit.minutes,
        limit_percent=limit.percent,
        on_limit=str(limit.on_limit),
        percent=None if use is None else use.percent,
        is_official=use is not None and use.is_official,
        said_at=None if use is None else use.said_at,
        resets_at=None if use is None else use.resets_at,
    )
