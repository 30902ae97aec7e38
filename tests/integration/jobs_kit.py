"""A workspace to run job lists in: a folder without git, with a HOME, a state directory and a fake model server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bursar.testing.model_server import ModelServer
from bursar.testing.script import Script, Step
from tests.integration.kit import Command, Ended, Project, settings

LIST = "jobs.json"
MakeJobs = Callable[..., "Jobs"]


class Jobs(Project):
    """A project whose work is done where it stands: `repo` is its workspace, and no repository."""

    def prepare(self, text: str, toml: str | None = None) -> None:
        """The folders, the job list and the settings."""
        for name in ("home", "tmp", "repo"):
            (self.folder / name).mkdir()
        self.write(LIST, text)
        self.write("bursar.toml", settings() if toml is None else toml)

    def write(self, name: str, text: str) -> None:
        """A file of the workspace."""
        (self.repo / name).write_text(text, encoding="utf-8")

    def run_jobs(self, *arguments: str) -> Ended:
        """`bursar run jobs.json --trust …` has ended."""
        return self.bursar("run", LIST, "--trust", "--workspace", ".", *arguments)

    def start_jobs(self, *arguments: str) -> Command:
        """`bursar run jobs.json --trust …` runs."""
        return self.start("run", LIST, "--trust", "--workspace", ".", *arguments)


def job_list(*instances: Mapping[str, Any]) -> str:
    """The text of a job list."""
    return json.dumps({"instances": list(instances)}, indent=1)


def numbered(count: int, **rest: Any) -> str:
    """A job list of so many instances; the prompt of the third says `job-03`."""
    return job_list(*({"name": f"n{at}", "prompt": f"Do job-{at:02}.", **rest} for at in range(1, count + 1)))


def answers(count: int, steps: Callable[[int], Sequence[Step]]) -> Script:
    """What the model does for each of them."""
    return Script.of({f"job-{at:02}": list(steps(at)) for at in range(1, count + 1)})


@contextmanager
def open_jobs_project(folder: Path, text: str, script: Script, toml: str | None = None) -> Iterator[Jobs]:
    """A prepared workspace with its server; afterwards nothing of it runs."""
    with ModelServer(script, keep_requests=True) as server:
        jobs = Jobs(folder, server)
        jobs.prepare(text, toml)
        try:
            yield jobs
        finally:
            jobs.finish()
