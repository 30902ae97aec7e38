"""Phase, number and id, wherever they stand and however they disagree."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.plan import Plan, identify_plan, parse_plan, read_plan
from tests.unit.plan.plan_texts import task


@pytest.mark.parametrize(
    ("path", "front", "expected"),
    [
        ("08-features/08-02-PLAN.md", "phase: 08-features\nplan: 02", ("08-02", "08-features", "02")),
        ("08-features/08-02-PLAN.md", "phase: 08-features\nplan: 2", ("08-02", "08-features", "02")),
        ("08-features/08-02-PLAN.md", 'phase: "08"\nplan: 08-02', ("08-02", "08", "02")),
        ("08-features/08-02-PLAN.md", "", ("08-02", "08-features", "02")),
        ("08-features/08-002-PLAN.md", "plan: 2", ("08-002", "08-features", "002")),
        ("12.1-name/12.1-02-PLAN.md", "phase: 12.1-name\nplan: 02", ("12.1-02", "12.1-name", "02")),
        ("x/PLAN.md", "phase: 9.2\nplan: 1", ("9.2-01", "9.2", "01")),
        ("x/PLAN.md", "phase: 12.10\nplan: 08", ("12.10-08", "12.10", "08")),
        ("03-core/03-04b-PLAN.md", "", ("03-04b", "03-core", "04b")),
        ("09-fix/09-03-FIX2-PLAN.md", "phase: 09-fix\nplan: 03-FIX2", ("09-03-FIX2", "09-fix", "03-FIX2")),
        ("09-fix/09-03-FIX2-PLAN.md", "", ("09-03-FIX2", "09-fix", "03-FIX2")),
        ("12-name/12-PLAN-01.md", "", ("12-01", "12-name", "01")),
        ("01-core/01-editor-02-PLAN.md", "", ("01-02", "01-core", "02")),
        ("08-new/09-01-PLAN.md", "", ("08-01", "08-new", "01")),
        ("PROJ-42-name/PROJ-42-01-PLAN.md", "", ("PROJ-42-01", "PROJ-42-name", "01")),
        ("05/05-01-PLAN.md", "", ("05-01", "05", "01")),
        ("words/08-02-PLAN.md", "", ("08-02", "words", "02")),
        ("quick/260521-g7p-PLAN.md", "phase: quick", ("260521-g7p", "quick", "")),
        ("quick/PLAN.md", "", ("quick", "quick", "")),
        ("quick/tidy up: now!.md", "", ("tidy-up-now", "quick", "")),
        ("quick/..md", "phase: [1]\nplan: {a: b}", ("quick", "quick", "")),
        ("8/x-PLAN.md", "plan: a..b/~^c", ("8-a.b-c", "8", "a..b/~^c")),
    ],
)
def test_identity(path: str, front: str, expected: tuple[str, str, str]) -> None:
    plan = parse_plan(f"---\n{front}\n---\n{task()}", Path("phases") / path)
    assert isinstance(plan, Plan)
    assert (plan.id, plan.phase, plan.number) == expected


def test_a_name_of_another_phase_is_warned_of() -> None:
    plan = parse_plan(f"---\nphase: 10-new\nplan: 3\n---\n{task()}", Path("phases/10-new/11-03-PLAN.md"))
    assert isinstance(plan, Plan)
    assert [str(warning) for warning in plan.warnings] == [
        "phases/10-new/11-03-PLAN.md:2:1: `phase` is 10, and the file's name says 11; the plan is 10-03"
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("09-fix/09-FIX-01-PLAN.md", ("09-FIX-01", "FIX-01", "9")),
        ("02-a/02-01-data-model-PLAN.md", ("02-01", "01", "2")),
        ("words/08-02-PLAN.md", ("08-02", "02", "8")),
        ("PROJ-42-pay/PROJ-42-01-PLAN.md", ("PROJ-42-01", "01", "PROJ-42")),
        ("quick/260521-g7p-PLAN.md", ("260521-g7p", "", "")),
    ],
)
def test_what_a_file_name_says(path: str, expected: tuple[str, str, str]) -> None:
    found = identify_plan(Path(path), Path(path).parent.name, {})
    assert (found.id, found.number, found.phase_number) == expected


def test_a_bare_file_name_is_looked_up_in_the_folder_it_lies_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "08-features"
    folder.mkdir()
    (folder / "08-02-PLAN.md").write_text(task())
    monkeypatch.chdir(folder)
    plan = read_plan(Path("08-02-PLAN.md"))
    assert isinstance(plan, Plan)
    assert (plan.id, plan.phase) == ("08-02", "08-features")
