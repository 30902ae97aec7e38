"""A finished phase in one file, and the context that shrinks by it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bursar.errors import UserError
from bursar.plan import (
    PhaseArchive,
    UnfinishedPhase,
    build_archive,
    find_phase_folder,
    phase_number,
    read_phase_folder,
    shrink_context,
)
from bursar.plan.archive import is_plan_file
from tests.unit.plan.test_summary_text import PAGE, WRITTEN

VERIFICATION = "---\nstatus: passed\nscore: 3/3\n---\n# Fine\n"
FILES = {
    "03-01-PLAN.md": b"a plan\n" * 40,
    "03-01-SUMMARY.md": WRITTEN.encode(),
    "03-02-PLAN.md": b"a plan\n" * 40,
    "03-02-SUMMARY.md": PAGE.encode(),
    "03-VERIFICATION.md": VERIFICATION.encode(),
}


def archive(files: dict[str, bytes]) -> PhaseArchive:
    found = build_archive("03-desk", "3", files)
    assert isinstance(found, PhaseArchive), found
    return found


def test_what_an_archive_says() -> None:
    found = archive(FILES)
    assert json.loads(found.render()) == {
        "format": 1,
        "phase": "3",
        "folder": "03-desk",
        "plans_executed": [
            {
                "plan": "03-01-PLAN.md",
                "summary": "03-01-SUMMARY.md",
                "outcome": "A desk where books are lent, with tests",
                "provides": ["a desk"],
                "completed": "2026-02-03",
                "duration": "4min",
                "tokens": None,
                "cost_usd": None,
            },
            {
                "plan": "03-02-PLAN.md",
                "summary": "03-02-SUMMARY.md",
                "outcome": "Things.",
                "provides": [],
                "completed": None,
                "duration": None,
                "tokens": None,
                "cost_usd": None,
            },
        ],
        "files_modified": ["docs/desk.md", "src/a.py", "src/app.py", "src/b.py", "src/c.py", "src/desk.py"],
        "key_decisions": [
            {"plan": "03-01-PLAN.md", "decision": "One desk: simpler"},
            {"plan": "03-01-PLAN.md", "decision": "No queue (nobody waits)"},
            {"plan": "03-01-PLAN.md", "decision": "Paper: none"},
            {"plan": "03-02-PLAN.md", "decision": "Keep it small"},
            {"plan": "03-02-PLAN.md", "decision": "**SQLite**: no server"},
        ],
        "verification": {"file": "03-VERIFICATION.md", "status": "passed", "score": "3/3"},
        "sources": {name: hashlib.sha256(data).hexdigest()[:12] for name, data in FILES.items()},
    }
    assert found.read_bytes == sum(map(len, FILES.values()))


def test_the_same_files_give_the_same_text() -> None:
    assert archive(FILES).render() == archive(dict(reversed(FILES.items()))).render()


def test_a_phase_without_verification() -> None:
    files = {name: data for name, data in FILES.items() if "VERIFICATION" not in name}
    assert archive(files).data["verification"] == {"file": None, "status": None, "score": None}


def test_every_plan_needs_a_summary() -> None:
    files = {name: data for name, data in FILES.items() if name != "03-02-SUMMARY.md"} | {"03-03-PLAN.md": b""}
    assert build_archive("03-desk", "3", files) == UnfinishedPhase(("03-02-PLAN.md", "03-03-PLAN.md"))


def test_a_summary_that_says_it_is_not_done() -> None:
    files = FILES | {"03-02-SUMMARY.md": b"---\nstatus: halted\n---\n"}
    assert build_archive("03-desk", "3", files) == UnfinishedPhase((), ("03-02-SUMMARY.md (halted)",))


def test_a_phase_without_plans() -> None:
    assert build_archive("03-desk", "3", {"03-VERIFICATION.md": b""}) == UnfinishedPhase()


@pytest.mark.parametrize(
    ("plan", "summary"),
    [
        ("PLAN.md", "SUMMARY.md"),
        ("12-PLAN-01.md", "12-SUMMARY-01.md"),
        ("12-PLAN-01.md", "12-PLAN-01-SUMMARY.md"),
        ("02-02-PLAN-v2.md", "02-02-SUMMARY-v2.md"),
        ("01-PLAN-timeline-store.md", "SUMMARY.md"),
        ("12.1-02-PLAN.md", "12.1-02-SUMMARY.md"),
    ],
)
def test_names_of_plans_and_summaries(plan: str, summary: str) -> None:
    assert archive({plan: b"x", summary: b"# T\n\nDone."}).data["plans_executed"]


@pytest.mark.parametrize("name", ["PLAN-CHECK.md", "01-PLAN-REVIEW.md", "EXPLANATION.md", "PLAN.txt", "01-PLANS.md"])
def test_names_that_are_no_plans(name: str) -> None:
    assert not is_plan_file(name)


ROOT = ".planning/phases"


@pytest.mark.parametrize(
    ("paths", "shrunk"),
    [
        ((f"{ROOT}/03-desk/03-01-SUMMARY.md",), (f"{ROOT}/03-desk/ARCHIVE.json",)),
        (
            (f"{ROOT}/03-desk/03-01-SUMMARY.md", "src/a.py", f"{ROOT}/03-desk/03-02-PLAN.md"),
            (f"{ROOT}/03-desk/ARCHIVE.json", "src/a.py"),
        ),
        ((f"{ROOT}/03-desk/03-VERIFICATION.md",), (f"{ROOT}/03-desk/ARCHIVE.json",)),
        ((f"{ROOT}/03-desk/SUMMARY.md",), (f"{ROOT}/03-desk/ARCHIVE.json",)),
        ((f"{ROOT}/03-desk/03-RESEARCH.md",), (f"{ROOT}/03-desk/03-RESEARCH.md",)),
        ((f"{ROOT}/03-desk/ARCHIVE.json",), (f"{ROOT}/03-desk/ARCHIVE.json",)),
        ((f"{ROOT}/04-shop/04-01-SUMMARY.md",), (f"{ROOT}/04-shop/04-01-SUMMARY.md",)),
        (("docs/PLAN.md", "03-01-SUMMARY.md"), ("docs/PLAN.md", "03-01-SUMMARY.md")),
    ],
)
def test_context_of_archived_phases(paths: tuple[str, ...], shrunk: tuple[str, ...]) -> None:
    asked: list[str] = []

    def is_archived(folder: str) -> bool:
        asked.append(folder)
        return folder == f"{ROOT}/03-desk"

    assert shrink_context(paths, is_archived) == shrunk
    assert all(folder.startswith(f"{ROOT}/") for folder in asked)


@pytest.mark.parametrize(
    ("folder", "number"),
    [
        ("08-features", "8"),
        ("12.1-name", "12.1"),
        ("05", "5"),
        ("phase-7-x", "7"),
        ("PROJ-42-x", "PROJ-42"),
        ("notes", ""),
    ],
)
def test_the_number_of_a_folder(folder: str, number: str) -> None:
    assert phase_number(folder) == number


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("08-features", "08.1-more", "09-a", "09-b", "notes"):
        (tmp_path / ROOT / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("number", "name"), [("8", "08-features"), ("08", "08-features"), ("8.1", "08.1-more"), ("09-b", "09-b")]
)
def test_a_folder_is_found_by_its_number(project: Path, number: str, name: str) -> None:
    assert find_phase_folder(project, number).name == name
    assert find_phase_folder(project / ROOT / "09-a", number).name == name


def test_folders_that_cannot_be_told(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="phase 9 has more than one folder: 09-a, 09-b"):
        find_phase_folder(project, "9")
    with pytest.raises(UserError, match="there is no folder of phase `7`") as refused:
        find_phase_folder(project, "7")
    assert refused.value.hint == "phases there: 8, 8.1, 9, 9"


def test_a_folder_is_read_without_what_lies_below(project: Path) -> None:
    folder = project / ROOT / "08-features"
    (folder / "old").mkdir()
    for name in ("08-01-PLAN.md", "08-01-SUMMARY.md", "08-RESEARCH.md", "notes.txt", "old/08-02-PLAN.md"):
        (folder / name).write_bytes(b"x")
    (folder / "08-03-PLAN.md").mkdir()
    assert read_phase_folder(folder) == {"08-01-PLAN.md": b"x", "08-01-SUMMARY.md": b"x"}
