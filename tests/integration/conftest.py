"""Fixtures of the whole-run tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bursar.testing.agent_install import install_agent
from bursar.testing.script import Script
from tests.integration.jobs_kit import Jobs, MakeJobs, open_jobs_project
from tests.integration.kit import Project, open_project

MakeProject = Callable[..., Project]
CACHES = Path(__file__).parents[2] / ".cache"


@pytest.fixture(scope="session")
def real_claude() -> str:
    """The path of the pinned Claude Code."""
    installed = install_agent("claude", CACHES)
    if isinstance(installed, str):
        print(f"real Claude Code skipped: {installed}", file=sys.stderr)
        pytest.skip(f"no real Claude Code: {installed}")
    return str(installed)


@pytest.fixture
def make_project(tmp_path: Path) -> Iterator[MakeProject]:
    """Make a project from a plan's text and what the model answers; all of it is gone after the test."""
    with ExitStack() as stack:
        count = 0

        def make(text: str, answers: Script, toml: str | None = None) -> Project:
            nonlocal count
            count += 1
            folder = tmp_path / f"project{count}"
            folder.mkdir()
            return stack.enter_context(contextmanager(open_project)(folder, text, answers, toml))

        yield make


@pytest.fixture
def make_jobs(tmp_path: Path) -> Iterator[MakeJobs]:
    """Make a workspace from a job list's text and what the model answers; all of it is gone after the test."""
    with ExitStack() as stack:
        count = 0

        def make(text: str, answers: Script, toml: str | None = None) -> Jobs:
            nonlocal count
            count += 1
            folder = tmp_path / f"jobs{count}"
            folder.mkdir()
            return stack.enter_context(open_jobs_project(folder, text, answers, toml))

        yield make
