"""A run reads the archive of a finished phase instead of its summaries; an annotated plan runs as the plain one did."""

from __future__ import annotations

from tests.integration.conftest import MakeProject
from tests.integration.kit import PLAN, plan, script, task, write

FOLDER = ".planning/phases/07-desk"
CONTEXT = f"<context>\n@{FOLDER}/07-01-SUMMARY.md\n@{FOLDER}/07-02-SUMMARY.md\n</context>\n\n<tasks>"
PHASE = {f"{FOLDER}/07-{n:02}-{kind}.md": f"# {kind} {n}\n\nDone.\n" for n in (1, 2) for kind in ("PLAN", "SUMMARY")}


def test_an_archived_phase_shrinks_what_a_later_task_is_told(make_project: MakeProject) -> None:
    project = make_project(plan(task("One")).replace("<tasks>", CONTEXT), script({1: [write("one.txt")]}))
    project.commit(PHASE, "the phase before")
    assert project.bursar("phase", "archive", "7").code == 0
    project.git("add", "--all")
    project.git("commit", "--quiet", "-m", "archive it")
    assert project.run().code == 0
    (prompt,) = project.state.glob("runs/*/**/prompt.md")
    told = prompt.read_text()
    assert f"- @{FOLDER}/ARCHIVE.json: this phase is finished" in told
    assert "07-01-SUMMARY.md" not in told


def test_an_annotated_plan_runs_as_before(make_project: MakeProject) -> None:
    text = plan(task("One"), task("Two"))
    project = make_project(text, script({1: [write("one.txt")], 2: [write("two.txt")]}))
    assert project.bursar("plan", "annotate", PLAN).code == 0
    assert (project.repo / PLAN).read_text() != text
    project.git("commit", "--quiet", "-am", "annotate")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert [line[:6] for line in ended.err.splitlines() if "  One" in line or "  Two" in line] == [
        "  ▸ 1 ",
        "  ✓ 1 ",
        "  ▸ 2 ",
        "  ✓ 2 ",
    ]
    assert "holds 50,000 tokens" in ended.err
