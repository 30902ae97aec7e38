"""Any text is a roadmap that keeps its promises: it is read, places lie in it, and dependencies are its phases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.graph import awaited_phases, check_roadmap, startable_phases
from bursar.plan import Roadmap, UnreadableRoadmap, normal_number, parse_roadmap, read_roadmap
from tests.unit.plan.test_roadmap_dependencies import CLEAR, LABELS, UNCLEAR, WORDINGS
from tests.unit.plan.test_roadmap_fields import PLANS, WHOLE
from tests.unit.plan.test_roadmap_phases import HEADINGS, ITEMS, NO_HEADINGS

PATH = Path("ROADMAP.md")
VALUES = [*WORDINGS, *CLEAR, *UNCLEAR]
FRAGMENTS = st.sampled_from(
    [
        *(f"{text}\n" for text in (*HEADINGS, *ITEMS, *NO_HEADINGS, *PLANS)),
        *(f"{label.format(value)}\n" for label, value in zip(LABELS * 30, VALUES, strict=False)),
        "# Milestone v1.0\n",
        "## Backlog\n",
        "<details>\n",
        "<summary>✅ v1.0 (Phases 1-3) — SHIPPED</summary>\n",
        "</details>\n",
        "| Phase | Plans | Status | Depends on |\n|---|---|---|---|\n",
        "| 1. A | 1/2 | Complete | 2 |\n",
        "| 2 |",
        "```\n",
        "~~~\n",
        "<!--\n",
        "-->\n",
        "**Success Criteria**:\n",
        "**Requirements**: A-01~9999, ",
        "**Plans**: 3 plans\n",
        "Plans:\n",
        "  1. wrapped\n     text\n",
        "**",
        "~~",
        "(",
        "](",
        "\r\n",
        "\n",
        "  ",
        "\x0b\x85\u2028\ufeff\ud800",
        "Phases 1-",
        "999999999",
        "Phase ",
        "٣",
        "**Depends on**: ",
        "- [x] **Phase 1:",
    ]
)


def is_sound(roadmap: Roadmap, text: str) -> bool:
    """What holds of every roadmap, whatever its text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    places = [problem.position for problem in roadmap.warnings] + [phase.position for phase in roadmap.phases]
    places += [plan.position for phase in roadmap.phases for plan in phase.plans]
    is_placed = all(
        1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1]) + 1 for place in places
    )
    numbers = Counter(phase.number.upper() for phase in roadmap.phases)
    is_unique = all(count == 1 for count in numbers.values())
    for phase in roadmap.phases:
        assert phase.number == normal_number(phase.number)
        assert roadmap.phase(phase.number) is phase
        assert {number.upper() for number in phase.depends_on} <= set(numbers)
        assert not {number.upper() for number in phase.unknown_dependencies} & set(numbers)
        assert len(set(phase.depends_on)) == len(phase.depends_on)
        assert phase.depends_text is not None or not (phase.depends_on or phase.unknown_dependencies)
        awaited_phases(roadmap, phase)
    cycles = check_roadmap(roadmap)
    startable = startable_phases(roadmap)
    in_cycle = {problem.position for problem in cycles}
    return is_placed and is_unique and not in_cycle & {phase.position for phase in startable if phase.depends_on == ()}


@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    assert is_sound(parse_roadmap(text, PATH), text)


@given(st.lists(FRAGMENTS | st.text(max_size=6), max_size=30).map("".join))
@settings(max_examples=400)
def test_any_heap_of_roadmap_parts_is_read_without_an_exception(text: str) -> None:
    assert is_sound(parse_roadmap(text, PATH), text)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 40), FRAGMENTS | st.text(max_size=4)), max_size=6))
@settings(max_examples=200)
def test_a_phase_with_parts_cut_out_and_others_put_in_is_read_without_an_exception(
    cuts: list[tuple[int, int, str]],
) -> None:
    text = WHOLE
    for start, length, inserted in cuts:
        text = text[:start] + inserted + text[start + length :]
    assert is_sound(parse_roadmap(text, PATH), text)


@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_without_an_exception(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any-ROADMAP.md"
    path.write_bytes(data)
    assert isinstance(read_roadmap(path), Roadmap | UnreadableRoadmap)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True).flatmap(
        lambda numbers: st.tuples(
            st.just(numbers), st.lists(st.sets(st.sampled_from(numbers)), min_size=len(numbers), max_size=len(numbers))
        )
    ),
    st.sampled_from(["Phase {}", "phase {}", "{}", "#{}", "Phase 0{}", "**Phase {}**", "[Phase {}](#p)"]),
    st.sampled_from([", ", " and ", " + ", " & ", "; "]),
    st.sampled_from(["", " (all of it)", " complete", "."]),
)
def test_dependencies_read_back_as_they_were_written(
    written: tuple[list[int], list[set[int]]], form: str, joint: str, end: str
) -> None:
    numbers, depends = written
    text = ""
    for number, others in zip(numbers, depends, strict=True):
        value = joint.join(form.format(other) for other in sorted(others)) + end if others else "Nothing"
        text += f"### Phase {number}: Part\n**Depends on**: {value}\n\n"
    roadmap = parse_roadmap(text, PATH)
    assert [phase.number for phase in roadmap.phases] == [str(number) for number in numbers]
    assert [set(phase.depends_on) for phase in roadmap.phases] == [
        {str(other) for other in others} for others in depends
    ]
    assert all("missing before" in problem.message for problem in roadmap.warnings)


SIZE = 50_000
LARGE = [
    "\n", "- a\n", "# Phase 1\n", "# a\n", "(", "()", "*", "** ", "**a**: ", "**Depends on**: Phase 2\n", ": ",
    "<details>\n", "<summary>", "```\n", "~~~ a\n", "<!-- ", "<!--\n-->\n", "|", "| 1. a | 2 |\n", "  - b\n", "word ",
    "- [x] **Phase 1: a\n", "1. a\n", "- [x] 01-01: a\n", "01-01 ", "A-01, ", "A-01~200, ", "1-100, ", "Phase 1 ",
    "parallel ", "all ", "except 3 ", " - ", "#", "1", "1.", "A-", "[", "[a](", "~~", "`", "\r", "\u2028", "> ", "- ",
    "**Status**: x\n", " ", "not ", "Phases 1-",
]  # fmt: skip
PLACES = [
    "{}",
    "### Phase 1: {}",
    "### Phase {}",
    "### Phase 1: x\n{}",
    "### Phase 1: x\n**Depends on**: {}",
    "### Phase 1: x\n**Depends on**: Phase 1 {}",
    "### Phase 1: x\n**Requirements**: {}",
    "### Phase 1: x\n**Success Criteria**:\n{}",
    "### Phase 1: x\n**Plans**: {}",
    "- [x] **Phase 1: {}",
    "| Phase | Plans | Status |\n|---|---|---|\n{}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.timeout(60)
@pytest.mark.faults  # a quarter of a minute
def test_large_hostile_text_ends_soon(place: str) -> None:
    """Not a timing: reading takes well under a second, and a search that is not linear takes minutes."""
    for part in LARGE:
        text = place.format(part * (SIZE // len(part)))
        assert is_sound(parse_roadmap(text, PATH), text)


@pytest.mark.parametrize("value", ["All previous phases", "Phases 1-100, 200-300", "Phase {}", "Phase {}, Phase 99999"])
@pytest.mark.timeout(60)
def test_many_phases_that_name_many_end_soon(value: str) -> None:
    text = "".join(f"### Phase {n}: x\n**Depends on**: {value.format(n - 1)}\n" for n in range(1, 1500))
    roadmap = parse_roadmap(text, PATH)
    assert len(roadmap.phases) == 1000
    assert startable_phases(roadmap) == () or value.startswith(("All", "Phase"))
