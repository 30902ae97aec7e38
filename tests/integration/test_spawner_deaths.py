"""Spawners that are killed, or that end by themselves, before they have started what they were asked for."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bursar.errors import SetupError
from bursar.run.supervisors import Supervisors
from tests.integration.supervised import make_spec


def dying_spawner(folder: Path, times: int, by: str) -> Path:
    """In place of Python: dies so many times, and is a real spawner from then on."""
    program = folder / "python"
    program.write_text(
        "#!/bin/sh\n"
        f"printf x >> {folder}/started\n"
        f"[ $(wc -c < {folder}/started) -gt {times} ] || {by}\n"
        f'exec {sys.executable} "$@"\n'
    )
    program.chmod(0o755)
    return program


def spawners_started(folder: Path) -> int:
    return len((folder / "started").read_text())


async def start_one(folder: Path) -> None:
    """A supervisor for an attempt that another has claimed: it ends at once."""
    attempt = folder / "attempt"
    attempt.mkdir()
    (attempt / "supervisor").write_text("abandoned")
    async with Supervisors(folder / "spawner.log") as supervisors:
        await supervisors.start(make_spec(attempt))
        await supervisors.ended("r/1/1")


@pytest.mark.parametrize("times", [1, 5])
def test_a_killed_spawner_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    monkeypatch.setattr(sys, "executable", str(dying_spawner(tmp_path, times, by="kill -9 $$")))
    asyncio.run(start_one(tmp_path))
    assert spawners_started(tmp_path) == times + 1


@pytest.mark.parametrize(("by", "tries"), [("kill -9 $$", 8), ("exit 3", 1)])
def test_in_the_end_it_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str, tries: int) -> None:
    monkeypatch.setattr(sys, "executable", str(dying_spawner(tmp_path, 100, by)))
    with pytest.raises(SetupError, match=r"supervisors cannot be started; the reason is in .*spawner\.log"):
        asyncio.run(start_one(tmp_path))
    assert spawners_started(tmp_path) == tries
