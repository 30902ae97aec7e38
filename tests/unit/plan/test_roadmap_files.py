"""Files that are no roadmaps: what they are is said, and nothing is raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bursar.plan import Problem, Roadmap, UnreadableRoadmap, read_roadmap

TEXT = "# Roadmap\n\n### Phase 1: Quay\n**Depends on**: Nothing\n"


def problem(path: Path) -> Problem:
    found = read_roadmap(path)
    assert isinstance(found, UnreadableRoadmap)
    assert found.path == path
    (only,) = found.problems
    assert only.is_error
    return only


def test_a_roadmap_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ROADMAP.md"
    path.write_text(TEXT, encoding="utf-8")
    roadmap = read_roadmap(path)
    assert isinstance(roadmap, Roadmap)
    assert (roadmap.path, roadmap.title, [phase.number for phase in roadmap.phases]) == (path, "Roadmap", ["1"])


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + TEXT.encode(), TEXT.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "ROADMAP.md"
    path.write_bytes(text)
    roadmap = read_roadmap(path)
    assert isinstance(roadmap, Roadmap)
    assert (roadmap.title, roadmap.phases[0].position.line, roadmap.warnings) == ("Roadmap", 3, ())


def test_a_file_that_is_not_there_is_told_of_one_that_is(tmp_path: Path) -> None:
    missing = tmp_path / "ROADMAP.md"
    assert (problem(missing).message, problem(missing).hint) == ("no such file", None)
    (tmp_path / "v1-ROADMAP.md").write_text(TEXT)
    assert problem(missing).hint == f"there is {tmp_path}/v1-ROADMAP.md"


def test_a_directory(tmp_path: Path) -> None:
    found = problem(tmp_path)
    assert (found.message, found.hint) == ("is a directory, not a roadmap file", "name a ROADMAP.md file")


def test_a_device_is_not_opened() -> None:
    assert problem(Path(os.devnull)).message == "is not a regular file"


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ROADMAP.md"
    path.write_bytes(b"x" * (4 * 1024 * 1024 + 1))
    assert problem(path).message == "is 4.0 MiB large; a roadmap has at most 4 MiB"


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"# R\n### Phase 1: \xff\n", "is not UTF-8: byte 0xff", (2, 14)),
        (b"# R\n\0", "is a binary file (it holds a NUL byte)", (2, 1)),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, data: bytes, message: str, place: tuple[int, int]) -> None:
    path = tmp_path / "ROADMAP.md"
    path.write_bytes(data)
    found = problem(path)
    assert (found.message, found.position.line, found.position.column) == (message, *place)
