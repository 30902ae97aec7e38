"""Files that are no roadmaps: what they are is said, and nothing is raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bursar.plan import Problem, Roadmap, UnreadableRoadmap, parse_roadmap, read_roadmap

DOCS = Path(__file__).parents[3] / "docs" / "roadmap-format.md"
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


def test_the_example_in_the_docs_is_read_as_they_say() -> None:
    example = DOCS.read_text(encoding="utf-8").split("```markdown\n")[1].split("```\n")[0]
    roadmap = parse_roadmap(example, DOCS)
    assert roadmap.warnings == ()
    assert [(phase.number, phase.name, phase.status.value, phase.depends_on) for phase in roadmap.phases] == [
        ("1", "Piles", "complete", ()),
        ("2", "Deck", "complete", ()),
        ("3", "Hook", "in_progress", ("1", "2")),
        ("4", "Rope", "planned", ("3",)),
    ]
    assert [plan.is_done for plan in roadmap.phases[2].plans] == [True, False]


def test_the_wordings_in_the_docs_are_read_as_they_say() -> None:
    rows = [line.split("|")[1:3] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    known = "".join(f"### Phase {number}: {name}\n" for number, name in enumerate(["Piles", *"bcdefghijk"], start=1))
    asked = 0
    for written, expected in rows:
        wanted = [
            int(word) for word in expected.split(";")[0].split(":")[0].replace(",", " ").split() if word.isdigit()
        ]
        if not wanted and not expected.strip().startswith("nothing"):
            continue
        for value in written.strip().strip("`").split("`, `"):
            last = parse_roadmap(f"{known}### Phase 20: z\n**Depends on**: {value}\n", DOCS).phases[-1]
            assert [int(number) for number in last.depends_on] == wanted, value
            asked += 1
    assert asked >= 20
