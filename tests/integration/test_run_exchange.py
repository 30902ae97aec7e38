"""`bursar run export` and `import`: a run is looked at on another machine, and no money comes with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kit import CALL_TOKENS, Project
from tests.integration.roadmap_kit import ROADMAP, answers, plan_files, roadmap, roadmap_project

PLANS = {"01-01": ["alpha"]}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    files = {ROADMAP: roadmap({"1": []}), **plan_files(PLANS)}
    with roadmap_project(tmp_path, files, answers(PLANS)) as project:
        assert project.bursar("run", ROADMAP, "--trust").code == 0
        yield project


def test_a_run_is_looked_at_elsewhere(project: Project) -> None:
    (run,) = json.loads(project.bursar("status", "--json").out)
    exported = project.bursar("run", "export", run["id"]).out
    path = project.folder / "run.json"
    path.write_text(exported)
    own = project.bursar("run", "import", str(path))
    assert (own.code, own.err) == (
        2, f"error: run {run['id']} is one of this machine's own; nothing changed\n\nhint: bursar report {run['id']}\n"
    )  # fmt: skip
    shutil.rmtree(project.state)  # another machine
    assert project.bursar("run", "import", str(path)).code == 0
    again = project.bursar("run", "import", str(path))
    assert (again.code, again.err) == (0, f"run {run['id']} was imported before; nothing changed\n")
    report = json.loads(project.bursar("report", run["id"], "--json").out)
    assert report["metered_tokens"] == 2 * CALL_TOKENS
    assert f"metered {2 * CALL_TOKENS:,} tokens on another machine" in project.bursar("report", run["id"]).out
    (shown,) = json.loads(project.bursar("status", "--json").out)
    assert (shown["imported"], shown["state"], shown["phases"]["completed"]) == (True, "succeeded", [1])
    assert project.bursar("run", "export", run["id"]).out == exported
    assert "can only go on there" in project.bursar("resume", run["id"]).err
    assert "there is no run" not in project.bursar("parallel", "status", run["id"]).err


def test_what_was_edited_is_not_taken(project: Project) -> None:
    (run,) = json.loads(project.bursar("status", "--json").out)
    exported = project.bursar("run", "export", run["id"]).out
    path = project.folder / "run.json"
    shutil.rmtree(project.state)
    for text, said in (
        (exported.replace(str(2 * CALL_TOKENS), "1"), "is not as it was exported"),
        (exported[:-20], "is not JSON"),
        ('{"kind": "bursar run", "format": 2}', "has format 2"),
        ("[]", "is no exported run"),
    ):
        path.write_text(text)
        refused = project.bursar("run", "import", str(path))
        assert refused.code == 2
        assert said in refused.err
    assert json.loads(project.bursar("status", "--json").out) == []
    assert "there is no run `nope`" in project.bursar("run", "export", "nope").err


def test_an_imported_run_does_not_stand_for_one_of_ours(project: Project) -> None:
    """The same roadmap in the same place is run as if nothing were known of the other machine's run."""
    (run,) = json.loads(project.bursar("status", "--json").out)
    path = project.folder / "run.json"
    path.write_text(project.bursar("run", "export", run["id"]).out)
    shutil.rmtree(project.state)
    assert project.bursar("run", "import", str(path)).code == 0
    project.git("reset", "--hard", "HEAD~2")
    ended = project.bursar("run", ROADMAP, "--trust")
    assert ended.code == 0, ended.err
    assert len(json.loads(project.bursar("status", "--json").out)) == 2
