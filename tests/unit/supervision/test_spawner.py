"""The spawner's account of its supervisors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bursar.supervision import spawner


def test_a_supervisor_that_was_reaped_while_orphans_were_killed_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was, in long runs: the spawner then never ended, and its conductor waited for it for ever."""
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    running = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    ended.wait()
    monkeypatch.setattr(spawner, "reap_children", dict)
    monkeypatch.setattr(spawner, "kill_descendants", lambda **_: True)
    account = spawner.Spawner()
    account._supervisors = {ended.pid, running.pid}
    account._reap()
    assert account._supervisors == {running.pid}
    running.communicate(b"\n")
