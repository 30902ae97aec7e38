"""What a phase says of itself: goal, requirements, success criteria, plans, status."""

from __future__ import annotations

import pytest

from tests.unit.plan.roadmap_texts import messages, only, read

WHOLE = """\
### Phase 3: Crane
**Goal**: Ships are
  unloaded
**Depends on**: Phase 1 (the quay),
  Phase 2
**Requirements**: CRN-01, CRN-02 (partly, by hand), paint
**Success Criteria** (what must be TRUE):
  1. A crate is lifted
     and put down
  2. Nobody is hurt
     - not even a gull
**Plans**: 3 plans

Plans:

**Wave 1**
- [x] 03-01-PLAN.md — Build the hook
- [ ] 03-02: Wind the rope

**Wave 2** *(blocked on Wave 1 completion)*
- [ ] **03-03**: Test it

**Notes**: 1. this is no plan
- [ ] and neither is this
"""


def test_every_part_of_a_phase() -> None:
    phase = only(WHOLE)
    assert phase.goal == "Ships are unloaded"
    assert phase.depends_text == "Phase 1 (the quay), Phase 2"
    assert phase.unknown_dependencies == ("1", "2")
    assert phase.requirements == ("CRN-01", "CRN-02", "paint")
    assert phase.success_criteria == ("A crate is lifted and put down", "Nobody is hurt")
    assert phase.planned_plans == 3
    assert [(plan.id, plan.text, plan.is_done, plan.position.line) for plan in phase.plans] == [
        ("03-01", "Build the hook", True, 17),
        ("03-02", "Wind the rope", False, 18),
        ("03-03", "Test it", False, 21),
    ]


def test_line_ends_of_windows_change_nothing() -> None:
    assert only(WHOLE.replace("\n", "\r\n")) == only(WHOLE)


def test_a_formatter_that_joined_lines_is_no_hindrance() -> None:
    joined = (
        "### Phase 3: Crane **Goal**: not here\n\n**Goal**: Lift **Depends on**: Nothing (first phase) "
        "**Requirements**: CRN-01, CRN-02 **Plans**: 2 plans\n"
    )
    phase = only(joined)
    assert (phase.goal, phase.depends_text, phase.planned_plans) == ("Lift", "Nothing (first phase)", 2)
    assert phase.requirements == ("CRN-01", "CRN-02")


def test_parts_may_be_headings_of_their_own() -> None:
    phase = only(
        "## Phase 1: Crane\n\n**Goal:** Lift\n\n"
        "### Requirements\n\n- [x] **CRN-01**: a hook\n- [ ] **CRN-02**: a rope\n\n"
        "### Success Criteria\n\n1. ✅ It lifts\n2. It holds\n\n### Notes\n\n1. no criterion\n"
    )
    assert (phase.requirements, phase.success_criteria) == (("CRN-01", "CRN-02"), ("It lifts", "It holds"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A-01, A-02", "A-01|A-02"),
        ("A-01; A-02", "A-01|A-02"),
        ("[A-01, A-02]", "A-01|A-02"),
        ("A-01, A-01", "A-01"),
        ("A-01 and A-02", "A-01|A-02"),
        ("A-01 + speed", "A-01|speed"),
        ("sound and light", "sound and light"),
        ("A-01 through A-04", "A-01|A-02|A-03|A-04"),
        ("A-01~03", "A-01|A-02|A-03"),
        ("A-09–11, B-1", "A-09|A-10|A-11|B-1"),
        ("E2E-01, v2-AUTH-01", "E2E-01|v2-AUTH-01"),
        ("A-01（部分，手动）、A-02", "A-01|A-02"),
        ("**A-01**, `A-02`", "A-01|A-02"),
        ("TBD", ""),
        ("None", ""),
        ("None (a refactoring)", ""),
        ("(all of them are checked)", ""),
        ("", ""),
        ("\n- A-01: a hook\n- A-02 — a rope\n", "A-01|A-02"),
        ("\n- A-01, A-02\n- a third\n", "A-01|A-02|a third"),
    ],
)
def test_requirements(text: str, expected: str) -> None:
    phase = only(f"### Phase 1: x\n**Requirements**: {text}\n**Goal**: g\n")
    assert "|".join(phase.requirements) == expected
    assert phase.goal == "g"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":\n1. a\n2. b\n", "a|b"),
        (":\n\n1. a\n\n2. b\n\nno more\n", "a|b"),
        (":\n- a\n- b\n", "a|b"),
        (":\n  - [x] a\n  - [ ] b\n", "a|b"),
        (":\n* **Fast**: a\n* b\n", "**Fast**: a|b"),
        (": it lifts\n", "it lifts"),
        (": 1. a 2. b\n", "a|b"),
        (": TBD\n", ""),
        (":\n1. a\n   wraps\n2. b\n   **Plans**: TBD\n", "a wraps|b"),
        (" (what must be TRUE):\n1. a\n", "a"),
    ],
)
def test_success_criteria(text: str, expected: str) -> None:
    phase = only(f"### Phase 1: x\n**Success Criteria**{text}")
    assert "|".join(phase.success_criteria) == expected


PLANS = {
    "- [x] 03-01-PLAN.md — Hook": ("03-01", "Hook", True),
    "- [ ] 03-01-PLAN.md: Hook": ("03-01", "Hook", False),
    "- [x] 03-01 — Hook": ("03-01", "Hook", True),
    "- [x] 3.1-01-PLAN.md - Hook": ("3.1-01", "Hook", True),
    "- [x] 03-PLAN-01.md — Hook": ("03-01", "Hook", True),
    "- [x] 03-04b: Hook": ("03-04b", "Hook", True),
    "- [x] 03-01-FIX: Hook": ("03-01-FIX", "Hook", True),
    "- [x] `03-01-PLAN.md` Hook": ("03-01", "Hook", True),
    "- [x] [03-01-PLAN.md](phases/03/03-01-PLAN.md) — Hook": ("03-01", "Hook", True),
    "- [x] **03-01: Hook**": ("03-01", "Hook", True),
    "- [x] Plan 1: Hook": ("1", "Hook", True),
    "- [x] 01-crane-02-PLAN.md — Hook": ("01-crane-02", "Hook", True),
    "- [ ] TBD (to be planned)": ("", "TBD (to be planned)", False),
    "- [x] Build the hook": ("", "Build the hook", True),
    "- ✅ 03-01: Hook": ("03-01", "Hook", True),
    "- 03-01: Hook ✅": ("03-01", "Hook ✅", False),
}


@pytest.mark.parametrize(("item", "expected"), PLANS.items())
def test_plans(item: str, expected: tuple[str, str, bool]) -> None:
    (plan,) = only(f"### Phase 3: x\n**Plans:** 1 plan\n\nPlans:\n{item}\n").plans
    assert (plan.id, plan.text, plan.is_done) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 plans", 3),
        ("1 plan", 1),
        ("3 plans in 2 waves", 3),
        ("2/3 plans executed", 3),
        ("3/3 complete", 3),
        ("5 — 17-01–17-05. All complete.", 5),
        ("TBD", None),
        ("0/TBD", None),
        ("03-01 (the hook)", None),
        ("2026-01-02", None),
    ],
)
def test_how_many_plans_are_meant(text: str, expected: int | None) -> None:
    assert only(f"### Phase 3: x\n**Plans**: {text}\n").planned_plans == expected


def test_plans_may_be_named_in_the_line_itself() -> None:
    phase = only("### Phase 3: x\n**Plans:** 2 — 03-01 (hook), 03-02 (rope). All complete.\n")
    assert [(plan.id, plan.is_done) for plan in phase.plans] == [("03-01", True), ("03-02", True)]
    assert only("### Phase 3: x\n**Plans:** 5 — 03-01–03-05.\n").plans == ()


def test_a_plan_that_is_listed_twice_is_one_plan() -> None:
    phase = only("### Phase 3: x\n**Status:** done\n- 03-01: a\n\nPlans:\n- [x] 03-01-PLAN.md — b\n")
    assert [(plan.id, plan.text) for plan in phase.plans] == [("03-01", "a")]


STATUS = {
    "### Phase 1: x\n**Status:** Complete (2026-01-02) - 2/2 plans executed\n": "complete",
    "### Phase 1: x\n**Status**: 🚧 In progress\n": "in_progress",
    "### Phase 1: x\n**Status**: Not started\n": "planned",
    "### Phase 1: x\n**Status**: Not complete\n": "planned",
    "### Phase 1: x\n**Status**: ⏸ On hold\n": "parked",
    "### Phase 1: x\n**Status**: Cancelled\n": "dropped",
    "### Phase 1: x\n**Status**: 进行中\n": "in_progress",
    "### Phase 1: x\n**Status**: concluída\n": "complete",
    "### Phase 1: x\nPlans:\n- [x] 01-01: a\n- [ ] 01-02: b\n": "in_progress",
    "### Phase 1: x\nPlans:\n- [x] 01-01: a\n- [x] 01-02: b\n": "complete",
    "### Phase 1: x\n**Plans**: 3 plans\nPlans:\n- [x] 01-01: a\n- [x] 01-02: b\n": "in_progress",
    "### Phase 1: x\nPlans:\n- [x] 01-01: a\n- [ ] TBD\n": "in_progress",
    "- [ ] **Phase 1: x**\n\n### Phase 1: x\nPlans:\n- [x] 01-01: a\n": "in_progress",
    "- [x] **Phase 1: x**\n\n### Phase 1: x\nPlans:\n- [ ] 01-01: a\n": "complete",
    "## Backlog\n\n### Phase 1: x\n": "parked",
    "### v1.0 Quay — SHIPPED\n\n#### Phase 1: x\n": "complete",
    "### v1.0 Quay — SHIPPED\n\n- [ ] **Phase 1: x**\n": "planned",
    "### v1.0 Quay (In Progress)\n\n#### Phase 1: x\n": "planned",
}


@pytest.mark.parametrize(("text", "expected"), STATUS.items())
def test_status(text: str, expected: str) -> None:
    roadmap = read(text)
    assert [phase.status.value for phase in roadmap.phases] == [expected]
    assert roadmap.warnings == ()


def test_a_roadmap_that_contradicts_itself_is_read_as_complete_and_said() -> None:
    roadmap = read("- [ ] **Phase 1: x** - text\n\n### Phase 1: x ✅\n")
    assert [phase.status.value for phase in roadmap.phases] == ["complete"]
    assert messages(roadmap) == ["1: phase 1 is planned here and complete in line 3; read as complete"]


def test_items_of_a_list_may_have_parts_of_their_own() -> None:
    roadmap = read(
        "- [x] **Phase 1: A** - text\n- [ ] **Phase 2: B** - text\n  - Goal: go on\n  - Depends on: Phase 1\n"
        "  - Requirements: B-01, B-02\n- [ ] **Phase 3: C**\n\nDepends on: Phase 2\n"
    )
    assert [(phase.goal, phase.depends_on, len(phase.requirements)) for phase in roadmap.phases] == [
        ("", (), 0),
        ("go on", ("1",), 2),
        ("", (), 0),
    ]
