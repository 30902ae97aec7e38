"""`bursar roadmap`: exit code, standard output and standard error of each action."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bursar.cli.roadmap import ACTIONS
from tests.cli.conftest import Bursar, Said

ROADMAP = """\
# Roadmap: Harbour

<details>
<summary>v1.0 Quay (Phases 1-2) — SHIPPED 2026-01-02</summary>

- [x] **Phase 1: Piles** (2/2 plans) - of oak
- [x] ~~**Phase 2: Ramp**~~ - *Superseded*

</details>

## v1.1 Crane

### Phase 3: Hook
**Goal**: It holds
**Depends on**: Phase 1 (piles stand), Phase 2
**Requirements**: HK-01, HK-02
**Success Criteria** (what must be TRUE):
  1. A crate hangs
**Plans**: 2 plans

Plans:
- [x] 03-01-PLAN.md — Forge it
- [ ] 03-02-PLAN.md — Hang it

### Phase 4: Rope
**Depends on**: Phase 3

### Phase 5: Paint
**Depends on**: Phase 9

### Phase 6: Flag
"""
CYCLE = "### Phase 1: A\n**Depends on**: Phase 2\n\n### Phase 2: B\n**Depends on**: Phase 1\n"
PLAN = """\
---
phase: 03-hook
plan: {number}
---
<objective>{objective}</objective>
<tasks>
<task type="auto"><name>Task 1: x</name><action>y</action></task>
</tasks>
"""


@pytest.fixture
def project(place: Path) -> Path:
    """A project with a roadmap, and two plans of phase 3 of which one is done."""
    folder = place / ".planning" / "phases" / "03-hook"
    folder.mkdir(parents=True)
    (place / ".git").mkdir()
    (place / ".planning" / "ROADMAP.md").write_text(ROADMAP, encoding="utf-8")
    (folder / "03-01-PLAN.md").write_text(PLAN.format(number="01", objective="Forge"))
    (folder / "03-01-SUMMARY.md").write_text("done")
    (folder / "03-03-PLAN.md").write_text(PLAN.format(number="03", objective="Polish"))
    return place


def data(said: Said) -> Any:
    return json.loads(said.out)


def test_show(bursar: Bursar, project: Path) -> None:
    said = bursar("roadmap", "show")
    assert said == Said(
        0,
        """\
.planning/ROADMAP.md: 6 phases, 1 complete, 0 errors, 1 warning

v1.0 Quay (Phases 1-2) — SHIPPED 2026-01-02
  ✓ 1      Piles                                         complete, 2 plans
  ✗ 2      Ramp                                          dropped

v1.1 Crane
  ▸ 3      Hook                                          in progress, 1 of 2 plans  ← 1, 2
  ○ 4      Rope                                          planned  ← 3
  ○ 5      Paint                                         planned  ← 9?
  ○ 6      Flag                                          planned
""",
        "warning: .planning/ROADMAP.md:29:17: phase 5 depends on phase 9, which is no phase of this roadmap\n"
        "  hint: did you mean phase 6?\n",
    )


def test_show_for_programs(bursar: Bursar, project: Path) -> None:
    said = bursar("roadmap", "show", "--json")
    found = data(said)
    assert (said.code, said.err) == (0, "")
    assert list(found) == ["path", "title", "phases", "problems"]
    assert (found["path"], found["title"]) == (".planning/ROADMAP.md", "Roadmap: Harbour")
    assert [(phase["number"], phase["status"], phase["line"]) for phase in found["phases"]] == [
        ("1", "complete", 6),
        ("2", "dropped", 7),
        ("3", "in_progress", 13),
        ("4", "planned", 25),
        ("5", "planned", 28),
        ("6", "planned", 31),
    ]
    assert found["phases"][2] == {
        "number": "3",
        "name": "Hook",
        "status": "in_progress",
        "line": 13,
        "milestone": "v1.1 Crane",
        "goal": "It holds",
        "depends_on": ["1", "2"],
        "unknown_dependencies": [],
        "depends_text": "Phase 1 (piles stand), Phase 2",
        "requirements": ["HK-01", "HK-02"],
        "success_criteria": ["A crate hangs"],
        "planned_plans": 2,
        "plans": [
            {"id": "03-01", "text": "Forge it", "done": True, "line": 22},
            {"id": "03-02", "text": "Hang it", "done": False, "line": 23},
        ],
    }
    assert (found["phases"][4]["depends_on"], found["phases"][4]["unknown_dependencies"]) == (["9"], ["9"])
    assert found["problems"] == [
        {
            "file": ".planning/ROADMAP.md",
            "line": 29,
            "column": 17,
            "level": "warning",
            "message": "phase 5 depends on phase 9, which is no phase of this roadmap",
            "hint": "did you mean phase 6?",
        }
    ]


def test_many_files_are_answered_in_their_order_whatever_they_are(bursar: Bursar, place: Path) -> None:
    (place / "b.md").write_text(CYCLE)
    (place / "a.md").write_text("# nothing\n")
    (place / "bad.md").write_bytes(b"\xff")
    said = bursar("roadmap", "show", "--json", "b.md", "missing.md", "a.md", "bad.md", ".")
    found = [json.loads(line) for line in said.out.splitlines()]
    assert (said.code, said.err) == (3, "")
    assert [(answer["path"], len(answer["phases"])) for answer in found] == [
        ("b.md", 2),
        ("missing.md", 0),
        ("a.md", 0),
        ("bad.md", 0),
        (".", 0),
    ]
    assert [answer["problems"][0]["message"] for answer in found] == [
        "phases wait for each other: 1 → 2 → 1",
        "no such file",
        "no phase is named in this roadmap",
        "is not UTF-8: byte 0xff",
        "is a directory, not a roadmap file",
    ]


def test_check_tells_of_cycles_and_fails(bursar: Bursar, place: Path) -> None:
    (place / "R.md").write_text(CYCLE)
    assert bursar("roadmap", "check", "R.md") == Said(
        3,
        "R.md: 2 phases, 0 complete, 1 error, 0 warnings\n",
        "error: R.md:1:1: phases wait for each other: 1 → 2 → 1\n"
        "  hint: take one of these out of a `Depends on` line\n",
    )


def test_check_passes_with_warnings(bursar: Bursar, project: Path) -> None:
    said = bursar("roadmap", "check")
    assert (said.code, said.out) == (0, ".planning/ROADMAP.md: 6 phases, 1 complete, 0 errors, 1 warning\n")


def test_next(bursar: Bursar, project: Path) -> None:
    assert bursar("roadmap", "next") == Said(
        0,
        """\
first: phase 3 (Hook): has been begun
also:  phase 5 (Paint): names phase 9, which this roadmap does not have
also:  phase 6 (Flag): does not say what it depends on
waits: phase 4 (Rope) for 3
""",
        "",
    )


def test_next_for_programs(bursar: Bursar, project: Path) -> None:
    found = data(bursar("roadmap", "next", "--json"))
    assert (found["path"], found["first"]) == (".planning/ROADMAP.md", "3")
    assert [phase["number"] for phase in found["startable"]] == ["3", "5", "6"]
    assert found["waiting"] == [{"number": "4", "name": "Rope", "waits_for": ["3"]}]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("- [x] **Phase 1: A**\n", 0, "every phase is done\n"),
        ("- [x] **Phase 1: A**\n- ⏸ **Phase 2: B**\n", 0, "every phase is done, 1 parked\n"),
        ("# Roadmap\n", 0, "R.md names no phase\n"),
        (CYCLE, 3, "nothing can start: 2 phases to be done, each waits for another\n"),
    ],
)
def test_next_where_nothing_can_start(bursar: Bursar, place: Path, text: str, code: int, words: str) -> None:
    (place / "R.md").write_text(text)
    said = bursar("roadmap", "next", "R.md")
    assert (said.code, said.out) == (code, words)


def test_status(bursar: Bursar, project: Path) -> None:
    assert bursar("roadmap", "status", "03") == Said(
        0,
        """\
▸ phase 3 (Hook): in progress
  goal          It holds
  depends on    1, 2
  requirements  HK-01, HK-02
  criteria      A crate hangs
  folder        .planning/phases/03-hook
  ✓ 03-01 Forge it  (1 task)
  ○ 03-02 Hang it  (no file)
  ○ 03-03 Polish  (1 task, not listed in the roadmap)
""",
        "",
    )
    assert bursar("roadmap", "status", "4").out == (
        "○ phase 4 (Rope): planned\n  depends on    3\n"
        "  waits for     phase 3 (Hook), in progress\n  no plan is known\n"
    )
    assert "  depends on    9 (not in this roadmap)\n" in bursar("roadmap", "status", "5").out
    assert "  depends on    (the roadmap does not say)\n" in bursar("roadmap", "status", "6").out


def test_status_for_programs(bursar: Bursar, project: Path) -> None:
    found = data(bursar("roadmap", "status", "3", "--json"))
    assert (found["phase"]["number"], found["folder"], found["can_start"]) == ("3", ".planning/phases/03-hook", True)
    assert [(plan["id"], plan["done"], plan["ticked"], plan["tasks"]) for plan in found["plans"]] == [
        ("03-01", True, True, 1),
        ("03-02", False, False, None),
        ("03-03", False, None, 1),
    ]
    assert found["plans"][0]["path"] == ".planning/phases/03-hook/03-01-PLAN.md"
    assert found["plans"][0]["summary"] == ".planning/phases/03-hook/03-01-SUMMARY.md"
    assert data(bursar("roadmap", "status", "4", "--json"))["waits_for"] == [
        {"number": "3", "name": "Hook", "status": "in_progress"}
    ]


def test_where_tick_and_files_disagree_that_is_said(bursar: Bursar, project: Path) -> None:
    folder = project / ".planning" / "phases" / "03-hook"
    (folder / "03-01-SUMMARY.md").rename(folder / "03-02-SUMMARY.md")
    (folder / "03-02-PLAN.md").write_text(PLAN.format(number="02", objective="Hang"))
    said = bursar("roadmap", "status", "3").out
    assert "  ○ 03-01 Forge it  (1 task, ticked, but there is no SUMMARY)\n" in said
    assert "  ✓ 03-02 Hang it  (1 task, done, but not ticked)\n" in said


@pytest.mark.parametrize("action", ["show", "next"])
def test_a_phase_that_a_run_takes_for_done_is_named(bursar: Bursar, project: Path, action: str) -> None:
    folder = project / ".planning" / "phases" / "03-hook"
    (folder / "03-02-PLAN.md").write_text(PLAN.format(number="02", objective="Hang"))
    (folder / "03-02-SUMMARY.md").write_text("done")
    assert "note:" not in bursar("roadmap", action).err  # 03-03 is not done
    (folder / "03-03-SUMMARY.md").write_text("---\nstatus: halted\n---\n")
    assert "note:" not in bursar("roadmap", action).err
    (folder / "03-03-SUMMARY.md").write_text("done")
    assert bursar("roadmap", action).err.endswith(
        "note: phase 3 has a SUMMARY of every plan, so `bursar run` takes it for done; the roadmap does not say so\n"
    )
    assert "note:" not in bursar("roadmap", action, "--json").err


def test_a_phase_is_not_done_while_a_plan_that_it_lists_has_no_file(bursar: Bursar, project: Path) -> None:
    folder = project / ".planning" / "phases" / "03-hook"
    (folder / "03-03-PLAN.md").unlink()
    assert "note:" not in bursar("roadmap", "next").err


@pytest.mark.parametrize(
    ("folder", "number"),
    [
        ("phases/02.1-slip", "2.1"),
        ("phases/02", "2"),
        ("phases/2-slip", "2"),
        ("phases/02-1-slip", "2.1"),
        ("phases/12A-slip", "12A"),
        ("phases/PROJ-42-slip", "PROJ-42"),
        ("milestones/v1-phases/02-slip", "2"),
    ],
)
def test_folders_of_phases(bursar: Bursar, place: Path, folder: str, number: str) -> None:
    (place / ".planning" / folder).mkdir(parents=True)
    numbers = ("2", "2.1", "12A", "PROJ-42")
    (place / ".planning" / "ROADMAP.md").write_text("".join(f"### Phase {one}: x\n" for one in numbers))
    found = {one: data(bursar("roadmap", "status", one, "--json"))["folder"] for one in numbers}
    assert found == {one: f".planning/{folder}" if one == number else None for one in numbers}


def test_an_estimate_is_one_number_for_scripts(bursar: Bursar, project: Path) -> None:
    assert bursar("roadmap", "estimate-phase", "3") == Said(
        0, "12500\n", "phase 3 (Hook): 10,000 + 2 requirements × 1,000 + 1 success criteria × 500 = 12,500 tokens\n"
    )
    assert data(bursar("roadmap", "estimate-phase", "3", "--json")) == {
        "phase": "3",
        "name": "Hook",
        "estimated_tokens": 12_500,
        "base_tokens": 10_000,
        "requirements": 2,
        "tokens_per_requirement": 1_000,
        "success_criteria": 1,
        "tokens_per_criterion": 500,
    }


@pytest.mark.parametrize("action", ["show", "next", "check"])
def test_the_roadmap_is_that_of_the_project_around(
    bursar: Bursar, project: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    deep = project / "src" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    found = bursar("roadmap", action, "--json").out
    assert json.loads(found)["path"] == str(project / ".planning" / "ROADMAP.md")


def test_a_roadmap_beyond_the_checkout_is_not_taken(
    bursar: Bursar, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = project / "inner"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert bursar("roadmap", "show") == Said(
        2,
        "",
        "error: there is no .planning/ROADMAP.md here or above\n\n"
        "hint: cd into its project, or name its file at the end of the command\n",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "error: say what to do with a roadmap\n\nhint: bursar roadmap --help\n"),
        (("shwo",), 2, "error: there is no `bursar roadmap shwo`\n\nhint: did you mean `bursar roadmap show`?\n"),
        (("zzz",), 2, "error: there is no `bursar roadmap zzz`\n\nhint: bursar roadmap --help\n"),
        (("show", "--bogus"), 2, "error: unrecognized arguments: --bogus\n\nhint: bursar roadmap show --help\n"),
        (("show", "no.md"), 3, "error: no.md:1:1: no such file\n"),
        (("next", "no.md"), 3, "error: no.md:1:1: no such file\n"),
        (("status", "1", "no.md"), 3, "error: no.md:1:1: no such file\n"),
        (("estimate-phase", "1", "no.md"), 3, "error: no.md:1:1: no such file\n"),
        (
            ("status",),
            2,
            "error: the following arguments are required: N\n\nhint: bursar roadmap status --help\n",
        ),
        (
            ("status", "33"),
            2,
            "error: .planning/ROADMAP.md has no phase `33`\n\nhint: did you mean phase 3? It has 1, 2, 3, 4, 5, 6\n",
        ),
        (
            ("estimate-phase", "Hook"),
            2,
            "error: .planning/ROADMAP.md has no phase `Hook`\n\nhint: it has 1, 2, 3, 4, 5, 6\n",
        ),
    ],
)
def test_mistakes(bursar: Bursar, project: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    assert bursar("roadmap", *arguments) == Said(code, "", words)


def test_every_action_has_its_own_help(bursar: Bursar, place: Path) -> None:
    assert bursar("roadmap", "--help").out.startswith("usage: bursar roadmap ACTION ")
    for action, (_, about) in ACTIONS.items():
        assert about in bursar("roadmap", "--help").out
        assert bursar("roadmap", action, "--help").out.startswith(f"usage: bursar roadmap {action} ")
