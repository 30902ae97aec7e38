"""Two commands that set budgets at once: each finds what the other has written."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from bursar.config import editing, set_budget
from bursar.config.files import SettingsFile, read_settings_file


def is_locked(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_from_reading_to_writing_nobody_else_changes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = []
    write = editing._write

    def watched_read(path: Path) -> SettingsFile:
        locked.append(("read", is_locked(tmp_path)))
        return read_settings_file(path)

    def watched_write(path: Path, text: str) -> None:
        locked.append(("write", is_locked(tmp_path)))
        write(path, text)

    monkeypatch.setattr("bursar.config.editing.read_settings_file", watched_read)
    monkeypatch.setattr(editing, "_write", watched_write)
    assert set_budget(tmp_path, {"name": "a", "limit": "5 tokens"}, {"XDG_CONFIG_HOME": str(tmp_path / "none")})
    assert locked == [("read", True), ("write", True)]
    assert not is_locked(tmp_path)
