"""`bursar phase archive N`: what it writes and says, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar, Said
from tests.unit.plan.test_archive import FILES

FOLDER = Path(".planning/phases/03-desk")
ARCHIVE = FOLDER / "ARCHIVE.json"
COUNTS = "phase 3: 2 plans, 6 files, 5 decisions, verification passed\n"


@pytest.fixture
def folder(place: Path) -> Path:
    """A finished phase in the project around the current folder."""
    found = place / FOLDER
    found.mkdir(parents=True)
    for name, data in FILES.items():
        (found / name).write_bytes(data)
    return found


def test_it_writes_one_file_and_moves_nothing(bursar: Bursar, folder: Path) -> None:
    said = bursar("phase", "archive", "3")
    size, read = (folder / "ARCHIVE.json").stat().st_size, sum(map(len, FILES.values()))
    assert said == Said(0, f"{COUNTS}{ARCHIVE} written: {size:,} bytes for {read:,}\n", "")
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert sorted(os.listdir(folder)) == sorted([*FILES, "ARCHIVE.json"])
    assert json.loads((folder / "ARCHIVE.json").read_text())["phase"] == "3"


def test_a_second_time_writes_nothing(bursar: Bursar, folder: Path) -> None:
    bursar("phase", "archive", "03")
    before = (folder / "ARCHIVE.json").stat()
    assert " is up to date: " in bursar("phase", "archive", "3").out
    assert (folder / "ARCHIVE.json").stat() == before


def test_a_summary_that_changed_is_taken_in(bursar: Bursar, folder: Path) -> None:
    bursar("phase", "archive", "3")
    (folder / "03-02-SUMMARY.md").write_text("# T\n\nAnother outcome.\n")
    assert " written: " in bursar("phase", "archive", "3").out
    assert "Another outcome." in (folder / "ARCHIVE.json").read_text()


def test_a_dry_run_shows_the_file(bursar: Bursar, folder: Path) -> None:
    said = bursar("phase", "archive", "3", "--dry-run")
    assert json.loads(said.out)["folder"] == "03-desk"
    assert said.err.startswith(f"{COUNTS}{ARCHIVE} would be written: ")
    assert not (folder / "ARCHIVE.json").exists()


def test_json(bursar: Bursar, folder: Path) -> None:
    first = json.loads(bursar("phase", "archive", "3", "--json").out)
    assert (first["path"], first["changed"], first["archive"]["phase"]) == (str(ARCHIVE), True, "3")
    assert first["bytes"] == (folder / "ARCHIVE.json").stat().st_size
    assert json.loads(bursar("phase", "archive", "3", "--json").out)["changed"] is False


def test_an_unfinished_phase_is_refused(bursar: Bursar, folder: Path) -> None:
    (folder / "03-02-SUMMARY.md").write_text("---\nstatus: partial\n---\n")
    (folder / "03-03-PLAN.md").write_text("x")
    assert bursar("phase", "archive", "3") == Said(
        2,
        "",
        "error: phase 3 is not finished\n"
        f"  {FOLDER}/03-03-PLAN.md has no SUMMARY\n"
        f"  {FOLDER}/03-02-SUMMARY.md (partial) says that its plan is not done\n",
    )
    assert not (folder / "ARCHIVE.json").exists()


def test_a_phase_without_plans_is_refused(bursar: Bursar, folder: Path) -> None:
    for name in FILES:
        (folder / name).unlink()
    assert bursar("phase", "archive", "3") == Said(2, "", f"error: phase 3 has no plans in {FOLDER}\n")


def test_a_phase_that_is_not_there(bursar: Bursar, folder: Path) -> None:
    message = "error: there is no folder of phase `4` in .planning/phases\n\nhint: phases there: 3\n"
    assert bursar("phase", "archive", "4") == Said(2, "", message)


def test_a_project_without_phases(bursar: Bursar) -> None:
    message = "error: there is no .planning/phases here or above\n\nhint: cd into a project that has one\n"
    assert bursar("phase", "archive", "4") == Said(2, "", message)


@pytest.mark.parametrize("content", ["{}", "my notes", "[1]"])
def test_a_file_of_somebody_elses_stays(bursar: Bursar, folder: Path, content: str) -> None:
    (folder / "ARCHIVE.json").write_text(content)
    message = f"error: {ARCHIVE} was not written by bursar, and stays as it is\n\nhint: move it away\n"
    assert bursar("phase", "archive", "3") == Said(2, "", message)
    assert (folder / "ARCHIVE.json").read_text() == content


def test_an_archive_that_is_read_only(bursar: Bursar, folder: Path) -> None:
    bursar("phase", "archive", "3")
    (folder / "03-02-SUMMARY.md").write_text("# T\n\nAnother outcome.\n")
    (folder / "ARCHIVE.json").chmod(0o444)
    message = f"error: {ARCHIVE} is read-only; nothing was written\n\nhint: chmod u+w {ARCHIVE}\n"
    assert bursar("phase", "archive", "3") == Said(2, "", message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("archive",), "the following arguments are required: N"),
        (("burn", "3"), "argument action: invalid choice: 'burn' (choose from 'archive')"),
        ((), "the following arguments are required: action, N"),
    ],
)
def test_mistakes_in_the_arguments(bursar: Bursar, arguments: tuple[str, ...], message: str) -> None:
    said = bursar("phase", *arguments)
    assert said.code == 2
    assert said.err.replace("choose from archive", "choose from 'archive'") == (
        f"error: {message}\n\nhint: bursar phase --help\n"
    )
