"""Where phases are named: headings, check lists, tables; and what is no phase."""

from __future__ import annotations

import pytest

from bursar.plan import PhaseStatus
from tests.unit.plan.roadmap_texts import messages, numbers, only, read

HEADINGS = {
    "### Phase 4: Crane": ("4", "Crane", "planned"),
    "## Phase 4: Crane": ("4", "Crane", "planned"),
    "# Phase 4: Crane": ("4", "Crane", "planned"),
    "#### Phase 4: Crane": ("4", "Crane", "planned"),
    "###### Phase 4: Crane": ("4", "Crane", "planned"),
    "  ## Phase 4: Crane": ("4", "Crane", "planned"),
    "## Phase 4 — Crane": ("4", "Crane", "planned"),
    "## Phase 4 – Crane": ("4", "Crane", "planned"),
    "## Phase 4 - Crane": ("4", "Crane", "planned"),
    "## Phase 4 -- Crane": ("4", "Crane", "planned"),
    "## Phase 4. Crane": ("4", "Crane", "planned"),
    "## Phase 4： Crane": ("4", "Crane", "planned"),
    "### Phase 4": ("4", "", "planned"),
    "### Phase 4:": ("4", "", "planned"),
    "### PHASE 4: Crane": ("4", "Crane", "planned"),
    "### Fase 4: Kran": ("4", "Kran", "planned"),
    "### 阶段 4：起重机": ("4", "起重机", "planned"),
    "### Phase 04: Crane": ("4", "Crane", "planned"),
    "### Phase 0: Ground": ("0", "Ground", "planned"),
    "### Phase 2.1: Crane (INSERTED)": ("2.1", "Crane", "planned"),
    "### Phase 08.1: Crane": ("8.1", "Crane", "planned"),
    "### Phase 12.3.1: Crane": ("12.3.1", "Crane", "planned"),
    "### Phase 2.1 (INSERTED): Crane": ("2.1", "Crane", "planned"),
    "### Phase 12A: Crane": ("12A", "Crane", "planned"),
    "### Phase PROJ-42: Crane": ("PROJ-42", "Crane", "planned"),
    "### Phase 4: Crane #": ("4", "Crane", "planned"),
    "### **Phase 4: Crane**": ("4", "Crane", "planned"),
    "### **Phase 4**: Crane": ("4", "Crane", "planned"),
    "### ✅ Phase 4: Crane": ("4", "Crane", "complete"),
    "### [x] Phase 4: Crane": ("4", "Crane", "complete"),
    "### [ ] Phase 4: Crane": ("4", "Crane", "planned"),
    "### 🚧 Phase 4: Crane": ("4", "Crane", "in_progress"),
    "### Phase 4 ✅": ("4", "", "complete"),
    "### Phase 4 (Complete)": ("4", "", "complete"),
    "### Phase 4: Crane ✅": ("4", "Crane", "complete"),
    "### Phase 4: Crane ✅ COMPLETE": ("4", "Crane", "complete"),
    "### Phase 4: Crane [COMPLETE]": ("4", "Crane", "complete"),
    "### Phase 4: Crane (Complete)": ("4", "Crane", "complete"),
    "### Phase 4: Crane (Complete 2026-01-02)": ("4", "Crane", "complete"),
    "### Phase 4: Crane - COMPLETE": ("4", "Crane", "complete"),
    "### Phase 4: Crane — SHIPPED 2026-01-02": ("4", "Crane", "complete"),
    "### Phase 4: Crane (In Progress)": ("4", "Crane", "in_progress"),
    "### Phase 4: Crane *(SUPERSEDED)*": ("4", "Crane", "dropped"),
    "### ~~Phase 4: Crane~~": ("4", "Crane", "dropped"),
    "### Phase 4: ~~Crane~~": ("4", "Crane", "dropped"),
    "### Phase 4: Crane (BACKLOG)": ("4", "Crane", "parked"),
    "### Phase 4: Crane (Deferred)": ("4", "Crane", "parked"),
    "### Phase 4: Crane (formerly Phase 9)": ("4", "Crane", "planned"),
    "### Phase 4: Crane (ISS-025) ✅": ("4", "Crane (ISS-025)", "complete"),
    "### Phase 4: Crane (ISS-044) ✅ FIXED": ("4", "Crane (ISS-044)", "complete"),
    "### Phase 4: Crane ✅ `a1b2c3d`": ("4", "Crane", "complete"),
    "### Phase 4: Cranes (Piers 015–026)": ("4", "Cranes (Piers 015–026)", "planned"),
    "### Phase 4: Crane — big: and small - ones": ("4", "Crane — big: and small - ones", "planned"),
    "### Phase 4: Complete the crane": ("4", "Complete the crane", "planned"),
    "### Phase 4: Crane - Complete rewrite": ("4", "Crane - Complete rewrite", "planned"),
    "### Phase 4: Crane (Complete rewrite)": ("4", "Crane (Complete rewrite)", "planned"),
    "### Phase 4: Crane — Released hooks": ("4", "Crane — Released hooks", "planned"),
    "### Phase 4: Show a ✅ sign": ("4", "Show a ✅ sign", "planned"),
    "### Phase 4: Crane (Deferred to v2.0)": ("4", "Crane", "parked"),
    "### Phase 4: Crane (Superseded by Phase 7)": ("4", "Crane", "dropped"),
    "### Phase 4: Crane (Completed: Jan 2, 2026)": ("4", "Crane", "complete"),
    "### Phase 4: Crane (Not started)": ("4", "Crane", "planned"),
    "### Phase 4: Crane (2/3 plans)": ("4", "Crane", "planned"),
    r"### Phase 4: \frac in `Crane` text": ("4", r"\frac in Crane text", "planned"),
    "### Phase 999.1: Crane": ("999.1", "Crane", "parked"),
}
NO_HEADINGS = [
    "### Phase 20 debugging session",
    "### Phase 21 (0 bugs)",
    "## Documentation (Phase 38)",
    "### v2.1 Cranes (Phase 37) -- SHIPPED",
    "## Phase Details",
    "## Phases",
    "### Phases 1-3: Groundwork",
    "### Phaser 4: Crane",
    "### Phase four: Crane",
    "#Phase 4: Crane and no blank"[:0] + "####### Phase 4: Crane",
    "    ### Phase 4: indented as code",
    "Phase 4: Crane",
    "- Phase 11 must complete before Phase 12.",
    "- [x] 04-01: a plan",
    "- [x] Phases 1-4",
    "| 0 | Semicolons in lists |",
    "```\n### Phase 4: Crane\n```",
    "~~~\n### Phase 4: Crane\n~~~",
    "````\n```\n### Phase 4: Crane\n```\n````",
    "<!--\n### Phase 4: Crane\n-->",
    "| Requirement | Phase |\n|---|---|\n| A-01 | Phase 4 |",
    "| # | Decision |\n|---|---|\n| 4 | Steel |",
    "| Plan | Duration |\n|---|---|\n| 4 | 3 min |",
]
ITEMS = {
    "- [x] **Phase 1: Quay** - stone": ("1", "Quay", "complete"),
    "- [X] **Phase 1: Quay** - stone": ("1", "Quay", "complete"),
    "- [ ] **Phase 1: Quay** - stone": ("1", "Quay", "planned"),
    "- [] **Phase 1: Quay** - stone": ("1", "Quay", "planned"),
    "- [~] **Phase 1: Quay** - stone": ("1", "Quay", "in_progress"),
    "* [x] **Phase 1: Quay**": ("1", "Quay", "complete"),
    "1. [x] **Phase 1: Quay**": ("1", "Quay", "complete"),
    "  - [x] **Phase 1: Quay**": ("1", "Quay", "complete"),
    "- [x] **Phase 1**: Quay - stone": ("1", "Quay", "complete"),
    "- [x] **Phase 1:** Quay - stone": ("1", "Quay", "complete"),
    "- [x] **Phase 1 — Quay** — stone": ("1", "Quay", "complete"),
    "- [x] Phase 1: Quay (3/3 plans) — completed 2026-01-02": ("1", "Quay", "complete"),
    "- [x] Phase 1: Quay": ("1", "Quay", "complete"),
    "- [x] **Phase 1: Quay** ✓ - stone": ("1", "Quay", "complete"),
    "- [x] ~~**Phase 1: Quay**~~ - *Superseded*": ("1", "Quay", "dropped"),
    "- [x] ~~Phase 1: Quay~~ -- Superseded": ("1", "Quay", "dropped"),
    "- [ ] **~~Phase 1: Quay~~** - no": ("1", "Quay", "dropped"),
    "- [ ] **Phase 1: Quay** - Deferred to v2": ("1", "Quay", "parked"),
    "- [ ] **Phase 1: Quay** - Removed stones are put back": ("1", "Quay", "planned"),
    "- [ ] **Phase 1: Quay** - Complete rewrite of the piles": ("1", "Quay", "planned"),
    "- ✅ **Phase 1: Quay**": ("1", "Quay", "complete"),
    "- 🚧 **Phase 1: Quay**": ("1", "Quay", "in_progress"),
    "- ⏸️ **Phase 1: Quay**": ("1", "Quay", "parked"),
    "- [x] **Phase 1: A name — with: dashes - and so on** - stone": (
        "1",
        "A name — with: dashes - and so on",
        "complete",
    ),
    "- [ ] **Phase 1: A name that\n  wraps** - stone": ("1", "A name that wraps", "planned"),
    "- [x] **Phase 2.1: Quay (INSERTED)** - stone": ("2.1", "Quay", "complete"),
    "- [x] [Phase 1: Quay](phases/01-quay) - stone": ("1", "Quay", "complete"),
}


@pytest.mark.parametrize(("heading", "expected"), HEADINGS.items())
def test_headings(heading: str, expected: tuple[str, str, str]) -> None:
    phase = only(f"# Roadmap\n\n{heading}\n\ntext\n")
    assert (phase.number, phase.name, phase.status.value) == expected
    assert phase.position.line == 3


@pytest.mark.parametrize(("item", "expected"), ITEMS.items())
def test_check_lists(item: str, expected: tuple[str, str, str]) -> None:
    phase = only(f"# Roadmap\n\n{item}\n\ntext\n")
    assert (phase.number, phase.name, phase.status.value) == expected


@pytest.mark.parametrize("text", NO_HEADINGS)
def test_what_is_no_phase(text: str) -> None:
    roadmap = read(f"# Roadmap\n\n{text}\n")
    assert roadmap.phases == ()
    assert messages(roadmap) == ["1: no phase is named in this roadmap"]


def test_a_table_of_phases() -> None:
    roadmap = read(
        "| Phase | Milestone | Plans Complete | Status | Completed |\n"
        "|-------|-----------|----------------|--------|-----------|\n"
        "| 1. Quay | v1 | 3/3 | Complete | 2026-01-02 |\n"
        "| 2.1 | 1/2 | In Progress | |\n"
        "| 3 Sheds | v1 | 0/TBD | Not started | - |\n"
        "| **Phase 4: Gulls** | v2 | 0/4 | ⏸️ Deferred | - |\n"
        "| 12.1 Two Piers | v2 | - | ✅ | - |\n"
        "| Total | | 9 | | |\n"
    )
    found = [(phase.number, phase.name, phase.status.value, phase.planned_plans) for phase in roadmap.phases]
    assert found == [
        ("1", "Quay", "complete", 3),
        ("2.1", "", "in_progress", 2),
        ("3", "Sheds", "planned", None),
        ("4", "Gulls", "parked", 4),
        ("12.1", "Two Piers", "complete", None),
    ]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("| # | Phase | Goal |", "| 7 | Quay | Ships can moor |"),
        ("| Dir | v2.0 Phase | Name |", "| 7 | 3 | Quay |"),
        ("| Phase | Name | Depends On |", "| 7 | Quay | — |"),
        ("| Milestone | Phase | Status |", "| v1 | 7. Quay | Complete |"),
        ("| **Phase** | **Goal** |", "| 7: Quay | Ships can moor |"),
    ],
)
def test_tables_that_name_a_phase_in_another_column(head: str, row: str) -> None:
    phase = only(f"{head}\n|---|---|---|\n{row}\n")
    assert (phase.number, phase.name) == ("7", "Quay")


def test_a_table_may_say_what_a_phase_waits_for() -> None:
    roadmap = read(
        "| Phase | Title | Depends On |\n|---|---|---|\n| 1 | A | - |\n| 2 | B | 1 |\n| 3 | C | Phase 1, 2 |\n"
    )
    assert [phase.depends_on for phase in roadmap.phases] == [(), ("1",), ("1", "2")]
    assert roadmap.warnings == ()


def test_a_table_of_requirements_says_nothing_of_the_status_of_phases() -> None:
    text = "### Phase 1: Quay\n\n| Phase | Requirement | Status |\n|---|---|---|\n| 1 | A-01 | Complete |\n"
    assert only(text).status is PhaseStatus.PLANNED


def test_heading_list_and_table_are_one_phase() -> None:
    phase = only(
        "- [x] **Phase 03: Short** - text\n\n## Details\n\n### Phase 3: The long name\n**Goal**: It stands\n\n"
        "| Phase | Plans | Status |\n|---|---|---|\n| 3. Table | 2/2 | Complete |\n"
    )
    assert (phase.number, phase.name, phase.goal) == ("3", "The long name", "It stands")
    assert (phase.status, phase.planned_plans, phase.position.line) == (PhaseStatus.COMPLETE, 2, 5)


def test_prose_in_a_check_list_says_nothing_of_a_phase_that_is_named_elsewhere() -> None:
    roadmap = read(
        "### Phase 2: Crane\n\n## Before the launch\n\n- [x] Phase 2 tested by hand\n- [x] Phase 2-3 painted\n"
    )
    assert [(phase.name, phase.status.value) for phase in roadmap.phases] == [("Crane", "planned")]
    alone = only("- [x] Phase 2 Crane\n")
    assert (alone.name, alone.status.value) == ("Crane", "complete")


def test_phases_stand_in_the_order_in_which_they_are_first_named() -> None:
    assert numbers("- [ ] **Phase 2: B**\n- [ ] **Phase 1: A**\n\n### Phase 3: C\n### Phase 1: A\n") == ["2", "1", "3"]


def test_two_headings_are_one_phase_and_a_warning() -> None:
    roadmap = read("### Phase 1: A\n**Goal**: g\n\n### Phase 2: B\n\n### Phase 01: C\n**Depends on**: Phase 2\n")
    first = roadmap.phases[0]
    assert [phase.number for phase in roadmap.phases] == ["1", "2"]
    assert (first.name, first.goal, first.depends_on) == ("A", "g", ("2",))
    assert messages(roadmap) == ["6: phase 01 has a heading already, in line 1; both are read as one phase"]


def test_letters_of_either_case_are_one_phase() -> None:
    roadmap = read("- [x] **Phase 12a: A**\n\n### Phase 12A: B\n\n### Phase 13: C\n**Depends on**: Phase 12a\n")
    assert [(phase.number, phase.depends_on) for phase in roadmap.phases] == [("12A", ()), ("13", ("12A",))]
    assert roadmap.phase("12a") == roadmap.phase("12A") == roadmap.phases[0]


@pytest.mark.parametrize(
    ("present", "said"),
    [
        ((1, 2, 3), []),
        ((1, 3), ["2: phase 2 is missing before phase 3"]),
        ((3, 6, 7), ["2: phases 4 to 5 are missing before phase 6"]),
        ((0, 1), []),
        ((11, 12), []),
        ((5, 99), []),
        ((5, 999), []),
        ((2, 30), []),
    ],
)
def test_a_number_left_out_is_said(present: tuple[int, ...], said: list[str]) -> None:
    assert messages(read("".join(f"### Phase {number}: x\n" for number in present))) == said


def test_phases_hide_in_details() -> None:
    roadmap = read(
        "# Roadmap: Harbour\n\n<details>\n<summary>✅ v1.0 Quay (Phases 1-2) — SHIPPED 2026-01-02</summary>\n\n"
        "- [x] Phase 1: Piles (2/2 plans) — completed\n- [x] **Phase 2: Deck**\n\n### Phase 2: Deck\n"
        "**Depends on**: Phase 1\n\n### Phase 2.5: Paint\n\n</details>\n\n### v1.1 Crane (In Progress)\n\n"
        "- [ ] **Phase 3: Crane** - lifts\n\n## Phase Details\n\n### Phase 3: Crane\n"
    )
    assert roadmap.title == "Roadmap: Harbour"
    assert [(phase.number, phase.status.value, phase.milestone) for phase in roadmap.phases] == [
        ("1", "complete", "✅ v1.0 Quay (Phases 1-2) — SHIPPED 2026-01-02"),
        ("2", "complete", "✅ v1.0 Quay (Phases 1-2) — SHIPPED 2026-01-02"),
        ("2.5", "complete", "✅ v1.0 Quay (Phases 1-2) — SHIPPED 2026-01-02"),
        ("3", "planned", "v1.1 Crane (In Progress)"),
    ]


def test_details_within_a_phase_do_not_end_it() -> None:
    text = (
        "### Phase 1: A\n<details>\n<summary>Plans</summary>\n\n- [x] 01-01: x\n</details>\n\n**Depends on**: Nothing\n"
    )
    assert only(text).depends_text == "Nothing"


def test_an_archived_milestone_is_complete_where_nothing_else_is_said() -> None:
    roadmap = read(
        "# Milestone v1.2: Crane\n\n**Status:** ✅ SHIPPED 2026-01-02\n**Phases:** 8-9\n\n## Phases\n\n"
        "### Phase 8: Hook\n**Depends on**: Phase 7\n\n- [ ] 08-01: Bend it\n\n### Phase 9: Rope\n"
    )
    assert [(phase.status.value, phase.milestone) for phase in roadmap.phases] == [
        ("complete", "Milestone v1.2: Crane"),
        ("complete", "Milestone v1.2: Crane"),
    ]
    assert [(problem.message, problem.hint) for problem in roadmap.warnings] == [
        (
            "phase 8 depends on phase 7, which is no phase of this roadmap",
            "it may be of an earlier milestone; here phase 9 is nearest",
        )
    ]


def test_milestone_links_are_no_phases() -> None:
    roadmap = read("# Roadmap\n\n- [x] **v0.1** — Phases 1-7, 18 plans. [Details](milestones/v0.1-ROADMAP.md)\n")
    assert roadmap.phases == ()
    assert [(problem.message, problem.is_error) for problem in roadmap.warnings] == [
        ("no phase is named in this roadmap", False)
    ]


def test_plain_bullets_are_believed_where_nothing_else_names_a_phase() -> None:
    bullets = "- **Phase 1: Quay** - stone\n- Phase 2: Crane - steel\n- Phase 3 must wait.\n\n**Phase 4: Sheds**\n"
    roadmap = read(bullets)
    assert [(phase.number, phase.name) for phase in roadmap.phases] == [("1", "Quay"), ("2", "Crane"), ("4", "Sheds")]
    assert messages(roadmap)[0] == "1: phases are read from plain text, as no heading, check list or table names any"
    assert numbers(bullets + "\n### Phase 9: x\n") == ["9"]


def test_a_code_block_that_never_ends_hides_nothing() -> None:
    roadmap = read("```\n### Phase 1: A\n")
    assert [phase.number for phase in roadmap.phases] == ["1"]
    assert messages(roadmap) == ["1: a code block begins here and never ends; it is read as text"]


def test_a_comment_that_never_ends_hides_nothing() -> None:
    assert numbers("<!--\n### Phase 1: A\n") == ["1"]


def test_places_are_those_of_the_file_whatever_its_line_ends() -> None:
    for text in ("# R\n\n### Phase 1: A\n", "# R\r\n\r\n### Phase 1: A\r\n", "# R\r\n\n### Phase 1: A\r\n"):
        assert only(text).position.line == 3


def test_other_headings_end_a_phase() -> None:
    phase = only("### Phase 1: A\n**Goal**: g\n\n## Progress\n\n**Depends on**: Phase 9\n")
    assert phase.depends_text is None


def test_too_many_phases_and_lines_are_errors() -> None:
    roadmap = read("".join(f"### Phase {number}: x\n" for number in range(1001)))
    assert (len(roadmap.phases), messages(roadmap)) == (
        1000,
        ["1001: there are more than 1000 phases; the others are not read"],
    )
    assert roadmap.warnings[0].is_error
    assert messages(read("### Phase 1: x\n" + "x\n" * 50_000)) == [
        "50001: there are more than 50,000 lines; the rest is not read"
    ]
    assert messages(read("### Phase 1: x\n" + "x" * 20_001)) == [
        "2: this line is longer than 20,000 characters; the rest of it is not read"
    ]
