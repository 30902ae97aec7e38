"""`bursar plan graph`: tasks, plans and phases in order, as text, for drawing, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar, Said
from tests.cli.test_commands import BAD_PLAN, PLAN
from tests.unit.graph.phase_folders import DONE, write_plan

PHASE = ".planning/phases/03-auth"
ROADMAP = """\
# Roadmap

- [x] **Phase 1: Base** - first

### Phase 1: Base
**Depends on**: Nothing

### Phase 2: Server
**Depends on**: Phase 1

### Phase 3: Pages
**Depends on**: Phase 1

### Phase 4: Ship
**Depends on**: Phases 2, 3
"""


@pytest.fixture
def files(place: Path) -> Path:
    (place / "08-02-PLAN.md").write_text(PLAN)
    (place / "ROADMAP.md").write_text(ROADMAP)
    write_plan(place / PHASE, "01", summary=DONE)
    write_plan(place / PHASE, "02", files="a.py", depends_on="[01]")
    write_plan(place / PHASE, "03", files="a.py", depends_on="[01]")
    return place


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "08-02-PLAN.md",
            "08-02-PLAN.md: 2 tasks, 2 waves\nwave 1\n  1  Add login\nwave 2\n  2  Add profile  (after 1)\n"
            "longest chain: 1, 2\n",
        ),
        (
            PHASE,
            f"{PHASE}: 3 plans, 2 waves\nwave 1\n  03-01  Part 01.\nwave 2\n  03-02  Part 02.  (after 03-01)\n"
            "  03-03  Part 03.  (after 03-01, 03-02)\n03-03 waits for 03-02: both write a.py\n"
            "longest chain: 03-01, 03-02, 03-03\n",
        ),
        (
            "ROADMAP.md",
            "ROADMAP.md: 4 phases, 3 waves\nwave 1\n  1  Base\nwave 2\n  2  Server  (after 1)\n"
            "  3  Pages  (after 1)\nwave 3\n  4  Ship  (after 2, 3)\nlongest chain: 1, 2, 4\n",
        ),
    ],
)
def test_the_order_as_text(bursar: Bursar, files: Path, path: str, text: str) -> None:
    assert bursar("plan", "graph", path) == Said(0, text, "")


def test_several_paths_for_drawing(bursar: Bursar, files: Path) -> None:
    mermaid = bursar("plan", "graph", "ROADMAP.md", PHASE, "--format", "mermaid")
    assert mermaid.out.startswith("%% ROADMAP.md\nflowchart TD\n")
    assert mermaid.out.count("flowchart TD") == 2
    assert "  n1 ==> n2\n  n1 --> n3\n" in mermaid.out
    assert '  n2 -.->|"a.py"| n3\n' in mermaid.out
    assert "  class n1 done\n" in mermaid.out
    dot = bursar("plan", "graph", "ROADMAP.md", PHASE, "--format", "dot")
    assert dot.out.startswith('digraph "ROADMAP.md" {\n')
    assert dot.out.count("digraph ") == dot.out.count("\n}\n") == 2


def test_one_json_object_a_line_for_unreadable_files_too(bursar: Bursar, files: Path) -> None:
    said = bursar("plan", "graph", "none.md", PHASE, "--json")
    first, second = map(json.loads, said.out.splitlines())
    assert said.code == 3
    assert first == {
        "path": "none.md", "kind": "tasks", "nodes": [], "waves": [], "conflicts": [], "critical_path": [],
        "problems": [{"file": "none.md", "line": 1, "column": 1, "level": "error", "message": "no such file",
                      "hint": "there is 08-02-PLAN.md"}],
    }  # fmt: skip
    assert second["nodes"][2] == {
        "key": "03-03", "name": "Part 03.", "depends_on": ["03-01"], "waits_for": ["03-01", "03-02"], "wave": 2,
        "files": ["a.py"], "done": False,
    }  # fmt: skip
    assert [node["done"] for node in second["nodes"]] == [True, False, False]
    assert second["waves"] == [["03-01"], ["03-02", "03-03"]]
    assert second["conflicts"] == [{"first": "03-02", "second": "03-03", "file": "a.py", "other": None}]
    assert second["critical_path"] == ["03-01", "03-02", "03-03"]
    assert (second["path"], second["kind"], second["problems"]) == (PHASE, "plans", [])


def test_a_folder_with_a_roadmap_and_no_plans_shows_the_phases(bursar: Bursar, files: Path) -> None:
    assert bursar("plan", "graph", ".planning").err == (
        "error: .planning:1:1: holds no plan\n  hint: name a PLAN.md, or a folder that holds some\n"
    )
    (files / "ROADMAP.md").rename(files / ".planning/ROADMAP.md")
    assert bursar("plan", "graph", ".planning").out.startswith(".planning: 4 phases, 3 waves\n")


def test_cycles_are_errors_and_other_paths_are_drawn_all_the_same(bursar: Bursar, files: Path) -> None:
    (files / "cycle-PLAN.md").write_text(PLAN.replace('<task type="auto">', '<task type="auto" depends-on="2">', 1))
    (files / "ROADMAP-2.md").write_text(ROADMAP.replace("Nothing", "Phase 4"))
    write_plan(files / "07-loop", "01", depends_on="[07-01]")
    said = bursar("plan", "graph", "cycle-PLAN.md", "ROADMAP-2.md", "07-loop", "08-02-PLAN.md")
    assert said.code == 3
    assert said.out.startswith("08-02-PLAN.md: 2 tasks")
    assert said.err.splitlines() == [
        "error: cycle-PLAN.md:9:1: tasks wait for each other: 1 → 2 → 1",
        "error: ROADMAP-2.md:5:1: phases wait for each other: 1 → 4 → 2 → 1",
        "  hint: take one of these out of a `Depends on` line",
        "error: 07-loop/07-01-PLAN.md:4:1: plan waits for itself: 07-01 → 07-01",
    ]


def test_an_invalid_plan_has_no_graph(bursar: Bursar, place: Path) -> None:
    (place / "08-02-PLAN.md").write_text(BAD_PLAN)
    said = bursar("plan", "graph", "08-02-PLAN.md")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("error: 08-02-PLAN.md:16:1: task 2 depends on `7`, which is no task of this plan\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: PATH"),
        (
            ("x.md", "--format", "svg"),
            "argument --format: invalid choice: 'svg' (choose from 'text', 'mermaid', 'dot')",
        ),
    ],
)
def test_wrong_arguments(bursar: Bursar, place: Path, arguments: tuple[str, ...], message: str) -> None:
    said = bursar("plan", "graph", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {message.partition(' (')[0]}")
