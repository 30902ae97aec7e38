"""What the real CLIs are given of the user's and of the repository's: their login, and nothing else unless allowed.

As test_real_agents.py, which tells how the CLIs are had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bursar.testing.script import Step
from tests.conformance.conftest import Cell
from tests.conformance.hostile_repository import LEAK, WORDS, Counter, set_up
from tests.conformance.real_agents import RealBench
from tests.conformance.test_real_agents import assert_exact, bench, shell

__all__ = ["bench"]  # a fixture

pytestmark = [pytest.mark.real_agent, pytest.mark.timeout(240)]


@dataclass
class Hostile:
    """A bench with a repository that tries; what it achieved."""

    bench: RealBench
    traces: Path
    other: Counter

    @property
    def achieved(self) -> set[str]:
        return {path.name for path in self.traces.iterdir()} | ({"address"} if self.other.hits else set())


@pytest.fixture
def hostile(bench: RealBench) -> Iterator[Hostile]:
    traces = bench.folder / "traces"
    traces.mkdir()
    other = Counter()
    set_up(bench.name, bench.worktree, traces, other.url)
    yield Hostile(bench, traces, other)
    other.close()


def test_repository_settings_take_no_effect(hostile: Hostile, cell: Cell) -> None:
    """No hook, no key helper, no server of tools, no other address; its instructions are read all the same."""
    bench = hostile.bench
    run = bench.run(shell("env > work.txt"), Step(text="Done."))
    assert f"{LEAK}=1" not in (bench.worktree / "work.txt").read_text()
    assert hostile.achieved == set()
    assert run.exit_code == 0
    assert WORDS in str(bench.server.request_bodies[0])
    assert_exact(run, bench)
    cell("a repository's hooks, servers, addresses", "without effect; its instructions are read")


def test_repository_settings_that_are_allowed(hostile: Hostile) -> None:
    """The same repository, when its settings may take effect: the test above tests something."""
    run = hostile.bench.start(
        shell("echo work > work.txt"), Step(text="Done."), repository_settings=True,
        environment={"CLAUDE_CODE_MAX_RETRIES": "0"},
    )  # fmt: skip
    run.end_within(20)
    print(hostile.achieved)
    assert hostile.achieved
